//! The durable log of one class: what has changed since its JSON file was written.
//!
//! The first line names the format and the class; in a journal that goes on where one was moved aside
//! it names the last checksum of that one too, so that neither can be cut unnoticed at the seam. Every
//! further line is one change, applied whole or not at all: sixteen hex digits, a space and a JSON
//! list of steps. The digits are a checksum of the line *and of all lines before it* (SHA-256, cut to
//! 64 bits), so that a line that is damaged, missing or moved is noticed at start.

mod lines;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use prometheus_client::metrics::histogram::Histogram;

use super::change::Op;
use super::files::{Files, Identity, OpenFile, directory_of};
use super::record::Record;

pub(super) use lines::{
    CHECKSUM, Chain, FORMAT, content, header, header_after, read_header, verify,
};
use lines::{plain, write_lines};

/// What a journal holds.
pub struct Replay<R: Record> {
    /// The changes, oldest first.
    pub changes: Vec<Vec<Op<R>>>,
    /// Bytes up to the end of the last whole line.
    pub length: u64,
    /// Whole lines.
    pub lines: usize,
    /// Bytes of a torn last line after that.
    pub torn: u64,
    header: String,
    /// How the journal ends after which this one goes on, if it says so.
    after: Option<Chain>,
    chain: Chain,
}

impl<R: Record> Default for Replay<R> {
    /// No journal yet.
    fn default() -> Self {
        let (header, changes) = (header::<R>(), Vec::new());
        let chain = Chain::start(&header);
        Self { changes, length: 0, lines: 0, torn: 0, header, after: None, chain }
    }
}

impl<R: Record> Replay<R> {
    /// Whether this journal can be the one that goes on after `aside`. One that is still to be begun
    /// will be.
    pub fn goes_on_after(&mut self, aside: &Self) -> bool {
        if self.lines == 0 {
            self.header = header_after(&self.header, aside.chain);
            self.chain = Chain::start(&self.header);
        }
        self.after.is_none_or(|after| after == aside.chain)
    }
}

/// Reads a journal. A last line without its end is one whose write was cut short, so that nobody
/// was told of it: it counts as torn. Anything else that is wrong is damage: the error is the
/// number of the line and what is wrong with it.
pub fn read<R: Record>(content: &[u8]) -> Result<Replay<R>, (usize, String)> {
    let mut replay = Replay::default();
    let mut rest = content;
    while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
        let number = replay.lines + 1;
        let line = &rest[..end];
        if number == 1 {
            let read = read_header::<R>(line);
            let (header, after) = read.ok_or_else(|| (1, format!("is not '{}'", header::<R>())))?;
            replay.chain = Chain::start(&header);
            (replay.header, replay.after) = (header, after);
        } else {
            let (chain, ops) = read_line(replay.chain, line).map_err(|what| (number, what))?;
            replay.chain = chain;
            replay.changes.push(ops);
        }
        replay.lines = number;
        replay.length += end as u64 + 1;
        rest = &rest[end + 1..];
    }
    replay.torn = rest.len() as u64;
    Ok(replay)
}

fn read_line<R: Record>(chain: Chain, line: &[u8]) -> Result<(Chain, Vec<Op<R>>), String> {
    let (chain, payload) = verify(chain, line)?;
    let ops = serde_json::from_slice(payload).map_err(|error| error.to_string())?;
    Ok((chain, ops))
}

/// A journal that is written to.
pub struct Journal {
    files: Arc<dyn Files>,
    path: PathBuf,
    header: String,
    /// The file that is open, and which one it is.
    file: Option<(Box<dyn OpenFile>, Identity)>,
    /// Bytes that are durable and whole; 0 when there is no file.
    length: u64,
    /// Bytes that there may be in the file: a write that failed may have left some.
    most: u64,
    chain: Chain,
    /// How long its syncs take, in seconds.
    sync_duration: Histogram,
    /// After a failed sync nothing is known of what the kernel kept: no writes until the file has
    /// been opened again and verified.
    suspect: bool,
}

