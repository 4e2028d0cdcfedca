//! Does the text of a URL leave any doubt where it leads? What parsers and people read differently is
//! refused, in the same words when a journey is checked and when its request is sent. Not here: which
//! hosts, ports and addresses may be reached (`webhook`), and placeholders (`url`).

use std::fmt;

/// Bytes of a URL, rendered.
pub(crate) const URL_BYTES_MAX: usize = 2_048;

/// Why the text of a URL is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UrlDoubt {
    /// Longer than 2,048 bytes.
    TooLong,
    /// A character that parsers drop, change or read in a way of their own.
    Character(char),
    /// A `%` that begins no escape.
    Escape,
    /// No scheme, or no host behind it.
    NoHost,
    /// A host or a port that cannot be read.
    Unreadable,
    /// A scheme that is neither http nor https.
    Scheme(String),
    /// A placeholder before the path.
    Placeholder,
    /// A user name or a password.
    UserInfo,
    /// Two dots in a row in the host.
    EmptyLabel,
    /// A `#`.
    Fragment,
    /// `.` or `..` as a segment of the path, also percent-encoded.
    Dots,
}

impl UrlDoubt {
    /// What to do next.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::TooLong => "shorten it",
            Self::Character(_) => {
                "write a path percent-encoded (`%20`), a host in its ASCII form (`xn--…`)"
            }
            Self::Escape => "a `%` that belongs to the path is written `%25`",
            Self::NoHost | Self::Unreadable | Self::EmptyLabel => "write it as `https://host/path`",
            Self::Scheme(_) => "write `https`",
            Self::Placeholder => {
                "for staging and production write url: {base: {env: NAME}, path: \"/…\"}"
            }
            Self::UserInfo => "write `auth:`",
            Self::Fragment => "leave `#…` out; a `#` that belongs to the path is written `%23`",
            Self::Dots => "write the path it leads to",
        }
    }
}

/// What is wrong, without what to do next.
impl fmt::Display for UrlDoubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => write!(f, "a url has at most {URL_BYTES_MAX} bytes"),
            Self::Character(character) => {
                write!(f, "`{}` may not stand in a url", character.escape_debug())
            }
            Self::Escape => f.write_str("`%` is followed by two hex digits in a url"),
            Self::NoHost => f.write_str("a url starts with `https://` and a host"),
            Self::Unreadable => f.write_str("the host or the port of this url cannot be read"),
            Self::Scheme(scheme) => write!(f, "`{scheme}` is no scheme a request may use"),
            Self::Placeholder => f.write_str("a placeholder may not stand in scheme, host or port"),
            Self::UserInfo => f.write_str("a url holds no user name or password"),
            Self::EmptyLabel => f.write_str("the host of this url has an empty part"),
            Self::Fragment => f.write_str("a fragment is never sent"),
            Self::Dots => f.write_str("`.` and `..` lead to another path than the one written"),
        }
    }
}

/// What in the text of a whole URL leaves a doubt; nothing when scheme, host, port and path are
/// what they look like.
///
/// ```
/// use wayfare_journey::spelling::{UrlDoubt, doubt};
/// assert_eq!(doubt("https://good.example/a%20b?c=d"), None);
/// assert_eq!(doubt("https://good.example@evil.example/"), Some(UrlDoubt::UserInfo));
/// ```
#[must_use]
pub fn doubt(text: &str) -> Option<UrlDoubt> {
    if text.len() > URL_BYTES_MAX {
        return Some(UrlDoubt::TooLong);
    }
    let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
    let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
    let (authority, rest) = rest.split_at_checked(end).unwrap_or((rest, ""));
    if scheme.contains(['{', '}']) || authority.contains(['{', '}']) {
        return Some(UrlDoubt::Placeholder);
    }
    if let Some(character) = text.chars().find(|character| !is_plain(*character)) {
        return Some(UrlDoubt::Character(character));
    }
    if !text.split('%').skip(1).all(is_escape) {
        return Some(UrlDoubt::Escape);
    }
    if scheme.is_empty() {
        return Some(UrlDoubt::NoHost);
    }
    if !["http", "https"]
        .iter()
        .any(|it| it.eq_ignore_ascii_case(scheme))
    {
        return Some(UrlDoubt::Scheme(scheme.chars().take(64).collect()));
    }
    if authority.is_empty() {
        return Some(UrlDoubt::NoHost);
    }
    if authority.contains('@') {
        return Some(UrlDoubt::UserInfo);
    }
    if text.contains('#') {
        return Some(UrlDoubt::Fragment);
    }
    let path = rest.split('?').next().unwrap_or_default();
    path.split('/').any(is_dots).then_some(UrlDoubt::Dots)
}

/// Whether a segment is one that parsers take away, and with `..` the one before it.
pub(crate) fn is_dots(segment: &str) -> bool {
    let plain = segment.to_ascii_lowercase().replace("%2e", ".");
    matches!(plain.as_str(), "." | "..")
}

/// A character that stands for itself in a URL and is left alone by parsers.
const fn is_plain(character: char) -> bool {
    character.is_ascii_alphanumeric()
        || matches!(
            character,
            '-' | '.'
                | '_'
                | '~'
                | '!'
                | '$'
                | '&'
                | '\''
                | '('
                | ')'
                | '*'
                | '+'
                | ','
                | ';'
                | '='
                | ':'
                | '@'
                | '/'
                | '?'
                | '#'
                | '['
                | ']'
                | '%'
        )
}

/// Whether what follows a `%` makes it an escape.
fn is_escape(rest: &str) -> bool {
    let digits = rest.as_bytes().first_chunk::<2>();
    digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
}
