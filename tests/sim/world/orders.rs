//! What does an operator order? Who is who, who is erased and who comes back, who enters; that a journey
//! or a block waits or goes on; what becomes of a delivery.

use wayfare_consent::SuppressionKind;
use wayfare_event::Identifier;
use wayfare_executor::record::EraseMode;
use wayfare_executor::{Action, Erase, Key, Operator, Place};

use super::acts::JOURNEYS;
use super::{Step, World};
use crate::audit::LetIn;
use crate::facts::{Order, Says};
use crate::look;
use crate::people;

impl World {
    /// An operator says who is who.
    pub(super) fn say(&mut self) -> Step {
        self.clear()?;
        self.clock += 1;
        let at = self.at();
        let says = match self.dice.below(12) {
            0..=2 => people::erase(&mut self.dice),
            3 => people::readmit(&mut self.dice, &self.auditor.kept_out()),
            _ => people::order(&mut self.dice),
        };
        if !self.auditor.may_say(&says) {
            return Ok(());
        }
        let follows = self.auditor.said(&says, at);
        let (what, action) = action(&says);
        if follows {
            self.count(format!("order {what}"));
        }
        self.order_now(action)
    }

    /// Somebody stops a journey or a block, or lets it go on; or says what becomes of a delivery.
    pub(super) fn order(&mut self) -> Step {
        if self.dice.one_in(2) {
            return self.order_delivery();
        }
        let journey = format!("j{}", self.dice.below(JOURNEYS));
        if self.dice.one_in(4) {
            return self.let_in(&journey);
        }
        let block = if self.dice.one_in(3) { "/send" } else { "" };
        let mut name = format!("{journey}{block}");
        let pauses = self.dice.one_in(3);
        let paused = self.auditor.paused_places();
        if !pauses && !paused.is_empty() && !self.dice.one_in(4) {
            name.clone_from(&paused[self.dice.place(paused.len())]);
        }
        let place = Place::parse(&name);
        if pauses {
            self.auditor.paused(&name);
            self.order_now(Action::Pause(place))
        } else if self.dice.one_in(2) {
            let at = self.at();
            if self.auditor.skips(&name, at) {
                self.count("order skip overdue".to_owned());
            }
            self.order_now(Action::SkipOverdue(place))
        } else {
            self.auditor.resumed(&name);
            self.order_now(Action::Resume(place))
        }
    }

    /// Somebody enters a journey without anything that starts it.
    fn let_in(&mut self, journey: &str) -> Step {
        self.clear()?;
        self.clock += 1;
        let (name, at) = (people::anybody(&mut self.dice), self.at());
        self.auditor.lets_in(LetIn {
            journey: journey.to_owned(),
            identifier: name.clone(),
            at,
        });
        self.count("order enter".to_owned());
        self.order_now(Action::Enter {
            journey: journey.into(),
            identifier: identifier(&name),
        })
    }

    fn order_delivery(&mut self) -> Step {
        let ids: Vec<_> = {
            let watch = self.shelf.watch.lock().unwrap();
            let keys = watch.rows.keys();
            let id = |key: &Key| {
                if let Key::Delivery(id) = key {
                    return Some(*id);
                }
                None
            };
            keys.filter_map(id).collect()
        };
        if ids.is_empty() {
            return Ok(());
        }
        let back = self.dice.place(ids.len());
        let id = ids[back];
        let at = self.at();
        if self.auditor.is_erased(&look::digits(&id)) {
            return Ok(());
        }
        let (order, action) = match self.dice.below(4) {
            0 | 1 => (Order::Resend, Action::Resend(id)),
            2 => (Order::Resolve, Action::Resolve(id)),
            _ => (Order::Withhold, Action::Withhold(id)),
        };
        self.auditor.ordered(&look::digits(&id), order, at)?;
        self.order_now(action)
    }

    fn order_now(&mut self, action: Action) -> Step {
        self.note(&format!("{action:?}"));
        let order = Operator {
            by: "ops".into(),
            reason: "it is a simulation".into(),
            action,
        };
        let now = self.now();
        self.engine().order(now, order).unwrap();
        self.point(1)?;
        self.commit(1)
    }
}

fn identifier(text: &str) -> Identifier {
    let (namespace, value) = text.split_once(':').unwrap();
    Identifier::new(namespace, value)
}

/// What is ordered, and its name.
fn action(says: &Says) -> (&'static str, Action) {
    match says {
        Says::Merge { from, into } => {
            let (from, into) = (identifier(from), identifier(into));
            ("merge", Action::Merge { from, into })
        }
        Says::Detach {
            identifier: it,
            from,
        } => {
            let (identifier, from) = (identifier(it), identifier(from));
            ("detach", Action::Detach { identifier, from })
        }
        Says::Unblock(it) => ("unblock", Action::Unblock(identifier(it))),
        Says::Suppress { address, bounced } => {
            let kind = if *bounced {
                SuppressionKind::Bounce
            } else {
                SuppressionKind::Complaint
            };
            let address = identifier(address);
            ("suppress", Action::Suppress { address, kind })
        }
        Says::Unsuppress(it) => ("unsuppress", Action::Unsuppress(identifier(it))),
        Says::Erase {
            identifier: it,
            deletes,
            silences,
            through,
        } => {
            let (what, mode) = match (deletes, silences) {
                (true, true) => ("erase both", EraseMode::Both),
                (true, false) => ("erase delete", EraseMode::Delete),
                (false, _) => ("erase suppress", EraseMode::Suppress),
            };
            let erase = Erase {
                identifier: identifier(it),
                mode,
                through: through.as_deref().map(Into::into),
            };
            let what = through.as_ref().map_or(what, |_| "erase through");
            (what, Action::Erase(erase))
        }
        Says::Readmit(it) => ("readmit", Action::Readmit(identifier(it))),
    }
}
