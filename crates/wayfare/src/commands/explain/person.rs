//! One person in one journey, in lines: inside, refused, decided, the newest first; where there is
//! nothing, what was seen.

use wayfare_event::{Identifier, Timestamp};
use wayfare_executor::record::{Paused, Refusal};
use wayfare_executor::view;
use wayfare_identity::{Edge, EdgeKind, Standing};
use wayfare_journey::{EventMatch, Trigger, TriggerOn};
use wayfare_runtime::explain::{Contaminated, Inside, Person, Told};

use super::{decision, words};

/// Everything that is known of a person in a journey.
pub(super) fn text(person: &Person) -> Vec<String> {
    let mut lines = who(person);
    lines.extend(journey(person));
    for inside in &person.inside {
        lines.extend(self::inside(inside, person));
    }
    if let Some(planned) = person.planned {
        let start = match planned.due {
            Some(due) => format!("it starts at {due}"),
            None => "it started, or was too late to".to_owned(),
        };
        lines.push(format!("planned     the date is {}: {start}", planned.date));
    }
    let refusals = person.refusals.iter();
    let refusals = refusals.map(|refusal| (refusal.at, refused(refusal)));
    let decisions = person.decisions.iter();
    let decisions = decisions.map(|told| (told.decision.at, decided(told, person)));
    let mut past: Vec<(Timestamp, Vec<String>)> = refusals.chain(decisions).collect();
    past.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    let is_nothing = past.is_empty() && person.inside.is_empty() && person.planned.is_none();
    lines.extend(past.into_iter().flat_map(|(_, lines)| lines));
    lines.extend(person.contaminated.iter().map(contaminated));
    if person.earlier > 0 {
        let earlier = person.earlier;
        lines.push(format!(
            "earlier     {earlier} more decisions in this journey"
        ));
    }
    if is_nothing {
        lines.push(unseen(person));
    }
    lines.extend(
        person
            .begins
            .map(|begins| format!("history     begins at {begins}; what came before is not kept")),
    );
    lines
}

fn who(person: &Person) -> Vec<String> {
    let profile = &person.profile;
    let identifiers: Vec<String> = profile
        .identifiers
        .iter()
        .map(ToString::to_string)
        .collect();
    let mut lines = vec![format!(
        "profile     {}: {}",
        profile.id,
        identifiers.join(", ")
    )];
    let former = person.former;
    lines.extend(former.map(|former| format!("            {former} is a former id of theirs")));
    for (identifier, links) in &profile.links {
        let told = links
            .iter()
            .filter(|link| is_told(profile, identifier, link));
        lines.extend(told.map(|link| linked(identifier, link)));
    }
    lines.extend(match profile.standing {
        Standing::Contested => {
            Some("            several claim this identifier: it is nobody's".to_owned())
        }
        Standing::Evicted => {
            let line =
                "            their person claimed others later than this one, up to the limit";
            Some(line.to_owned())
        }
        Standing::Anchored | Standing::Loose | Standing::Blocked => None,
    });
    lines
}

/// Both ends keep a link. It is told once: of what is claimed, of who was taken, of the first of two.
fn is_told(profile: &view::Profile, identifier: &Identifier, link: &Edge) -> bool {
    let is_anchored = profile.standing == Standing::Anchored;
    let anchor = profile.identifiers.first().filter(|_| is_anchored);
    let is_anchor = anchor.is_some_and(|anchor| anchor.namespace == identifier.namespace);
    match link.kind {
        EdgeKind::Same => true,
        EdgeKind::Took => false,
        EdgeKind::Soft => *identifier < link.other || !profile.identifiers.contains(&link.other),
        EdgeKind::Claim
        | EdgeKind::Alias
        | EdgeKind::Unverified
        | EdgeKind::UnverifiedAlias
        | EdgeKind::Detached => !is_anchor,
    }
}

/// Why an identifier is whose it is.
fn linked(identifier: &Identifier, link: &Edge) -> String {
    let Edge { other, since, .. } = link;
    let why = match link.kind {
        EdgeKind::Claim | EdgeKind::Soft => format!("named with {other} since {since}"),
        EdgeKind::Unverified => format!("named with {other} since {since}, by a public key"),
        EdgeKind::Alias | EdgeKind::UnverifiedAlias => {
            format!("said to be a former id of {other} since {since}")
        }
        EdgeKind::Same => format!("merged into {other} by an operator at {since}"),
        EdgeKind::Took => format!("{other} was merged into it by an operator at {since}"),
        EdgeKind::Detached => format!("told apart from {other} by an operator at {since}"),
    };
    format!("            {identifier}: {why}")
}

fn journey(person: &Person) -> Vec<String> {
    let in_force = match person.in_force {
        Some(version) => format!("version {version}"),
        None => "its file is gone, nobody enters".to_owned(),
    };
    let mut lines = vec![format!("journey     {}, {in_force}", person.journey)];
    lines.extend(person.paused.as_ref().map(paused));
    lines
}

