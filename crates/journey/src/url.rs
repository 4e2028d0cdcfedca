//! Where does a request go? URL templates: placeholders stand in the path and in query values only,
//! and whatever they hold, the request goes to the same host and the same depth.

use crate::definition::{Secret, Text, Url};
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::expression::{Expression, Scope};
use crate::render::{self, Part, RenderError, Unfit};

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
        Ok(url)
    }

    /// Whether its path holds a placeholder.
    #[must_use]
    pub fn names_a_target(&self) -> bool {
        self.path
            .iter()
            .any(|part| matches!(part, Part::Placeholder(_)))
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
        Some(expression) if matches!(segment, "." | "..") => {
            Err(render::error(expression, &place, Unfit::Dots))
        }
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

/// Reads a URL whose placeholders `read` makes expressions of.
pub(crate) fn compile(
    url: &Url,
    vet: Vet<'_>,
    read: &mut dyn FnMut(&Text) -> Option<Vec<Part>>,
    problems: &mut Vec<Diagnostic>,
) -> Option<UrlTemplate> {
    let (base, text) = match url {
        Url::Whole(text) => (None, text),
        Url::Based { base, path } => (Some(base.clone()), path),
    };
    let mut parts = read(text)?;
    let problem = |code, message: &str, hint: &str| {
        Diagnostic::new(code, text.span, message).hint(hint.to_owned())
    };
    let origin = match (&base, parts.first_mut()) {
        (Some(_), Some(Part::Literal(first))) if first.starts_with('/') => String::new(),
        (Some(_), _) => {
            let message = "the path behind a base starts with `/`";
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
            problems.push(in_host(text.span));
            return None;
        }
    };
    if base.is_none()
        && parts.len() > 1
        && matches!(parts.first(), Some(Part::Literal(rest)) if rest.is_empty())
    {
        problems.push(in_host(text.span));
        return None;
    }
    let (path, query) = split_query(parts, text.span, problems)?;
    if base.is_none() {
        let shown = |parts: &[Part]| -> String {
            let shown = parts.iter().map(|part| match part {
                Part::Literal(literal) => literal.as_str(),
                Part::Placeholder(_) => "x",
            });
            shown.collect()
        };
        if let Err(why) = vet(&format!("{origin}{}", shown(&path))) {
            problems.push(Diagnostic::new(Code::InvalidUrl, text.span, why));
            return None;
        }
    }
    Some(UrlTemplate {
        base,
        origin,
        path,
        query,
    })
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
fn split_query(parts: Vec<Part>, span: Span, problems: &mut Vec<Diagnostic>) -> Option<Parts> {
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
                problems.push(Diagnostic::new(Code::Placeholder, span, message));
                return None;
            }
            placeholder @ Part::Placeholder(_) => {
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
