use crate::clock::Timestamp;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
const WEEK: u64 = 7 * DAY;

/// A time as a person says it.
pub struct When {
    /// How long ago it was; the date, if that is a week or more.
    pub relative: String,
    /// Date and time to the second, in UTC.
    pub exact: String,
    /// The time in RFC 3339.
    pub machine: String,
}

impl When {
    /// The time `at`, as it is said at `now`.
    pub fn of(at: Timestamp, now: Timestamp) -> Self {
        // As in `Timestamp`: the last moment that can be written stands for all later ones.
        let time = jiff::Timestamp::from_millisecond(at.as_millis());
        let time = time.unwrap_or(jiff::Timestamp::MAX);
        let date = time.strftime("%-d %B %Y").to_string();
        let relative = relative(at, now).unwrap_or_else(|| date.clone());
        let exact = format!("{date}, {} UTC", time.strftime("%H:%M:%S"));
        Self { relative, exact, machine: at.to_string() }
    }
}

/// What is within a week of now.
fn relative(at: Timestamp, now: Timestamp) -> Option<String> {
    let seconds = now.since(at).max(at.since(now)).as_secs();
    let (count, unit) = match seconds {
        0..MINUTE => return Some("just now".to_owned()),
        MINUTE..HOUR => (seconds / MINUTE, "minute"),
        HOUR..DAY => (seconds / HOUR, "hour"),
        DAY..WEEK => (seconds / DAY, "day"),
        _ => return None,
    };
    let plural = if count == 1 { "" } else { "s" };
    let said = format!("{count} {unit}{plural}");
    Some(if at > now { format!("in {said}") } else { format!("{said} ago") })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2017-07-14T02:40:00Z.
    const NOW: i64 = 1_500_000_000;

    fn said(seconds_ago: i64) -> String {
        let [at, now] = [NOW - seconds_ago, NOW].map(|it| Timestamp::from_millis(it * 1000));
        When::of(at, now).relative
    }

    #[test]
    fn a_time_within_a_week_is_said_from_now_on_and_then_by_its_date() {
        for (seconds_ago, expected) in [
            (0, "just now"),
            (59, "just now"),
            (60, "1 minute ago"),
            (119, "1 minute ago"),
            (5 * 60, "5 minutes ago"),
            (3599, "59 minutes ago"),
            (3600, "1 hour ago"),
            (3 * 3600, "3 hours ago"),
            (86_399, "23 hours ago"),
            (86_400, "1 day ago"),
            (2 * 86_400, "2 days ago"),
            (7 * 86_400 - 1, "6 days ago"),
            (7 * 86_400, "7 July 2017"),
            (NOW, "1 January 1970"),
            (-59, "just now"),
            (-60, "in 1 minute"),
            (-2 * 86_400, "in 2 days"),
            (-7 * 86_400, "21 July 2017"),
        ] {
            assert_eq!(said(seconds_ago), expected, "{seconds_ago}");
        }
    }

    #[test]
    fn the_exact_time_is_there_too() {
        let at = Timestamp::from_millis(NOW * 1000 + 7);
        let when = When::of(at, at);
        assert_eq!(when.exact, "14 July 2017, 02:40:00 UTC");
        assert_eq!(when.machine, "2017-07-14T02:40:00.007Z");
    }

    #[test]
    fn no_time_is_too_far_off() {
        for millis in [i64::MIN, i64::MAX] {
            let when = When::of(Timestamp::from_millis(millis), Timestamp::from_millis(0));
            assert_eq!(when.relative, "30 December 9999", "{millis}");
        }
    }
}
