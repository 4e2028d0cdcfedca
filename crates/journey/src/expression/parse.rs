//! How do tokens become a tree? By precedence climbing, names resolved on the way.
//!
//! Loosest first: `?:`, `||`, `&&`, comparisons and `in`, `??`, `+ -`, `* / %`, `! -`, `. [] ()`.

use regex::RegexBuilder;
use wayfare_event::{Number, Value};

use super::lex::{Token, tokens};
use super::names::Names;
use super::syntax::{Key, Kind, Node, Operator, Path, Quantifier, Register, Root};
use super::{DEPTH_MAX, ExpressionError, functions};
use crate::diagnostic::Span;

/// Bytes a compiled pattern may take.
const PATTERN_BYTES_MAX: usize = 256 * 1024;

/// Reads one expression.
pub(super) fn parse(source: &str, names: &Names) -> Result<Node, ExpressionError> {
    let mut parser = Parser {
        tokens: tokens(source)?,
        at: 0,
        end: source.len(),
        names,
        locals: Vec::new(),
        depth: 0,
    };
    let node = parser.conditional()?;
    match parser.peek() {
        None => Ok(node),
        Some((Token::Sign("="), span)) => Err(ExpressionError::new(*span, "equality is `==`")),
        Some((_, span)) => {
            let error = ExpressionError::new(*span, "the expression should end here");
            Err(error.hint("join conditions with `&&` or `||`; quote texts"))
        }
    }
}

struct Parser<'a> {
    tokens: Vec<(Token, Span)>,
    at: usize,
    end: usize,
    names: &'a Names,
    locals: Vec<String>,
    depth: usize,
}

type Parsed = Result<Node, ExpressionError>;

const fn binary(sign: &str) -> Option<(Operator, u8)> {
    Some(match sign.as_bytes() {
        b"||" => (Operator::Or, 1),
        b"&&" => (Operator::And, 2),
        b"==" => (Operator::Equal, 3),
        b"!=" => (Operator::NotEqual, 3),
        b"<" => (Operator::Less, 3),
        b"<=" => (Operator::LessEqual, 3),
        b">" => (Operator::Greater, 3),
        b">=" => (Operator::GreaterEqual, 3),
        b"in" => (Operator::In, 3),
        b"??" => (Operator::Default, 4),
        b"+" => (Operator::Add, 5),
        b"-" => (Operator::Subtract, 5),
        b"*" => (Operator::Multiply, 6),
        b"/" => (Operator::Divide, 6),
        b"%" => (Operator::Remainder, 6),
        _ => return None,
    })
}

