//! The proxies before the service: who may say from where a request comes (ASVS 4.1.3).

mod original;

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use std::sync::Once;

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue, X_FORWARDED_FOR};
use ipnet::{IpNet, Ipv4Net};

pub use original::Original;

/// The networks of `TRUSTED_PROXIES`, separated by commas or spaces.
#[derive(Clone, Debug, Default)]
pub struct Proxies(Vec<IpNet>);

impl FromStr for Proxies {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let entries = text.split([',', ' ']).filter(|entry| !entry.is_empty());
        let network = |entry: &str| {
            let address = |_| entry.parse::<IpAddr>().map(IpNet::from);
            let network = entry.parse::<IpNet>().or_else(address);
            let example = "list addresses and networks like 10.0.0.0/8";
            network.map(plain).map_err(|_| format!("'{entry}' is no network; {example}"))
        };
        entries.map(network).collect::<Result<_, _>>().map(Self)
    }
}

/// A network of IPv4 addresses that are written as IPv6 (`::ffff:10.0.0.0/104`) as what it is.
fn plain(network: IpNet) -> IpNet {
    let prefix = network.prefix_len().checked_sub(96);
    match (network.addr().to_canonical(), prefix) {
        (IpAddr::V4(address), Some(prefix)) if network.addr().is_ipv6() => {
            Ipv4Net::new(address, prefix).map_or(network, IpNet::V4)
        }
        _ => network,
    }
}

impl Proxies {
    /// The address of the client whose request this peer hands over. `X-Forwarded-For` is read from
    /// the right, where the last proxy has written, and as far as those who wrote it are trusted.
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let lines: Vec<&[u8]> =
            headers.get_all(X_FORWARDED_FOR).map(HeaderValue::as_bytes).collect();
        if !lines.is_empty() && !self.trusts(peer) {
            warn_once(peer);
        }
        let entries = lines.iter().rev().flat_map(|line| line.rsplit(|byte| *byte == b','));
        let mut client = peer;
        for entry in entries {
            match address(entry) {
                Some(before) if self.trusts(client) => client = before,
                _ => break,
            }
        }
        client
    }

    /// Whether this is the address of a proxy that is listed.
    pub fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }
}

/// What proxies add beside what the standards and [`tells_of_another`] know, in lower case.
const OTHER_SIGNS: [&str; 7] = [
    "via",
    "x-client-ip",
    "x-cluster-client-ip",
    "true-client-ip",
    "cf-connecting-ip",
    "fly-client-ip",
    "fastly-client-ip",
];

/// Whether a request shows any sign of a proxy on its way.
pub fn shows_a_proxy(headers: &HeaderMap) -> bool {
    let names = &mut headers.keys().map(HeaderName::as_str);
    names.any(|name| tells_of_another(name) || OTHER_SIGNS.contains(&name))
}

/// Whether a header of this name, in lower case, says for whom, or as what, a request is handed
/// over. Anybody can say so.
#[inline]
pub fn tells_of_another(name: &str) -> bool {
    // Most names are ruled out by their first letter.
    matches!(name.as_bytes().first(), Some(b'x' | b'f')) && is_of_proxies(name)
}

fn is_of_proxies(name: &str) -> bool {
    name.starts_with("x-forwarded-")
        || name.starts_with("x-original-")
        || matches!(name, "x-forwarded" | "x-real-ip" | "forwarded")
}

/// The address in an entry, with or without a port.
fn address(entry: &[u8]) -> Option<IpAddr> {
    let entry = std::str::from_utf8(entry.trim_ascii()).ok()?;
    let bare = entry.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(entry);
    let with_port = |_| entry.parse::<SocketAddr>().map(|socket| socket.ip());
    bare.parse().or_else(with_port).ok().map(|address: IpAddr| address.to_canonical())
}

