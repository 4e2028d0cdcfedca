//! What do people do, one event after another? Drawn from a seed; what each event must lead to is
//! known before it is sent.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::chance::Chance;
use crate::torture::evidence::{Expected, Kind};

/// People of one feeder whose consent changes.
const PEOPLE: u64 = 15;
/// Accounts that plans are about: several requests to one target.
const ACCOUNTS: u64 = 300;
/// Events that concern no journey, sent together.
const NOISE: u64 = 20;
/// How long after its trial somebody buys, in milliseconds; the journey waits two seconds.
const BOUGHT_AFTER_MS: u64 = 1_000;
/// Bytes that make an event as large as an usual one.
const PAD: &str = "a line of text as it stands in the properties of an event that a shop's page sends, \
                   with a name, a price, a currency and where somebody came from";

/// The number of the next event, over all feeders.
static NEXT: AtomicU64 = AtomicU64::new(1);

/// Some events sent together.
#[derive(Debug, Default)]
pub(super) struct Parcel {
    /// As JSON, with their types.
    pub(super) events: Vec<(&'static str, String)>,
    /// What follows from them: the event's number, its kind, whom it is about and how it may end.
    pub(super) owed: Vec<(u64, Kind, String, Expected)>,
    /// Consent that it changes, and whose.
    pub(super) consent: Option<(String, bool)>,
}

/// What one feeder's people do.
#[derive(Debug)]
pub(super) struct Story {
    /// The one kind there is, beside noise; all of them, without.
    only: Option<Kind>,
    feeder: u64,
    chance: Chance,
    /// Whether each person consents; nothing for whom nobody knows yet.
    people: Vec<Option<bool>>,
    /// Who will buy, and when.
    buyers: VecDeque<(u64, String)>,
}

impl Story {
    pub(super) fn of(only: Option<Kind>, feeder: u64, chance: Chance) -> Self {
        Self {
            only,
            feeder,
            chance,
            people: (0..PEOPLE).map(|_| None).collect(),
            buyers: VecDeque::new(),
        }
    }

    /// Whether a parcel is sent once more although it was answered.
    pub(super) fn repeats(&mut self) -> bool {
        self.chance.percent(4)
    }

