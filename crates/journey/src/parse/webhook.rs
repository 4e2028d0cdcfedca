//! What does a webhook block say?

use super::fields::Problems;
use crate::definition::{
    Auth, Basis, Consent, DeliveryMode, IdentityNeed, Method, Secret, Text, Tree, Url, Webhook,
};
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::header;
use crate::yaml::{Entry, Kind, Node};

const METHODS: [(&str, Method); 3] = [
    ("POST", Method::Post),
    ("PUT", Method::Put),
    ("DELETE", Method::Delete),
];
const IDENTITIES: [(&str, IdentityNeed); 2] =
    [("known", IdentityNeed::Known), ("any", IdentityNeed::Any)];
const MODES: [(&str, DeliveryMode); 2] = [
    ("at_most_once", DeliveryMode::AtMostOnce),
    ("at_least_once", DeliveryMode::AtLeastOnce),
];

/// Secrets that sign a request at the same time.
const SIGN_MAX: usize = 10;

pub(super) fn webhook(entry: &Entry, problems: &mut Problems) -> Option<Webhook> {
    let mut fields = problems.fields(&entry.value, "a webhook")?;
    let method = fields
        .need("method", problems)
        .and_then(|node| problems.word(node, &METHODS));
    let url = fields
        .need("url", problems)
        .and_then(|node| url(node, problems));
    let consent = match fields.get("consent") {
        Some(node) => consent(node, problems),
        None => {
            no_consent(entry.key_span, problems);
            None
        }
    };
    let auth = fields.get("auth").map(|node| auth(node, problems));
    let sign = fields.get("sign").map(|node| sign(node, problems));
    let headers = fields
        .get("headers")
        .map(|node| headers(node, problems))
        .unwrap_or_default();
    let payload = fields
        .need("payload", problems)
        .map(|node| payload(node, method, problems));
    let when = fields.text("when", problems);
    let identity = fields
        .get("identity")
        .and_then(|node| problems.word(node, &IDENTITIES));
    let delivery = fields
        .get("delivery")
        .and_then(|node| problems.word(node, &MODES));
    let timeout = fields.text("timeout", problems);
    let window = fields.text("window", problems);
    fields.finish(problems);
    Some(Webhook {
        method: method?,
        url: url?,
        consent: consent?,
        auth: auth.flatten(),
        sign: sign.unwrap_or_default(),
        headers,
        payload: payload.flatten(),
        when,
        identity: identity.unwrap_or_default(),
        delivery: delivery.unwrap_or_default(),
        timeout,
        window,
    })
}

fn url(node: &Node, problems: &mut Problems) -> Option<Url> {
    if !matches!(node.kind, Kind::Map(_)) {
        return problems.text(node).map(Url::Whole);
    }
    let mut fields = problems.fields(node, "a url")?;
    let base = fields
        .need("base", problems)
        .and_then(|node| secret(node, problems));
    let path = fields.need_text("path", problems);
    fields.finish(problems);
    Some(Url::Based {
        base: base?,
        path: path?,
    })
}

fn secret(node: &Node, problems: &mut Problems) -> Option<Secret> {
    if matches!(node.kind, Kind::Map(_)) {
        return problems.typed(node);
    }
    literal_secret(node, problems);
    None
}

fn literal_secret(node: &Node, problems: &mut Problems) {
    problems.push(
        Diagnostic::new(
            Code::LiteralSecret,
            node.span,
            "a secret does not stand in a file",
        )
        .hint("name where it comes from: {env: NAME} or {file: PATH}"),
    );
}

fn no_consent(span: Span, problems: &mut Problems) {
    let message = "this webhook does not say what allows it";
    problems.push(Diagnostic::new(Code::MissingConsent, span, message).hint(
        "add `consent: marketing`, or {basis: contract, because: …} where no category applies",
    ));
}

fn consent(node: &Node, problems: &mut Problems) -> Option<Consent> {
    if !matches!(node.kind, Kind::Map(_)) {
        let category = problems.text(node)?;
        return Some(Consent::Category {
            category,
            address: None,
        });
    }
    let mut fields = problems.fields(node, "`consent`")?;
    let place = fields.place();
    let category = fields.maybe_text("category", problems);
    let address = fields.maybe_text("address", problems);
    let action = fields
        .get("action")
        .and_then(|node| problems.word(node, &[("decline", ())]));
    let basis = fields
        .get("basis")
        .map(|node| problems.word(node, &Basis::ALL));
    let because = fields.maybe_text("because", problems);
    fields.finish(problems);
    match (category?, address?, action, basis, because?) {
        (Some(category), address, None, None, None) => {
            Some(Consent::Category { category, address })
        }
        (Some(category), None, Some(()), None, None) => Some(Consent::Declined { category }),
        (None, address, None, Some(basis), Some(because)) => Some(Consent::Basis {
            basis: basis?,
            because,
            address,
        }),
        _ => {
            let message = "consent is a category, or a `basis:` with `because:`";
            problems.push(Diagnostic::new(Code::MissingConsent, place, message).hint(
                "write `marketing`, {category: marketing, action: decline}, \
                 or {basis: contract, because: …}",
            ));
            None
        }
    }
}

