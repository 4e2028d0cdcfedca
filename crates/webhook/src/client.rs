//! How is one attempt made? Resolve and vet, then dial exactly what was vetted, send, and say what
//! came of it. Not here: whether and when to attempt (`runtime`), or what follows (`executor`).

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use reqwest::header::{HOST, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{Method, Request, Response};
use tokio::net::lookup_host;
use tokio::time::{Instant, timeout, timeout_at};
use url::{Position, Url};
use wayfare_executor::delivery::{NotSentReason, Outcome};

use crate::classify;
use crate::connections::Connections;
use crate::dial::Dial;
use crate::own;
use crate::policy::{Policy, PolicyRefusal};
use crate::request::{Outgoing, Wire, WireError, wire_headers};
use crate::secret::{REDACTED, SecretValue, Secrets};
use crate::target::{Scheme, Target};

/// How long a name may take to resolve.
const RESOLVE_MAX: Duration = Duration::from_secs(2);
/// Bytes of a reply that are read.
const REPLY_READ_BYTES_MAX: usize = 16 * 1_024;
/// Bytes of a reply that are kept.
const REPLY_KEPT_BYTES_MAX: usize = 4 * 1_024;

/// Why an attempt cannot be released yet, or at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unready {
    /// The address is refused: the delivery is withheld.
    #[error(transparent)]
    Policy(#[from] PolicyRefusal),
    /// The name did not resolve: the delivery waits for its next attempt.
    #[error("`{host}` does not resolve: {why}")]
    Dns {
        /// The name.
        host: String,
        /// What the resolver said.
        why: String,
    },
}

/// What came of one attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempted {
    /// How it ended.
    pub outcome: Outcome,
    /// Trouble in words, secrets redacted: why it failed, or what was wrong with the reply's body.
    pub note: Option<String>,
    /// The reply's first 4 KiB as inert text, secrets redacted; nothing when it had no body.
    pub reply: Option<String>,
}

impl Attempted {
    const fn failed(outcome: Outcome, note: String) -> Self {
        Self {
            outcome,
            note: Some(note),
            reply: None,
        }
    }
}

/// Sends requests, one attempt at a time; any number of attempts may be in flight.
#[derive(Debug)]
pub struct Client {
    policy: Policy,
    secrets: Arc<Secrets>,
    receiver: Option<SocketAddr>,
    connections: Connections,
}

/// Everything an attempt needs, before anything is dialled.
struct Prepared<'a> {
    client: &'a reqwest::Client,
    scheme: Scheme,
    request: Request,
    credential: Option<SecretValue>,
}

impl Client {
    /// A client that goes where the URLs point, as far as the policy lets it.
    #[must_use]
    pub fn new(policy: Policy, secrets: Arc<Secrets>) -> Self {
        Self {
            policy,
            secrets,
            receiver: None,
            connections: Connections::default(),
        }
    }

    /// A client whose every connection goes to this receiver, in the clear. Nothing else changes:
    /// request line, `Host`, order, ids, bytes and refusals are the author's (SP 30).
    #[must_use]
    pub fn to_receiver(receiver: SocketAddr, policy: Policy, secrets: Arc<Secrets>) -> Self {
        Self {
            receiver: Some(receiver),
            ..Self::new(policy, secrets)
        }
    }

    /// Sends nothing to this address from now on: Wayfare itself listens there.
    pub fn spare(&mut self, own: SocketAddr) {
        self.policy.own.push(own);
    }

    /// The addresses an attempt for this URL may dial now, vetted. Nothing is sent.
    ///
    /// # Errors
    /// [`Unready`]: refused by the policy, or no answer from the resolver within 2 s.
    pub async fn resolve(&self, url: &str) -> Result<Vec<SocketAddr>, Unready> {
        let target = self.policy.target(url)?;
        if let Some(receiver) = self.receiver {
            return Ok(vec![receiver]);
        }
        let answers = match target.literal() {
            Some(address) => vec![address],
            None => {
                let lookup = lookup_host((target.host(), target.port()));
                answers(&target, RESOLVE_MAX, lookup).await?
            }
        };
        let vetted = self.policy.vet(&target, &answers)?;
        for address in &vetted {
            if self.policy.listens_everywhere(address.port()) && own::is_here(*address).await {
                return Err(PolicyRefusal::Own(*address).into());
            }
        }
        Ok(vetted)
    }

