//! What a service takes from the world.

use std::fmt;
use std::sync::Arc;

use crate::clock::{Clock, SystemClock};
use crate::random::{Random, SystemRandom};
use crate::store::files::{Disk, Files};

/// What the service takes from the world, so that a test can put something else in its place.
#[derive(Clone)]
pub struct World {
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Makes secrets.
    pub random: Arc<dyn Random>,
    /// Reads and writes files.
    pub files: Arc<dyn Files>,
}

impl Default for World {
    fn default() -> Self {
        Self {
            clock: Arc::new(SystemClock::new()),
            random: Arc::new(SystemRandom),
            files: Arc::new(Disk),
        }
    }
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("World").finish_non_exhaustive()
    }
}
