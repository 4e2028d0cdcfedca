//! The journey graph executor: what follows from one input.
//!
//! [`step`] is the whole engine: a pure, total function from a [`Catalog`] of journeys, a
//! [`Snapshot`] of rows and one [`Input`] to its [`Effects`]. Whoever calls it loads the rows it
//! asks for, keeps the changes it makes, and sends what it owes; `wayfare-runtime` is one such
//! caller, your own loop can be another.
//!
//! ```
//! use std::collections::BTreeMap;
//! use wayfare_event::{Event, IdKey};
//! use wayfare_executor::{Catalog, Effects, Happened, Input, InputKind, Key, Row, Sending};
//! use wayfare_executor::{Snapshot, Trace, step};
//! use wayfare_journey::{Known, compile};
//!
//! let journey = "
//! journey: welcome
//! trigger: { event: Signed Up }
//! entry: { again: once }
//! blocks:
//!   greet:
//!     webhook:
//!       method: POST
//!       url: https://mail.example.com/welcome
//!       consent: { basis: contract, because: the account was just opened }
//!       payload: { name: '{trigger.properties.name}' }
//! ";
//! let compiled = compile(journey, &Known::default());
//! let (identity, consent) = Default::default();
//! let mut catalog = Catalog::new(identity, consent, IdKey::STATELESS, Sending::Owed);
//! catalog.publish(compiled.unwrap().graph);
//!
//! let line = r#"{"type":"track","userId":"u1","event":"Signed Up","properties":{"name":"Ann"}}"#;
//! let at = "2026-01-26T10:00:00Z".parse().unwrap();
//! let event = Happened::new(&catalog, Event::parse(line, None)?, "app".into(), at)?;
//! let input = Input { seq: 1, at, kind: InputKind::Event(Box::new(event)) };
//!
//! let mut kept: BTreeMap<Key, Row> = BTreeMap::new(); // or your database
//! let mut rows = Snapshot::new();
//! let changes = loop {
//!     match step(&catalog, &rows, &input, &mut Trace::off()) {
//!         Effects::Changes(changes) => break changes,
//!         Effects::Load(keys) => keys.into_iter().for_each(|key| {
//!             let row = kept.get(&key).cloned();
//!             rows.put(key, row);
//!         }),
//!         Effects::DueFirst(_) => unreachable!("nobody waits yet"),
//!         Effects::Dropped => unreachable!("nobody is erased"),
//!     }
//! };
//! for change in changes {
//!     change.apply(&mut rows);
//!     for key in change.touches() {
//!         match rows.row(&key) {
//!             Some(row) => kept.insert(key, row),
//!             None => kept.remove(&key),
//!         };
//!     }
//! }
//! let owed = kept.values().find_map(|row| match row {
//!     Row::Delivery(delivery) => Some(&delivery.request),
//!     _ => None,
//! });
//! let owed = owed.unwrap();
//! println!("{} {}", owed.method.as_str(), owed.url); // POST https://mail.example.com/welcome
//! assert_eq!(owed.body.as_deref(), Some(r#"{"name":"Ann"}"#));
//! # Ok::<(), wayfare_event::Rejection>(())
//! ```
//!
//! A loop begins with one [`InputKind::Published`] for each journey. What it brings back as inputs: the timers that changes set ([`Change::timer`]), the inputs
//! they queue ([`Change::Queued`], before the next input), the pages of sweeps they move on
//! ([`Change::SweepMoved`], where journeys start on schedules or dates), and the attempts of
//! deliveries. What holds for whole journeys ([`Key::Control`]) goes into every snapshot. A whole
//! loop, with timers, attempts and a sender, is the program `examples/embed-executor`.
//!
//! Reading order: [`step`], [`Input`], [`Effects`], [`Change`], [`record`], [`delivery`].

mod apply;
mod catalog;
mod change;
pub mod delivery;
mod effects;
mod forget;
mod input;
pub mod record;
mod redaction;
mod refusal;
pub mod rehearsal;
mod snapshot;
mod step;
mod trace;
pub mod view;

pub use catalog::{Catalog, Published, Sending};
pub use change::Change;
pub use effects::Effects;
pub use forget::ErasureChange;
pub use input::{
    Action, Erase, Happened, Input, InputKind, Operator, Place, Timer, TimerOf, Tried,
};
pub use record::{Key, Row};
pub use redaction::Redaction;
pub use refusal::RefusalCode;
pub use snapshot::Snapshot;
pub use step::step;
pub use trace::{Note, Trace};
pub use wayfare_identity::Trust;
