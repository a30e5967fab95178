//! Reading a journal past its faults.
//!
//! A line is verified by the checksum before it, so one that is damaged costs only itself: the
//! line after it fits the checksum that is written in it, or the one that it should have had. If
//! neither can be made out, reading goes on at the second of two lines that fit each other.

use std::collections::HashSet;

use super::Lost;
use crate::store::change::Op;
use crate::store::journal::{self, Chain};
use crate::store::record::Record;

/// What a journal holds.
pub struct Lines<R: Record> {
    /// The changes that can be read, oldest first.
    pub changes: Vec<Vec<Op<R>>>,
    /// What cannot.
    pub lost: Vec<Lost>,
    /// The end of the journal after which this one goes on, if it says so.
    pub after: Option<Chain>,
    /// How it ends.
    pub end: Chain,
}

/// Reads a journal, perhaps one that goes on after one with this end.
pub fn read<R: Record>(content: &[u8], aside: Option<Chain>) -> Lines<R> {
    let header = journal::header::<R>();
    let end = Chain::start(&header);
    let lines = Lines { changes: Vec::new(), lost: Vec::new(), after: None, end };
    let mut reading = Reading { lines, seen: HashSet::new(), gap: None };
    let mut at = 0;
    for line in content.split_inclusive(|byte| *byte == b'\n') {
        match line.strip_suffix(b"\n") {
            Some(whole) if at > 0 => reading.take(content, at, whole),
            Some(whole) => reading.begin(content, whole, aside),
            None => reading.end(content, at),
        }
        at += line.len();
    }
    reading.close(content, at);
    reading.lines
}

struct Reading<R: Record> {
    /// What was read so far; its end is the checksum of the last line that was verified.
    lines: Lines<R>,
    /// The checksums of all of them: a line that comes again is none.
    seen: HashSet<Chain>,
    gap: Option<Gap>,
}

/// Lines that are passed over.
struct Gap {
    start: usize,
    what: String,
    /// What may be the checksum before the next line.
    guesses: Vec<Chain>,
}

impl<R: Record> Reading<R> {
    /// Takes the first line. It is a header if the second line goes on after it; if not, the one
    /// after which that does is what it should be.
    fn begin(&mut self, content: &[u8], line: &[u8], aside: Option<Chain>) {
        let plain = journal::header::<R>();
        let written = journal::read_header::<R>(line);
        let after = aside.map(|end| (journal::header_after(&plain, end), Some(end)));
        let may_be: Vec<_> =
            written.clone().into_iter().chain([(plain.clone(), None)]).chain(after).collect();
        let second = content[line.len() + 1..].split(|byte| *byte == b'\n').next();
        let fits = |(header, _): &&(String, Option<Chain>)| {
            second.is_some_and(|line| journal::verify(Chain::start(header), line).is_ok())
        };
        let meant = may_be.iter().find(fits).or(written.as_ref());
        let is_written = meant.is_some() && meant == written.as_ref();
        if let Some((header, after)) = meant {
            (self.lines.end, self.lines.after) = (Chain::start(header), *after);
        }
        if !is_written {
            let header = meant.map_or(plain, |(header, _)| header.clone());
            self.pass_over(0, line, &format!("is not '{header}'"));
        }
    }

    /// Takes a line that begins at `at`.
    fn take(&mut self, content: &[u8], at: usize, line: &[u8]) {
        let guesses = self.gap.iter().flat_map(|gap| &gap.guesses);
        let mut chains = std::iter::once(&self.lines.end).chain(guesses);
        let verified = chains.find_map(|chain| journal::verify(*chain, line).ok());
        let Some((chain, payload)) = verified.filter(|(chain, _)| !self.seen.contains(chain))
        else {
            let what = journal::verify(self.lines.end, line).err().unwrap_or("is there twice");
            return self.pass_over(at, line, what);
        };
        self.close(content, at);
        self.lines.end = chain;
        self.seen.insert(chain);
        match serde_json::from_slice(payload) {
            Ok(ops) => self.lines.changes.push(ops),
            Err(error) => {
                let end = at + line.len() + 1;
                self.lines.lost.push(Lost::between(content, at, end, without_place(&error)));
            }
        }
    }

    /// Passes over a line, and keeps what helps to verify the next one.
    fn pass_over(&mut self, at: usize, line: &[u8], what: &str) {
        let payload = line.get(journal::CHECKSUM + 1..);
        let should_have = payload.map(|payload| self.lines.end.next(payload));
        let opened = self.gap.is_none();
        let new = || Gap { start: at, what: what.to_owned(), guesses: Vec::new() };
        let gap = self.gap.get_or_insert_with(new);
        gap.guesses.extend(should_have.filter(|_| opened));
        // Where the end of a line is damaged, the checksum of the next one stands within it.
        gap.guesses.extend((0..line.len()).filter_map(|from| Chain::written(&line[from..])));
    }

    /// Takes what is left at the end and is no whole line.
    fn end(&mut self, content: &[u8], at: usize) {
        if self.gap.is_none() {
            let lost =
                Lost::between(content, at, content.len(), "a change that was never answered");
            self.lines.lost.push(Lost { torn: true, ..lost });
        }
    }

    /// Ends what is passed over.
    fn close(&mut self, content: &[u8], at: usize) {
        if let Some(gap) = self.gap.take() {
            self.lines.lost.push(Lost::between(content, gap.start, at, gap.what));
        }
    }
}

/// What is wrong with a text in JSON; not where, which would be counted from its own begin.
pub fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line ").next().unwrap_or_default().to_owned()
}

/// Whether this is a journal of a version of this program that is yet to come: its first line says
/// so, and what follows does not give that the lie.
pub fn is_later<R: Record>(content: &[u8]) -> Option<String> {
    let mut lines = content.split(|byte| *byte == b'\n');
    let first = std::str::from_utf8(lines.next()?).ok()?;
    let (name, _) = journal::FORMAT.rsplit_once(' ')?;
    let (version, rest) = first.strip_prefix(name)?.trim_start().split_once(' ')?;
    let later = rest.split(' ').next() == Some(R::CLASS)
        && version.parse::<u32>().is_ok_and(|version| version > 1);
    let of_today = Chain::start(&format!("{} {rest}", journal::FORMAT));
    let is_ours = |line| journal::verify(of_today, line).is_ok();
    (later && !lines.next().is_some_and(is_ours)).then(|| first.to_owned())
}
