//! What does a journey file say? Each part as written, with the place it was written at. Not here:
//! whether it makes sense (`compile`).

mod trigger;
mod webhook;

use crate::diagnostic::Span;
pub use trigger::{Entry, EventName, Exit, Heard, Trigger, TriggerOn};
pub use webhook::{
    Auth, Basis, Consent, DeliveryMode, IdentityNeed, Method, Secret, Tree, Url, Webhook,
};

/// A text of the file and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// The text, quotes and escapes undone.
    pub value: String,
    /// Where it stands, quotes included.
    pub span: Span,
}

/// A journey file, as its author wrote it.
#[derive(Clone, Debug, PartialEq)]
pub struct Definition {
    /// `journey:`, its id.
    pub id: Text,
    /// `title:`, for people and payloads.
    pub title: Option<Text>,
    /// `description:`.
    pub description: Option<Text>,
    /// `trigger:`.
    pub trigger: Trigger,
    /// `entry:`.
    pub entry: Entry,
    /// `exit:`, the ways out from any block.
    pub exits: Vec<Exit>,
    /// `start:`.
    pub start: Option<Text>,
    /// `life:`, how long an instance lives at most.
    pub life: Option<Text>,
    /// `visits:`, how often an instance may come to one block.
    pub visits: Option<Whole>,
    /// `migrate:`, where instances of earlier versions go on.
    pub migrate: Option<Migrate>,
    /// `blocks:`, in the file's order.
    pub blocks: Vec<Block>,
}

/// A whole number of the file and where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Whole {
    /// The number.
    pub value: i64,
    /// Where it stands.
    pub span: Span,
}

/// Where instances of earlier versions go on.
#[derive(Clone, Debug, PartialEq)]
pub struct Migrate {
    /// `from:`: these versions; all of them, without one.
    pub from: Option<Vec<Text>>,
    /// `map:`, old blocks and the new ones in their place.
    pub map: Vec<(Text, Text)>,
}

/// A block.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    /// Its key.
    pub key: Text,
    /// What it does.
    pub kind: BlockKind,
    /// `then:`, beside the kind.
    pub then: Option<Text>,
    /// Where its kind stands.
    pub span: Span,
}

/// What a block does.
#[derive(Clone, Debug, PartialEq)]
pub enum BlockKind {
    /// The first arm that holds wins.
    Decide(Vec<Arm>),
    /// One of several ways by chance, the same one for the same subject.
    Split(Split),
    /// Waits a duration.
    Pause(Text),
    /// Waits until a time of day.
    UntilTime(UntilTime),
    /// Waits until a date.
    UntilDate(UntilDate),
    /// Waits for the first of several things.
    Wait(WaitFor),
    /// Writes traits of the profile, each with the value it gets.
    Update(Vec<(Text, Tree)>),
    /// Sends one request. Terminal.
    Webhook(Box<Webhook>),
    /// Ends without a request. Terminal.
    Exit(Text),
}

/// One arm of a `decide`.
#[derive(Clone, Debug, PartialEq)]
pub struct Arm {
    /// `when:`; `else:` has none.
    pub when: Option<Text>,
    /// The successor.
    pub then: Text,
    /// Where the arm stands.
    pub span: Span,
}

/// A choice by chance.
#[derive(Clone, Debug, PartialEq)]
pub struct Split {
    /// The arms, in order.
    pub arms: Vec<SplitArm>,
    /// `salt:`, beside the kind.
    pub salt: Option<Text>,
}

/// One arm of a [`Split`].
#[derive(Clone, Debug, PartialEq)]
pub struct SplitArm {
    /// `arm:`, its name.
    pub name: Text,
    /// `weight:`.
    pub weight: Whole,
    /// `then:`.
    pub then: Text,
    /// `holdout: true`: what its webhooks decide is not sent.
    pub holdout: bool,
}

/// A wait until a time of day.
#[derive(Clone, Debug, PartialEq)]
pub struct UntilTime {
    /// `until:`, such as `09:00`.
    pub time: Text,
    /// `zone:`, a zone's name or an expression.
    pub zone: Option<Text>,
    /// `zone_default:`, where the expression names none.
    pub zone_default: Option<Text>,
    /// `days:`; every day, without them.
    pub days: Option<Days>,
    /// `grace:`, how long after the time somebody passes at once.
    pub grace: Option<Text>,
    /// Where `until:` stands.
    pub span: Span,
}

/// Days of the week.
#[derive(Clone, Debug, PartialEq)]
pub struct Days {
    /// Days, and ranges of them.
    pub items: Vec<Text>,
    /// Where the list stands.
    pub span: Span,
}

/// A wait until a date.
#[derive(Clone, Debug, PartialEq)]
pub struct UntilDate {
    /// `until:`, an expression.
    pub date: Text,
    /// `offset:`, a signed duration.
    pub offset: Option<Text>,
    /// `missing:`, the block for no date.
    pub missing: Option<Text>,
    /// Where `until:` stands.
    pub span: Span,
}

/// A wait for events or conditions.
#[derive(Clone, Debug, PartialEq)]
pub struct WaitFor {
    /// What ends it, in order.
    pub items: Vec<WaitItem>,
    /// `timeout:`.
    pub timeout: Option<Text>,
}

/// One thing that ends a wait.
#[derive(Clone, Debug, PartialEq)]
pub struct WaitItem {
    /// What is waited for.
    pub on: Heard,
    /// `as:`, the name the event has in blocks ahead.
    pub name: Option<Text>,
    /// `then:`.
    pub then: Text,
}
