//! Does a graph make sense as a journey? Every block leads to an end, something leads to every
//! block, no cycle runs by itself, and no webhook is an event stream.

pub(crate) mod advice;
pub(crate) mod near_miss;

use std::collections::BTreeSet;

use petgraph::Direction;
use petgraph::algo::tarjan_scc;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::{Dfs, IntoNodeReferences as _, NodeFiltered, Reversed, Visitable as _};
use wayfare_event::ConsentAction;

use crate::definition::{Block as Written, BlockKind, Consent as WrittenConsent, Definition};
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::expression::Expression;
use crate::graph::{Again, Block, BlockId, Consent, Graph, Heard, Label, Node, TriggerOn};

/// A wait that lasts at least this long always parks.
const PARKS_US_MIN: i64 = 60 * 1_000_000;

/// The blocks of a journey and how they are joined.
pub(crate) type Blocks = DiGraph<Node, Label>;

/// Every problem of the ways through a journey. `definition` is what the blocks were made from:
/// they are in the same order.
pub(crate) fn ways(blocks: &Blocks, start: BlockId, definition: &Definition) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    reachable(blocks, start, definition, &mut problems);
    ends(blocks, definition, &mut problems);
    cycles(blocks, definition, &mut problems);
    problems
}

/// Every problem of what a whole graph would do.
pub(crate) fn outcomes(graph: &Graph, definition: &Definition) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    decided(graph, definition, &mut problems);
    contradictions(graph, definition, &mut problems);
    if definition.description.is_none() {
        let message = "nobody can tell what this journey is for";
        problems.push(
            Diagnostic::new(Code::NoDescription, definition.id.span, message)
                .hint("say it in `description:`"),
        );
    }
    problems
}

fn reached(
    blocks: &Blocks,
    start: BlockId,
    allowed: &dyn Fn(NodeIndex) -> bool,
) -> BTreeSet<NodeIndex> {
    let blocks = NodeFiltered::from_fn(blocks, allowed);
    let start = start.index();
    let mut found = BTreeSet::new();
    if allowed(start) {
        let mut walk = Dfs::new(&blocks, start);
        while let Some(node) = walk.next(&blocks) {
            found.insert(node);
        }
    }
    found
}

fn written(definition: &Definition, node: NodeIndex) -> Option<&Written> {
    definition.blocks.get(node.index())
}

fn key_span(definition: &Definition, node: NodeIndex) -> Span {
    written(definition, node).map_or_else(Span::default, |block| block.key.span)
}

fn reachable(
    blocks: &Blocks,
    start: BlockId,
    definition: &Definition,
    problems: &mut Vec<Diagnostic>,
) {
    let reached = reached(blocks, start, &|_| true);
    for node in blocks.node_indices().filter(|it| !reached.contains(it)) {
        let message = "nothing leads to this block";
        problems.push(
            Diagnostic::new(Code::UnreachableBlock, key_span(definition, node), message)
                .hint("name it in a `then:`, or take it away"),
        );
    }
}

fn ends(blocks: &Blocks, definition: &Definition, problems: &mut Vec<Diagnostic>) {
    let backwards = Reversed(blocks);
    let terminals = blocks.externals(Direction::Outgoing);
    let mut walk = Dfs::from_parts(terminals.collect(), blocks.visit_map());
    let mut leads = BTreeSet::new();
    while let Some(node) = walk.next(backwards) {
        leads.insert(node);
    }
    for node in blocks.node_indices().filter(|it| !leads.contains(it)) {
        let message = "no webhook and no exit can be reached from here";
        problems.push(
            Diagnostic::new(Code::NoWayToEnd, key_span(definition, node), message)
                .hint("lead one of its ways to an `exit:` or a `webhook:`"),
        );
    }
}

/// The successors an instance may go on to without staying for a while.
fn passing(block: &Block) -> Vec<BlockId> {
    let short = |micros: i64, then: BlockId| (micros < PARKS_US_MIN).then_some(then);
    match block {
        Block::Decide(arms) => arms.iter().map(|arm| arm.then).collect(),
        Block::Split(split) => split.arms.iter().map(|arm| arm.then).collect(),
        Block::UntilTime(until) => vec![until.then],
        Block::UntilDate(until) => vec![until.then, until.missing],
        Block::Update { then, .. } => vec![*then],
        Block::Pause { duration_us, then } => short(*duration_us, *then).into_iter().collect(),
        Block::Wait {
            items,
            timeout_us,
            then,
        } => {
            let conditions = items
                .iter()
                .filter(|item| matches!(item.on, Heard::When(_)));
            let conditions = conditions.map(|item| item.then);
            conditions.chain(short(*timeout_us, *then)).collect()
        }
        Block::Webhook(_) | Block::Exit { .. } => Vec::new(),
    }
}

