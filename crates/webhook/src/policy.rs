//! Where may a request go? The guard, asked with the addresses a name resolved to; those it lets
//! through are the ones dialled. Not here: the table of addresses (`journey::address`), what a URL
//! may look like (`target`), or resolving (`client`).

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use wayfare_journey::address::{AddressRefusal, refusal};
use wayfare_journey::spelling::UrlDoubt;

use crate::network::Network;
use crate::target::{Scheme, Target};

/// Ports that need no configuration.
const PORTS: [u16; 2] = [80, 443];
/// Addresses of one name that are dialled; all of them are vetted.
const ADDRESSES_MAX: usize = 16;

/// Why a request may not go where its URL points.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyRefusal {
    /// Its text is no plain URL.
    #[error("{0}, {hint}", hint = .0.hint())]
    Text(UrlDoubt),
    /// In the clear.
    #[error(
        "plain http to `{0}` is not allowed, use https or list the host under `webhooks.allow_http`"
    )]
    PlainHttp(String),
    /// A port that is neither 80 nor 443.
    #[error("port {port} of `{host}` is not allowed, list it under `webhooks.allow_ports`")]
    Port {
        /// The host.
        host: String,
        /// The port.
        port: u16,
    },
    /// An address beyond the public internet.
    #[error("`{address}` {}, list {} under `webhooks.allow_networks` to allow it", why.as_str(), needed(*address, *why))]
    Address {
        /// The address.
        address: IpAddr,
        /// What it is.
        why: AddressRefusal,
    },
    /// A name of the local network, where no network is allowed that it could lead to.
    #[error(
        "`{0}` is a local name, list the network it leads to under `webhooks.allow_networks` to allow it"
    )]
    LocalName(String),
    /// A name of the local network that answers with an address outside the allowed networks.
    #[error(
        "`{host}` is a local name but leads to `{address}`, list its network under `webhooks.allow_networks` to allow it"
    )]
    Astray {
        /// The name.
        host: String,
        /// Where it leads.
        address: IpAddr,
    },
    /// Wayfare's own address.
    #[error(
        "`{0}` is where Wayfare itself listens, send to another receiver or move `server.listen`"
    )]
    Own(SocketAddr),
}

fn needed(address: IpAddr, why: AddressRefusal) -> String {
    if why.needs_exact_allowance() {
        format!("exactly `{}`", Network::exact(address))
    } else {
        String::from("its network")
    }
}

/// Where requests may go beyond https on the public internet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// Networks beyond the public internet; link-local and metadata addresses only one by one.
    pub allow_networks: Vec<Network>,
    /// Hosts that may be spoken to in the clear: names, or addresses without brackets.
    pub allow_http: Vec<String>,
    /// Ports beside 80 and 443.
    pub allow_ports: Vec<u16>,
    /// Where Wayfare itself listens; refused whatever else is allowed.
    pub own: Vec<SocketAddr>,
}

impl Policy {
    /// Where a URL points, when its text, scheme and port are allowed, and its host as far as that
    /// can be known before it is looked up.
    ///
    /// # Errors
    /// [`PolicyRefusal`], with the same words at check time and at send time.
    pub fn target(&self, url: &str) -> Result<Target, PolicyRefusal> {
        let target = Target::parse(url).map_err(PolicyRefusal::Text)?;
        let host = target.host();
        let allows = |allowed: &String| {
            let name = allowed.trim_matches(['[', ']']).trim_end_matches('.');
            name.parse().map_or_else(
                |_| name.eq_ignore_ascii_case(host),
                |address| target.literal() == Some(address),
            )
        };
        if target.scheme() == Scheme::Http && !self.allow_http.iter().any(allows) {
            return Err(PolicyRefusal::PlainHttp(host.to_owned()));
        }
        let port = target.port();
        if !PORTS.contains(&port) && !self.allow_ports.contains(&port) {
            return Err(PolicyRefusal::Port {
                host: host.to_owned(),
                port,
            });
        }
        if let Some(address) = target.literal() {
            self.vet_address(&target, address)?;
        }
        if target.is_local_name() && self.allow_networks.is_empty() {
            return Err(PolicyRefusal::LocalName(host.to_owned()));
        }
        Ok(target)
    }

