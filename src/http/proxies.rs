//! Who asks, where proxies stand in between: each adds to `X-Forwarded-For` whom it was asked by.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, HeaderName};
use ipnet::IpNet;

const HEADER: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The proxies whose word counts.
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies(Vec<IpNet>);

impl TrustedProxies {
    /// Those in these networks.
    #[must_use]
    pub const fn new(networks: Vec<IpNet>) -> Self {
        Self(networks)
    }

    /// Who asks, by the connection and by what proxies say: the last one in the line that is no
    /// proxy of ours. What stands before it is that one's own word, which counts for nothing.
    pub(super) fn client_ip(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer.to_canonical();
        let lines = headers.get_all(HEADER).iter().rev().map(|line| line.to_str().unwrap_or(""));
        for told in lines.flat_map(|line| line.rsplit(',')) {
            match address(told.trim()) {
                Some(told) if self.is_trusted(client) => client = told,
                _ => break,
            }
        }
        client
    }

    fn is_trusted(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }
}

/// An address, which some proxies write with the port.
fn address(told: &str) -> Option<IpAddr> {
    let with_port = || told.parse::<SocketAddr>().map(|told| told.ip());
    let bare = told.strip_prefix('[').and_then(|told| told.strip_suffix(']')).unwrap_or(told);
    bare.parse().or_else(|_| with_port()).ok().map(|told: IpAddr| told.to_canonical())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn client(peer: &str, lines: &[&'static str]) -> String {
        let networks = ["10.0.0.0/8", "192.0.2.7/32", "fd00::/8"];
        let networks = networks.map(|network| network.parse().expect("a network"));
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(HEADER, HeaderValue::from_static(line));
        }
        let peer = peer.parse().expect("an address");
        TrustedProxies::new(networks.to_vec()).client_ip(peer, &headers).to_string()
    }

    #[test]
    fn who_asks_is_the_last_that_is_no_proxy_of_ours() {
        for (peer, lines, known) in [
            ("198.51.100.1", &[][..], "198.51.100.1"),
            // A stranger may say what it likes.
            ("198.51.100.1", &["203.0.113.9"], "198.51.100.1"),
            ("10.0.0.1", &[], "10.0.0.1"),
            ("10.0.0.1", &["203.0.113.9"], "203.0.113.9"),
            // What a client has written itself stands before what proxies add.
            ("10.0.0.1", &["127.0.0.1, 10.0.0.9, 203.0.113.9"], "203.0.113.9"),
            ("10.0.0.1", &["203.0.113.9, 10.0.0.2"], "203.0.113.9"),
            ("192.0.2.7", &["203.0.113.8", "203.0.113.9,10.0.0.2"], "203.0.113.9"),
            ("10.0.0.1", &["203.0.113.9:4711"], "203.0.113.9"),
            ("fd00::1", &["[2001:db8::1]:4711"], "2001:db8::1"),
            ("::ffff:10.0.0.1", &["2001:db8::1"], "2001:db8::1"),
            ("10.0.0.1", &["203.0.113.9, unknown"], "10.0.0.1"),
            ("10.0.0.1", &[""], "10.0.0.1"),
        ] {
            assert_eq!(client(peer, lines), known, "{peer} {lines:?}");
        }
    }
}
