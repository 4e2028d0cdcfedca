//! Is every promise of ARCHITECTURE.md kept? The auditor hears what was told and ordered, what became
//! durable, what was said to the outside and what arrived at receivers, and judges it by small models of
//! its own. It shares no code with the engine.

mod durable;
mod erased;
mod heard;
mod leaving;
mod ordered;
mod people;
mod persons;
mod rested;
mod since;
mod story;
mod traits;
mod walks;

use std::collections::{BTreeMap, BTreeSet};

use crate::facts::{
    Broken, Checked, Control, Decision, Delivery, Ended, Fed, Journey, Order, Person, Request, Row,
    Says, Told, holds,
};
use leaving::Leaving;
pub(crate) use ordered::LetIn;
use people::People;
use story::Story;
use walks::{Entries, Live};

/// What became durable in one commit: under each key the new row, or that there is none.
pub(crate) type Changes = Vec<(String, Option<Row>)>;

#[derive(Clone, Default)]
pub(crate) struct Auditor {
    people: People,
    /// The id of each profile, by who leads it.
    ids: BTreeMap<String, String>,
    /// Ids of persons that were let go.
    retired: BTreeSet<String>,
    /// Ids of persons that were let go or silenced, and of what they went by.
    left: BTreeSet<String>,
    /// Decisions of people who were erased, by id: whether what is known of them was let go.
    erased: BTreeMap<String, bool>,
    /// When somebody was last erased.
    erased_last: i64,
    /// Identifiers that were let go.
    gone: BTreeSet<String>,
    /// Journeys as they were ever published, by id and version.
    versions: BTreeMap<(String, String), Journey>,
    /// The journeys and blocks that are paused, by who did; and as it is durable.
    paused: BTreeMap<String, String>,
    paused_durable: BTreeMap<String, String>,
    controls: BTreeMap<String, Control>,
    persons: BTreeMap<String, Person>,
    live: Live,
    entries: Entries,
    decisions: BTreeMap<String, Decision>,
    deliveries: BTreeMap<String, Delivery>,
    queued: BTreeSet<String>,
    /// What each delivery's attempts say, as far as it is durable, and what was told since.
    stories: BTreeMap<String, Story>,
    stories_pending: BTreeMap<String, Story>,
    /// Decisions that are durable and were not told yet.
    untold: BTreeSet<String>,
    /// Those that the engine took while it came up: whoever opens it may hear of them.
    at_opening: BTreeSet<String>,
    /// Deliveries in the sender's hands.
    taken: BTreeSet<String>,
    /// When the latest decision was taken.
    latest: i64,
    /// What arrived at receivers, by delivery: the attempt and the request.
    arrived: BTreeMap<String, Vec<(u32, Request)>>,
    /// The blocks whose deliveries ever failed.
    failed: BTreeSet<String>,
    /// Deliveries of which a restored store has forgotten an attempt: that it may be made again is
    /// what a backup costs.
    excused: BTreeSet<String>,
    /// How often receivers acted.
    acts: BTreeMap<String, u32>,
    /// Where somebody was seen since the last commit: the journey and the time.
    seen: BTreeSet<(String, i64)>,
    /// Journeys in which something ended since the last commit.
    ended: BTreeSet<String>,
    refused: BTreeSet<(String, String)>,
    /// Who was ordered into which journey since the last commit, and when.
    let_in: Vec<LetIn>,
    /// What goes on without what was overdue when that was ordered; and as it is durable.
    skipping: BTreeMap<String, i64>,
    skipping_durable: BTreeMap<String, i64>,
    /// Who is to be erased once a walk is over; and as it is durable.
    leaving: Option<Leaving>,
    leaving_durable: Option<Leaving>,
    /// What they are owed beside that.
    held_back: BTreeSet<String>,
    /// What stays of erased identifiers: when that was.
    marks: BTreeMap<String, i64>,
}

/// What the auditor hears.
impl Auditor {
    /// A version of a journey may be in force from now on.
    pub(crate) fn published(&mut self, version: &str, facts: &Journey) {
        let key = (facts.id.clone(), version.to_owned());
        self.versions.insert(key, facts.clone());
    }

