//! What does `webhooks:` say? Where requests may go, and how many at a time. Not here: holding
//! them to it (`webhook`, `dispatch`).

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::str::FromStr;

use wayfare_journey::diagnostic::{Code, Diagnostic};
use wayfare_journey::fields::Problems;
use wayfare_journey::yaml::Node;
use wayfare_webhook::Policy;

use super::parts::{entries, items, parsed, whole};

/// Requests in flight to one host (SP 40).
const IN_FLIGHT_MAX: i64 = 1_024;
/// Requests in flight to one host, unless configured otherwise.
const IN_FLIGHT: usize = 8;
/// Requests a rate may name.
const RATE_COUNT_MAX: u32 = 1_000_000;

/// What one host is sent at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostLimits {
    /// Requests in flight, 1 to 1,024.
    pub in_flight: usize,
    /// Requests in a time; any number, without one.
    pub rate: Option<Rate>,
}

impl Default for HostLimits {
    fn default() -> Self {
        Self {
            in_flight: IN_FLIGHT,
            rate: None,
        }
    }
}

/// So many in so much time, written `20/s`, `100/m` or `1000/h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many, from 1.
    pub count: u32,
    /// In how many microseconds.
    pub per_us: i64,
}

/// The text is no rate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a rate, write a number of requests and a unit such as `20/s`, `100/m` or `1000/h`"
)]
pub struct RateParseError(String);

impl FromStr for Rate {
    type Err = RateParseError;

    fn from_str(text: &str) -> Result<Self, RateParseError> {
        let error = || RateParseError(text.chars().take(64).collect());
        let (count, unit) = text.split_once('/').ok_or_else(error)?;
        let seconds = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 3_600,
            _ => return Err(error()),
        };
        let is_number = !count.is_empty() && count.bytes().all(|byte| byte.is_ascii_digit());
        let count = count.parse().ok().filter(|count| is_number && *count > 0);
        Ok(Self {
            count: count
                .filter(|count| *count <= RATE_COUNT_MAX)
                .ok_or_else(error)?,
            per_us: seconds * 1_000_000,
        })
    }
}

pub(super) fn webhooks(
    node: &Node,
    problems: &mut Problems,
) -> (Policy, BTreeMap<String, HostLimits>) {
    let mut policy = Policy::default();
    let mut hosts = BTreeMap::new();
    let Some(mut fields) = problems.fields(node, "`webhooks`") else {
        return (policy, hosts);
    };
    if let Some(node) = fields.get("allow_networks") {
        let networks = items(node, "a list of networks", problems).iter();
        policy.allow_networks = networks.filter_map(|node| parsed(node, problems)).collect();
    }
    if let Some(node) = fields.get("allow_http") {
        let names = items(node, "a list of hosts", problems).iter();
        policy.allow_http = names.filter_map(|node| host(node, problems)).collect();
    }
    if let Some(node) = fields.get("allow_ports") {
        let ports = items(node, "a list of ports", problems).iter();
        policy.allow_ports = ports.filter_map(|node| port(node, problems)).collect();
    }
    if let Some(node) = fields.get("hosts") {
        for entry in entries(node, "a mapping of hosts", problems) {
            let limits = limits(&entry.value, problems).unwrap_or_default();
            let Some((name, port)) = name_and_port(&entry.key) else {
                let message = format!("`{}` is not a host", entry.key);
                problems.push(
                    Diagnostic::new(Code::InvalidValue, entry.key_span, message)
                        .hint("write `host` or `host:port`, without scheme and path"),
                );
                continue;
            };
            let host = canonical(name, port);
            if hosts.insert(host.clone(), limits).is_some() {
                let message = format!("host `{host}` is listed twice, keep one of them");
                problems.push(Diagnostic::new(Code::InvalidValue, entry.key_span, message));
            }
        }
    }
    fields.finish(problems);
    (policy, hosts)
}

fn limits(node: &Node, problems: &mut Problems) -> Option<HostLimits> {
    let mut fields = problems.fields(node, "a host")?;
    let mut limits = HostLimits::default();
    let in_flight = fields.get("in_flight");
    let in_flight = in_flight.and_then(|node| whole(node, 1..=IN_FLIGHT_MAX, problems));
    if let Some(in_flight) = in_flight.and_then(|count| usize::try_from(count).ok()) {
        limits.in_flight = in_flight;
    }
    limits.rate = fields.get("rate").and_then(|node| parsed(node, problems));
    fields.finish(problems);
    Some(limits)
}

