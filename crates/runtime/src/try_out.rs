//! What does a block send when somebody tries it? The request for a profile as it is now, marked, with
//! an id of its own, once. Not here: what the request says (`wayfare_executor::rehearsal`), or that
//! somebody tried, which is an order like others.

use std::net::{IpAddr, SocketAddr};

use wayfare_event::{DeliveryId, Map, Timestamp, Value};
use wayfare_executor::Place;
use wayfare_executor::delivery::Outcome;
use wayfare_executor::rehearsal::{self, Rehearsed};
use wayfare_webhook::{Client, Outgoing, Secrets, Unready, shown_headers};

use crate::{dispatch, report};

/// The header that tells a receiver that nothing is owed by this request.
const MARK: (&str, &str) = ("wayfare-try", "1");

/// Where a request goes instead of its own origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct To {
    origin: String,
    host: String,
}

/// What is no place a request can go.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no origin; write one such as `http://127.0.0.1:9000`, without a path")]
pub struct ToParseError(String);

impl std::str::FromStr for To {
    type Err = ToParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || ToParseError(text.to_owned());
        let origin = text.trim_end_matches('/').to_ascii_lowercase();
        let (scheme, host) = origin.split_once("://").ok_or_else(wrong)?;
        let is_plain = !host.is_empty() && !host.contains(['/', '?', '#', '@', ' ']);
        if !is_plain || !matches!(scheme, "http" | "https") {
            return Err(wrong());
        }
        let host = host.to_owned();
        Ok(Self { origin, host })
    }
}

impl std::fmt::Display for To {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.origin)
    }
}

impl To {
    /// The address on this machine that it names, in the clear; nothing for any other.
    #[must_use]
    pub fn loopback(&self) -> Option<SocketAddr> {
        let clear = self.origin.starts_with("http://");
        let named = self.host.replace("localhost", "127.0.0.1");
        let whole = named.parse::<SocketAddr>().ok();
        let bare = named.trim_matches(['[', ']']).parse::<IpAddr>().ok();
        let address = whole.or_else(|| bare.map(|address| SocketAddr::new(address, 80)));
        address.filter(|address| clear && address.ip().is_loopback())
    }
}

/// A request that is ready to be tried.
#[derive(Clone, Debug)]
pub struct Draft {
    place: Place,
    at: Timestamp,
    /// The time on the wire.
    now: Timestamp,
    /// What the block would come to.
    pub rehearsed: Rehearsed,
    /// The id it carries.
    pub id: DeliveryId,
    /// The request as it would leave; else why it cannot.
    pub outgoing: Result<Outgoing, String>,
}

/// What came of trying.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tried {
    /// It was sent, or provably not.
    Sent {
        /// How it ended.
        outcome: Outcome,
        /// Trouble in words.
        note: Option<String>,
        /// What the receiver answered, as inert text.
        reply: Option<String>,
    },
    /// It may not go there.
    Barred(String),
}

impl Tried {
    /// Whether the receiver took it.
    #[must_use]
    pub const fn is_taken(&self) -> bool {
        matches!(
            self,
            Self::Sent {
                outcome: Outcome::Answered {
                    status: 200..=299,
                    ..
                },
                ..
            }
        )
    }
}

impl Draft {
    /// The request of a block for a profile, going to its own origin or to another; decided at one
    /// time, on the wire at the machine's.
    #[must_use]
    pub fn new(
        (place, (at, now)): (Place, (Timestamp, Timestamp)),
        rehearsed: Rehearsed,
        to: Option<&To>,
        secrets: &Secrets,
    ) -> Self {
        let id = rehearsal::id(&place, rehearsed.profile, now);
        let outgoing = match &rehearsed.request {
            Err(why) => Err(why.clone()),
            Ok((request, terms)) => dispatch::request(id, request, secrets).map(|outgoing| {
                let mut headers = outgoing.headers;
                headers.push((MARK.0.to_owned(), MARK.1.to_owned()));
                // What is tried here in the clear is still addressed as it was written.
                let elsewhere = to.filter(|to| to.loopback().is_none());
                let url = elsewhere.map(|to| moved(&outgoing.url, to));
                Outgoing {
                    url: url.unwrap_or(outgoing.url),
                    headers,
                    mode: terms.mode,
                    timeout_us: terms.timeout_us,
                    ..outgoing
                }
            }),
        };
        Self {
            place,
            at,
            now,
            rehearsed,
            id,
            outgoing,
        }
    }

    /// Why the block would not send it; nothing when it would.
    #[must_use]
    pub fn refusal(&self) -> Option<String> {
        let Rehearsed {
            is_known,
            declined,
            permission,
            ..
        } = &self.rehearsed;
        if !is_known {
            return Some(
                "the profile is not known: the block would end as `unresolved`".to_owned(),
            );
        }
        if let Some(when) = declined {
            return Some(format!(
                "`{when}` does not hold: the block would end as `declined`"
            ));
        }
        let reason = permission.verdict.reason.as_str();
        (!permission.verdict.allowed).then(|| {
            format!("consent is not there ({reason}): the block would end as `suppressed`")
        })
    }

