//! What does this text say? YAML to a [`Definition`], all problems at once. Not here: whether the
//! parts fit together (`compile`).

mod block;
pub mod fields;
mod trigger;
mod webhook;

use crate::definition::{Definition, Entry, Migrate, Text};
use crate::diagnostic::{Code, Diagnostic};
use crate::yaml::{self, Kind, Node};
use fields::Problems;

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
        .and_then(|node| trigger::trigger(node, problems));
    let entry = fields
        .get("entry")
        .map_or_else(Entry::default, |node| trigger::entry(node, problems));
    let exits = fields
        .get("exit")
        .map_or_else(Vec::new, |node| trigger::exits(node, problems));
    let life = fields.text("life", problems);
    let visits = fields.get("visits");
    let visits = visits.and_then(|node| problems.whole(node));
    let migrate = fields
        .get("migrate")
        .and_then(|node| migrate(node, problems));
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
        life,
        visits,
        migrate,
        blocks,
    })
}

/// `from: any`, or a list of versions, and a map of blocks.
fn migrate(node: &Node, problems: &mut Problems) -> Option<Migrate> {
    let mut fields = problems.fields(node, "`migrate`")?;
    let from = fields
        .need("from", problems)
        .and_then(|node| match &node.kind {
            Kind::List(_) => problems.texts(node, "a version").map(Some),
            Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Text(_) | Kind::Map(_) => {
                problems.word(node, &[("any", None)])
            }
        });
    let map = fields.get("map").and_then(|node| problems.pairs(node));
    fields.finish(problems);
    Some(Migrate {
        from: from?,
        map: map.unwrap_or_default(),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition::TriggerOn;
    use wayfare_event::{ConsentAction, EventKind};

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
