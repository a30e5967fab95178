//! The log, on standard error: lines for people, or one JSON object a line. What is of the target
//! `security` goes to `AUDIT_FILE` as well, if there is one.

mod audit_file;

use std::fmt::{self, Display, Write as _};
use std::io::Write as _;
use std::path::Path;
use std::sync::OnceLock;

use env_logger::fmt::Formatter;
use env_logger::{Builder, Logger};
use log::kv::{self, Key, Value, VisitSource};
use log::{LevelFilter, Log, Metadata, Record};
use serde_json::Map;

use crate::auth::audit;
use crate::clock::{Clock as _, SystemClock, Timestamp};
use crate::config::LogFormat;
use audit_file::AuditFile;

pub use audit_file::can_append_to;

/// How long a line is that has room enough for most, in bytes.
const LINE: usize = 256;
/// The most characters of one text in the log.
const MAX_TEXT: usize = 512;

/// Where the security log is appended to, if it is. There is one log in a process, and so one of
/// these.
static AUDIT_FILE: OnceLock<AuditFile> = OnceLock::new();

/// Starts the log, and makes every panic one line of it.
pub fn start(format: LogFormat, filters: &str) {
    let clock = SystemClock::new();
    let write = move |out: &mut Formatter, record: &Record<'_>| {
        let line = match format {
            LogFormat::Text => text(record, clock.now()),
            LogFormat::Json => json(record, clock.now()),
        };
        writeln!(out, "{line}")
    };
    let terminal = Builder::new().parse_filters(filters).format(write).build();
    log::set_max_level(terminal.filter());
    log::set_boxed_logger(Box::new(Lines { terminal, clock: SystemClock::new() }))
        .expect("a log is started once");
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let what = panic.payload_as_str().unwrap_or_default();
        log::error!("panic at {place}: {what}");
    }));
}

/// From here on the security log is appended to this file too, whatever the filters of the log
/// let through. The error is one line that names the file.
pub fn append_to(path: &Path) -> Result<(), String> {
    let file = AuditFile::open(path)?;
    AUDIT_FILE.get_or_init(|| file);
    // No event is quieter than that.
    log::set_max_level(log::max_level().max(LevelFilter::Info));
    Ok(())
}

/// Opens the file of the security log anew: after it has been renamed, the next line is the first
/// of another file.
pub fn reopen() {
    if let Some(file) = AUDIT_FILE.get() {
        file.reopen();
    }
}

/// Sends each record where it belongs.
struct Lines {
    /// Standard error, for what the filters let through.
    terminal: Logger,
    clock: SystemClock,
}

impl Log for Lines {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.terminal.enabled(metadata) || audit_file_of(metadata).is_some()
    }

    fn log(&self, record: &Record<'_>) {
        if let Some(file) = audit_file_of(record.metadata()) {
            file.append(json(record, self.clock.now()));
        }
        self.terminal.log(record);
    }

    fn flush(&self) {}
}

fn audit_file_of(metadata: &Metadata<'_>) -> Option<&'static AuditFile> {
    AUDIT_FILE.get().filter(|_| metadata.target() == audit::TARGET)
}

fn text(record: &Record<'_>, time: Timestamp) -> String {
    let mut line = String::with_capacity(LINE);
    let _ = write!(line, "{time} {:5} ", record.level());
    if record.target() == audit::TARGET {
        line.extend([audit::TARGET, ": "]);
    }
    push_clean(&mut line, record.args());
    let mut pairs = Pairs(|key: &str, value: &Value<'_>| {
        line.extend([" ", key, "="]);
        push_clean(&mut line, value);
    });
    // This visitor never fails.
    let _ = record.key_values().visit(&mut pairs);
    line
}

fn json(record: &Record<'_>, time: Timestamp) -> String {
    let text = |value: &dyn Display| {
        let mut text = String::new();
        push_clean(&mut text, value);
        serde_json::Value::from(text)
    };
    let mut object = Map::new();
    object.insert("time".into(), text(&time));
    object.insert("level".into(), record.level().as_str().to_lowercase().into());
    object.insert("target".into(), text(&record.target()));
    object.insert("message".into(), text(record.args()));
    let mut pairs = Pairs(|key: &str, value: &Value<'_>| {
        let number = value.to_u64().map(Into::into).or_else(|| value.to_f64().map(Into::into));
        object.insert(key.to_owned(), number.unwrap_or_else(|| text(value)));
    });
    let _ = record.key_values().visit(&mut pairs);
    serde_json::Value::Object(object).to_string()
}

/// Calls a function for each named value of a record.
struct Pairs<F>(F);

impl<'kvs, F: FnMut(&str, &Value<'kvs>)> VisitSource<'kvs> for Pairs<F> {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), kv::Error> {
        (self.0)(key.as_str(), &value);
        Ok(())
    }
}

/// Adds a text, made so that it cannot break the line or pretend to be another one, and cut.
fn push_clean(line: &mut String, text: impl Display) {
    // Cutting is what ends it early; nothing else fails.
    let _ = write!(Clean { line, left: MAX_TEXT }, "{text}");
}

struct Clean<'l> {
    line: &'l mut String,
    /// How many characters may still follow.
    left: usize,
}

impl fmt::Write for Clean<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if text.len() <= self.left && text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            self.line.push_str(text);
            self.left -= text.len();
            return Ok(());
        }
        for c in text.chars() {
            self.left = self.left.checked_sub(1).ok_or(fmt::Error)?;
            if is_risky(c) {
                self.line.extend(c.escape_default());
            } else {
                self.line.push(c);
            }
        }
        Ok(())
    }
}

/// Whether a character could end the line, or reorder what is shown of it.
fn is_risky(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record<T>(write: impl FnOnce(&Record<'_>) -> T) -> T {
        let values = [("path", "/a\r\nb\u{2028}\u{1b}[1m"), ("user", "-")];
        let record = Record::builder()
            .args(format_args!("request"))
            .level(log::Level::Info)
            .key_values(&values)
            .build();
        write(&record)
    }

    const TIME: Timestamp = Timestamp::from_millis(0);

    #[test]
    fn a_record_is_one_line_whatever_is_in_it() {
        let line = record(|record| text(record, TIME));
        let path = "/a\\r\\nb\\u{2028}\\u{1b}[1m";
        assert_eq!(line, format!("1970-01-01T00:00:00.000Z INFO  request path={path} user=-"));
        let line = record(|record| json(record, TIME));
        let read: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!((read["path"].as_str(), read["level"].as_str()), (Some(path), Some("info")));
        assert!(!line.contains('\n'));
    }

    proptest::proptest! {
        #[test]
        fn nothing_breaks_a_line(hostile in "\\PC*|[\\x00-\\x1f\\x7f-\\x9f\\u{2028}\\u{2029}\\u{202e}\"\\\\]*") {
            let values = [("detail", hostile.as_str())];
            let message = format_args!("{hostile}");
            let record = Record::builder().args(message).key_values(&values).build();
            let (text, json) = (text(&record, TIME), json(&record, TIME));
            proptest::prop_assert!(!text.contains(is_risky), "{text:?}");
            proptest::prop_assert!(!json.contains(is_risky), "{json:?}");
            let read: serde_json::Value = serde_json::from_str(&json).unwrap();
            proptest::prop_assert_eq!(&read["detail"], &read["message"]);
        }
    }

    #[test]
    fn a_long_text_is_cut() {
        for long in ["x".repeat(10_000), "\u{e4}".repeat(10_000)] {
            let mut line = String::new();
            push_clean(&mut line, &long);
            assert_eq!(line.chars().count(), MAX_TEXT);
        }
    }
}
