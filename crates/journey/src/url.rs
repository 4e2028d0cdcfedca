//! Where does a request go? URL templates: placeholders stand in the path and in query values only,
//! and whatever they hold, the request goes to the same host and the same depth.

use crate::definition::{Secret, Text, Url};
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::expression::{Expression, Scope};
use crate::render::{self, Part, RenderError, Unfit};
use crate::spelling::{self, URL_BYTES_MAX, UrlDoubt, is_dots};

/// Bytes of one value in a path, before it is encoded: what names something is short.
const PATH_VALUE_BYTES_MAX: usize = 256;
/// Query names whose values are secrets.
const SECRET_NAMES: [&str; 10] = [
    "api_key",
    "api-key",
    "apikey",
    "token",
    "access_token",
    "auth_token",
    "secret",
    "client_secret",
    "password",
    "signature",
];

/// A URL with placeholders.
#[derive(Clone, Debug)]
pub struct UrlTemplate {
    /// Where the origin comes from, when the template has none.
    pub(crate) base: Option<Secret>,
    /// Scheme, host and port; empty behind a base.
    pub(crate) origin: String,
    pub(crate) path: Vec<Part>,
    pub(crate) query: Vec<Part>,
}

impl UrlTemplate {
    /// The URL, every value percent-encoded.
    pub(crate) fn render(&self, scope: &Scope<'_>) -> Result<String, RenderError> {
        let place = || "the url".to_owned();
        let mut url = self.origin.clone();
        let mut segment = String::new();
        let mut spoken: Option<&Expression> = None;
        for part in &self.path {
            match part {
                Part::Literal(literal) => {
                    for character in literal.chars() {
                        if character == '/' {
                            check_dots(&segment, spoken.take())?;
                            segment.clear();
                        } else {
                            segment.push(character);
                        }
                        url.push(character);
                    }
                }
                Part::Placeholder(expression) => {
                    let text = render::value_text(expression, scope, &place)?;
                    if let Some(unfit) = unfit_for_a_path(&text) {
                        return Err(render::error(expression, &place, unfit));
                    }
                    let encoded = encode(&text);
                    segment.push_str(&encoded);
                    url.push_str(&encoded);
                    spoken = Some(expression);
                }
            }
        }
        check_dots(&segment, spoken)?;
        for part in &self.query {
            match part {
                Part::Literal(literal) => url.push_str(literal),
                Part::Placeholder(expression) => {
                    url.push_str(&encode(&render::value_text(expression, scope, &place)?));
                }
            }
        }
        if let (true, Some(expression)) = (url.len() > URL_BYTES_MAX, self.expressions().last()) {
            return Err(render::error(expression, &place, Unfit::TooLarge));
        }
        Ok(url)
    }

    /// Whether its path holds a placeholder.
    #[must_use]
    pub fn names_a_target(&self) -> bool {
        self.path
            .iter()
            .any(|part| matches!(part, Part::Placeholder(_)))
    }

    /// Whether it is another URL for somebody else.
    #[must_use]
    pub fn is_varied(&self) -> bool {
        self.expressions().next().is_some()
    }

    /// The expressions in it.
    pub(crate) fn expressions(&self) -> impl Iterator<Item = &Expression> {
        let parts = self.path.iter().chain(&self.query);
        parts.filter_map(Part::expression)
    }
}

/// What keeps a text from naming something in a path.
fn unfit_for_a_path(text: &str) -> Option<Unfit> {
    if text.is_empty() {
        Some(Unfit::Empty)
    } else if text.chars().any(char::is_control) {
        Some(Unfit::Control)
    } else if text.len() > PATH_VALUE_BYTES_MAX {
        Some(Unfit::TooLarge)
    } else {
        None
    }
}

/// A value may not make its segment one that leads to another path.
fn check_dots(segment: &str, spoken: Option<&Expression>) -> Result<(), RenderError> {
    let place = || "the url".to_owned();
    match spoken {
        Some(expression) if is_dots(segment) => Err(render::error(expression, &place, Unfit::Dots)),
        Some(_) | None => Ok(()),
    }
}

/// Everything but RFC 3986's unreserved characters, percent-encoded.
fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
            encoded.push('%');
            encoded.push(digit(byte >> 4).to_ascii_uppercase());
            encoded.push(digit(byte & 15).to_ascii_uppercase());
        }
    }
    encoded
}

/// Whether a URL that every request of a block goes to may be called; the words say why not.
pub type Vet<'a> = &'a dyn Fn(&str) -> Result<(), String>;

/// Reads a URL whose placeholders `read` makes expressions of; `place` says where the first, second
/// and so on of them stands.
pub(crate) fn compile(
    url: &Url,
    vet: Vet<'_>,
    place: &dyn Fn(usize) -> Span,
    read: &mut dyn FnMut(&Text) -> Option<Vec<Part>>,
    problems: &mut Vec<Diagnostic>,
) -> Option<UrlTemplate> {
    let (base, text) = match url {
        Url::Whole(text) => (None, text),
        Url::Based { base, path } => (Some(base.clone()), path),
    };
    let mut parts = read(text)?;
    let whole = match &base {
        None if host_is_written(&parts) => with_values(&parts, "x"),
        None => with_values(&parts, "{}"),
        Some(_) if starts_a_path(&parts) => {
            format!("https://x.example{}", with_values(&parts, "x"))
        }
        Some(_) => {
            let message = "the path behind a base starts with one `/`";
            problems.push(
                Diagnostic::new(Code::InvalidUrl, text.span, message).hint("write path: \"/…\""),
            );
            return None;
        }
    };
    if let Some(doubt) = spelling::doubt(&whole) {
        problems.push(refused(&doubt, text.span, place(0)));
        return None;
    }
    let origin = match parts.first_mut() {
        Some(Part::Literal(first)) if base.is_none() => cut_origin(first),
        Some(Part::Literal(_) | Part::Placeholder(_)) | None => String::new(),
    };
    let (path, query) = split_query(parts, place, problems)?;
    if let Some(name) = secret_name(&query) {
        let message = format!("`{name}` in a url is a secret that stands in a file");
        problems
            .push(Diagnostic::new(Code::LiteralSecret, text.span, message).hint("write `auth:`"));
        return None;
    }
    if base.is_none()
        && let Err(why) = vet(&whole)
    {
        problems.push(Diagnostic::new(Code::InvalidUrl, text.span, why));
        return None;
    }
    Some(UrlTemplate {
        base,
        origin,
        path,
        query,
    })
}

