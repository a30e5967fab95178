//! A table whose changes are durable: a JSON file, and a journal of what has changed since.
//!
//! One writer thread per class decides changes in the order in which they come, appends all that
//! wait as one batch, syncs once, applies them to the table and only then answers. When the
//! journal has outgrown the file, another thread folds it into the file; meanwhile changes go to
//! a new journal. Since a step holds the whole record, replaying a journal over a file that has
//! seen some of it already comes to the same end, so a crash between any two steps is harmless.

mod due;

use std::io;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;

use tokio::sync::oneshot;

use super::change::{Change, Op, Outcome, View, change};
use super::files::{Files, directory_of};
use super::journal::Journal;
use super::load::{Loaded, Paths};
use super::record::Record;
use super::snapshot::Size;
use super::table::Table;
use super::{Records, snapshot};
use crate::error::{Error, Result};
use due::Due;

/// Bytes in a journal that are not worth a fold, unless told otherwise.
const MIN_FOLD_LENGTH: u64 = 1 << 20;
/// The most changes that share one sync.
const MAX_BATCH: usize = 1024;
/// Bytes that a change of one record seldom exceeds.
const PAYLOAD: usize = 1024;

/// A durable table; see the module's documentation.
pub struct JsonTable<R: Record> {
    table: Arc<Table<R>>,
    sender: mpsc::Sender<Request<R>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

enum Request<R: Record> {
    Change(Box<dyn Change<R>>),
    Folded(io::Result<Size>),
    /// Fold and end; tells whether there was nothing left that is not in the file.
    Close(oneshot::Sender<io::Result<()>>),
    /// End at once, as a crash would.
    Quit,
}

impl<R: Record> Records<R> for JsonTable<R> {
    fn table(&self) -> &Table<R> {
        &self.table
    }

    fn submit<T, F>(&self, decide: F) -> Outcome<T>
    where
        T: Send + 'static,
        F: FnOnce(&View<'_, R>) -> Result<(Vec<Op<R>>, T)> + Send + 'static,
    {
        let (change, outcome) = change(decide);
        // When the writer has ended, the change is dropped with the channel, and its caller told.
        let _ = self.sender.send(Request::Change(change));
        outcome
    }
}

impl<R: Record> JsonTable<R> {
    /// Starts the writer.
    pub fn start(loaded: Loaded<R>, files: Arc<dyn Files>) -> Self {
        Self::start_folding_at(MIN_FOLD_LENGTH, loaded, files)
    }

    /// The same, where a journal of up to `min_fold_length` bytes is not worth a fold; a test need
    /// not write a mebibyte to see one.
    pub fn start_folding_at(
        min_fold_length: u64,
        loaded: Loaded<R>,
        files: Arc<dyn Files>,
    ) -> Self {
        if let Some(torn) = loaded.torn() {
            log::warn!("{torn}, dropped");
        }
        let leftover = snapshot::temporary(&loaded.paths.json);
        if let Err(cause) = files.remove(&leftover) {
            log::warn!("{}: left by a crash, and stays: {cause}", leftover.display());
        }
        let table = Arc::new(loaded.table);
        let (sender, requests) = mpsc::channel();
        let path = loaded.paths.journal.clone();
        let journal = Journal::resume(Arc::clone(&files), path, loaded.replay.as_ref());
        let writer = Writer {
            table: Arc::clone(&table),
            files,
            paths: loaded.paths,
            journal,
            due: Due::new(loaded.json, min_fold_length),
            has_folding: loaded.has_folding,
            fold: None,
            sender: sender.clone(),
        };
        let thread = std::thread::Builder::new()
            .name(format!("{} writer", R::CLASS))
            .spawn(move || writer.run(&requests))
            .expect("a thread can be started at start");
        JsonTable { table, sender, thread: Mutex::new(Some(thread)) }
    }

    /// Waits for the changes that were submitted, folds the journal into the file and ends the
    /// writer. After this there is no journal.
    pub async fn close(&self) -> Result<()> {
        let (sender, closed) = oneshot::channel();
        let _ = self.sender.send(Request::Close(sender));
        let folded = closed.await.unwrap_or(Ok(()));
        self.join();
        folded.map_err(|cause| Error::unavailable(&format!("{}.json", R::CLASS), cause))
    }

    fn join(&self) {
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // A panic of the writer was logged where it happened.
            let _ = thread.join();
        }
    }
}

impl<R: Record> Drop for JsonTable<R> {
    fn drop(&mut self) {
        let _ = self.sender.send(Request::Quit);
        self.join();
    }
}

struct Writer<R: Record> {
    table: Arc<Table<R>>,
    files: Arc<dyn Files>,
    paths: Paths,
    journal: Journal,
    due: Due,
    /// Whether there is a journal that was moved aside to be folded.
    has_folding: bool,
    fold: Option<JoinHandle<()>>,
    sender: mpsc::Sender<Request<R>>,
}

impl<R: Record> Writer<R> {
    fn run(mut self, requests: &mpsc::Receiver<Request<R>>) {
        while let Ok(first) = requests.recv() {
            let mut batch = Vec::new();
            let mut next = Some(first);
            let mut end = None;
            while let Some(request) = next {
                match request {
                    Request::Change(change) => batch.push(change),
                    Request::Folded(result) => self.folded(result),
                    last @ (Request::Close(_) | Request::Quit) => {
                        end = Some(last);
                        break;
                    }
                }
                next = if batch.len() < MAX_BATCH { requests.try_recv().ok() } else { None };
            }
            self.write(batch);
            match end {
                Some(Request::Close(closed)) => {
                    let _ = closed.send(self.close(requests));
                    return;
                }
                Some(_) => return self.wait_for_fold(),
                None => self.fold_if_due(),
            }
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
        if written.is_ok() {
            for ops in &decided {
                self.table.apply(ops);
            }
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
        let fold = move || {
            let _ = sender.send(Request::Folded(fold(files.as_ref(), &paths, &table)));
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
            fold(self.files.as_ref(), &self.paths, &self.table)?;
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
fn fold<R: Record>(files: &dyn Files, paths: &Paths, table: &Table<R>) -> io::Result<Size> {
    let size = snapshot::replace(files, &paths.json, table)?;
    files.remove(&paths.folding)?;
    files.sync_directory(directory_of(&paths.json))?;
    Ok(size)
}
