//! What happens to whom? A few people with several identifiers each, some of them shared: they log in,
//! look, buy, say what may be sent to them, and are told of late, early, twice and as history.

use std::collections::BTreeSet;

use wayfare_event::Timestamp;

use crate::dice::Dice;
use crate::facts::{DAY, Fed, HOUR, MINUTE, SECOND, Said, Says, Trait};
use crate::journeys::NAMES;

/// People who log in.
pub(crate) const USERS: u64 = 4;
/// Browsers, more than there are people: some are used by two.
const BROWSERS: u64 = 6;
/// Mailboxes, fewer than there are people.
const MAILBOXES: u64 = 3;
/// Lines and devices, more than somebody may have.
const LINES: u64 = 7;
const DEVICES: u64 = 3;
/// A browser in a shop, and how many people log in at it at once.
pub(crate) const KIOSK: &str = "anonymous_id:a9";
const CROWD: u64 = 9;

/// An event: what it says, and the text it comes as.
#[derive(Clone)]
pub(crate) struct Happening {
    pub(crate) fed: Fed,
    pub(crate) text: String,
}

/// What happens next, heard of at `at`; `count` is how many there were.
pub(crate) fn happen(dice: &mut Dice, at: i64, count: usize) -> Happening {
    let occurred = at + skew(dice);
    let (said, body) = body(dice, at);
    let public = dice.one_in(6);
    let message = (!dice.one_in(12)).then(|| format!("m{count}"));
    let historical = dice.one_in(40);
    let id = message
        .as_ref()
        .map(|id| format!("\"messageId\":\"{id}\","));
    let mark = if historical {
        ",\"historical\":true"
    } else {
        ""
    };
    let told = Timestamp::from_micros(occurred);
    let id = id.unwrap_or_default();
    Happening {
        fed: Fed {
            at,
            occurred,
            message,
            names: body.names,
            previous: body.previous,
            name: body.name,
            traits: body.traits,
            said,
            historical,
            public,
        },
        text: format!(
            "{{{id}{line},\"timestamp\":\"{told}\"{mark}}}",
            line = body.line
        ),
    }
}

/// How far the time that is told is from now: clocks are wrong, and news comes late.
fn skew(dice: &mut Dice) -> i64 {
    match dice.below(12) {
        0 => -dice.between(1, 5 * DAY),
        1 => -dice.between(1, 2 * HOUR),
        2 => dice.between(1, 5 * MINUTE),
        _ => -dice.between(0, SECOND),
    }
}

/// Something said at an instant, and told at once.
pub(crate) fn said((said, body): (Option<Said>, Body), at: i64, count: usize) -> Happening {
    let message = format!("m{count}");
    let told = Timestamp::from_micros(at);
    let line = body.line;
    Happening {
        text: format!("{{\"messageId\":\"{message}\",{line},\"timestamp\":\"{told}\"}}"),
        fed: Fed {
            at,
            occurred: at,
            message: Some(message),
            names: body.names,
            previous: None,
            name: body.name,
            traits: body.traits,
            said,
            historical: false,
            public: false,
        },
    }
}

/// Who somebody is, and, of most, that they say yes.
pub(crate) fn introduce(dice: &mut Dice, user: u64) -> Vec<(Option<Said>, Body)> {
    let mail = format!("e{}@example.com", user % MAILBOXES);
    let id = format!("user_id:u{user}");
    let names = BTreeSet::from([id.clone(), format!("email:{mail}")]);
    let plan = dice.one_of(&["free", "pro"]);
    let traits = vec![latest("email", &mail), latest("plan", plan)];
    let line = format!(
        "\"type\":\"identify\",\"userId\":\"u{user}\",\"traits\":{{{}}}",
        written(&traits)
    );
    let told = Body {
        names,
        traits,
        line,
        ..Body::default()
    };
    let mut lines = vec![(None, told)];
    for category in ["marketing", "analytics"] {
        if dice.one_in(5) {
            continue;
        }
        let line = format!(
            "\"type\":\"consent\",\"userId\":\"u{user}\",\"category\":\"{category}\",\"action\":\"accept\""
        );
        let names = BTreeSet::from([id.clone()]);
        let said = Said {
            category,
            accepts: true,
            subjects: vec![id.clone()],
            until: None,
        };
        let body = Body {
            names,
            line,
            ..Body::default()
        };
        lines.push((Some(said), body));
    }
    lines
}

/// Everybody who passes a shop logs in at the browser there.
pub(crate) fn crowd() -> impl Iterator<Item = Body> {
    let text = KIOSK.trim_start_matches("anonymous_id:");
    (0..CROWD).map(move |user| Body {
        names: BTreeSet::from([format!("user_id:u{user}"), KIOSK.to_owned()]),
        line: format!("\"type\":\"page\",\"userId\":\"u{user}\",\"anonymousId\":\"{text}\""),
        ..Body::default()
    })
}

