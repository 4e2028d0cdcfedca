//! What does it cost to tell who it was, and whether we may, as the number of profiles grows? Resolving
//! and evaluating alone: no store, no journeys. Merges by the size of what is merged.

use std::hint::black_box;

use anyhow::ensure;
use clap::Args;
use wayfare_consent::{Question, Record, Said, evaluate};
use wayfare_event::{ConsentAction, Event, IdKey, Identifier, ProfileId, Timestamp};
use wayfare_identity::{
    Config, Links, Named, Trust, attribute, extract, link, reach, resolve, settled,
};

use crate::chance::Chance;
use crate::measure::{Spread, each_ns, timed};
use crate::say;

/// Profiles of the smallest population, which the others are compared with.
const FEWEST: u64 = 1_000;
/// Events of a round.
const EVENTS: u32 = 20_000;
/// Rounds, of which the middle counts.
const ROUNDS: u32 = 9;
/// Identifiers that are merged at once.
const COMPONENTS: [u64; 4] = [1, 10, 100, 900];
/// Merges of a round.
const MERGES: u32 = 40;
/// Records that a verdict looks at.
const RECORDS: [i64; 4] = [0, 1, 5, 10];

/// The arguments of `wayfare-bench people`.
#[derive(Debug, Args)]
pub(crate) struct People {
    /// Profiles of the largest population; ten million take some 6 GB.
    #[arg(long, default_value_t = 1_000_000)]
    most: u64,
}

/// Measures and prints.
pub(crate) fn measure(wanted: &People) -> anyhow::Result<()> {
    let mut links = Links::new();
    let mut count = 0;
    let mut first: Option<[f64; 2]> = None;
    say(&format!(
        "{:>10}  {:>32}  {:>32}",
        "profiles", "resolve, looked up, ns", "resolve, at hand, ns"
    ))?;
    let mut size = FEWEST;
    while size <= wanted.most {
        for number in count..size {
            add(&mut links, &both(number)?);
        }
        count = size;
        let spreads = [among(&links, size)?, at_hand(&links, size)?];
        let medians = spreads.map(|spread| spread.median);
        let base = *first.get_or_insert(medians);
        let ratio = |place: usize| {
            let of = |all: [f64; 2]| all.get(place).copied().unwrap_or(1.0);
            of(medians) / of(base)
        };
        let [looked_up, held] = spreads;
        say(&format!(
            "{size:>10}  {looked_up}  {:.2}x  {held}  {:.2}x",
            ratio(0),
            ratio(1)
        ))?;
        merges(&links, size)?;
        size *= 10;
    }
    evaluations()
}

fn user(number: u64) -> String {
    format!("user-{number}")
}

fn browser(number: u64) -> String {
    format!("browser-{number}")
}

/// A person with a browser, each named twice.
fn add(links: &mut Links, named: &Named) {
    for at_us in [0, 1_000] {
        let at = Timestamp::from_micros(at_us);
        for change in link(&Config::default(), links, named, Trust::Verified, at) {
            links.apply(&change);
        }
    }
}

