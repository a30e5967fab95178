//! A table whose changes are durable: a JSON file, and a journal of what has changed since.
//!
//! One writer thread per class decides changes in the order in which they come, appends all that
//! wait as one batch, syncs once, applies them to the table and only then answers. When the
//! journal has outgrown the file, another thread folds it into the file; meanwhile changes go to
//! a new journal. Since a step holds the whole record, replaying a journal over a file that has
//! seen some of it already comes to the same end, so a crash between any two steps is harmless.

mod due;
mod writer;

use std::io;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;

use tokio::sync::oneshot;

use super::change::{Op, Outcome, View, change};
use super::files::Files;
use super::instruments::Instruments;
use super::journal::Journal;
use super::load::Loaded;
use super::record::Record;
use super::table::Table;
use super::{Records, snapshot};
use crate::error::{Error, Result};
use due::Due;
use writer::{Request, Writer};

/// Bytes in a journal that are not worth a fold, unless told otherwise.
const MIN_FOLD_LENGTH: u64 = 1 << 20;

/// A durable table; see the module's documentation.
pub struct JsonTable<R: Record> {
    table: Arc<Table<R>>,
    instruments: Instruments,
    sender: mpsc::Sender<Request<R>>,
    thread: Mutex<Option<JoinHandle<()>>>,
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
        let instruments = Instruments::default();
        let writer = Writer {
            table: Arc::clone(&table),
            journal: Journal::resume(
                Arc::clone(&files),
                loaded.paths.journal.clone(),
                loaded.replay.as_ref(),
                instruments.sync_duration.clone(),
            ),
            files,
            paths: loaded.paths,
            due: Due::new(loaded.json, min_fold_length),
            has_folding: loaded.has_folding,
            fold: None,
            instruments: instruments.clone(),
            sender: sender.clone(),
        };
        let thread = std::thread::Builder::new()
            .name(format!("{} writer", R::CLASS))
            .spawn(move || writer.run(&requests))
            .expect("a thread can be started at start");
        JsonTable { table, instruments, sender, thread: Mutex::new(Some(thread)) }
    }

    /// Whether changes can be written now: has the writer do all that a change needs of the disk,
    /// without a change. It answers when it has seen to what came before; its end is an answer, too.
    pub fn probe(&self) -> oneshot::Receiver<io::Result<()>> {
        let (caller, outcome) = oneshot::channel();
        let _ = self.sender.send(Request::Probe(caller));
        outcome
    }

    /// What it counts and times of its work.
    pub fn instruments(&self) -> &Instruments {
        &self.instruments
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