fn port(node: &Node, problems: &mut Problems) -> Option<u16> {
    whole(node, 1..=i64::from(u16::MAX), problems).and_then(|port| u16::try_from(port).ok())
}

/// A host without a port: speaking in the clear is allowed by host.
fn host(node: &Node, problems: &mut Problems) -> Option<String> {
    let text = problems.text(node)?;
    let hint = match name_and_port(&text.value) {
        Some((_, None)) => return Some(text.value),
        Some((name, Some(_))) => format!("write `{name}`, and the port under `allow_ports:`"),
        None => "write the host alone, without scheme and path".to_owned(),
    };
    let message = format!("`{}` is not a host", text.value);
    problems.push(Diagnostic::new(Code::InvalidValue, node.span, message).hint(hint));
    None
}

/// The one spelling of a host: lower case, an IPv6 address in brackets as URLs write it.
pub(super) fn canonical(name: &str, port: Option<u16>) -> String {
    let host = match name.trim_matches(['[', ']']).parse() {
        Ok(IpAddr::V6(address)) => format!("[{address}]"),
        Ok(IpAddr::V4(_)) | Err(_) => name.to_ascii_lowercase(),
    };
    match port {
        Some(port) => format!("{host}:{port}"),
        None => host,
    }
}

/// A name or address, and the port where there is one.
fn name_and_port(text: &str) -> Option<(&str, Option<u16>)> {
    if text.parse::<IpAddr>().is_ok() {
        return Some((text, None));
    }
    if let Some((inner, rest)) = text.strip_prefix('[').and_then(|it| it.split_once(']')) {
        let is_address = matches!(inner.parse(), Ok(IpAddr::V6(_)));
        let port = match rest.strip_prefix(':') {
            Some(port) => Some(port.parse().ok()?),
            None if rest.is_empty() => None,
            None => return None,
        };
        return is_address.then_some((text.strip_suffix(rest).unwrap_or(text), port));
    }
    let (name, port) = match text.split_once(':') {
        Some((name, port)) => (name, Some(port.parse().ok()?)),
        None => (text, None),
    };
    let is_name = |letter: char| matches!(letter, 'a'..='z' | 'A'..='Z' | '0'..='9' | '-' | '_');
    let is_label = |label: &str| !label.is_empty() && label.chars().all(is_name);
    name.split('.').all(is_label).then_some((name, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_a_number_in_a_time() {
        let check = |text: &str, expected: Option<(u32, i64)>| {
            let rate = text.parse::<Rate>().ok();
            assert_eq!(
                rate.map(|rate| (rate.count, rate.per_us)),
                expected,
                "{text}"
            );
        };
        check("20/s", Some((20, 1_000_000)));
        check("100/m", Some((100, 60_000_000)));
        check("1000/h", Some((1_000, 3_600_000_000)));
        for text in [
            "",
            "20",
            "0/s",
            "+1/s",
            "-1/s",
            "1/d",
            "1.5/s",
            "20 /s",
            "9999999/s",
        ] {
            check(text, None);
        }
    }

    #[test]
    fn a_host_is_a_name_or_an_address_with_or_without_a_port() {
        let check = |text: &str, expected: Option<(&str, Option<u16>)>| {
            assert_eq!(name_and_port(text), expected, "{text}");
        };
        check("localhost", Some(("localhost", None)));
        check("a.example.com:8443", Some(("a.example.com", Some(8443))));
        check("127.0.0.1", Some(("127.0.0.1", None)));
        check("127.0.0.1:80", Some(("127.0.0.1", Some(80))));
        check("::1", Some(("::1", None)));
        check("[::1]", Some(("[::1]", None)));
        check("[::1]:80", Some(("[::1]", Some(80))));
        for text in [
            "",
            "https://a",
            "a/b",
            "a b",
            "a..b",
            "a:",
            "a:99999",
            "[a]:1",
            "[::1]x",
        ] {
            check(text, None);
        }
    }
}
