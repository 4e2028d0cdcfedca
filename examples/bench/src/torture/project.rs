//! Which journeys are tortured? One for each way in which a request can be owed, each sending to a
//! port of its own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::evidence::Kind;

/// Requests in flight to one port.
const IN_FLIGHT: u32 = 64;

/// Writes the journeys and the configuration into a directory; where they are.
pub(super) fn write(
    directory: &Path,
    ports: &BTreeMap<Kind, u16>,
    timeout: &str,
) -> anyhow::Result<PathBuf> {
    let journeys = directory.join("journeys");
    std::fs::create_dir(&journeys)?;
    for (kind, port) in ports {
        let text = journey(*kind, *port, timeout);
        std::fs::write(journeys.join(format!("{}.yaml", kind.journey())), text)?;
    }
    std::fs::write(journeys.join("wayfare.yaml"), configuration(ports))?;
    Ok(journeys)
}

fn configuration(ports: &BTreeMap<Kind, u16>) -> String {
    let list: Vec<String> = ports.values().map(u16::to_string).collect();
    let host = |port: &u16| format!("    \"127.0.0.1:{port}\": {{ in_flight: {IN_FLIGHT} }}\n");
    let hosts: String = ports.values().map(host).collect();
    format!(
        "webhooks:\n  allow_networks: [127.0.0.0/8]\n  allow_http: [127.0.0.1]\n  \
         allow_ports: [{}]\n  hosts:\n{hosts}state: {{ cache_mb: 512, history: 3660d }}\n",
        list.join(", ")
    )
}

fn journey(kind: Kind, port: u16, timeout: &str) -> String {
    let name = kind.journey();
    let delivery = if kind.is_at_most_once() {
        "at_most_once"
    } else {
        "at_least_once"
    };
    let (method, path) = match kind {
        Kind::Lead | Kind::Invoice | Kind::Trial | Kind::Offer | Kind::Reminder => {
            ("POST", "events/{trigger.properties.eid}")
        }
        Kind::Plan => (
            "PUT",
            "accounts/{trigger.properties.account}?eid={trigger.properties.eid}",
        ),
        Kind::Removal => ("DELETE", "subscribers/{trigger.properties.eid}"),
    };
    let consent = match kind {
        Kind::Lead | Kind::Invoice | Kind::Plan | Kind::Removal | Kind::Trial => {
            "{ basis: contract, because: it is a test }"
        }
        Kind::Offer | Kind::Reminder => "marketing",
    };
    let payload = if kind == Kind::Removal {
        "none"
    } else {
        "{ eid: \"{trigger.properties.eid}\", at: \"{now}\", id: \"{profile.profileId}\" }"
    };
    let entry = match kind {
        Kind::Lead | Kind::Invoice | Kind::Plan | Kind::Removal => "{ again: always }",
        Kind::Trial | Kind::Offer | Kind::Reminder => "{ again: once, key: properties.eid }",
    };
    let wait = if kind == Kind::Trial {
        "  patience:\n    wait:\n      for: [{ event: bought, then: bought }]\n      timeout: 2s\n    \
         then: send\n  bought: { exit: bought }\n"
    } else {
        ""
    };
    format!(
        "journey: {name}\ndescription: Torture a {name}.\ntrigger: {{ event: {name}, where: properties.amount > 100 }}\n\
         entry: {entry}\nblocks:\n{wait}  send:\n    webhook:\n      method: {method}\n      \
         url: http://127.0.0.1:{port}/{path}\n      consent: {consent}\n      \
         delivery: {delivery}\n      timeout: {timeout}\n      window: 24h\n      \
         payload: {payload}\n"
    )
}
