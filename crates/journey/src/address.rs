//! May a request go to this address? The table of addresses that are not on the public internet.
//! Not here: how a name is resolved or dialled (`webhook`), and what a URL may look like (`url`).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Why an address is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AddressRefusal {
    /// This host itself: loopback and the unspecified address.
    Loopback,
    /// A private, shared or unique-local network.
    Private,
    /// Link-local, where cloud metadata services live.
    LinkLocal,
    /// A cloud provider's metadata or host service.
    Metadata,
    /// Reserved for documentation, benchmarks, protocols or the future.
    Reserved,
    /// A group of hosts.
    Multicast,
    /// An IPv6 address that carries an IPv4 one, in a form no resolver should answer with.
    Embedded,
}

impl AddressRefusal {
    /// The words used at check time and at send time alike.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Loopback => "is this machine itself",
            Self::Private => "is on a private network",
            Self::LinkLocal => "is link-local",
            Self::Metadata => "is a metadata service",
            Self::Reserved => "is reserved and not on the public internet",
            Self::Multicast => "is a multicast group",
            Self::Embedded => "wraps an IPv4 address",
        }
    }

    /// Whether a network in the configuration may allow it; else only its exact address may.
    #[must_use]
    pub const fn needs_exact_allowance(self) -> bool {
        matches!(self, Self::LinkLocal | Self::Metadata)
    }
}

use AddressRefusal::{Embedded, LinkLocal, Loopback, Metadata, Multicast, Private, Reserved};

/// IPv4 networks that are not the public internet, first match wins: address, prefix bits, why.
///
/// IANA's IPv4 special-purpose registry, and host services with public-looking addresses.
const V4: &[(Ipv4Addr, u32, AddressRefusal)] = &[
    (Ipv4Addr::new(168, 63, 129, 16), 32, Metadata),
    (Ipv4Addr::new(192, 0, 0, 192), 32, Metadata),
    (Ipv4Addr::new(0, 0, 0, 0), 8, Loopback),
    (Ipv4Addr::new(10, 0, 0, 0), 8, Private),
    (Ipv4Addr::new(100, 64, 0, 0), 10, Private),
    (Ipv4Addr::new(127, 0, 0, 0), 8, Loopback),
    (Ipv4Addr::new(169, 254, 0, 0), 16, LinkLocal),
    (Ipv4Addr::new(172, 16, 0, 0), 12, Private),
    (Ipv4Addr::new(192, 0, 0, 0), 24, Reserved),
    (Ipv4Addr::new(192, 0, 2, 0), 24, Reserved),
    (Ipv4Addr::new(192, 88, 99, 0), 24, Reserved),
    (Ipv4Addr::new(192, 168, 0, 0), 16, Private),
    (Ipv4Addr::new(198, 18, 0, 0), 15, Reserved),
    (Ipv4Addr::new(198, 51, 100, 0), 24, Reserved),
    (Ipv4Addr::new(203, 0, 113, 0), 24, Reserved),
    (Ipv4Addr::new(224, 0, 0, 0), 4, Multicast),
    (Ipv4Addr::new(240, 0, 0, 0), 4, Reserved),
];

/// IPv6 networks inside the public range that are not the public internet, first match wins.
///
/// Everything outside `2000::/3` is refused without being listed.
const V6: &[(Ipv6Addr, u32, AddressRefusal)] = &[
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 32, Embedded),
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23, Reserved),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32, Reserved),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16, Embedded),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20, Reserved),
];

/// Why a request may not go to this address; nothing when it is on the public internet.
///
/// ```
/// use wayfare_journey::address::{AddressRefusal, refusal};
/// assert_eq!(refusal([8, 8, 8, 8].into()), None);
/// assert_eq!(refusal([169, 254, 169, 254].into()), Some(AddressRefusal::LinkLocal));
/// ```
#[must_use]
pub fn refusal(address: IpAddr) -> Option<AddressRefusal> {
    match address {
        IpAddr::V4(address) => v4_refusal(address),
        IpAddr::V6(address) => v6_refusal(address),
    }
}

