//! Is an address one of this machine's? Asked where Wayfare listens on all of them. Not here: what
//! follows from it (`policy`).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use tokio::net::UdpSocket;

/// Whether the system would reach this address without leaving the machine. Nothing is sent: the
/// address a datagram would leave from is its own destination only here.
pub(crate) async fn is_here(address: SocketAddr) -> bool {
    if address.ip().is_loopback() || address.ip().is_unspecified() {
        return true;
    }
    let any: IpAddr = match address {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let Ok(socket) = UdpSocket::bind((any, 0)).await else {
        return false;
    };
    // Without a route there is no way to it, and so none to ourselves.
    socket.connect(address).await.is_ok()
        && socket
            .local_addr()
            .is_ok_and(|from| from.ip() == address.ip())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_an_address_of_this_machine_is_here() {
        let check = async |address: &str, expected: bool| {
            let address = SocketAddr::new(address.parse().unwrap(), 8080);
            assert_eq!(is_here(address).await, expected, "{address}");
        };
        check("127.0.0.1", true).await;
        check("127.0.0.2", true).await;
        check("0.0.0.0", true).await;
        check("::1", true).await;
        check("198.51.100.7", false).await;
        check("2001:db8::7", false).await;
        // What a datagram to somewhere else would leave from is an address of this machine.
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).await.unwrap();
        if socket.connect(("198.51.100.7", 9)).await.is_ok() {
            check(&socket.local_addr().unwrap().ip().to_string(), true).await;
        }
    }
}