impl Parser<'_> {
    fn peek(&self) -> Option<&(Token, Span)> {
        self.tokens.get(self.at)
    }

    fn next(&mut self) -> Option<(Token, Span)> {
        let token = self.tokens.get(self.at).cloned();
        self.at += 1;
        token
    }

    fn next_is(&mut self, sign: &str) -> Option<Span> {
        let (_, span) = self
            .peek()
            .filter(|(token, _)| matches!(token, Token::Sign(it) if *it == sign))?;
        let span = *span;
        self.at += 1;
        Some(span)
    }

    fn expect(&mut self, sign: &str) -> Result<Span, ExpressionError> {
        let here = self.here();
        self.next_is(sign)
            .ok_or_else(|| ExpressionError::new(here, format!("expected `{sign}` here")))
    }

    /// Where the next token stands, or the end of the text.
    fn here(&self) -> Span {
        self.peek()
            .map_or_else(|| Span::new(self.end, self.end), |(_, span)| *span)
    }

    fn deeper(&mut self) -> Result<(), ExpressionError> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            let message = format!("the expression is nested deeper than {DEPTH_MAX}");
            return Err(ExpressionError::new(self.here(), message));
        }
        Ok(())
    }

    fn conditional(&mut self) -> Parsed {
        self.deeper()?;
        let condition = self.climb(1)?;
        let node = if self.next_is("?").is_some() {
            let yes = self.conditional()?;
            self.expect(":")?;
            let no = self.conditional()?;
            let span = Span::new(condition.span.start, no.span.end);
            let kind = Kind::Conditional(Box::new([condition, yes, no]));
            Node { span, kind }
        } else {
            condition
        };
        self.depth -= 1;
        Ok(node)
    }

    fn operator(&self) -> Option<(Operator, u8)> {
        match self.peek() {
            Some((Token::Sign(sign), _)) => binary(sign),
            Some((Token::Name(name), _)) if name == "in" => binary(name),
            Some(_) | None => None,
        }
    }

    fn climb(&mut self, least: u8) -> Parsed {
        let mut left = self.unary()?;
        let mut chain = 0;
        while let Some((operator, strength)) = self.operator().filter(|(_, it)| *it >= least) {
            chain += 1;
            if chain > DEPTH_MAX {
                let message = format!("more than {DEPTH_MAX} operators in a row");
                return Err(
                    ExpressionError::new(self.here(), message).hint("group them with brackets")
                );
            }
            self.at += 1;
            let right = self.climb(strength + 1)?;
            let span = Span::new(left.span.start, right.span.end);
            let kind = Kind::Binary(operator, Box::new([left, right]));
            left = Node { span, kind };
        }
        Ok(left)
    }

    fn unary(&mut self) -> Parsed {
        let negates = match self.peek() {
            Some((Token::Sign("!"), _)) => false,
            Some((Token::Sign("-"), _)) => true,
            Some(_) | None => return self.postfix(),
        };
        self.deeper()?;
        let start = self.here().start;
        self.at += 1;
        let inner = self.unary()?;
        self.depth -= 1;
        let span = Span::new(start, inner.span.end);
        let kind = match (negates, &inner.kind) {
            (true, Kind::Literal(Value::Number(number))) => Kind::Literal(negative(number)),
            (true, _) => Kind::Negate(Box::new(inner)),
            (false, _) => Kind::Not(Box::new(inner)),
        };
        Ok(Node { span, kind })
    }

    fn postfix(&mut self) -> Parsed {
        let mut node = self.primary()?;
        while let Some(dot) = self.next_is(".") {
            let Some((Token::Name(name), span)) = self.next() else {
                return Err(ExpressionError::new(dot, "a name follows a dot"));
            };
            self.expect("(").map_err(|_| {
                let message = format!("`.{name}` reads a field of something that is no path");
                ExpressionError::new(span, message).hint("write the path out: `a.x ?? b.x`")
            })?;
            node = self.method(node, &name, span)?;
        }
        Ok(node)
    }

    fn primary(&mut self) -> Parsed {
        let here = self.here();
        let Some((token, span)) = self.next() else {
            return Err(ExpressionError::new(here, "something is missing here"));
        };
        let literal = |value| {
            Ok(Node {
                span,
                kind: Kind::Literal(value),
            })
        };
        match token {
            Token::Number(number) => literal(Value::Number(number)),
            Token::Text(text) => literal(Value::from(text.as_str())),
            Token::Sign("(") => {
                let inner = self.conditional()?;
                let close = self.expect(")")?;
                let span = Span::new(span.start, close.end);
                Ok(Node { span, ..inner })
            }
            Token::Sign("[") => self.list(span),
            Token::Sign(sign) => Err(ExpressionError::new(
                span,
                format!("a value is missing before `{sign}`"),
            )),
            Token::Name(name) => match name.as_str() {
                "true" => literal(Value::Bool(true)),
                "false" => literal(Value::Bool(false)),
                "null" => literal(Value::Null),
                _ if self.next_is("(").is_some() => self.function(&name, span),
                _ => self.path(&name, span),
            },
        }
    }

    fn list(&mut self, open: Span) -> Parsed {
        let items = self.arguments("]")?;
        let span = Span::new(open.start, self.last_end());
        let constants = items.iter().map(|item| {
            if let Kind::Literal(value) = &item.kind {
                Some(value.clone())
            } else {
                None
            }
        });
        let kind = match constants.collect() {
            Some(values) => Kind::Literal(Value::List(values)),
            None => Kind::List(items),
        };
        Ok(Node { span, kind })
    }

    fn last_end(&self) -> usize {
        self.tokens
            .get(self.at.saturating_sub(1))
            .map_or(self.end, |(_, span)| span.end)
    }

    /// Values up to the closing bracket.
    fn arguments(&mut self, close: &str) -> Result<Vec<Node>, ExpressionError> {
        let mut items = Vec::new();
        while self.next_is(close).is_none() {
            if !items.is_empty() {
                self.expect(",")?;
            }
            items.push(self.conditional()?);
        }
        Ok(items)
    }

    /// A name and the fields that follow it, up to a method.
    fn path(&mut self, name: &str, span: Span) -> Parsed {
        let mut keys = Vec::new();
        loop {
            if self.next_is("[").is_some() {
                keys.push(self.index()?);
                continue;
            }
            let field = match (
                self.peek(),
                self.tokens.get(self.at + 1),
                self.tokens.get(self.at + 2),
            ) {
                (
                    Some((Token::Sign("."), _)),
                    Some((Token::Name(_), _)),
                    Some((Token::Sign("("), _)),
                ) => break,
                (Some((Token::Sign("."), _)), Some((Token::Name(field), place)), _) => {
                    (Key::Name(field.as_str().into()), *place)
                }
                (Some((Token::Sign("."), dot)), _, _) => {
                    return Err(ExpressionError::new(*dot, "a name follows a dot"));
                }
                (Some(_) | None, _, _) => break,
            };
            keys.push(field);
            self.at += 2;
        }
        let whole = Span::new(span.start, self.last_end());
        let local = self.locals.iter().rev().position(|local| local == name);
        let path = match local {
            Some(outwards) => Path {
                root: Root::Local(outwards),
                keys: keys.into_iter().map(|(key, _)| key).collect(),
            },
            None => self.names.resolve(name, span, keys)?,
        };
        Ok(Node {
            span: whole,
            kind: Kind::Path(path),
        })
    }

    fn index(&mut self) -> Result<(Key, Span), ExpressionError> {
        let here = self.here();
        let key =
            match self.next() {
                Some((Token::Text(text), _)) => Key::Name(text.as_str().into()),
                Some((Token::Number(number), span)) => {
                    let place = number
                        .as_i64()
                        .and_then(|place| usize::try_from(place).ok());
                    Key::Index(place.ok_or_else(|| {
                        ExpressionError::new(span, "a place in a list is 0, 1, 2, …")
                    })?)
                }
                Some(_) | None => {
                    let message = "a quoted key or a place in a list stands in `[…]`";
                    return Err(ExpressionError::new(here, message));
                }
            };
        self.expect("]")?;
        Ok((key, here))
    }

    /// `name(…)`, its bracket already read.
    fn function(&mut self, name: &str, span: Span) -> Parsed {
        let register = match name {
            "count" => Some(Register::Count),
            "first" => Some(Register::First),
            "last" => Some(Register::Last),
            _ => None,
        };
        let arguments = self.arguments(")")?;
        let whole = Span::new(span.start, self.last_end());
        if let Some(register) = register {
            let [
                Node {
                    kind: Kind::Literal(Value::Text(event)),
                    ..
                },
            ] = arguments.as_slice()
            else {
                let message = format!("`{name}` takes the name of an event in quotes");
                return Err(ExpressionError::new(whole, message));
            };
            return Ok(Node {
                span: whole,
                kind: Kind::Register(register, event.clone()),
            });
        }
        if name == "may_ask" {
            return self.may_ask(&arguments, whole);
        }
        functions::call(name, span, arguments, whole)
    }

    /// `may_ask("category")`, of a category that is configured.
    fn may_ask(&self, arguments: &[Node], whole: Span) -> Parsed {
        let [
            Node {
                kind: Kind::Literal(Value::Text(category)),
                span,
            },
        ] = arguments
        else {
            let message = "`may_ask` takes a category in quotes";
            return Err(ExpressionError::new(whole, message));
        };
        self.names.check_category(category, *span)?;
        Ok(Node {
            span: whole,
            kind: Kind::MayAsk(category.clone()),
        })
    }

    /// `x.name(…)`, its bracket already read.
    fn method(&mut self, on: Node, name: &str, span: Span) -> Parsed {
        match name {
            "exists" => return self.quantified(Quantifier::Exists, on),
            "all" => return self.quantified(Quantifier::All, on),
            _ => {}
        }
        let arguments = self.arguments(")")?;
        let whole = Span::new(on.span.start, self.last_end());
        if name == "matches" {
            let [
                Node {
                    kind: Kind::Literal(Value::Text(pattern)),
                    span,
                },
            ] = arguments.as_slice()
            else {
                let message = "`matches` takes one pattern in quotes";
                return Err(ExpressionError::new(whole, message));
            };
            let pattern = RegexBuilder::new(pattern)
                .size_limit(PATTERN_BYTES_MAX)
                .build()
                .map_err(|error| pattern_error(*span, &error))?;
            return Ok(Node {
                span: whole,
                kind: Kind::Matches(Box::new(on), pattern),
            });
        }
        functions::method(on, (name, span), arguments, whole)
    }

    fn quantified(&mut self, quantifier: Quantifier, list: Node) -> Parsed {
        let here = self.here();
        let Some((Token::Name(variable), place)) = self.next() else {
            return Err(ExpressionError::new(
                here,
                "a name for the item stands here: `.exists(x, …)`",
            ));
        };
        if self.names.resolve(&variable, place, Vec::new()).is_ok() {
            let message = format!("`{variable}` means something else here already");
            return Err(
                ExpressionError::new(place, message).hint("choose another name for the item")
            );
        }
        self.expect(",")?;
        self.locals.push(variable);
        let condition = self.conditional()?;
        self.locals.pop();
        let close = self.expect(")")?;
        let span = Span::new(list.span.start, close.end);
        let kind = Kind::Quantified(quantifier, Box::new([list, condition]));
        Ok(Node { span, kind })
    }
}

fn pattern_error(span: Span, error: &regex::Error) -> ExpressionError {
    let text = error.to_string();
    let last = text.lines().last().unwrap_or_default();
    let why = last.trim_start_matches("error: ");
    ExpressionError::new(span, format!("the pattern cannot be read: {why}"))
}

/// The negative of a literal: it keeps its digits, however many.
fn negative(number: &Number) -> Value {
    let text = number.to_string();
    let negative = match text.strip_prefix('-') {
        Some(positive) => Number::parse(positive),
        None => Number::parse(&format!("-{text}")),
    };
    negative.map_or(Value::Null, Value::Number)
}
