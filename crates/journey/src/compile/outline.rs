//! Which ways lead through a file whose blocks cannot all be read? One wrong word in a condition does
//! not hide a block that nothing leads to.

use std::collections::BTreeSet;

use wayfare_event::EventKind;

use super::{Compiler, block};
use crate::check::Blocks;
use crate::definition::{self, BlockKind, Definition, Text};
use crate::duration::DAY_US;
use crate::graph::{Arm, Block, BlockId, EventMatch, Heard, Node, WaitItem};
use crate::yaml::{self, Kind};

/// The names of all blocks, also of those whose shape is broken.
pub(super) fn block_keys(root: &yaml::Node) -> Vec<&str> {
    let blocks = root.entry("blocks").map(|entry| &entry.value);
    let keys = blocks.map(yaml::Node::entries).unwrap_or_default();
    keys.iter().map(|entry| entry.key.as_str()).collect()
}

/// Every `as:` name, also of those waits whose shape is broken.
pub(super) fn event_names<'a>(node: &'a yaml::Node, found: &mut BTreeSet<&'a str>) {
    match &node.kind {
        Kind::List(items) => items.iter().for_each(|item| event_names(item, found)),
        Kind::Map(entries) => {
            for entry in entries {
                if let ("as", Kind::Text(name)) = (entry.key.as_str(), &entry.value.kind) {
                    found.insert(name);
                }
                event_names(&entry.value, found);
            }
        }
        Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Text(_) => {}
    }
}

impl Compiler<'_> {
    /// The blocks, with stand-ins for those that cannot be read; nothing when it is not known where
    /// one of them leads.
    pub(super) fn outline(
        &self,
        definition: &Definition,
        compiled: &[Option<Node>],
    ) -> Option<Blocks> {
        let blocks = definition.blocks.iter().zip(compiled);
        let nodes = blocks.map(|(written, compiled)| match compiled {
            Some(node) => Some(node.clone()),
            None => Some(Node {
                key: written.key.value.as_str().into(),
                block: self.stand_in(written)?,
            }),
        });
        nodes.collect::<Option<_>>().map(block::joined)
    }

    /// A block that leads where this one does and, in doubt, stays for a while.
    fn stand_in(&self, block: &definition::Block) -> Option<Block> {
        let then = || self.known_block(block.then.as_ref()?);
        Some(match &block.kind {
            BlockKind::Decide(arms) => {
                let arm = |arm: &definition::Arm| {
                    let then = self.known_block(&arm.then)?;
                    Some(Arm { when: None, then })
                };
                Block::Decide(arms.iter().map(arm).collect::<Option<_>>()?)
            }
            BlockKind::Split(split) => {
                let arm = |arm: &definition::SplitArm| {
                    let then = self.known_block(&arm.then)?;
                    Some(Arm { when: None, then })
                };
                Block::Decide(split.arms.iter().map(arm).collect::<Option<_>>()?)
            }
            BlockKind::UntilDate(until) => Block::Wait {
                items: vec![self.way(until.missing.as_ref()?)?],
                timeout_us: DAY_US,
                then: then()?,
            },
            BlockKind::Pause(_) | BlockKind::UntilTime(_) | BlockKind::Update(_) => Block::Pause {
                duration_us: DAY_US,
                then: then()?,
            },
            BlockKind::Wait(wait) => Block::Wait {
                items: wait
                    .items
                    .iter()
                    .map(|item| self.way(&item.then))
                    .collect::<Option<_>>()?,
                timeout_us: DAY_US,
                then: then()?,
            },
            BlockKind::Webhook(_) | BlockKind::Exit(_) => Block::Exit { reason: "".into() },
        })
    }

    /// A way out of a wait.
    fn way(&self, then: &Text) -> Option<WaitItem> {
        Some(WaitItem {
            on: Heard::Event {
                event: EventMatch {
                    kind: EventKind::Track,
                    name: None,
                },
                condition: None,
                any_key: false,
            },
            name: None,
            then: self.known_block(then)?,
        })
    }

    pub(super) fn known_block(&self, text: &Text) -> Option<BlockId> {
        let place = self.places.get(text.value.as_str())?;
        Some(BlockId::at(*place))
    }
}