    /// An event was handed in; the engine took it for a copy, or not, and heard it or did not.
    pub(crate) fn fed(&mut self, fed: &Fed, (was_copy, was_heard): (bool, bool)) -> Checked {
        let message = fed.message.as_deref();
        let known = message.map(|it| self.people.knows(it, fed.at));
        let (must, may) = known.unwrap_or_default();
        let fits = (was_copy || !must) && (may || !was_copy);
        holds("a second copy changes nothing", fits, || {
            format!("{fed:?} was taken for a copy: {was_copy}")
        })?;
        if was_copy {
            return Ok(());
        }
        let heard = self.people.heard(fed);
        holds(
            "whoever is erased is not heard",
            heard.is_some() == was_heard,
            || format!("{fed:?} was heard: {was_heard}"),
        )?;
        if let Some(heard) = heard {
            self.people.tell(&heard);
        }
        Ok(())
    }

    /// Whether an operator's word may be played.
    pub(crate) fn may_say(&mut self, says: &Says) -> bool {
        // A merge could give a shared browser that is to be erased to the one person who then has it.
        let is_about_who = matches!(
            says,
            Says::Erase { .. } | Says::Readmit(_) | Says::Merge { .. }
        );
        !(is_about_who && self.is_leaving()) && self.people.may_say(says)
    }

    /// Everything that is kept out.
    pub(crate) fn kept_out(&self) -> Vec<String> {
        self.people.kept_out()
    }

    /// Whether somebody erased was owed a delivery.
    pub(crate) fn is_erased(&self, id: &str) -> bool {
        self.erased.contains_key(id) || self.held_back.contains(id)
    }

    /// An operator says who is who; whether anything comes of it.
    pub(crate) fn said(&mut self, says: &Says, at: i64) -> bool {
        let follows = self.people.order(says, at);
        self.leaves(says, at);
        follows
    }

    /// A journey, or a block written `journey/block`, is paused.
    pub(crate) fn paused(&mut self, place: &str) {
        self.paused.insert(place.to_owned(), "ops".to_owned());
    }

    /// The journeys and blocks that are paused.
    pub(crate) fn paused_places(&self) -> Vec<String> {
        self.paused.keys().cloned().collect()
    }

    /// It goes on, unless that is under way already and something is skipped first.
    pub(crate) fn resumed(&mut self, place: &str) {
        if !self.is_skipping(place) {
            self.paused.remove(place);
        }
    }

    /// An operator orders something of a delivery.
    pub(crate) fn ordered(&mut self, id: &str, order: Order, at: i64) -> Checked {
        self.story(id)?.ordered(order, at);
        Ok(())
    }

    /// A delivery is in the sender's hands.
    pub(crate) fn taken(&mut self, id: &str) -> Checked {
        let is_new = self.taken.insert(id.to_owned());
        holds("an attempt at a time", is_new, || {
            format!("{id} was given twice")
        })
    }

    /// A delivery could leave at `at`, and was released or not.
    pub(crate) fn ready(&mut self, id: &str, at: i64, is_released: bool) -> Checked {
        self.taken.remove(id);
        let Some(row) = self.deliveries.get(id).cloned() else {
            return holds("a decision before its request", false, || id.to_owned());
        };
        let told = self.people.all();
        let is_allowed = self.people.allows(told, (&row.owner, &row.asked), at);
        let is_allowed = is_allowed && !self.is_erased(id);
        let is_paused = self.is_held(&row);
        if is_released {
            let other = self.before(id, &row, row.decided);
            holds(
                "requests for one target keep their order",
                other.is_none(),
                || format!("{id} {row:?} leaves before {other:?}"),
            )?;
        }
        let story = self.story(id)?;
        let found = story.ready(at, is_released, (is_allowed, is_paused));
        about(found, id)
    }

    pub(crate) fn barred(&mut self, id: &str) -> Checked {
        self.taken.remove(id);
        self.story(id)?.barred();
        Ok(())
    }

