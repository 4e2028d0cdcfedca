//! What does this text say? YAML to a [`Definition`], all problems at once. Not here: whether the
//! parts fit together (`compile`).

mod block;
pub mod fields;
mod webhook;

use wayfare_event::{ConsentAction, EventKind};

use crate::definition::{Definition, Entry, EventName, Exit, Heard, Text, Trigger, TriggerOn};
use crate::diagnostic::{Code, Diagnostic};
use crate::yaml::{self, Kind, Node};
use fields::{Fields, Problems};

/// Bytes of a journey's id or a block's key.
const NAME_BYTES_MAX: usize = 64;

/// Reads one journey file.
///
/// # Errors
///
/// Every problem of shape in the file, in the order they stand.
pub fn parse(text: &str) -> Result<Definition, Vec<Diagnostic>> {
    let root = yaml::read(text).map_err(|problem| vec![*problem])?;
    let mut problems = Problems::default();
    let definition = definition(&root, &mut problems);
    match definition {
        Some(definition) if problems.0.is_empty() => Ok(definition),
        _ => {
            problems.0.sort_by_key(|problem| problem.span);
            Err(problems.0)
        }
    }
}

pub(crate) fn definition(root: &Node, problems: &mut Problems) -> Option<Definition> {
    let mut fields = problems.fields(root, "a journey")?;
    let id = fields.need_text("journey", problems);
    if let Some(id) = &id {
        check_name(
            id,
            is_id_character,
            "lower-case letters, digits and `-`",
            problems,
        );
    }
    let title = fields.text("title", problems);
    let description = fields.text("description", problems);
    let on = fields
        .need("trigger", problems)
        .and_then(|node| trigger(node, problems));
    let entry = fields
        .get("entry")
        .map_or_else(Entry::default, |node| entry(node, problems));
    let exits = fields
        .get("exit")
        .map_or_else(Vec::new, |node| exits(node, problems));
    let start = fields.text("start", problems);
    let blocks = fields
        .need("blocks", problems)
        .map_or_else(Vec::new, |node| block::blocks(node, problems));
    fields.finish(problems);
    Some(Definition {
        id: id?,
        title,
        description,
        trigger: on?,
        entry,
        exits,
        start,
        blocks,
    })
}

const fn is_id_character(character: char) -> bool {
    matches!(character, 'a'..='z' | '0'..='9' | '-')
}

/// Checks a name that durable state and URLs will carry.
fn check_name(name: &Text, allowed: fn(char) -> bool, words: &str, problems: &mut Problems) {
    let message = if name.value.is_empty() || name.value.len() > NAME_BYTES_MAX {
        format!("a name has 1 to {NAME_BYTES_MAX} characters")
    } else if !name.value.chars().all(allowed) {
        format!("a name is made of {words}")
    } else {
        return;
    };
    let near = closest_name(&name.value, allowed);
    problems.push(
        Diagnostic::new(Code::InvalidName, name.span, message)
            .maybe_hint(near.map(|near| format!("write `{near}`"))),
    );
}

/// The name in lower case, what may not stand in it replaced; nothing when that is no name either.
fn closest_name(name: &str, allowed: fn(char) -> bool) -> Option<String> {
    let between = ['-', '_'].into_iter().find(|it| allowed(*it))?;
    let words = name.split(|c: char| !c.is_ascii_alphanumeric());
    let words: Vec<String> = words
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_lowercase)
        .collect();
    let near = words.join(&between.to_string());
    (!near.is_empty() && near.len() <= NAME_BYTES_MAX).then_some(near)
}

fn trigger(node: &Node, problems: &mut Problems) -> Option<Trigger> {
    let mut fields = problems.fields(node, "a trigger")?;
    let events = fields.get("event");
    let consent = fields.get("consent");
    let condition = fields.text("where", problems);
    let span = fields.place();
    let on = match (events, consent) {
        (Some(events), None) => event_names(events, problems).map(TriggerOn::Events),
        (None, Some(consent)) => consent_change(consent, problems),
        (None, None) | (Some(_), Some(_)) => {
            let message = "a trigger is one of `event:` and `consent:`";
            problems.push(Diagnostic::new(Code::MissingKey, span, message));
            None
        }
    };
    fields.finish(problems);
    Some(Trigger {
        on: on?,
        condition,
        span,
    })
}

fn consent_change(node: &Node, problems: &mut Problems) -> Option<TriggerOn> {
    let mut fields = problems.fields(node, "a consent trigger")?;
    let category = fields.need_text("category", problems);
    let words = [
        ("accept", ConsentAction::Accept),
        ("decline", ConsentAction::Decline),
    ];
    let action = fields
        .need("action", problems)
        .and_then(|node| problems.word(node, &words));
    fields.finish(problems);
    Some(TriggerOn::Consent {
        category: category?,
        action: action?,
    })
}

