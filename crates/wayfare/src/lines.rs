//! What does a delivery or a journey look like when it is listed? One JSON object, and what people are
//! shown of that object: the same from a state directory and from a server.

use wayfare_event::{Map, Timestamp, Value};
use wayfare_executor::record::{Delivery, Paused, Sweep, SweepCause};
use wayfare_journey::Version;
use wayfare_runtime::journeys::{Blocks, Journey};
use wayfare_runtime::report;

/// Hex digits of a version that people are shown.
const VERSION_DIGITS: usize = 8;

/// The states that deliveries can be listed by.
pub(crate) const STATES: [&str; 7] = [
    "planned",
    "armed",
    "delivered",
    "rejected",
    "unknown",
    "expired",
    "withheld",
];

/// A delivery as it stands, and who ordered what about it.
pub(crate) fn delivery(delivery: &Delivery) -> Map {
    let mut map = report::delivery_line(delivery, delivery.decided, None);
    let mut request = Map::new();
    request.insert("method", delivery.request.method.as_str().into());
    request.insert("url", delivery.request.url.as_str().into());
    map.insert("request", request.into());
    let orders = delivery.orders.iter().map(|order| {
        let mut map = Map::new();
        map.insert("at", time(order.at));
        map.insert("by", Value::Text(order.by.clone()));
        map.insert("reason", Value::Text(order.reason.clone()));
        map.insert("state", order.state.as_str().into());
        map.into()
    });
    if !delivery.orders.is_empty() {
        map.insert("orders", Value::List(orders.collect()));
    }
    map
}

/// A listed delivery, for people.
pub(crate) fn delivery_text(line: &Map) -> String {
    let request = |key| line.get("request").and_then(|it| it.get(key));
    format!(
        "{}  {:<9}  {:>2} attempts  {}/{}  {} {}",
        text(line.get("deliveryId")),
        text(line.get("state")),
        count(line.get("attempt")),
        text(line.get("journey")),
        text(line.get("block")),
        text(request("method")),
        text(request("url")),
    )
}

/// What a state holds of a journey.
pub(crate) fn journey(id: &str, journey: &Journey) -> Map {
    let in_force = journey.in_force().map(|(version, _)| version);
    let inside = in_force.and_then(|version| journey.inside.get(&version));
    let paused_blocks = journey.paused_blocks();
    let sweeps = journey.sweeps.iter();
    let mut map = Map::new();
    map.insert("journey", id.into());
    map.insert("version", in_force.map_or(Value::Null, version));
    map.insert("blocks", inside.map(blocks).unwrap_or_default().into());
    map.insert("earlier", earlier(journey));
    map.insert("paused", journey.paused().map_or(Value::Null, paused));
    let paused_blocks = paused_blocks.map(|(block, it)| (block.clone(), paused(it)));
    map.insert("pausedBlocks", paused_blocks.collect::<Map>().into());
    let sweeps = sweeps.map(|(cause, it)| sweep(*cause, it));
    map.insert("sweeps", Value::List(sweeps.collect()));
    map
}

/// The versions that take no entries and that somebody is still in.
fn earlier(journey: &Journey) -> Value {
    let in_force = journey.in_force().map(|(version, _)| version);
    let inside = journey.inside.iter();
    let earlier = inside.filter(|(version, _)| Some(**version) != in_force);
    let earlier = earlier.map(|(held, inside)| {
        let mut map = Map::new();
        map.insert("version", version(*held));
        map.insert("blocks", blocks(inside).into());
        map.into()
    });
    Value::List(earlier.collect())
}

fn version(version: Version) -> Value {
    version.to_string().as_str().into()
}

fn time(at: Timestamp) -> Value {
    at.to_string().as_str().into()
}

fn blocks(blocks: &Blocks) -> Map {
    let counted = blocks.iter();
    counted
        .map(|(block, count)| (block.clone(), number(*count)))
        .collect()
}

fn number(count: u64) -> Value {
    i64::try_from(count).unwrap_or(i64::MAX).into()
}

fn paused(Paused { since, by, reason }: &Paused) -> Value {
    let mut map = Map::new();
    map.insert("since", time(*since));
    map.insert("by", Value::Text(by.clone()));
    map.insert("reason", Value::Text(reason.clone()));
    map.into()
}

fn sweep(cause: SweepCause, sweep: &Sweep) -> Value {
    let mut map = Map::new();
    map.insert("cause", cause.as_str().into());
    map.insert("at", sweep.at.map_or(Value::Null, time));
    map.insert("underWay", sweep.cursor.is_some().into());
    map.insert("seen", number(sweep.seen));
    map.insert("queued", number(sweep.queued));
    map.into()
}

