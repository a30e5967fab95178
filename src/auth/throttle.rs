//! The throttle: how often one may be wrong (ASVS 6.3.1). The numbers are in [`Throttle::new`], the
//! reasons in `docs/DESIGN.md`.

mod budget;
mod networks;

use std::hash::{BuildHasher as _, RandomState};
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::Quota;
use tokio::sync::{Mutex, OwnedMutexGuard, OwnedSemaphorePermit, Semaphore};

use super::turns::Turns;
use crate::clock::Clock;
use crate::models::Email;
use budget::Budget;
use networks::{KnownNetworks, Network};

const DAY: Duration = Duration::from_hours(24);
/// Unknown session ids from one network: so many at once, and as many again per minute.
const UNKNOWN_IDS: NonZeroU32 = NonZeroU32::new(120).expect("not zero");

/// The fewest attempts of one network that are examined at once.
const PLACES: usize = 4;

/// An e-mail address, whether somebody has it or not: its hash under a key of this process.
type Account = u64;

/// What attempts are counted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Key {
    account: Option<Account>,
    network: Option<Network>,
}

/// Counts attempts, and refuses them where too many have failed.
pub struct Throttle {
    clock: Arc<dyn Clock>,
    names: RandomState,
    owners: KnownNetworks,
    turns: Turns<Key, Mutex<()>>,
    /// What one network may have hashed at once: less than the hashing queue holds, so that others
    /// find room in it.
    places: Turns<Network, Semaphore>,
    places_of_network: usize,
    /// For a network, whichever accounts it tries.
    by_network: Budget,
    /// For an account from one network.
    by_minute: Budget,
    /// For an account: from each network that its owner uses, and from all others together.
    by_day: Budget,
    /// For a network that tries session ids.
    unknown_ids: Budget,
}

impl Throttle {
    /// A throttle that lets a person make so many mistakes a minute.
    pub fn new(mistakes: NonZeroU32, lanes: usize, clock: Arc<dyn Clock>) -> Self {
        let times = |factor| mistakes.saturating_mul(NonZeroU32::new(factor).expect("not zero"));
        let daily = Quota::with_period(DAY / times(4).get()).expect("a day is not that short");
        let budget = |quota| Budget::new(quota, &clock);
        Self {
            // More at once than the hashing queue holds by default: right passwords at once are
            // for the queue to limit.
            by_network: budget(Quota::per_minute(times(5)).allow_burst(times(8))),
            by_minute: budget(Quota::per_minute(mistakes)),
            // With twelve that is 96 in any one day; NIST SP 800-63B sets the limit at 100.
            by_day: budget(daily.allow_burst(times(4))),
            unknown_ids: budget(Quota::per_minute(UNKNOWN_IDS)),
            names: RandomState::new(),
            owners: KnownNetworks::default(),
            turns: Turns::new(),
            places: Turns::new(),
            places_of_network: (2 * lanes).max(PLACES),
            clock,
        }
    }

    /// Counts an attempt, before it is examined; or tells how long to wait for the next one.
    ///
    /// Attempts on one account from one network wait for each other. So guesses side by side are
    /// no more than guesses in a row, and right passwords side by side are all let in. And of one
    /// network only a few are examined at once, so that it cannot fill the hashing queue.
    pub async fn count(
        &self,
        email: &str,
        client: Option<IpAddr>,
    ) -> Result<Counted<'_>, Duration> {
        let account = self.names.hash_one(Email::key_of(email));
        let network = Network::of(client);
        let pair = Key { account: Some(account), network: Some(network) };
        let is_owners = self.owners.knows(account, network, self.clock.now());
        let day = if is_owners { pair } else { Key { network: None, ..pair } };
        let on_network = [(&self.by_network, Key { account: None, ..pair })];
        let on_account = [(&self.by_minute, pair), (&self.by_day, day)];
        // Counted before it waits: those who wait are bounded in number, too.
        count(&on_network).map_err(|wait| wait.max(wait_for(&on_account)))?;
        let turn = self.turns.of(pair, Mutex::default).lock_owned().await;
        let places = self.places.of(network, || Semaphore::new(self.places_of_network));
        let place = places.acquire_owned().await.expect("it is never closed");
        count(&on_account).inspect_err(|_| give_back(&on_network))?;
        Ok(Counted {
            throttle: self,
            account,
            network,
            on_network,
            on_account,
            _held: (turn, place),
        })
    }

    /// Counts a session id that nobody has; or tells how long to wait for the next one.
    pub fn count_unknown_id(&self, client: Option<IpAddr>) -> Result<(), Duration> {
        self.unknown_ids.count(&Key { account: None, network: Some(Network::of(client)) })
    }
}

