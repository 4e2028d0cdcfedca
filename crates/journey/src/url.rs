//! Where does a request go? URL templates: placeholders stand in the path and in query values only,
//! and whatever they hold, the request goes to the same host and the same depth.

use crate::definition::{Secret, Text, Url};
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::expression::{Expression, Scope};
use crate::render::{self, Part, RenderError, Unfit};

/// Bytes of a URL, rendered.
const URL_BYTES_MAX: usize = 2_048;
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
                    if text.is_empty() {
                        return Err(render::error(expression, &place, Unfit::Empty));
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
        parts.filter_map(|part| match part {
            Part::Literal(_) => None,
            Part::Placeholder(expression) => Some(expression),
        })
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

/// Whether a segment is one that parsers take away, and with `..` the one before it.
fn is_dots(segment: &str) -> bool {
    let plain = segment.to_ascii_lowercase().replace("%2e", ".");
    matches!(plain.as_str(), "." | "..")
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
    if base.is_none() && !host_is_written(&parts) {
        problems.push(in_host(place(0)));
        return None;
    }
    if let Some(doubt) = parts.iter().find_map(doubt) {
        problems.push(
            Diagnostic::new(Code::InvalidUrl, text.span, doubt)
                .hint("write a path percent-encoded (`%20`), a host in its ASCII form (`xn--…`)"),
        );
        return None;
    }
    let problem = |code, message: &str, hint: &str| {
        Diagnostic::new(code, text.span, message).hint(hint.to_owned())
    };
    let origin = match (&base, parts.first_mut()) {
        (Some(_), Some(Part::Literal(first)))
            if first.starts_with('/') && !first.starts_with("//") =>
        {
            String::new()
        }
        (Some(_), _) => {
            let message = "the path behind a base starts with one `/`";
            problems.push(problem(Code::InvalidUrl, message, "write path: \"/…\""));
            return None;
        }
        (None, Some(Part::Literal(first))) => match split_origin(first, text.span) {
            Ok(origin) => origin,
            Err(diagnostic) => {
                problems.push(*diagnostic);
                return None;
            }
        },
        (None, _) => {
            problems.push(in_host(place(0)));
            return None;
        }
    };
    let (path, query) = split_query(parts, text.span, place, problems)?;
    if let Some(diagnostic) = problem_of(&origin, &path, &query, text.span) {
        problems.push(diagnostic);
        return None;
    }
    if base.is_none()
        && let Err(why) = vet(&format!("{origin}{}", with_values(&path, "x")))
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

/// What is wrong with a URL whose parts are known.
fn problem_of(origin: &str, path: &[Part], query: &[Part], span: Span) -> Option<Diagnostic> {
    let bytes = origin.len() + with_values(path, "").len() + with_values(query, "").len();
    if bytes > URL_BYTES_MAX {
        let message = format!("this url has {bytes} bytes, at most {URL_BYTES_MAX} are sent");
        return Some(Diagnostic::new(Code::InvalidUrl, span, message).hint("write a shorter one"));
    }
    if with_values(path, "x").split('/').any(is_dots) {
        let message = "`.` and `..` lead to another path than the one written";
        let hint = "write the path it leads to";
        return Some(Diagnostic::new(Code::InvalidUrl, span, message).hint(hint));
    }
    let name = secret_name(query)?;
    let message = format!("`{name}` in a url is a secret that stands in a file");
    Some(Diagnostic::new(Code::LiteralSecret, span, message).hint("write `auth:`"))
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

/// What in a literal parsers and people read differently.
fn doubt(part: &Part) -> Option<String> {
    let Part::Literal(literal) = part else {
        return None;
    };
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._~!$&'()*+,;=:@/?#[]%".contains(c);
    if let Some(character) = literal.chars().find(|c| !is_plain(*c)) {
        return Some(format!(
            "`{}` may not stand in a url",
            character.escape_debug()
        ));
    }
    let is_escape = |rest: &str| {
        let digits = rest.as_bytes().first_chunk::<2>();
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    let mut escapes = literal.split('%').skip(1);
    escapes
        .any(|rest| !is_escape(rest))
        .then(|| "`%` is followed by two hex digits in a url".to_owned())
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

fn in_host(span: Span) -> Diagnostic {
    let message = "a placeholder may not stand in scheme, host or port";
    Diagnostic::new(Code::Placeholder, span, message)
        .hint("for staging and production write url: {base: {env: NAME}, path: \"/…\"}")
}

/// Cuts scheme, host and port off the first literal.
fn split_origin(first: &mut String, span: Span) -> Result<String, Box<Diagnostic>> {
    let wrong = |code, message: &str| Err(Box::new(Diagnostic::new(code, span, message)));
    let Some((scheme, rest)) = first.split_once("://") else {
        return wrong(Code::InvalidUrl, "a url starts with `https://` and a host");
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, rest) = rest.split_at_checked(end).unwrap_or((rest, ""));
    if authority.contains('@') {
        return wrong(
            Code::LiteralSecret,
            "a url holds no user name or password; write `auth:`",
        );
    }
    if authority.is_empty() {
        return wrong(Code::InvalidUrl, "this url has no host");
    }
    let origin = format!("{scheme}://{authority}");
    *first = rest.to_owned();
    Ok(origin)
}

type Parts = (Vec<Part>, Vec<Part>);

/// Splits at the first `?`; placeholders stand in query values, never in names.
fn split_query(
    parts: Vec<Part>,
    span: Span,
    place: &dyn Fn(usize) -> Span,
    problems: &mut Vec<Diagnostic>,
) -> Option<Parts> {
    let mut placeholders = 0;
    let (mut path, mut query): Parts = (Vec::new(), Vec::new());
    let mut in_query = false;
    let mut in_value = false;
    for part in parts {
        match part {
            Part::Literal(literal) if literal.contains('#') => {
                let message = "a fragment is never sent";
                problems.push(
                    Diagnostic::new(Code::InvalidUrl, span, message)
                        .hint("leave `#…` out; a `#` that belongs to the path is written `%23`"),
                );
                return None;
            }
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