/// What an operator may say of who is who: often what is not so.
pub(crate) fn order(dice: &mut Dice) -> Says {
    let user = |dice: &mut Dice| format!("user_id:u{}", dice.below(USERS));
    let thing = |dice: &mut Dice| match dice.below(8) {
        0..=3 => format!("anonymous_id:a{}", dice.below(BROWSERS)),
        4 | 5 => format!("email:e{}@example.com", dice.below(MAILBOXES)),
        6 => format!("phone:{}", line(dice.below(LINES))),
        _ => format!("device_id:d{}", dice.below(DEVICES)),
    };
    let mail = |dice: &mut Dice| format!("email:e{}@example.com", dice.below(MAILBOXES));
    match dice.below(16) {
        12 | 13 => Says::Suppress {
            address: mail(dice),
            bounced: dice.one_in(2),
        },
        14 | 15 => Says::Unsuppress(mail(dice)),
        0..=3 => Says::Merge {
            from: if dice.one_in(4) {
                thing(dice)
            } else {
                user(dice)
            },
            into: user(dice),
        },
        4..=7 => Says::Detach {
            identifier: thing(dice),
            from: user(dice),
        },
        8..=10 => Says::Detach {
            identifier: user(dice),
            from: if dice.one_in(4) {
                thing(dice)
            } else {
                user(dice)
            },
        },
        _ => Says::Unblock(KIOSK.to_owned()),
    }
}

/// Whom an operator erases.
pub(crate) fn erase(dice: &mut Dice) -> Says {
    let through = dice.one_in(3).then(|| format!("j{}", dice.below(6)));
    let identifier = anybody(dice);
    let (deletes, silences) =
        dice.one_of(&[(true, false), (true, false), (true, true), (false, true)]);
    Says::Erase {
        identifier,
        deletes,
        silences,
        through,
    }
}

/// Who may come back: mostly of those who are kept out.
pub(crate) fn readmit(dice: &mut Dice, kept_out: &[String]) -> Says {
    if kept_out.is_empty() || dice.one_in(5) {
        return Says::Readmit(anybody(dice));
    }
    Says::Readmit(kept_out[dice.place(kept_out.len())].clone())
}

/// Somebody, by an identifier of any kind.
pub(crate) fn anybody(dice: &mut Dice) -> String {
    match dice.below(6) {
        0 | 1 => format!("user_id:u{}", dice.below(USERS)),
        2 => format!("email:e{}@example.com", dice.below(MAILBOXES)),
        3 => format!("phone:{}", line(dice.below(LINES))),
        _ => format!("anonymous_id:a{}", dice.below(BROWSERS)),
    }
}

fn line(number: u64) -> String {
    format!("+49151123456{number:02}")
}

#[derive(Default)]
pub(crate) struct Body {
    names: BTreeSet<String>,
    previous: Option<String>,
    name: Option<String>,
    traits: Vec<Trait>,
    line: String,
}

fn body(dice: &mut Dice, at: i64) -> (Option<Said>, Body) {
    let (kind, (user, browser), (mut names, who)) = named(dice);
    let mailbox = if dice.one_in(5) {
        dice.below(MAILBOXES)
    } else {
        user % MAILBOXES
    };
    let mail = format!("e{mailbox}@example.com");
    let (mut said, mut name, mut previous, mut told) = (None, None, None, Vec::new());
    let line = match kind {
        0..=2 | 20 => {
            told = traits(dice, (at, &mail), (&mut names, kind == 20));
            let traits = written(&told);
            format!("\"type\":\"identify\",{who},\"traits\":{{{traits}}}")
        }
        3 => {
            let (former, line) = alias(dice, (user, browser), &mut names);
            previous = former;
            line
        }
        4..=8 => {
            let line;
            (said, line) = consent(dice, (at, &mail), (&mut names, &who));
            line
        }
        9 => format!("\"type\":\"page\",{who},\"name\":\"Pricing\""),
        21 => {
            let (group, traits) = (
                dice.below(2),
                dice.one_of(&["\"seats\":3", "\"plan\":\"team\""]),
            );
            format!("\"type\":\"group\",{who},\"groupId\":\"g{group}\",\"traits\":{{{traits}}}")
        }
        22 => {
            let device = format!("d{}", dice.below(DEVICES));
            names.insert(format!("device_id:{device}"));
            let context = format!("{{\"device\":{{\"id\":\"{device}\",\"type\":\"ios\"}}}}");
            format!("\"type\":\"screen\",{who},\"name\":\"Start\",\"context\":{context}")
        }
        _ => {
            let event = dice.one_of(&NAMES);
            name = Some(event.to_owned());
            let (session, n) = (dice.below(3), dice.below(4));
            format!(
                "\"type\":\"track\",{who},\"event\":\"{event}\",\"properties\":{{\"session\":\"s{session}\",\"n\":{n}}}"
            )
        }
    };
    let body = Body {
        names,
        previous,
        name,
        traits: told,
        line,
    };
    (said, body)
}

