//! Which texts are the same mailbox? Not here: whether it exists.
//!
//! Dots and `+tags` stay where nobody says otherwise: only the mailbox's provider knows whether they
//! matter.

use std::borrow::Cow;

use super::compose;
use crate::Provider;

pub(super) fn normalise(text: &str, fold: Option<Provider>) -> Option<String> {
    let compact: String = text.chars().filter(|char| !char.is_whitespace()).collect();
    let address = compact.to_lowercase();
    let (local, domain) = address.split_once('@')?;
    let local = compose(local);
    let domain = in_ascii(domain)?;
    let local = match fold {
        Some(Provider::Gmail) if matches!(&*domain, "gmail.com" | "googlemail.com") => {
            without_tag(&local).into()
        }
        Some(Provider::Gmail) | None => local,
    };
    let labels_are_sound = domain.split('.').all(|label| {
        !label.is_empty()
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    });
    let is_sound = !local.is_empty() && domain.contains('.') && labels_are_sound;
    is_sound.then(|| format!("{local}@{domain}"))
}

/// Without dots and what follows a `+`.
fn without_tag(local: &str) -> String {
    let name = local.split('+').next().unwrap_or_default();
    name.replace('.', "")
}

/// A domain as it is looked up: an internationalised one in its `xn--` form (IDNA, UTS 46).
fn in_ascii(domain: &str) -> Option<Cow<'_, str>> {
    if domain.is_ascii() {
        return Some(domain.into());
    }
    idna::domain_to_ascii_cow(domain.as_bytes(), idna::AsciiDenyList::URL).ok()
}

#[cfg(test)]
mod tests {
    use super::normalise;
    use crate::Provider;

    #[test]
    fn addresses_have_one_spelling() {
        let check = |raw: &str, expected: Option<&str>| {
            assert_eq!(normalise(raw, None).as_deref(), expected, "{raw}");
        };
        check("Ann . Lee@Shop.Example", Some("ann.lee@shop.example"));
        check("an.n+x@gmail.com", Some("an.n+x@gmail.com"));
        check(
            "jörg@xn--mller-kva.example",
            Some("jörg@xn--mller-kva.example"),
        );
        check(
            "info@M\u{fc}ller.example",
            Some("info@xn--mller-kva.example"),
        );
        check(
            "info@mu\u{308}ller\u{3002}example",
            Some("info@xn--mller-kva.example"),
        );
        check("jo\u{308}rg@a.example", Some("j\u{f6}rg@a.example"));
        check("info@m\u{2488}ller.example", None);
        check("a@b", None);
        check("a@b@c.example", None);
        check("@c.example", None);
        check("a@.example", None);
        check("a@c.example.", None);
        check("no address", None);
    }

    #[test]
    fn dots_and_tags_go_where_the_provider_ignores_them() {
        let check = |raw: &str, expected: Option<&str>| {
            let folded = normalise(raw, Some(Provider::Gmail));
            assert_eq!(folded.as_deref(), expected, "{raw}");
        };
        check("An.N+x@gmail.com", Some("ann@gmail.com"));
        check("a.n.n@googlemail.com", Some("ann@googlemail.com"));
        check("an.n+x@example.com", Some("an.n+x@example.com"));
        check("+x@gmail.com", None);
        check("...@gmail.com", None);
    }
}
