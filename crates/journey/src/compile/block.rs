//! How do blocks become nodes, and their successors edges?

use std::sync::Arc;

use super::Compiler;
use crate::check::Blocks;
use crate::check::near_miss::Open;
use crate::definition::{self, BlockKind, WaitFor};
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::duration;
use crate::expression::ROOTS;
use crate::graph::{Arm, Block, BlockId, Node, Split, SplitArm, UntilDate, WaitItem};

/// The greatest weight of an arm.
const WEIGHT_MAX: u32 = 10_000;

impl Compiler<'_> {
    pub(super) fn block(
        &mut self,
        block: &definition::Block,
        named: Vec<Arc<str>>,
    ) -> Option<Node> {
        let then = block.then.as_ref();
        let compiled = match &block.kind {
            BlockKind::Decide(arms) => {
                self.no_successor(then, Code::UnknownKey, "a `decide` goes on by its arms");
                self.arms(arms, block.span, named)
            }
            BlockKind::Pause(text) => {
                let duration_us = self.duration(text, self.life_us);
                let then = self.needed(then, block.span);
                duration_us
                    .zip(then)
                    .map(|(duration_us, then)| Block::Pause { duration_us, then })
            }
            BlockKind::Split(split) => {
                self.no_successor(then, Code::UnknownKey, "a `split` goes on by its arms");
                self.split(split, &block.key)
            }
            BlockKind::UntilTime(until) => {
                let names = self.names(named);
                self.until_time(until, (then, block.span), &names)
            }
            BlockKind::UntilDate(until) => {
                let names = self.names(named);
                self.until_date(until, (then, block.span), &names)
            }
            BlockKind::Wait(wait) => self.wait(wait, (then, block.span), &named),
            BlockKind::Update(writes) => self.update(writes, (then, block.span), named),
            BlockKind::Webhook(webhook) => {
                let why = "a webhook is terminal: it is the journey's outcome";
                self.no_successor(then, Code::WebhookSuccessor, why);
                self.webhook(webhook, named)
                    .map(|webhook| Block::Webhook(Box::new(webhook)))
            }
            BlockKind::Exit(reason) => {
                self.no_successor(then, Code::UnknownKey, "an exit is terminal");
                self.reason(reason).map(|reason| Block::Exit { reason })
            }
        };
        Some(Node {
            key: block.key.value.as_str().into(),
            block: compiled?,
        })
    }

    fn no_successor(&mut self, then: Option<&definition::Text>, code: Code, why: &str) {
        if let Some(then) = then {
            let problem = Diagnostic::new(code, then.span, why);
            self.problems.push(problem.hint("take `then:` away"));
        }
    }

    pub(super) fn needed(
        &mut self,
        then: Option<&definition::Text>,
        span: Span,
    ) -> Option<BlockId> {
        if then.is_none() {
            let message = "this block goes on and does not say where";
            let problem = Diagnostic::new(Code::MissingKey, span, message);
            self.problems
                .push(problem.hint("name its successor with `then:` beside its kind"));
        }
        self.successor(then?)
    }

    fn arms(
        &mut self,
        arms: &[definition::Arm],
        span: Span,
        named: Vec<Arc<str>>,
    ) -> Option<Block> {
        if arms.last().is_none_or(|last| last.when.is_some()) {
            let message = "a `decide` ends in `else:`, so that everybody goes somewhere";
            self.problems.push(
                Diagnostic::new(Code::MissingElse, span, message).hint("add `- else: BLOCK`"),
            );
        }
        let names = self.names(named);
        let mut compiled = Vec::new();
        let mut always: Option<Span> = None;
        for arm in arms {
            if let Some(before) = always {
                self.problems.push(
                    Diagnostic::new(Code::DeadArm, arm.span, "no instance ever gets to this arm")
                        .related(before, "this one always holds")
                        .hint("take it away, or move it before the one that always holds"),
                );
            }
            let then = self.successor(&arm.then);
            let when = self.optional(arm.when.as_ref(), &names);
            let holds = when
                .as_ref()
                .is_some_and(|when| when.as_ref().is_none_or(|when| when.always_holds()));
            always = always.or_else(|| holds.then_some(arm.span));
            compiled.push(when.zip(then).map(|(when, then)| Arm { when, then }));
        }
        compiled
            .into_iter()
            .collect::<Option<_>>()
            .map(Block::Decide)
    }

    fn split(&mut self, split: &definition::Split, block: &definition::Text) -> Option<Block> {
        let mut arms = Vec::new();
        for (place, arm) in split.arms.iter().enumerate() {
            let mut before = split.arms.iter().take(place);
            if let Some(twin) = before.find(|it| it.name.value == arm.name.value) {
                let message = format!("arm `{}` stands here twice", arm.name.value);
                let problem = Diagnostic::new(Code::DuplicateKey, arm.name.span, message);
                self.problems
                    .push(problem.related(twin.name.span, "the first one"));
            }
            let weight = u32::try_from(arm.weight.value).ok();
            let weight = weight.filter(|weight| (1..=WEIGHT_MAX).contains(weight));
            if weight.is_none() {
                let message = format!("a weight is a whole number from 1 to {WEIGHT_MAX}");
                let problem = Diagnostic::new(Code::InvalidValue, arm.weight.span, message);
                self.problems.push(problem);
            }
            let then = self.successor(&arm.then);
            arms.push(weight.zip(then).map(|(weight, then)| SplitArm {
                name: arm.name.value.as_str().into(),
                weight,
                holdout: arm.holdout,
                then,
            }));
        }
        let salt = match &split.salt {
            Some(salt) => salt.value.clone(),
            None => format!("{}/{}", self.journey, block.value),
        };
        Some(Block::Split(Split {
            salt: salt.into(),
            arms: arms.into_iter().collect::<Option<_>>()?,
        }))
    }

    fn update(
        &mut self,
        writes: &[(definition::Text, definition::Tree)],
        (then, span): (Option<&definition::Text>, Span),
        named: Vec<Arc<str>>,
    ) -> Option<Block> {
        let names = self.names(named);
        let mut compiled = Vec::new();
        for (name, value) in writes {
            let value = self.payload(value, &names);
            if name.value == "profileId" {
                let message = "`profileId` is derived, nobody writes it";
                let problem = Diagnostic::new(Code::InvalidName, name.span, message);
                self.problems.push(problem);
            }
            let trait_name: Arc<str> = name.value.as_str().into();
            let undeclared = self.fields.name(Open::Profile, &trait_name, name.span);
            self.problems.extend(undeclared);
            compiled.push(value.map(|value| (trait_name, value)));
        }
        let then = self.needed(then, span);
        Some(Block::Update {
            writes: compiled.into_iter().collect::<Option<_>>()?,
            then: then?,
        })
    }

    fn wait(
        &mut self,
        wait: &WaitFor,
        (then, span): (Option<&definition::Text>, Span),
        named: &[Arc<str>],
    ) -> Option<Block> {
        let timeout_us = if let Some(timeout) = &wait.timeout {
            self.duration(timeout, self.life_us)
        } else {
            let message = "what is waited for here may never come";
            self.problems.push(
                Diagnostic::new(Code::NoTimeout, span, message)
                    .hint("add `timeout:` to the wait, and `then:` beside it for that case"),
            );
            None
        };
        let then = self.needed(then, span);
        let items: Vec<_> = wait
            .items
            .iter()
            .map(|item| self.item(item, named.to_vec()))
            .collect();
        Some(Block::Wait {
            items: items.into_iter().collect::<Option<_>>()?,
            timeout_us: timeout_us?,
            then: then?,
        })
    }

    fn item(&mut self, item: &definition::WaitItem, named: Vec<Arc<str>>) -> Option<WaitItem> {
        let on = self.heard(&item.on, named);
        let then = self.successor(&item.then);
        if let Some(name) = &item.name {
            self.event_name(name, &item.on);
        }
        Some(WaitItem {
            on: on?,
            name: item.name.as_ref().map(|name| name.value.as_str().into()),
            then: then?,
        })
    }
}

