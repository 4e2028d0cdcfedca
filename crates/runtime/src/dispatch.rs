//! How do attempts run beside the writer? A due delivery takes a slot of its host, its name is
//! looked up and vetted, and only when the writer has released it, durably, it is dialled.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::task::JoinSet;
use wayfare_event::{DeliveryId, Timestamp};
use wayfare_executor::delivery::{NotSentReason, Outcome};
use wayfare_executor::record::{Delivery, Request};
use wayfare_webhook::{Client, Outgoing, Secrets, Unready};

use crate::config::HostLimits;

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

/// The attempts under way, and the deliveries that wait for a slot of their host.
pub(crate) struct Dispatch {
    client: Arc<Client>,
    secrets: Arc<Secrets>,
    running: JoinSet<Told>,
    hosts: BTreeMap<String, HostLimits>,
    lanes: BTreeMap<String, Lane>,
    /// The host of each delivery that holds a slot.
    slots: BTreeMap<DeliveryId, String>,
}

/// One host: how many of its slots are taken, and who waits for one, first come first.
#[derive(Debug, Default)]
struct Lane {
    taken: usize,
    waiting: VecDeque<(DeliveryId, String)>,
}

impl Dispatch {
    pub(crate) fn new(outbound: Outbound) -> Self {
        Self {
            client: Arc::new(outbound.client),
            secrets: outbound.secrets,
            running: JoinSet::new(),
            hosts: outbound.hosts,
            lanes: BTreeMap::new(),
            slots: BTreeMap::new(),
        }
    }

    /// Whether nothing is under way.
    pub(crate) fn is_idle(&self) -> bool {
        self.running.is_empty()
    }

    /// Starts a due delivery as soon as its host has a slot. No host waits for another.
    pub(crate) fn start(&mut self, delivery: &Delivery) {
        match url(&delivery.request, &self.secrets) {
            Ok(url) => {
                let host = host(&url).to_ascii_lowercase();
                let lane = self.lanes.entry(host.clone()).or_default();
                lane.waiting.push_back((delivery.id, url));
                self.fill(&host);
            }
            Err(note) => {
                let told = Told::NotSent(delivery.id, NotSentReason::Secret, note);
                self.running.spawn(async move { told });
            }
        }
    }

    /// Starts nothing more: what waits for a slot stays planned.
    pub(crate) fn hold(&mut self) {
        for lane in self.lanes.values_mut() {
            lane.waiting.clear();
        }
    }

    /// Looks up and vets as many waiting deliveries of a host as it has slots.
    fn fill(&mut self, host: &str) {
        let without_port = host.rsplit_once(':').map_or(host, |(host, _)| host);
        let configured = self
            .hosts
            .get(host)
            .or_else(|| self.hosts.get(without_port));
        let in_flight_max = configured.copied().unwrap_or_default().in_flight;
        let Some(lane) = self.lanes.get_mut(host) else {
            return;
        };
        while lane.taken < in_flight_max
            && let Some((id, url)) = lane.waiting.pop_front()
        {
            lane.taken += 1;
            self.slots.insert(id, host.to_owned());
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
        if lane.taken == 0 {
            self.lanes.remove(host);
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

    /// What the next attempt has to say; nothing when none is under way.
    pub(crate) async fn next(&mut self) -> Option<Told> {
        match self.running.join_next().await? {
            Ok(told) => Some(told),
            Err(failed) => std::panic::resume_unwind(failed.into_panic()),
        }
    }

    /// What an attempt has said already, without waiting.
    pub(crate) fn next_said(&mut self) -> Option<Told> {
        match self.running.try_join_next()? {
            Ok(told) => Some(told),
            Err(failed) => std::panic::resume_unwind(failed.into_panic()),
        }
    }

    /// Gives back the slot of a delivery whose attempt is over; the next in its lane takes it.
    pub(crate) fn release(&mut self, delivery: DeliveryId) {
        let Some(host) = self.slots.remove(&delivery) else {
            return;
        };
        if let Some(lane) = self.lanes.get_mut(&host) {
            lane.taken -= 1;
        }
        self.fill(&host);
    }
}

/// The host and port of a URL, for counting what is in flight to it.
fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or(rest)
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
