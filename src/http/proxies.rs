//! Determines the client address of requests that come through trusted proxies.
//!
//! Each proxy appends the address of its own client to `X-Forwarded-For`.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use axum::http::{HeaderMap, HeaderName};
use ipnet::IpNet;

const HEADER: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The proxies whose `X-Forwarded-For` is trusted.
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies(Vec<IpNet>);

impl TrustedProxies {
    /// Trusts all addresses in these networks.
    #[must_use]
    pub const fn new(networks: Vec<IpNet>) -> Self {
        Self(networks)
    }

    /// Returns the address of the client, given the peer of the connection.
    ///
    /// The peer and the addresses in `X-Forwarded-For`, read from the last to the first, form a chain.
    /// The client is the first address in the chain that is not a trusted proxy. The addresses after
    /// it come from the client itself and are ignored. An invalid address ends the chain.
    pub(super) fn client_ip(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer.to_canonical();
        let lines = headers.get_all(HEADER).iter().rev().map(|line| line.to_str().unwrap_or(""));
        for hop in lines.flat_map(|line| line.rsplit(',')) {
            match parse_address(hop.trim()) {
                Some(address) if self.is_trusted(client) => client = address,
                _ => break,
            }
        }
        client
    }

    /// Returns whether an address belongs to a trusted proxy.
    pub(super) fn is_trusted(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }
}

/// Returns the address under which the clients of one site are counted.
///
/// A site gets at least one IPv6 /64 network and can send from each of its addresses.
pub(super) fn client_network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX)).into(),
        v4 => v4,
    }
}

/// Parses an address. Some proxies append the port.
fn parse_address(text: &str) -> Option<IpAddr> {
    let with_port = || text.parse::<SocketAddr>().map(|address| address.ip());
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    bare.parse().or_else(|_| with_port()).ok().map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn client_ip(peer: &str, lines: &[&'static str]) -> String {
        let networks = ["10.0.0.0/8", "192.0.2.7/32", "fd00::/8"];
        let networks = networks.map(|network| network.parse().expect("valid network"));
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(HEADER, HeaderValue::from_static(line));
        }
        let peer = peer.parse().expect("valid address");
        TrustedProxies::new(networks.to_vec()).client_ip(peer, &headers).to_string()
    }

    #[test]
    fn client_is_the_last_address_that_is_not_a_trusted_proxy() {
        for (peer, lines, expected) in [
            ("198.51.100.1", &[][..], "198.51.100.1"),
            // The header of an untrusted peer is ignored.
            ("198.51.100.1", &["203.0.113.9"], "198.51.100.1"),
            ("10.0.0.1", &[], "10.0.0.1"),
            ("10.0.0.1", &["203.0.113.9"], "203.0.113.9"),
            // The client's own entries stand before those that the proxies append.
            ("10.0.0.1", &["127.0.0.1, 10.0.0.9, 203.0.113.9"], "203.0.113.9"),
            ("10.0.0.1", &["203.0.113.9, 10.0.0.2"], "203.0.113.9"),
            ("192.0.2.7", &["203.0.113.8", "203.0.113.9,10.0.0.2"], "203.0.113.9"),
            ("10.0.0.1", &["203.0.113.9:4711"], "203.0.113.9"),
            ("fd00::1", &["[2001:db8::1]:4711"], "2001:db8::1"),
            ("::ffff:10.0.0.1", &["2001:db8::1"], "2001:db8::1"),
            ("10.0.0.1", &["203.0.113.9, unknown"], "10.0.0.1"),
            ("10.0.0.1", &[""], "10.0.0.1"),
        ] {
            assert_eq!(client_ip(peer, lines), expected, "{peer} {lines:?}");
        }
    }
}
