//! Where does this URL point, as text? What a URL may look like before anything is resolved. Not
//! here: which addresses a request may go to (`policy`).

use std::net::IpAddr;

use url::{Host, Url};

use crate::policy::PolicyRefusal;

/// Bytes of a URL, rendered.
const URL_BYTES_MAX: usize = 2_048;
/// Endings that name no place on the public internet.
const LOCAL_ENDINGS: [&str; 4] = [".localhost", ".local", ".internal", ".home.arpa"];

/// Whether a target is spoken to in the clear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    Http,
    Https,
}

/// The host and port a URL points to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    url: Url,
    host: String,
    literal: Option<IpAddr>,
    port: u16,
    scheme: Scheme,
}

impl Target {
    /// The target of a URL whose text leaves no doubt.
    ///
    /// # Errors
    /// [`PolicyRefusal`] for a text that says one thing to people and another to parsers, for
    /// another scheme than http and https, and for user info.
    pub(crate) fn parse(text: &str) -> Result<Self, PolicyRefusal> {
        if let Some(why) = doubt(text) {
            return Err(PolicyRefusal::Malformed(why));
        }
        let malformed = |_| PolicyRefusal::Malformed("does not parse");
        let url = Url::parse(text).map_err(malformed)?;
        let scheme = match url.scheme() {
            "https" => Scheme::Https,
            "http" => Scheme::Http,
            other => return Err(PolicyRefusal::Scheme(other.chars().take(64).collect())),
        };
        if let Some(why) = authority_doubt(text) {
            return Err(PolicyRefusal::Malformed(why));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(PolicyRefusal::UserInfo);
        }
        let (host, literal) = match url.host() {
            Some(Host::Domain(name)) => (name.trim_end_matches('.').to_owned(), None),
            Some(Host::Ipv4(address)) => (address.to_string(), Some(address.into())),
            Some(Host::Ipv6(address)) => (address.to_string(), Some(address.into())),
            None => return Err(PolicyRefusal::Malformed("has no host")),
        };
        if host.split('.').any(str::is_empty) {
            return Err(PolicyRefusal::Malformed("has an empty part in its host"));
        }
        let port = url
            .port_or_known_default()
            .ok_or(PolicyRefusal::Malformed("has no port"))?;
        Ok(Self {
            url,
            host,
            literal,
            port,
            scheme,
        })
    }

    /// The host, normalised: a name without its closing dots, or an address without brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, written or implied by the scheme.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The address, where the host is one: no resolver ever sees it.
    #[must_use]
    pub const fn literal(&self) -> Option<IpAddr> {
        self.literal
    }

    pub(crate) const fn scheme(&self) -> Scheme {
        self.scheme
    }

    pub(crate) const fn url(&self) -> &Url {
        &self.url
    }

    /// Whether the host is a name that only a local resolver knows.
    pub(crate) fn is_local_name(&self) -> bool {
        self.literal.is_none()
            && (!self.host.contains('.')
                || LOCAL_ENDINGS
                    .iter()
                    .any(|ending| self.host.ends_with(ending)))
    }
}

/// What makes parsers and people read the text differently.
fn doubt(text: &str) -> Option<&'static str> {
    if text.len() > URL_BYTES_MAX {
        return Some("is longer than 2,048 bytes");
    }
    if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
        // Parsers remove some of these without a word.
        return Some("contains white space or control characters");
    }
    if text.contains('\\') {
        return Some("contains a backslash");
    }
    text.contains('#').then_some("has a fragment")
}

/// The same for the part between scheme and path.
fn authority_doubt(text: &str) -> Option<&'static str> {
    let Some((_, rest)) = text.split_once("://") else {
        return Some("does not start with `scheme://host`");
    };
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    if authority.is_empty() {
        return Some("does not start with `scheme://host`");
    }
    authority
        .contains(['{', '}'])
        .then_some("has a placeholder in its host or port")
}
