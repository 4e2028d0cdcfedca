//! What would change, for people: journey by journey, what becomes of whom, and what is sent.

use std::sync::Arc;

use wayfare_journey::Version;
use wayfare_runtime::Fate;
use wayfare_runtime::plan::{Count, Edit, Edited, Example, Outcomes, Place, What};

use super::Planned;
use crate::lines::short;

pub(super) fn text(planned: &Planned) -> String {
    let mut lines = Vec::new();
    let mut same = 0_u64;
    for edited in &planned.journeys {
        let outcomes = &planned.outcomes;
        let mut examples = outcomes.examples.iter();
        let is_quiet = !examples.any(|example| example.journey == edited.journey);
        if edited.edit == Edit::Same && is_quiet {
            same += 1;
            continue;
        }
        lines.push(heading(edited));
        lines.extend(edited.places.iter().map(|place| inside(edited, place)));
        lines.extend(table(&edited.journey, outcomes));
        let examples = outcomes.examples.iter();
        let own = examples.filter(|example| example.journey == edited.journey);
        lines.extend(own.map(example));
        lines.push(String::new());
    }
    if same > 0 {
        lines.push(format!("{} unchanged", counted(same, "journey")));
    }
    lines.push(history(planned));
    lines.push(conclusion(planned));
    lines.join("\n")
}

fn heading(edited: &Edited) -> String {
    let version = |version: Option<Version>| version.map(short).unwrap_or_default();
    let (before, after) = (version(edited.before), version(edited.after));
    let id = &edited.journey;
    match edited.edit {
        Edit::New => format!("{id}: new, version {after}"),
        Edit::Gone => format!("{id}: its file is gone, version {before} takes no entries"),
        Edit::Changed if before == after => {
            format!("{id}: version {after} takes over others than before")
        }
        Edit::Changed => format!("{id}: version {before} becomes {after}"),
        Edit::Same => format!("{id}: unchanged itself, version {after}"),
    }
}

fn inside(edited: &Edited, place: &Place) -> String {
    let version = short(place.version);
    let fate = match &place.fate {
        Fate::Move(block) => format!("go on in the new version at `{block}`"),
        Fate::Refused(_) => "cannot stay: publishing is refused, see below".to_owned(),
        Fate::Finish if edited.after == Some(place.version) => "stay".to_owned(),
        Fate::Finish => "finish on their version".to_owned(),
    };
    format!(
        "  {} at `{}` of {version}: {fate}",
        place.count, place.block
    )
}

/// The requests of each block, when there are any.
fn table(journey: &Arc<str>, outcomes: &Outcomes) -> Vec<String> {
    let counts = outcomes.counts.iter();
    let rows: Vec<(&str, &Count)> = counts
        .filter(|((of, _), _)| of == journey)
        .map(|((_, block), count)| (&**block, count))
        .collect();
    if rows.is_empty() {
        return vec!["  no request, before or after".to_owned()];
    }
    let width = rows.iter().map(|(block, _)| block.chars().count()).max();
    let width = width.unwrap_or_default().max("requests".len());
    let mut lines = vec![format!(
        "  {:width$}  before  after  start  stop  change",
        "requests"
    )];
    lines.extend(rows.iter().map(|(block, count)| {
        format!(
            "  {block:width$}  {:>6}  {:>5}  {:>5}  {:>4}  {:>6}",
            count.before, count.after, count.starts, count.stops, count.changes
        )
    }));
    lines
}

fn example(example: &Example) -> String {
    let key = example.key.as_ref();
    let key = key.map_or_else(String::new, |key| format!(", key {key}"));
    let (who, first) = (example.profile, &example.first);
    let (block, at) = (&example.block, example.at);
    let (before, after) = (&first.before, &first.after);
    match example.what {
        What::Starts => {
            format!(
                "  starts   {who}{key}, `{block}` at {at}: {after}\n           instead of {before}"
            )
        }
        What::Stops => {
            format!(
                "  stops    {who}{key}, `{block}` at {at}: {before}\n           instead, {after}"
            )
        }
        What::Changes => format!(
            "  changes  {who}{key}, `{block}` at {at}: {}\n           {before} becomes {after}",
            first.of
        ),
    }
}

/// What it was played over, and how far back that goes.
fn history(planned: &Planned) -> String {
    let heard = planned.heard;
    let span = match (heard.first, heard.last) {
        (Some(first), Some(last)) => format!(" from {first} to {last}"),
        (None, _) | (_, None) => String::new(),
    };
    let rejected = match heard.rejected {
        0 => String::new(),
        lines => format!(", {} rejected", counted(lines, "line")),
    };
    let begins = planned.begins.map_or_else(String::new, |begins| {
        format!("\nthe history begins at {begins}: what was known before then is not in it")
    });
    format!(
        "played {}{span}{rejected}{begins}",
        counted(heard.events, "event")
    )
}

fn conclusion(planned: &Planned) -> String {
    let mut lines: Vec<String> = planned
        .refused()
        .into_iter()
        .map(|why| format!("publishing is refused: {why}"))
        .collect();
    let total = |of: fn(&Count) -> u64| planned.outcomes.counts.values().map(of).sum::<u64>();
    let (starts, stops) = (total(|it| it.starts), total(|it| it.stops));
    let changes = total(|it| it.changes);
    let places = planned.journeys.iter().flat_map(|edited| &edited.places);
    let moved: u64 = places
        .filter(|place| matches!(place.fate, Fate::Move(_)) && !place.as_before)
        .map(|place| place.count)
        .sum();
    if planned.changes() {
        lines.push(format!(
            "{} start, {stops} stop, {changes} change; {moved} inside move",
            counted(starts, "request")
        ));
    } else {
        lines.push("nothing changes for anybody".to_owned());
    }
    lines.join("\n")
}

fn counted(count: u64, word: &str) -> String {
    match count {
        1 => format!("1 {word}"),
        _ => format!("{count} {word}s"),
    }
}
