//! How many tried to prove who they are, on which way, and what came of it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;

use super::{Pathway, Refusal};
use crate::clock::Timestamp;
use crate::error::{Error, Result};

const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);

/// What can come of an attempt.
const OUTCOMES: [&str; 5] = ["succeeded", "failed", "throttled", "busy", "error"];

/// The labels of a count.
#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
pub struct Labels {
    pathway: &'static str,
    outcome: &'static str,
}

/// Counts attempts. Clones show the same.
#[derive(Clone, Debug)]
pub struct Attempts {
    /// All since the start, by pathway and outcome.
    pub counts: Family<Labels, Counter>,
    /// The logins of the last hour.
    lately: Arc<Mutex<Lately>>,
}

impl Default for Attempts {
    /// All there can be, none of which has happened: a rate needs a zero to begin with.
    fn default() -> Self {
        let counts = Family::default();
        for pathway in Pathway::ALL.iter().map(|pathway| pathway.name()) {
            for outcome in OUTCOMES {
                drop(counts.get_or_create(&Labels { pathway, outcome }));
            }
        }
        Self { counts, lately: Arc::default() }
    }
}

/// The logins of an hour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Logins {
    /// With the right password.
    pub succeeded: u64,
    /// Refused, for whatever reason.
    pub failed: u64,
}

/// Logins by the minute, oldest first: at most an hour of them.
#[derive(Debug, Default)]
struct Lately(VecDeque<(Timestamp, Logins)>);

impl Lately {
    /// The logins of the minute that it is, to be counted on.
    fn this_minute(&mut self, now: Timestamp) -> &mut Logins {
        self.forget(now);
        // A clock that goes back counts on in the last minute that there was.
        let is_over = self.0.back().is_none_or(|(begun, _)| now.since(*begun) >= MINUTE);
        if is_over {
            self.0.push_back((now, Logins::default()));
        }
        &mut self.0.back_mut().expect("one has just been put there").1
    }

    fn forget(&mut self, now: Timestamp) {
        while self.0.front().is_some_and(|(begun, _)| now.since(*begun) >= HOUR) {
            self.0.pop_front();
        }
    }
}

impl Attempts {
    /// Counts one.
    pub fn note<T>(&self, pathway: Pathway, decided: &Result<Result<T, Refusal>>, now: Timestamp) {
        let outcome = match decided {
            Ok(Ok(_)) => "succeeded",
            Ok(Err(_)) => "failed",
            Err(Error::TooManyAttempts(_)) => "throttled",
            Err(Error::Busy) => "busy",
            Err(_) => "error",
        };
        self.counts.get_or_create(&Labels { pathway: pathway.name(), outcome }).inc();
        if pathway == Pathway::Login {
            let mut lately = self.lately.lock().unwrap_or_else(PoisonError::into_inner);
            let minute = lately.this_minute(now);
            match outcome {
                "succeeded" => minute.succeeded += 1,
                "failed" | "throttled" => minute.failed += 1,
                _ => {}
            }
        }
    }

    /// The logins of the last hour, to the minute.
    pub fn last_hour(&self, now: Timestamp) -> Logins {
        let mut lately = self.lately.lock().unwrap_or_else(PoisonError::into_inner);
        lately.forget(now);
        lately.0.iter().fold(Logins::default(), |sum, (_, minute)| Logins {
            succeeded: sum.succeeded + minute.succeeded,
            failed: sum.failed + minute.failed,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_hour_is_told_to_the_minute_and_no_more_of_it_kept() {
        let attempts = Attempts::default();
        let at =
            |minutes: u64| Timestamp::from_millis(0).plus(MINUTE * u32::try_from(minutes).unwrap());
        let note = |minutes, decided: Result<Result<(), Refusal>>| {
            attempts.note(Pathway::Login, &decided, at(minutes));
        };
        for minute in 0..500 {
            note(minute, Ok(Ok(())));
            note(minute, Ok(Err(Refusal::WrongPassword)));
            note(minute, Err(Error::TooManyAttempts(MINUTE)));
            note(minute, Err(Error::Busy));
            attempts.note(Pathway::Reauth, &Ok(Ok::<(), _>(())), at(minute));
        }
        assert_eq!(attempts.last_hour(at(499)), Logins { succeeded: 60, failed: 120 });
        assert_eq!(attempts.lately.lock().unwrap().0.len(), 60);
        assert_eq!(attempts.last_hour(at(529)), Logins { succeeded: 30, failed: 60 });
        assert_eq!(attempts.last_hour(at(1_000)), Logins::default());
        // The clock goes back.
        note(1_001, Ok(Ok(())));
        note(900, Ok(Ok(())));
        assert_eq!(attempts.last_hour(at(1_001)).succeeded, 2);
    }
}