/// What the checker says of a doubt: what is said when a request is sent, with the place to mend.
fn refused(doubt: &UrlDoubt, whole: Span, first_placeholder: Span) -> Diagnostic {
    let (code, span) = match doubt {
        UrlDoubt::Placeholder => (Code::Placeholder, first_placeholder),
        UrlDoubt::UserInfo => (Code::LiteralSecret, whole),
        UrlDoubt::TooLong
        | UrlDoubt::Character(_)
        | UrlDoubt::Escape
        | UrlDoubt::NoHost
        | UrlDoubt::Unreadable
        | UrlDoubt::Scheme(_)
        | UrlDoubt::EmptyLabel
        | UrlDoubt::Fragment
        | UrlDoubt::Dots => (Code::InvalidUrl, whole),
    };
    Diagnostic::new(code, span, doubt.to_string()).hint(doubt.hint())
}

/// Whether the parts begin with a path, and with one slash: two would be a host.
fn starts_a_path(parts: &[Part]) -> bool {
    matches!(parts.first(), Some(Part::Literal(first))
        if first.starts_with('/') && !first.starts_with("//"))
}

/// The parts as one text, every placeholder with the same value.
fn with_values(parts: &[Part], value: &str) -> String {
    let shown = parts.iter().map(|part| match part {
        Part::Literal(literal) => literal.as_str(),
        Part::Placeholder(_) => value,
    });
    shown.collect()
}

/// Whether host and port end before the first placeholder begins.
fn host_is_written(parts: &[Part]) -> bool {
    match parts {
        [Part::Literal(first), _, ..] => first
            .split_once("://")
            .is_none_or(|(_, rest)| rest.contains(['/', '?', '#'])),
        [Part::Placeholder(_), ..] => false,
        [Part::Literal(_)] | [] => true,
    }
}

/// The name of a query value that is a secret, written out.
fn secret_name(query: &[Part]) -> Option<String> {
    let query = with_values(query, "\0");
    let pairs = query
        .split(['?', '&'])
        .filter_map(|pair| pair.split_once('='));
    pairs
        .filter(|(_, value)| !value.is_empty() && !value.contains('\0'))
        .map(|(name, _)| name)
        .find(|name| SECRET_NAMES.iter().any(|it| it.eq_ignore_ascii_case(name)))
        .map(str::to_owned)
}

/// Cuts scheme, host and port off the first literal.
fn cut_origin(first: &mut String) -> String {
    let host = first.find("://").map_or(0, |at| at + "://".len());
    let end = first
        .char_indices()
        .find(|(at, c)| *at >= host && matches!(c, '/' | '?'));
    let rest = first.split_off(end.map_or(first.len(), |(at, _)| at));
    std::mem::replace(first, rest)
}

type Parts = (Vec<Part>, Vec<Part>);

/// Splits at the first `?`; placeholders stand in query values, never in names.
fn split_query(
    parts: Vec<Part>,
    place: &dyn Fn(usize) -> Span,
    problems: &mut Vec<Diagnostic>,
) -> Option<Parts> {
    let mut placeholders = 0;
    let (mut path, mut query): Parts = (Vec::new(), Vec::new());
    let mut in_query = false;
    let mut in_value = false;
    for part in parts {
        match part {
            Part::Literal(literal) if !in_query => match literal.find('?') {
                Some(at) => {
                    let (before, after) = literal.split_at_checked(at)?;
                    path.push(Part::Literal(before.to_owned()));
                    in_query = true;
                    in_value = ends_in_value(after, false);
                    query.push(Part::Literal(after.to_owned()));
                }
                None => path.push(Part::Literal(literal)),
            },
            Part::Literal(literal) => {
                in_value = ends_in_value(&literal, in_value);
                query.push(Part::Literal(literal));
            }
            Part::Placeholder(_) if in_query && !in_value => {
                let message = "a placeholder may not stand in a query name";
                problems.push(
                    Diagnostic::new(Code::Placeholder, place(placeholders), message)
                        .hint("write the name out, and put a placeholder behind its `=` only"),
                );
                return None;
            }
            placeholder @ Part::Placeholder(_) => {
                placeholders += 1;
                if in_query { &mut query } else { &mut path }.push(placeholder);
            }
        }
    }
    Some((path, query))
}

/// Whether what follows this piece of a query stands in a value.
fn ends_in_value(piece: &str, before: bool) -> bool {
    match (piece.rfind('='), piece.rfind(['&', '?'])) {
        (Some(equals), Some(next)) => equals > next,
        (Some(_), None) => true,
        (None, Some(_)) => false,
        (None, None) => before,
    }
}