    /// The addresses to dial, of all a name resolved to. One bad one refuses them all: nobody
    /// answers with a public and a private address for one name in good faith.
    ///
    /// # Errors
    /// [`PolicyRefusal`], for the first bad one.
    pub fn vet(
        &self,
        target: &Target,
        answers: &[IpAddr],
    ) -> Result<Vec<SocketAddr>, PolicyRefusal> {
        let vetted: Vec<SocketAddr> = answers
            .iter()
            .map(|address| self.vet_address(target, *address))
            .collect::<Result<_, _>>()?;
        Ok(vetted.into_iter().take(ADDRESSES_MAX).collect())
    }

    /// Whether Wayfare listens on this port of every address of its machine, whichever those are.
    pub(crate) fn listens_everywhere(&self, port: u16) -> bool {
        let mut own = self.own.iter();
        own.any(|own| own.port() == port && own.ip().is_unspecified())
    }

    fn vet_address(&self, target: &Target, address: IpAddr) -> Result<SocketAddr, PolicyRefusal> {
        let socket = SocketAddr::new(address, target.port());
        if self.own.iter().any(|own| is_same_place(*own, socket)) {
            return Err(PolicyRefusal::Own(socket));
        }
        if let Some(why) = refusal(address)
            && !self.allows(address, why)
        {
            return Err(PolicyRefusal::Address { address, why });
        }
        let is_named = |network: &Network| network.contains(address);
        if target.is_local_name() && !self.allow_networks.iter().any(is_named) {
            return Err(PolicyRefusal::Astray {
                host: target.host().to_owned(),
                address,
            });
        }
        Ok(socket)
    }

    fn allows(&self, address: IpAddr, why: AddressRefusal) -> bool {
        let mut named = self
            .allow_networks
            .iter()
            .filter(|network| network.contains(address));
        if why.needs_exact_allowance() {
            return named.any(Network::is_exact);
        }
        if why != AddressRefusal::Embedded {
            return named.next().is_some();
        }
        // An allowed wrapper, such as the network of a NAT64, does not open what it wraps.
        let Some(wrapped) = wrapped(address) else {
            return named.any(Network::is_exact);
        };
        named.next().is_some() && refusal(wrapped).is_none_or(|why| self.allows(wrapped, why))
    }
}

/// Whether a listening address takes connections to another one, as far as that can be known here.
fn is_same_place(own: SocketAddr, other: SocketAddr) -> bool {
    let plain = |address: IpAddr| match wrapped(address) {
        Some(inner) if !address.is_loopback() && !address.is_unspecified() => inner,
        Some(_) | None => address,
    };
    let is_same_port = own.port() == other.port();
    let (own, other) = (plain(own.ip()), plain(other.ip()));
    let is_one = own == other
        // Whoever listens everywhere listens here, and to dial nowhere is to dial here.
        || own.is_unspecified() && other.is_loopback()
        || other.is_unspecified() && (own.is_loopback() || own.is_unspecified());
    is_same_port && is_one
}

/// The IPv4 address in an IPv6 one: mapped, compatible, translated, NAT64, 6to4.
fn wrapped(address: IpAddr) -> Option<IpAddr> {
    let IpAddr::V6(address) = address else {
        return None;
    };
    let from = |high: u16, low: u16| {
        let bits = u32::from(high) << 16 | u32::from(low);
        Some(IpAddr::V4(Ipv4Addr::from_bits(bits)))
    };
    match address.segments() {
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low]
        | [0, 0, 0, 0, 0xffff, 0, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x2002, high, low, ..] => from(high, low),
        _ => None,
    }
}