fn event_names(node: &Node, problems: &mut Problems) -> Option<Vec<EventName>> {
    let Kind::List(items) = &node.kind else {
        return Some(vec![event_name(node, problems)?]);
    };
    if items.is_empty() {
        problems.wrong_shape(node, "at least one event");
        return None;
    }
    items
        .iter()
        .map(|item| event_name(item, problems))
        .collect()
}

/// `Order Completed`, or `{type: page, name: Pricing}`.
fn event_name(node: &Node, problems: &mut Problems) -> Option<EventName> {
    if !matches!(node.kind, Kind::Map(_)) {
        let name = problems.text(node)?;
        if name.value.trim().is_empty() {
            problems.wrong_shape(node, "an event's name");
            return None;
        }
        return Some(EventName {
            kind: EventKind::Track,
            name: Some(name.value),
            span: node.span,
        });
    }
    let mut fields = problems.fields(node, "an event")?;
    let kinds = [
        ("track", EventKind::Track),
        ("page", EventKind::Page),
        ("screen", EventKind::Screen),
        ("identify", EventKind::Identify),
        ("group", EventKind::Group),
    ];
    let kind = fields
        .need("type", problems)
        .and_then(|node| problems.word(node, &kinds));
    let name = fields.text("name", problems).map(|name| name.value);
    fields.finish(problems);
    let kind = kind?;
    if kind == EventKind::Track && name.is_none() {
        let message = "a track event is named: `event: Order Completed`";
        problems.push(Diagnostic::new(Code::MissingKey, node.span, message));
        return None;
    }
    Some(EventName {
        kind,
        name,
        span: node.span,
    })
}

fn entry(node: &Node, problems: &mut Problems) -> Entry {
    let Some(mut fields) = problems.fields(node, "`entry`") else {
        return Entry::default();
    };
    let entry = Entry {
        again: fields.text("again", problems),
        key: fields.text("key", problems),
        lateness: fields.text("lateness", problems),
    };
    fields.finish(problems);
    entry
}

fn exits(node: &Node, problems: &mut Problems) -> Vec<Exit> {
    let Kind::List(items) = &node.kind else {
        problems.wrong_shape(node, "a list of exits");
        return Vec::new();
    };
    items
        .iter()
        .filter_map(|item| exit(item, problems))
        .collect()
}

fn exit(node: &Node, problems: &mut Problems) -> Option<Exit> {
    let mut fields = problems.fields(node, "an exit")?;
    let span = fields.place();
    let on = heard(&mut fields, problems);
    let reason = fields.text("reason", problems);
    fields.finish(problems);
    Some(Exit {
        on: on?,
        reason,
        span,
    })
}

