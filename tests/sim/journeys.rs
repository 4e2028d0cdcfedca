//! Which journeys are there? Made by chance from a grammar: every trigger, every kind of block, every
//! form of consent and of entry. Each comes as the file an author would write and as what that file
//! means, told without the engine's help.

use std::fmt::Write as _;

use crate::dice::Dice;
use crate::facts::{Again, Asks, Block, DAY, HOUR, Journey, MINUTE, Trigger, Webhook};

/// Track events that happen.
pub(crate) const NAMES: [&str; 4] = ["began", "bought", "left", "looked"];
/// Hosts that requests go to.
pub(crate) const HOSTS: u64 = 3;

/// The line by which a journey takes over who is inside its earlier versions.
pub(crate) const TAKES_OVER: &str = "migrate: { from: any }\n";

/// A journey's file, and what it means.
pub(crate) struct Written {
    pub(crate) facts: Journey,
    pub(crate) source: String,
}

/// Blocks on the way to the last one, and the lines they are written in.
#[derive(Default)]
struct Way {
    blocks: Vec<(String, Block)>,
    lines: String,
    /// Whether somebody may leave it before its end.
    has_exit: bool,
    /// Whether something is judged or waited for on every way through.
    is_decided: bool,
}

/// A journey with this id; `others` are those whose deliveries it may start from.
pub(crate) fn write(dice: &mut Dice, id: &str, others: &[String]) -> Written {
    let (trigger, trigger_line) = trigger(dice, others);
    let (again, again_word) = again(dice, &trigger);
    let by_event = matches!(trigger, Trigger::Event { .. });
    let keyed = by_event && dice.one_in(4);
    let limit = dice.one_in(8).then_some((3, HOUR));
    let sends = !dice.one_in(8);
    let mut way = middle(dice, id, if sends { "send" } else { "out" });
    if sends {
        let is_free = matches!(again, Again::AfterExit | Again::Always);
        let asks = matches!(trigger, Trigger::Event { asks: true, .. });
        let needs_when = by_event && is_free && !asks && !way.is_decided;
        send(dice, &mut way, (id, &trigger, needs_when));
    }
    if way.has_exit || !sends {
        way.blocks.push(("out".to_owned(), Block::Exit));
        way.lines.push_str("  out: { exit: over }\n");
    }
    let mut source = format!("journey: {id}\ndescription: Made by chance.\n{trigger_line}");
    if dice.one_in(3) {
        source.push_str(TAKES_OVER);
    }
    let key = if keyed {
        ", key: properties.session"
    } else {
        ""
    };
    let limited = limit.map_or("", |_| ", limit: 3/h");
    writeln!(source, "entry: {{ again: {again_word}{key}{limited} }}").unwrap();
    if dice.one_in(4) {
        source.push_str("exit:\n  - { event: left, reason: gone }\n");
    } else if dice.one_in(8) {
        source.push_str("exit:\n  - { when: profile.plan == \"gone\", reason: gone }\n");
    }
    write!(source, "blocks:\n{}", way.lines).unwrap();
    let facts = Journey {
        id: id.to_owned(),
        trigger,
        again,
        keyed,
        limit,
        blocks: way.blocks,
    };
    Written { facts, source }
}

fn trigger(dice: &mut Dice, others: &[String]) -> (Trigger, String) {
    let kind = dice.below(if others.is_empty() { 11 } else { 13 });
    match kind {
        0..=5 => {
            let name = dice.one_of(&NAMES);
            let asks = dice.one_in(3);
            let condition = if asks {
                ", where: properties.n > 1"
            } else {
                ""
            };
            let line = format!("trigger: {{ event: {name}{condition} }}\n");
            let name = name.to_owned();
            (Trigger::Event { name, asks }, line)
        }
        6 => {
            let line = "trigger: { trait: plan, where: change.current != null }\n".to_owned();
            (Trigger::Trait, line)
        }
        7 | 8 => {
            let declines = dice.one_in(2);
            let action = if declines { "decline" } else { "accept" };
            let line =
                format!("trigger:\n  consent: {{ category: marketing, action: {action} }}\n");
            (Trigger::Consent { declines }, line)
        }
        9 => {
            let minutes = dice.one_of(&["*/20", "5", "*/7"]);
            let asks = dice.one_of(&["", ", where: profile.plan != null"]);
            let line =
                format!("trigger: {{ schedule: {{ cron: \"{minutes} * * * *\" }}{asks} }}\n");
            (Trigger::Schedule, line)
        }
        10 => {
            let offset = dice.one_of(&["-1h", "5m", "30m"]);
            let line = format!("trigger: {{ date: profile.endsAt, offset: {offset} }}\n");
            (Trigger::Date, line)
        }
        _ => {
            let of = &others[dice.place(others.len())];
            let state = dice.one_of(&["delivered", "rejected", "unknown", "expired", "withheld"]);
            let line = format!(
                "trigger: {{ delivery: {{ journey: {of}, block: send, state: {state} }} }}\n"
            );
            (Trigger::Delivery, line)
        }
    }
}

fn again(dice: &mut Dice, trigger: &Trigger) -> (Again, &'static str) {
    match dice.below(7) {
        0..=2 => (Again::Once, "once"),
        3 => (Again::AfterExit, "after_exit"),
        4 => (Again::Every(90 * MINUTE), "90m"),
        5 => (Again::Every(3 * DAY), "3d"),
        // Who looks at everybody again and again ends at its limit and nowhere else.
        _ if *trigger == Trigger::Schedule => (Again::AfterExit, "after_exit"),
        _ => (Again::Always, "always"),
    }
}

