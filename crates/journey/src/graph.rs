//! What is a journey, once it is checked? A frozen graph of blocks; an illegal one has no value of
//! this type. Not here: how it comes to be (`compile`), or walking it (the executor).

use std::sync::Arc;

use petgraph::graph::{DiGraph, NodeIndex};
use wayfare_event::{ConsentAction, EventKind, Map};

use crate::Version;
use crate::definition::{Auth, Basis, DeliveryMode, IdentityNeed, Method, Secret};
use crate::expression::{Expression, Key};
use crate::render::{Payload, Template};
use crate::url::UrlTemplate;

/// A journey that may be published.
#[derive(Clone, Debug)]
pub struct Graph {
    pub(crate) id: Arc<str>,
    pub(crate) title: Option<Arc<str>>,
    pub(crate) version: Version,
    pub(crate) source: Arc<str>,
    pub(crate) trigger: Trigger,
    pub(crate) entry: Entry,
    pub(crate) exits: Vec<ExitRule>,
    pub(crate) start: BlockId,
    pub(crate) blocks: DiGraph<Node, Label>,
    pub(crate) kept: Kept,
    pub(crate) registers: Vec<Arc<str>>,
}

/// A block and its name.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) key: Arc<str>,
    pub(crate) block: Block,
}

/// When a successor is taken, for drawings.
pub(crate) type Label = String;

/// A block of one graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlockId(NodeIndex);

impl BlockId {
    /// The block in this place of the file's order.
    pub(crate) fn at(place: usize) -> Self {
        Self(NodeIndex::new(place))
    }

    pub(crate) const fn index(self) -> NodeIndex {
        self.0
    }
}

/// What starts an instance.
#[derive(Clone, Debug)]
pub struct Trigger {
    /// What is heard.
    pub on: TriggerOn,
    /// The condition on it.
    pub condition: Option<Expression>,
}

/// What a trigger hears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TriggerOn {
    /// One of these events.
    Events(Vec<EventMatch>),
    /// A choice that changed.
    Consent {
        /// The category.
        category: Arc<str>,
        /// What it changed to.
        action: ConsentAction,
    },
}

/// A kind of event and, where given, its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventMatch {
    /// Its kind.
    pub kind: EventKind,
    /// Its name; any, without one.
    pub name: Option<Arc<str>>,
}

impl EventMatch {
    /// Whether an event of this kind and name is one.
    #[must_use]
    pub fn matches(&self, kind: EventKind, name: &str) -> bool {
        self.kind == kind && self.name.as_deref().is_none_or(|own| own == name)
    }
}

/// Who may enter, and how often.
#[derive(Clone, Debug)]
pub struct Entry {
    /// How often.
    pub again: Again,
    /// The path of the key.
    pub key: Option<Expression>,
    /// How old an event may be to start or wake, in microseconds.
    pub lateness_us: i64,
}

/// How often somebody may enter, per key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    /// Once, ever.
    Once,
    /// Not while inside.
    AfterExit,
    /// Side by side.
    Always,
    /// Not while inside, nor within this many microseconds of the last entry.
    Every(i64),
}

/// A way out from any block.
#[derive(Clone, Debug)]
pub struct ExitRule {
    /// What is waited for.
    pub on: Heard,
    /// Why, for the decision.
    pub reason: Arc<str>,
}

/// What a wait or an exit reacts to.
#[derive(Clone, Debug)]
pub enum Heard {
    /// An event, and a condition on it.
    Event {
        /// The event.
        event: EventMatch,
        /// The condition.
        condition: Option<Expression>,
        /// Whether events about another key count too.
        any_key: bool,
    },
    /// A condition on state.
    When(Expression),
}

/// What a block does.
#[derive(Clone, Debug)]
pub enum Block {
    /// The first arm that holds wins; the last always does.
    Decide(Vec<Arm>),
    /// Waits a duration.
    Pause {
        /// How long, in microseconds.
        duration_us: i64,
        /// The successor.
        then: BlockId,
    },
    /// Waits for the first of several things.
    Wait {
        /// What ends it, in order.
        items: Vec<WaitItem>,
        /// How long at most, in microseconds.
        timeout_us: i64,
        /// The successor when nothing ended it.
        then: BlockId,
    },
    /// The terminal decision about one request.
    Webhook(Box<Webhook>),
    /// Ends without a request.
    Exit {
        /// Why, for the decision.
        reason: Arc<str>,
    },
}

/// One arm of a decision.
#[derive(Clone, Debug)]
pub struct Arm {
    /// The condition; the last arm has none.
    pub when: Option<Expression>,
    /// The successor.
    pub then: BlockId,
}

/// One thing that ends a wait.
#[derive(Clone, Debug)]
pub struct WaitItem {
    /// What is waited for.
    pub on: Heard,
    /// The name its event has for the blocks ahead.
    pub name: Option<Arc<str>>,
    /// The successor.
    pub then: BlockId,
}

/// A webhook block.
#[derive(Clone, Debug)]
pub struct Webhook {
    /// The method.
    pub method: Method,
    /// Where the request goes.
    pub url: UrlTemplate,
    /// What allows it.
    pub consent: Consent,
    /// How it authenticates itself.
    pub auth: Option<Auth>,
    /// The author's headers.
    pub headers: Vec<(Arc<str>, Template)>,
    /// The body; none for a DELETE without one.
    pub payload: Option<Payload>,
    /// The last condition.
    pub when: Option<Expression>,
    /// Whom it may be about.
    pub identity: IdentityNeed,
    /// What its delivery promises.
    pub mode: DeliveryMode,
    /// Time for one attempt, in microseconds.
    pub timeout_us: i64,
    /// Time for all attempts, in microseconds.
    pub window_us: i64,
}