/// What happens, and who is named: a user and a browser, and the fields that name them.
fn named(dice: &mut Dice) -> (u64, (u64, u64), (BTreeSet<String>, String)) {
    let (mut names, mut who) = (BTreeSet::new(), Vec::new());
    let user = dice.below(USERS);
    let browser = match dice.below(40) {
        0..=7 => dice.below(BROWSERS),
        8 => 9,
        _ => user,
    };
    let kind = dice.below(24);
    let has_user = kind <= 5 || dice.one_in(2);
    let has_browser = !has_user || dice.one_in(2);
    if has_user {
        names.insert(format!("user_id:u{user}"));
        who.push(format!("\"userId\":\"u{user}\""));
    }
    if has_browser {
        names.insert(format!("anonymous_id:a{browser}"));
        who.push(format!("\"anonymousId\":\"a{browser}\""));
    }
    (kind, (user, browser), (names, who.join(",")))
}

/// What somebody tells of themselves; now and then that something is so no more.
fn traits(
    dice: &mut Dice,
    (at, mail): (i64, &str),
    (names, has_phone): (&mut BTreeSet<String>, bool),
) -> Vec<Trait> {
    let mut traits = Vec::new();
    if has_phone {
        let number = line(dice.below(LINES));
        names.insert(format!("phone:{number}"));
        traits.push(latest("phone", &number));
    }
    if dice.one_in(4) {
        let (name, value) =
            dice.one_of(&[("referrer", "ad"), ("referrer", "web"), ("plan", "first")]);
        traits.push(Trait {
            is_once: true,
            ..latest(name, value)
        });
    }
    if dice.one_in(2) {
        names.insert(format!("email:{mail}"));
        traits.push(latest("email", mail));
    }
    if dice.one_in(2) {
        traits.push(latest("plan", dice.one_of(&["free", "pro", "gone"])));
    }
    if dice.one_in(3) {
        let ends = Timestamp::from_micros(at + dice.between(-HOUR, 2 * DAY));
        traits.push(latest("endsAt", &ends.to_string()));
    }
    if dice.one_in(8) {
        let name = dice.one_of(&["plan", "endsAt", "referrer"]);
        traits.retain(|told| told.name != name || told.is_once);
        traits.push(Trait {
            name,
            value: None,
            is_once: false,
        });
    }
    traits
}

fn latest(name: &'static str, value: &str) -> Trait {
    Trait {
        name,
        value: Some(format!("\"{value}\"")),
        is_once: false,
    }
}

/// Traits as they are written in an event.
fn written(traits: &[Trait]) -> String {
    let write = |told: &Trait| {
        let pair = format!(
            "\"{}\":{}",
            told.name,
            told.value.as_deref().unwrap_or("null")
        );
        if told.is_once {
            format!("\"$set_once\":{{{pair}}}")
        } else {
            pair
        }
    };
    let traits: Vec<String> = traits.iter().map(write).collect();
    traits.join(",")
}

/// An alias of a user; the former id, unless it is the user itself.
fn alias(
    dice: &mut Dice,
    (user, browser): (u64, u64),
    names: &mut BTreeSet<String>,
) -> (Option<String>, String) {
    names.retain(|it| !it.starts_with("anonymous"));
    let mut former = format!("a{browser}");
    if dice.one_in(4) {
        // Another user, or one who may become one.
        former = format!("u{}", (user + 1 + dice.below(4)) % (USERS + 2));
    }
    let is_other = former != format!("u{user}");
    let previous = is_other.then(|| format!("anonymous_id:{former}"));
    names.extend(previous.clone());
    let who = format!("\"userId\":\"u{user}\",\"previousId\":\"{former}\"");
    (previous, format!("\"type\":\"alias\",{who}"))
}

fn consent(
    dice: &mut Dice,
    (at, mail): (i64, &str),
    (names, who): (&mut BTreeSet<String>, &str),
) -> (Option<Said>, String) {
    let category = dice.one_of(&["marketing", "marketing", "marketing", "analytics"]);
    let accepts = !dice.one_in(3);
    let action = if accepts { "accept" } else { "decline" };
    let by_mail = !dice.one_in(3);
    let mut who = who.to_owned();
    // The user, if one is named, else the browser.
    let user = names.iter().find(|it| it.starts_with("user_id"));
    let own = user.or_else(|| names.first()).cloned();
    let mut subjects: Vec<String> = own.into_iter().collect();
    if by_mail {
        if dice.one_in(2) {
            names.clear();
            who.clear();
            subjects.clear();
        } else {
            who.push(',');
        }
        names.insert(format!("email:{mail}"));
        who = format!("{who}\"email\":\"{mail}\"");
        // A no about the person stays theirs, whatever address comes with it.
        if accepts || category == "marketing" {
            subjects.clear();
        }
        subjects.push(format!("email:{mail}"));
    }
    let until = (accepts && dice.one_in(4)).then(|| at + dice.between(HOUR, 4 * DAY));
    let ends = until.map(|until| {
        let until = Timestamp::from_micros(until);
        format!(",\"validUntil\":\"{until}\"")
    });
    let ends = ends.unwrap_or_default();
    let line = format!(
        "\"type\":\"consent\",{who},\"category\":\"{category}\",\"action\":\"{action}\"{ends}"
    );
    let said = Said {
        category,
        accepts,
        subjects,
        until,
    };
    (Some(said), line)
}
