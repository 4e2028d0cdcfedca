//! How do attempts run beside the writer? A due delivery takes a slot of its host, its name is
//! looked up and vetted, and only when the writer has released it, durably, it is dialled.

mod host;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};
use wayfare_event::{DeliveryId, Timestamp};
use wayfare_executor::delivery::{NotSentReason, Outcome};
use wayfare_executor::record::{Delivery, Request};
use wayfare_webhook::{Client, Outgoing, Secrets, Unready};

use crate::config::HostLimits;
use host::{Health, Host, Next};

/// How requests leave: the client, its secrets, and what one host is sent at most.
#[derive(Debug)]
pub struct Outbound {
    /// Sends one attempt.
    pub client: Client,
    /// Where secrets come from.
    pub secrets: Arc<Secrets>,
    /// What one host is sent at most, by `host` or `host:port`; the rest as shipped.
    pub hosts: BTreeMap<String, HostLimits>,
}

/// What an attempt has to say.
#[derive(Debug)]
pub(crate) enum Told {
    /// Its name was looked up and vetted: it could leave.
    Ready(DeliveryId, Vec<SocketAddr>),
    /// Its address is refused.
    Barred(DeliveryId, String),
    /// It provably cannot leave now.
    NotSent(DeliveryId, NotSentReason, String),
    /// It ended.
    Finished {
        delivery: DeliveryId,
        attempt: u32,
        outcome: Outcome,
        note: Option<String>,
    },
}

impl Told {
    /// The delivery it speaks of.
    pub(crate) const fn delivery(&self) -> DeliveryId {
        match self {
            Self::Ready(id, _)
            | Self::Barred(id, _)
            | Self::NotSent(id, ..)
            | Self::Finished { delivery: id, .. } => *id,
        }
    }
}

/// Whether a host that only fails is spared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Breakers {
    /// It is: there is time for it to recover (decision 017).
    On,
    /// It is not: somebody waits for the end.
    Off,
}

/// The attempts under way, and the deliveries that wait for their host.
pub(crate) struct Dispatch {
    client: Arc<Client>,
    secrets: Arc<Secrets>,
    running: JoinSet<Told>,
    breakers: Breakers,
    limits: BTreeMap<String, HostLimits>,
    hosts: BTreeMap<String, Host>,
    /// When a host that made somebody wait is to be looked at again.
    wakes: BTreeSet<(Instant, String)>,
    /// The host of each delivery that holds a slot.
    slots: BTreeMap<DeliveryId, String>,
}

impl Dispatch {
    pub(crate) fn new(outbound: Outbound) -> Self {
        Self {
            client: Arc::new(outbound.client),
            secrets: outbound.secrets,
            running: JoinSet::new(),
            breakers: Breakers::Off,
            limits: outbound.hosts,
            hosts: BTreeMap::new(),
            wakes: BTreeSet::new(),
            slots: BTreeMap::new(),
        }
    }

    /// Spares hosts that only fail from now on.
    pub(crate) fn spare_hosts(&mut self) {
        self.breakers = Breakers::On;
    }

    /// Whether nothing is under way, and nothing waits for a time of its host.
    pub(crate) fn is_idle(&self) -> bool {
        self.running.is_empty() && self.wakes.is_empty()
    }

    /// Starts a due delivery as soon as its host has a slot. No host waits for another.
    pub(crate) fn start(&mut self, delivery: &Delivery) {
        match url(&delivery.request, &self.secrets) {
            Ok(url) => {
                let name = host(&url);
                let limits = self.limits_of(&name);
                let breakers = self.breakers;
                let new = || Host::new(limits, breakers, Instant::now());
                let host = self.hosts.entry(name.clone()).or_insert_with(new);
                host.waiting.push_back((delivery.id, url));
                self.fill(&name);
            }
            Err(note) => {
                let told = Told::NotSent(delivery.id, NotSentReason::Secret, note);
                self.running.spawn(async move { told });
            }
        }
    }