/// What allows a webhook.
#[derive(Clone, Debug)]
pub enum Consent {
    /// An allowing verdict for a category.
    Category {
        /// The category.
        category: Arc<str>,
        /// The address, where the author wrote one.
        address: Option<Expression>,
    },
    /// Enforcement: the choice must be decline.
    Declined {
        /// The category.
        category: Arc<str>,
    },
    /// No category applies.
    Basis {
        /// The legal basis.
        basis: Basis,
        /// Why, for the record.
        because: Arc<str>,
    },
}

/// The leaves of events that something ahead can read: an instance keeps those only.
#[derive(Clone, Debug, Default)]
pub struct Kept {
    pub(crate) trigger: Vec<Vec<Key>>,
    pub(crate) named: Vec<(Arc<str>, Vec<Vec<Key>>)>,
}

impl Kept {
    /// What is kept of the event that started an instance.
    #[must_use]
    pub fn trigger(&self, event: &Map) -> Map {
        prune(
            event,
            &self.trigger.iter().map(Vec::as_slice).collect::<Vec<_>>(),
        )
    }

    /// What is kept of an event that a wait names.
    #[must_use]
    pub fn named(&self, name: &str, event: &Map) -> Map {
        let paths = self.named.iter().find(|(held, _)| **held == *name);
        let paths = paths.map(|(_, paths)| paths.iter().map(Vec::as_slice).collect::<Vec<_>>());
        prune(event, &paths.unwrap_or_default())
    }
}

/// The parts of a map that these paths reach; a path that ends keeps everything below it.
fn prune(map: &Map, paths: &[&[Key]]) -> Map {
    if paths.iter().any(|path| !matches!(path, [Key::Name(_), ..])) {
        return map.clone();
    }
    let below = |name: &Arc<str>| -> Vec<&[Key]> {
        let of = |path: &&[Key]| matches!(path, [Key::Name(first), ..] if first == name);
        let rest = paths.iter().copied().filter(of);
        rest.filter_map(|path| path.split_first().map(|(_, rest)| rest))
            .collect()
    };
    map.iter()
        .filter_map(|(name, value)| {
            let below = below(name);
            if below.is_empty() {
                return None;
            }
            let kept = value
                .as_map()
                .map_or_else(|| value.clone(), |inner| prune(inner, &below).into());
            Some((name.clone(), kept))
        })
        .collect()
}

impl Graph {
    /// The journey's id.
    #[must_use]
    pub const fn id(&self) -> &Arc<str> {
        &self.id
    }

    /// Its title, or its id without one.
    #[must_use]
    pub fn title(&self) -> &str {
        self.title.as_deref().unwrap_or(&self.id)
    }

    /// Which edit of it this is.
    #[must_use]
    pub const fn version(&self) -> Version {
        self.version
    }

    /// The file it was made from.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// What starts an instance.
    #[must_use]
    pub const fn trigger(&self) -> &Trigger {
        &self.trigger
    }

    /// Who may enter.
    #[must_use]
    pub const fn entry(&self) -> &Entry {
        &self.entry
    }

    /// The ways out from any block, in order.
    #[must_use]
    pub fn exits(&self) -> &[ExitRule] {
        &self.exits
    }

    /// The first block.
    #[must_use]
    pub const fn start(&self) -> BlockId {
        self.start
    }

    /// The block of this name.
    #[must_use]
    pub fn find(&self, key: &str) -> Option<BlockId> {
        self.blocks().find(|id| **self.key(*id) == *key)
    }

    /// What a block does.
    ///
    /// # Panics
    ///
    /// When the block is of another graph.
    #[must_use]
    pub fn block(&self, id: BlockId) -> &Block {
        &self.node(id).block
    }

    /// The name of a block.
    ///
    /// # Panics
    ///
    /// When the block is of another graph.
    #[must_use]
    pub fn key(&self, id: BlockId) -> &Arc<str> {
        &self.node(id).key
    }

    /// Every block, in the file's order.
    pub fn blocks(&self) -> impl Iterator<Item = BlockId> {
        self.blocks.node_indices().map(BlockId)
    }

    /// The successors of a block and when each is taken.
    pub fn successors(&self, id: BlockId) -> impl Iterator<Item = (&str, BlockId)> {
        use petgraph::visit::EdgeRef as _;
        let mut edges: Vec<_> = self.blocks.edges(id.0).collect();
        edges.sort_by_key(|edge| edge.id());
        let successor = |edge: petgraph::graph::EdgeReference<'_, Label>| edge.target();
        edges
            .into_iter()
            .map(move |edge| (edge.weight().as_str(), BlockId(successor(edge))))
    }

    /// What an instance keeps of events.
    #[must_use]
    pub const fn kept(&self) -> &Kept {
        &self.kept
    }

    /// The names of events that expressions count.
    pub fn registers(&self) -> impl Iterator<Item = &str> {
        self.registers.iter().map(|name| &**name)
    }

    /// Every secret its requests need.
    pub fn secrets(&self) -> impl Iterator<Item = &Secret> {
        let webhooks = self.blocks().filter_map(|id| match self.block(id) {
            Block::Webhook(webhook) => Some(webhook),
            Block::Decide(_) | Block::Pause { .. } | Block::Wait { .. } | Block::Exit { .. } => {
                None
            }
        });
        webhooks.flat_map(|webhook| {
            let auth = webhook.auth.as_ref().map(|auth| match auth {
                Auth::Basic {
                    password: secret, ..
                }
                | Auth::Bearer(secret)
                | Auth::Header { value: secret, .. } => secret,
            });
            webhook.url.base.iter().chain(auth)
        })
    }

    fn node(&self, id: BlockId) -> &Node {
        self.blocks
            .node_weight(id.0)
            .expect("a block id is only made by the graph it belongs to")
    }
}