/// A budget, and by what an attempt is counted in it.
type Charge<'t> = (&'t Budget, Key);

/// Counts in all of these budgets or in none; or tells when all of them will have room.
fn count(charges: &[Charge<'_>]) -> Result<(), Duration> {
    let mut counted = Vec::new();
    let mut longest = None;
    for charge @ (budget, key) in charges {
        match budget.count(key) {
            Ok(()) => counted.push(*charge),
            Err(wait) => longest = longest.max(Some(wait)),
        }
    }
    longest.map_or(Ok(()), |wait| {
        give_back(&counted);
        Err(wait)
    })
}

fn give_back(charges: &[Charge<'_>]) {
    for (budget, key) in charges {
        budget.give_back(key);
    }
}

/// How long to wait for an attempt that is not made now.
fn wait_for(charges: &[Charge<'_>]) -> Duration {
    count(charges).map_or_else(
        |wait| wait,
        |()| {
            give_back(charges);
            Duration::ZERO
        },
    )
}

/// An attempt that was counted, while it is examined. Dropped it stays counted: whoever hangs up
/// before the answer does not guess for nothing.
#[must_use]
pub struct Counted<'t> {
    throttle: &'t Throttle,
    account: Account,
    network: Network,
    on_network: [Charge<'t>; 1],
    on_account: [Charge<'t>; 2],
    _held: (OwnedMutexGuard<()>, OwnedSemaphorePermit),
}

impl Counted<'_> {
    /// Takes it back: nobody looked at the password.
    pub fn was_no_guess(self) {
        give_back(&self.on_network);
        give_back(&self.on_account);
    }

    /// The password was right or wrong; tells whether it is right now and was wrong before.
    ///
    /// With the right one the owner begins anew on this network, which is known as his from now
    /// on. What strangers have used up elsewhere stays used up, and what this network has used up
    /// on other accounts: else a login would buy guesses.
    pub fn settle(self, right: bool) -> bool {
        let [(by_minute, pair), (by_day, day)] = self.on_account;
        if !right {
            by_day.note_failure(&day);
            return false;
        }
        let after_failures = by_day.take_failures(&day);
        give_back(&self.on_network);
        by_minute.forget(&pair);
        if day == pair {
            by_day.forget(&day);
        } else {
            by_day.give_back(&day);
        }
        self.throttle.owners.note(self.account, self.network, self.throttle.clock.now());
        after_failures
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use futures_util::FutureExt as _;

    use super::*;
    use crate::clock::{ManualClock, Timestamp};

    const BOB: &str = "bob@example.com";

    /// A throttle with room for twelve mistakes a minute, and its clock.
    fn throttle() -> (Arc<ManualClock>, Throttle) {
        let clock = Arc::new(ManualClock::at(Timestamp::from_millis(1_767_323_045_678)));
        let throttle = Throttle::new(NonZeroU32::new(12).unwrap(), 1, clock.clone());
        (clock, throttle)
    }

    fn stranger(n: u32) -> IpAddr {
        Ipv4Addr::from_bits(0xcb00_0000 + n).into()
    }

    fn home() -> IpAddr {
        Ipv4Addr::new(192, 0, 2, 1).into()
    }

    type Client = Option<IpAddr>;

    impl Throttle {
        fn begin(&self, email: &str, client: impl Into<Client>) -> Result<Counted<'_>, Duration> {
            self.count(email, client.into()).now_or_never().expect("nobody else has the turn")
        }

        fn fail(&self, email: &str, client: impl Into<Client>) -> Result<(), Duration> {
            self.begin(email, client).map(|counted| assert!(!counted.settle(false)))
        }

        fn log_in(&self, email: &str, client: impl Into<Client>) -> Result<bool, Duration> {
            self.begin(email, client).map(|counted| counted.settle(true))
        }
    }

    /// How often one may fail until there is no room.
    fn failures(attempt: impl Fn() -> Result<(), Duration>) -> usize {
        std::iter::repeat_with(attempt).take(10_000).take_while(Result::is_ok).count()
    }

    #[test]
    fn an_account_has_room_for_a_dozen_mistakes_a_minute_from_one_network() {
        let (clock, throttle) = throttle();
        assert_eq!(failures(|| throttle.fail(BOB, home())), 12);
        assert_eq!(throttle.fail("BOB@Example.com", home()), Err(Duration::from_secs(5)));
        clock.advance(Duration::from_mins(1));
        assert_eq!(failures(|| throttle.fail(BOB, home())), 12);
    }

    #[test]
    fn an_account_sees_less_than_a_hundred_failures_in_any_day_wherever_they_come_from() {
        for is_owners in [false, true] {
            let (clock, throttle) = throttle();
            if is_owners {
                throttle.log_in(BOB, home()).unwrap();
            }
            let mut admitted = Vec::new();
            let mut from = (0..).map(|n| if is_owners { home() } else { stranger(n) });
            let end = clock.now().plus(3 * DAY);
            while clock.now() < end {
                match throttle.fail(BOB, from.next().unwrap()) {
                    Ok(()) => admitted.push(clock.now()),
                    Err(wait) => clock.advance(wait),
                }
            }
            assert!(admitted.len() > 150, "the budget fills again: {}", admitted.len());
            let in_a_day = |window: &[Timestamp]| window[99].since(window[0]) < DAY;
            assert!(!admitted.windows(100).any(in_a_day), "owner's: {is_owners}");
        }
    }

    #[test]
    fn the_owner_gets_in_from_his_own_network_while_strangers_hammer() {
        let (clock, throttle) = throttle();
        throttle.log_in(BOB, home()).unwrap();
        for minute in 0..60 {
            for n in 0..100 {
                let _ = throttle.fail(BOB, stranger(minute * 100 + n));
            }
            throttle.fail(BOB, stranger(0)).unwrap_err();
            assert_eq!(throttle.fail(BOB, home()), Ok(()));
            assert_eq!(throttle.log_in(BOB, home()), Ok(true), "minute {minute}");
            clock.advance(Duration::from_mins(1));
        }
    }

    #[test]
    fn a_right_password_begins_the_minute_and_the_day_anew_on_its_network() {
        let (_, throttle) = throttle();
        throttle.log_in(BOB, home()).unwrap();
        for _ in 0..8 {
            for _ in 0..11 {
                assert_eq!(throttle.fail(BOB, home()), Ok(()));
            }
            assert_eq!(throttle.log_in(BOB, home()), Ok(true));
        }
    }

    #[test]
    fn the_owners_logins_buy_strangers_nothing() {
        let (_, throttle) = throttle();
        throttle.log_in(BOB, home()).unwrap();
        let mut admitted = 0;
        for n in 0..1_000 {
            admitted += u32::from(throttle.fail(BOB, stranger(2 * n)).is_ok());
            throttle.log_in(BOB, home()).unwrap();
            // On a journey he gets in while there is room for strangers.
            let journey = throttle.log_in(BOB, stranger(2 * n + 1));
            assert_eq!(journey.is_ok(), admitted < 48, "{n}");
        }
        assert_eq!(admitted, 48);
    }

    #[test]
    fn a_network_that_tries_many_accounts_runs_dry_and_a_login_of_its_own_does_not_help() {
        let (clock, throttle) = throttle();
        let accounts = std::cell::Cell::new(0);
        let spray = || {
            accounts.set(accounts.get() + 1);
            throttle.log_in("mallory@example.com", home())?;
            throttle.fail(&format!("{}@example.com", accounts.get()), home())
        };
        assert_eq!(failures(spray), 96);
        assert_eq!(throttle.fail(BOB, stranger(1)), Ok(()), "other networks go on");
        clock.advance(Duration::from_secs(10));
        assert_eq!(failures(spray), 10, "one a second from here on");
    }

    #[test]
    fn the_time_that_is_told_is_that_after_which_there_is_room() {
        let (clock, throttle) = throttle();
        // The minute, the day and the network run out one after the other.
        for n in 0..60 {
            let _ = throttle.fail(&format!("{n}@example.com"), home());
        }
        let mut refused = 0;
        for _ in 0..200 {
            if let Err(wait) = throttle.fail(BOB, home()) {
                clock.advance(wait.saturating_sub(Duration::from_millis(1)));
                assert!(throttle.fail(BOB, home()).is_err(), "not before");
                clock.advance(Duration::from_millis(1));
                assert_eq!(throttle.fail(BOB, home()), Ok(()));
                refused += 1;
            }
        }
        assert!(refused > 50, "{refused}");
        let others = (60..).map(|n| throttle.fail(&format!("{n}@example.com"), home()));
        assert!(others.take_while(Result::is_ok).count() > 12, "the network has run out");
        let wait = throttle.fail(BOB, home()).unwrap_err();
        assert_eq!(wait, DAY / 48, "the longest of all that stand in the way");
    }

    #[test]
    fn an_attempt_counts_unless_it_is_taken_back() {
        let (_, throttle) = throttle();
        for _ in 0..1_000 {
            throttle.begin(BOB, home()).unwrap().was_no_guess();
        }
        assert_eq!(failures(|| throttle.begin(BOB, home()).map(drop)), 12, "hanging up is no way");
    }

    #[test]
    fn what_is_refused_costs_nothing() {
        let (clock, throttle) = throttle();
        assert_eq!(failures(|| throttle.fail(BOB, home())), 12);
        for _ in 0..1_000 {
            throttle.fail(BOB, home()).unwrap_err();
        }
        assert_eq!(throttle.fail("ann@example.com", home()), Ok(()));
        clock.advance(Duration::from_mins(1));
        assert_eq!(failures(|| throttle.fail(BOB, home())), 12);
    }

    #[test]
    fn a_login_after_failures_is_told_once() {
        for client in [Some(home()), None] {
            let (_, throttle) = throttle();
            assert_eq!(throttle.log_in(BOB, client), Ok(false));
            throttle.fail(BOB, client).unwrap();
            assert_eq!(throttle.log_in("ann@example.com", client), Ok(false));
            assert_eq!(throttle.log_in(BOB, client), Ok(true));
            assert_eq!(throttle.log_in(BOB, client), Ok(false));
            throttle.fail(BOB, stranger(1)).unwrap();
            assert_eq!(throttle.log_in(BOB, client), Ok(false), "others' failures are others'");
            assert_eq!(throttle.log_in(BOB, stranger(2)), Ok(true));
        }
    }

    #[test]
    fn of_one_network_a_few_attempts_are_examined_at_once_and_others_wait_for_none_of_them() {
        let (_, throttle) = throttle();
        let email = |n: usize| format!("{n}@example.com");
        let mut held: Vec<_> =
            (0..PLACES).map(|n| throttle.begin(&email(n), home()).unwrap()).collect();
        let next = email(PLACES);
        let mut waiting = Box::pin(throttle.count(&next, Some(home())));
        assert!((&mut waiting).now_or_never().is_none());
        throttle.begin(&next, stranger(1)).unwrap().settle(true);
        held.pop().unwrap().settle(false);
        assert!(waiting.now_or_never().is_some());
    }

    #[test]
    fn attempts_on_an_account_from_one_network_wait_for_each_other() {
        let (_, throttle) = throttle();
        let first = throttle.begin(BOB, home()).unwrap();
        let mut second = std::pin::pin!(throttle.count("Bob@example.com", Some(home())));
        assert!(second.as_mut().now_or_never().is_none());
        throttle.fail("ann@example.com", home()).unwrap();
        throttle.fail(BOB, stranger(1)).unwrap();
        first.settle(true);
        assert!(second.now_or_never().is_some_and(|second| second.is_ok()));
    }

    #[test]
    fn no_more_wait_than_a_network_may_try() {
        let (_, throttle) = throttle();
        let _first = throttle.begin(BOB, home()).unwrap();
        let mut waiting = Vec::new();
        let refused = loop {
            let mut next = Box::pin(throttle.count(BOB, Some(home())));
            match next.as_mut().now_or_never() {
                None => waiting.push(next),
                Some(ended) => break ended,
            }
        };
        assert!(refused.is_err());
        assert_eq!(waiting.len(), 95);
    }

    #[test]
    fn unknown_session_ids_are_counted_per_network() {
        let (clock, throttle) = throttle();
        let ids = |client: IpAddr| failures(|| throttle.count_unknown_id(Some(client)));
        assert_eq!(ids(home()), 120);
        assert_eq!(ids(stranger(1)), 120);
        clock.advance(Duration::from_secs(30));
        assert_eq!(ids(home()), 60);
        assert_eq!(throttle.fail(BOB, home()), Ok(()), "logins are another matter");
    }
}