/// A listed journey, for people.
pub(crate) fn journey_text(line: &Map) -> String {
    let id = text(line.get("journey"));
    let mut lines = vec![match line.get("version").and_then(Value::as_text) {
        Some(version) => {
            let inside = inside_text(line.get("blocks"));
            format!("{id}  version {}, {inside}", short(version))
        }
        None => format!("{id}  its file is gone"),
    }];
    for earlier in items(line.get("earlier")) {
        let version = short(text(earlier.get("version")));
        let inside = inside_text(earlier.get("blocks"));
        lines.push(format!("  earlier version {version}, {inside}"));
    }
    if let Some(paused @ Value::Map(_)) = line.get("paused") {
        lines.push(format!("  {}", paused_text(paused)));
    }
    let paused_blocks = line.get("pausedBlocks").and_then(Value::as_map);
    for (block, paused) in paused_blocks.into_iter().flat_map(Map::iter) {
        lines.push(format!("  block {block} {}", paused_text(paused)));
    }
    for sweep in items(line.get("sweeps")) {
        lines.push(format!("  {}", sweep_text(sweep)));
    }
    lines.join("\n")
}

/// As much of a version as people need to tell it from another.
pub(crate) fn short(version: impl std::fmt::Display) -> String {
    version.to_string().chars().take(VERSION_DIGITS).collect()
}

/// `3 inside: settle 1, wait 2`.
fn inside_text(blocks: Option<&Value>) -> String {
    let blocks = blocks.and_then(Value::as_map);
    let blocks = || blocks.into_iter().flat_map(Map::iter);
    let total: i64 = blocks().map(|(_, held)| count(Some(held))).sum();
    if total == 0 {
        return "nobody inside".to_owned();
    }
    let parts: Vec<String> = blocks()
        .map(|(block, held)| format!("{block} {}", count(Some(held))))
        .collect();
    format!("{total} inside: {}", parts.join(", "))
}

fn paused_text(paused: &Value) -> String {
    format!(
        "paused since {} by {}: {}",
        text(paused.get("since")),
        text(paused.get("by")),
        text(paused.get("reason"))
    )
}

fn sweep_text(sweep: &Value) -> String {
    let cause = text(sweep.get("cause"));
    let at = sweep.get("at").and_then(Value::as_text);
    let is_under_way = sweep.get("underWay") == Some(&Value::Bool(true));
    match at {
        None => format!("sweep for {cause} is about to begin"),
        Some(at) if is_under_way => format!(
            "sweep for {cause} of {at} is under way: {} profiles looked at, {} concerned",
            count(sweep.get("seen")),
            count(sweep.get("queued"))
        ),
        Some(at) if cause == SweepCause::Stop.as_str() => format!("stop of {at} is under way"),
        Some(at) => format!("{cause} comes round at {at}"),
    }
}

fn text(value: Option<&Value>) -> &str {
    value.and_then(Value::as_text).unwrap_or_default()
}

fn count(value: Option<&Value>) -> i64 {
    match value {
        Some(Value::Number(number)) => number.as_i64().unwrap_or_default(),
        Some(Value::Null | Value::Bool(_) | Value::Text(_) | Value::List(_) | Value::Map(_))
        | None => 0,
    }
}

/// The items of a list; none where there is no list.
pub(crate) fn items(value: Option<&Value>) -> &[Value] {
    match value {
        Some(Value::List(items)) => items,
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Map(_))
        | None => &[],
    }
}

#[cfg(test)]
mod tests {
    use wayfare_event::Identifier;

    use super::*;

    #[test]
    fn a_sweep_is_told_by_where_it_is() {
        let check = |cause, at: Option<&str>, cursor: Option<&str>, expected: &str| {
            let held = Sweep {
                at: at.map(|at| at.parse().unwrap()),
                cursor: cursor.map(|value| Identifier::new("user_id", value)),
                delivery: None,
                seen: 512,
                queued: 3,
                over: None,
                erasure: None,
            };
            assert_eq!(sweep_text(&sweep(cause, &held)), expected);
        };
        let at = Some("2026-01-26T11:00:00Z");
        check(
            SweepCause::Schedule,
            at,
            None,
            "schedule comes round at 2026-01-26T11:00:00Z",
        );
        check(
            SweepCause::Dates,
            at,
            Some("u512"),
            "sweep for dates of 2026-01-26T11:00:00Z is under way: \
             512 profiles looked at, 3 concerned",
        );
        check(
            SweepCause::Stop,
            at,
            None,
            "stop of 2026-01-26T11:00:00Z is under way",
        );
        check(
            SweepCause::Dates,
            None,
            None,
            "sweep for dates is about to begin",
        );
    }
}
