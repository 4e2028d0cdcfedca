//! How does a webhook block become one that can be rendered?

use std::sync::Arc;

use super::{Compiler, place};
use crate::definition::{self, Auth, Text, Tree};
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::duration::DAY_US;
use crate::expression::{Expression, Names, Root};
use crate::graph::{Consent, Webhook};
use crate::render::{Part, Payload, Template};
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

/// Headers that belong to the engine or to the connection.
const OWNED: [&str; 17] = [
    "webhook-id",
    "webhook-timestamp",
    "webhook-signature",
    "idempotency-key",
    "content-type",
    "content-length",
    "content-encoding",
    "host",
    "user-agent",
    "authorization",
    "traceparent",
    "tracestate",
    "connection",
    "transfer-encoding",
    "expect",
    "upgrade",
    "te",
];

impl Compiler<'_> {
    pub(super) fn webhook(
        &mut self,
        webhook: &definition::Webhook,
        span: Span,
        named: Vec<Arc<str>>,
    ) -> Option<Webhook> {
        let names = self.names(named);
        let url = self.url(&webhook.url, &names);
        let consent = self.consent(webhook.consent.as_ref(), span, &names);
        let headers: Vec<_> = webhook
            .headers
            .iter()
            .map(|(name, value)| self.header(name, value, &names))
            .collect();
        if let Some(Auth::Header { name, .. }) = &webhook.auth {
            self.header_name(name, span);
        }
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
            headers: headers.into_iter().collect::<Option<_>>()?,
            payload: payload?,
            when: when?,
            identity: webhook.identity,
            mode: webhook.delivery,
            timeout_us: timeout_us?,
            window_us: window_us?,
        })
    }

    fn consent(
        &mut self,
        consent: Option<&definition::Consent>,
        span: Span,
        names: &Names,
    ) -> Option<Consent> {
        let Some(consent) = consent else {
            let message = "this webhook does not say what allows it";
            self.problems
                .push(Diagnostic::new(Code::MissingConsent, span, message).hint(
                    "add `consent: marketing`, or {basis: contract, because: …} where no \
                     category applies",
                ));
            return None;
        };
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
            definition::Consent::Basis { basis, because } => Some(Consent::Basis {
                basis: *basis,
                because: because.value.as_str().into(),
            }),
        }
    }

    /// The parts of a text; `wide` makes more of a bare name than an expression would.
    fn parts(
        &mut self,
        text: &Text,
        names: &Names,
        wide: &dyn Fn(&str) -> Option<String>,
    ) -> Option<Vec<Part>> {
        let pieces = match template::split(&text.value) {
            Ok(pieces) => pieces,
            Err(error) => {
                let span = place::within(self.source, text, error.span);
                self.problems
                    .push(Diagnostic::new(Code::Placeholder, span, error.message).hint(error.hint));
                return None;
            }
        };
        let parts: Vec<_> = pieces
            .into_iter()
            .map(|piece| match piece {
                Piece::Literal(literal) => Some(Part::Literal(literal)),
                Piece::Placeholder { source, span } => {
                    let written = wide(&source).unwrap_or(source);
                    self.placeholder(text, (&written, span), names)
                        .map(Part::Placeholder)
                }
            })
            .collect();
        parts.into_iter().collect()
    }

    fn placeholder(
        &mut self,
        text: &Text,
        (source, span): (&str, Span),
        names: &Names,
    ) -> Option<Expression> {
        match Expression::parse(source, names) {
            Ok(expression) => Some(expression),
            Err(error) => {
                let shift = |at: usize| (span.start + at).min(span.end);
                let inner = Span::new(shift(error.span.start), shift(error.span.end));
                let span = place::within(self.source, text, inner);
                self.problems
                    .push(Diagnostic::new(error.code, span, error.message).maybe_hint(error.hint));
                None
            }
        }
    }

    fn url(&mut self, url: &definition::Url, names: &Names) -> Option<UrlTemplate> {
        let by_consent = self.by_consent.is_some();
        let vet = self.known.vet;
        let mut found = Vec::new();
        let template = url::compile(
            url,
            vet,
            &mut |text| self.parts(text, names, &|name| short(name, by_consent)),
            &mut found,
        );
        self.problems.append(&mut found);
        template
    }

    fn header(&mut self, name: &Text, value: &Text, names: &Names) -> Option<(Arc<str>, Template)> {
        self.header_name(&name.value, name.span);
        let parts = self.parts(value, names, &|_| None)?;
        let control = |part: &Part| match part {
            Part::Literal(literal) => literal.chars().any(char::is_control),
            Part::Placeholder(_) => false,
        };
        if parts.iter().any(control) {
            let message = "a header value has no control characters";
            self.problems
                .push(Diagnostic::new(Code::InvalidHeader, value.span, message));
            return None;
        }
        Some((name.value.as_str().into(), Template(parts)))
    }

    fn header_name(&mut self, name: &str, span: Span) {
        let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
        let (message, hint) = if name.is_empty() || !name.chars().all(is_token) {
            (format!("`{name}` is no name for a header"), None)
        } else if OWNED.iter().any(|owned| name.eq_ignore_ascii_case(owned)) {
            let hint = if name.eq_ignore_ascii_case("authorization") {
                "write `auth:`"
            } else {
                "leave it out"
            };
            (
                format!("the engine sets `{name}` itself"),
                Some(hint.to_owned()),
            )
        } else {
            return;
        };
        self.problems
            .push(Diagnostic::new(Code::InvalidHeader, span, message).maybe_hint(hint));
    }

    fn payload(&mut self, tree: &Tree, names: &Names) -> Option<Payload> {
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
                        let value = self.payload(value, names)?;
                        Some((key.value.as_str().into(), value))
                    })
                    .collect();
                Payload::Map(entries.into_iter().collect::<Option<_>>()?)
            }
        })
    }

    /// A payload that is the event itself would make the journey an event stream.
    fn not_raw(&mut self, text: &Text, payload: Option<&Payload>) {
        let Some(Payload::Whole(expression)) = payload else {
            return;
        };
        let is_raw = expression.as_path().is_some_and(|path| {
            path.keys.is_empty() && matches!(path.root, Root::Event | Root::Trigger)
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
