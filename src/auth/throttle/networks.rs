//! Networks of clients, and those from which the owners of accounts come.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::Account;
use super::budget::{CAPACITY, forget_a_quarter};
use crate::clock::Timestamp;

/// For how long a login makes its network known.
const KNOWN_FOR: Duration = Duration::from_hours(30 * 24);
/// How many networks of one account are known at most.
const NETWORKS: usize = 10;

/// Where a client is: an IPv4 address, or the 64 bits of an IPv6 address that one customer gets.
/// Clients without an address are in one network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Network(Option<IpAddr>);

impl Network {
    /// The network of an address.
    pub fn of(client: Option<IpAddr>) -> Self {
        Self(client.map(|address| match address.to_canonical() {
            IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
            v4 @ IpAddr::V4(_) => v4,
        }))
    }
}

/// From where the owners of accounts have logged in lately.
#[derive(Default)]
pub struct KnownNetworks(Mutex<HashMap<Account, Vec<(Network, Timestamp)>>>);

impl KnownNetworks {
    /// Whether the owner has logged in from there lately.
    pub fn knows(&self, account: Account, network: Network, now: Timestamp) -> bool {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_it = |(n, at): &(Network, Timestamp)| *n == network && now.since(*at) < KNOWN_FOR;
        known.get(&account).is_some_and(|networks| networks.iter().any(is_it))
    }

    /// Notes that the owner has logged in from there.
    pub fn note(&self, account: Account, network: Network, now: Timestamp) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= CAPACITY && !known.contains_key(&account) {
            forget_a_quarter(&mut known, |networks| networks.last().map(|(_, at)| *at));
        }
        let networks = known.entry(account).or_default();
        networks.retain(|(n, _)| *n != network);
        if networks.len() == NETWORKS {
            networks.remove(0); // the one that was noted longest ago
        }
        networks.push((network, now));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_millis(1_767_323_045_678);

    fn network(address: &str) -> Network {
        Network::of(Some(address.parse().unwrap()))
    }

    #[test]
    fn an_ipv6_network_is_its_first_64_bits_and_ipv4_is_ipv4_however_it_is_written() {
        assert_eq!(network("2001:db8:1:2::1"), network("2001:db8:1:2:ffff:ffff:ffff:ffff"));
        assert_ne!(network("2001:db8:1:2::1"), network("2001:db8:1:3::1"));
        assert_eq!(network("::ffff:192.0.2.1"), network("192.0.2.1"));
        assert_ne!(network("::ffff:192.0.2.1"), network("::ffff:192.0.2.2"));
        assert_ne!(network("192.0.2.1"), network("192.0.2.2"));
        assert_ne!(network("0.0.0.0"), Network::of(None));
    }

    #[test]
    fn a_network_is_known_for_thirty_days_after_each_login() {
        let (known, home) = (KnownNetworks::default(), network("192.0.2.1"));
        assert!(!known.knows(1, home, START));
        known.note(1, home, START);
        let later = START.plus(KNOWN_FOR / 2);
        known.note(1, home, later);
        assert!(known.knows(
            1,
            home,
            later.plus(KNOWN_FOR.saturating_sub(Duration::from_millis(1)))
        ));
        assert!(!known.knows(1, home, later.plus(KNOWN_FOR)));
        assert!(!known.knows(2, home, START), "to this account alone");
        assert!(!known.knows(1, network("192.0.2.2"), START));
    }

    #[test]
    fn ten_networks_of_an_account_are_known_and_those_of_others_stay() {
        let known = KnownNetworks::default();
        let at = |n: u32| network(&format!("2001:db8:0:{n:x}::1"));
        known.note(2, at(0), START);
        for n in 0..1_000 {
            known.note(1, at(0), START);
            known.note(1, at(n), START);
        }
        let of_one = (0..1_000).filter(|n| known.knows(1, at(*n), START)).collect::<Vec<_>>();
        assert_eq!(of_one, [0, 991, 992, 993, 994, 995, 996, 997, 998, 999]);
        assert!(known.knows(2, at(0), START));
    }

    #[test]
    fn the_accounts_whose_owners_came_last_are_known() {
        let (known, home) = (KnownNetworks::default(), network("192.0.2.1"));
        let accounts = u64::try_from(CAPACITY).unwrap() + 10;
        for account in 0..accounts {
            let now = START.plus(Duration::from_millis(account));
            known.note(account, home, now);
        }
        assert!(known.0.lock().unwrap().len() <= CAPACITY);
        assert!(!known.knows(0, home, START));
        assert!(known.knows(accounts - 1, home, START));
        assert!(known.knows(accounts / 2, home, START));
    }
}
