//! Which connections carry an attempt? reqwest's clients, each built when first needed. Not here:
//! where they may go (`dial`).

use std::sync::OnceLock;
use std::time::Duration;

use reqwest::header::{ACCEPT, ACCEPT_ENCODING, HeaderMap, HeaderValue};
use reqwest::{ClientBuilder, redirect, retry};
use wayfare_journey::definition::DeliveryMode;

use crate::dial::{DIAL_MAX, InTime, Vetted};
use crate::target::Scheme;

/// How long an idle connection is kept for the next attempt.
const IDLE_MAX: Duration = Duration::from_secs(30);
/// Idle connections kept per host.
const IDLE_PER_HOST_MAX: usize = 8;

type Built = Result<reqwest::Client, String>;

/// The clients, by scheme and promise.
#[derive(Debug, Default)]
pub(crate) struct Connections {
    plain_fresh: OnceLock<Built>,
    plain_reused: OnceLock<Built>,
    tls_fresh: OnceLock<Built>,
    tls_reused: OnceLock<Built>,
}

impl Connections {
    /// The client for these, or why it cannot be built.
    pub(crate) fn client(
        &self,
        scheme: Scheme,
        mode: DeliveryMode,
    ) -> Result<&reqwest::Client, &str> {
        use DeliveryMode::{AtLeastOnce, AtMostOnce};
        let slot = match (scheme, mode) {
            (Scheme::Http, AtMostOnce) => &self.plain_fresh,
            (Scheme::Http, AtLeastOnce) => &self.plain_reused,
            (Scheme::Https, AtMostOnce) => &self.tls_fresh,
            (Scheme::Https, AtLeastOnce) => &self.tls_reused,
        };
        slot.get_or_init(|| build(scheme, mode))
            .as_ref()
            .map_err(String::as_str)
    }
}

fn build(scheme: Scheme, mode: DeliveryMode) -> Built {
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    let builder = ClientBuilder::new()
        .default_headers(headers)
        .redirect(redirect::Policy::none())
        .referer(false)
        .retry(retry::never())
        .no_proxy()
        .dns_resolver(Vetted)
        .connector_layer(InTime)
        .connect_timeout(DIAL_MAX);
    let builder = match scheme {
        // No roots to trust: nothing to load, and a stray https connection would fail.
        Scheme::Http => builder.tls_certs_only([]),
        Scheme::Https => builder.https_only(true),
    };
    let builder = match mode {
        // A reused connection that dies leaves open whether the request arrived.
        DeliveryMode::AtMostOnce => builder.http1_only().pool_max_idle_per_host(0),
        DeliveryMode::AtLeastOnce => builder
            .pool_max_idle_per_host(IDLE_PER_HOST_MAX)
            .pool_idle_timeout(IDLE_MAX),
    };
    builder.build().map_err(|error| error.to_string())
}
