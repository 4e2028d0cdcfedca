//! Which text is the same identifier, and which is nobody's? Not here: where it was found.

mod email;
mod phone;

use std::borrow::Cow;
use std::sync::Arc;

use icu_normalizer::ComposingNormalizerBorrowed;
use wayfare_event::Namespace;
use wayfare_event::limits::{ADDRESS_BYTES_MAX, IDENTIFIER_BYTES_MAX};

use crate::{Class, Config};

pub use phone::Region;

/// What programs write when they have no value, compared by [`fold`].
const PLACEHOLDERS: [&str; 29] = [
    "",
    "-1",
    "0",
    "[object object]",
    "abc123",
    "anonymous",
    "distinct_id",
    "distinctid",
    "email",
    "false",
    "guest",
    "id",
    "invalid",
    "n/a",
    "na",
    "nan",
    "nil",
    "none",
    "not_authenticated",
    "null",
    "test",
    "true",
    "undefined",
    "unknown",
    "user_id",
    "userid",
    "void",
    "(null)",
    "<nil>",
];

/// The one spelling of `raw` as a value of `namespace`; nothing when it identifies nobody.
///
/// Control characters and surrounding blanks go, and what can be spelt as one character or as several
/// is spelt as one (2.1.3; Unicode's NFC). E-mail addresses become lower case without any blanks and
/// have one `@` and a dot in the domain, which is written in ASCII (IDNA); dots and tags stay, unless the
/// namespace folds a [`Provider`](crate::Provider)'s. Phone numbers become E.164; a
/// national one needs [`Config`]'s region. Everything else keeps its case. Placeholders such as
/// `undefined`, values of nothing but zeros and dashes, blocked values and those over
/// [`ADDRESS_BYTES_MAX`] (addresses) or [`IDENTIFIER_BYTES_MAX`] bytes are nobody's.
///
/// Applied twice it gives what it gave once.
///
/// ```
/// use wayfare_identity::{Config, normalise};
/// let read = |raw| normalise(&Config::default(), &"email".into(), raw);
/// assert_eq!(read(" Ann.Lee@Shop.Example ").as_deref(), Some("ann.lee@shop.example"));
/// assert_eq!(read("undefined"), None);
/// ```
#[must_use]
pub fn normalise(config: &Config, namespace: &Namespace, raw: &str) -> Option<Arc<str>> {
    let rule = config.rule(namespace)?;
    let visible: String = raw.chars().filter(|char| !char.is_control()).collect();
    let composed = compose(&visible);
    let text = composed.trim();
    let value = match namespace.as_str() {
        Namespace::EMAIL => email::normalise(text, rule.provider_fold)?,
        Namespace::PHONE => phone::normalise(text, config.phone_region())?,
        _ => text.to_owned(),
    };
    let bytes_max = match rule.class {
        Class::Address => ADDRESS_BYTES_MAX,
        Class::Anchor | Class::Device | Class::Session => IDENTIFIER_BYTES_MAX,
    };
    let junk = is_junk(config, text) || is_junk(config, &value);
    (!junk && value.len() <= bytes_max).then(|| value.into())
}

/// The composed normal form (NFC).
fn compose(text: &str) -> Cow<'_, str> {
    ComposingNormalizerBorrowed::new_nfc().normalize(text)
}

/// How values are compared with those that are nobody's: without quotes, blanks and case.
pub(crate) fn fold(value: &str) -> String {
    compose(value)
        .trim_matches(|char: char| char == '"' || char == '\'' || char.is_whitespace())
        .to_lowercase()
}

fn is_junk(config: &Config, value: &str) -> bool {
    let folded = fold(value);
    PLACEHOLDERS.contains(&folded.as_str())
        || folded.chars().all(|char| char == '0' || char == '-')
        || config.is_blocked(&folded)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn config(region: Option<&str>) -> Config {
        let rules = Config::default().namespaces().to_vec();
        let region = region.map(|name| Region::named(name).unwrap());
        Config::new(rules, ["'QA@example.com'".to_owned()], region).unwrap()
    }

    fn check(namespace: &str, raw: &str, expected: Option<&str>) {
        let read = normalise(&config(None), &namespace.into(), raw);
        assert_eq!(read.as_deref(), expected, "{namespace} {raw:?}");
    }

    #[test]
    fn ids_keep_their_case_and_lose_what_is_invisible() {
        check("user_id", "  AB7\u{0}\n", Some("AB7"));
        check("user_id", "\u{7} ab 7 ", Some("ab 7"));
        check("anonymous_id", "'w-1'", Some("'w-1'"));
        check("user_id", &"x".repeat(1_024), Some(&"x".repeat(1_024)));
        check("user_id", &"x".repeat(1_025), None);
        check("user_id", "Ame\u{301}lie", Some("Am\u{e9}lie"));
        check("unheard_of", "x", None);
    }

    #[test]
    fn placeholders_are_nobody_whatever_their_case_and_quotes() {
        for raw in [
            "",
            "   ",
            "null",
            "NaN",
            "uNdEfInEd",
            "\"undefined\"",
            "'Guest'",
            "[object Object]",
            "-1",
            "0",
            "00000000-0000-0000-0000-000000000000",
            "---",
            "n/a",
            "TRUE",
            "\"\"",
        ] {
            check("user_id", raw, None);
            check("device_id", raw, None);
        }
        check("user_id", "10", Some("10"));
        check("user_id", "nobody", Some("nobody"));
    }

    #[test]
    fn blocked_values_are_nobody() {
        check("email", " qa@Example.com", None);
        check("user_id", "\"QA@EXAMPLE.COM\"", None);
        check("email", "qa@example.org", Some("qa@example.org"));
    }

    #[test]
    fn a_phone_number_without_region_needs_its_country() {
        check("phone", "555-0100", None);
        check("phone", "0049 30 1234567", Some("+49301234567"));
        let german = normalise(&config(Some("DE")), &"phone".into(), "030 1234567");
        assert_eq!(german.as_deref(), Some("+49301234567"));
    }

    proptest! {
        #[test]
        fn normalising_twice_is_normalising_once(
            raw in "(\\PC|[ \t\0\"'])*|[ 0-9+()/.-]{4,20}|[\\PC ]{1,8}@[a-zA-Z.-]{1,8}|[\\PC]{1,4}@[\\PC.]{1,6}[.][a-z]{2}",
            region in prop_oneof![Just(None), Just(Some("DE")), Just(Some("US")), Just(Some("FR"))],
        ) {
            let config = config(region);
            for rule in config.namespaces() {
                if let Some(once) = normalise(&config, &rule.name, &raw) {
                    let twice = normalise(&config, &rule.name, &once);
                    prop_assert_eq!(twice.as_deref(), Some(&*once));
                }
            }
        }
    }
}