fn cycles(blocks: &Blocks, definition: &Definition, problems: &mut Vec<Diagnostic>) {
    let mut quick = blocks.map(|_, _| (), |_, _| ());
    quick.clear_edges();
    for (from, node) in blocks.node_references() {
        for then in passing(&node.block) {
            quick.update_edge(from, then.index(), ());
        }
    }
    for component in tarjan_scc(&quick) {
        let Some(first) = component.iter().min().copied() else {
            continue;
        };
        if component.len() == 1 && !quick.contains_edge(first, first) {
            continue;
        }
        let message = "this block leads back to itself without a wait of a minute or more";
        problems.push(
            Diagnostic::new(Code::PassingCycle, key_span(definition, first), message)
                .hint("put a wait of a minute or more, or a wait for an event, into the cycle"),
        );
    }
}

/// Between an event trigger and a webhook something is decided, or it is an event stream.
fn decided(graph: &Graph, definition: &Definition, problems: &mut Vec<Diagnostic>) {
    let by_event = matches!(graph.trigger().on, TriggerOn::Events(_));
    let limited = matches!(graph.entry().again, Again::Once | Again::Every(_));
    let judges = |condition: Option<&Expression>| condition.is_some_and(|it| !it.always_holds());
    if !by_event || limited || judges(graph.trigger().condition.as_ref()) {
        return;
    }
    let undecided = |node: NodeIndex| match graph.blocks.node_weight(node).map(|it| &it.block) {
        Some(Block::Decide(arms)) => arms.len() < 2,
        Some(Block::Wait { .. }) => false,
        Some(
            Block::Split(_)
            | Block::Pause { .. }
            | Block::UntilTime(_)
            | Block::UntilDate(_)
            | Block::Update { .. }
            | Block::Webhook(_)
            | Block::Exit { .. },
        )
        | None => true,
    };
    for node in reached(&graph.blocks, graph.start(), &undecided) {
        let Some(Block::Webhook(webhook)) = graph.blocks.node_weight(node).map(|it| &it.block)
        else {
            continue;
        };
        if judges(webhook.when.as_ref()) {
            continue;
        }
        let span = written(definition, node).map_or_else(Span::default, |block| block.span);
        let message = "every such event would send a request: that is a stream, not an outcome";
        problems.push(
            Diagnostic::new(Code::WebhookWithoutDecision, span, message)
                .related(
                    definition.trigger.span,
                    "nothing is decided between here and there",
                )
                .hint("add `where:` to the trigger, a `decide`, or `again: once`"),
        );
    }
}

fn contradictions(graph: &Graph, definition: &Definition, problems: &mut Vec<Diagnostic>) {
    let TriggerOn::Consent {
        category: declined,
        action: ConsentAction::Decline,
    } = &graph.trigger().on
    else {
        return;
    };
    for id in graph.blocks() {
        let Block::Webhook(webhook) = graph.block(id) else {
            continue;
        };
        let Consent::Category { category, .. } = &webhook.consent else {
            continue;
        };
        let span = match written(definition, id.index()).map(|block| &block.kind) {
            Some(BlockKind::Webhook(webhook)) => match &webhook.consent {
                WrittenConsent::Category { category, .. }
                | WrittenConsent::Declined { category } => category.span,
                WrittenConsent::Basis { .. } => continue,
            },
            Some(
                BlockKind::Decide(_)
                | BlockKind::Split(_)
                | BlockKind::Pause(_)
                | BlockKind::UntilTime(_)
                | BlockKind::UntilDate(_)
                | BlockKind::Wait(_)
                | BlockKind::Update(_)
                | BlockKind::Exit(_),
            )
            | None => continue,
        };
        if category == declined {
            let message = "whoever gets here has just declined this category";
            problems.push(
                Diagnostic::new(Code::ConsentContradiction, span, message)
                    .hint(format!("write {{category: {declined}, action: decline}}")),
            );
        }
    }
}
