//! What can be asked of `wayfare` on a command line? Arguments and their help; what each command
//! does stands under `commands/`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::commands;

/// A self-hosted journey engine with webhook blocks.
///
/// Events explain what happened. Journeys decide what matters. Webhooks make something happen.
#[derive(Debug, Parser)]
#[command(
    name = "wayfare",
    version,
    propagate_version = true,
    max_term_width = 100
)]
#[command(after_help = "Example:
  wayfare run --journeys journeys --events events.ndjson --clock events --advance 1h --dry-run

Exit status: 0 done, 1 the input is wrong or a check found problems, 2 the environment failed.")]
pub(crate) struct Cli {
    /// What is logged on stderr, such as `info` or `wayfare_runtime=debug`.
    #[arg(long, global = true, env = "WAYFARE_LOG", default_value = "warn")]
    log: String,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write a small project: a journey, its test, sample events. It overwrites nothing.
    #[command(after_help = "Example:
  wayfare init shop && cd shop && wayfare check")]
    Init(commands::init::Init),
    /// Play events through journeys: NDJSON in, decisions and delivery outcomes out.
    #[command(after_help = "Examples:
  wayfare run --events events.ndjson --clock events --dry-run
  wayfare run --events events.ndjson --clock events --advance 1h --receiver builtin --state .wayfare
  tail -f events.ndjson | wayfare run --state .wayfare")]
    Run(commands::run::Run),
    /// Check journeys and `wayfare.yaml`: every problem at once, with its place and what to do.
    #[command(after_help = "Examples:
  wayfare check
  wayfare check --format github --strict journeys/
  wayfare check --explain J0401")]
    Check(commands::check::Check),
    /// Print the JSON Schema of a kind of file, for editors.
    #[command(after_help = "Examples:
  wayfare schema > journeys/journey.schema.json
  wayfare schema --of test > journeys/test.schema.json
  wayfare schema --of config > journeys/config.schema.json

In a journey, this first line names the schema beside it:
  # yaml-language-server: $schema=./journey.schema.json")]
    Schema(commands::schema::Schema),
    /// Run the tests of journeys, in virtual time and offline.
    #[command(after_help = "Examples:
  wayfare test
  wayfare test journeys/plan-upgrade.test.yaml --filter 'pro upgrade'
  wayfare test --format junit > results.xml
  wayfare test --watch")]
    Test(commands::test::Test),
    /// Draw a journey, or all of them.
    #[command(after_help = "Examples:
  wayfare graph > journeys.md
  wayfare graph plan-upgrade --format dot | dot -Tsvg > plan-upgrade.svg")]
    Graph(commands::graph::Graph),
    /// A receiver for development: prints what arrives, answers as told, counts copies.
    #[command(after_help = "Example:
  wayfare receive --listen 127.0.0.1:9000 --status 429,200")]
    Receive(commands::receive::Receive),
    /// List the profiles in a state directory, one JSON object a line.
    #[command(after_help = "Example:
  wayfare profiles --state .wayfare")]
    Profiles(commands::inspect::Inspect),
    /// Show one profile: identifiers, traits, accounts, consent, walks.
    #[command(after_help = "Examples:
  wayfare profile usr_0b5e7f5572c8aa3b4a0e88455fc659a7 --state .wayfare
  wayfare profile email:ada@example.com --state .wayfare")]
    Profile(commands::inspect::Profile),
    /// List deliveries and how far they got.
    #[command(after_help = "Examples:
  wayfare deliveries --state .wayfare
  wayfare deliveries --state .wayfare --format json
  wayfare deliveries --in unknown --server http://127.0.0.1:8080")]
    Deliveries(commands::inspect::Deliveries),
    /// List the walks that have not ended.
    #[command(after_help = "Example:
  wayfare instances --state .wayfare --format json")]
    Instances(commands::inspect::Inspect),
    /// List the journeys in a state directory: versions, who is where, pauses, sweeps.
    #[command(after_help = "Example:
  wayfare journeys --state .wayfare --format json")]
    Journeys(commands::journeys::Listing),
    /// Pause a journey: nobody enters, and what waits in it waits on; or one of its webhook blocks.
    #[command(after_help = "Examples:
  wayfare pause plan-upgrade --reason 'a wrong price' --state .wayfare
  wayfare pause plan-upgrade/sync_billing --reason 'billing is down' --state .wayfare
  wayfare pause --all --reason 'the receiver is down' --server http://127.0.0.1:8080")]
    Pause(commands::operate::Pause),
    /// Let what is paused go on, in the order in which things were due.
    #[command(after_help = "Examples:
  wayfare resume plan-upgrade --reason 'the price is right' --state .wayfare
  wayfare resume plan-upgrade --skip-overdue --reason 'too late for it' --state .wayfare")]
    Resume(commands::operate::Resume),
    /// End everybody inside a journey, or at one of its blocks; what is owed does not leave. The
    /// journey is paused.
    #[command(after_help = "Examples:
  wayfare stop plan-upgrade --reason 'a wrong price' --state .wayfare
  wayfare stop cart-recovery/bought_in_time --reason 'the sale is over' --state .wayfare")]
    Stop(commands::operate::Stop),
    /// Send a delivery again that is unknown, rejected or expired: same id, same bytes, consent asked.
    #[command(after_help = "Example:
  wayfare resend whd_0b5e7f5572c8aa3b4a0e88455fc659a7 --reason 'they lost it' --state .wayfare")]
    Resend(commands::operate::Resend),
    /// Say what became of a delivery that is unknown.
    #[command(after_help = "Example:
  wayfare resolve whd_0b5e7f5572c8aa3b4a0e88455fc659a7 --as delivered --reason 'it is in their log'")]
    Resolve(commands::operate::Resolve),
    /// Make two persons one.
    #[command(after_help = "\
The first becomes the second: identifiers, traits, walks and consent are one person's from now on, known
by the second's id; the first's leads there. Walks of both in one journey are settled as after a login.
What the merge brings starts nothing. `wayfare detach` undoes it.

Example:
  wayfare merge user_id:41 user_id:42 --reason 'signed up twice'")]
    Merge(commands::operate::Merge),
    /// Tell an identifier apart from somebody.
    #[command(after_help = "\
Everything that was told of the two until now counts no more, also when it is told again; an event that
names both later links them again. Of a user it undoes a merge.

Examples:
  wayfare detach anonymous_id:w-1 user_id:42 --reason 'a browser in a library'
  wayfare detach user_id:41 user_id:42 --reason 'two persons after all'")]
    Detach(commands::operate::Detach),
    /// Let an identifier name somebody again that too many claimed at once.
    #[command(after_help = "\
An address, a device or a browser that eight users claim within a day is blocked: events go on without
it. `wayfare profile` shows since when.

Example:
  wayfare unblock device_id:kiosk-7 --reason 'it was a load test'")]
    Unblock(commands::operate::Unblock),
    /// Let nothing go to an address any more, whatever is said: it bounced, or somebody complained.
    #[command(after_help = "Example:
  wayfare suppress anna@example.com --because bounce --reason 'the provider said 550' --state .wayfare")]
    Suppress(commands::operate::Suppress),
    /// Let what was said decide about an address again.
    #[command(after_help = "Example:
  wayfare unsuppress anna@example.com --reason 'the mailbox is back' --state .wayfare")]
    Unsuppress(commands::operate::Unsuppress),
    /// Let somebody into a journey, without anything that starts it: `again`, pauses and limits apply.
    #[command(after_help = "Example:
  wayfare enter plan-upgrade user_id:u1 --reason 'they called' --state .wayfare")]
    Enter(commands::people::Enter),
    /// Erase somebody: what is known of them goes, and nothing more is heard of them.
    #[command(after_help = "Examples:
  wayfare erase email:ada@example.com --reason 'request 17' --state .wayfare
  wayfare erase user_id:u1 --mode delete --reason 'request 18' --server http://127.0.0.1:8080
  wayfare erase user_id:u1 --through goodbye --reason 'request 19'")]
    Erase(commands::people::Erase),
    /// Let somebody come back who was erased and is kept out.
    #[command(after_help = "Example:
  wayfare readmit email:ada@example.com --reason 'they signed up again' --state .wayfare")]
    Readmit(commands::people::Readmit),
    /// Print everything that is kept of one person, as one JSON object.
    #[command(after_help = "Examples:
  wayfare export email:ada@example.com --state .wayfare
  wayfare export user_id:u1 --server http://127.0.0.1:8080 --with-history")]
    Export(commands::export::Export),
    /// Send the request of a webhook block once, marked, to see what comes of it; nothing is owed.
    #[command(after_help = "Examples:
  wayfare try plan-upgrade/sync_billing --profile user_id:u1 --dry-run
  wayfare try plan-upgrade/sync_billing --profile user_id:u1 --event event.json --to http://127.0.0.1:9000

Exit status: 0 when it was answered with 2xx, else 1; 2 the environment failed.")]
    Try(commands::try_out::Try),
    /// Say what publishing the journeys of a directory would change, before it is done.
    #[command(after_help = "Examples:
  wayfare plan journeys --state .wayfare
  wayfare plan journeys --events events.ndjson --old ../main/journeys
  wayfare plan --check --format json

Exit status: 0; with --check, 1 when something changes for somebody or publishing is refused.")]
    Plan(commands::plan::Plan),
    /// Explain why somebody got it or not, or one decision: what allowed it, how each attempt ended.
    #[command(after_help = "Examples:
  wayfare explain --profile email:ada@example.com --journey cart-recovery
  wayfare explain --state .wayfare --decision whd_0b5e7f5572c8aa3b4a0e88455fc659a7")]
    Explain(commands::explain::Explain),
    /// Audit a state directory: whether everything in it follows from its history, by the rules.
    #[command(after_help = "Examples:
  wayfare verify --state .wayfare
  wayfare verify --state .wayfare --format json

Exit status: 0 nothing is broken, 1 something is, 2 the directory cannot be read.")]
    Verify(commands::verify::Verify),
    /// Serve the HTTP API: events in, webhooks out.
    #[command(after_help = "Example:
  wayfare serve --journeys journeys --state .wayfare")]
    Serve(commands::serve::Serve),
    /// Print a link with which somebody unsubscribes by one click.
    #[command(after_help = "Example:
  wayfare unsubscribe-link --category marketing --email ada@example.com --base-url https://e.example.com")]
    UnsubscribeLink(commands::unsubscribe_link::UnsubscribeLink),
    /// Print completions for a shell.
    #[command(after_help = "Example:
  wayfare completions bash > ~/.local/share/bash-completion/completions/wayfare")]
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

/// Where the journeys and the configuration are.
#[derive(Debug, Args)]
pub(crate) struct Journeys {
    /// The directory of the journeys, and of `wayfare.yaml` if there is one.
    #[arg(long, default_value = "journeys", env = "WAYFARE_JOURNEYS")]
    pub(crate) journeys: PathBuf,
    /// Another `wayfare.yaml`.
    #[arg(long, env = "WAYFARE_CONFIG")]
    pub(crate) config: Option<PathBuf>,
}

/// Which time counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Clock {
    /// The machine's.
    Wall,
    /// The events' own: waits pass at once.
    Events,
}

