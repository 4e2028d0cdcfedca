//! What follows from an input that another one queued? It is decided on the profile as it is when
//! its turn comes.

use std::sync::Arc;

use wayfare_event::{Map, Number, Value};
use wayfare_journey::TriggerOn;

use super::start::{Start, Starts};
use super::who::{self, Who};
use super::work::{NotYet, Work};
use super::write::{self, Telling};
use super::{erase, erased, event, migrate, stop};
use crate::catalog::Published;
use crate::change::Change;
use crate::record::{Cause, DeliveryTold, Key, QueueId};

pub(super) fn queued(work: &mut Work<'_>, id: QueueId) -> Result<(), NotYet> {
    work.need([Key::Queued(id)])?;
    let Some(queued) = work.rows.queued(id).cloned() else {
        return Ok(());
    };
    work.hops = queued.hops;
    if let Cause::Withheld(delivery) = &queued.cause {
        work.need([Key::Delivery(*delivery)])?;
        work.make(Change::Dequeued(id));
        return stop::withhold(work, *delivery);
    }
    if erased::is_left(work, &queued.owner, id)? {
        work.make(Change::Dequeued(id));
        return Ok(());
    }
    if matches!(queued.cause, Cause::Erased) {
        work.make(Change::Dequeued(id));
        return erase::resumed(work, &queued.owner);
    }
    let profile = who::profile_behind(work, &queued.owner)?;
    let owner = who::home(work, &profile, &queued.owner).clone();
    match &queued.cause {
        // What a timer writes comes before the next timer (SP 37).
        Cause::Traits(_) => {}
        Cause::Delivery(_)
        | Cause::Scheduled { .. }
        | Cause::Dated
        | Cause::Stopped
        | Cause::Erased
        | Cause::Withheld(_) => event::due_first(work)?,
    }
    work.make(Change::Dequeued(id));
    let opener = format!("queued {}.{}", id.seq, id.place);
    let mut starts = Starts::default();
    match &queued.cause {
        Cause::Traits(traits) => {
            let told = traits.iter().map(|(name, value)| (name, value));
            let told: Vec<_> = told.map(Telling::latest).collect();
            let at = work.at;
            let changed = write::write_traits(work, (&owner, &profile), (&told, at), None);
            event::by_traits(work, &mut starts, (&Start::at(at, opener), &changed));
        }
        Cause::Delivery(told) => {
            let start = Start {
                delivery: Some(delivery(told)),
                ..Start::at(told.at, format!("delivery {} {}", told.id, told.state))
            };
            let of = (&*told.journey, &*told.block);
            starts.add(start, work.catalog.started_by_delivery(of, &told.state));
        }
        Cause::Scheduled { journey, at } => {
            let start = Start::at(*at, format!("schedule {at}"));
            let on =
                |it: &&Arc<Published>| matches!(it.graph.trigger().on, TriggerOn::Schedule { .. });
            starts.add(start, work.catalog.in_force(journey).filter(on));
        }
        Cause::Dated | Cause::Stopped | Cause::Erased | Cause::Withheld(_) => {}
    }
    let who = Who::look(work, &profile, owner)?;
    migrate::migrate(work, &who);
    event::follow(work, &who, None, starts)
}

/// What expressions call `delivery`.
fn delivery(told: &DeliveryTold) -> Map {
    let text = |text: &Arc<str>| Value::Text(text.clone());
    let mut map = Map::new();
    map.insert("id", told.id.to_string().as_str().into());
    map.insert("block", text(&told.block));
    map.insert("state", text(&told.state));
    let status = told
        .status
        .map(|it| Value::Number(Number::from(i64::from(it))));
    map.insert("status", status.unwrap_or_default());
    map.insert("reason", told.reason.as_ref().map(text).unwrap_or_default());
    map
}
