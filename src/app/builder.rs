//! A service in which a program has put something of its own.

use std::fmt;
use std::sync::Arc;

use super::{Service, World};
use crate::auth::Auth;
use crate::auth::accounts::Accounts;
use crate::config::Config;
use crate::store::{OpenError, SessionStore, UserStore};

/// A service in the making: what the settings say, but for what is put in its place here.
///
/// ```no_run
/// # use std::sync::Arc;
/// # use sessiond::{Config, Service, models::UserSession, store::memory::MemoryTable};
/// # let config = Config::from_environment()?;
/// // In the place of the table, a store of your own.
/// let sessions = Arc::new(MemoryTable::<UserSession>::default());
/// let service = Service::builder(&config).sessions(sessions).open()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// The data directory is made and locked whatever is put in its place. Backups and the commands of
/// the program know of nothing else.
#[must_use = "a service is made by `open`"]
pub struct Builder<'c> {
    pub(super) config: &'c Config,
    pub(super) world: World,
    pub(super) users: Option<Arc<dyn UserStore>>,
    pub(super) sessions: Option<Arc<dyn SessionStore>>,
    pub(super) auth: Option<MakeAuth<'c>>,
}

/// Makes a kind of authentication over these accounts.
type MakeAuth<'c> = Box<dyn FnOnce(&Arc<Accounts>) -> Arc<dyn Auth> + 'c>;

impl<'c> Builder<'c> {
    pub(super) fn new(config: &'c Config) -> Self {
        Self { config, world: World::default(), users: None, sessions: None, auth: None }
    }

    /// Takes clock, randomness and disk from another world.
    pub fn world(self, world: &World) -> Self {
        Self { world: world.clone(), ..self }
    }

    /// Keeps users there. What a refused login costs is made the same for hashes of this service
    /// alone; if others are in the store, the time that it takes may tell who exists.
    pub fn users(self, store: Arc<dyn UserStore>) -> Self {
        Self { users: Some(store), ..self }
    }

    /// Keeps sessions there, whichever kind with sessions is in force.
    pub fn sessions(self, store: Arc<dyn SessionStore>) -> Self {
        Self { sessions: Some(store), ..self }
    }

    /// Asks this kind of authentication who is speaking, and not that of `AUTH_TYPE`.
    pub fn auth(self, kind: impl FnOnce(&Arc<Accounts>) -> Arc<dyn Auth> + 'c) -> Self {
        Self { auth: Some(Box::new(kind)), ..self }
    }

    /// Opens the service.
    pub fn open(self) -> Result<Service, OpenError> {
        Service::put_together(self)
    }
}

impl fmt::Debug for Builder<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").finish_non_exhaustive()
    }
}
