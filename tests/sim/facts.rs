//! What does the auditor get to hear? Plain facts: texts and numbers. Nothing here knows the engine.

use std::collections::{BTreeMap, BTreeSet};

/// A second, in microseconds: every time here is in microseconds since 1970.
pub(crate) const SECOND: i64 = 1_000_000;
pub(crate) const MINUTE: i64 = 60 * SECOND;
pub(crate) const HOUR: i64 = 60 * MINUTE;
pub(crate) const DAY: i64 = 24 * HOUR;

/// A rule that was broken, and how.
#[derive(Clone, Debug)]
pub(crate) struct Broken {
    pub(crate) rule: &'static str,
    pub(crate) what: String,
}

pub(crate) type Checked = Result<(), Broken>;

/// The rule holds, or is broken like this.
pub(crate) fn holds(rule: &'static str, it: bool, what: impl FnOnce() -> String) -> Checked {
    if it {
        return Ok(());
    }
    Err(Broken { rule, what: what() })
}

/// What a journey says, as whoever wrote it knows.
#[derive(Clone, Debug)]
pub(crate) struct Journey {
    pub(crate) id: String,
    pub(crate) trigger: Trigger,
    pub(crate) again: Again,
    pub(crate) keyed: bool,
    /// So many entries in so many microseconds.
    pub(crate) limit: Option<(u32, i64)>,
    /// The blocks, the first of them where it begins.
    pub(crate) blocks: Vec<(String, Block)>,
}

impl Journey {
    pub(crate) fn block(&self, name: &str) -> Option<&Block> {
        let found = self.blocks.iter().find(|(own, _)| own == name);
        found.map(|(_, block)| block)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trigger {
    Event { name: String, asks: bool },
    Trait,
    Consent { declines: bool },
    Schedule,
    Date,
    Delivery,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Again {
    Once,
    AfterExit,
    Always,
    Every(i64),
}

#[derive(Clone, Debug)]
pub(crate) enum Block {
    Decide,
    Split,
    /// Waits for so long.
    Pause(i64),
    /// Waits for something, at most for so long.
    For(i64),
    UntilTime,
    UntilDate,
    /// Writes this trait.
    Update(String),
    Webhook(Webhook),
    Exit,
}

#[derive(Clone, Debug)]
pub(crate) struct Webhook {
    pub(crate) method: &'static str,
    /// Whether it is sent at most once.
    pub(crate) once: bool,
    pub(crate) consent: Asks,
    pub(crate) window_us: i64,
    /// Whether the URL differs from person to person.
    pub(crate) varied: bool,
}

/// What a webhook asks before anything leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asks {
    /// That the category allows it.
    Accept(&'static str),
    /// That the category was declined.
    Decline(&'static str),
    /// Nothing.
    Basis,
}

/// An event as it was told.
#[derive(Clone, Debug)]
pub(crate) struct Fed {
    /// When it came in.
    pub(crate) at: i64,
    /// When it says it happened.
    pub(crate) occurred: i64,
    pub(crate) message: Option<String>,
    /// Whom it names, as `namespace:value`.
    pub(crate) names: BTreeSet<String>,
    /// The one of them that an alias says was the user's.
    pub(crate) previous: Option<String>,
    /// The event's name, when it is a track event.
    pub(crate) name: Option<String>,
    /// The traits it tells of the person.
    pub(crate) traits: Vec<Trait>,
    pub(crate) said: Option<Said>,
    pub(crate) historical: bool,
    /// Whether it came by a key that anybody can read.
    pub(crate) public: bool,
}

/// A trait as it is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Trait {
    pub(crate) name: &'static str,
    /// Its value as JSON; nothing where it is taken away.
    pub(crate) value: Option<String>,
    /// Whether it only fills a gap.
    pub(crate) is_once: bool,
}

/// What a profile shows of each trait that has a value, as JSON.
pub(crate) type Shown = BTreeMap<String, String>;

/// What an operator says of who is who; everybody as `namespace:value`.
#[derive(Clone, Debug)]
pub(crate) enum Says {
    Merge {
        from: String,
        into: String,
    },
    Detach {
        identifier: String,
        from: String,
    },
    Unblock(String),
    /// Mail to an address came back, or somebody there complained.
    Suppress {
        address: String,
        bounced: bool,
    },
    Unsuppress(String),
    /// Somebody is erased: let go, kept out, or both; where a journey is named, once they have been
    /// through it.
    Erase {
        identifier: String,
        deletes: bool,
        silences: bool,
        through: Option<String>,
    },
    /// Whoever was kept out may come back.
    Readmit(String),
}

/// What somebody said about consent.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    pub(crate) category: &'static str,
    pub(crate) accepts: bool,
    /// Whom it is about, as `namespace:value`: an address, a person, or both.
    pub(crate) subjects: Vec<String>,
    pub(crate) until: Option<i64>,
}

/// What an operator orders of one delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    Resend,
    Resolve,
    Withhold,
}

/// How an attempt ended, as whoever sent it saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    Status {
        status: u16,
        /// How long the receiver asked to wait, in seconds.
        retry_after: Option<i64>,
    },
    NotSent,
    NoStatus,
}

/// A row of the store.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Row {
    Person(Person),
    Decision(Decision),
    Delivery(Delivery),
    Control(Control),
    Queued,
    /// What stays of an identifier that was erased: when.
    Erased(i64),
    Other,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Person {
    pub(crate) traits: BTreeSet<String>,
    /// The walks that have not ended, by id.
    pub(crate) instances: BTreeMap<String, Instance>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Instance {
    pub(crate) journey: String,
    pub(crate) version: String,
    pub(crate) block: String,
    pub(crate) entered: i64,
    pub(crate) arrived: i64,
    pub(crate) due: Option<i64>,
    pub(crate) key: Option<String>,
    /// The arm it took at each split.
    pub(crate) arms: BTreeMap<String, String>,
}

/// What was asked, and about which address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    /// Nothing, where a basis was declared.
    pub(crate) category: Option<String>,
    pub(crate) declines: bool,
    pub(crate) address: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Decision {
    pub(crate) at: i64,
    pub(crate) journey: String,
    pub(crate) version: String,
    pub(crate) block: String,
    pub(crate) profile: String,
    pub(crate) owner: String,
    pub(crate) key: Option<String>,
    pub(crate) outcome: String,
    pub(crate) asked: Option<Asked>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Delivery {
    pub(crate) journey: String,
    pub(crate) block: String,
    pub(crate) owner: String,
    pub(crate) profile: String,
    pub(crate) asked: Asked,
    pub(crate) request: Request,
    pub(crate) once: bool,
    pub(crate) window_us: i64,
    pub(crate) is_varied: bool,
    pub(crate) decided: i64,
    pub(crate) state: String,
    pub(crate) status: Option<u16>,
    pub(crate) reason: Option<String>,
    /// When it may leave, while it is planned.
    pub(crate) due: Option<i64>,
    pub(crate) attempts: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) url: String,
    pub(crate) body: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Control {
    pub(crate) in_force: Option<String>,
    /// Who paused it.
    pub(crate) paused: Option<String>,
    /// The blocks that are paused, and by whom.
    pub(crate) blocks: BTreeMap<String, String>,
}

/// Something told to the outside.
#[derive(Clone, Debug)]
pub(crate) enum Told {
    Decision {
        id: String,
        outcome: String,
    },
    Delivery {
        id: String,
        state: String,
        attempts: u32,
    },
    Refused {
        journey: String,
        message: Option<String>,
        reason: String,
    },
    /// A journey or a block is paused.
    Paused {
        place: String,
    },
    Other,
}