impl Journal {
    /// The journal at `path`, to go on after `replay`.
    pub fn resume<R: Record>(
        files: Arc<dyn Files>,
        path: PathBuf,
        replay: Option<&Replay<R>>,
        sync_duration: Histogram,
    ) -> Self {
        let begun = Replay::<R>::default();
        let &Replay { ref header, chain, length, torn, .. } = replay.unwrap_or(&begun);
        let (header, most) = (header.clone(), length + torn);
        // A torn end is cut off, and the rest verified once more, before the first write.
        let suspect = true;
        Self { files, path, header, file: None, length, most, chain, sync_duration, suspect }
    }

    /// Bytes in the journal.
    pub const fn length(&self) -> u64 {
        self.length
    }

    /// Appends one line per payload and makes them durable with one sync, where whoever reads the
    /// journal finds them. On an error nothing was appended; it is `InvalidData` when the journal
    /// does not hold any more what was written to it, or another file has its name.
    pub fn append(&mut self, payloads: &[Vec<u8>]) -> io::Result<()> {
        if self.suspect {
            self.reopen()?;
        }
        let mut bytes = Vec::new();
        if self.length == 0 {
            bytes.extend_from_slice(self.header.as_bytes());
            bytes.push(b'\n');
        }
        let chain = write_lines(self.chain, payloads, &mut bytes);
        self.write(&bytes)?;
        self.length += bytes.len() as u64;
        self.chain = chain;
        Ok(())
    }

    /// Makes sure that what is written now goes where whoever reads the journal finds it, behind
    /// what should be there. Writes nothing; fails as an append does.
    pub fn prepare(&mut self) -> io::Result<()> {
        self.suspect = self.suspect || !self.is_in_place()?;
        if self.suspect { self.reopen() } else { Ok(()) }
    }

    /// Moves the journal aside, to `aside`; the next append begins a new one, and makes both names
    /// durable before anything is written. On an error nothing was moved.
    pub fn rotate(&mut self, aside: &Path) -> io::Result<()> {
        self.prepare()?; // neither a torn end nor another file must be moved along
        self.files.rename(&self.path, aside)?;
        self.begin_anew(header_after(&self.header, self.chain));
        Ok(())
    }

    /// Removes the journal; the next append begins a new one.
    pub fn remove(&mut self) -> io::Result<()> {
        self.files.remove(&self.path)?;
        self.begin_anew(plain(&self.header).to_owned());
        self.files.sync_directory(directory_of(&self.path))
    }

    fn begin_anew(&mut self, header: String) {
        self.file = None;
        (self.length, self.most) = (0, 0);
        self.header = header;
        self.chain = Chain::start(&self.header);
        self.suspect = true;
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.most = self.length + bytes.len() as u64;
        let written = self.write_durably(bytes);
        // What is refused now must not be there after a restart, so what was written of it is
        // taken back. If that fails too, it is tried again before the next write.
        if written.is_err() && self.take_back().is_err() {
            self.suspect = true;
        }
        written
    }

    fn write_durably(&mut self, bytes: &[u8]) -> io::Result<()> {
        let file = self.open_file();
        file.write_all(bytes)?;
        let started = Instant::now();
        let synced = file.sync();
        self.sync_duration.observe(started.elapsed().as_secs_f64());
        synced.inspect_err(|_| self.suspect = true)?;
        // Looked at last, so that it was in place when all was durable.
        self.suspect = !self.is_in_place()?;
        if self.suspect { Err(changed("it was removed, renamed or replaced")) } else { Ok(()) }
    }

    fn take_back(&mut self) -> io::Result<()> {
        let length = self.length;
        let file = self.open_file();
        file.truncate(length)?;
        file.sync()?;
        self.most = length;
        Ok(())
    }

    fn open_file(&mut self) -> &mut dyn OpenFile {
        self.file.as_mut().expect("reopen leaves a file").0.as_mut()
    }

    /// Whether the file that is open still has its name. Somebody may have removed, renamed or
    /// replaced it, and then who reads the journal finds another one, or none.
    fn is_in_place(&self) -> io::Result<bool> {
        let open = self.file.as_ref().map(|(_, identity)| *identity);
        Ok(self.files.identity(&self.path)? == open)
    }

