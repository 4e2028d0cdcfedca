//! `wayfare pause`, `resume`, `stop`, `resend`, `resolve`, `merge`, `detach`, `unblock`, `suppress`,
//! `unsuppress`: what does somebody order, and why? In a state directory that no process uses, or of a
//! server. Not here: what may be ordered (`wayfare_runtime::orders`).

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use wayfare_consent::SuppressionKind;
use wayfare_event::{Map, Timestamp, Value};
use wayfare_executor::{Action, Catalog, Sending};
use wayfare_runtime::config::Settings;
use wayfare_runtime::orders::{self, Done, OrderError, Overdue, Scope, Tally, Wanted};
use wayfare_runtime::{Engine, OpenError, clock};

use super::inspect::{directory, settings};
use super::{WrongInput, print};
use crate::cli::{Clock, Format, Journeys};
use crate::remote::{self, Remote, Server};
use crate::{assembly, lines};

/// Who orders something, and in which state.
#[derive(Debug, Args)]
pub(super) struct Given {
    /// Who orders it.
    #[arg(long, env = "USER", hide_env = true, default_value = "operator")]
    pub(super) by: String,
    #[command(flatten)]
    pub(super) journeys: Journeys,
    /// The state directory; the configured one, else `.wayfare`.
    #[arg(long, env = "WAYFARE_STATE")]
    pub(super) state: Option<PathBuf>,
    /// Which time it counts at: the machine's, or that of the last input, in a state that runs by
    /// the events' clock.
    #[arg(long, value_enum, default_value_t = Clock::Wall)]
    pub(super) clock: Clock,
    /// How what was done is printed.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(super) format: Format,
}

/// How an order is given: to a state directory, or to a server.
#[derive(Debug, Args)]
pub(super) struct To {
    #[command(flatten)]
    given: Given,
    #[command(flatten)]
    remote: Remote,
}

/// Why something is ordered.
#[derive(Debug, Args)]
pub(super) struct Why {
    /// Why; it is kept.
    #[arg(long)]
    reason: String,
}

/// What is paused, or goes on.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Where {
    /// A journey, or one of its webhook blocks as `JOURNEY/BLOCK`.
    #[arg(value_name = "JOURNEY[/BLOCK]")]
    place: Option<String>,
    /// Every journey.
    #[arg(long)]
    all: bool,
}

impl Where {
    fn scope(&self) -> Scope<'_> {
        self.place.as_deref().map_or(Scope::All, Scope::One)
    }
}

/// The arguments of `wayfare pause`.
#[derive(Debug, Args)]
pub(crate) struct Pause {
    #[command(flatten)]
    place: Where,
    #[command(flatten)]
    why: Why,
    #[command(flatten)]
    to: To,
}

/// The arguments of `wayfare resume`.
#[derive(Debug, Args)]
pub(crate) struct Resume {
    #[command(flatten)]
    place: Where,
    /// Leave out what came due meanwhile: such walks end as `stopped`, such requests do not leave.
    #[arg(long)]
    skip_overdue: bool,
    #[command(flatten)]
    why: Why,
    #[command(flatten)]
    to: To,
}

/// The arguments of `wayfare stop`.
#[derive(Debug, Args)]
pub(crate) struct Stop {
    /// A journey, or one of its blocks as `JOURNEY/BLOCK`.
    #[arg(value_name = "JOURNEY[/BLOCK]")]
    place: String,
    #[command(flatten)]
    why: Why,
    #[command(flatten)]
    to: To,
}

/// The arguments of `wayfare resend`.
#[derive(Debug, Args)]
pub(crate) struct Resend {
    /// The delivery's id.
    delivery: String,
    #[command(flatten)]
    why: Why,
    #[command(flatten)]
    to: To,
}

/// What an operator knows of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Known {
    /// It arrived.
    Delivered,
}