    /// An attempt ended like this, as whoever sent it saw.
    pub(crate) fn finished(
        &mut self,
        id: &str,
        (attempt, ended): (u32, Ended),
        at: i64,
    ) -> Checked {
        self.story(id)?.finished(attempt, ended, at);
        Ok(())
    }

    /// The first byte of a request arrives.
    pub(crate) fn arrives(&mut self, id: &str, attempt: u32, request: &Request) -> Checked {
        let row = self.deliveries.get(id);
        let is_armed = row.is_some_and(|row| row.state == "armed" && row.attempts == attempt);
        holds(
            "nothing leaves before it is armed, durably",
            is_armed,
            || format!("{id}, attempt {attempt}: {row:?}"),
        )?;
        let is_same = row.is_some_and(|row| row.request == *request);
        holds("one request for a decision, for ever", is_same, || {
            format!("{id}: {request:?} and {row:?}")
        })?;
        let story = self.stories.get(id);
        let is_released = story.is_some_and(|it| it.is_armed() && it.attempts == attempt);
        holds(
            "nothing leaves before it is armed, durably",
            is_released,
            || format!("{id}, attempt {attempt}: {story:?}"),
        )?;
        let before = self.arrived.entry(id.to_owned()).or_default();
        for (earlier, sent) in &*before {
            let ended = story.and_then(|it| {
                let place = usize::try_from(*earlier).ok()?.checked_sub(1)?;
                it.ended.get(place).copied().flatten()
            });
            let was_ordered = story.is_some_and(|it| *earlier <= it.earlier);
            let may = ended.is_some_and(|ended| story.is_some_and(|it| it.may_repeat(ended)));
            let may = may || was_ordered || self.excused.contains(id);
            holds("what may have arrived is not sent again", may, || {
                format!("{id}: attempt {attempt} after {earlier} ended {ended:?}")
            })?;
            holds(
                "one request for a decision, for ever",
                sent == request,
                || format!("{id}: {request:?} after {sent:?}"),
            )?;
        }
        before.push((attempt, request.clone()));
        Ok(())
    }

    /// The receiver acts on a request.
    pub(crate) fn acts(&mut self, id: &str) -> Checked {
        let acts = self.acts.entry(id.to_owned()).or_default();
        *acts += 1;
        let story = self.stories.get(id);
        let was_ordered = story.is_some_and(|it| it.earlier > 0);
        let was_ordered = was_ordered || self.excused.contains(id);
        let may = *acts == 1 || was_ordered || self.deliveries.get(id).is_some_and(|it| !it.once);
        holds("at most once is once", may, || {
            format!("{id}: {acts} times")
        })
    }

    /// The process was killed: what is not durable has not happened.
    pub(crate) fn killed(&mut self) {
        self.people.forget();
        self.paused.clone_from(&self.paused_durable);
        self.skipping.clone_from(&self.skipping_durable);
        self.leaving.clone_from(&self.leaving_durable);
        self.let_in.clear();
        self.stories_pending.clear();
        self.taken.clear();
        self.untold.clear();
        self.seen.clear();
        self.ended.clear();
        self.refused.clear();
    }

    /// The store is one that was put aside before: what became durable since is lost, and what
    /// arrived at receivers is not.
    pub(crate) fn restored(&mut self, until: &Self) {
        self.arrived.clone_from(&until.arrived);
        self.acts.clone_from(&until.acts);
        self.excused.clone_from(&until.excused);
        for (id, row) in &until.deliveries {
            let is_same = self
                .deliveries
                .get(id)
                .is_some_and(|it| it.attempts == row.attempts);
            if !is_same {
                self.excused.insert(id.clone());
            }
        }
    }

    /// The engine comes up again: what was on its way is unknown.
    pub(crate) fn opens(&mut self, at: i64) {
        for story in self.stories.values_mut().filter(|it| it.is_armed()) {
            story.finished(story.attempts, Ended::NoStatus, at);
        }
    }
}

