//! What is kept of a request that is owed? The request as it was rendered, its terms, and how far it
//! got. Not here: what follows from an attempt (`delivery`).

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use wayfare_event::{DeliveryId, Identifier, ProfileId, TargetId, Timestamp};
use wayfare_journey::definition::{Auth, DeliveryMode, Method, Secret};

use super::ConsentAsked;
use crate::delivery::{Outcome, State};

/// A rendered request. Secrets stand in it as references only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// Where the origin comes from, when the URL does not have one.
    pub base: Option<Secret>,
    /// The URL, or its path and query behind `base`.
    pub url: String,
    /// The author's headers, in the author's order.
    pub headers: Vec<(Arc<str>, String)>,
    /// How it authenticates itself.
    pub auth: Option<Auth>,
    /// What it is signed with, the newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sign: Vec<Secret>,
    /// The body, JSON text.
    pub body: Option<String>,
}

/// The hash of a request: of its method, URL, headers and body, none of them secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestHash([u8; 16]);

impl Request {
    /// Where it goes, in two parts: the origin, or the reference it comes from, and the path without
    /// the query.
    #[must_use]
    pub fn target(&self) -> (String, &str) {
        let (origin, rest) = match &self.base {
            Some(Secret::Env(name)) => (format!("{{env: {name}}}"), self.url.as_str()),
            Some(Secret::File(path)) => (format!("{{file: {path}}}"), self.url.as_str()),
            None => {
                let authority = self.url.find("://").map_or(0, |it| it.saturating_add(3));
                let behind = self.url.get(authority..).and_then(|it| it.find(['/', '?']));
                let end = behind.map_or(self.url.len(), |it| it.saturating_add(authority));
                let (origin, rest) = self.url.split_at(end);
                (canonical(origin), rest)
            }
        };
        (origin, rest.split('?').next().unwrap_or(rest))
    }

    /// What it is known by: two requests with one hash are the same.
    #[must_use]
    pub fn hash(&self) -> RequestHash {
        let mut hasher = blake3::Hasher::new();
        let mut field = |text: &str| {
            hasher.update(&u64::try_from(text.len()).unwrap_or(u64::MAX).to_le_bytes());
            hasher.update(text.as_bytes());
        };
        field("wayfare.request.v1");
        field(self.method.as_str());
        match &self.base {
            Some(Secret::Env(name)) => field(&format!("env {name}")),
            Some(Secret::File(path)) => field(&format!("file {path}")),
            None => field(""),
        }
        field(&self.url);
        for (name, value) in &self.headers {
            field(name);
            field(value);
        }
        field(self.body.as_deref().unwrap_or_default());
        let mut bytes = [0; 16];
        hasher.finalize_xof().fill(&mut bytes);
        RequestHash(bytes)
    }
}

/// An origin, written one way: in lower case, without the port that its scheme implies.
fn canonical(origin: &str) -> String {
    let origin = origin.to_ascii_lowercase();
    let port = if origin.starts_with("http:") {
        ":80"
    } else {
        ":443"
    };
    origin
        .strip_suffix(port)
        .map_or_else(|| origin.clone(), str::to_owned)
}

/// How a request is to be delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// What is promised.
    pub mode: DeliveryMode,
    /// Time for one attempt, in microseconds.
    pub timeout_us: i64,
    /// Time for all attempts, in microseconds, from the first.
    pub window_us: i64,
    /// What it acts on, where requests for one target leave in the order of their decisions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<TargetId>,
    /// Whether its URL is another one for somebody else: then it being gone is no news about the
    /// block.
    #[serde(default)]
    pub is_varied: bool,
}

/// The place of a decision among all decisions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Turn {
    /// The sequence number of the input that led to it.
    pub seq: u64,
    /// Its place among what followed from that input.
    pub place: u32,
}

/// What an operator ordered about a delivery.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ordered {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: Arc<str>,
    /// Why.
    pub reason: Arc<str>,
    /// The state it came to.
    pub state: State,
}

/// The one request a decision owes, and how far it got.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Delivery {
    /// Its id.
    pub id: DeliveryId,
    /// The journey.
    pub journey: Arc<str>,
    /// The block.
    pub block: Arc<str>,
    /// The profile.
    pub profile: ProfileId,
    /// The identifier whose profile is asked for consent.
    pub owner: Identifier,
    /// What is asked before each attempt.
    pub asked: ConsentAsked,
    /// The request.
    pub request: Request,
    /// How it is delivered.
    pub terms: Terms,
    /// When it was decided.
    pub decided: Timestamp,
    /// The decision's place among all decisions.
    #[serde(default)]
    pub turn: Turn,
    /// Where it stands.
    pub state: State,
    /// Attempts released.
    pub attempts: u32,
    /// Since when it is owed: since it was decided, or ordered again.
    pub owed: Timestamp,
    /// Attempts released before it was ordered again.
    #[serde(default)]
    pub earlier: u32,
    /// When the first was released since it is owed.
    pub first_attempt: Option<Timestamp>,
    /// How long it waited for us since then: for a slot, its turn, a breaker or a pause, in
    /// microseconds.
    #[serde(default)]
    pub waited_us: i64,
    /// How the last one ended.
    pub last: Option<Outcome>,
    /// Whether one of them ended without anybody knowing whether it arrived.
    #[serde(default)]
    pub in_doubt: bool,
    /// What operators ordered about it, at most 16, the newest last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub orders: Vec<Ordered>,
    /// How many queued inputs led to it, one queueing the next.
    #[serde(default)]
    pub hops: u8,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(base: Option<Secret>, url: &str) -> Request {
        Request {
            method: Method::Put,
            base,
            url: url.to_owned(),
            headers: Vec::new(),
            auth: None,
            sign: Vec::new(),
            body: None,
        }
    }

    #[test]
    fn a_target_is_where_a_request_goes_whatever_its_spelling_and_query() {
        let check = |url: &str, origin: &str, path: &str| {
            let request = request(None, url);
            assert_eq!(request.target(), (origin.to_owned(), path), "{url}");
        };
        check("https://a.example/x/1?y=2", "https://a.example", "/x/1");
        check("HTTPS://A.example:443/X", "https://a.example", "/X");
        check("http://a.example:80/", "http://a.example", "/");
        check("https://a.example:8443/x", "https://a.example:8443", "/x");
        check("https://a.example?y=2", "https://a.example", "");
        let based = request(Some(Secret::Env("CRM".to_owned())), "/x?y=2");
        assert_eq!(based.target(), ("{env: CRM}".to_owned(), "/x"));
    }

    #[test]
    fn requests_with_one_hash_are_the_same() {
        let one = request(None, "https://a.example/x");
        let with = |change: &dyn Fn(&mut Request)| {
            let mut other = one.clone();
            change(&mut other);
            other.hash()
        };
        assert_eq!(with(&|_| {}), one.hash());
        for hash in [
            with(&|it| it.method = Method::Post),
            with(&|it| it.url.push('y')),
            with(&|it| it.body = Some("{}".to_owned())),
            with(&|it| it.headers = vec![("a".into(), "b".to_owned())]),
            with(&|it| it.base = Some(Secret::Env("CRM".to_owned()))),
        ] {
            assert_ne!(hash, one.hash());
        }
    }
}
