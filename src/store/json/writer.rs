//! The writer of one class: the one thread that changes its table and its files.

use std::io;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Instant;

use prometheus_client::metrics::histogram::Histogram;
use tokio::sync::oneshot;

use super::due::Due;
use crate::error::{Error, Result};
use crate::store::change::{Change, Op, View};
use crate::store::files::{Files, directory_of};
use crate::store::instruments::Instruments;
use crate::store::journal::Journal;
use crate::store::load::Paths;
use crate::store::record::Record;
use crate::store::snapshot::{self, Size};
use crate::store::table::Table;

/// The most changes that share one sync.
const MAX_BATCH: usize = 1024;
/// Bytes that a change of one record seldom exceeds.
const PAYLOAD: usize = 1024;
/// Bytes that are written to see whether there is room: what a disk gives out at once.
const ROOM: usize = 4096;

/// Who waits to hear whether changes can be written.
type Prober = oneshot::Sender<io::Result<()>>;

/// What a writer is asked for.
pub enum Request<R: Record> {
    /// Write this.
    Change(Box<dyn Change<R>>),
    /// Tell whether changes can be written.
    Probe(Prober),
    /// The fold has ended.
    Folded(io::Result<Size>),
    /// Fold and end; tells whether there was nothing left that is not in the file.
    Close(oneshot::Sender<io::Result<()>>),
    /// End at once, as a crash would.
    Quit,
}

/// What the thread works with.
pub struct Writer<R: Record> {
    pub table: Arc<Table<R>>,
    pub files: Arc<dyn Files>,
    pub paths: Paths,
    pub journal: Journal,
    pub due: Due,
    /// Whether there is a journal that was moved aside to be folded.
    pub has_folding: bool,
    pub fold: Option<JoinHandle<()>>,
    pub instruments: Instruments,
    pub sender: mpsc::Sender<Request<R>>,
}

impl<R: Record> Writer<R> {
    /// Does what it is asked for, until it is asked to end.
    pub fn run(mut self, requests: &mpsc::Receiver<Request<R>>) {
        self.show_journal();
        while let Ok(first) = requests.recv() {
            let (mut batch, mut probers) = (Vec::new(), Vec::new());
            let mut next = Some(first);
            let mut end = None;
            while let Some(request) = next {
                match request {
                    Request::Change(change) => batch.push(change),
                    Request::Probe(prober) => probers.push(prober),
                    Request::Folded(result) => self.folded(result),
                    last @ (Request::Close(_) | Request::Quit) => {
                        end = Some(last);
                        break;
                    }
                }
                next = if batch.len() < MAX_BATCH { requests.try_recv().ok() } else { None };
            }
            self.write(batch);
            self.tell(probers);
            match end {
                Some(Request::Close(closed)) => {
                    let _ = closed.send(self.close(requests));
                    return;
                }
                Some(_) => return self.wait_for_fold(),
                None => self.fold_if_due(),
            }
            self.show_journal();
        }
    }

    /// Decides, writes, applies and answers a batch of changes.
    fn write(&mut self, mut batch: Vec<Box<dyn Change<R>>>) {
        let mut view = View::of(&self.table);
        let decided: Vec<Vec<Op<R>>> =
            batch.iter_mut().map(|change| change.decide(&mut view)).collect();
        let lines: Result<Vec<Vec<u8>>, _> =
            decided.iter().filter(|ops| !ops.is_empty()).map(|ops| payload(ops)).collect();
        let written = match lines {
            Ok(lines) if lines.is_empty() => Ok(()),
            Ok(lines) => self.journal.append(&lines),
            Err(error) => Err(error.into()),
        };
        // Before anybody is answered, so that who looks then sees it.
        self.show_journal();
        if written.is_ok() {
            for ops in &decided {
                self.table.apply(ops);
            }
        } else {
            self.instruments.write_errors.inc();
        }
        let journal = self.paths.journal.display();
        let mut unheard = false;
        for change in batch {
            let failed = |cause| Error::unavailable(&journal.to_string(), cause);
            unheard |= !change.finish(written.as_ref().copied().map_err(failed));
        }
        if let (Err(cause), true) = (&written, unheard) {
            // Who waits for a change logs its failure; for these nobody does (a session's last use).
            log::error!("{journal}: {cause}");
        }
    }