/// The arguments of `wayfare resolve`.
#[derive(Debug, Args)]
pub(crate) struct Resolve {
    /// The delivery's id.
    delivery: String,
    /// What became of it.
    #[arg(long = "as", value_enum)]
    known: Known,
    #[command(flatten)]
    why: Why,
    #[command(flatten)]
    to: To,
}

/// The arguments of `wayfare merge`.
#[derive(Debug, Args)]
pub(crate) struct Merge {
    /// Who is taken into the other, by an identifier such as `user_id:42`.
    from: String,
    /// Who both are from now on.
    into: String,
    #[command(flatten)]
    why: Why,
    #[command(flatten)]
    to: To,
}

/// The arguments of `wayfare detach`.
#[derive(Debug, Args)]
pub(crate) struct Detach {
    /// What is told apart, such as `anonymous_id:w-1`.
    identifier: String,
    /// From whom, by an identifier of theirs.
    from: String,
    #[command(flatten)]
    why: Why,
    #[command(flatten)]
    to: To,
}

/// The arguments of `wayfare unblock`.
#[derive(Debug, Args)]
pub(crate) struct Unblock {
    /// What is blocked, such as `device_id:kiosk`.
    identifier: String,
    #[command(flatten)]
    why: Why,
    #[command(flatten)]
    to: To,
}

/// Why nothing goes to an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Because {
    /// It does not exist any more: nothing goes to it.
    Bounce,
    /// Somebody complained: only what the service needs goes to it.
    Complaint,
}

impl Because {
    const fn kind(self) -> SuppressionKind {
        match self {
            Self::Bounce => SuppressionKind::Bounce,
            Self::Complaint => SuppressionKind::Complaint,
        }
    }
}

/// The arguments of `wayfare suppress`.
#[derive(Debug, Args)]
pub(crate) struct Suppress {
    /// An e-mail address or a phone number.
    address: String,
    /// What happened.
    #[arg(long, value_enum)]
    because: Because,
    #[command(flatten)]
    why: Why,
    #[command(flatten)]
    to: To,
}

/// The arguments of `wayfare unsuppress`.
#[derive(Debug, Args)]
pub(crate) struct Unsuppress {
    /// An e-mail address or a phone number.
    address: String,
    #[command(flatten)]
    why: Why,
    #[command(flatten)]
    to: To,
}

/// Lets nothing go to an address any more.
pub(crate) fn suppress(order: &Suppress) -> anyhow::Result<ExitCode> {
    let wanted = Wanted::Suppress(&order.address, order.because.kind());
    carry_out(&order.to, &order.why, wanted)
}

/// Lets what was said decide about an address again.
pub(crate) fn unsuppress(order: &Unsuppress) -> anyhow::Result<ExitCode> {
    carry_out(&order.to, &order.why, Wanted::Unsuppress(&order.address))
}

/// Pauses a journey, a webhook block, or every journey.
pub(crate) fn pause(order: &Pause) -> anyhow::Result<ExitCode> {
    carry_out(&order.to, &order.why, Wanted::Pause(order.place.scope()))
}

/// Lets what was paused go on.
pub(crate) fn resume(order: &Resume) -> anyhow::Result<ExitCode> {
    let overdue = if order.skip_overdue {
        Overdue::Skipped
    } else {
        Overdue::Done
    };
    let wanted = Wanted::Resume(order.place.scope(), overdue);
    carry_out(&order.to, &order.why, wanted)
}

/// Ends everybody inside a journey, or at a block.
pub(crate) fn stop(order: &Stop) -> anyhow::Result<ExitCode> {
    carry_out(&order.to, &order.why, Wanted::Stop(&order.place))
}

/// Sends a delivery again.
pub(crate) fn resend(order: &Resend) -> anyhow::Result<ExitCode> {
    carry_out(&order.to, &order.why, Wanted::Resend(&order.delivery))
}