/// What is said, and what must have happened by then.
impl Auditor {
    /// What is said to the outside, once a commit was answered.
    pub(crate) fn told(&mut self, told: &[Told], fed: &[Fed]) -> Checked {
        for it in told {
            match it {
                Told::Decision { id, outcome } => {
                    let row = self.decisions.get(id);
                    let is_true = row.is_some_and(|row| row.outcome == *outcome);
                    let is_new = self.untold.remove(id) || self.at_opening.remove(id);
                    holds("what is told is durable", is_true && is_new, || {
                        format!("{it:?} and {row:?}")
                    })?;
                }
                Told::Delivery {
                    id,
                    state,
                    attempts,
                } => {
                    let row = self.deliveries.get(id);
                    let is_true = row.is_some_and(|row| row.attempts >= *attempts);
                    holds("what is told is durable", is_true, || {
                        format!("{id} {state} and {row:?}")
                    })?;
                }
                Told::Refused {
                    journey, message, ..
                } => {
                    let message = message.clone().unwrap_or_default();
                    self.refused.insert((journey.clone(), message));
                }
                Told::Paused { place } => {
                    let journey = place.split('/').next().unwrap_or_default();
                    let is_true = self.controls.contains_key(journey);
                    holds("what is told is durable", is_true, || format!("{it:?}"))?;
                }
                Told::Other => {}
            }
        }
        let untold = &self.untold;
        holds("what is decided is told", untold.is_empty(), || {
            format!("{untold:?}")
        })?;
        for fed in fed {
            self.was_heard(fed)?;
        }
        self.stays();
        self.were_let_in()?;
        self.seen.clear();
        self.ended.clear();
        self.refused.clear();
        Ok(())
    }

    /// What was handed in and is not durable yet.
    pub(crate) fn pending(&self) -> Vec<Fed> {
        self.people.pending()
    }
}

impl Auditor {
    fn story(&mut self, id: &str) -> Result<&mut Story, Broken> {
        let Some(story) = self.stories.get(id) else {
            let what = format!("{id} is owed by nobody");
            let rule = "a decision before its request";
            return Err(Broken { rule, what });
        };
        let pending = &mut self.stories_pending;
        Ok(pending
            .entry(id.to_owned())
            .or_insert_with(|| story.clone()))
    }

    /// Whether a delivery's journey or block is paused.
    fn is_held(&self, row: &Delivery) -> bool {
        let block = format!("{}/{}", row.journey, row.block);
        self.paused.contains_key(&row.journey) || self.paused.contains_key(&block)
    }

    /// A delivery that is not final and has to leave before this one: to the same target, decided
    /// before `decided`, or on its way.
    fn before(&self, id: &str, row: &Delivery, decided: i64) -> Option<String> {
        let target = target(row)?;
        // What was final and is not any more waits for what is in hand.
        let came_back = |id: &String| {
            let story = self
                .stories_pending
                .get(id)
                .or_else(|| self.stories.get(id));
            decided < i64::MAX && story.is_some_and(|it| it.came_back)
        };
        let is_before = |(other, it): &(&String, &Delivery)| {
            let is_open = it.state == "armed"
                || self.taken.contains(*other)
                || (it.state == "planned" && it.decided < decided && !came_back(other));
            other.as_str() != id && is_open && self::target(it).as_ref() == Some(&target)
        };
        let found = self.deliveries.iter().find(is_before);
        found.map(|(other, it)| format!("{other} {it:?}"))
    }
}

/// What a PUT or DELETE acts on: its URL, and where that is the same for everybody, for whom.
fn target(row: &Delivery) -> Option<String> {
    if row.request.method == "POST" {
        return None;
    }
    let whose = if row.is_varied { "" } else { &row.profile };
    Some(format!("{} {whose}", row.request.url))
}

/// What was found, and of which delivery.
fn about(found: Checked, id: &str) -> Checked {
    found.map_err(|Broken { rule, what }| Broken {
        rule,
        what: format!("{id}: {what}"),
    })
}