    /// Tells those who still wait whether changes can be written.
    fn tell(&mut self, mut probers: Vec<Prober>) {
        probers.retain(|prober| !prober.is_closed());
        for prober in probers {
            // Each has its own: an error cannot be told twice, and there is seldom more than one.
            let _ = prober.send(self.probe());
        }
    }

    /// Does all that a change needs of the disk: a journal that can be appended to, and a file
    /// beside it that takes as much as a change would, and goes again.
    fn probe(&mut self) -> io::Result<()> {
        self.journal.prepare()?;
        let path = self.paths.json.with_extension("probe");
        let mut file = self.files.create(&path)?;
        let written = file.write_all(&[0; ROOM]).and_then(|()| file.sync());
        written.and(self.files.remove(&path))
    }

    fn show_journal(&self) {
        let length = i64::try_from(self.journal.length()).unwrap_or(i64::MAX);
        self.instruments.journal_length.set(length);
    }

    fn fold_if_due(&mut self) {
        let journal = self.journal.length();
        let is_due = self.has_folding || self.due.is_now(journal, self.table.count());
        if self.fold.is_none()
            && self.due.may_be_tried(journal)
            && is_due
            && let Err(cause) = self.start_fold()
        {
            self.fold_failed(&cause);
        }
    }

    /// Moves the journal aside and has it folded by a thread of its own. One that is left from a
    /// fold that failed is folded first, and the journal of today stays.
    fn start_fold(&mut self) -> io::Result<()> {
        if !self.has_folding {
            self.journal.rotate(&self.paths.folding)?;
            self.has_folding = true;
        }
        let (files, paths) = (Arc::clone(&self.files), self.paths.clone());
        let (table, sender) = (Arc::clone(&self.table), self.sender.clone());
        let took = self.instruments.fold_duration.clone();
        let fold = move || {
            let _ = sender.send(Request::Folded(fold(files.as_ref(), &paths, &table, &took)));
        };
        let name = format!("{} fold", R::CLASS);
        self.fold = Some(std::thread::Builder::new().name(name).spawn(fold)?);
        Ok(())
    }

    fn folded(&mut self, result: io::Result<Size>) {
        self.wait_for_fold();
        match result {
            Ok(json) => {
                self.has_folding = false;
                self.due.folded(json);
            }
            Err(cause) => self.fold_failed(&cause),
        }
    }

    /// Nothing is lost, the journals go on; it is tried again when they have grown once more.
    fn fold_failed(&mut self, cause: &io::Error) {
        self.instruments.fold_errors.inc();
        log::error!("{}: not folded: {cause}", self.paths.json.display());
        self.due.failed(self.journal.length());
    }

    fn wait_for_fold(&mut self) {
        if let Some(fold) = self.fold.take() {
            let _ = fold.join();
        }
    }

    fn close(mut self, requests: &mpsc::Receiver<Request<R>>) -> io::Result<()> {
        self.wait_for_fold();
        while let Ok(request) = requests.try_recv() {
            if let Request::Folded(result) = request {
                self.folded(result);
            }
        }
        if self.journal.length() > 0 || self.has_folding {
            fold(self.files.as_ref(), &self.paths, &self.table, &self.instruments.fold_duration)?;
        }
        self.journal.remove()
    }
}

/// What the journal keeps of a change. It has room from the start: growing moves what is written.
fn payload<R: Record>(ops: &[Op<R>]) -> serde_json::Result<Vec<u8>> {
    let mut payload = Vec::with_capacity(PAYLOAD);
    serde_json::to_writer(&mut payload, ops)?;
    Ok(payload)
}

/// Writes the table to the JSON file and removes the journal that was moved aside. The table may
/// change meanwhile: what it holds beyond that journal is in the next one.
fn fold<R: Record>(
    files: &dyn Files,
    paths: &Paths,
    table: &Table<R>,
    took: &Histogram,
) -> io::Result<Size> {
    let started = Instant::now();
    let size = snapshot::replace(files, &paths.json, table).and_then(|size| {
        files.remove(&paths.folding)?;
        files.sync_directory(directory_of(&paths.json))?;
        Ok(size)
    });
    took.observe(started.elapsed().as_secs_f64());
    size
}
