//! The only source of "now".

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A point in time: milliseconds since 1970-01-01T00:00:00Z.
///
/// On the wire and in files it is RFC 3339 in UTC with `Z` and milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From milliseconds since the epoch.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Reads a date and time that is in UTC without saying so, like `2017-09-25T01:55:17`.
    pub fn from_naive_utc(text: &str) -> Result<Self, String> {
        let naive = text.parse::<jiff::civil::DateTime>();
        let time = naive.and_then(|time| time.to_zoned(jiff::tz::TimeZone::UTC));
        let time = time.map_err(|_| format!("'{text}' is not a date and time"))?;
        Ok(Self(time.timestamp().as_millisecond()))
    }

    /// Milliseconds since the epoch.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// This time and `duration` more; the far end of time if that is out of range.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        let millis = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Self(self.0.saturating_add(millis))
    }

    /// How long after `earlier` this is; zero if it is not after it.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// Years beyond 9999 have no RFC 3339 form; the last moment that has one stands for them.
    fn written(self) -> jiff::Timestamp {
        jiff::Timestamp::from_millisecond(self.0).unwrap_or(jiff::Timestamp::MAX)
    }

    /// What `Display` writes, if the year has no sign. A session has three times, and a formatter
    /// for them is a quarter of what it takes to put it into JSON.
    fn text(self) -> Option<[u8; 24]> {
        let time = jiff::tz::Offset::UTC.to_datetime(self.written());
        let year = u16::try_from(time.year()).ok()?;
        let mut text = *b"0000-00-00T00:00:00.000Z";
        digits(&mut text[..4], year);
        digits(&mut text[5..7], time.month().unsigned_abs().into());
        digits(&mut text[8..10], time.day().unsigned_abs().into());
        digits(&mut text[11..13], time.hour().unsigned_abs().into());
        digits(&mut text[14..16], time.minute().unsigned_abs().into());
        digits(&mut text[17..19], time.second().unsigned_abs().into());
        digits(&mut text[20..23], time.millisecond().unsigned_abs());
        Some(text)
    }
}

/// Fills `place` with the last digits of `number`.
fn digits(place: &mut [u8], mut number: u16) {
    for digit in place.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3}", self.written())
    }
}

impl FromStr for Timestamp {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let time: jiff::Timestamp =
            text.parse().map_err(|_| format!("'{text}' is not an RFC 3339 time"))?;
        Ok(Self(time.as_millisecond()))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.text() {
            Some(text) => {
                serializer.serialize_str(std::str::from_utf8(&text).expect("digits are ASCII"))
            }
            None => serializer.collect_str(self),
        }
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Borrowed: millions of them are read at a start.
        #[derive(Deserialize)]
        struct Text<'t>(#[serde(borrow)] Cow<'t, str>);
        Text::deserialize(deserializer)?.0.parse().map_err(serde::de::Error::custom)
    }
}

/// Tells the time. Everything that needs "now" is handed one of these.
pub trait Clock: Send + Sync {
    /// The time now; never earlier than any answer given before.
    fn now(&self) -> Timestamp;

    /// From here on the clock shows `time` or later. Called at start with the newest time in the
    /// records, so that a clock set back while the service was down cannot prolong a session.
    fn not_before(&self, time: Timestamp);
}

/// The system's clock, made monotonic: it follows jumps forward and runs on through jumps back.
#[derive(Debug)]
pub struct SystemClock {
    started: Instant,
    /// What this clock showed when `started` was taken, in milliseconds; only ever rises.
    base: AtomicI64,
}

impl SystemClock {
    /// A clock that starts at the system's time.
    pub fn new() -> Self {
        Self { started: Instant::now(), base: AtomicI64::new(wall_millis()) }
    }

    fn elapsed_millis(&self) -> i64 {
        i64::try_from(self.started.elapsed().as_millis()).unwrap_or(i64::MAX)
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let elapsed = self.elapsed_millis();
        let wall_base = wall_millis().saturating_sub(elapsed);
        let mut base = self.base.load(Ordering::Relaxed);
        if wall_base > base {
            base = self.base.fetch_max(wall_base, Ordering::Relaxed).max(wall_base);
        }
        Timestamp(base.saturating_add(elapsed))
    }

    fn not_before(&self, time: Timestamp) {
        let base = time.0.saturating_sub(self.elapsed_millis());
        self.base.fetch_max(base, Ordering::Relaxed);
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the seam behind Clock")]
fn wall_millis() -> i64 {
    let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since_epoch.map_or(0, |d| i64::try_from(d.as_millis()).unwrap_or(i64::MAX))
}

/// A clock for tests: it stands still until it is told to move.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// A clock that shows `time`.
    pub fn at(time: Timestamp) -> Self {
        Self(AtomicI64::new(time.0))
    }

    /// Moves the clock forward.
    pub fn advance(&self, by: Duration) {
        let now = Timestamp(self.0.load(Ordering::SeqCst)).plus(by);
        self.0.store(now.0, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }

    fn not_before(&self, time: Timestamp) {
        self.0.fetch_max(time.0, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_time_is_serialized_as_it_is_displayed(
            // All that there are, and those that have four digits.
            millis in prop_oneof![any::<i64>(), -63_000_000_000_000..254_000_000_000_000_i64],
        ) {
            let time = Timestamp::from_millis(millis);
            prop_assert_eq!(serde_json::to_value(time).unwrap(), time.to_string());
        }
    }

    #[test]
    fn the_ends_of_the_years_with_four_digits_are_serialized_as_they_are_displayed() {
        for edge in [-62_167_219_200_000, 0, 253_402_207_200_999, i64::MIN, i64::MAX] {
            for millis in [edge.saturating_sub(1), edge, edge.saturating_add(1)] {
                let time = Timestamp::from_millis(millis);
                assert_eq!(serde_json::to_value(time).unwrap(), time.to_string());
            }
        }
    }

    #[test]
    fn a_time_is_written_in_utc_with_milliseconds() {
        let time = Timestamp::from_millis(1_500_000_000_007);
        assert_eq!(time.to_string(), "2017-07-14T02:40:00.007Z");
        assert_eq!("2017-07-14T02:40:00.007Z".parse(), Ok(time));
        assert_eq!("2017-07-14T04:40:00.007+02:00".parse(), Ok(time));
        assert!("2017-07-14".parse::<Timestamp>().is_err());
    }

    #[test]
    fn arithmetic_ends_at_the_ends_of_time() {
        let end = Timestamp::from_millis(i64::MAX);
        assert_eq!(end.plus(Duration::MAX), end);
        assert_eq!(end.to_string(), "9999-12-30T22:00:00.999Z");
        assert_eq!(Timestamp::from_millis(1).since(end), Duration::ZERO);
    }

    #[test]
    fn the_clock_starts_no_earlier_than_it_is_told_and_runs_on_from_there() {
        let clock = SystemClock::new();
        let later = clock.now().plus(Duration::from_hours(24));
        clock.not_before(later);
        let first = clock.now();
        assert!(first >= later);
        while clock.now() == first {
            std::hint::spin_loop();
        }
        assert!(clock.now() > first, "a clock that is ahead of the system's still moves");
    }
}