/// Behind a proxy that is not listed all clients share one budget of mistakes.
fn warn_once(peer: IpAddr) {
    static WARNED: Once = Once::new();
    WARNED.call_once(|| {
        log::warn!(
            "{peer} sends X-Forwarded-For and is not in TRUSTED_PROXIES: if it is a proxy of yours, \
             all its clients count as one until it is (said once)"
        );
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Who the client is when `peer` hands over these lines of `X-Forwarded-For`.
    fn client(trusted: &str, peer: &str, lines: &[&[u8]]) -> String {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(X_FORWARDED_FOR, HeaderValue::from_bytes(line).unwrap());
        }
        let proxies: Proxies = trusted.parse().unwrap();
        proxies.client(peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn nobody_is_believed_who_is_not_trusted() {
        assert_eq!(client("", "192.0.2.1", &[b"198.51.100.7"]), "192.0.2.1");
        assert_eq!(client("10.0.0.0/8", "192.0.2.1", &[b"10.0.0.1"]), "192.0.2.1");
        assert_eq!(client("10.0.0.0/8", "10.0.0.1", &[]), "10.0.0.1");
        assert_eq!(client("10.0.0.0/8", "10.0.0.1", &[b"198.51.100.7"]), "198.51.100.7");
    }

    #[test]
    fn the_client_is_the_first_from_the_right_who_is_not_trusted() {
        let trusted = "10.0.0.0/8, 2001:db8::/32 192.0.2.9";
        for (lines, expected) in [
            (&[&b"203.0.113.1, 198.51.100.7"[..]][..], "198.51.100.7"),
            (&[b"203.0.113.1,198.51.100.7,192.0.2.9,\t2001:db8::1 ,10.1.2.3"], "198.51.100.7"),
            (&[b"203.0.113.1", b"198.51.100.7", b"10.1.2.3"], "198.51.100.7"),
            (&[b"203.0.113.1, 198.51.100.7", b"10.2.2.2, 10.1.2.3"], "198.51.100.7"),
            // All are trusted: the leftmost.
            (&[b"10.3.3.3, 10.2.2.2"], "10.3.3.3"),
            // Whatever is left of the client is his own invention.
            (&[b"nonsense", b"\xff\xfe, 198.51.100.7, 10.1.2.3"], "198.51.100.7"),
        ] {
            assert_eq!(client(trusted, "10.0.0.1", lines), expected, "{lines:?}");
        }
    }

    #[test]
    fn what_is_no_address_ends_the_walk_at_the_last_hop_that_was_known() {
        for bad in [
            "",
            " ",
            "unknown",
            "_hidden",
            "localhost",
            "198.51.100.7.",
            "198.51.100.256",
            "198.51.100.7:port",
            "198.51.100.7:99999",
            "[2001:db8::1",
            "2001:db8::1]:80",
            "%",
            "198.51.100.7 198.51.100.8",
            "\"198.51.100.7\"",
            "198.51.100.7/32",
            "0x7f.1",
        ] {
            let line = format!("198.51.100.7, {bad}, 10.1.2.3");
            assert_eq!(client("10.0.0.0/8", "10.0.0.1", &[line.as_bytes()]), "10.1.2.3", "{bad}");
        }
        let junk = b"198.51.100.7, \xe4\xf6, 10.1.2.3";
        assert_eq!(client("10.0.0.0/8", "10.0.0.1", &[junk]), "10.1.2.3");
    }

    #[test]
    fn an_address_may_have_a_port_and_has_one_spelling() {
        for (entry, expected) in [
            ("198.51.100.7:5678", "198.51.100.7"),
            ("2001:DB8:0:0::1", "2001:db8::1"),
            ("[2001:db8::1]:80", "2001:db8::1"),
            ("::ffff:198.51.100.7", "198.51.100.7"),
            ("[::ffff:198.51.100.7]:80", "198.51.100.7"),
        ] {
            assert_eq!(client("10.0.0.0/8", "10.0.0.1", &[entry.as_bytes()]), expected);
        }
    }

    #[test]
    fn networks_are_listed_as_addresses_or_with_a_prefix() {
        for (trusted, peer, is_trusted) in [
            ("10.0.0.1", "10.0.0.1", true),
            ("10.0.0.1", "10.0.0.2", false),
            ("10.1.2.3/8", "10.255.0.1", true),
            ("::1 fd00::/8", "fd12::1", true),
            (",::1,,", "::1", true),
            ("0.0.0.0/0", "192.0.2.1", true),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("::ffff:10.0.0.0/104", "10.1.2.3", true),
            ("::ffff:10.0.0.0/104", "11.1.2.3", false),
            ("::ffff:10.0.0.1", "10.0.0.1", true),
            ("::/0", "192.0.2.1", false),
        ] {
            let found = client(trusted, peer, &[b"198.51.100.7"]) == "198.51.100.7";
            assert_eq!(found, is_trusted, "{trusted} {peer}");
        }
        for bad in ["proxy.example.com", "10.0.0.0/33", "10.0.0/8", "*", "10.0.0.1;10.0.0.2"] {
            let refused = bad.parse::<Proxies>().unwrap_err();
            assert!(refused.contains(&format!("'{bad}' is no network")), "{refused}");
        }
    }
}
