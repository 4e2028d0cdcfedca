//! What does a receiver do with a request? Takes it at once, or any of the ways to be unkind.

use crate::chance::Chance;

/// One way to treat a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::torture) enum Behaviour {
    /// Answers 204 at once.
    Prompt,
    /// Answers 204 after 300 ms.
    Slow,
    /// Reads everything and never answers.
    Stall,
    /// Resets the connection with the body unread.
    ResetUnread,
    /// Reads everything, then resets the connection.
    ResetRead,
    /// Reads half of the body, then hangs up.
    Half,
    /// Answers with this status, and with `Retry-After` if so.
    Status(u16, bool),
    /// Writes what is no HTTP.
    Garbage,
    /// Answers 200 and never ends the body.
    BodyStalls,
    /// Answers 204, its status line and headers in pieces over a second.
    Pieces,
    /// Begins a status line that never ends.
    HalfStatus,
}

/// The ways, and how many in a hundred are treated so; the rest is treated well.
const UNKIND: [(Behaviour, u64); 17] = [
    (Behaviour::Slow, 10),
    (Behaviour::Stall, 3),
    (Behaviour::ResetUnread, 3),
    (Behaviour::ResetRead, 3),
    (Behaviour::Half, 2),
    (Behaviour::Status(500, false), 2),
    (Behaviour::Status(502, false), 1),
    (Behaviour::Status(503, true), 4),
    (Behaviour::Status(503, false), 1),
    (Behaviour::Status(429, false), 4),
    (Behaviour::Status(302, false), 1),
    (Behaviour::Status(410, false), 1),
    (Behaviour::Status(422, false), 1),
    (Behaviour::Garbage, 1),
    (Behaviour::BodyStalls, 1),
    (Behaviour::Pieces, 1),
    (Behaviour::HalfStatus, 1),
];

impl Behaviour {
    /// One of them, drawn.
    pub(super) fn drawn(chance: &mut Chance) -> Self {
        let mut roll = chance.below(100);
        for (behaviour, often) in UNKIND {
            if roll < often {
                return behaviour;
            }
            roll -= often;
        }
        Self::Prompt
    }
}
