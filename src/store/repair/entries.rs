//! Reading a JSON file of records past its faults.
//!
//! A record begins with its key: a text that is one, a colon and an object. No text within a record
//! looks like that, since the quotation marks in it are escaped. So each record that is whole is
//! found, wherever it stands, and what lies between two of them is the fault, if it is more than
//! what JSON puts there.

use std::collections::HashSet;
use std::sync::Arc;

use serde::de::DeserializeOwned;

use super::Lost;
use super::lines::without_place;
use crate::store::record::Record;
use crate::store::snapshot;

/// What a file holds.
pub struct Entries<R: Record> {
    /// The records that can be read, in their order.
    pub records: Vec<Arc<R>>,
    /// What cannot.
    pub lost: Vec<Lost>,
}

/// Reads a file of records.
pub fn read<R: Record>(content: &[u8]) -> Entries<R> {
    match snapshot::read::<R>(content) {
        Ok(records) => Entries { records: records.into_records(), lost: Vec::new() },
        Err(error) => read_past_faults(content, &error),
    }
}

fn read_past_faults<R: Record>(content: &[u8], error: &serde_json::Error) -> Entries<R> {
    let mut entries = Entries { records: Vec::new(), lost: Vec::new() };
    let (mut seen, mut at) = (HashSet::new(), 0);
    let mut why = None;
    let mut from = 0;
    while let Some(quote) = find(content, from, b'"') {
        match entry::<R>(&content[quote..]) {
            None => from = quote + 1,
            Some(Err(what)) => {
                why.get_or_insert(what);
                from = quote + 1;
            }
            Some(Ok((record, _))) if !seen.insert(*record.key()) => {
                why.get_or_insert(format!("{} is there twice", record.key()));
                from = quote + 1;
            }
            Some(Ok((record, length))) => {
                let before = if entries.records.is_empty() { b'{' } else { b',' };
                entries.lost.extend(gap(content, at, quote, before, why.take()));
                entries.records.push(Arc::new(record));
                at = quote + length;
                from = at;
            }
        }
    }
    let end = content.len();
    if entries.records.is_empty() {
        let what = why.unwrap_or_else(|| without_place(error));
        entries.lost.push(Lost::between(content, 0, end, what));
    } else {
        entries.lost.extend(gap(content, at, end, b'}', why));
    }
    entries
}

/// What lies between two records, unless that is the `mark` which belongs there.
fn gap(content: &[u8], from: usize, to: usize, mark: u8, why: Option<String>) -> Option<Lost> {
    if content[from..to].trim_ascii() == [mark] {
        return None;
    }
    let is_more = |byte: &u8| !matches!(byte, b',' | b'{' | b'}' | b' ' | b'\n' | b'\r' | b'\t');
    let begin = content[from..to].iter().position(is_more);
    let lacks = || format!("'{}' is missing", char::from(mark));
    let what = why.unwrap_or_else(|| begin.map_or_else(lacks, |_| "is no record".into()));
    let begin = begin.map_or(from, |begin| from + begin);
    Some(Lost { at: from, length: to - from, ..Lost::between(content, begin, to, what) })
}

/// The record that begins here, and how many bytes it takes; or what is wrong with it, if it has
/// a key at least.
fn entry<R: Record>(content: &[u8]) -> Option<Result<(R, usize), String>> {
    let (key, length) = value::<R::Key>(content)?.ok()?;
    let rest = &content[length..];
    let colon = length + (rest.len() - rest.trim_ascii_start().len());
    let rest = content[colon..].strip_prefix(b":")?;
    let read = value::<R>(rest)?.and_then(|(record, length)| match record.key() {
        own if *own == key => Ok((record, colon + 1 + length)),
        own => Err(format!("holds the record of {own}")),
    });
    Some(read.map_err(|what| format!("{key}: {what}")))
}

/// The value that begins here, and how many bytes it takes.
fn value<T: DeserializeOwned>(content: &[u8]) -> Option<Result<(T, usize), String>> {
    let mut values = serde_json::Deserializer::from_slice(content).into_iter::<T>();
    let value = values.next()?;
    let length = values.byte_offset();
    Some(value.map(|value| (value, length)).map_err(|error| without_place(&error)))
}

fn find(content: &[u8], from: usize, wanted: u8) -> Option<usize> {
    content[from..].iter().position(|byte| *byte == wanted).map(|at| from + at)
}
