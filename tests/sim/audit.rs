//! Is every promise of ARCHITECTURE.md kept? The auditor hears what was told and ordered, what became
//! durable, what was said to the outside and what arrived at receivers, and judges it by small models of
//! its own. It shares no code with the engine.

mod durable;
mod people;
mod persons;
mod story;
mod walks;

use std::collections::{BTreeMap, BTreeSet};

use crate::facts::{
    Broken, Checked, Control, Decision, Delivery, Ended, Fed, Journey, Order, Person, Request, Row,
    Says, Told, holds,
};
use people::People;
use story::Story;
use walks::{Entries, Entry, Live};

/// What became durable in one commit: under each key the new row, or that there is none.
pub(crate) type Changes = Vec<(String, Option<Row>)>;

#[derive(Clone, Default)]
pub(crate) struct Auditor {
    people: People,
    /// The id of each profile, by who leads it.
    ids: BTreeMap<String, String>,
    /// Ids of persons that were let go.
    retired: BTreeSet<String>,
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
        self.people.may_say(says)
    }

    /// Whether somebody erased was owed a delivery.
    pub(crate) fn is_erased(&self, id: &str) -> bool {
        self.erased.contains_key(id)
    }

    /// An operator says who is who; whether anything comes of it.
    pub(crate) fn said(&mut self, says: &Says, at: i64) -> bool {
        self.people.order(says, at)
    }

    /// A journey, or a block written `journey/block`, is paused.
    pub(crate) fn paused(&mut self, place: &str) {
        self.paused.insert(place.to_owned(), "ops".to_owned());
    }

    pub(crate) fn resumed(&mut self, place: &str) {
        self.paused.remove(place);
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
        let is_allowed = is_allowed && !self.erased.contains_key(id);
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
        self.seen.clear();
        self.ended.clear();
        self.refused.clear();
        Ok(())
    }

    /// What was handed in and is not durable yet.
    pub(crate) fn pending(&self) -> Vec<Fed> {
        self.people.pending()
    }

    /// The engine has had its turn at `at`: whatever was due by then has happened.
    pub(crate) fn rested(&mut self, at: i64) -> Checked {
        for (id, (owner, it)) in &self.live {
            let is_due = it.due.is_some_and(|due| due <= at);
            let may_wait = !is_due || self.paused.contains_key(&it.journey);
            holds("what is due has its turn", may_wait, || {
                format!("{id} of {owner} at {at}: {it:?}")
            })?;
        }
        holds(
            "what is queued has its turn",
            self.queued.is_empty(),
            || format!("{:?}", self.queued),
        )?;
        for (id, row) in &self.deliveries {
            let is_due = row.due.is_some_and(|due| due <= at);
            let may_wait = !is_due
                || self.taken.contains(id)
                || self.is_held(row)
                || self.before(id, row, i64::MAX).is_some();
            holds("what is owed is sent", may_wait, || {
                format!("{id} at {at}: {row:?}")
            })?;
        }
        self.together()?;
        // While the clock is behind, the search through the ledger has not begun.
        if at >= self.erased_last {
            self.forgotten()?;
        }
        self.marked()
    }

    /// The engine's profiles are those of the model, and each has one id for ever.
    pub(crate) fn same_people(&mut self, profiles: &BTreeMap<BTreeSet<String>, String>) -> Checked {
        let groups = self.people.groups(self.people.all());
        let own: BTreeSet<&BTreeSet<String>> = groups.iter().map(|it| &it.names).collect();
        let is_same = own.iter().copied().eq(profiles.keys());
        holds("people are who they say they are", is_same, || {
            let there = |it: &&&BTreeSet<String>| profiles.contains_key(**it);
            let missing: Vec<_> = own.iter().filter(|it| !there(it)).collect();
            let beyond: Vec<_> = profiles.keys().filter(|it| !own.contains(it)).collect();
            format!("expected {missing:?}, found {beyond:?}")
        })?;
        for group in &*groups {
            let Some(id) = profiles.get(&group.names) else {
                continue;
            };
            let known = self
                .ids
                .entry(group.lead.clone())
                .or_insert_with(|| id.clone());
            holds("whoever has a name keeps their id", known == id, || {
                format!("{} was {known} and is {id}", group.lead)
            })?;
        }
        let ids: BTreeSet<&String> = self.ids.values().collect();
        let is_new = ids.iter().all(|id| !self.retired.contains(*id));
        holds(
            "whoever has a name keeps their id",
            ids.len() == self.ids.len() && is_new,
            || format!("two have one: {:?}", self.ids),
        )
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

    /// An event that may start a journey does, moves somebody there, or is refused.
    fn was_heard(&mut self, fed: &Fed) -> Checked {
        let (Some(name), Some(message)) = (&fed.name, &fed.message) else {
            return Ok(());
        };
        // What only names a thing that is nobody's is about nobody.
        let around = self.people.around(fed.at);
        let mut names = fed.names.iter();
        let is_nobodys = names.all(|it| {
            around
                .iter()
                .any(|told| self.people.group(*told, it).is_blocked)
        });
        if is_nobodys {
            return Ok(());
        }
        let in_force = self.controls.iter().filter_map(|(id, control)| {
            let version = control.in_force.clone()?;
            self.versions.get(&(id.clone(), version))
        });
        for journey in walks::started(in_force, name) {
            let was_heard = self.refused.contains(&(journey.clone(), message.clone()))
                || self.seen.contains(&(journey.clone(), fed.at))
                || self.ended.contains(&journey);
            holds(
                "an event starts what it may, or is refused",
                was_heard,
                || format!("{journey}: {fed:?}"),
            )?;
        }
        Ok(())
    }

    /// Whoever waits is where their person is, and nobody is in one place twice.
    fn together(&mut self) -> Checked {
        let all = self.people.all();
        for (id, (owner, it)) in &self.live {
            let group = self.people.group(all, owner);
            // An erasure of a user lets aliases of their text count: whoever gains by that is not met.
            let is_older = it.entered <= self.erased_last;
            let is_there = *owner == group.lead || !persons::is_user(&group.lead) || is_older;
            holds("whoever waits follows their person", is_there, || {
                format!("{id} of {owner}, who is {}: {it:?}", group.lead)
            })?;
        }
        self.entries
            .apart(&mut self.people, &self.live, self.erased_last)
    }

    /// Whoever is beyond a block that writes a trait has it, or had it when they entered.
    fn marked(&mut self) -> Checked {
        let live = self.live.iter();
        let live = live.map(|(id, (_, it))| (id, &it.journey, &it.version, &it.block));
        let ended = self.decisions.iter();
        let ended = ended.map(|(id, it)| (id, &it.journey, &it.version, &it.block));
        for (id, journey, version, block) in live.chain(ended) {
            let facts = self.versions.get(&(journey.clone(), version.clone()));
            let Some((first, name)) = facts.and_then(walks::mark) else {
                continue;
            };
            let entry = self.entries.of(id);
            let is_beyond = |it: &&Entry| {
                let was_erased = matches!(&it.ended, Some((_, how)) if how == "erased");
                let is_known = !was_erased && !it.owners.is_empty();
                it.version == *version && first != block && is_known
            };
            let Some(entry) = entry.filter(is_beyond) else {
                continue;
            };
            let all = self.people.all();
            let mut names: BTreeSet<String> = BTreeSet::new();
            for (_, owner) in &entry.owners {
                names.extend(self.people.person(all, owner));
                names.insert(owner.clone());
            }
            let [_, told] = self.people.around(entry.entered);
            names.extend(self.people.person(told, &entry.first_owner));
            let mut own = names.iter().filter_map(|it| self.persons.get(it));
            let has = own.any(|person| person.traits.contains(name));
            holds("what a block writes is written", has, || {
                format!("{name} of {entry:?}")
            })?;
        }
        Ok(())
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
