//! The composition root: the only place that names concrete stores and kinds of authentication.

mod builder;
mod monitoring;
mod pages_key;
mod parts;
mod stores;
mod world;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use actix_web::{rt, web};

use crate::acts::LoginErrors;
use crate::api::{self, BodyTimeout};
use crate::auth::Auth;
use crate::auth::accounts::{Accounts, NewUser};
use crate::auth::audit::{self, About, Event, Trace};
use crate::auth::guard::{Guard, GuardRules};
use crate::auth::proxies::Proxies;
use crate::auth::redirects::Redirects;
use crate::config::{Config, FirstAdmin};
use crate::error::{Error, Result};
use crate::models::Role;
use crate::server::{self, Bound, Traffic};
use crate::store::OpenError;
use crate::store::backups::Backups;
use crate::web::{Docs, Pages, nothing_here};

use monitoring::{Monitoring, Parts, Reach};

pub use builder::Builder;
pub use monitoring::document;
pub use parts::accounts;
use parts::{accounts_in, kind, pages};
pub use stores::{Found, Stores};
pub use world::World;

/// Between two sweeps of what has expired.
const SWEEP_INTERVAL: Duration = Duration::from_mins(1);

/// A service that is ready to answer: its stores, its accounts and its kind of authentication.
pub struct Service {
    stores: Arc<Stores>,
    accounts: Arc<Accounts>,
    auth: Arc<dyn Auth>,
    backups: Arc<Backups>,
    traffic: Traffic,
    monitoring: Monitoring,
    rules: Arc<GuardRules>,
    proxies: Proxies,
    redirects: Redirects,
    login_errors: LoginErrors,
    body_timeout: BodyTimeout,
    docs: Option<Docs>,
    pages: Option<Pages>,
}

impl Service {
    /// Opens the service that the settings describe.
    pub fn open(config: &Config) -> Result<Self, OpenError> {
        Self::open_in(config, &World::default())
    }

    /// The same in another world.
    pub fn open_in(config: &Config, world: &World) -> Result<Self, OpenError> {
        Self::builder(config).world(world).open()
    }

    /// The service that the settings describe, but for what is put in its place: a store or a kind
    /// of authentication of one's own.
    pub fn builder(config: &Config) -> Builder<'_> {
        Builder::new(config)
    }

    fn put_together(builder: Builder<'_>) -> Result<Self, OpenError> {
        let Builder { config, ref world, users, sessions, auth } = builder;
        let stores = Arc::new(Stores::open(&config.data_dir, world)?);
        let accounts = match users {
            None => accounts(config, world, &stores),
            Some(users) => accounts_in(users, config, world, []),
        };
        let accounts =
            accounts.map_err(|cause| OpenError::Unusable(format!("hashing lanes: {cause}")))?;
        let accounts = Arc::new(accounts);
        let auth = match auth {
            None => kind(config, world, &stores, sessions.as_ref(), &accounts)
                .map_err(|error| OpenError::Unusable(error.to_string()))?,
            Some(own) => own(&accounts),
        };
        let (files, clock) = (Arc::clone(&world.files), Arc::clone(&world.clock));
        let backups = Backups::new(&config.data_dir, &config.backup_dir(), files, clock);
        let traffic = Traffic::default();
        let kind = config.auth_type.name();
        let parts =
            Parts { stores: &stores, accounts: &accounts, auth: (&auth, kind), traffic: &traffic };
        let monitoring = Monitoring::of(&parts, Arc::clone(&world.clock));
        let pages = pages(config, world, auth.as_ref(), &monitoring)?;
        Ok(Self {
            stores,
            accounts,
            auth,
            backups: Arc::new(backups),
            traffic,
            monitoring,
            rules: Arc::new(config.guard_rules()),
            proxies: config.trusted_proxies.clone(),
            redirects: config.redirects(),
            login_errors: config.login_errors,
            body_timeout: BodyTimeout(config.body_timeout),
            docs: config.docs.then(|| Docs::new(document(config.cookie().name()), config.origin())),
            pages,
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
        let (docs, pages) = (self.docs.clone(), self.pages.clone());
        move |config| {
            config.app_data(accounts).app_data(auth).app_data(rules).app_data(proxies);
            config
                .app_data(redirects)
                .app_data(login_errors)
                .app_data(body_timeout)
                .app_data(backups);
            // What is asked most comes first: paths are tried one after the other.
            api::configure(config, guard);
            Docs::configure(docs, config);
            Pages::configure(pages, config);
        }
    }

    /// Takes the addresses in the settings, to answer the API, and who asks for health and metrics.
    /// The error is one line.
    pub fn bind(self: &Arc<Self>, config: &Config) -> Result<Bound, String> {
        let (service, is_apart) = (Arc::clone(self), config.metrics_addr.0.is_some());
        let routes = move |routes: &mut web::ServiceConfig| {
            service.routes()(routes);
            if !is_apart {
                service.monitoring.configure(routes, Reach::ThisMachine);
            }
            if service.pages.is_some() {
                routes.default_service(web::to(nothing_here));
            }
        };
        let (monitoring, proxies) = (self.monitoring.clone(), self.proxies.clone());
        let apart = move |routes: &mut web::ServiceConfig| {
            routes.app_data(web::Data::new(proxies.clone()));
            monitoring.configure(routes, Reach::Everybody);
        };
        server::bind(config, &self.traffic, routes, apart)
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

    /// Makes the first admin of the settings when there are no users yet, and tells whether it did.
    /// Later the file of his password may be gone. The error is one line.
    pub async fn ensure_first_admin(&self, config: &Config) -> Result<bool, String> {
        let line = |error: Error| error.to_string();
        if self.accounts.users.count().await.map_err(line)? > 0 {
            return Ok(false);
        }
        let Some(admin) = config.first_admin()? else { return Ok(false) };
        self.create_first_admin(admin).await.map_err(line)
    }

    /// Ends the service: waits for the changes on their way and folds the journals.
    pub async fn close(&self) -> Result<()> {
        self.stores.close().await
    }
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service").finish_non_exhaustive()
    }
}
