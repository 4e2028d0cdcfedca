//! How does what a file says of triggers, entries and exits become rules?

use std::sync::Arc;

use super::Compiler;
use crate::calendar::Zone;
use crate::check::near_miss::Open;
use crate::definition::{self, Text};
use crate::diagnostic::{Code, Diagnostic, nearest};
use crate::duration::{self, DAY_US};
use crate::expression::{Expression, Names, Path, Root};
use crate::graph::{
    Again, Entry, EntryLimit, EventMatch, ExitRule, Heard, TraitChange, TraitOf, Trigger, TriggerOn,
};

/// How old an event may be, unless written: 72 hours (SP 2).
const LATENESS_US: i64 = 3 * DAY_US;
/// The longest time between two entries that an author may ask for.
const AGAIN_US_MAX: i64 = 3_650 * DAY_US;
/// The longest while in which entries are counted.
const LIMIT_PER_US_MAX: i64 = 31 * DAY_US;
/// Reasons of exits that only the engine gives (SP 32).
const OWN_REASONS: [&str; 2] = ["limit", "life_over"];
/// The states of a delivery that start journeys: those it stays in.
const STATES: [&str; 5] = ["delivered", "rejected", "unknown", "expired", "withheld"];

impl Compiler<'_> {
    pub(super) fn trigger(&mut self, trigger: &definition::Trigger) -> Option<Trigger> {
        let names = self.names(Vec::new());
        let condition = self.optional(trigger.condition.as_ref(), &names);
        let on = self.on(&trigger.on, &names);
        Some(Trigger {
            on: on?,
            condition: condition?,
        })
    }

    fn on(&mut self, on: &definition::TriggerOn, names: &Names) -> Option<TriggerOn> {
        Some(match on {
            definition::TriggerOn::Events(events) => {
                TriggerOn::Events(events.iter().map(event).collect())
            }
            definition::TriggerOn::Consent { category, action } => TriggerOn::Consent {
                category: self.category(category)?,
                action: *action,
            },
            definition::TriggerOn::Trait { name, from, to } => TriggerOn::Trait(TraitChange {
                from: from.clone(),
                to: to.clone(),
                ..self.trait_name(name)?
            }),
            definition::TriggerOn::Schedule { cron, zone } => {
                let cron = self.cron(cron);
                let zone = zone.as_ref().map_or(Some(Zone::UTC), |it| self.zone(it));
                TriggerOn::Schedule {
                    cron: cron?,
                    zone: zone?,
                }
            }
            definition::TriggerOn::Date { date, offset } => {
                let offset_us = offset.as_ref().map_or(Some(0), |it| self.offset(it));
                let date = self.date(date, names);
                TriggerOn::Date {
                    date: date?,
                    offset_us: offset_us?,
                }
            }
            definition::TriggerOn::Delivery {
                journey,
                block,
                state,
            } => TriggerOn::Delivery {
                state: self.final_state(state)?,
                journey: journey.value.as_str().into(),
                block: block.as_ref().map(|block| block.value.as_str().into()),
            },
        })
    }

    /// A date that stands still until somebody moves it.
    fn date(&mut self, text: &Text, names: &Names) -> Option<Expression> {
        let date = self.expression(text, names)?;
        let moves = |path: &&Path| matches!(path.root, Root::Now | Root::Entry);
        if !date.paths().iter().any(moves) {
            return Some(date);
        }
        let message = "this date moves on by itself and never comes";
        let hint = "name a date that stands in the profile, and an `offset:`";
        let problem = Diagnostic::new(Code::PolledCondition, text.span, message);
        self.problems.push(problem.hint(hint));
        None
    }

    /// `plan`, or `account.plan`.
    fn trait_name(&mut self, name: &Text) -> Option<TraitChange> {
        let (of, trait_name) = match name.value.strip_prefix("account.") {
            Some(rest) => (TraitOf::Account, rest),
            None => (TraitOf::Profile, name.value.as_str()),
        };
        let own = trait_name.strip_prefix("profile.");
        if trait_name.is_empty() || own.is_some() {
            let message = "a trait is named by itself, `plan`, an account's `account.plan`";
            let hint = own.map(|own| format!("write `{own}`"));
            let problem = Diagnostic::new(Code::InvalidName, name.span, message);
            self.problems.push(problem.maybe_hint(hint));
            return None;
        }
        let open = match of {
            TraitOf::Profile => Open::Profile,
            TraitOf::Account => Open::Account,
        };
        let undeclared = self.fields.name(open, &trait_name.into(), name.span);
        self.problems.extend(undeclared);
        Some(TraitChange {
            of,
            name: trait_name.into(),
            from: None,
            to: None,
        })
    }

    /// A state of a delivery that somebody can react to.
    fn final_state(&mut self, state: &Text) -> Option<Arc<str>> {
        if STATES.contains(&state.value.as_str()) {
            return Some(state.value.as_str().into());
        }
        let message = format!("`{}` is none of: {}", state.value, STATES.join(", "));
        let near = nearest(&state.value, STATES).map(|near| format!("did you mean `{near}`?"));
        let problem = Diagnostic::new(Code::InvalidValue, state.span, message);
        self.problems.push(problem.maybe_hint(near));
        None
    }

    /// `1000/h`: so many in a second, minute, hour or day, or in a duration.
    fn limit(&mut self, text: &Text) -> Option<EntryLimit> {
        let read = || {
            let (entries, per) = text.value.split_once('/')?;
            let entries: u32 = entries.trim().parse().ok()?;
            let per = per.trim();
            let bare = per.len() == 1;
            let per = if bare {
                format!("1{per}")
            } else {
                per.to_owned()
            };
            let per_us = duration::parse(&per).ok()?;
            let is_sound = entries > 0 && per_us > 0 && per_us <= LIMIT_PER_US_MAX;
            is_sound.then_some(EntryLimit { entries, per_us })
        };
        let limit = read();
        if limit.is_none() {
            let message = "a limit is so many entries in a while of at most 31d";
            let problem = Diagnostic::new(Code::InvalidValue, text.span, message);
            self.problems
                .push(problem.hint("write `1000/h`, or `50/15m`"));
        }
        limit
    }

    pub(super) fn entry(&mut self, entry: &definition::Entry) -> Option<Entry> {
        let again = match &entry.again {
            None => Some(Again::AfterExit),
            Some(text) => match text.value.as_str() {
                "once" => Some(Again::Once),
                "after_exit" => Some(Again::AfterExit),
                "always" => Some(Again::Always),
                _ => self.duration(text, AGAIN_US_MAX).map(Again::Every),
            },
        };
        let names = self.names(Vec::new());
        let key = self.optional(entry.key.as_ref(), &names);
        if let (Some(Some(key)), Some(text)) = (&key, &entry.key)
            && key.as_path().is_none()
        {
            let message = "a key is a path, such as `properties.orderId`";
            self.problems
                .push(Diagnostic::new(Code::InvalidValue, text.span, message));
        }
        let lateness = entry.lateness.as_ref();
        let lateness_us = lateness.map_or(Some(LATENESS_US), |text| {
            self.duration(text, self.known.lateness_us_max)
        });
        let limit = entry.limit.as_ref().map(|text| self.limit(text));
        Some(Entry {
            again: again?,
            key: key?,
            lateness_us: lateness_us?,
            limit: match limit {
                None => None,
                Some(limit) => Some(limit?),
            },
        })
    }

    pub(super) fn exit(&mut self, exit: &definition::Exit) -> Option<ExitRule> {
        let on = self.heard(&exit.on, Vec::new());
        let reason = match (&exit.reason, &exit.on) {
            (Some(reason), _) => self.reason(reason),
            (None, definition::Heard::Event { event, .. }) => {
                Some(event.name.as_deref().unwrap_or(event.kind.as_str()).into())
            }
            (None, definition::Heard::When(condition)) => Some(condition.value.as_str().into()),
        };
        Some(ExitRule {
            on: on?,
            reason: reason?,
        })
    }

    /// Why an instance ends, in the author's words.
    pub(super) fn reason(&mut self, reason: &Text) -> Option<Arc<str>> {
        if OWN_REASONS.contains(&reason.value.as_str()) {
            let message = format!("`{}` is a reason of the engine's own", reason.value);
            self.problems
                .push(Diagnostic::new(Code::InvalidValue, reason.span, message));
            return None;
        }
        Some(reason.value.as_str().into())
    }

    /// What a wait or an exit reacts to; in its `where`, `event` is the event being judged.
    pub(super) fn heard(
        &mut self,
        heard: &definition::Heard,
        named: Vec<Arc<str>>,
    ) -> Option<Heard> {
        let names = self.names(named);
        match heard {
            definition::Heard::Event {
                event: name,
                condition,
                any_key,
            } => {
                let judging = Names {
                    event: true,
                    ..names
                };
                self.fields.judged = Some(name.clone());
                let condition = self.optional(condition.as_ref(), &judging);
                self.fields.judged = None;
                Some(Heard::Event {
                    event: event(name),
                    condition: condition?,
                    any_key: *any_key,
                })
            }
            definition::Heard::When(condition) => {
                let expression = self.expression(condition, &names)?;
                let reads_now = |path: &&Path| path.root == Root::Now;
                if expression.paths().iter().any(reads_now) {
                    let message = "only looking again and again could tell when this holds";
                    self.problems.push(
                        Diagnostic::new(Code::PolledCondition, condition.span, message)
                            .hint("wait for a duration, and judge `now` in a `decide` after it"),
                    );
                    return None;
                }
                Some(Heard::When(expression))
            }
        }
    }
}

fn event(name: &definition::EventName) -> EventMatch {
    EventMatch {
        kind: name.kind,
        name: name.name.as_deref().map(Arc::from),
    }
}