fn v4_refusal(address: Ipv4Addr) -> Option<AddressRefusal> {
    let bits = address.to_bits();
    let within = |network: Ipv4Addr, prefix: u32| (bits ^ network.to_bits()) >> (32 - prefix) == 0;
    V4.iter()
        .find(|(network, prefix, _)| within(*network, *prefix))
        .map(|(_, _, why)| *why)
}

fn v6_refusal(address: Ipv6Addr) -> Option<AddressRefusal> {
    let bits = address.to_bits();
    let starts = |network: Ipv6Addr, prefix: u32| {
        (bits ^ network.to_bits()).checked_shr(128 - prefix) == Some(0)
    };
    if starts(Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3) {
        return V6
            .iter()
            .find(|(network, prefix, _)| starts(*network, *prefix))
            .map(|(_, _, why)| *why);
    }
    Some(match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => Loopback,
        // Unspecified prefix, mapped, translated, NAT64: spellings of an IPv4 address.
        [0, ..] | [0x64, 0xff9b, ..] => Embedded,
        [0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254] => Metadata,
        [0xfc00..=0xfdff, ..] => Private,
        [0xfe80..=0xfebf, ..] => LinkLocal,
        [0xfec0..=0xfeff, ..] => Private,
        [0xff00..=0xffff, ..] => Multicast,
        _ => Reserved,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(addresses: &[&str], expected: Option<AddressRefusal>) {
        for address in addresses {
            assert_eq!(refusal(address.parse().unwrap()), expected, "{address}");
        }
    }

    #[test]
    fn the_public_internet_is_open_up_to_its_edges() {
        check(
            &[
                "1.1.1.1",
                "8.8.8.8",
                "223.255.255.255",
                "172.15.255.255",
                "172.32.0.1",
                "100.63.255.254",
                "100.128.0.1",
                "192.88.98.255",
                "192.88.100.1",
                "2606:4700:4700::1111",
                "2001:4860:4860::8888",
            ],
            None,
        );
    }

    #[test]
    fn this_machine_and_private_networks_are_refused() {
        check(
            &[
                "127.0.0.1",
                "127.255.255.254",
                "0.0.0.0",
                "0.1.2.3",
                "::",
                "::1",
            ],
            Some(Loopback),
        );
        check(
            &[
                "10.0.0.1",
                "172.16.0.1",
                "172.31.255.255",
                "192.168.0.1",
                "100.64.0.1",
                "100.127.255.254",
                "fc00::1",
                "fd7a:115c:a1e0::1",
                "fec0::1",
            ],
            Some(Private),
        );
    }

    #[test]
    fn metadata_services_are_refused_wherever_they_hide() {
        check(
            &[
                "169.254.169.254",
                "169.254.170.2",
                "fe80::1",
                "febf:ffff::1",
            ],
            Some(LinkLocal),
        );
        check(
            &["168.63.129.16", "192.0.0.192", "fd00:ec2::254"],
            Some(Metadata),
        );
    }

    #[test]
    fn reserved_networks_are_refused() {
        check(
            &[
                "192.0.0.1",
                "192.0.2.1",
                "198.51.100.1",
                "203.0.113.1",
                "192.88.99.1",
                "198.18.0.1",
                "198.19.255.255",
                "240.0.0.1",
                "255.255.255.255",
                "2001:db8::1",
                "3fff::1",
                "3fff:fff::1",
                "100::1",
                "5f00::1",
            ],
            Some(Reserved),
        );
        check(
            &["224.0.0.1", "239.255.255.250", "ff02::1", "ff0e::1"],
            Some(Multicast),
        );
    }

    #[test]
    fn an_ipv4_address_in_ipv6_clothes_is_refused_in_every_spelling() {
        check(
            &[
                "::ffff:127.0.0.1",
                "::ffff:a9fe:a9fe",
                "::ffff:8.8.8.8",
                "::7f00:1",
                "::ffff:0:7f00:1",
                "::5efe:7f00:1",
                "64:ff9b::7f00:1",
                "64:ff9b::a9fe:a9fe",
                "64:ff9b::5db8:d822",
                "64:ff9b::",
                "64:ff9b:1::1",
                "2002:7f00:1::1",
                "2002:808:808::1",
                "2001:0:4136:e378:8000:63bf:3fff:fdd2",
            ],
            Some(Embedded),
        );
    }
}
