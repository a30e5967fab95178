//! The log, on standard error: lines for people, or one JSON object a line.

use std::io::Write as _;

use env_logger::Builder;
use env_logger::fmt::Formatter;
use log::Record;
use log::kv::{self, Key, Value, VisitSource};
use serde_json::Map;

use crate::clock::{Clock as _, SystemClock};
use crate::config::LogFormat;

/// The most characters of one text in the log.
const MAX_TEXT: usize = 512;

/// Starts the log, and makes every panic one line of it.
pub fn start(format: LogFormat, filters: &str) {
    let clock = SystemClock::new();
    let write = move |out: &mut Formatter, record: &Record<'_>| {
        let line = match format {
            LogFormat::Text => text(record, &clock.now().to_string()),
            LogFormat::Json => json(record, &clock.now().to_string()),
        };
        writeln!(out, "{line}")
    };
    Builder::new().parse_filters(filters).format(write).init();
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let what = panic.payload_as_str().unwrap_or_default();
        log::error!("panic at {place}: {what}");
    }));
}

fn text(record: &Record<'_>, time: &str) -> String {
    let mut line = format!("{time} {:5} {}", record.level(), clean(&record.args().to_string()));
    for (key, value) in pairs(record) {
        let value = match value {
            serde_json::Value::String(text) => text,
            other => other.to_string(),
        };
        line.extend([" ", &key, "=", &value]);
    }
    line
}

fn json(record: &Record<'_>, time: &str) -> String {
    let mut object = Map::new();
    object.insert("time".into(), time.into());
    object.insert("level".into(), record.level().as_str().to_lowercase().into());
    object.insert("message".into(), clean(&record.args().to_string()).into());
    object.extend(pairs(record));
    serde_json::Value::Object(object).to_string()
}

/// The named values of a record, in their order.
fn pairs(record: &Record<'_>) -> Vec<(String, serde_json::Value)> {
    let mut pairs = Pairs(Vec::new());
    // This visitor never fails.
    let _ = record.key_values().visit(&mut pairs);
    pairs.0
}

struct Pairs(Vec<(String, serde_json::Value)>);

impl<'kvs> VisitSource<'kvs> for Pairs {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), kv::Error> {
        let value = if let Some(number) = value.to_u64() {
            number.into()
        } else if let Some(number) = value.to_f64() {
            ((number * 1000.0).round() / 1000.0).into()
        } else {
            clean(&value.to_string()).into()
        };
        self.0.push((key.to_string(), value));
        Ok(())
    }
}

/// Text that cannot break a line or pretend to be another one, and that has an end.
fn clean(text: &str) -> String {
    let risky =
        |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}');
    let mut clean = String::with_capacity(text.len());
    for c in text.chars().take(MAX_TEXT) {
        if risky(c) { clean.extend(c.escape_default()) } else { clean.push(c) }
    }
    clean
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

    #[test]
    fn a_record_is_one_line_whatever_is_in_it() {
        let line = record(|record| text(record, "T"));
        assert_eq!(line, "T INFO  request path=/a\\r\\nb\\u{2028}\\u{1b}[1m user=-");
        let line = record(|record| json(record, "T"));
        let read: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(read["path"], "/a\\r\\nb\\u{2028}\\u{1b}[1m");
        assert!(!line.contains('\n'));
    }

    #[test]
    fn a_long_text_is_cut() {
        assert_eq!(clean(&"x".repeat(10_000)).len(), MAX_TEXT);
    }
}