fn paused(paused: &Paused) -> String {
    let Paused { since, by, reason } = paused;
    format!(
        "            paused since {since} by {by}: {reason}; nobody enters, and what waits in it waits on"
    )
}

fn inside(inside: &Inside, person: &Person) -> Vec<String> {
    let instance = &inside.instance;
    let key = instance.key.as_ref();
    let key = key.map_or_else(String::new, |key| format!(", key {key}"));
    let mut lines = vec![format!(
        "inside      at `{}` since {}, entered at {}{key}",
        instance.block, instance.arrived, instance.entered
    )];
    let kept = if instance.profile == person.profile.id {
        format!("kept under {}", inside.owner)
    } else {
        format!(
            "kept under {}, entered as {}",
            inside.owner, instance.profile
        )
    };
    lines.push(format!("            walk {}, {kept}", inside.id));
    if person.in_force != Some(instance.version) {
        let version = instance.version;
        lines.push(format!("            it walks version {version}"));
    }
    let waits = words::waits(inside).into_iter();
    lines.extend(waits.map(|line| format!("            {line}")));
    lines
}

fn contaminated(split: &Contaminated) -> String {
    let arms = split.arms.iter();
    let arms: Vec<String> = arms.map(|(arm, of)| format!("`{arm}` as {of}")).collect();
    let key = split.key.as_ref();
    let key = key.map_or_else(String::new, |key| format!(", key {key},"));
    let (block, arms) = (&split.block, arms.join(" and arm "));
    format!("experiment  at `{block}`{key} they took arm {arms}: it is contaminated")
}

fn refused(refusal: &Refusal) -> Vec<String> {
    let message = refusal.message_id.as_ref();
    let message = message.map_or_else(String::new, |id| format!(" ({id})"));
    let mut lines = vec![format!(
        "refused     {}{message}: {}, {}",
        refusal.at,
        refusal.code.as_str(),
        words::refused(refusal.code)
    )];
    if let Some(leaf) = &refusal.leaf {
        let value = refusal.value.as_ref();
        let value = value.map_or_else(String::new, |value| format!(" met {value}"));
        lines.push(format!("            `{leaf}`{value}"));
    }
    lines
}

fn decided(told: &Told, person: &Person) -> Vec<String> {
    let decision = &told.decision;
    let key = decision.key.as_ref();
    let key = key.map_or_else(String::new, |key| format!(", key {key}"));
    let mut lines = vec![format!(
        "decided     {}: {}, {}",
        decision.at,
        decision.outcome.as_str(),
        words::outcome(told)
    )];
    let other = if decision.profile == person.profile.id {
        String::new()
    } else {
        format!(", as {}", decision.profile)
    };
    lines.push(format!(
        "            {} at `{}`{key}{other}",
        decision.id, decision.block
    ));
    lines.extend(decision::story(told));
    let steps = words::steps(told).into_iter();
    lines.extend(steps.map(|line| format!("            {line}")));
    lines
}

/// Where nobody entered and nobody was refused: what would start it, and whether it was seen.
fn unseen(person: &Person) -> String {
    let Some(trigger) = &person.trigger else {
        return "nothing     they never entered, were never refused, and nothing starts it any more"
            .to_owned();
    };
    let starts = starts(trigger);
    let seen = match (&trigger.on, &person.sighting) {
        (TriggerOn::Events(_), Some(sighting)) => {
            let (count, at) = (sighting.count, sighting.at);
            let id = sighting.message_id.as_ref();
            let id = id.map_or_else(String::new, |id| format!(" ({id})"));
            format!(
                "such an event of theirs came {count} times, last at {at}{id}, and started nothing: the journey may be newer"
            )
        }
        (TriggerOn::Events(_), None) => "no such event of theirs came".to_owned(),
        (
            TriggerOn::Consent { .. }
            | TriggerOn::Trait(_)
            | TriggerOn::Schedule { .. }
            | TriggerOn::Date { .. }
            | TriggerOn::Delivery { .. },
            _,
        ) => "that has not happened to them".to_owned(),
    };
    format!("nothing     they never entered and were never refused; {starts} starts it, and {seen}")
}

fn starts(trigger: &Trigger) -> String {
    match &trigger.on {
        TriggerOn::Events(matches) => {
            let names: Vec<String> = matches.iter().map(event).collect();
            names.join(" or ")
        }
        TriggerOn::Consent { category, action } => {
            format!("a choice for {category} that becomes {}", action.as_str())
        }
        TriggerOn::Trait(change) => format!("a change of the trait `{}`", change.name),
        TriggerOn::Schedule { .. } => "a schedule".to_owned(),
        TriggerOn::Date { .. } => "a date of the profile".to_owned(),
        TriggerOn::Delivery { journey, state, .. } => {
            format!("a delivery of {journey} that becomes {state}")
        }
    }
}

fn event(event: &EventMatch) -> String {
    match &event.name {
        Some(name) => format!("the event `{name}`"),
        None => format!("any `{}`", event.kind.as_str()),
    }
}