    /// Starts nothing more: what waits for a slot stays planned.
    pub(crate) fn hold(&mut self) {
        for host in self.hosts.values_mut() {
            host.waiting.clear();
        }
        self.wakes.clear();
    }

    fn limits_of(&self, host: &str) -> HostLimits {
        let without_port = host.rsplit_once(':').map_or(host, |(host, _)| host);
        let named = self.limits.get(host);
        let limits = named.or_else(|| self.limits.get(without_port));
        limits.copied().unwrap_or_default()
    }

    /// Looks up and vets as many of a host's waiting deliveries as may leave for it now.
    fn fill(&mut self, name: &str) {
        let now = Instant::now();
        let Some(host) = self.hosts.get_mut(name) else {
            return;
        };
        while let Some((id, url)) = host.waiting.pop_front() {
            match host.next(now) {
                Next::Now => {}
                Next::At(at) => {
                    host.waiting.push_front((id, url));
                    self.wakes.insert((at, name.to_owned()));
                    return;
                }
                Next::WhenOneEnds => {
                    host.waiting.push_front((id, url));
                    return;
                }
            }
            host.take(now);
            self.slots.insert(id, name.to_owned());
            let client = self.client.clone();
            self.running.spawn(async move {
                match client.resolve(&url).await {
                    Ok(addresses) => Told::Ready(id, addresses),
                    Err(Unready::Policy(refusal)) => Told::Barred(id, refusal.to_string()),
                    Err(unready @ Unready::Dns { .. }) => {
                        Told::NotSent(id, NotSentReason::Dns, unready.to_string())
                    }
                }
            });
        }
    }

    /// Sends a delivery that was released durably.
    pub(crate) fn send(&mut self, delivery: &Arc<Delivery>, to: Vec<SocketAddr>, now: Timestamp) {
        let (client, secrets, delivery) =
            (self.client.clone(), self.secrets.clone(), delivery.clone());
        let seconds = now.as_micros().div_euclid(1_000_000);
        self.running.spawn(async move {
            let attempt = delivery.attempts;
            let (outcome, note) = match outgoing(&delivery, &secrets) {
                Ok(outgoing) => {
                    let attempted = client.attempt(&outgoing, &to, seconds).await;
                    (attempted.outcome, attempted.note)
                }
                Err(note) => (Outcome::NotSent(NotSentReason::Secret), Some(note)),
            };
            Told::Finished {
                delivery: delivery.id,
                attempt,
                outcome,
                note: note.map(|note| secrets.redact(&note)),
            }
        });
    }

