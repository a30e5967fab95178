//! The data directory: found, mended, and taken into use.

use std::panic::resume_unwind;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::World;
use crate::error::Result;
use crate::models::{User, UserSession};
use crate::store::OpenError;
use crate::store::directory::DataDirectory;
use crate::store::json::JsonTable;
use crate::store::load::Loaded;
use crate::store::repair::{Repair, repair};

/// How far the clock may be behind the records without a word.
const CLOCK_SKEW: Duration = Duration::from_mins(1);

/// A data directory as it was found: locked, read and verified, and not changed.
pub struct Found {
    /// The users.
    pub users: Loaded<User>,
    /// The sessions of `session_db_auth`.
    pub sessions: Loaded<UserSession>,
    directory: DataDirectory,
}

impl Found {
    /// Locks and reads a data directory that is there.
    pub fn read(path: &Path, world: &World) -> Result<Self, OpenError> {
        Self::read_in(DataDirectory::open_existing(path)?, world)
    }

    /// Locks a data directory that is there, mends it and reads it; tells what was mended.
    pub fn repair(path: &Path, world: &World) -> Result<(Repair, Self), OpenError> {
        let directory = DataDirectory::open_existing(path)?;
        let repair = repair(world.files.as_ref(), directory.path())?;
        Ok((repair, Self::read_in(directory, world)?))
    }

    fn read_in(directory: DataDirectory, world: &World) -> Result<Self, OpenError> {
        let (files, path) = (world.files.as_ref(), directory.path());
        // Side by side: with a million of each it takes seconds.
        let (users, sessions) = thread::scope(|scope| {
            let sessions = scope.spawn(|| Loaded::read(files, path));
            let users = Loaded::read(files, path);
            (users, sessions.join().unwrap_or_else(|panic| resume_unwind(panic)))
        });
        Ok(Self { users: users?, sessions: sessions?, directory })
    }

    /// Starts to take changes. From here on the clock is at least where the records are.
    pub fn start(self, world: &World) -> Stores {
        if let Some(newest) = self.users.newest_time().max(self.sessions.newest_time()) {
            let now = world.clock.now();
            if newest > now.plus(CLOCK_SKEW) {
                log::warn!(
                    "a record is of {newest}, and the clock shows {now}: time goes on from the record"
                );
            }
            world.clock.not_before(newest);
        }
        if let Err(cause) = self.directory.tighten() {
            let path = self.directory.path().display();
            log::warn!("{path}: files may be readable by others: {cause}");
        }
        Stores {
            users: Arc::new(JsonTable::start(self.users, Arc::clone(&world.files))),
            sessions: Arc::new(JsonTable::start(self.sessions, Arc::clone(&world.files))),
            _directory: self.directory,
        }
    }
}

/// A data directory that takes changes.
pub struct Stores {
    /// The users.
    pub users: Arc<JsonTable<User>>,
    /// The sessions of `session_db_auth`.
    pub sessions: Arc<JsonTable<UserSession>>,
    _directory: DataDirectory,
}

impl Stores {
    /// Locks and reads a data directory, made if it is missing, and starts to take changes.
    pub fn open(path: &Path, world: &World) -> Result<Self, OpenError> {
        Ok(Found::read_in(DataDirectory::open(path)?, world)?.start(world))
    }

    /// Folds the journals and ends the writers.
    pub async fn close(&self) -> Result<()> {
        let (users, sessions) = (self.users.close().await, self.sessions.close().await);
        users.and(sessions)
    }
}