    /// Makes one attempt, dialling only these addresses: what [`Client::resolve`] gave just before.
    /// Called right after the attempt was released; the connection is ready within 2 s or not used.
    pub async fn attempt(
        &self,
        outgoing: &Outgoing,
        addresses: &[SocketAddr],
        now_epoch_seconds: i64,
    ) -> Attempted {
        let prepared = match self.prepare(outgoing, addresses, now_epoch_seconds) {
            Ok(prepared) => prepared,
            Err((reason, note)) => {
                return Attempted::failed(Outcome::NotSent(reason), self.secrets.redact(&note));
            }
        };
        let total = Duration::from_micros(u64::try_from(outgoing.timeout_us).unwrap_or(0));
        let deadline = Instant::now() + total;
        let dial = Dial::new(addresses, total);
        let sending = Box::pin(dial.during(prepared.client.execute(prepared.request)));
        match timeout_at(deadline, sending).await {
            Err(_) => Attempted::failed(
                classify::timed_out(outgoing.mode, &dial),
                String::from("no status line in time"),
            ),
            Ok(Err(error)) => Attempted::failed(
                classify::failed(&error, prepared.scheme),
                self.inert(
                    &classify::words_of_failed(&error, prepared.scheme),
                    prepared.credential.as_ref(),
                ),
            ),
            Ok(Ok(response)) => {
                let mut attempted = answered(&response, now_epoch_seconds);
                let (body, trouble) = read(response, deadline).await;
                let text = String::from_utf8_lossy(&body);
                let text = self.inert(&text, prepared.credential.as_ref());
                attempted.reply = (!body.is_empty()).then(|| cut(text));
                attempted.note = trouble.map(|trouble| self.secrets.redact(&trouble));
                attempted
            }
        }
    }

    fn prepare(
        &self,
        outgoing: &Outgoing,
        addresses: &[SocketAddr],
        now_epoch_seconds: i64,
    ) -> Result<Prepared<'_>, (NotSentReason, String)> {
        let not_dialled = |note: String| (NotSentReason::NotDialled, note);
        let target =
            Target::parse(&outgoing.url).map_err(|error| not_dialled(error.to_string()))?;
        let is_vetted = |literal: IpAddr| addresses.iter().any(|address| address.ip() == literal);
        // reqwest dials an address in a URL without asking the resolver.
        if self.receiver.is_none() && target.literal().is_some_and(|literal| !is_vetted(literal)) {
            return Err(not_dialled(format!("`{}` was not vetted", target.host())));
        }
        let wire = wire_headers(outgoing, now_epoch_seconds, &self.secrets);
        let Wire {
            mut headers,
            credential,
        } = wire.map_err(|error| match &error {
            WireError::Secret(_) => (NotSentReason::Secret, error.to_string()),
            WireError::Header(_) => not_dialled(error.to_string()),
        })?;
        let (url, scheme) = match self.receiver {
            Some(receiver) => {
                let host = HeaderValue::from_str(authority(target.url()))
                    .map_err(|error| not_dialled(error.to_string()))?;
                let at = redirected(target.url(), receiver)
                    .map_err(|error| not_dialled(error.to_string()))?;
                headers.insert(HOST, host);
                (at, Scheme::Http)
            }
            None => (target.url().clone(), target.scheme()),
        };
        let client = self.connections.client(scheme, outgoing.mode);
        let client = client.map_err(|why| match scheme {
            Scheme::Https => (NotSentReason::Tls, why.to_owned()),
            Scheme::Http => not_dialled(why.to_owned()),
        })?;
        let method = match outgoing.method {
            wayfare_journey::definition::Method::Post => Method::POST,
            wayfare_journey::definition::Method::Put => Method::PUT,
            wayfare_journey::definition::Method::Delete => Method::DELETE,
        };
        let mut request = Request::new(method, url);
        *request.headers_mut() = headers;
        *request.body_mut() = outgoing.body.clone().map(Into::into);
        Ok(Prepared {
            client,
            scheme,
            request,
            credential,
        })
    }

    /// A foreign text without secrets and without characters that could do something when shown.
    fn inert(&self, text: &str, credential: Option<&SecretValue>) -> String {
        let text = credential.map_or_else(
            || text.to_owned(),
            |credential| text.replace(credential.as_str(), REDACTED),
        );
        let calm = |c: char| match c {
            '\n' | '\t' => c,
            c if c.is_control() => char::REPLACEMENT_CHARACTER,
            c => c,
        };
        self.secrets.redact(&text).chars().map(calm).collect()
    }
}