    /// Opens the file, verifies that what should be in it is, and cuts off what should not.
    fn reopen(&mut self) -> io::Result<()> {
        let content = match self.files.read(&self.path)? {
            None if self.length > 0 => return Err(changed("it is gone")),
            content => content.unwrap_or_default(),
        };
        self.verify(&content)?;
        let mut file = self.files.open_append(&self.path)?;
        if content.len() as u64 > self.length {
            file.truncate(self.length)?;
        }
        file.sync()?;
        self.files.sync_directory(directory_of(&self.path))?;
        let identity = file.identity()?;
        self.file = Some((file, identity));
        self.most = self.length;
        self.suspect = false;
        Ok(())
    }

    fn verify(&self, content: &[u8]) -> io::Result<()> {
        let length = usize::try_from(self.length).unwrap_or(usize::MAX);
        let mut chain = Chain::start(&self.header);
        let lines = content.get(..length).map(|kept| kept.split_inclusive(|b| *b == b'\n'));
        for line in lines.into_iter().flatten().skip(1) {
            let payload = line.get(CHECKSUM + 1..line.len() - 1).unwrap_or_default();
            chain = chain.next(payload);
        }
        let lengths = self.length..=self.most;
        if !lengths.contains(&(content.len() as u64)) || chain != self.chain {
            return Err(changed("its content has changed underneath"));
        }
        Ok(())
    }
}

/// The journal is not as it was left.
fn changed(how: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, how)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::{SessionHash, UserSession};

    /// What version 1 writes; a later version reads it too.
    const WRITTEN: &str = r#"sessiond journal 1 UserSession
2a2bf9d95c71ab76 [{"remove":"0707070707070707070707070707070707070707070707070707070707070707"}]
e7c605ca3a0c1f1b [{"remove":"0808080808080808080808080808080808080808080808080808080808080808"},{"remove":"0909090909090909090909090909090909090909090909090909090909090909"}]
"#;

    fn removed(content: &str) -> Vec<Vec<SessionHash>> {
        let replay = read::<UserSession>(content.as_bytes()).expect("it is sound");
        replay.changes.iter().map(|ops| ops.iter().map(Op::key).collect()).collect()
    }

    #[test]
    fn the_format_stays_readable() {
        let hash = |byte| SessionHash::from_bytes([byte; 32]);
        assert_eq!(removed(WRITTEN), [vec![hash(7)], vec![hash(8), hash(9)]]);
    }

    #[test]
    fn a_line_without_its_end_is_torn_and_the_lines_before_it_count() {
        let second = WRITTEN.find("\ne7c6").unwrap() + 1;
        let torn = read::<UserSession>(&WRITTEN.as_bytes()[..WRITTEN.len() - 1]).unwrap();
        assert_eq!(torn.changes.len(), 1);
        assert_eq!(torn.length, second as u64);
        assert_eq!(torn.torn, (WRITTEN.len() - 1 - second) as u64);
    }

    #[test]
    fn a_journal_goes_on_after_the_one_that_it_names() {
        let aside = read::<UserSession>(WRITTEN.as_bytes()).unwrap();
        let goes_on = |header: &str| {
            read::<UserSession>(header.as_bytes()).map(|mut replay| replay.goes_on_after(&aside))
        };
        let plain = header::<UserSession>();
        assert_eq!(goes_on(&format!("{plain} after e7c605ca3a0c1f1b\n")), Ok(true));
        assert_eq!(goes_on(&format!("{plain} after 2a2bf9d95c71ab76\n")), Ok(false));
        assert_eq!(goes_on(&format!("{plain}\n")), Ok(true), "those of old name none");
        assert_eq!(goes_on(""), Ok(true));
        for wrong in ["after", "after ", "after E7C605CA3A0C1F1B", "after +7c605ca3a0c1f1b", "x"] {
            let refused = Err((1, format!("is not '{plain}'")));
            assert_eq!(goes_on(&format!("{plain} {wrong}\n")), refused, "{wrong}");
        }
    }

    #[test]
    fn a_sound_line_that_says_nothing_known_is_damage() {
        let header = header::<UserSession>();
        for payload in ["[{\"move\":\"x\"}]", "{}", "[{\"remove\":\"07\"}]", "[] []", ""] {
            let checksum = Chain::start(&header).next(payload.as_bytes()).hex();
            let content = format!("{header}\n{checksum} {payload}\n");
            let (line, _) = read::<UserSession>(content.as_bytes()).err().expect(payload);
            assert_eq!(line, 2);
        }
    }
}
