//! Does a condition hold here? What the expressions of one instance can read, gathered once.

use std::borrow::Cow;
use std::sync::Arc;

use wayfare_consent::Channel;
use wayfare_event::{Identifier, Map, Value};
use wayfare_journey::expression::{Expression, Scope};

use super::who::{self, Who};
use super::work::{NotYet, Work};
use crate::catalog::Published;
use crate::record::{Instance, Key};
use crate::trace::Note;

/// What the expressions of one instance, or of one that may enter, can read.
#[derive(Debug)]
pub(crate) struct Ground<'a> {
    pub(crate) published: &'a Published,
    pub(crate) who: Cow<'a, Who>,
    account: Option<Map>,
    entry: Map,
    trigger: Option<Map>,
    change: Option<Map>,
    delivery: Option<Map>,
    named: Vec<(Arc<str>, Map)>,
    /// The address that `change` is about.
    pub(crate) about: Option<Identifier>,
}

impl<'a> Ground<'a> {
    /// What an instance can read, loaded.
    pub(crate) fn of(
        work: &Work<'_>,
        published: &'a Published,
        who: &'a Who,
        instance: &Instance,
    ) -> Result<Self, NotYet> {
        let mut entry = Map::new();
        let key = instance.key.as_ref();
        entry.insert(
            "key",
            key.map_or(Value::Null, |key| Value::Text(key.clone())),
        );
        entry.insert("at", instance.entered.to_string().as_str().into());
        let about = about(work, instance.change.as_ref());
        work.need(about.clone().map(Key::Person))?;
        Ok(Self {
            published,
            who: Cow::Borrowed(who),
            account: account(work, instance.account.as_ref())?,
            entry,
            trigger: instance.trigger.clone(),
            change: instance.change.clone(),
            delivery: instance.delivery.clone(),
            named: instance.named.clone(),
            about,
        })
    }

    /// The address that `change` is about, when it is one of this channel.
    pub(crate) fn about_by(&self, channel: Channel) -> Option<&Identifier> {
        let about = self.about.as_ref();
        about.filter(|it| it.namespace.as_str() == channel.namespace())
    }

    /// Runs with everything an expression can read. `event` is the event being judged; in a block
    /// it is the trigger.
    pub(crate) fn with_scope<T>(
        &self,
        work: &Work<'_>,
        event: Option<&Map>,
        run: impl FnOnce(&Scope<'_>) -> T,
    ) -> T {
        let choice = |category: &str| {
            let choice = self.who.choice(work, category, self.about.as_ref());
            choice.as_str()
        };
        let may_ask = |category: &str| self.who.may_ask(work, category, self.about.as_ref());
        let seen = |name: &str| self.who.seen(&work.rows, name);
        run(&Scope {
            event: event.or(self.trigger.as_ref()),
            trigger: self.trigger.as_ref(),
            change: self.change.as_ref(),
            delivery: self.delivery.as_ref(),
            profile: &self.who.traits,
            account: self.account.as_ref(),
            journey: &self.published.names,
            entry: Some(&self.entry),
            named: &self.named,
            choice: &choice,
            may_ask: &may_ask,
            seen: &seen,
            now: work.at,
        })
    }

    /// Whether a condition holds; noted in the trace.
    pub(crate) fn holds(
        &self,
        work: &mut Work<'_>,
        condition: &Expression,
        event: Option<&Map>,
    ) -> bool {
        let (holds, leaf) = self.with_scope(work, event, |scope| {
            let holds = condition.holds(scope);
            (
                holds,
                work.trace.is_on().then(|| condition.deciding_leaf(scope)),
            )
        });
        if let Some(leaf) = leaf {
            work.trace.note(|| Note::Judged {
                condition: condition.source().to_owned(),
                holds,
                leaf: leaf.source,
                value: leaf.value.to_string(),
            });
        }
        holds
    }
}

/// The address a change is about, as an identifier.
fn about(work: &Work<'_>, change: Option<&Map>) -> Option<Identifier> {
    let text = change?.get("address")?.as_text()?;
    who::any_address(work, text)
}

/// An account's traits and `accountId`, as expressions read them.
fn account(work: &Work<'_>, id: Option<&Arc<str>>) -> Result<Option<Map>, NotYet> {
    let Some(id) = id else { return Ok(None) };
    let account = work.account(id)?;
    let traits = account.map(|account| {
        let traits = account.traits.iter();
        traits.map(|(name, register)| (name.clone(), register.value.clone()))
    });
    let id = ("accountId".into(), Value::Text(id.clone()));
    Ok(Some(traits.into_iter().flatten().chain([id]).collect()))
}
