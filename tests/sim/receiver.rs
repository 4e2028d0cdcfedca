//! How do receivers behave? Each of the eighteen ways of the failure matrix, as seen from both ends:
//! what came in there, whether it acted, and what whoever sent it sees of that.

use crate::dice::Dice;
use crate::facts::{Ended, HOUR, SECOND};

/// What becomes of one request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fate {
    /// Whether a byte of it arrives.
    pub(crate) first_byte: bool,
    /// Whether the receiver acts on it.
    pub(crate) acts: bool,
    /// What the sender sees.
    pub(crate) ended: Ended,
    /// Why there was no status line, or the request did not leave.
    pub(crate) why: &'static str,
    /// How long until the sender sees it.
    pub(crate) takes: i64,
}

/// The ways a receiver may behave, from 1.
pub(crate) const WAYS: u8 = 18;

/// What becomes of a request to a receiver that behaves this way.
pub(crate) fn fate(dice: &mut Dice, way: u8) -> Fate {
    let status = |status| Ended::Status {
        status,
        retry_after: None,
    };
    let busy = |status, seconds| Ended::Status {
        status,
        retry_after: Some(seconds),
    };
    let answers = |acts, ended| Fate {
        first_byte: true,
        acts,
        ended,
        why: "",
        takes: SECOND,
    };
    let silent = |acts, why| Fate {
        ended: Ended::NoStatus,
        why,
        ..answers(acts, Ended::NoStatus)
    };
    match way {
        1 => answers(true, status(dice.one_of(&[200, 201, 204]))),
        2 => Fate {
            takes: 10 * SECOND,
            ..silent(true, "timeout")
        },
        3 => Fate {
            takes: 10 * SECOND,
            ..silent(false, "timeout")
        },
        4 => silent(true, "connection"),
        5 => silent(false, "connection"),
        6 => answers(false, status(dice.one_of(&[400, 401, 403, 404, 415, 422]))),
        7 => answers(false, status(dice.one_of(&[500, 502, 504]))),
        8 => answers(true, status(500)),
        9 => answers(false, busy(dice.one_of(&[429, 503]), dice.between(1, 60))),
        10 => answers(
            false,
            busy(429, 20 * HOUR / SECOND + dice.between(1, 3_600)),
        ),
        11 => answers(false, status(410)),
        12 => answers(false, status(dice.one_of(&[301, 302, 307]))),
        13 => Fate {
            takes: 9 * SECOND,
            ..answers(true, status(200))
        },
        14 => answers(true, status(200)),
        15 => answers(false, status(409)),
        16 => silent(dice.one_in(2), "garbage"),
        17 if dice.one_in(2) => answers(false, status(413)),
        17 => silent(false, "connection"),
        _ => Fate {
            first_byte: false,
            acts: false,
            ended: Ended::NotSent,
            why: dice.one_of(&["refused", "connect_timeout", "tls", "not_dialled"]),
            takes: SECOND,
        },
    }
}
