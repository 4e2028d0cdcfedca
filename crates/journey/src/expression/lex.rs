//! Which words is an expression made of? Text to tokens with their places.

use wayfare_event::Number;

use super::ExpressionError;
use crate::diagnostic::Span;

/// One word of an expression.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    /// A name.
    Name(String),
    /// A number, with its digits.
    Number(Number),
    /// A quoted text, escapes undone.
    Text(String),
    /// An operator or a bracket.
    Sign(&'static str),
}

/// Operators and brackets, the longer spelling of a common start first.
const SIGNS: [&str; 25] = [
    "==", "!=", "<=", ">=", "&&", "||", "??", "<", ">", "!", "+", "-", "*", "/", "%", "?", ":",
    "(", ")", "[", "]", ",", ".", "{", "}",
];

/// The tokens of `source`, in order.
pub(super) fn tokens(source: &str) -> Result<Vec<(Token, Span)>, ExpressionError> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(rest) = source.get(at..).filter(|rest| !rest.is_empty()) {
        let skipped = rest.len() - rest.trim_start().len();
        if skipped > 0 {
            at += skipped;
            continue;
        }
        let (token, length) = token(rest, at)?;
        found.push((token, Span::new(at, at + length)));
        at += length;
    }
    Ok(found)
}

fn token(rest: &str, at: usize) -> Result<(Token, usize), ExpressionError> {
    let first = rest.chars().next().unwrap_or_default();
    if first == '"' || first == '\'' {
        return quoted(rest, first, at);
    }
    if first.is_ascii_digit() {
        return number(rest, at);
    }
    if first.is_alphabetic() || first == '_' {
        let length = rest
            .find(|c: char| !c.is_alphanumeric() && c != '_')
            .unwrap_or(rest.len());
        let name = rest.get(..length).unwrap_or_default().to_owned();
        return Ok((Token::Name(name), length));
    }
    if let Some(sign) = SIGNS.into_iter().find(|sign| rest.starts_with(sign)) {
        return Ok((Token::Sign(sign), sign.len()));
    }
    let span = Span::new(at, at + first.len_utf8());
    let error = ExpressionError::new(span, format!("`{first}` means nothing here"));
    Err(match first {
        '=' => error.hint("equality is `==`"),
        '&' => error.hint("both must hold: `&&`"),
        '|' => error.hint("either must hold: `||`"),
        _ => error,
    })
}

fn number(rest: &str, at: usize) -> Result<(Token, usize), ExpressionError> {
    let bytes = rest.as_bytes();
    let mut length = 0;
    while let Some(byte) = bytes.get(length) {
        let exponent_sign = matches!(byte, b'+' | b'-')
            && matches!(bytes.get(length.wrapping_sub(1)), Some(b'e' | b'E'));
        if !(byte.is_ascii_alphanumeric() || *byte == b'.' || *byte == b'_' || exponent_sign) {
            break;
        }
        length += 1;
    }
    let text = rest.get(..length).unwrap_or_default();
    let number = Number::parse(text).ok_or_else(|| {
        let error = ExpressionError::new(
            Span::new(at, at + length),
            format!("`{text}` is not a number"),
        );
        if crate::duration::parse(text).is_ok() {
            error.hint(format!("a duration is written duration(\"{text}\")"))
        } else {
            error
        }
    })?;
    Ok((Token::Number(number), length))
}

fn quoted(rest: &str, quote: char, at: usize) -> Result<(Token, usize), ExpressionError> {
    let mut text = String::new();
    let mut characters = rest.char_indices().skip(1);
    while let Some((place, character)) = characters.next() {
        if character == quote {
            return Ok((Token::Text(text), place + 1));
        }
        if character != '\\' {
            text.push(character);
            continue;
        }
        let Some((_, escaped)) = characters.next() else {
            break;
        };
        text.push(match escaped {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            '\\' | '"' | '\'' => escaped,
            other => {
                let span = Span::new(at + place, at + place + 1 + other.len_utf8());
                let message = format!("`\\{other}` is no escape");
                return Err(ExpressionError::new(span, message)
                    .hint("known are \\n, \\t, \\r, \\\\, \\\" and \\'; a backslash is `\\\\`"));
            }
        });
    }
    let error = ExpressionError::new(Span::new(at, at + 1), "this quote is not closed");
    Err(error.hint(format!("close it with {quote}")))
}
