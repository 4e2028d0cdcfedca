//! How does a webhook block become one that can be rendered?

use std::sync::Arc;

use super::place::{self, Laid};
use super::{Compiler, Start};
use crate::definition::{self, Auth, Text, Tree};
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::duration::DAY_US;
use crate::expression::{Expression, Names, Root};
use crate::graph::{Consent, Webhook};
use crate::header;
use crate::render::{HEADER_BYTES_MAX, Part, Payload, Template};
use crate::template::{self, Piece};
use crate::url::{self, UrlTemplate};
use wayfare_event::Value;

const SECOND_US: i64 = 1_000_000;
/// Time for one attempt, unless written.
const TIMEOUT_US: i64 = 10 * SECOND_US;
/// The most time one attempt may have.
const TIMEOUT_US_MAX: i64 = 60 * SECOND_US;
/// Time for all attempts, unless written.
const WINDOW_US: i64 = 15 * 60 * SECOND_US;

/// Placeholders of one text and what stands between them.
const PIECES_MAX: usize = 2_000;
/// Headers whose values are secrets.
const SECRETS: [&str; 6] = [
    "x-api-key",
    "api-key",
    "apikey",
    "x-auth-token",
    "x-access-token",
    "cookie",
];

impl Compiler<'_> {
    pub(super) fn webhook(
        &mut self,
        webhook: &definition::Webhook,
        named: Vec<Arc<str>>,
    ) -> Option<Webhook> {
        let names = self.names(named);
        let url = self.url(&webhook.url, &names);
        let consent = self.consent(&webhook.consent, &names);
        let headers: Vec<_> = webhook
            .headers
            .iter()
            .map(|(name, value)| self.header(name, value, &names))
            .collect();
        self.no_twins(&webhook.headers);
        self.not_of_auth(webhook);
        let payload = match &webhook.payload {
            None => Some(None),
            Some(tree) => self.payload(tree, &names).map(Some),
        };
        if let Some(Tree::Text(text)) = &webhook.payload {
            self.not_raw(text, payload.as_ref().and_then(Option::as_ref));
        }
        let when = self.optional(webhook.when.as_ref(), &names);
        let timeout = webhook.timeout.as_ref();
        let timeout_us = timeout.map_or(Some(TIMEOUT_US), |it| self.duration(it, TIMEOUT_US_MAX));
        let window = webhook.window.as_ref();
        let window_us = window.map_or(Some(WINDOW_US), |it| self.duration(it, DAY_US));
        Some(Webhook {
            method: webhook.method,
            url: url?,
            consent: consent?,
            auth: webhook.auth.clone(),
            sign: webhook.sign.clone(),
            headers: headers.into_iter().collect::<Option<_>>()?,
            payload: payload?,
            when: when?,
            identity: webhook.identity,
            mode: webhook.delivery,
            timeout_us: timeout_us?,
            window_us: window_us?,
        })
    }

    fn consent(&mut self, consent: &definition::Consent, names: &Names) -> Option<Consent> {
        match consent {
            definition::Consent::Category { category, address } => {
                let address = self.optional(address.as_ref(), names);
                Some(Consent::Category {
                    category: self.category(category)?,
                    address: address?,
                })
            }
            definition::Consent::Declined { category } => Some(Consent::Declined {
                category: self.category(category)?,
            }),
            definition::Consent::Basis {
                basis,
                because,
                address,
            } => Some(Consent::Basis {
                basis: *basis,
                because: because.value.as_str().into(),
                address: self.optional(address.as_ref(), names)?,
            }),
        }
    }

    fn pieces(&mut self, text: &Text) -> Option<Vec<Piece>> {
        match template::split(&text.value) {
            Ok(pieces) if pieces.len() > PIECES_MAX => {
                let message = format!("a text has at most {} placeholders", PIECES_MAX / 2);
                self.problems
                    .push(Diagnostic::new(Code::Placeholder, text.span, message));
                None
            }
            Ok(pieces) => Some(pieces),
            Err(error) => {
                let span = place::within(self.source, text, error.span);
                self.problems
                    .push(Diagnostic::new(Code::Placeholder, span, error.message).hint(error.hint));
                None
            }
        }
    }

    /// The parts of a text; `wide` makes more of a bare name than an expression would.
    fn parts(
        &mut self,
        text: &Text,
        names: &Names,
        wide: &dyn Fn(&str) -> Option<String>,
    ) -> Option<Vec<Part>> {
        let pieces = self.pieces(text)?;
        let laid = Laid::new(self.source, text);
        let parts: Vec<_> = pieces
            .into_iter()
            .map(|piece| match piece {
                Piece::Literal(literal) => Some(Part::Literal(literal)),
                Piece::Placeholder { source, span } => {
                    let written = wide(source.trim()).unwrap_or(source);
                    self.placeholder(&laid, (&written, span), names)
                        .map(Part::Placeholder)
                }
            })
            .collect();
        parts.into_iter().collect()
    }

    fn placeholder(
        &mut self,
        laid: &Laid<'_>,
        (source, span): (&str, Span),
        names: &Names,
    ) -> Option<Expression> {
        match Expression::parse(source, names) {
            Ok(expression) => {
                let is_as_written = laid.value(span) == Some(source);
                let place = |inner: Span| {
                    let inner = Span::new(span.start + inner.start, span.start + inner.end);
                    let inner = if is_as_written { inner } else { span };
                    laid.place(inner)
                };
                let mut found = self.fields.read(&expression, &place);
                self.problems.append(&mut found);
                Some(expression)
            }
            Err(error) => {
                let shift = |at: usize| (span.start + at).min(span.end);
                let inner = Span::new(shift(error.span.start), shift(error.span.end));
                let span = laid.place(inner);
                self.unreadable(source, span, error);
                None
            }
        }
    }

    fn url(&mut self, url: &definition::Url, names: &Names) -> Option<UrlTemplate> {
        let by_consent = self.start == Start::Consent;
        let vet = self.known.vet;
        let mut found = Vec::new();
        let places = self.placeholders(url.text());
        let whole = url.text().span;
        let place = |nth: usize| places.get(nth).copied().unwrap_or(whole);
        let template = url::compile(
            url,
            vet,
            &place,
            &mut |text| self.parts(text, names, &|name| short(name, by_consent)),
            &mut found,
        );
        self.problems.append(&mut found);
        if let Some(template) = &template {
            self.no_personal_query(template, &places);
        }
        template
    }

    /// Where the placeholders of a text stand.
    fn placeholders(&self, text: &Text) -> Vec<Span> {
        let laid = Laid::new(self.source, text);
        let pieces = template::split(&text.value).unwrap_or_default();
        let spans = pieces.into_iter().filter_map(|piece| match piece {
            Piece::Literal(_) => None,
            Piece::Placeholder { span, .. } => Some(laid.place(span)),
        });
        spans.collect()
    }

    fn header(&mut self, name: &Text, value: &Text, names: &Names) -> Option<(Arc<str>, Template)> {
        self.problems.extend(header::problem(name));
        let parts = self.parts(value, names, &|_| None)?;
        let plain = |part: &Part| match part {
            Part::Literal(literal) => literal.chars().all(|c| matches!(c, ' '..='~')),
            Part::Placeholder(_) => true,
        };
        let wrong = if parts.iter().all(plain) {
            let bytes = parts.iter().map(|part| match part {
                Part::Literal(literal) => literal.len(),
                Part::Placeholder(_) => 0,
            });
            let message = "a header value has at most 4096 bytes";
            let hint = "shorten it, or send it in the payload";
            (bytes.sum::<usize>() > HEADER_BYTES_MAX).then_some((message, hint))
        } else {
            let message = "a header value is made of visible ASCII characters";
            Some((message, "send other characters in the payload"))
        };
        if let Some((message, hint)) = wrong {
            self.problems
                .push(Diagnostic::new(Code::InvalidHeader, value.span, message).hint(hint));
            return None;
        }
        let is_secret = SECRETS.iter().any(|it| name.value.eq_ignore_ascii_case(it));
        if is_secret && matches!(parts.as_slice(), [Part::Literal(_)]) {
            let message = "a secret does not stand in a file";
            let hint = "write auth: {header: {name: …, value: {env: NAME}}}";
            self.problems
                .push(Diagnostic::new(Code::LiteralSecret, value.span, message).hint(hint));
        }
        Some((name.value.as_str().into(), Template(parts)))
    }

    /// A header stands once, in whatever case.
    fn no_twins(&mut self, headers: &[(Text, Text)]) {
        for (place, (name, _)) in headers.iter().enumerate() {
            let mut before = headers.iter().take(place);
            if let Some((twin, _)) = before.find(|it| it.0.value.eq_ignore_ascii_case(&name.value))
            {
                let message = format!("header `{}` stands here twice", name.value);
                self.problems.push(
                    Diagnostic::new(Code::InvalidHeader, name.span, message)
                        .related(twin.span, "the first one")
                        .hint("keep one of them"),
                );
            }
        }
    }

    /// The header that carries the secret is not set a second time.
    fn not_of_auth(&mut self, webhook: &definition::Webhook) {
        let Some(Auth::Header { name: carrier, .. }) = &webhook.auth else {
            return;
        };
        let twin = |(name, _): &&(Text, Text)| name.value.eq_ignore_ascii_case(carrier);
        if let Some((name, _)) = webhook.headers.iter().find(twin) {
            let message = format!("header `{}` carries the secret of `auth:`", name.value);
            self.problems.push(
                Diagnostic::new(Code::InvalidHeader, name.span, message).hint("leave it out"),
            );
        }
    }

    pub(super) fn payload(&mut self, tree: &Tree, names: &Names) -> Option<Payload> {
        Some(match tree {
            Tree::Null => Payload::Constant(Value::Null),
            Tree::Bool(flag) => Payload::Constant(Value::Bool(*flag)),
            Tree::Number(number) => Payload::number(number),
            Tree::Text(text) => {
                let mut parts = self.parts(text, names, &|_| None)?;
                match (parts.len(), parts.pop()) {
                    (1, Some(Part::Placeholder(expression))) => Payload::Whole(expression),
                    (1, Some(Part::Literal(literal))) => {
                        Payload::Constant(Value::Text(literal.into()))
                    }
                    (_, None) => Payload::Constant(Value::Text("".into())),
                    (_, Some(last)) => {
                        parts.push(last);
                        Payload::Text(Template(parts))
                    }
                }
            }
            Tree::List(items) => {
                let items: Vec<_> = items.iter().map(|item| self.payload(item, names)).collect();
                Payload::List(items.into_iter().collect::<Option<_>>()?)
            }
            Tree::Map(entries) => {
                let entries: Vec<_> = entries
                    .iter()
                    .map(|(key, value)| {
                        let value = self.payload(value, names);
                        Some((self.payload_key(key)?, value?))
                    })
                    .collect();
                Payload::Map(entries.into_iter().collect::<Option<_>>()?)
            }
        })
    }

    /// Receivers count on a payload's keys, so nothing that a profile holds becomes one.
    fn payload_key(&mut self, key: &Text) -> Option<Arc<str>> {
        let literal = |piece: Piece| match piece {
            Piece::Literal(literal) => Some(literal),
            Piece::Placeholder { .. } => None,
        };
        let literals: Option<String> = self.pieces(key)?.into_iter().map(literal).collect();
        if literals.is_none() {
            let message = "a placeholder may not stand in a key of a payload";
            let hint = "put it into the value; a brace that stands for itself is written `{{`";
            self.problems
                .push(Diagnostic::new(Code::Placeholder, key.span, message).hint(hint));
        }
        literals.map(Arc::from)
    }

    /// A payload that is the event itself would make the journey an event stream.
    fn not_raw(&mut self, text: &Text, payload: Option<&Payload>) {
        let Some(Payload::Whole(expression)) = payload else {
            return;
        };
        let is_raw = expression.as_path().is_some_and(|path| {
            path.keys.is_empty()
                && matches!(path.root, Root::Event | Root::Trigger | Root::Named(_))
        });
        if is_raw {
            let message = "this sends the raw event on; a payload says what was decided";
            self.problems.push(
                Diagnostic::new(Code::RawEvent, text.span, message)
                    .hint("name the values the receiver needs"),
            );
        }
    }
}

/// What a bare name in a URL is short for: one place, whatever stands elsewhere.
fn short(name: &str, by_consent: bool) -> Option<String> {
    let is_bare = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    is_bare.then(|| match name {
        "accountId" => "account.accountId".to_owned(),
        "profileId" => "profile.profileId".to_owned(),
        "email" if by_consent => "change.address ?? profile.email".to_owned(),
        other => format!("profile.{other}"),
    })
}
