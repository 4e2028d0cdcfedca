//! Which addresses does the configuration name? A network, or one address. Not here: what being named
//! allows (`policy`).

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// A network, or one address, that the configuration names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Network {
    address: IpAddr,
    prefix_bits: u8,
}

/// The text names no network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NetworkParseError {
    /// Neither an address nor a network.
    #[error("`{0}` is not a network, write an address and a prefix such as `10.0.0.0/8`")]
    Malformed(String),
    /// More prefix bits than the address has.
    #[error("`{text}` has a prefix longer than {bits_max} bits, shorten it")]
    Prefix {
        /// The text.
        text: String,
        /// Bits an address of this kind has.
        bits_max: u8,
    },
    /// An address inside the network it names.
    #[error("`{text}` has bits beyond its prefix, write `{network}` or `{address}`")]
    HostBits {
        /// The text.
        text: String,
        /// The whole network.
        network: Network,
        /// The address alone.
        address: IpAddr,
    },
}

impl Network {
    /// This address alone.
    #[must_use]
    pub const fn exact(address: IpAddr) -> Self {
        Self {
            address,
            prefix_bits: bits(address),
        }
    }

    /// Whether the address lies in it.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        self.address.is_ipv4() == address.is_ipv4()
            && masked(address, self.prefix_bits) == self.address
    }

    pub(crate) const fn is_exact(&self) -> bool {
        self.prefix_bits == bits(self.address)
    }
}

impl FromStr for Network {
    type Err = NetworkParseError;

    fn from_str(text: &str) -> Result<Self, NetworkParseError> {
        let shown = || text.chars().take(64).collect::<String>();
        let malformed = || NetworkParseError::Malformed(shown());
        let (address, prefix) = text
            .split_once('/')
            .map_or((text, None), |(address, prefix)| (address, Some(prefix)));
        let address: IpAddr = address.parse().map_err(|_| malformed())?;
        let bits_max = bits(address);
        let Some(prefix) = prefix else {
            return Ok(Self::exact(address));
        };
        if prefix.is_empty() || !prefix.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(malformed());
        }
        let prefix_bits = prefix
            .parse()
            .ok()
            .filter(|bits| *bits <= bits_max)
            .ok_or_else(|| NetworkParseError::Prefix {
                text: shown(),
                bits_max,
            })?;
        let network = Self {
            address: masked(address, prefix_bits),
            prefix_bits,
        };
        if network.address == address {
            Ok(network)
        } else {
            Err(NetworkParseError::HostBits {
                text: shown(),
                network,
                address,
            })
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix_bits)
    }
}

const fn bits(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

/// The address with everything beyond the prefix cleared.
fn masked(address: IpAddr, prefix_bits: u8) -> IpAddr {
    let cleared = u32::from(bits(address).saturating_sub(prefix_bits));
    match address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(cleared).unwrap_or(0);
            Ipv4Addr::from_bits(address.to_bits() & mask).into()
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(cleared).unwrap_or(0);
            Ipv6Addr::from_bits(address.to_bits() & mask).into()
        }
    }
}
