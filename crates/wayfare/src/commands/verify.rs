//! `wayfare verify`: does everything that a state directory holds follow from its history, by the
//! rules? What is checked stands in `wayfare_runtime::audit`; here it is printed.

use std::collections::BTreeMap;
use std::process::ExitCode;

use clap::Args;
use wayfare_event::{Map, Number, Timestamp, Value};
use wayfare_runtime::audit::{self, Audited, Breach};

use super::inspect::{Inspect, directory, settings};
use super::print;
use crate::assembly;
use crate::cli::Format;

/// The arguments of `wayfare verify`.
#[derive(Debug, Args)]
pub(crate) struct Verify {
    #[command(flatten)]
    inspect: Inspect,
}

/// Prints what an audit of the state directory found; status 1 when something is broken.
pub(crate) fn verify(verify: &Verify) -> anyhow::Result<ExitCode> {
    let inspect = &verify.inspect;
    let settings = settings(&inspect.journeys)?;
    let mut store = assembly::look_into(directory(inspect.state.as_deref(), &settings)?)?;
    let origin = store.origin()?;
    let audited = audit::audit(&mut store, origin)?;
    match inspect.format {
        Format::Text => {
            for line in text(&audited) {
                print(&line)?;
            }
        }
        Format::Json => print(&json(&audited).to_string())?,
    }
    Ok(ExitCode::from(u8::from(audited.broken > 0)))
}

fn text(audited: &Audited) -> Vec<String> {
    let mut lines = vec![history(audited)];
    let begins = audited.begins.map_or(1, |(seq, _)| seq);
    if begins > 1 {
        let line = format!(
            "            what came before input {begins} is not kept; rows are made anew from input {} on",
            audited.rows_from
        );
        lines.push(line);
    }
    if audited.redacted > 0 {
        let (redacted, from) = (counted_inputs(audited.redacted), audited.judged_from);
        let line = format!(
            "            {redacted} redacted by an erasure and cannot be checked; what follows from input {from} on is"
        );
        lines.push(line);
    }
    lines.push(format!("rows        {} compared", audited.rows));
    let tally = &audited.tally;
    lines.push(counted("decisions", tally.decided(), &tally.decisions));
    lines.push(if audited.dry {
        "deliveries  none: the state of a dry run".to_owned()
    } else {
        counted("deliveries", tally.delivered(), &tally.deliveries)
    });
    lines.push(format!("inside      {}", tally.inside));
    lines.extend(audited.breaches.iter().map(broken));
    lines.push(match audited.broken {
        0 => "verified    nothing is broken".to_owned(),
        1 => "broken      1 breach".to_owned(),
        count => {
            let shown = audited.breaches.len();
            let more = u64::try_from(shown).is_ok_and(|shown| shown < count);
            let first = if more {
                format!(", the first {shown} are shown")
            } else {
                String::new()
            };
            format!("broken      {count} breaches{first}")
        }
    });
    lines
}

fn history(audited: &Audited) -> String {
    match (audited.begins, audited.ends) {
        (Some((first, begins)), Some((last, ends))) => {
            format!("history     inputs {first} to {last}, {begins} to {ends}")
        }
        (None, _) | (_, None) => "history     empty".to_owned(),
    }
}

fn counted_inputs(count: u64) -> String {
    match count {
        1 => "1 input is".to_owned(),
        _ => format!("{count} inputs are"),
    }
}

/// A count, and what it is made of.
fn counted(name: &str, all: u64, by: &BTreeMap<&'static str, u64>) -> String {
    let parts: Vec<String> = by
        .iter()
        .map(|(word, count)| format!("{word} {count}"))
        .collect();
    if parts.is_empty() {
        format!("{name:<10}  {all}")
    } else {
        format!("{name:<10}  {all}: {}", parts.join(", "))
    }
}

fn broken(breach: &Breach) -> String {
    let rule = breach.rule.as_str();
    let (about, why) = (&breach.about, &breach.why);
    match breach.seq {
        0 => format!("broken      {rule}: {about}: {why}"),
        seq => format!("broken      {rule}: input {seq}: {about}: {why}"),
    }
}

fn json(audited: &Audited) -> Map {
    let when = |place: Option<(u64, Timestamp)>| {
        place.map_or(Value::Null, |(seq, at)| {
            let mut map = Map::new();
            map.insert("seq", number(seq));
            map.insert("at", at.to_string().as_str().into());
            map.into()
        })
    };
    let counts = |by: &BTreeMap<&'static str, u64>| -> Value {
        let counts = by
            .iter()
            .map(|(word, count)| ((*word).into(), number(*count)));
        counts.collect::<Map>().into()
    };
    let mut map = Map::new();
    map.insert("kind", "verify".into());
    map.insert("dry", audited.dry.into());
    map.insert("first", when(audited.begins));
    map.insert("last", when(audited.ends));
    map.insert("inputs", number(audited.inputs));
    map.insert("redacted", number(audited.redacted));
    map.insert("judgedFrom", number(audited.judged_from));
    map.insert("changes", number(audited.changes));
    map.insert("rowsFrom", number(audited.rows_from));
    map.insert("rows", number(audited.rows));
    map.insert("decisions", counts(&audited.tally.decisions));
    map.insert("deliveries", counts(&audited.tally.deliveries));
    map.insert("inside", number(audited.tally.inside));
    map.insert("broken", number(audited.broken));
    let breaches = audited.breaches.iter().map(|breach| {
        let mut map = Map::new();
        map.insert("rule", breach.rule.as_str().into());
        map.insert(
            "seq",
            match breach.seq {
                0 => Value::Null,
                seq => number(seq),
            },
        );
        map.insert("about", breach.about.as_str().into());
        map.insert("why", breach.why.as_str().into());
        map.into()
    });
    map.insert("breaches", Value::List(breaches.collect()));
    map
}

fn number(value: u64) -> Value {
    Number::parse(&value.to_string()).map_or(Value::Null, Value::Number)
}