fn auth(node: &Node, problems: &mut Problems) -> Option<Auth> {
    let secrets = [
        &["bearer"][..],
        &["basic", "password"],
        &["header", "value"],
    ];
    let literal = secrets.iter().find_map(|path| {
        let found = path.iter().try_fold(node, |here, key| match &here.kind {
            Kind::Map(entries) => entries
                .iter()
                .find(|entry| entry.key == **key)
                .map(|entry| &entry.value),
            Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Text(_) | Kind::List(_) => None,
        })?;
        (!matches!(found.kind, Kind::Map(_))).then_some(found)
    });
    if let Some(literal) = literal {
        literal_secret(literal, problems);
        return None;
    }
    let mut fields = problems.fields(node, "`auth`")?;
    let place = fields.place();
    let basic = fields.get("basic").map(|node| basic(node, problems));
    let bearer = fields
        .get("bearer")
        .map(|node| secret(node, problems).map(Auth::Bearer));
    let header = fields.get("header").map(|node| by_header(node, problems));
    fields.finish(problems);
    match (basic, bearer, header) {
        (Some(one), None, None) | (None, Some(one), None) | (None, None, Some(one)) => one,
        _ => {
            let message = "auth is one of `basic:`, `bearer:` and `header:`";
            problems.push(
                Diagnostic::new(Code::MissingKey, place, message)
                    .hint("keep one of them: {bearer: {env: NAME}}"),
            );
            None
        }
    }
}

/// One secret, or a list of them: while a secret is rotated, requests carry a signature for each.
fn sign(node: &Node, problems: &mut Problems) -> Vec<Secret> {
    let Kind::List(items) = &node.kind else {
        return secret(node, problems).into_iter().collect();
    };
    if items.is_empty() || items.len() > SIGN_MAX {
        let message = format!("`sign` is a secret, or a list of 1 to {SIGN_MAX} secrets");
        problems.push(Diagnostic::new(Code::InvalidValue, node.span, message).hint(
            "write {env: NAME}; while it is rotated a list, the newest first; leave `sign` out for \
             unsigned requests",
        ));
        return Vec::new();
    }
    let secrets = items.iter();
    secrets.filter_map(|item| secret(item, problems)).collect()
}

fn basic(node: &Node, problems: &mut Problems) -> Option<Auth> {
    let mut fields = problems.fields(node, "`basic`")?;
    let username = fields.need_text("username", problems);
    problems
        .0
        .extend(username.as_ref().and_then(problem_of_username));
    let password = fields
        .need("password", problems)
        .and_then(|node| secret(node, problems));
    fields.finish(problems);
    Some(Auth::Basic {
        username: username?.value,
        password: password?,
    })
}

/// Why a user name cannot stand in a request.
fn problem_of_username(name: &Text) -> Option<Diagnostic> {
    let (code, message, hint) = if name.value.contains(['{', '}']) {
        let message = "a placeholder may not stand in `auth:`";
        let hint = "write the name out: what a profile holds proves nothing";
        (Code::Placeholder, message, hint)
    } else if name.value.contains(|c: char| c == ':' || c.is_control()) {
        // RFC 7617, section 2: the first colon ends the name.
        let message = "a user name for basic authentication holds no `:` and no control characters";
        let hint = "write the name alone; the password is a secret of its own";
        (Code::InvalidValue, message, hint)
    } else {
        return None;
    };
    Some(Diagnostic::new(code, name.span, message).hint(hint))
}

fn by_header(node: &Node, problems: &mut Problems) -> Option<Auth> {
    let mut fields = problems.fields(node, "`header`")?;
    let name = fields.need_text("name", problems);
    if let Some(problem) = name.as_ref().and_then(header::problem_of_auth) {
        problems.push(problem);
    }
    let value = fields
        .need("value", problems)
        .and_then(|node| secret(node, problems));
    fields.finish(problems);
    Some(Auth::Header {
        name: name?.value,
        value: value?,
    })
}

fn headers(node: &Node, problems: &mut Problems) -> Vec<(Text, Text)> {
    let Kind::Map(entries) = &node.kind else {
        problems.wrong_shape(node, "a mapping of headers");
        return Vec::new();
    };
    let read = |entry: &Entry| {
        let name = Text {
            value: entry.key.clone(),
            span: entry.key_span,
        };
        problems.text(&entry.value).map(|value| (name, value))
    };
    entries.iter().filter_map(read).collect()
}

/// `none`, which only a DELETE may say, or a tree.
fn payload(node: &Node, method: Option<Method>, problems: &mut Problems) -> Option<Tree> {
    let none = matches!(&node.kind, Kind::Text(text) if text == "none");
    if none && method == Some(Method::Delete) {
        return None;
    }
    if none {
        let message = "only a DELETE goes without a payload";
        problems.push(Diagnostic::new(Code::InvalidValue, node.span, message));
    }
    tree(node, problems)
}

pub(super) fn tree(node: &Node, problems: &mut Problems) -> Option<Tree> {
    Some(match &node.kind {
        Kind::Null => Tree::Null,
        Kind::Bool(flag) => Tree::Bool(*flag),
        Kind::Number(number) => Tree::Number(number.clone()),
        Kind::Text(_) => Tree::Text(problems.text(node)?),
        Kind::List(items) => Tree::List(
            items
                .iter()
                .filter_map(|item| tree(item, problems))
                .collect(),
        ),
        Kind::Map(entries) => {
            if let [only] = entries.as_slice()
                && only.value.kind == Kind::Null
                && only.value.span.start == only.key_span.end
                && only.value.span.end == only.key_span.end
                && node.span.start + 1 == only.key_span.start
            {
                problems.text(node)?;
            }
            let read = |entry: &Entry| {
                let name = Text {
                    value: entry.key.clone(),
                    span: entry.key_span,
                };
                tree(&entry.value, problems).map(|value| (name, value))
            };
            Tree::Map(entries.iter().filter_map(read).collect())
        }
    })
}