/// Says what became of a delivery.
pub(crate) fn resolve(order: &Resolve) -> anyhow::Result<ExitCode> {
    let wanted = match order.known {
        Known::Delivered => Wanted::Resolve(&order.delivery),
    };
    carry_out(&order.to, &order.why, wanted)
}

/// Makes two persons one.
pub(crate) fn merge(order: &Merge) -> anyhow::Result<ExitCode> {
    let wanted = Wanted::Merge {
        from: &order.from,
        into: &order.into,
    };
    carry_out(&order.to, &order.why, wanted)
}

/// Tells an identifier apart from somebody.
pub(crate) fn detach(order: &Detach) -> anyhow::Result<ExitCode> {
    let wanted = Wanted::Detach {
        identifier: &order.identifier,
        from: &order.from,
    };
    carry_out(&order.to, &order.why, wanted)
}

/// Lets a blocked identifier name somebody again.
pub(crate) fn unblock(order: &Unblock) -> anyhow::Result<ExitCode> {
    carry_out(&order.to, &order.why, Wanted::Unblock(&order.identifier))
}

/// Gives an order to a server, or carries it out to its end; says what was done.
pub(super) fn carry_out(to: &To, why: &Why, wanted: Wanted<'_>) -> anyhow::Result<ExitCode> {
    match to.remote.server()? {
        Some(server) => hand_over(&server, to.given.format, why, wanted)?,
        None => carry_out_here(&to.given, why, wanted)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Gives an order to a server.
fn hand_over(server: &Server, format: Format, why: &Why, wanted: Wanted<'_>) -> anyhow::Result<()> {
    let mut body = Map::new();
    body.insert("reason", why.reason.as_str().into());
    let path: Vec<&str> = match wanted {
        Wanted::Pause(scope) => place(scope, "pause"),
        Wanted::Resume(scope, overdue) => {
            if overdue == Overdue::Skipped {
                body.insert("skip_overdue", true.into());
            }
            place(scope, "resume")
        }
        Wanted::Stop(text) => place(Scope::One(text), "stop"),
        Wanted::Resend(id) => vec!["deliveries", id, "resend"],
        Wanted::Resolve(id) => {
            body.insert("as", "delivered".into());
            vec!["deliveries", id, "resolve"]
        }
        Wanted::Merge { from, into } => {
            body.insert("from", from.into());
            body.insert("into", into.into());
            vec!["merge"]
        }
        Wanted::Detach { identifier, from } => {
            body.insert("identifier", identifier.into());
            body.insert("from", from.into());
            vec!["detach"]
        }
        Wanted::Unblock(identifier) => {
            body.insert("identifier", identifier.into());
            vec!["unblock"]
        }
        Wanted::Suppress(address, kind) => {
            body.insert("because", kind.as_str().into());
            vec!["addresses", address, "suppress"]
        }
        Wanted::Unsuppress(address) => vec!["addresses", address, "unsuppress"],
        Wanted::Enter { journey, who } => {
            body.insert("identifier", who.into());
            vec!["journeys", journey, "enter"]
        }
        Wanted::Erase { who, mode, through } => {
            body.insert("identifier", who.into());
            body.insert("mode", mode.as_str().into());
            if let Some(journey) = through {
                body.insert("through", journey.into());
            }
            vec!["erase"]
        }
        Wanted::Readmit(who) => {
            body.insert("identifier", who.into());
            vec!["readmit"]
        }
    };
    let answer = server.post(&path, &body)?;
    match format {
        Format::Text => {
            let said = lines::items(answer.get("said")).iter();
            said.filter_map(Value::as_text).try_for_each(print)?;
        }
        Format::Json => {
            for line in remote::list(&answer, "orders") {
                print(&line.to_string())?;
            }
        }
    }
    Ok(())
}

/// Where a server takes an order about a place.
fn place<'a>(scope: Scope<'a>, word: &'a str) -> Vec<&'a str> {
    match scope {
        Scope::All => vec![word],
        Scope::One(text) => match text.split_once('/') {
            None => vec!["journeys", text, word],
            Some((journey, block)) => vec!["journeys", journey, "blocks", block, word],
        },
    }
}

/// Gives an order to a state directory that nobody uses.
fn carry_out_here(given: &Given, why: &Why, wanted: Wanted<'_>) -> anyhow::Result<()> {
    let settings = settings(&given.journeys)?;
    let mut engine = remote::or_ask(engine(given, &settings))?;
    let actions = orders::actions(&mut engine, wanted).map_err(wrong)?;
    let at = at(given, &engine);
    let by = (given.by.as_str(), why.reason.as_str());
    orders::give(&mut engine, at, by, &actions)?;
    let mut outputs = engine.commit()?;
    engine.carry_out(at)?;
    outputs.extend(engine.commit()?);
    let mut told_of = Vec::new();
    for action in &actions {
        let came = orders::people::came(engine.store(), action, at)?;
        if came.is_refusal(action) {
            let why = orders::came(action, &came).unwrap_or_default();
            return Err(WrongInput(why).into());
        }
        told_of.push(came);
    }
    // The order itself is gone from the history then: what came of it is known by now.
    for (action, came) in actions.iter().zip(&mut told_of) {
        if let Action::Erase(erase) = action
            && came.complete
        {
            engine.purge()?;
            let is_purged = orders::people::is_purged(engine.store(), &erase.identifier)?;
            came.is_purged = is_purged && erase.mode.deletes();
        }
    }
    engine.close()?;
    for (action, came) in actions.iter().zip(&told_of) {
        if let Some(said) = orders::came(action, came) {
            let mut line = orders::line(action, at, by, Done::Begun);
            orders::add_came(&mut line, came);
            print(&match given.format {
                Format::Text => said,
                Format::Json => line.to_string(),
            })?;
            continue;
        }
        let tally = orders::place_of(action)
            .map_or_else(Tally::default, |place| Tally::of(&place.journey, &outputs));
        print(&told(given, action, (at, by, Done::ToTheEnd(tally))))?;
    }
    Ok(())
}

fn told(given: &Given, action: &Action, (at, by, done): (Timestamp, (&str, &str), Done)) -> String {
    match given.format {
        Format::Text => orders::said(action, done),
        Format::Json => orders::line(action, at, by, done).to_string(),
    }
}

/// When an order counts.
pub(super) fn at(given: &Given, engine: &Engine) -> Timestamp {
    match given.clock {
        Clock::Wall => clock::now().max(engine.at()),
        Clock::Events => engine.at(),
    }
}

/// What cannot be ordered is the input's fault, what cannot be read is the environment's.
pub(super) fn wrong(error: OrderError) -> anyhow::Error {
    match error {
        OrderError::Refused(why) | OrderError::Unknown(why) => WrongInput(why).into(),
        OrderError::Store(error) => error.into(),
    }
}

/// An engine over the state as it was left, whatever the journey files say by now.
pub(super) fn engine(given: &Given, settings: &Settings) -> anyhow::Result<Engine> {
    let directory = directory(given.state.as_deref(), settings)?;
    let sending = sending(directory)?;
    let store = assembly::store(Some(directory), sending, settings)?;
    let catalog = Catalog::new(
        settings.identity.clone(),
        settings.consent.clone(),
        store.head().id_key,
        sending,
    );
    match Engine::reopen(catalog, store, &|source| settings.compile(source)) {
        Err(OpenError::Store(error)) => Err(error.into()),
        opened => opened.map_err(|error| WrongInput(error.to_string()).into()),
    }
}

/// Whether the state owes requests.
fn sending(directory: &Path) -> anyhow::Result<Sending> {
    let store = assembly::look(directory)?;
    Ok(if store.head().dry {
        Sending::Dry
    } else {
        Sending::Owed
    })
}
