//! The JSON file of one class: `{ "<key>": {record}, … }` in creation order, a record a line.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::de::{self, Deserializer, MapAccess, Visitor};

use super::files::{self, Files};
use super::record::Record;
use super::table::{Build, Table};

/// Bytes that no record is shorter than.
const MIN_RECORD: usize = 256;

/// Reads the records of a file, in their order. The error says what is wrong and where.
#[expect(clippy::naive_bytecount, reason = "the compiler makes it quick, and it is no hot path")]
pub fn read<R: Record>(content: &[u8]) -> Result<Build<R>, serde_json::Error> {
    let lines = content.iter().filter(|byte| **byte == b'\n').count();
    let mut records = Build::with_capacity(lines.min(content.len() / MIN_RECORD));
    let mut json = serde_json::Deserializer::from_slice(content);
    json.deserialize_map(Records(&mut records))?;
    json.end()?;
    Ok(records)
}

struct Records<'b, R: Record>(&'b mut Build<R>);

impl<'de, R: Record> Visitor<'de> for Records<'_, R> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object that holds each {} by its key", R::CLASS)
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<(), M::Error> {
        while let Some(key) = map.next_key::<R::Key>()? {
            let record: R = map.next_value()?;
            if *record.key() != key {
                let other = record.key();
                return Err(de::Error::custom(format!("{key} holds the record of {other}")));
            }
            if !self.0.put(Arc::new(record)) {
                return Err(de::Error::custom(format!("{key} is there twice")));
            }
        }
        Ok(())
    }
}

/// Writes the records of a table, in creation order, and tells how many there were.
pub fn write<R: Record>(table: &Table<R>, out: &mut dyn io::Write) -> io::Result<u64> {
    out.write_all(b"{")?;
    let mut separator = "\n";
    let mut records = 0;
    for record in table.iter() {
        write!(out, "{separator}\"{}\": ", record.key())?;
        serde_json::to_writer(&mut *out, record.as_ref())?;
        separator = ",\n";
        records += 1;
    }
    out.write_all(if separator == "\n" { b"}\n" } else { b"\n}\n" })?;
    Ok(records)
}

/// Where the file at `path` is written before it takes its place. A crash may leave it behind.
pub fn temporary(path: &Path) -> PathBuf {
    path.with_extension("json.tmp")
}

/// How much a file holds.
#[derive(Clone, Copy, Debug, Default)]
pub struct Size {
    /// Its length, in bytes.
    pub length: u64,
    /// How many records are in it.
    pub records: u64,
}

/// Puts the records of a table in place of the file at `path`, as one step. Tells its size.
pub fn replace<R: Record>(files: &dyn Files, path: &Path, table: &Table<R>) -> io::Result<Size> {
    let mut size = Size::default();
    files::replace(files, path, &temporary(path), |out| {
        let mut counted = Counting { out, length: 0 };
        let records = write(table, &mut counted)?;
        size = Size { length: counted.length, records };
        Ok(())
    })?;
    Ok(size)
}

struct Counting<'o> {
    out: &'o mut dyn io::Write,
    length: u64,
}

impl io::Write for Counting<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.length += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::models::{Email, PasswordHash, User};
    use crate::store::Op;

    /// What version 1 writes; a later version reads it too.
    const WRITTEN: &str = r#"{
"8f0e6f0e-0000-4000-8000-000000000002": {"id":"8f0e6f0e-0000-4000-8000-000000000002","email":"zoe@example.com","password_hash":"$2b$04$OOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOO","first_name":null,"last_name":null,"role":"user","disabled":false,"credential_version":0,"created_at":"1970-01-01T00:00:00.007Z","updated_at":"1970-01-01T00:00:00.007Z"},
"8f0e6f0e-0000-4000-8000-000000000001": {"id":"8f0e6f0e-0000-4000-8000-000000000001","email":"ann@example.com","password_hash":"$2b$04$OOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOO","first_name":null,"last_name":null,"role":"user","disabled":false,"credential_version":0,"created_at":"1970-01-01T00:00:00.007Z","updated_at":"1970-01-01T00:00:00.007Z"}
}
"#;

    fn user(id: &str, email: &str) -> Arc<User> {
        let (id, email) = (id.parse().unwrap(), Email::new(email).unwrap());
        let hash = PasswordHash::of_nobody(4);
        Arc::new(User::new(id, email, hash, Timestamp::from_millis(7)))
    }

    fn records(content: &str) -> Vec<Arc<User>> {
        read(content.as_bytes()).unwrap().finish().unwrap().0.iter().collect()
    }

    fn written(table: &Table<User>) -> String {
        let mut out = Vec::new();
        write(table, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_record_is_a_line_in_creation_order() {
        let users = [
            user("8f0e6f0e-0000-4000-8000-000000000002", "zoe@example.com"),
            user("8f0e6f0e-0000-4000-8000-000000000001", "ann@example.com"),
        ];
        let table = Table::default();
        table.apply(&users.clone().map(Op::Put));
        assert_eq!(written(&table), WRITTEN);
        assert_eq!(records(WRITTEN), users);
    }

    #[test]
    fn members_that_are_missing_have_their_defaults() {
        let minimal = r#"{"8f0e6f0e-0000-4000-8000-000000000002":{
            "id":"8f0e6f0e-0000-4000-8000-000000000002","email":"zoe@example.com",
            "password_hash":"$2b$04$OOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOO",
            "created_at":"1970-01-01T00:00:00.007Z","updated_at":"1970-01-01T00:00:00.007Z"}}"#;
        let zoe = user("8f0e6f0e-0000-4000-8000-000000000002", "zoe@example.com");
        assert_eq!(records(minimal), [zoe]);
    }

    #[test]
    fn no_records_are_an_empty_object() {
        assert_eq!(written(&Table::default()), "{}\n");
        assert_eq!(records("{}"), []);
    }
}