/// Where webhooks go instead of their own hosts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Receiver {
    /// To a receiver of our own.
    Builtin,
    /// To this address.
    At(SocketAddr),
}

impl std::str::FromStr for Receiver {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "builtin" {
            return Ok(Self::Builtin);
        }
        let address = text
            .strip_prefix("http://")
            .unwrap_or(text)
            .trim_end_matches('/');
        address.parse().map(Self::At).map_err(|_| {
            format!("`{text}` is no receiver; write `builtin` or an address such as 127.0.0.1:9000")
        })
    }
}

/// How a table is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// Parses the command line and runs the command; the exit status says how it went.
pub(crate) fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Nothing is left to tell a closed terminal.
            let _unprinted = error.print();
            return ExitCode::from(u8::from(error.use_stderr()));
        }
    };
    let filter = match tracing_subscriber::EnvFilter::try_new(&cli.log) {
        Ok(filter) => filter,
        Err(error) => {
            let message = format!("`--log {}` is no filter such as `info`: {error}", cli.log);
            return commands::fail(&commands::WrongInput(message).into());
        }
    };
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(crate::environment::wants_color(&std::io::stderr()))
        .init();
    if let Some(file) = crate::environment::clock_shift() {
        tracing::warn!(
            file = %file.display(),
            "the clock is as wrong as this file says, since WAYFARE_CLOCK_SHIFT names it: for tests only"
        );
        wayfare_runtime::clock::shift_by(file);
    }
    match dispatch(cli.command) {
        Ok(code) => code,
        Err(failure) => commands::fail(&failure),
    }
}