/// The addresses that this lookup of a target's name comes to in time.
async fn answers<Found: Iterator<Item = SocketAddr>>(
    target: &Target,
    time: Duration,
    lookup: impl Future<Output = io::Result<Found>>,
) -> Result<Vec<IpAddr>, Unready> {
    let failed = |why: String| Unready::Dns {
        host: target.host().to_owned(),
        why,
    };
    let found = timeout(time, lookup)
        .await
        .map_err(|_| failed(format!("no answer within {} s", time.as_secs())))?
        .map_err(|error| failed(error.to_string()))?;
    let mut answers: Vec<IpAddr> = Vec::new();
    for address in found {
        if !answers.contains(&address.ip()) {
            answers.push(address.ip());
        }
    }
    if answers.is_empty() {
        return Err(failed(String::from("it has no address")));
    }
    Ok(answers)
}

/// The same request line, at the receiver.
fn redirected(url: &Url, receiver: SocketAddr) -> Result<Url, url::ParseError> {
    Url::parse(&format!(
        "http://{receiver}{}",
        &url[Position::BeforePath..]
    ))
}

/// Host and port as the URL's author wrote them, which is what `Host` says.
fn authority(url: &Url) -> &str {
    &url[Position::BeforeHost..Position::AfterPort]
}

fn answered(response: &Response, now_epoch_seconds: i64) -> Attempted {
    let headers = response.headers();
    Attempted {
        outcome: Outcome::Answered {
            status: response.status().as_u16(),
            retry_after_s: headers
                .contains_key(RETRY_AFTER)
                .then(|| retry_after_s(headers, now_epoch_seconds).unwrap_or(0)),
        },
        note: None,
        reply: None,
    }
}

/// RFC 9110, 10.2.3: seconds, or a date.
fn retry_after_s(headers: &HeaderMap, now_epoch_seconds: i64) -> Option<u32> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // So many that they cannot be counted: for ever.
        return Some(text.parse().unwrap_or(u32::MAX));
    }
    let date = httpdate::parse_http_date(text).ok()?;
    let since_epoch = date.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    let at = i64::try_from(since_epoch.as_secs()).ok()?;
    u32::try_from(at.saturating_sub(now_epoch_seconds).max(0)).ok()
}

/// The start of a reply's body, and what went wrong with it. The status has decided already.
async fn read(mut response: Response, deadline: Instant) -> (Vec<u8>, Option<String>) {
    let mut body = Vec::new();
    loop {
        let trouble = match timeout_at(deadline, response.chunk()).await {
            Ok(Ok(Some(chunk))) => {
                let room = REPLY_READ_BYTES_MAX.saturating_sub(body.len());
                body.extend(chunk.iter().take(room));
                if body.len() < REPLY_READ_BYTES_MAX {
                    continue;
                }
                None
            }
            Ok(Ok(None)) => None,
            Ok(Err(error)) => Some(format!("reply cut short: {}", classify::words(&error))),
            Err(_) => Some(String::from("the reply did not end in time")),
        };
        return (body, trouble);
    }
}

fn cut(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(REPLY_KEPT_BYTES_MAX));
    text
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};
    use std::iter::empty;

    use super::*;

    #[tokio::test]
    async fn a_name_that_does_not_resolve_is_not_a_refusal() {
        let target = Policy::default().target("https://good.example/").unwrap();
        let check = |found: Result<Vec<IpAddr>, Unready>, words: &str| {
            let Err(unready @ Unready::Dns { .. }) = found else {
                panic!("{found:?}")
            };
            assert_eq!(
                unready.to_string(),
                format!("`good.example` does not resolve: {words}")
            );
        };
        let no_answer = pending::<io::Result<std::iter::Empty<SocketAddr>>>();
        let found = answers(&target, Duration::ZERO, no_answer).await;
        check(found, "no answer within 0 s");
        let found = answers(&target, RESOLVE_MAX, ready(Ok(empty()))).await;
        check(found, "it has no address");
        let failure = io::Error::other("server failure");
        let failure = ready(Err::<std::iter::Empty<_>, _>(failure));
        check(
            answers(&target, RESOLVE_MAX, failure).await,
            "server failure",
        );
    }

    #[tokio::test]
    async fn every_answer_is_vetted_once() {
        let target = Policy::default().target("https://good.example/").unwrap();
        let found = [[1, 1, 1, 1], [8, 8, 8, 8], [1, 1, 1, 1]];
        let found = found.map(|address| SocketAddr::from((address, 443)));
        let lookup = ready(Ok(found.into_iter()));
        let answers = answers(&target, RESOLVE_MAX, lookup).await.unwrap();
        assert_eq!(answers, [IpAddr::from([1, 1, 1, 1]), [8, 8, 8, 8].into()]);
    }
}
