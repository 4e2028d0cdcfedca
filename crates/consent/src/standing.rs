//! What stands, of all that was said? Which records apply (2.2.3), and which refusals an acceptance
//! overcame (2.2.4). Nothing is collected: who asks goes through the records again.

use wayfare_event::{ConsentAction, Identifier, Timestamp};

use crate::question::is_address;
use crate::{Binding, Category, Config, Question, Record, RecordKind, Said, Strength, scope};

/// What a record that applies does now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// It refuses; refusals do not wait, and do not end.
    Refusal,
    /// It is a live acceptance.
    Grant,
    /// It is an acceptance that is not strong enough yet.
    Pending,
    /// It is an acceptance that has ended.
    Expired,
    /// It is an acceptance that is not valid yet, and does nothing.
    Early,
}

/// The records that apply to a question.
pub(crate) struct Standing<'q, I, L> {
    config: &'q Config,
    rules: &'q Category,
    question: &'q Question<'q>,
    said: I,
    linked_at: L,
}

impl<'q, 'a, I, L> Standing<'q, I, L>
where
    I: Iterator<Item = Said<'a>> + Clone,
    L: Fn(&Identifier, &Identifier) -> Option<Timestamp>,
{
    /// What stands of what was said; nothing for a category that is not configured.
    pub(crate) fn of(
        config: &'q Config,
        question: &'q Question<'q>,
        said: I,
        linked_at: L,
    ) -> Option<Self> {
        Some(Self {
            config,
            rules: config.category(question.category)?,
            question,
            said,
            linked_at,
        })
    }

    pub(crate) const fn rules(&self) -> &'q Category {
        self.rules
    }

    /// The refusals that no acceptance overcame.
    pub(crate) fn refusals(&self) -> impl Iterator<Item = Said<'a>> {
        self.in_state(State::Refusal).filter(|refusal| {
            let mut grants = self.in_state(State::Grant);
            !grants.any(|grant| self.overcomes(&grant, refusal))
        })
    }

    /// The live acceptances that were said after every refusal.
    pub(crate) fn grants(&self) -> impl Iterator<Item = Said<'a>> {
        let refusals = self.in_state(State::Refusal);
        let last = refusals.map(|refusal| refusal.record.said_at()).max();
        let grants = self.in_state(State::Grant);
        grants.filter(move |grant| last.is_none_or(|last| grant.record.said_at() > last))
    }

    /// The records that apply and do this now.
    pub(crate) fn in_state(&self, state: State) -> impl Iterator<Item = Said<'a>> {
        self.said.clone().filter(move |said| {
            state_of(self.rules, said.record, self.question.now) == state && self.applies(said)
        })
    }

    /// 2.2.3: whether a record applies. It was said by then and we had heard of it, it speaks of the
    /// category, and its subject is among those the question is about.
    fn applies(&self, said: &Said<'_>) -> bool {
        let record = said.record;
        record.said_at() <= self.question.now
            && record.recorded_at <= self.question.heard_by
            && scope::covers(record, self.question.category, self.rules.binding)
            && self.is_about(said)
    }

    /// 2.2.3, the subject. Where consent is about addresses, a yes of the person reaches an address
    /// only if the person had it when it was said; a no reaches every one at once.
    fn is_about(&self, said: &Said<'_>) -> bool {
        let record = said.record;
        match (self.rules.binding, self.question.address) {
            (Binding::Profile, _) => true,
            (Binding::Address(_), Some(address)) if said.subject == address => true,
            (Binding::Address(_), _) if is_address(said.subject) => false,
            (Binding::Address(_), None) => true,
            (Binding::Address(_), Some(address)) => match record.action {
                ConsentAction::Decline => true,
                ConsentAction::Accept => self.was_one(said.subject, address, record.said_at()),
            },
        }
    }

    /// 2.2.4: whether a live acceptance overcomes a refusal.
    fn overcomes(&self, grant: &Said<'_>, refusal: &Said<'_>) -> bool {
        let (yes, no) = (grant.record, refusal.record);
        !yes.undated
            && yes.said_at() > no.said_at()
            && scope::is_within(self.config, yes, no)
            && outweighs(yes, no.kind)
            && self.was_one(grant.subject, refusal.subject, yes.said_at())
    }

    /// Whether two subjects were known to be one person by then; at the same instant they were
    /// (SP 15).
    fn was_one(&self, left: &Identifier, right: &Identifier, by: Timestamp) -> bool {
        left == right || (self.linked_at)(left, right).is_some_and(|since| since <= by)
    }
}

/// 2.2.4, the kinds: what nobody said in person lifts no refusal that somebody did, and a signal is
/// lifted by who was told of it.
fn outweighs(yes: &Record, no: RecordKind) -> bool {
    match no {
        RecordKind::Import | RecordKind::Admin => true,
        RecordKind::User => yes.kind.is_own(),
        RecordKind::Signal => yes.kind.is_own() && yes.acknowledges_signal(),
    }
}

fn state_of(rules: &Category, record: &Record, now: Timestamp) -> State {
    match record.action {
        ConsentAction::Decline => State::Refusal,
        ConsentAction::Accept if record.valid_from.is_some_and(|from| now < from) => State::Early,
        // What nobody confirmed has not begun to hold, and so does not end.
        ConsentAction::Accept if record.pending || !is_strong(rules, record) => State::Pending,
        ConsentAction::Accept if has_ended(rules, record, now) => State::Expired,
        ConsentAction::Accept => State::Grant,
    }
}

/// 2.2.2, the least strength: confirmed, and by a sender who can be trusted to say so.
fn is_strong(rules: &Category, record: &Record) -> bool {
    let is_confirmed = || {
        let method = record.method.as_deref();
        matches!(method, Some("confirmed" | "double_opt_in"))
    };
    match rules.strength {
        Strength::Any => true,
        Strength::Confirmed => !record.unverified && is_confirmed(),
    }
}

fn has_ended(rules: &Category, record: &Record, now: Timestamp) -> bool {
    let by_age = rules
        .max_age_us
        .map(|age_us| record.said_at().saturating_add_micros(age_us));
    let ends = [record.valid_until, by_age].into_iter().flatten();
    ends.min().is_some_and(|end| end <= now)
}