fn dispatch(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Init(init) => commands::init::init(&init),
        Command::Run(run) => commands::run::run(&run),
        Command::Check(check) => commands::check::check(&check),
        Command::Schema(schema) => commands::schema::schema(&schema),
        Command::Test(test) => commands::test::test(&test),
        Command::Graph(graph) => commands::graph::graph(&graph),
        Command::Receive(receive) => commands::receive::receive(&receive),
        Command::Profiles(inspect) => commands::inspect::profiles(&inspect),
        Command::Profile(profile) => commands::inspect::profile(&profile),
        Command::Deliveries(deliveries) => commands::inspect::deliveries(&deliveries),
        Command::Instances(inspect) => commands::inspect::instances(&inspect),
        Command::Journeys(wanted) => commands::journeys::journeys(&wanted),
        Command::Pause(order) => commands::operate::pause(&order),
        Command::Resume(order) => commands::operate::resume(&order),
        Command::Stop(order) => commands::operate::stop(&order),
        Command::Resend(order) => commands::operate::resend(&order),
        Command::Resolve(order) => commands::operate::resolve(&order),
        Command::Merge(order) => commands::operate::merge(&order),
        Command::Detach(order) => commands::operate::detach(&order),
        Command::Unblock(order) => commands::operate::unblock(&order),
        Command::Suppress(order) => commands::operate::suppress(&order),
        Command::Unsuppress(order) => commands::operate::unsuppress(&order),
        Command::Enter(order) => commands::people::enter(&order),
        Command::Erase(order) => commands::people::erase(&order),
        Command::Readmit(order) => commands::people::readmit(&order),
        Command::Export(wanted) => commands::export::export(&wanted),
        Command::Try(wanted) => commands::try_out::try_out(&wanted),
        Command::Plan(plan) => commands::plan::plan(&plan),
        Command::Explain(explain) => commands::explain::explain(&explain),
        Command::Verify(verify) => commands::verify::verify(&verify),
        Command::Serve(serve) => commands::serve::serve(&serve),
        Command::UnsubscribeLink(link) => commands::unsubscribe_link::unsubscribe_link(&link),
        Command::Completions { shell } => {
            let mut command = <Cli as clap::CommandFactory>::command();
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut command, "wayfare", &mut script);
            commands::print(String::from_utf8_lossy(&script).trim_end())?;
            Ok(ExitCode::SUCCESS)
        }
    }
}
