//! The composition root: the only place that names concrete stores and kinds of authentication.

mod stores;

use std::sync::Arc;
use std::time::Duration;

use actix_web::{rt, web};

use crate::api::{self, BodyTimeout, Document, LoginErrors};
use crate::auth::accounts::{Accounts, NewUser};
use crate::auth::audit::{self, About, Event, Trace};
use crate::auth::base::BaseAuth;
use crate::auth::basic::BasicAuth;
use crate::auth::guard::{Guard, GuardRules};
use crate::auth::hashing::{Hasher, Lanes};
use crate::auth::none::NoAuth;
use crate::auth::proxies::Proxies;
use crate::auth::redirects::Redirects;
use crate::auth::session::{SessionAuth, Sessions};
use crate::auth::session_db::SessionDBAuth;
use crate::auth::session_exp::SessionExpAuth;
use crate::auth::throttle::Throttle;
use crate::auth::{Auth, cookie::SessionCookie};
use crate::clock::{Clock, SystemClock};
use crate::config::{AuthType, Config, FirstAdmin};
use crate::error::Result;
use crate::models::{Lifetimes, Role, UserSession};
use crate::random::{Random, SystemRandom};
use crate::server::{self, Bound};
use crate::store::backups::Backups;
use crate::store::files::{Disk, Files};
use crate::store::memory::MemoryTable;
use crate::store::{OpenError, Records as _, SessionStore, UserStore};
use crate::web::{self as pages, DocsPage};

pub use stores::{Found, Stores};

/// Between two sweeps of what has expired.
const SWEEP_INTERVAL: Duration = Duration::from_mins(1);

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

/// A service that is ready to answer: its stores, its accounts and its kind of authentication.
pub struct Service {
    stores: Stores,
    accounts: Arc<Accounts>,
    auth: Arc<dyn Auth>,
    backups: Arc<Backups>,
    rules: Arc<GuardRules>,
    proxies: Proxies,
    redirects: Redirects,
    login_errors: LoginErrors,
    body_timeout: BodyTimeout,
    docs: Option<Docs>,
}

/// The documentation of the API: for programs, and for people.
type Docs = (web::Data<Document>, web::Data<DocsPage>);

impl Service {
    /// Opens the service that the settings describe.
    pub fn open(config: &Config) -> Result<Self, OpenError> {
        Self::open_in(config, &World::default())
    }

    /// The same in another world.
    pub fn open_in(config: &Config, world: &World) -> Result<Self, OpenError> {
        let stores = Stores::open(&config.data_dir, world)?;
        let accounts = accounts(config, world, &stores)
            .map_err(|cause| OpenError::Unusable(format!("hashing lanes: {cause}")))?;
        let accounts = Arc::new(accounts);
        let auth = kind(config, world, &stores, &accounts)
            .map_err(|error| OpenError::Unusable(error.to_string()))?;
        let (files, clock) = (Arc::clone(&world.files), Arc::clone(&world.clock));
        let backups = Backups::new(&config.data_dir, &config.backup_dir(), files, clock);
        Ok(Self {
            stores,
            accounts,
            auth,
            backups: Arc::new(backups),
            rules: Arc::new(config.guard_rules()),
            proxies: config.trusted_proxies.clone(),
            redirects: config.redirects(),
            login_errors: config.login_errors,
            body_timeout: BodyTimeout(config.body_timeout),
            docs: config.docs.then(|| docs(config)),
        })
    }

    /// Adds the API and the pages to an application: `App::new().configure(service.routes())`.
    pub fn routes(&self) -> impl FnOnce(&mut web::ServiceConfig) + use<> {
        let accounts = web::Data::from(Arc::clone(&self.accounts));
        let auth = web::Data::from(Arc::clone(&self.auth));
        let backups = web::Data::from(Arc::clone(&self.backups));
        let rules = web::Data::from(Arc::clone(&self.rules));
        let proxies = web::Data::new(self.proxies.clone());
        let redirects = web::Data::new(self.redirects.clone());
        let guard = self.guard();
        let login_errors = web::Data::new(self.login_errors);
        let body_timeout = web::Data::new(self.body_timeout);
        let docs = self.docs.clone();
        move |config| {
            config.app_data(accounts).app_data(auth).app_data(rules).app_data(proxies);
            config
                .app_data(redirects)
                .app_data(login_errors)
                .app_data(body_timeout)
                .app_data(backups);
            if let Some((document, page)) = docs {
                config.app_data(document).app_data(page).configure(pages::docs);
            }
            api::configure(config, guard);
        }
    }