/// Up to three blocks, one after the other, and then `end`.
fn middle(dice: &mut Dice, id: &str, end: &str) -> Way {
    let mut way = Way::default();
    let count = dice.below(4);
    for place in 0..count {
        let name = format!("b{place}");
        let next = if place + 1 == count {
            end.to_owned()
        } else {
            format!("b{}", place + 1)
        };
        let block = one(dice, &mut way, (&name, &next), id);
        way.blocks.push((name, block));
    }
    way
}

fn one(dice: &mut Dice, way: &mut Way, (name, next): (&str, &str), id: &str) -> Block {
    let (block, line) = match dice.below(9) {
        0 | 1 => {
            let (us, word) = pause(dice);
            (
                Block::Pause(us),
                format!("{{ wait: {word}, then: {next} }}"),
            )
        }
        2 | 3 => {
            way.is_decided = true;
            let (us, word) = pause(dice);
            let heard = dice.one_of(&NAMES);
            let to = if dice.one_in(2) { next } else { "out" };
            way.has_exit |= to == "out";
            let also = if dice.one_in(3) {
                format!(", {{ when: profile.plan == \"pro\", then: {next} }}")
            } else {
                String::new()
            };
            let line = format!(
                "\n    wait: {{ for: [{{ event: {heard}, then: {to} }}{also}], timeout: {word} }}\n    then: {next}"
            );
            (Block::For(us), line)
        }
        4 => {
            way.is_decided = true;
            way.has_exit = true;
            let condition = dice.one_of(&["profile.plan == \"pro\"", "count(\"bought\") >= 1"]);
            let line = format!(
                "\n    decide:\n      - when: '{condition}'\n        then: {next}\n      - else: out"
            );
            (Block::Decide, line)
        }
        5 => {
            let hold = if dice.one_in(2) {
                ", holdout: true"
            } else {
                ""
            };
            let line = format!(
                "\n    split:\n      - {{ arm: a, weight: 3, then: {next} }}\n      - {{ arm: b, weight: 1, then: {next}{hold} }}"
            );
            (Block::Split, line)
        }
        6 => {
            let name = format!("mark_{id}");
            let line =
                format!("{{ update: {{ profile: {{ {name}: \"{{now}}\" }} }}, then: {next} }}");
            (Block::Update(name), line)
        }
        7 => {
            let line = format!(
                "{{ wait: {{ until: \"09:00\", zone: Europe/Berlin, grace: 1h }}, then: {next} }}"
            );
            (Block::UntilTime, line)
        }
        _ => {
            way.has_exit = true;
            let line = format!(
                "{{ wait: {{ until: profile.endsAt, offset: 1h, missing: out }}, then: {next} }}"
            );
            (Block::UntilDate, line)
        }
    };
    writeln!(way.lines, "  {name}: {line}").unwrap();
    block
}

fn pause(dice: &mut Dice) -> (i64, &'static str) {
    dice.one_of(&[
        (5 * MINUTE, "5m"),
        (30 * MINUTE, "30m"),
        (HOUR, "1h"),
        (36 * HOUR, "36h"),
        (3 * DAY, "3d"),
    ])
}

fn send(dice: &mut Dice, way: &mut Way, (id, trigger, needs_when): (&str, &Trigger, bool)) {
    let method = dice.one_of(&["POST", "POST", "PUT", "DELETE"]);
    let host = dice.below(HOSTS);
    let path = dice.one_of(&["all", "people/{profileId}", "mail/{email}"]);
    let by_decline = matches!(trigger, Trigger::Consent { declines: true });
    let (consent, written) = match dice.below(6) {
        0 | 1 if !by_decline => (Asks::Accept("marketing"), "marketing"),
        2 if !by_decline => (Asks::Accept("analytics"), "analytics"),
        0..=3 => (
            Asks::Decline("marketing"),
            "{ category: marketing, action: decline }",
        ),
        4 => (Asks::Accept("essential"), "essential"),
        5 if dice.one_in(2) => (
            Asks::Basis,
            "{ basis: contract, because: it is a simulation, address: profile.email }",
        ),
        _ => (
            Asks::Basis,
            "{ basis: contract, because: it is a simulation }",
        ),
    };
    let once = !dice.one_in(3);
    let (window_us, window) =
        dice.one_of(&[(15 * MINUTE, "15m"), (2 * MINUTE, "2m"), (12 * HOUR, "12h")]);
    let session = match trigger {
        Trigger::Event { .. } => ", s: \"{trigger.properties.session}\"",
        Trigger::Trait
        | Trigger::Consent { .. }
        | Trigger::Schedule
        | Trigger::Date
        | Trigger::Delivery => "",
    };
    let payload = if method == "DELETE" {
        "none".to_owned()
    } else {
        format!(
            "{{ j: {id}, p: \"{{profile.profileId}}\", at: \"{{now}}\", plan: \"{{profile.plan}}\"{session} }}"
        )
    };
    let lines = &mut way.lines;
    writeln!(lines, "  send:\n    webhook:\n      method: {method}").unwrap();
    writeln!(lines, "      url: https://h{host}.example.com/{path}").unwrap();
    writeln!(lines, "      consent: {written}\n      window: {window}").unwrap();
    if needs_when || dice.one_in(6) {
        lines.push_str("      when: 'profile.plan != \"gone\"'\n");
    }
    if dice.one_in(2) {
        lines.push_str("      identity: any\n");
    }
    if !once {
        lines.push_str("      delivery: at_least_once\n");
    }
    writeln!(lines, "      payload: {payload}").unwrap();
    let webhook = Webhook {
        method,
        once,
        consent,
        window_us,
        varied: path.contains('{'),
    };
    way.blocks
        .push(("send".to_owned(), Block::Webhook(webhook)));
}
