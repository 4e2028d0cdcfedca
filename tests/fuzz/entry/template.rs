//! Does a request go where its author wrote, whatever the values are? A text of three lines stands
//! in a journey's webhook: the first is its URL, the second a header's value, the rest its payload.

use url::Url;
use wayfare_journey::{Block, Compiled, RenderError, Rendered};

use super::event::is_json;
use super::journey::compiles;
use super::scope::{self, Profile};

/// Bytes of a rendered body.
const BODY_BYTES_MAX: usize = 256 * 1024;
/// Bytes of a rendered header's value.
const HEADER_BYTES_MAX: usize = 4 * 1024;
/// Bytes of a rendered URL.
const URL_BYTES_MAX: usize = 2_048;

pub(super) fn read(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let mut lines = text.splitn(3, '\n');
    let mut line = || lines.next().unwrap_or_default();
    let (url, header, payload) = (line(), line(), line());
    let Some(compiled) = compiles(&journey(url, header, payload), &vet) else {
        return;
    };
    let plain = rendered(&compiled, Profile::Plain);
    let hostile = rendered(&compiled, Profile::Hostile);
    for request in [&plain, &hostile].into_iter().flatten() {
        is_sound(request, url);
    }
    if let (Ok(plain), Ok(hostile)) = (plain, hostile) {
        let (plain, hostile) = (parsed(&plain.url), parsed(&hostile.url));
        assert_eq!(plain.origin(), hostile.origin());
        let segments = |url: &Url| url.path().split('/').count();
        assert_eq!(segments(&plain), segments(&hostile), "{plain} {hostile}");
        let names = |url: &Url| -> Vec<String> {
            let pairs = url.query_pairs();
            pairs.map(|(name, _)| name.into_owned()).collect()
        };
        assert_eq!(names(&plain), names(&hostile), "{plain} {hostile}");
    }
}

/// A journey in which these stand; a text as JSON is in YAML what it is.
fn journey(url: &str, header: &str, payload: &str) -> String {
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    format!(
        "journey: j\ndescription: d\ntrigger: {{ event: A }}\nentry: {{ again: once }}\nblocks:\n  \
         send:\n    webhook:\n      method: POST\n      consent: {{ basis: contract, because: b }}\n      \
         url: {}\n      headers: {{ X-A: {} }}\n      payload: {}\n",
        quoted(url),
        quoted(header),
        // Deeper than its key, it cannot become another key.
        payload.replace(['\n', '\r'], "\n        ")
    )
}

/// What may be called: what another reader takes for a URL of the web.
fn vet(url: &str) -> Result<(), String> {
    let url = Url::parse(url).map_err(|error| error.to_string())?;
    match url.scheme() {
        "http" | "https" => Ok(()),
        other => Err(format!("`{other}` is not of the web")),
    }
}

fn rendered(compiled: &Compiled, profile: Profile) -> Result<Rendered, RenderError> {
    let graph = &compiled.graph;
    let Block::Webhook(webhook) = graph.block(graph.start()) else {
        panic!("the journey starts with its webhook");
    };
    scope::with(profile, |scope| {
        let request = webhook.render(scope);
        assert_eq!(request, webhook.render(scope));
        request
    })
}

fn parsed(url: &str) -> Url {
    Url::parse(url).unwrap_or_else(|error| panic!("`{url}`: {error}"))
}

/// It goes to the written host, and what it says can be sent.
fn is_sound(request: &Rendered, written: &str) {
    let (scheme, rest) = written
        .split_once("://")
        .expect("only a URL with a scheme compiles");
    let host = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (origin, _) = written.split_at(scheme.len() + "://".len() + host);
    let behind = request.url.strip_prefix(origin);
    let behind = behind.unwrap_or_else(|| panic!("{} is not at {origin}", request.url));
    assert!(behind.is_empty() || behind.starts_with(['/', '?']));
    let url = parsed(&request.url);
    assert!(url.has_host() && url.username().is_empty() && url.password().is_none());
    assert_eq!((request.base.as_ref(), url.fragment()), (None, None));
    assert!(request.url.is_ascii() && request.url.len() <= URL_BYTES_MAX);
    for (name, value) in &request.headers {
        let is_plain = value.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        assert!(is_plain, "{name}: {value:?}");
        assert!(value.len() <= HEADER_BYTES_MAX, "{name}: {}", value.len());
    }
    if let Some(body) = &request.body {
        let body = body.to_string();
        assert!(body.len() <= BODY_BYTES_MAX);
        is_json(&body);
    }
}
