//! How is a test file read? Every problem in it at once, where it stands. Not here: what an event
//! may say (`wayfare_event`), or what a value must be (`pattern`).

mod expected;
mod given;

use std::collections::BTreeMap;
use std::sync::Arc;

use wayfare_event::Timestamp;

use super::{Answer, Case, Suite};
use crate::Graph;
use crate::definition::Text;
use crate::diagnostic::{Code, Diagnostic, Span, nearest};
use crate::duration;
use crate::parse::fields::{Fields, Problems};
use crate::yaml::{self, Kind, Node};

/// Reads a test file against the journeys it may name.
///
/// # Errors
///
/// Every problem in the file, in the order they stand.
pub fn read(source: &str, graphs: &[Graph]) -> Result<Suite, Vec<Diagnostic>> {
    let root = yaml::read(source).map_err(|problem| vec![*problem])?;
    let mut problems = Problems::default();
    let suite = suite(&root, graphs, &mut problems);
    match suite {
        Some(suite) if problems.0.is_empty() => Ok(suite),
        _ => {
            problems.0.sort_by_key(|problem| problem.span);
            Err(problems.0)
        }
    }
}

fn suite(root: &Node, graphs: &[Graph], problems: &mut Problems) -> Option<Suite> {
    let mut fields = problems.fields(root, "a test file")?;
    let tested = fields.need_text("journey", problems);
    let tested = tested.and_then(|id| named(&id, graphs, problems));
    let with = fields.get("with");
    let with = with.map(|node| texts(node, "a list of journeys", problems));
    let with: Vec<&Graph> = with
        .unwrap_or_default()
        .iter()
        .filter_map(|id| named(id, graphs, problems))
        .collect();
    let ground = tested.map(|tested| Ground {
        tested,
        with: &with,
    });
    let cases = fields
        .need("tests", problems)
        .map(|node| cases(node, ground.as_ref(), problems));
    fields.finish(problems);
    Some(Suite {
        journey: tested?.id().clone(),
        with: with.iter().map(|graph| graph.id().clone()).collect(),
        cases: cases?,
    })
}

/// The journeys a file is about.
struct Ground<'a> {
    tested: &'a Graph,
    with: &'a [&'a Graph],
}

impl Ground<'_> {
    /// Checks that the journey tested, or one beside it, has a block.
    fn check_block(&self, block: &Text, problems: &mut Problems) {
        let graphs = || self.with.iter().copied().chain([self.tested]);
        if graphs().any(|graph| graph.find(&block.value).is_some()) {
            return;
        }
        let keys = || graphs().flat_map(|graph| graph.blocks().map(|id| &**graph.key(id)));
        unknown_block(block, self.tested.id(), keys(), problems);
    }

    /// Checks that a journey is the one tested, or one beside it.
    fn check_journey(&self, id: &Text, problems: &mut Problems) {
        let graphs = || self.with.iter().copied().chain([self.tested]);
        if !graphs().any(|graph| **graph.id() == *id.value) {
            let message = format!("`{}` does not run in these tests", id.value);
            let problem = Diagnostic::new(Code::UnknownTested, id.span, message);
            problems.push(problem.hint("name it under `with:` at the top of the file"));
        }
    }

    /// Checks that the journey tested has a block.
    fn check_own_block(&self, block: &Text, problems: &mut Problems) {
        if self.tested.find(&block.value).is_none() {
            let keys = self.tested.blocks().map(|id| &**self.tested.key(id));
            unknown_block(block, self.tested.id(), keys, problems);
        }
    }
}

fn unknown_block<'a>(
    block: &Text,
    journey: &str,
    known: impl Iterator<Item = &'a str>,
    problems: &mut Problems,
) {
    let known: Vec<&str> = known.collect();
    let hint = nearest(&block.value, known.iter().copied()).map_or_else(
        || format!("its blocks are {}", known.join(", ")),
        |name| format!("did you mean `{name}`?"),
    );
    let message = format!("`{journey}` has no block `{}`", block.value);
    problems.push(Diagnostic::new(Code::UnknownTestBlock, block.span, message).hint(hint));
}

fn named<'a>(id: &Text, graphs: &'a [Graph], problems: &mut Problems) -> Option<&'a Graph> {
    let found = graphs.iter().find(|graph| **graph.id() == *id.value);
    if found.is_none() {
        let known = || graphs.iter().map(|graph| &**graph.id());
        let hint = nearest(&id.value, known()).map_or_else(
            || format!("there are: {}", known().collect::<Vec<_>>().join(", ")),
            |name| format!("did you mean `{name}`?"),
        );
        let message = format!("no journey is called `{}`", id.value);
        problems.push(Diagnostic::new(Code::UnknownTested, id.span, message).hint(hint));
    }
    found
}

/// The texts of a list.
fn texts(node: &Node, what: &str, problems: &mut Problems) -> Vec<Text> {
    let Kind::List(items) = &node.kind else {
        problems.wrong_shape(node, what);
        return Vec::new();
    };
    let texts = items.iter().filter_map(|item| problems.text(item));
    texts.collect()
}

/// The items of a list that has some.
fn some<'a>(node: &'a Node, what: &str, problems: &mut Problems) -> &'a [Node] {
    if let Kind::List(items) = &node.kind
        && !items.is_empty()
    {
        return items;
    }
    problems.wrong_shape(node, what);
    &[]
}

