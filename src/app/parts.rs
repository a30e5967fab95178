//! The parts of a service, made as the settings ask for them.

use std::sync::Arc;

use super::monitoring::Monitoring;
use super::{Stores, World, pages_key};
use crate::auth::accounts::{Accounts, Attempts};
use crate::auth::base::BaseAuth;
use crate::auth::basic::BasicAuth;
use crate::auth::hashing::{Hasher, Lanes};
use crate::auth::none::NoAuth;
use crate::auth::session::{SessionAuth, Sessions};
use crate::auth::session_db::SessionDBAuth;
use crate::auth::session_exp::SessionExpAuth;
use crate::auth::throttle::Throttle;
use crate::auth::{Auth, cookie::SessionCookie};
use crate::config::{AuthType, Config};
use crate::error::Result;
use crate::models::{Lifetimes, UserSession, Work};
use crate::store::memory::MemoryTable;
use crate::store::{OpenError, Records as _, SessionStore, UserStore};
use crate::web::Pages;

/// The pages, where they are wanted and there are sessions to begin on them.
pub(super) fn pages(
    config: &Config,
    world: &World,
    auth: &dyn Auth,
    monitoring: &Monitoring,
) -> Result<Option<Pages>, OpenError> {
    if !config.pages || auth.sessions().is_none() {
        return Ok(None);
    }
    let key = match config.pages_key() {
        Some(secret) => pages_key::derived(secret),
        None => pages_key::in_directory(&config.data_dir, world.random.as_ref())
            .map_err(OpenError::Unusable)?,
    };
    Ok(Some(Pages::new(&key, config.is_https(), monitoring.health())))
}

/// The accounts over a data directory.
pub fn accounts(config: &Config, world: &World, stores: &Stores) -> std::io::Result<Accounts> {
    let works = stores.users.table().iter().filter_map(|user| user.password_hash.work());
    accounts_in(Arc::clone(&stores.users) as _, config, world, works)
}

/// The accounts in a store, whose passwords are hashed with these works beside that in force.
pub(super) fn accounts_in(
    users: Arc<dyn UserStore>,
    config: &Config,
    world: &World,
    works: impl IntoIterator<Item = Work>,
) -> std::io::Result<Accounts> {
    let (lanes, queue) = config.hash_lanes();
    let lanes = Lanes::start(lanes, queue, Arc::clone(&world.clock))?;
    let (cost, random) = (config.hash_cost(), Arc::clone(&world.random));
    let throttle =
        |mistakes| Throttle::new(mistakes, config.hash_lanes().0, Arc::clone(&world.clock));
    Ok(Accounts {
        users,
        hasher: Hasher::new(lanes, cost, cost, random).beside(works),
        password_rules: config.password_rules(),
        throttle: config.login_attempts().map(throttle),
        clock: Arc::clone(&world.clock),
        random: Arc::clone(&world.random),
        attempts: Attempts::default(),
    })
}

/// The kind of authentication that the settings ask for, over a store of sessions of one's `own`, if
/// there is one.
pub(super) fn kind(
    config: &Config,
    world: &World,
    stores: &Stores,
    own: Option<&Arc<dyn SessionStore>>,
    accounts: &Arc<Accounts>,
) -> Result<Arc<dyn Auth>> {
    let cookie: SessionCookie = config.cookie();
    let sessions = |store: Arc<dyn SessionStore>| Sessions {
        store,
        users: Arc::clone(&accounts.users),
        clock: Arc::clone(&world.clock),
        random: Arc::clone(&world.random),
        cookie: config.cookie(),
        lifetimes: Lifetimes::default(),
        per_user: config.sessions_per_user(),
    };
    let expiring = |store| SessionExpAuth::new(sessions(store), config.lifetime());
    let in_memory =
        || own.map_or_else(|| Arc::new(MemoryTable::<UserSession>::default()) as _, Arc::clone);
    let durable = || own.map_or_else(|| Arc::clone(&stores.sessions) as _, Arc::clone);
    Ok(match config.auth_type {
        AuthType::None => Arc::new(NoAuth { cookie }),
        AuthType::Auth => Arc::new(BaseAuth { cookie }),
        AuthType::BasicAuth => Arc::new(BasicAuth::new(Arc::clone(accounts), cookie)?),
        AuthType::SessionAuth => Arc::new(SessionAuth(sessions(in_memory()))),
        AuthType::SessionExpAuth => Arc::new(expiring(in_memory())),
        AuthType::SessionDBAuth => Arc::new(SessionDBAuth(expiring(durable()))),
    })
}