    /// Takes the address in the settings, to answer the API there. The error is one line.
    pub fn bind(self: &Arc<Self>, config: &Config) -> Result<Bound, String> {
        let service = Arc::clone(self);
        server::bind(config, move |routes| service.routes()(routes))
    }

    /// Removes what has expired, once a minute, for ever.
    pub async fn sweep(self: Arc<Self>) {
        loop {
            if let Err(error) = self.auth.sweep().await {
                log::warn!("what has expired stays for now: {error}");
            }
            rt::time::sleep(SWEEP_INTERVAL).await;
        }
    }

    /// The guard of the API, for routes outside it.
    pub fn guard(&self) -> Guard {
        Guard { auth: Arc::clone(&self.auth), rules: Arc::clone(&self.rules) }
    }

    /// Who is speaking, for handlers outside the API.
    pub fn auth(&self) -> &Arc<dyn Auth> {
        &self.auth
    }

    /// The accounts.
    pub fn accounts(&self) -> &Arc<Accounts> {
        &self.accounts
    }

    /// Makes backups.
    pub fn backups(&self) -> &Arc<Backups> {
        &self.backups
    }

    /// How many sessions there are.
    pub async fn session_count(&self) -> Result<usize> {
        match self.auth.sessions() {
            Some(sessions) => sessions.store.count().await,
            None => Ok(0),
        }
    }

    /// Makes the first admin when there are no users yet, and tells whether it did.
    pub async fn create_first_admin(&self, admin: FirstAdmin) -> Result<bool> {
        if self.accounts.users.count().await? > 0 {
            return Ok(false);
        }
        let (email, password, role) = (admin.email.to_string(), admin.password, Role::Admin);
        // The operator chose it himself: there is nothing to change.
        let must_change = false;
        let new = NewUser { email, password, first_name: None, last_name: None, role, must_change };
        let admin = self.accounts.create(new).await?;
        let about = About::done_to(admin.id, None).detail("first admin");
        audit::record(Event::UserCreated, &Trace::default(), &about);
        Ok(true)
    }

    /// Ends the service: waits for the changes on their way and folds the journals.
    pub async fn close(&self) -> Result<()> {
        self.stores.close().await
    }
}

fn docs(config: &Config) -> Docs {
    let document = Document::new(config.cookie().name());
    (web::Data::new(document), web::Data::new(DocsPage::default()))
}

/// The accounts over a data directory.
pub fn accounts(config: &Config, world: &World, stores: &Stores) -> std::io::Result<Accounts> {
    let (lanes, queue) = config.hash_lanes();
    let lanes = Lanes::start(lanes, queue)?;
    let works = stores.users.table().iter().filter_map(|user| user.password_hash.work());
    let (cost, random) = (config.hash_cost(), Arc::clone(&world.random));
    let throttle =
        |mistakes| Throttle::new(mistakes, config.hash_lanes().0, Arc::clone(&world.clock));
    Ok(Accounts {
        users: Arc::clone(&stores.users) as Arc<dyn UserStore>,
        hasher: Hasher::new(lanes, cost, cost, random).beside(works),
        password_rules: config.password_rules(),
        throttle: config.login_attempts().map(throttle),
        clock: Arc::clone(&world.clock),
        random: Arc::clone(&world.random),
    })
}

/// The kind of authentication that the settings ask for.
fn kind(
    config: &Config,
    world: &World,
    stores: &Stores,
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
    let in_memory = || Arc::new(MemoryTable::<UserSession>::default());
    Ok(match config.auth_type {
        AuthType::None => Arc::new(NoAuth { cookie }),
        AuthType::Auth => Arc::new(BaseAuth { cookie }),
        AuthType::BasicAuth => Arc::new(BasicAuth::new(Arc::clone(accounts), cookie)?),
        AuthType::SessionAuth => Arc::new(SessionAuth(sessions(in_memory()))),
        AuthType::SessionExpAuth => Arc::new(expiring(in_memory())),
        AuthType::SessionDBAuth => {
            Arc::new(SessionDBAuth(expiring(Arc::clone(&stores.sessions) as _)))
        }
    })
}
