//! What are outcomes, refusals and steps in words? One sentence each, the same wherever they are told.

use wayfare_consent::RecordKind;
use wayfare_executor::delivery::{Outcome, State};
use wayfare_executor::record::{ConsentAsked, Decision, DecisionOutcome, Ordered, Permission};
use wayfare_executor::{Change, RefusalCode};
use wayfare_runtime::explain::{self, Inside, Left, Relied, Stayed, Step, Told, Waited, Waits};

/// Why a journey did not take somebody in.
pub(super) const fn refused(code: RefusalCode) -> &'static str {
    match code {
        RefusalCode::Condition => "the trigger's condition does not hold",
        RefusalCode::Late => "the event is older than the journey takes (`lateness`)",
        RefusalCode::Historical => "the event is marked as history, which starts nothing",
        RefusalCode::MergedHistory => "a merge brought the trait: history gained starts nothing",
        RefusalCode::BeforeEntry => "the event is older than what started the walk inside",
        RefusalCode::Inside => "a walk is inside, and the next may begin after it left (`again`)",
        RefusalCode::Once => "the journey takes everybody once, and this was not the first time",
        RefusalCode::TooSoon => "the last entry was not long enough ago (`again`)",
        RefusalCode::TooMany => "as many walks as may be are inside",
        RefusalCode::NoKey => "the journey has a key, and the event has none",
        RefusalCode::Paused => "the journey was paused",
        RefusalCode::EntryLimit => "one entry more than `limit` takes: the journey paused itself",
        RefusalCode::HopLimit => "more than eight inputs, one causing the next, led here",
        RefusalCode::ProfileFull => "the profile has no room for another trait",
        RefusalCode::TooLarge => "what the walk would have to keep is too large",
    }
}

/// How an instance ended.
pub(super) fn outcome(told: &Told) -> String {
    let decision = &*told.decision;
    let reason = decision.reason.as_deref().unwrap_or_default();
    match decision.outcome {
        DecisionOutcome::Webhook if decision.terms.is_none() => {
            "one request, which a dry run does not send".to_owned()
        }
        DecisionOutcome::Webhook => "one request is owed".to_owned(),
        DecisionOutcome::Suppressed => "consent was not there".to_owned(),
        DecisionOutcome::Unresolved => {
            "nobody knows who it is: no user id, and no address of their own".to_owned()
        }
        DecisionOutcome::RenderFailed => format!("the request could not be written: {reason}"),
        DecisionOutcome::Declined => format!("the webhook's `when` did not hold: `{reason}`"),
        DecisionOutcome::Exit => left(told, reason),
        DecisionOutcome::Holdout => held_out(told),
        DecisionOutcome::Merged => stayed(told),
        DecisionOutcome::Erased => "its person was erased".to_owned(),
        DecisionOutcome::Stopped => format!("an operator ended it: {reason}"),
    }
}

fn left(told: &Told, reason: &str) -> String {
    match &told.left {
        None => format!("it left: {reason}"),
        Some(Left::Block) => {
            let block = &told.decision.block;
            format!("it came to the exit block `{block}`: {reason}")
        }
        Some(Left::Event(rule)) => {
            let heard = decided_by(told).and_then(|step| explain::event(&step.input));
            let id = heard.and_then(|event| event.message_id.clone());
            let id = id.map_or_else(String::new, |id| format!(" ({id})"));
            format!("the exit rule for the event `{rule}` took it out{id}: {reason}")
        }
        Some(Left::Condition(rule)) => {
            format!("the exit rule `when: {rule}` took it out: {reason}")
        }
        Some(Left::Limit) => {
            "it had come to one block as often as it may, or through too many at once".to_owned()
        }
        Some(Left::Life) => "its life was over (`life`)".to_owned(),
    }
}

/// The step that decided, while the history has it.
fn decided_by(told: &Told) -> Option<&Step> {
    let decided = |step: &&Step| matches!(step.change, Change::Decided(_));
    told.steps.iter().find(decided)
}

fn held_out(told: &Told) -> String {
    let arm = told.steps.iter().rev().find_map(|step| {
        if let Change::ArmTaken {
            block,
            arm,
            holdout: true,
            ..
        } = &step.change
        {
            Some(format!("arm `{arm}` of the split `{block}` holds it out"))
        } else {
            None
        }
    });
    arm.unwrap_or_else(|| "a split holds it out".to_owned())
}