/// `event:` with `where:`, or `when:`, in a wait or an exit.
fn heard(fields: &mut Fields<'_>, problems: &mut Problems) -> Option<Heard> {
    let event = fields.get("event");
    let when = fields.maybe_text("when", problems);
    let condition = fields.maybe_text("where", problems);
    let any_key = fields.get("any_key");
    let condition = condition?;
    match (event, when?) {
        (Some(event), None) => Some(Heard::Event {
            event: event_name(event, problems)?,
            condition,
            any_key: any_key
                .and_then(|node| problems.word(node, &[("true", true), ("false", false)]))
                .unwrap_or_default(),
        }),
        (None, Some(when)) if condition.is_none() && any_key.is_none() => Some(Heard::When(when)),
        _ => {
            let message = "one of `event:` (with `where:`, `any_key:`) and `when:` stands here";
            problems.push(Diagnostic::new(Code::MissingKey, fields.place(), message));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAN_UPGRADE: &str = r#"
journey: plan-upgrade
title: Plan Upgraded
trigger:
  event: Plan Upgraded
  where: properties.currentPlan != properties.previousPlan
entry:
  again: after_exit
start: paid_plan
blocks:
  paid_plan:
    decide:
      - when: properties.currentPlan in ["pro", "business"]
        then: sync_billing
      - else: not_paid
  sync_billing:
    webhook:
      method: PUT
      url: https://billing.example.com/accounts/{accountId}
      consent: { basis: contract, because: billing follows the contract }
      auth: { bearer: { env: BILLING_TOKEN } }
      headers: { X-Source: wayfare }
      payload:
        eventTitle: "{journey.title}"
        amount: 1.10
        profile: { email: "{profile.email}" }
  not_paid:
    exit: not a paid plan
"#;

    /// Each problem's code and the text it underlines.
    fn problems(text: &str) -> Vec<(Code, String)> {
        let found = parse(text).unwrap_err();
        let underlined = |span: crate::diagnostic::Span| text.get(span.range()).unwrap().to_owned();
        found
            .into_iter()
            .map(|problem| (problem.code, underlined(problem.span)))
            .collect()
    }

    /// The file with one line replaced.
    fn edited(line: &str, replacement: &str) -> String {
        assert!(PLAN_UPGRADE.contains(line), "{line}");
        PLAN_UPGRADE.replace(line, replacement)
    }

    #[test]
    fn a_definition_says_what_the_file_says() {
        use crate::definition::{Auth, BlockKind, Consent, Method, Secret, Tree};

        let definition = parse(PLAN_UPGRADE).unwrap();
        assert_eq!(definition.id.value, "plan-upgrade");
        let keys: Vec<&str> = definition
            .blocks
            .iter()
            .map(|b| b.key.value.as_str())
            .collect();
        assert_eq!(keys, ["paid_plan", "sync_billing", "not_paid"]);
        let BlockKind::Webhook(webhook) = &definition.blocks[1].kind else {
            panic!("a webhook")
        };
        assert_eq!(webhook.method, Method::Put);
        assert!(matches!(webhook.consent, Consent::Basis { .. }));
        assert_eq!(
            webhook.auth,
            Some(Auth::Bearer(Secret::Env("BILLING_TOKEN".to_owned())))
        );
        let Some(Tree::Map(payload)) = &webhook.payload else {
            panic!("a tree")
        };
        assert!(matches!(&payload[1].1, Tree::Number(number) if number.to_string() == "1.10"));
    }

    #[test]
    fn every_problem_is_reported_at_once_and_in_order() {
        let text = PLAN_UPGRADE
            .replace("title: Plan", "titel: Plan")
            .replace("method: PUT", "method: PATCH")
            .replace("then: sync_billing", "than: sync_billing");
        let codes: Vec<Code> = problems(&text).into_iter().map(|(code, _)| code).collect();
        let expected = [
            Code::UnknownKey,
            Code::MissingKey,
            Code::UnknownKey,
            Code::InvalidValue,
        ];
        assert_eq!(codes, expected);
    }

    #[test]
    fn a_problem_underlines_what_its_author_must_change() {
        let check = |line: &str, replacement: &str, code: Code, underlined: &str| {
            let found = problems(&edited(line, replacement));
            assert_eq!(found, [(code, underlined.to_owned())], "{replacement}");
        };
        let token = "{ bearer: { env: BILLING_TOKEN } }";
        check("title: Plan", "titel: Plan", Code::UnknownKey, "titel");
        check(
            "plan-upgrade",
            "Plan Upgrade",
            Code::InvalidName,
            "Plan Upgrade",
        );
        check("method: PUT", "method: PATCH", Code::InvalidValue, "PATCH");
        check(token, "{ bearer: s3cret }", Code::LiteralSecret, "s3cret");
        check(token, "{ bearer: { enw: X } }", Code::InvalidValue, "X");
        check(
            "\"{profile.email}\"",
            "{profile.email}",
            Code::UnquotedBraces,
            "{profile.email}",
        );
        check("basis: contract", "basis: whim", Code::InvalidValue, "whim");
        check(
            "exit: not a paid plan",
            "wait: [1]",
            Code::WrongShape,
            "[1]",
        );
        check(
            "  not_paid:\n",
            "  Not Paid:\n",
            Code::InvalidName,
            "Not Paid",
        );
        check(
            "start: paid_plan",
            "start: {a: b}",
            Code::WrongShape,
            "{a: b}",
        );
        check(
            "- else: not_paid",
            "- else: not_paid\n        then: x",
            Code::MissingKey,
            "else",
        );
        check(
            "    exit: not",
            "    then: not",
            Code::BlockKind,
            "not_paid",
        );
        check("      auth:", "      auht:", Code::UnknownKey, "auht");
    }

    #[test]
    fn a_trigger_is_an_event_or_a_consent() {
        let on = |trigger: &str| {
            let text = edited("event: Plan Upgraded", trigger);
            parse(&text).map(|definition| definition.trigger.on)
        };
        let kinds = |trigger: &str| -> Vec<EventKind> {
            match on(trigger) {
                Ok(TriggerOn::Events(events)) => events.iter().map(|event| event.kind).collect(),
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(kinds("event: [A, B]"), [EventKind::Track, EventKind::Track]);
        assert_eq!(
            kinds("event: {type: page, name: Pricing}"),
            [EventKind::Page]
        );
        assert!(matches!(
            on("consent: {category: marketing, action: decline}"),
            Ok(TriggerOn::Consent {
                action: ConsentAction::Decline,
                ..
            })
        ));
        for wrong in [
            "event: []",
            "event: {type: track}",
            "consent: {category: x}",
            "even: A",
        ] {
            assert!(on(wrong).is_err(), "{wrong}");
        }
    }
}