impl Compiler<'_> {
    /// An `as:` name is a word that expressions can say and that means nothing else.
    fn event_name(&mut self, name: &definition::Text, on: &definition::Heard) {
        let is_word = |text: &str| {
            text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        };
        let taken =
            |text: &str| ROOTS.contains(&text) || matches!(text, "true" | "false" | "null" | "in");
        let text = name.value.as_str();
        let (code, message) = if matches!(on, definition::Heard::When(_)) {
            let message = "only an event can be named";
            (Code::InvalidValue, message.to_owned())
        } else if !is_word(text) {
            let message = "a name is made of letters, digits and `_`";
            (Code::InvalidName, message.to_owned())
        } else if taken(text) {
            let message = format!("`{text}` means something else already");
            (Code::InvalidName, message)
        } else {
            return;
        };
        self.problems
            .push(Diagnostic::new(code, name.span, message));
    }
}

/// The blocks, with an edge for every successor, labelled with when it is taken.
pub(super) fn joined(nodes: Vec<Node>) -> Blocks {
    let mut graph = Blocks::new();
    for node in nodes {
        graph.add_node(node);
    }
    join(&mut graph);
    graph
}

fn join(graph: &mut Blocks) {
    for from in graph.node_indices() {
        let Some(node) = graph.node_weight(from) else {
            continue;
        };
        let successors: Vec<(String, BlockId)> = match &node.block {
            Block::Decide(arms) => {
                let label = |arm: &Arm| match &arm.when {
                    Some(when) => when.source().to_owned(),
                    None => "else".to_owned(),
                };
                arms.iter().map(|arm| (label(arm), arm.then)).collect()
            }
            Block::Pause { duration_us, then } => {
                vec![(format!("after {}", duration::written(*duration_us)), *then)]
            }
            Block::Split(split) => split
                .arms
                .iter()
                .map(|arm| (share(arm), arm.then))
                .collect(),
            Block::UntilTime(until) => vec![(format!("at {}", until.time), until.then)],
            Block::UntilDate(until) => vec![
                (date(until), until.then),
                ("no date".to_owned(), until.missing),
            ],
            Block::Update { then, .. } => vec![("then".to_owned(), *then)],
            Block::Wait {
                items,
                timeout_us,
                then,
            } => {
                let items = items.iter().map(|item| (item.on.to_string(), item.then));
                let timeout = format!("after {}", duration::written(*timeout_us));
                items.chain([(timeout, *then)]).collect()
            }
            Block::Webhook(_) | Block::Exit { .. } => Vec::new(),
        };
        for (label, to) in successors {
            graph.add_edge(from, to.index(), label);
        }
    }
}

/// An arm of a split and its share.
fn share(arm: &SplitArm) -> String {
    let holdout = if arm.holdout { ", held out" } else { "" };
    format!("{} ({}{holdout})", arm.name, arm.weight)
}

/// A date and how far from it.
fn date(until: &UntilDate) -> String {
    let date = until.date.source();
    match until.offset_us {
        0 => format!("at {date}"),
        us if us < 0 => format!("{} before {date}", duration::written(-us)),
        us => format!("{} after {date}", duration::written(us)),
    }
}