fn named(fields: &str) -> anyhow::Result<Named> {
    let event = Event::parse(&format!(r#"{{"type":"identify",{fields}}}"#), None)?;
    Ok(extract(&Config::default(), &event)?)
}

fn both(number: u64) -> anyhow::Result<Named> {
    let (user, browser) = (user(number), browser(number));
    named(&format!(r#""userId":"{user}","anonymousId":"{browser}""#))
}

/// Events of people picked at random, every second one by their browser alone.
fn events(size: u64, seed: u64) -> anyhow::Result<Vec<Named>> {
    let mut chance = Chance(seed);
    let pick = |place: u32| {
        let number = chance.below(size);
        if place.is_multiple_of(2) {
            both(number)
        } else {
            Ok(Named::just(Identifier::new(
                "anonymous_id",
                &browser(number),
            )))
        }
    };
    (0..EVENTS).map(pick).collect()
}

/// Whose an event is that brings nothing new.
fn resolved(config: &Config, links: &Links, named: &Named) -> Option<ProfileId> {
    let at = Timestamp::from_micros(500);
    let changes = link(config, links, named, Trust::Verified, at);
    let lead = settled(config, links, named.identifiers())?;
    changes
        .is_empty()
        .then(|| ProfileId::derive(&IdKey::STATELESS, 1, lead.namespace.as_str(), &lead.value))
}

/// Resolving where all profiles are in one map.
fn among(links: &Links, size: u64) -> anyhow::Result<Spread> {
    let config = Config::default();
    let mut rounds = Vec::new();
    for round in 0..ROUNDS {
        let events = events(size, u64::from(round))?;
        let (found, took) = timed(|| {
            let found = events.iter().filter_map(|it| resolved(&config, links, it));
            found.map(black_box).count()
        });
        ensure!(
            found == events.len(),
            "{found} of {} are known",
            events.len()
        );
        rounds.push(each_ns(EVENTS, took));
    }
    Ok(Spread::of(rounds))
}

/// Resolving where what the event names is at hand, as the engine does.
fn at_hand(links: &Links, size: u64) -> anyhow::Result<Spread> {
    let config = Config::default();
    let mut rounds = Vec::new();
    for round in 0..ROUNDS {
        let events = events(size, u64::from(round))?;
        let loaded = events.iter().map(|named| {
            let mut loaded = Links::new();
            let nodes = named.identifiers().iter().filter_map(|it| links.node(it));
            let anchors = nodes.clone().flat_map(|node| node.edges());
            let anchors = anchors.filter_map(|edge| links.node(&edge.other));
            nodes
                .chain(anchors)
                .for_each(|node| loaded.put(node.clone()));
            loaded
        });
        let loaded: Vec<Links> = loaded.collect();
        let (found, took) = timed(|| {
            let all = events.iter().zip(&loaded);
            let found = all.filter_map(|(named, links)| resolved(&config, links, named));
            found.map(black_box).count()
        });
        ensure!(
            found == events.len(),
            "{found} of {} are known",
            events.len()
        );
        rounds.push(each_ns(EVENTS, took));
    }
    Ok(Spread::of(rounds))
}

/// A user claims a mailbox that so many browsers were named with: what is loaded, linked and resolved.
fn merges(links: &Links, size: u64) -> anyhow::Result<()> {
    let config = Config::default();
    let mail = |fields: &str| named(&format!(r#"{fields},"traits":{{"email":"m@x.example"}}"#));
    let claim = mail(&format!(r#""userId":"{}""#, user(size / 2)))?;
    let mut told = Vec::new();
    for count in COMPONENTS {
        let mut all = Links::new();
        for number in 0..count {
            let soft = mail(&format!(r#""anonymousId":"loose-{number}""#))?;
            for change in link(&config, &all, &soft, Trust::Verified, Timestamp::EPOCH) {
                all.apply(&change);
            }
        }
        let (held, took) = timed(|| {
            let mut held = 0;
            for _ in 0..MERGES {
                let mut loaded = Links::new();
                loop {
                    let missing = reach(&config, &loaded, &claim);
                    if missing.is_empty() {
                        break;
                    }
                    for identifier in missing {
                        match all.node(&identifier).or_else(|| links.node(&identifier)) {
                            Some(node) => loaded.put(node.clone()),
                            None => loaded.put_absent(identifier),
                        }
                    }
                }
                for change in link(&config, &loaded, &claim, Trust::Verified, Timestamp::EPOCH) {
                    loaded.apply(&change);
                }
                let partition = resolve(&config, &IdKey::STATELESS, &loaded);
                let profile = attribute(&config, &partition, claim.identifiers());
                held = profile.map_or(0, |profile| profile.identifiers.len());
            }
            held
        });
        ensure!(held as u64 >= count, "{held} identifiers, not {count}");
        told.push(format!("{count}: {:.0} us", each_ns(MERGES, took) / 1e3));
    }
    say(&format!(
        "{:>10}  merged with so many: {}",
        "",
        told.join(", ")
    ))?;
    Ok(())
}

/// A verdict on records of one address.
fn evaluations() -> anyhow::Result<()> {
    let config = wayfare_consent::Config::default();
    let address = Identifier::new("email", "ada@example.com");
    let actions = [ConsentAction::Accept, ConsentAction::Decline];
    for count in RECORDS {
        let told = (0..count).zip(actions.into_iter().cycle());
        let records: Vec<Record> = told.map(|(at_us, action)| said(action, at_us)).collect();
        let question = Question::new("marketing", Some(&address), Timestamp::from_micros(100));
        let mut rounds = Vec::new();
        for _ in 0..ROUNDS {
            let (allowed, took) = timed(|| {
                let evaluated = (0..EVENTS).map(|_| {
                    let said = records.iter().map(|record| Said {
                        subject: &address,
                        record,
                    });
                    evaluate(black_box(&config), &question, said, |_, _| None)
                });
                evaluated.filter(|(allowed, _)| *allowed).count()
            });
            let expected = if count % 2 == 1 { EVENTS as usize } else { 0 };
            ensure!(allowed == expected, "{allowed} of {EVENTS} are allowed");
            rounds.push(each_ns(EVENTS, took));
        }
        say(&format!(
            "evaluate, {count:>2} records, ns  {}",
            Spread::of(rounds)
        ))?;
    }
    Ok(())
}

fn said(action: ConsentAction, at_us: i64) -> Record {
    let at = Timestamp::from_micros(at_us);
    Record::new("marketing", action, at, &format!("r{at_us}"))
}
