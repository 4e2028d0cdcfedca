//! What is known from outside of a run that was tortured? What was acknowledged, what the receiver
//! saw, and what the state directory says. Not here: whether it fits together (`audit`).

use std::collections::BTreeMap;

/// What an event is about, and with it the one journey that takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// A POST, at most once.
    Lead,
    /// A POST, at least once.
    Invoice,
    /// A PUT, at least once, several to one target.
    Plan,
    /// A DELETE, at most once.
    Removal,
    /// A wait of seconds, then a POST, at most once.
    Trial,
    /// A POST that consent allows, at most once.
    Offer,
    /// A POST that consent allows, at least once.
    Reminder,
}

impl Kind {
    /// All of them.
    pub(super) const ALL: [Self; 7] = [
        Self::Lead,
        Self::Invoice,
        Self::Plan,
        Self::Removal,
        Self::Trial,
        Self::Offer,
        Self::Reminder,
    ];

    /// The journey's name, and the event's.
    pub(super) const fn journey(self) -> &'static str {
        match self {
            Self::Lead => "lead",
            Self::Invoice => "invoice",
            Self::Plan => "plan",
            Self::Removal => "removal",
            Self::Trial => "trial",
            Self::Offer => "offer",
            Self::Reminder => "reminder",
        }
    }

    /// The kind of a journey.
    pub(super) fn of(journey: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.journey() == journey)
    }

    /// Whether a request is repeated only when it was provably not taken.
    pub(super) const fn is_at_most_once(self) -> bool {
        match self {
            Self::Lead | Self::Removal | Self::Trial | Self::Offer => true,
            Self::Invoice | Self::Plan | Self::Reminder => false,
        }
    }

    /// Whether its webhook is owed as soon as its event is taken, whatever else happens.
    pub(super) const fn is_immediate(self) -> bool {
        match self {
            Self::Lead | Self::Invoice | Self::Plan | Self::Removal => true,
            Self::Trial | Self::Offer | Self::Reminder => false,
        }
    }
}

/// How an event's walk may end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expected {
    /// With a webhook.
    Webhook,
    /// Without one, since consent was withdrawn before.
    Suppressed,
    /// With a webhook, or by the event that was waited for.
    WebhookOrExit,
}

impl Expected {
    /// Whether a decision ended like this.
    pub(super) fn allows(self, outcome: &str) -> bool {
        match self {
            Self::Webhook => outcome == "webhook",
            Self::Suppressed => outcome == "suppressed",
            Self::WebhookOrExit => matches!(outcome, "webhook" | "exit"),
        }
    }
}

/// An event that leads to a decision, and that was answered with 200.
#[derive(Clone, Debug)]
pub(super) struct Acknowledged {
    /// What it is about.
    pub(super) kind: Kind,
    /// Whom it is about.
    pub(super) person: String,
    /// How its walk may end.
    pub(super) expected: Expected,
    /// When the answer came, in milliseconds of the run.
    pub(super) at_ms: u64,
}

/// What the receiver wrote back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// No whole status line.
    Nothing,
    /// A status line, written whole.
    Status {
        /// Its status.
        status: u16,
        /// Whether `Retry-After` came with it.
        retry_after: bool,
        /// When it was written, in milliseconds of the run.
        at_ms: u64,
    },
}

impl Answer {
    /// Whether it says that the request was not taken, so that it may come again.
    pub(super) const fn is_refusal(self) -> bool {
        match self {
            Self::Nothing => false,
            Self::Status {
                status,
                retry_after,
                ..
            } => status == 429 || (status == 503 && retry_after),
        }
    }

    /// Its status, if it has one.
    pub(super) const fn status(self) -> Option<u16> {
        match self {
            Self::Nothing => None,
            Self::Status { status, .. } => Some(status),
        }
    }
}

/// One request whose head came whole.
#[derive(Clone, Debug)]
pub(super) struct Request {
    /// `webhook-id`.
    pub(super) id: String,
    /// `Idempotency-Key`, as it came.
    pub(super) key: String,
    /// The kind whose port it came to.
    pub(super) kind: Kind,
    /// Method and path.
    pub(super) line: String,
    /// A hash of the body; nothing where it did not come whole or was not read.
    pub(super) body: Option<u64>,
    /// When its head was there, in milliseconds of the run.
    pub(super) at_ms: u64,
    /// What was written back.
    pub(super) answer: Answer,
}

/// What `wayfare deliveries` says of a delivery.
#[derive(Clone, Debug)]
pub(super) struct Delivery {
    /// Its journey's kind.
    pub(super) kind: Kind,
    /// The event it follows from, by the number in its URL.
    pub(super) event: u64,
    /// Method and path.
    pub(super) line: String,
    /// Where it stands.
    pub(super) state: String,
    /// Why.
    pub(super) reason: String,
    /// The status it rests on.
    pub(super) status: Option<u16>,
    /// Attempts made.
    pub(super) attempts: u64,
    /// When it was decided, by the engine's clock, in microseconds since 1970.
    pub(super) decided_us: i64,
}

/// What the ledger says of a decision.
#[derive(Clone, Debug)]
pub(super) struct Decision {
    /// Its journey's kind.
    pub(super) kind: Kind,
    /// The event it follows from; nothing where neither a key nor a delivery says it.
    pub(super) event: Option<u64>,
    /// How it ended.
    pub(super) outcome: String,
}

/// A span of the run in which a person's consent was withdrawn beyond doubt.
#[derive(Clone, Debug)]
pub(super) struct Withdrawn {
    /// Whose.
    pub(super) person: String,
    /// From when the withdrawal was acknowledged, in milliseconds of the run.
    pub(super) from_ms: u64,
    /// Until when consent was given anew.
    pub(super) until_ms: u64,
}

/// Everything the audit looks at.
#[derive(Clone, Debug, Default)]
pub(super) struct Evidence {
    /// Acknowledged events, by their number.
    pub(super) acknowledged: BTreeMap<u64, Acknowledged>,
    /// Events that never had a clear answer: what follows from them may stand or not.
    pub(super) unclear: BTreeMap<u64, Kind>,
    /// Requests, in the order in which they came.
    pub(super) requests: Vec<Request>,
    /// Deliveries, by id.
    pub(super) deliveries: BTreeMap<String, Delivery>,
    /// Decisions in the ledger, by their delivery's id.
    pub(super) decisions: BTreeMap<String, Decision>,
    /// Withdrawals.
    pub(super) withdrawn: Vec<Withdrawn>,
    /// What did not fit while the evidence was gathered, each an offence of its own.
    pub(super) noticed: Vec<String>,
}
