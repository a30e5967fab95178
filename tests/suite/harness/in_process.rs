use std::ops::Deref;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::rt::System;
use sessiond::app::{Service, World};
use sessiond::auth::accounts::NewUser;
use sessiond::clock::{ManualClock, Timestamp};
use sessiond::config::{Config, FirstAdmin};
use sessiond::models::{Email, Role, User, UserId};
use sessiond::store::OpenError;
use sessiond::store::files::Disk;
use tokio::sync::oneshot;

use super::client::Client;
use super::process::TempDir;
use super::{ADMIN, ADMIN_PASSWORD, Fate, PASSWORD, WatchedFiles};

/// What the clock of every such server shows at first: 2026-01-02T03:04:05.678Z.
pub const START: Timestamp = Timestamp::from_millis(1_767_323_045_678);

/// The service in this process, answering real requests, in a world that the test controls.
pub struct InProcess {
    client: Client,
    monitoring: Option<Client>,
    pub service: Arc<Service>,
    pub clock: Arc<ManualClock>,
    flags_so_far: Vec<String>,
    directory: TempDir,
    running: Running,
}

/// A server that stops when this value goes away.
struct Running {
    handle: ServerHandle,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Running {
    fn drop(&mut self) {
        block_on(self.handle.stop(true));
        let ended = self.thread.take().map(JoinHandle::join);
        assert!(ended.is_none_or(|ended| ended.is_ok()) || std::thread::panicking());
    }
}

impl InProcess {
    /// A server with these flags, and with the first admin.
    pub fn with(flags: &[&str]) -> Self {
        Self::in_world(flags, World::default())
    }

    /// The same on a disk of whose operations a test decides the fate.
    pub fn on_disk(decide: impl Fn(&str) -> Fate + Send + Sync + 'static) -> Self {
        let files = Arc::new(WatchedFiles::new(Disk, decide));
        Self::in_world(&[], World { files, ..World::default() })
    }

    /// The same in a world of which only the clock is replaced.
    pub fn in_world(flags: &[&str], world: World) -> Self {
        let directory = TempDir::new();
        let flags_so_far = flags.iter().map(|flag| (*flag).to_owned()).collect();
        Self::open(flags_so_far, directory, world, START)
    }

    fn open(flags_so_far: Vec<String>, directory: TempDir, world: World, now: Timestamp) -> Self {
        let data = directory.data().display().to_string();
        let mut flags = vec!["--api-port", "0", "--data-dir", &data];
        let backups = directory.path().join("backups").display().to_string();
        for default in [
            ["--unsafe-fast-hash", "1"],
            ["--workers", "1"],
            ["--hash-lanes", "1"],
            ["--backup-dir", &backups],
        ] {
            if !flags_so_far.iter().any(|flag| flag == default[0]) {
                flags.extend(default);
            }
        }
        flags.extend(flags_so_far.iter().map(String::as_str));
        let config = Config::from_arguments(&flags).unwrap();
        let clock = Arc::new(ManualClock::at(now));
        let world = World { clock: clock.clone(), ..world };
        let service = Arc::new(open(&config, &world));
        let email = Email::new(ADMIN).unwrap();
        let admin = FirstAdmin { email, password: ADMIN_PASSWORD.to_owned() };
        block_on(service.create_first_admin(admin)).unwrap();
        let (sender, started) = oneshot::channel();
        let answering = Arc::clone(&service);
        let thread = std::thread::spawn(move || {
            block_on(async move {
                let bound = answering.bind(&config).unwrap();
                let addresses = (bound.addresses()[0], bound.monitoring_address());
                let server = bound.into_server();
                sender.send((addresses, server.handle())).unwrap();
                server.await.unwrap();
            });
        });
        let ((address, monitoring), handle) = started.blocking_recv().unwrap();
        let (client, monitoring) = (Client::at(address), monitoring.map(Client::at));
        let running = Running { handle, thread: Some(thread) };
        Self { client, monitoring, service, clock, flags_so_far, directory, running }
    }

    /// Who asks for health and metrics, at an address of their own if there is one.
    pub fn monitoring(&self) -> &Client {
        self.monitoring.as_ref().unwrap_or(&self.client)
    }

    /// Lets time pass.
    pub fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    /// Makes a user with [`PASSWORD`], as the command line would.
    pub fn add_user(&self, email: &str, role: Role) -> Arc<User> {
        let (email, password, must_change) = (email.to_owned(), PASSWORD.to_owned(), false);
        let new = NewUser { email, password, first_name: None, last_name: None, role, must_change };
        block_on(self.service.accounts().create(new)).unwrap()
    }

    /// Gives a user another password, as the command line would.
    pub fn set_password(&self, id: UserId, password: &str) {
        let accounts = self.service.accounts();
        block_on(async {
            let user = accounts.users.get(id).await.unwrap().unwrap();
            let hash = accounts.hash(password.to_owned(), &user).await.unwrap();
            accounts.set_password(id, hash, false).await.unwrap().unwrap();
        });
    }

    /// Clears away what has expired, as happens once a minute.
    pub fn sweep(&self) {
        block_on(self.service.auth().sweep()).unwrap();
    }

    /// Stops the server and starts it on the same data at this time.
    pub fn restart(self, now: Timestamp) -> Self {
        self.restart_with(&[], now)
    }

    /// The same with flags more, each with its value; one that was there takes the new value.
    pub fn restart_with(self, flags: &[&str], now: Timestamp) -> Self {
        let Self { service, directory, running, mut flags_so_far, .. } = self;
        drop(running);
        block_on(service.close()).unwrap();
        drop(service);
        for pair in flags.chunks(2) {
            if let Some(at) = flags_so_far.iter().position(|flag| flag == pair[0]) {
                flags_so_far.drain(at..at + 2);
            }
            flags_so_far.extend(pair.iter().map(|flag| (*flag).to_owned()));
        }
        Self::open(flags_so_far, directory, World::default(), now)
    }

    /// The data directory.
    pub fn data(&self) -> PathBuf {
        self.directory.data()
    }
}

impl Deref for InProcess {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

/// Opens a service. After a restart the directory is in use for a moment longer: until the last
/// worker has gone, and until a program that another test is starting has let go of our lock.
fn open(config: &Config, world: &World) -> Service {
    for _ in 0..1_000_000 {
        match Service::open_in(config, world) {
            Err(OpenError::InUse(_)) => std::thread::yield_now(),
            opened => return opened.unwrap(),
        }
    }
    panic!("{} stays in use", config.data_dir.display());
}

/// Waits for what is to be awaited.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    System::new().block_on(future)
}
