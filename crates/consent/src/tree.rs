//! Which categories is a category part of? `marketing.news` is part of `marketing`, and everything
//! is part of `*` (2.2.2). Not here: what a record about one then does.

/// The category that every other is part of. Records may name it, nobody is asked about it.
pub const EVERYTHING: &str = "*";

/// Whether what is said about one category is said about another: about itself and about what is
/// part of it, never the reverse.
#[must_use]
pub fn covers(said: &str, asked: &str) -> bool {
    let part = || asked.strip_prefix(said).unwrap_or_default();
    said == EVERYTHING || said == asked || part().starts_with('.')
}

/// The categories that one is part of, the nearest first, without [`EVERYTHING`].
pub fn parents(category: &str) -> impl Iterator<Item = &str> {
    let mut rest = category;
    std::iter::from_fn(move || {
        (rest, _) = rest.rsplit_once('.')?;
        Some(rest)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_of_a_whole_is_said_of_its_parts() {
        let check = |said, asked, expected| {
            assert_eq!(covers(said, asked), expected, "{said} over {asked}");
        };
        check("marketing", "marketing", true);
        check("marketing", "marketing.news", true);
        check("marketing", "marketing.news.daily", true);
        check("marketing.news", "marketing", false);
        check("marketing", "marketing_news", false);
        check("market", "marketing", false);
        check("*", "marketing.news", true);
        check("marketing", "*", false);
    }

    #[test]
    fn the_nearest_parent_comes_first() {
        let found: Vec<_> = parents("marketing.news.daily").collect();
        assert_eq!(found, ["marketing.news", "marketing"]);
        assert_eq!(parents("marketing").count(), 0);
    }
}
