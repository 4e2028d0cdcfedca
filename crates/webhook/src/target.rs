//! Where does this URL point, as text? Not here: what its text may look like (`journey::spelling`),
//! and which addresses a request may go to (`policy`).

use std::net::IpAddr;

use url::{Host, Url};
use wayfare_journey::spelling::{UrlDoubt, doubt};

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
    /// [`UrlDoubt`] for a text that says one thing to people and another to parsers, for another
    /// scheme than http and https, and for user info.
    pub(crate) fn parse(text: &str) -> Result<Self, UrlDoubt> {
        if let Some(doubt) = doubt(text) {
            return Err(doubt);
        }
        let url = Url::parse(text).map_err(|_| UrlDoubt::Unreadable)?;
        let scheme = match url.scheme() {
            "https" => Scheme::Https,
            "http" => Scheme::Http,
            other => return Err(UrlDoubt::Scheme(other.to_owned())),
        };
        let (host, literal) = match url.host() {
            Some(Host::Domain(name)) => (name.trim_end_matches('.').to_owned(), None),
            Some(Host::Ipv4(address)) => (address.to_string(), Some(address.into())),
            Some(Host::Ipv6(address)) => (address.to_string(), Some(address.into())),
            None => return Err(UrlDoubt::NoHost),
        };
        if host.split('.').any(str::is_empty) {
            return Err(UrlDoubt::EmptyLabel);
        }
        let port = url.port_or_known_default().ok_or(UrlDoubt::Unreadable)?;
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