    /// What the next attempt has to say; nothing when none is under way or waits for a time.
    pub(crate) async fn next(&mut self) -> Option<Told> {
        loop {
            let wake = self.wakes.first().map(|(at, _)| *at);
            let woken = async move {
                match wake {
                    Some(at) => sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                Some(told) = self.running.join_next() => return Some(said(told)),
                () = woken, if wake.is_some() => {
                    if let Some((_, host)) = self.wakes.pop_first() {
                        self.fill(&host);
                    }
                }
                else => return None,
            }
        }
    }

    /// What an attempt has said already, without waiting.
    pub(crate) fn next_said(&mut self) -> Option<Told> {
        self.running.try_join_next().map(said)
    }

    /// Gives back the slot of a delivery whose attempt is over, having ended like this where it
    /// left; the next for its host takes it.
    pub(crate) fn release(&mut self, delivery: DeliveryId, ended: Option<Outcome>) {
        let Some(name) = self.slots.remove(&delivery) else {
            return;
        };
        if let Some(host) = self.hosts.get_mut(&name) {
            let health = ended.map_or(Health::Untold, Health::of);
            if host.give_back(health, Instant::now()) {
                tracing::warn!(host = %name, "it only fails: one request every 30 s until it answers");
            }
        }
        self.fill(&name);
    }
}

fn said(told: Result<Told, tokio::task::JoinError>) -> Told {
    match told {
        Ok(told) => told,
        Err(failed) => std::panic::resume_unwind(failed.into_panic()),
    }
}

/// The host and port of a URL, written one way: what is in flight is counted by it.
fn host(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let authority = authority.to_ascii_lowercase();
    let behind_address = authority.rsplit(']').next().unwrap_or(&authority);
    if behind_address.contains(':') {
        return authority;
    }
    let port = if scheme.eq_ignore_ascii_case("http") {
        80
    } else {
        443
    };
    format!("{authority}:{port}")
}

/// The whole URL of a request, its origin looked up where it is configured.
fn url(request: &Request, secrets: &Secrets) -> Result<String, String> {
    let Some(base) = &request.base else {
        return Ok(request.url.clone());
    };
    let base = secrets.resolve(base).map_err(|error| error.to_string())?;
    Ok(format!("{}{}", base.trim_end_matches('/'), request.url))
}

/// A delivery as it leaves.
fn outgoing(delivery: &Delivery, secrets: &Secrets) -> Result<Outgoing, String> {
    request(delivery.id, &delivery.request, secrets).map(|outgoing| Outgoing {
        mode: delivery.terms.mode,
        timeout_us: delivery.terms.timeout_us,
        ..outgoing
    })
}

/// A request as it would leave.
pub(crate) fn request(
    delivery: DeliveryId,
    request: &Request,
    secrets: &Secrets,
) -> Result<Outgoing, String> {
    let headers = request.headers.iter();
    Ok(Outgoing {
        delivery,
        method: request.method,
        url: url(request, secrets)?,
        headers: headers
            .map(|(name, value)| (name.to_string(), value.clone()))
            .collect(),
        auth: request.auth.clone(),
        sign: request.sign.clone(),
        body: request.body.clone().map(String::into_bytes),
        mode: wayfare_journey::definition::DeliveryMode::AtMostOnce,
        timeout_us: 0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_host_is_held_to_what_is_configured_for_it_by_name_or_by_name_and_port() {
        let webhooks = "webhooks: { hosts: { a.example: { in_flight: 2 }, \
                        \"a.example:8443\": { rate: 20/s } } }";
        let settings = crate::config::read(webhooks).unwrap();
        let secrets = Arc::new(Secrets::stand_ins());
        let dispatch = Dispatch::new(Outbound {
            client: Client::new(settings.policy(), secrets.clone()),
            secrets,
            hosts: settings.hosts,
        });
        let check = |url: &str, in_flight: usize, per_second: Option<u32>| {
            let limits = dispatch.limits_of(&host(url));
            let rate = limits.rate.map(|rate| rate.count);
            assert_eq!((limits.in_flight, rate), (in_flight, per_second), "{url}");
        };
        check("https://A.example/x", 2, None);
        check("http://a.example/x", 2, None);
        check("https://a.example:8443/x", 8, Some(20));
        check("https://b.example/x", 8, None);
    }

    #[test]
    fn only_with_breakers_a_host_that_fails_is_spared() {
        let ten_fail = |breakers: Breakers| {
            let now = Instant::now();
            let mut host = Host::new(HostLimits::default(), breakers, now);
            for _ in 0..10 {
                host.take(now);
                host.give_back(Health::Ill, now);
            }
            host.next(now)
        };
        assert_eq!(ten_fail(Breakers::Off), Next::Now);
        assert!(matches!(ten_fail(Breakers::On), Next::At(_)));
    }

    #[test]
    fn one_host_has_one_name_whatever_the_spelling() {
        let check = |url: &str, expected: &str| assert_eq!(host(url), expected, "{url}");
        check("https://a.example/x", "a.example:443");
        check("HTTPS://A.Example:443/x?y", "a.example:443");
        check("http://a.example?x", "a.example:80");
        check("https://a.example:8443", "a.example:8443");
        check("https://[2001:DB8::1]/x", "[2001:db8::1]:443");
        check("https://[2001:db8::1]:8443/x", "[2001:db8::1]:8443");
    }
}