fn stayed(told: &Told) -> String {
    let on = match &told.stayed {
        None => "another walk of the one person goes on".to_owned(),
        Some(Stayed::Inside(inside)) => {
            let (id, block) = (inside.id, &inside.instance.block);
            format!("walk {id} goes on, at `{block}`")
        }
        Some(Stayed::Decided(other)) => {
            let (id, outcome) = (other.id, other.outcome.as_str());
            format!("{id} decided {outcome} at {}", other.at)
        }
    };
    format!("two persons became one: {on}")
}

/// What was asked, and what came of it.
pub(super) fn consent(permission: &Permission) -> String {
    let asked = match &permission.asked {
        ConsentAsked::Category { category, address } => match address {
            Some(address) => format!("{category} for {}", address.value),
            None => category.to_string(),
        },
        ConsentAsked::Declined { category, address } => match address {
            Some(address) => format!("{category} declined for {}", address.value),
            None => format!("{category} declined"),
        },
        ConsentAsked::Basis {
            basis,
            because,
            address,
        } => {
            let asked = format!("basis {}: {because}", basis.as_str());
            return match address {
                Some(address) if !permission.verdict.allowed => {
                    let reason = permission.verdict.reason;
                    format!("{asked}, for {}: refused, {reason}", address.value)
                }
                Some(address) => format!("{asked}, for {}", address.value),
                None => asked,
            };
        }
    };
    let verdict = &permission.verdict;
    let word = if verdict.allowed {
        "allowed"
    } else {
        "refused"
    };
    let reason = verdict.reason.as_str();
    let records = verdict.records.join(", ");
    format!("{asked}: {word}, {reason} (records: {records})")
}

/// A record that was relied on.
pub(super) fn record(relied: &Relied) -> String {
    let record = &relied.record;
    let kind = match record.kind {
        RecordKind::Import => ", imported",
        RecordKind::Signal => ", by signal",
        RecordKind::Admin => ", by an administrator",
        RecordKind::User => "",
    };
    let source = record.source.as_ref();
    let source = source.map_or_else(String::new, |source| format!(", source {source}"));
    let until = record.valid_until;
    let until = until.map_or_else(String::new, |until| format!(", until {until}"));
    format!(
        "{}: {} of {} by {} at {}{kind}{source}{until}",
        record.id,
        record.action.as_str(),
        record.category,
        relied.subject,
        record.at
    )
}

/// A refusal that came too late for a request.
pub(super) fn in_flight(late: &Relied) -> String {
    let heard = late.record.recorded_at;
    format!(
        "{}; heard of at {heard}, when a request had left",
        record(late)
    )
}

/// The request, and where it stands.
pub(super) fn delivery(told: &Told) -> Vec<String> {
    let Some(delivery) = &told.delivery else {
        return Vec::new();
    };
    let (method, url) = (delivery.request.method.as_str(), &delivery.request.url);
    let due = match delivery.state {
        State::Planned { due } => format!(", due {due}"),
        State::Armed { .. }
        | State::Delivered { .. }
        | State::Rejected { .. }
        | State::Unknown(_)
        | State::Expired(_)
        | State::Withheld(_) => String::new(),
    };
    let (id, state) = (delivery.id, delivery.state.as_str());
    vec![
        format!("request     {method} {url}"),
        format!("delivery    {id} is {state}{due}"),
    ]
}

/// The moves of an instance and its delivery, a line each, attempts numbered.
pub(super) fn steps(told: &Told) -> Vec<String> {
    let mut attempt = 0;
    let mut lines = Vec::new();
    for step in &told.steps {
        if let Change::DeliveryMoved {
            state: State::Armed { .. },
            ..
        } = &step.change
        {
            attempt += 1;
        }
        let line = self::step(step, (attempt, &told.decision));
        lines.extend(line.map(|line| format!("{}  {line}", step.at)));
    }
    lines
}

