//! Which texts are the same mailbox? Not here: whether it exists.
//!
//! Dots and `+tags` stay: only the mailbox's provider knows whether they matter.

pub(super) fn normalise(text: &str) -> Option<String> {
    let compact: String = text.chars().filter(|char| !char.is_whitespace()).collect();
    let address = compact.to_lowercase();
    let (local, domain) = address.split_once('@')?;
    let labels_are_sound = domain.split('.').all(|label| {
        !label.is_empty()
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    });
    (!local.is_empty() && domain.contains('.') && labels_are_sound).then_some(address)
}

#[cfg(test)]
mod tests {
    use super::normalise;

    #[test]
    fn addresses_have_one_spelling() {
        let check = |raw: &str, expected: Option<&str>| {
            assert_eq!(normalise(raw).as_deref(), expected, "{raw}");
        };
        check("Ann . Lee@Shop.Example", Some("ann.lee@shop.example"));
        check("an.n+x@gmail.com", Some("an.n+x@gmail.com"));
        check(
            "jörg@xn--mller-kva.example",
            Some("jörg@xn--mller-kva.example"),
        );
        check("info@müller.example", None);
        check("a@b", None);
        check("a@b@c.example", None);
        check("@c.example", None);
        check("a@.example", None);
        check("a@c.example.", None);
        check("no address", None);
    }
}