    /// What happens next; only noise while much is owed.
    pub(super) fn next(&mut self, now_ms: u64, is_much_owed: bool) -> Parcel {
        if self.buyers.front().is_some_and(|(due, _)| *due <= now_ms)
            && let Some((_, person)) = self.buyers.pop_front()
        {
            let eid = person.trim_start_matches('t');
            let said =
                format!(r#""userId":"{person}","event":"bought","properties":{{"eid":"{eid}"}}"#);
            return Parcel {
                events: vec![track(fresh(), &said)],
                ..Parcel::default()
            };
        }
        if let Some(kind) = self.only {
            return match self.chance.below(10) {
                0 => self.of_kind(kind),
                _ => self.noise(1),
            };
        }
        match self.chance.below(100) {
            _ if is_much_owed => self.noise(NOISE),
            0..=19 => self.noise(NOISE),
            20..=34 => self.several(),
            35..=69 => self.simple(),
            70..=79 => self.trial(now_ms),
            _ => self.consenting(),
        }
    }

    /// A single event whose webhook is owed at once.
    fn simple(&mut self) -> Parcel {
        let kind = self.immediate();
        self.of_kind(kind)
    }

    /// A few of them in a batch.
    fn several(&mut self) -> Parcel {
        let mut parcel = Parcel::default();
        for _ in 0..2 + self.chance.below(5) {
            let kind = self.immediate();
            self.add(kind, &mut parcel);
        }
        parcel
    }

    fn of_kind(&mut self, kind: Kind) -> Parcel {
        let mut parcel = Parcel::default();
        self.add(kind, &mut parcel);
        parcel
    }

    fn immediate(&mut self) -> Kind {
        match self.chance.below(10) {
            0..=3 => Kind::Lead,
            4..=5 => Kind::Invoice,
            6..=7 => Kind::Plan,
            _ => Kind::Removal,
        }
    }

    fn add(&mut self, kind: Kind, parcel: &mut Parcel) {
        let eid = fresh();
        let person = format!("u{}", self.chance.below(50_000));
        let account = format!("a{}", self.chance.below(ACCOUNTS));
        parcel.events.push(about(kind, eid, (&person, &account)));
        parcel.owed.push((eid, kind, person, Expected::Webhook));
    }

    fn trial(&mut self, now_ms: u64) -> Parcel {
        let eid = fresh();
        let person = format!("t{eid}");
        let buys = self.chance.percent(50);
        let expected = if buys {
            self.buyers
                .push_back((now_ms + BOUGHT_AFTER_MS, person.clone()));
            Expected::WebhookOrExit
        } else {
            Expected::Webhook
        };
        Parcel {
            events: vec![about(Kind::Trial, eid, (&person, ""))],
            owed: vec![(eid, Kind::Trial, person, expected)],
            consent: None,
        }
    }

    /// Somebody whose consent is known is made an offer, or changes their mind.
    fn consenting(&mut self) -> Parcel {
        let number = self.chance.below(PEOPLE);
        let person = format!("c{}-{number}", self.feeder);
        let place = usize::try_from(number).unwrap_or(0);
        let stands = self.people.get(place).copied().flatten();
        let changes = stands.is_none() || self.chance.percent(20);
        let Some(consents) = stands.filter(|_| !changes) else {
            let accepts = !stands.unwrap_or(false);
            if let Some(kept) = self.people.get_mut(place) {
                *kept = Some(accepts);
            }
            return consent(person, (accepts, stands.is_none()));
        };
        let eid = fresh();
        let kind = if self.chance.percent(50) {
            Kind::Offer
        } else {
            Kind::Reminder
        };
        let expected = if consents {
            Expected::Webhook
        } else {
            Expected::Suppressed
        };
        Parcel {
            events: vec![about(kind, eid, (&person, ""))],
            owed: vec![(eid, kind, person, expected)],
            consent: None,
        }
    }

    fn noise(&mut self, count: u64) -> Parcel {
        let mut events = Vec::new();
        for _ in 0..count {
            let person = self.chance.below(50_000);
            let said = format!(
                r#""userId":"u{person}","event":"Page Viewed","properties":{{"text":"{PAD}"}}"#
            );
            events.push(track(fresh(), &said));
        }
        Parcel {
            events,
            ..Parcel::default()
        }
    }
}

fn consent(person: String, (accepts, is_new): (bool, bool)) -> Parcel {
    let action = if accepts { "accept" } else { "decline" };
    let email = format!("{person}@example.com");
    let mut events = Vec::new();
    if is_new {
        let id = fresh();
        let said = format!(
            r#"{{"messageId":"m{id}","type":"identify","userId":"{person}","traits":{{"email":"{email}"}}}}"#
        );
        events.push(("identify", said));
    }
    let id = fresh();
    let said = format!(
        r#"{{"messageId":"m{id}","type":"consent","userId":"{person}","email":"{email}","category":"marketing","action":"{action}"}}"#
    );
    events.push(("consent", said));
    Parcel {
        events,
        owed: Vec::new(),
        consent: Some((person, accepts)),
    }
}

fn fresh() -> u64 {
    NEXT.fetch_add(1, Ordering::Relaxed)
}

fn track(id: u64, said: &str) -> (&'static str, String) {
    let event = format!(r#"{{"messageId":"m{id}","type":"track",{said}}}"#);
    ("track", event)
}

/// The event that a kind's journey takes.
fn about(kind: Kind, eid: u64, (person, account): (&str, &str)) -> (&'static str, String) {
    let event = kind.journey();
    let said = format!(
        r#""userId":"{person}","event":"{event}","properties":{{"eid":"{eid}","amount":150,"account":"{account}","text":"{PAD}"}}"#
    );
    track(eid, &said)
}