fn step(step: &Step, (attempt, decision): (u32, &Decision)) -> Option<String> {
    let line = if let Change::Entered { instance, .. } = &step.change {
        let event = explain::event(&step.input);
        let by = event.map_or_else(String::new, |event| {
            let id = event.message_id.as_ref();
            let id = id.map_or_else(String::new, |id| format!(" ({id})"));
            let name = if event.name.is_empty() {
                event.kind.as_str()
            } else {
                &event.name
            };
            format!(", by `{name}`{id}")
        });
        format!("entered {}{by}", instance.journey)
    } else if let Change::Parked { block, due, .. } = &step.change {
        let until = due.map_or_else(|| "something happens".to_owned(), |due| due.to_string());
        format!("waits at `{block}` until {until}")
    } else if let Change::ArmTaken { block, arm, .. } = &step.change {
        format!("takes arm `{arm}` of `{block}`")
    } else if let Change::Rehomed { from, to, .. } = &step.change {
        format!("is kept under {to}, and was under {from}")
    } else if let Change::Migrated { version, block, .. } = &step.change {
        format!("goes on in version {version} at `{block}`")
    } else if let Change::Decided(_) = &step.change {
        format!("decided {}", decision.outcome.as_str())
    } else if let Change::DeliveryMoved {
        state,
        outcome,
        consent,
        ..
    } = &step.change
    {
        let asked = consent.as_ref();
        let asked = asked.map_or_else(String::new, |it| format!("; consent {}", self::consent(it)));
        let number = if outcome.is_none() && !matches!(state, State::Armed { .. }) {
            String::new()
        } else {
            format!("attempt {attempt}: ")
        };
        let moved = moved(*state);
        let ended = outcome.map(ended).filter(|ended| *ended != moved);
        let ended = ended.map_or_else(String::new, |ended| format!(" ({ended})"));
        format!("{number}{moved}{ended}{asked}")
    } else if let Change::DeliveryOrdered { order, .. } = &step.change {
        ordered(order)
    } else {
        return None;
    };
    Some(line)
}

fn ordered(order: &Ordered) -> String {
    let (by, reason) = (&order.by, &order.reason);
    let what = match order.state {
        State::Planned { .. } => "ordered it sent again",
        State::Delivered { .. } => "said that it was delivered",
        State::Withheld(_) => "withheld it",
        State::Armed { .. } | State::Rejected { .. } | State::Unknown(_) | State::Expired(_) => {
            "ordered something about it"
        }
    };
    format!("{by} {what}: {reason}")
}

/// What a delivery came to.
fn moved(state: State) -> String {
    match state {
        State::Planned { due } => format!("planned again for {due}"),
        State::Armed { .. } => "released".to_owned(),
        State::Delivered { status: None } => "delivered, says an operator".to_owned(),
        State::Delivered {
            status: Some(status),
        } => format!("delivered: {status}"),
        State::Rejected { status } => format!("rejected: {status}"),
        State::Unknown(reason) => format!("unknown: {}", reason.as_str()),
        State::Expired(reason) => format!("expired: {}", reason.as_str()),
        State::Withheld(reason) => format!("withheld: {}", reason.as_str()),
    }
}

/// How an attempt ended.
pub(in crate::commands) fn ended(outcome: Outcome) -> String {
    match outcome {
        Outcome::Answered { status, .. } => format!("answered {status}"),
        Outcome::NotSent(reason) => format!("not sent: {}", reason.as_str()),
        Outcome::Unknown(reason) => format!("unknown: {}", reason.as_str()),
    }
}

/// What a walk waits for, a line each.
pub(super) fn waits(inside: &Inside) -> Vec<String> {
    let due = inside.instance.due;
    let until = due.map_or_else(String::new, |due| format!("until {due}"));
    match &inside.waits {
        Waits::Time | Waits::Unread => vec![format!("waits {until}")],
        Waits::Things(things) => {
            let mut lines: Vec<String> = things.iter().map(waited).collect();
            lines.push(format!("waits at most {until}"));
            lines
        }
    }
}

fn waited(waited: &Waited) -> String {
    match waited {
        Waited::Event(event) => format!("waits for the event `{event}`"),
        Waited::Condition(condition, None) => format!("waits for `{condition}`"),
        Waited::Condition(condition, Some(leaf)) if leaf.source == *condition => {
            format!("waits for `{condition}`, which meets {}", leaf.value)
        }
        Waited::Condition(condition, Some(leaf)) => {
            let (source, value) = (&leaf.source, &leaf.value);
            format!("waits for `{condition}`, where `{source}` meets {value}")
        }
    }
}