    /// Sends it, once.
    pub async fn send(&self, client: &Client) -> Tried {
        let outgoing = match &self.outgoing {
            Ok(outgoing) => outgoing,
            Err(why) => return Tried::Barred(why.clone()),
        };
        let addresses = match client.resolve(&outgoing.url).await {
            Ok(addresses) => addresses,
            Err(unready @ (Unready::Policy(_) | Unready::Dns { .. })) => {
                return Tried::Barred(unready.to_string());
            }
        };
        let attempted = client.attempt(outgoing, &addresses, self.seconds()).await;
        Tried::Sent {
            outcome: attempted.outcome,
            note: attempted.note,
            reply: attempted.reply,
        }
    }

    fn seconds(&self) -> i64 {
        self.now.as_micros().div_euclid(1_000_000)
    }

    /// It and what came of it, secrets redacted: `docs/output.schema.json#/$defs/try`.
    #[must_use]
    pub fn line(&self, tried: Option<&Tried>, secrets: &Secrets) -> Map {
        let mut map = Map::new();
        map.insert("kind", "try".into());
        map.insert("at", self.at.to_string().as_str().into());
        map.insert("journey", Value::Text(self.place.journey.clone()));
        if let Some(block) = &self.place.block {
            map.insert("block", Value::Text(block.clone()));
        }
        let profile = self.rehearsed.profile.to_string();
        map.insert("profileId", profile.as_str().into());
        map.insert("id", self.id.to_string().as_str().into());
        let consent = report::permission_map(&self.rehearsed.permission);
        map.insert("consent", consent.into());
        if let Some(refusal) = self.refusal() {
            map.insert("refusal", refusal.as_str().into());
        }
        let absent = &self.rehearsed.absent;
        let absent: Vec<Value> = absent.iter().map(|it| it.as_str().into()).collect();
        if !absent.is_empty() {
            map.insert("absent", Value::List(absent));
        }
        match &self.outgoing {
            Ok(outgoing) => map.insert("request", self.shown(outgoing, secrets).into()),
            Err(why) => map.insert("error", secrets.redact(why).as_str().into()),
        }
        if let Some(tried) = tried {
            outcome(&mut map, tried);
        }
        map
    }

    fn shown(&self, outgoing: &Outgoing, secrets: &Secrets) -> Map {
        let mut map = Map::new();
        map.insert("method", outgoing.method.as_str().into());
        map.insert("url", secrets.redact(&outgoing.url).as_str().into());
        let headers = shown_headers(outgoing, self.seconds(), secrets).into_iter();
        let headers: Map = headers
            .map(|(name, value)| (name.into(), value.as_str().into()))
            .collect();
        map.insert("headers", headers.into());
        let body = outgoing.body.as_deref().map(String::from_utf8_lossy);
        if let Some(Ok(body)) = body.map(|body| Value::parse(&body)) {
            map.insert("body", body);
        }
        map
    }
}

fn outcome(map: &mut Map, tried: &Tried) {
    match tried {
        Tried::Barred(why) => {
            map.insert("outcome", "barred".into());
            map.insert("note", why.as_str().into());
        }
        Tried::Sent {
            outcome,
            note,
            reply,
        } => {
            match outcome {
                Outcome::Answered { status, .. } => {
                    map.insert("outcome", "answered".into());
                    map.insert("status", Value::from(i64::from(*status)));
                }
                Outcome::NotSent(reason) => {
                    map.insert("outcome", "not_sent".into());
                    map.insert("reason", reason.as_str().into());
                }
                Outcome::Unknown(reason) => {
                    map.insert("outcome", "unknown".into());
                    map.insert("reason", reason.as_str().into());
                }
            }
            if let Some(note) = note {
                map.insert("note", note.as_str().into());
            }
            if let Some(reply) = reply {
                map.insert("reply", reply.as_str().into());
            }
        }
    }
}

/// A URL with another origin.
fn moved(url: &str, to: &To) -> String {
    let (_, rest) = url.split_once("://").unwrap_or(("", url));
    let path = rest.find(['/', '?']).and_then(|at| rest.get(at..));
    format!("{}{}", to.origin, path.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_address_of_this_machine_in_the_clear_is_loopback() {
        let check = |text: &str, expected: Option<&str>| {
            let to: To = text.parse().unwrap();
            let expected = expected.map(|it| it.parse().unwrap());
            assert_eq!(to.loopback(), expected, "{text}");
        };
        check("http://127.0.0.1:9000", Some("127.0.0.1:9000"));
        check("http://localhost:9000/", Some("127.0.0.1:9000"));
        check("http://[::1]:9000", Some("[::1]:9000"));
        check("http://127.8.8.8", Some("127.8.8.8:80"));
        check("https://127.0.0.1:9000", None);
        check("http://10.0.0.1:9000", None);
        check("http://localhost.example.com", None);
        check("http://staging.example.com", None);
    }

    #[test]
    fn an_origin_is_a_scheme_and_a_host() {
        for text in [
            "127.0.0.1:9000",
            "ftp://a.example",
            "http://",
            "http://a.example/path",
            "http://u@a.example",
            "http://a.example?q",
        ] {
            assert!(text.parse::<To>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_request_keeps_its_path_and_query_under_another_origin() {
        let check = |url: &str, expected: &str| {
            let to: To = "https://staging.example.com:8443".parse().unwrap();
            assert_eq!(moved(url, &to), expected);
        };
        check(
            "https://a.example/x/y?z=1",
            "https://staging.example.com:8443/x/y?z=1",
        );
        check("https://a.example", "https://staging.example.com:8443");
        check(
            "https://a.example?z=1",
            "https://staging.example.com:8443?z=1",
        );
    }
}
