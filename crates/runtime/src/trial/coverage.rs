//! Which blocks of a journey did cases come to, and which arms did they take? Read off the traces:
//! whatever a block does, an instance that goes on comes to one of its successors.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use wayfare_event::InstanceId;
use wayfare_executor::Note;
use wayfare_journey::Graph;

use super::Reached;
use crate::engine::Output;

/// What the cases of one journey came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coverage {
    /// The journey.
    pub journey: Arc<str>,
    /// Its blocks, in the file's order.
    pub blocks: Vec<Block>,
}

/// One block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Its key.
    pub key: Arc<str>,
    /// Whether somebody came to it.
    pub is_reached: bool,
    /// Its ways on, in the file's order, where there are several.
    pub arms: Vec<Arm>,
}

/// One way on from a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arm {
    /// When it is taken, as drawings say it.
    pub label: String,
    /// Whether somebody took it.
    pub is_taken: bool,
}

impl Coverage {
    /// Nobody came anywhere.
    pub(super) fn none(graph: &Graph) -> Self {
        let blocks = graph.blocks().map(|id| {
            let arms = graph.successors(id).map(|(label, _)| Arm {
                label: label.to_owned(),
                is_taken: false,
            });
            let arms: Vec<Arm> = arms.collect();
            Block {
                key: graph.key(id).clone(),
                is_reached: false,
                arms: if arms.len() > 1 { arms } else { Vec::new() },
            }
        });
        Self {
            journey: graph.id().clone(),
            blocks: blocks.collect(),
        }
    }

    /// Blocks that somebody came to, and how many there are.
    #[must_use]
    pub fn blocks_reached(&self) -> (usize, usize) {
        let reached = self.blocks.iter().filter(|block| block.is_reached);
        (reached.count(), self.blocks.len())
    }

    /// Arms that somebody took, and how many there are.
    #[must_use]
    pub fn arms_taken(&self) -> (usize, usize) {
        let arms = || self.blocks.iter().flat_map(|block| &block.arms);
        (arms().filter(|arm| arm.is_taken).count(), arms().count())
    }

    /// Adds what one case came to; the blocks it came to.
    pub(super) fn note(&mut self, graph: &Graph, outputs: &[Output]) -> Reached {
        let mut walks = Walks::default();
        for output in outputs {
            if let Output::Trace { notes, .. } = output {
                for note in notes {
                    walks.follow(graph, note);
                }
            }
        }
        for block in &mut self.blocks {
            block.is_reached |= walks.reached.contains(&block.key);
            for (place, arm) in block.arms.iter_mut().enumerate() {
                arm.is_taken |= walks.taken.contains(&(block.key.clone(), place));
            }
        }
        walks.reached
    }
}

/// The walks through one journey, while their traces are read.
#[derive(Default)]
struct Walks {
    /// Where each is, and the arm it chose there.
    here: BTreeMap<InstanceId, (Option<Arc<str>>, Option<usize>)>,
    reached: Reached,
    /// Blocks and the places of their arms.
    taken: BTreeSet<(Arc<str>, usize)>,
}

impl Walks {
    fn follow(&mut self, graph: &Graph, note: &Note) {
        if let Note::Entered { journey, instance } = note {
            if journey == graph.id() {
                self.here.insert(*instance, (None, None));
            }
        } else if let Note::Chose { instance, arm } = note {
            if let Some((_, chosen)) = self.here.get_mut(instance) {
                *chosen = arm.checked_sub(1);
            }
        } else if let Note::Arrived { instance, block } = note
            && let Some((before, chosen)) = self.here.get_mut(instance)
        {
            let chosen = chosen.take();
            if let Some(from) = before.replace(block.clone()) {
                let place = chosen.or_else(|| last_arm(graph, &from, block));
                self.taken.extend(place.map(|place| (from, place)));
            }
            self.reached.insert(block.clone());
        }
    }
}

/// The arm that nobody has to choose, the last that leads there: a time that ran out.
fn last_arm(graph: &Graph, from: &str, to: &str) -> Option<usize> {
    let arms: Vec<_> = graph.successors(graph.find(from)?).collect();
    let leads_there = |(_, block): &(&str, _)| **graph.key(*block) == *to;
    arms.iter().rposition(leads_there)
}