fn cases(node: &Node, ground: Option<&Ground<'_>>, problems: &mut Problems) -> Vec<Case> {
    let items = some(node, "a list of tests, one at least", problems);
    let mut names: BTreeMap<String, Span> = BTreeMap::new();
    let mut cases = Vec::new();
    for item in items {
        let Some(case) = case(item, ground, problems) else {
            continue;
        };
        if let Some(first) = names.get(&case.name) {
            let message = format!("another test is called `{}`", case.name);
            problems.push(
                Diagnostic::new(Code::DuplicateTest, case.span, message)
                    .related(*first, "this one")
                    .hint("say what this one shows and the other does not"),
            );
        } else {
            names.insert(case.name.clone(), case.span);
        }
        cases.push(case);
    }
    cases
}

fn case(node: &Node, ground: Option<&Ground<'_>>, problems: &mut Problems) -> Option<Case> {
    let mut fields = problems.fields(node, "a test")?;
    let name = fields.need_text("name", problems);
    let events = fields
        .need("events", problems)
        .map(|node| given::events(node, problems));
    let from = events.as_ref().and_then(|events| events.first());
    let from = from.map(|first| first.at);
    let advance_us = advance(&mut fields, problems);
    let answers = fields
        .get("respond")
        .map(|node| answers(node, problems))
        .unwrap_or_default();
    let mut listed = |key, read: expected::Read, problems: &mut Problems| {
        let node = fields.get(key)?;
        Some(expected::list(node, read, (ground, from), problems))
    };
    let requests = listed("expect", expected::request, problems);
    let decisions = listed("decisions", expected::decision, problems);
    let refusals = listed("refused", expected::refusal, problems);
    let never = fields.get("never");
    let never = never.map(|node| texts(node, "a list of blocks", problems));
    let never = never.unwrap_or_default();
    if let Some(ground) = ground {
        let mut check = |block| ground.check_own_block(block, problems);
        never.iter().for_each(&mut check);
    }
    if requests.is_none() {
        let message = "a test needs `expect:`, the requests that must arrive";
        problems.push(
            Diagnostic::new(Code::MissingKey, fields.place(), message)
                .hint("write `expect: []` where none may"),
        );
    }
    fields.finish(problems);
    let name = name?;
    Some(Case {
        span: name.span,
        name: name.value,
        events: events?,
        advance_us: advance_us?,
        answers,
        never: never.iter().map(|block| Arc::from(&*block.value)).collect(),
        requests: requests?,
        decisions,
        refusals,
    })
}

fn advance(fields: &mut Fields<'_>, problems: &mut Problems) -> Option<i64> {
    let Some(text) = fields.maybe_text("advance", problems)? else {
        return Some(0);
    };
    match duration::parse(&text.value) {
        Ok(micros) => Some(micros),
        Err(error) => {
            let problem = Diagnostic::new(Code::InvalidDuration, text.span, error.to_string());
            problems.push(problem);
            None
        }
    }
}

fn answers(node: &Node, problems: &mut Problems) -> Vec<Answer> {
    let Kind::List(items) = &node.kind else {
        problems.wrong_shape(node, "a list of answers, such as [503, 200]");
        return Vec::new();
    };
    let answers = items.iter().filter_map(|item| answer(item, problems));
    answers.collect()
}

fn answer(node: &Node, problems: &mut Problems) -> Option<Answer> {
    let found = match &node.kind {
        Kind::Number(number) => number
            .as_i64()
            .and_then(|status| u16::try_from(status).ok())
            .filter(|status| (200..=599).contains(status))
            .map(Answer::Status),
        Kind::Text(word) => match word.as_str() {
            "timeout" => Some(Answer::Timeout),
            "reset" => Some(Answer::Reset),
            "refuse" => Some(Answer::Refuse),
            _ => None,
        },
        Kind::Null | Kind::Bool(_) | Kind::List(_) | Kind::Map(_) => None,
    };
    if found.is_none() {
        let message = "an answer is a status from 200 to 599, `timeout`, `reset` or `refuse`";
        problems.push(Diagnostic::new(Code::InvalidValue, node.span, message));
    }
    found
}

/// A time: RFC 3339, or `+2m` after `from`.
fn time(text: &Text, from: Option<Timestamp>, problems: &mut Problems) -> Option<Timestamp> {
    let mut refuse = |message: String, hint: &str| {
        problems.push(Diagnostic::new(Code::TestTime, text.span, message).hint(hint));
        None
    };
    let Some(later) = text.value.strip_prefix('+') else {
        return match text.value.parse() {
            Ok(time) => Some(time),
            Err(_) => refuse(
                format!("`{}` is not a time", text.value),
                "write \"2026-01-26T11:00:00Z\", or \"+2m\" after the first event",
            ),
        };
    };
    match (duration::parse(later), from) {
        (Ok(micros), Some(from)) => Some(from.saturating_add_micros(micros)),
        (Ok(_), None) => refuse(
            format!(
                "`{}` counts from the first event, which has no time",
                text.value
            ),
            "give the first event a whole time, such as \"2026-01-26T11:00:00Z\"",
        ),
        (Err(error), _) => refuse(error.to_string(), "write \"+90s\", \"+2m\" or \"+3d\""),
    }
}
