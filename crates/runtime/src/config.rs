//! What is configured? `wayfare.yaml` and its built-in defaults, every problem at once; with the
//! journeys beside it, a [`Project`]. Not here: the environment and flags, which the binary reads.

mod consent;
mod identity;
mod parts;
mod project;
mod secrets;
mod server;
mod sources;
mod state;
mod types;
mod webhooks;

use std::collections::BTreeMap;
use std::sync::Arc;

use wayfare_journey::diagnostic::Diagnostic;
use wayfare_journey::duration::DAY_US;
use wayfare_journey::fields::{Fields, Problems};
use wayfare_journey::yaml::{self, Kind, Node};
use wayfare_journey::{Compiled, Known, Types};
use wayfare_webhook::Policy;

pub(crate) use project::text;
pub use project::{
    Paths, Problem, Project, ProjectError, check, is_test, load, load_directory, settings, tests_in,
};
pub use secrets::Resolves;
pub use server::{AdminToken, KeyKind, Scope, Server, WriteKey};
pub use state::State;
pub use webhooks::{HostLimits, Rate, RateParseError};

/// What may stand in `wayfare.yaml`, for editors: a JSON Schema (draft 2020-12).
pub const SCHEMA: &str = include_str!("config/schema.json");

/// Everything `wayfare.yaml` can say; what it does not say is as shipped.
///
/// ```
/// let settings = wayfare_runtime::config::read("webhooks: { allow_http: [localhost] }\n");
/// assert_eq!(settings.unwrap().webhooks.allow_http, ["localhost"]);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// What identifies somebody.
    pub identity: wayfare_identity::Config,
    /// The categories of consent.
    pub consent: wayfare_consent::Config,
    /// Where requests may go beyond https on the public internet.
    pub webhooks: Policy,
    /// What one host is sent at most, by `host` or `host:port`, in lower case, IPv6 addresses in
    /// brackets.
    pub hosts: BTreeMap<String, HostLimits>,
    /// The HTTP server.
    pub server: Server,
    /// What is durable, where, and for how long.
    pub state: State,
    /// What traits and properties are declared to be.
    pub types: Types,
}

impl Settings {
    /// What a host is sent at most: as configured for this port of it, else for the host. An IPv6
    /// address may come with or without its brackets.
    #[must_use]
    pub fn host(&self, host: &str, port: u16) -> HostLimits {
        let host = webhooks::canonical(host, None);
        let limits = self.hosts.get(&format!("{host}:{port}"));
        let limits = limits.or_else(|| self.hosts.get(&host));
        limits.copied().unwrap_or_default()
    }

    /// Compiles a journey against what is configured.
    ///
    /// # Errors
    ///
    /// Every problem in the file, in the order they stand.
    pub fn compile(&self, source: &str) -> Result<Compiled, Vec<Diagnostic>> {
        let categories = self.categories();
        wayfare_journey::compile(
            source,
            &Known {
                categories: &categories,
                vet: &|url| self.vet(url),
                types: Some(&self.types),
                lateness_us_max: self.state.remembered_us() - DAY_US,
            },
        )
    }

    /// Compiles a version that was published before: what its author could mend by editing the file
    /// is not held against it any more.
    ///
    /// # Errors
    ///
    /// Every problem in it, in the order they stand.
    pub fn recompile(&self, source: &str) -> Result<Compiled, Vec<Diagnostic>> {
        let categories = self.categories();
        wayfare_journey::compile(
            source,
            &Known {
                categories: &categories,
                vet: &|url| self.vet(url),
                types: None,
                lateness_us_max: i64::MAX,
            },
        )
    }

    /// The names of the categories of consent, in order.
    #[must_use]
    pub fn categories(&self) -> Vec<Arc<str>> {
        self.consent.names().cloned().collect()
    }

    /// Where requests may go, and not to where Wayfare itself is configured to listen.
    #[must_use]
    pub fn policy(&self) -> Policy {
        let mut policy = self.webhooks.clone();
        policy.own.push(self.server.listen);
        policy
    }

    /// Whether a URL may be called, as far as its text tells.
    ///
    /// # Errors
    ///
    /// Why it may not, in the words of the guard that judges it again when it is sent.
    pub fn vet(&self, url: &str) -> Result<(), String> {
        match self.policy().target(url) {
            Ok(_) => Ok(()),
            Err(refusal) => Err(refusal.to_string()),
        }
    }
}

/// Reads `wayfare.yaml`.
///
/// # Errors
///
/// Every problem in the file, in the order they stand.
pub fn read(text: &str) -> Result<Settings, Vec<Diagnostic>> {
    let (settings, problems) = read_what_can_be(text);
    if problems.is_empty() {
        Ok(settings)
    } else {
        Err(problems)
    }
}

/// The settings that could be read, so that journeys are checked against them all the same, and
/// what is wrong with the rest.
fn read_what_can_be(text: &str) -> (Settings, Vec<Diagnostic>) {
    let mut problems = Problems::default();
    let mut settings = Settings::default();
    match yaml::read(text) {
        Ok(root) if root.kind == Kind::Null => {}
        Ok(root) => settings = sections(&root, &mut problems),
        Err(problem) => problems.push(*problem),
    }
    problems.0.sort_by_key(|problem| problem.span);
    (settings, problems.0)
}

fn sections(root: &Node, problems: &mut Problems) -> Settings {
    let mut settings = Settings::default();
    let Some(mut fields) = problems.fields(root, "`wayfare.yaml`") else {
        return settings;
    };
    if let Some(node) = section(&mut fields, "consent") {
        settings.consent = consent::consent(node, problems);
    }
    if let Some(node) = section(&mut fields, "identity") {
        settings.identity = identity::identity(node, problems);
    }
    if let Some(node) = section(&mut fields, "webhooks") {
        (settings.webhooks, settings.hosts) = webhooks::webhooks(node, problems);
    }
    if let Some(node) = section(&mut fields, "server") {
        settings.server = server::server(node, problems);
    }
    if let Some(node) = section(&mut fields, "state") {
        settings.state = state::state(node, problems);
    }
    if let Some(node) = section(&mut fields, "types") {
        settings.types = types::types(node, problems);
    }
    fields.finish(problems);
    settings
}

/// A part of the file; one whose every line is a comment is not there.
fn section<'a>(fields: &mut Fields<'a>, key: &'static str) -> Option<&'a Node> {
    fields.get(key).filter(|node| node.kind != Kind::Null)
}

#[cfg(test)]
mod tests;
