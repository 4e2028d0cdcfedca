//! Which event names does a block know, and which leaves of events can something ahead read?

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::successors;
use crate::definition::{Block as Written, BlockKind, Definition};
use crate::expression::{Expression, Key, Root};
use crate::graph::{Arm, Block, Graph, Heard, Kept, TriggerOn, WaitItem, WaitZone, Webhook};
use crate::render::Payload;

/// The `as:` names that every way to a block has passed, by block.
///
/// Where a successor is not known, ways are missing: then every name is taken as passed.
pub(super) fn at_blocks<'a>(
    definition: &'a Definition,
    names: &BTreeSet<&str>,
    is_known: impl Fn(&str) -> bool,
) -> BTreeMap<&'a str, Vec<Arc<str>>> {
    let ways = || definition.blocks.iter().flat_map(successors);
    let keys = || definition.blocks.iter().map(|it| it.key.value.as_str());
    let all: Vec<Arc<str>> = names.iter().copied().map(Arc::from).collect();
    let start_is_known = definition.start.iter().all(|start| is_known(&start.value));
    let leads_on = |block: &Written| match &block.kind {
        BlockKind::UntilDate(until) => block.then.is_some() && until.missing.is_some(),
        BlockKind::Pause(_)
        | BlockKind::UntilTime(_)
        | BlockKind::Wait(_)
        | BlockKind::Update(_) => block.then.is_some(),
        BlockKind::Decide(_) | BlockKind::Split(_) | BlockKind::Webhook(_) | BlockKind::Exit(_) => {
            true
        }
    };
    let is_complete = start_is_known && definition.blocks.iter().all(leads_on);
    if !is_complete || ways().any(|(then, _)| !is_known(then)) {
        return keys().map(|key| (key, all.clone())).collect();
    }
    let start = definition
        .start
        .as_ref()
        .map(|start| start.value.as_str())
        .or_else(|| {
            definition
                .blocks
                .first()
                .map(|block| block.key.value.as_str())
        });
    let mut known: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    known.extend(start.map(|start| (start, BTreeSet::new())));
    let written = definition.blocks.iter();
    let blocks: BTreeMap<&str, &Written> = written
        .map(|block| (block.key.value.as_str(), block))
        .collect();
    let mut changed: Vec<&str> = start.into_iter().collect();
    // Sets only shrink once they exist, so this ends.
    while let Some(block) = changed.pop() {
        let here = known.get(block).cloned().unwrap_or_default();
        for (then, name) in blocks
            .get(block)
            .copied()
            .map(successors)
            .unwrap_or_default()
        {
            let mut there = here.clone();
            there.extend(name);
            let met = match known.get(then) {
                Some(held) => held.intersection(&there).copied().collect(),
                None => there,
            };
            if known.get(then) != Some(&met) {
                known.insert(then, met);
                changed.push(then);
            }
        }
    }
    let passed = |key: &str| match known.get(key) {
        Some(names) => names.iter().copied().map(Arc::from).collect(),
        // No way leads here, which is a problem of its own.
        None => all.clone(),
    };
    keys().map(|key| (key, passed(key))).collect()
}

/// Notes what instances must keep, and which events are counted.
pub(super) fn keep(graph: &mut Graph) {
    let mut kept = Kept::default();
    let mut registers = BTreeSet::new();
    {
        let mut read = |expression: &Expression, judges: bool| {
            registers.extend(expression.registers().into_iter().map(Arc::<str>::from));
            for path in expression.paths() {
                match &path.root {
                    Root::Event if judges => {}
                    Root::Event | Root::Trigger => add(&mut kept.trigger, &path.keys),
                    Root::Named(name) => match kept.named.iter_mut().find(|(held, _)| held == name)
                    {
                        Some((_, paths)) => add(paths, &path.keys),
                        None => kept.named.push((name.clone(), vec![path.keys.clone()])),
                    },
                    Root::Profile
                    | Root::Account
                    | Root::Consent
                    | Root::Change
                    | Root::Delivery
                    | Root::Journey
                    | Root::Entry
                    | Root::Now
                    | Root::Local(_) => {}
                }
            }
        };
        for exit in &graph.exits {
            heard(&exit.on, &mut read);
        }
        for id in graph.blocks() {
            block(graph.block(id), &mut read);
        }
        if let Some(condition) = &graph.trigger.condition {
            read(condition, true);
        }
        if let TriggerOn::Date { date, .. } = &graph.trigger.on {
            read(date, true);
        }
    }
    graph.kept = kept;
    graph.registers = registers.into_iter().collect();
}

fn add(paths: &mut Vec<Vec<Key>>, path: &[Key]) {
    if !paths.iter().any(|held| held == path) {
        paths.push(path.to_vec());
    }
}

type Read<'a> = dyn FnMut(&Expression, bool) + 'a;

fn heard(on: &Heard, read: &mut Read<'_>) {
    match on {
        Heard::Event { condition, .. } => {
            if let Some(condition) = condition {
                read(condition, true);
            }
        }
        Heard::When(condition) => read(condition, false),
    }
}

fn block(block: &Block, read: &mut Read<'_>) {
    match block {
        Block::Decide(arms) => {
            for Arm { when, .. } in arms {
                when.iter().for_each(|when| read(when, false));
            }
        }
        Block::Wait { items, .. } => {
            for WaitItem { on, .. } in items {
                heard(on, read);
            }
        }
        Block::UntilTime(until) => {
            if let WaitZone::Of { name, .. } = &until.zone {
                read(name, false);
            }
        }
        Block::UntilDate(until) => read(&until.date, false),
        Block::Update { writes, .. } => writes.iter().for_each(|(_, value)| payload(value, read)),
        Block::Webhook(hook) => webhook(hook, read),
        Block::Split(_) | Block::Pause { .. } | Block::Exit { .. } => {}
    }
}

fn webhook(webhook: &Webhook, read: &mut Read<'_>) {
    let expressions = webhook.expressions().into_iter();
    expressions.for_each(|it| read(it, false));
}

fn payload(tree: &Payload, read: &mut Read<'_>) {
    let mut found = Vec::new();
    tree.expressions(&mut found);
    found.into_iter().for_each(|it| read(it, false));
}
