use std::time::Duration;

use crate::clock::Timestamp;

/// A time, as a table tells it.
#[derive(Debug, PartialEq, Eq)]
pub struct When {
    /// How long ago it was: "5 minutes ago".
    pub relative: String,
    /// When it was, in UTC: "2026-01-02 03:04:05 UTC".
    pub exact: String,
    /// The same, for programs (RFC 3339).
    pub machine: String,
}

impl When {
    /// The time `at`, as it is told `now`.
    pub fn of(at: Timestamp, now: Timestamp) -> Self {
        let machine = at.to_string();
        let to_the_second = machine.split('.').next().unwrap_or(&machine);
        let exact = format!("{} UTC", to_the_second.replace('T', " "));
        let day = exact.split(' ').next().unwrap_or(&exact);
        Self { relative: ago(now.since(at)).unwrap_or_else(|| format!("on {day}")), exact, machine }
    }
}

/// That long ago, if it is not too long.
fn ago(span: Duration) -> Option<String> {
    let minutes = span.as_secs() / 60;
    let told = |count: u64, unit: &str| {
        let plural = if count == 1 { "" } else { "s" };
        Some(format!("{count} {unit}{plural} ago"))
    };
    match (minutes, minutes / 60, minutes / (24 * 60)) {
        (0, ..) => Some("just now".into()),
        (1..60, ..) => told(minutes, "minute"),
        (_, hours @ 1..24, _) => told(hours, "hour"),
        (.., days @ 1..=30) => told(days, "day"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_told_as_it_is_from_now() {
        let at = Timestamp::from_millis(1_767_322_845_678);
        let told = |seconds| When::of(at, at.plus(Duration::from_secs(seconds))).relative;
        for (seconds, expected) in [
            (0, "just now"),
            (59, "just now"),
            (60, "1 minute ago"),
            (3_599, "59 minutes ago"),
            (3_600, "1 hour ago"),
            (86_399, "23 hours ago"),
            (86_400, "1 day ago"),
            (30 * 86_400, "30 days ago"),
            (31 * 86_400, "on 2026-01-02"),
        ] {
            assert_eq!(told(seconds), expected);
        }
        let when = When::of(at, Timestamp::from_millis(0));
        assert_eq!(when.relative, "just now", "a clock that went back");
        assert_eq!(when.exact, "2026-01-02 03:00:45 UTC");
        assert_eq!(when.machine, "2026-01-02T03:00:45.678Z");
    }
}
