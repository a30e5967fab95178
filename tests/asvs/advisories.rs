//! What others got wrong, and what shows that it is right here. One rule per bug, named by its
//! first advisory.

mod guards_routing_headers;
mod passwords_guessing;
mod sessions_cookies;
mod storage_logs_resources;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::json;
use sessiond::app::World;
use sessiond::auth::OPEN_PATHS;
use sessiond::random::{Random, SystemRandom};

use crate::files;
use crate::harness::{ADMIN, ADMIN_PASSWORD, Answer, Client, Fate, InProcess, PASSWORD, Request};
use crate::registry::Chapter;

pub const CHAPTERS: [&Chapter; 4] = [
    &guards_routing_headers::CHAPTER,
    &sessions_cookies::CHAPTER,
    &passwords_guessing::CHAPTER,
    &storage_logs_resources::CHAPTER,
];

const ME: &str = "/api/v1/users/me";
const USERS: &str = "/api/v1/users";
const LOGIN: &str = "/api/v1/auth_session/login";
const LOGOUT: &str = "/api/v1/auth_session/logout";
const REFRESH: &str = "/api/v1/auth_session/refresh";
const REAUTH: &str = "/api/v1/auth_session/reauth";
const MY_PASSWORD: &str = "/api/v1/users/me/password";
/// The first admin's login.
const ADMINS_LOGIN: [(&str, &str); 2] = [("email", ADMIN), ("password", ADMIN_PASSWORD)];

const WRONG: &str = "wrong one 77";
/// Where the owner of an account is.
const HOME: &str = "192.0.2.1";

/// A method and a path, with `{id}` for a user and `{session}` for a session.
#[derive(Clone, Debug, PartialEq)]
struct Route {
    method: String,
    path: String,
}

impl Route {
    /// A request for what belongs to this user, and this session of his.
    fn of(&self, client: &Client, user: &str, session: &str) -> Request {
        client.request(&self.method, &self.path.replace("{id}", user).replace("{session}", session))
    }

    fn is(&self, method: &str, path: &str) -> bool {
        self.method == method && self.path == format!("/api/v1{path}")
    }
}

/// Every route that somebody must be known for, as the source lists them: one that is new is tested
/// like the others.
fn protected_routes() -> Vec<Route> {
    let source = files::read("src/api.rs");
    let (_, listed) = source.split_once("fn routes(").unwrap();
    let mut routes = Vec::new();
    for resource in listed.split("at(").skip(1) {
        let mut texts = resource.split('"').skip(1).step_by(2);
        let Some((path, methods)) = texts.next().zip(texts.next()) else { continue };
        for method in methods.split(", ") {
            routes.push(Route { method: method.into(), path: format!("/api/v1{path}") });
        }
    }
    let listed = routes.len();
    routes.retain(|route| !OPEN_PATHS.contains(&route.path.as_str()));
    assert!(listed - routes.len() == 11 && routes.len() > 20, "{routes:?}");
    routes
}

/// Makes a plain user with [`PASSWORD`], and returns the id.
fn add_user(client: &Client, email: &str) -> String {
    let body = json!({ "email": email, "password": PASSWORD });
    let made = client.post(USERS).session(&client.admin()).json(&body).send();
    assert_eq!(made.status, 201, "{}", made.body);
    made.json()["id"].as_str().unwrap().to_owned()
}

/// Somebody who is logged in.
struct Person {
    id: String,
    email: String,
    session: String,
}

impl Person {
    /// A new plain user.
    fn new(client: &Client, name: &str) -> Self {
        let email = format!("{name}@example.com");
        let id = add_user(client, &email);
        let session = client.log_in(&email, PASSWORD);
        Self { id, email, session }
    }

    /// The first admin.
    fn admin(client: &Client) -> Self {
        let session = client.admin();
        let me = client.get(ME).session(&session).send().json();
        Self { id: me["id"].as_str().unwrap().to_owned(), email: ADMIN.into(), session }
    }

    /// His own path, and what follows it.
    fn path(&self, rest: &str) -> String {
        format!("{USERS}/{}{rest}", self.id)
    }
}

/// The status of a request by the session with this id.
fn status(client: &Client, session: &str) -> u16 {
    client.get(ME).session(session).send().status
}

/// A server of this kind in which guessing is not slowed down.
fn unthrottled(kind: &str) -> InProcess {
    InProcess::with(&["--auth-type", kind, "--login-throttle", "off"])
}

/// A server of this kind whose time stands still, behind a proxy that can name any client.
fn behind_a_proxy(kind: &str) -> InProcess {
    InProcess::with(&["--auth-type", kind, "--trusted-proxies", "127.0.0.1"])
}

/// An attempt to get in, as a kind takes it.
fn attempt(client: &Client, kind: &str, email: &str, password: &str) -> Request {
    if kind == "basic_auth" {
        client.get(ME).basic(email, password)
    } else {
        client.login(&[("email", email), ("password", password)])
    }
}

/// How many of these are examined and refused until one is turned away unexamined.
#[track_caller]
fn mistakes(mut next: impl FnMut() -> Request) -> usize {
    let refused = (0..200).take_while(|_| matches!(next().send().status, 401 | 403)).count();
    let turned_away = next().send();
    turned_away.assert_error(429, "Too many attempts, try again later");
    assert!(turned_away.header("set-cookie").is_none() && wait_of(&turned_away) > Duration::ZERO);
    refused
}

/// After what time there may be another attempt.
fn wait_of(answer: &Answer) -> Duration {
    Duration::from_secs(answer.header("retry-after").unwrap().parse().unwrap())
}

/// In hexadecimal digits.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"))
}

/// Holds that this crate is locked, and in no version before this one.
#[track_caller]
fn assert_locked(name: &str, at_least: [u64; 3]) {
    let lock = files::read("Cargo.lock");
    let package = format!("name = \"{name}\"\nversion = \"");
    let versions: Vec<&str> =
        lock.split(&package).skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(!versions.is_empty(), "{name} is not there");
    for version in versions {
        let numbers = version.split(['.', '-', '+']).map_while(|number| number.parse().ok());
        assert!(numbers.collect::<Vec<u64>>() >= at_least.to_vec(), "{name} {version}");
    }
}

/// Holds that no such crate is built in.
#[track_caller]
fn assert_without(name: &str) {
    assert!(!files::crates().iter().any(|locked| locked == name), "{name} is there");
}

/// Lets one operation fail: the n-th from when that is asked for.
#[derive(Clone, Default)]
struct Fault(Arc<AtomicUsize>);

impl Fault {
    fn arm(&self, n: usize) {
        self.0.store(n, Ordering::SeqCst);
    }

    /// From here on nothing fails; tells whether something has.
    fn disarm(&self) -> bool {
        self.0.swap(0, Ordering::SeqCst) == 0
    }

    fn step(&self) -> io::Result<()> {
        let count = |left: usize| left.checked_sub(1);
        match self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, count) {
            Ok(1) => Err(io::Error::other("on purpose")),
            _ => Ok(()),
        }
    }

    /// A server in whose world operations on files fail so.
    fn of_files(&self) -> InProcess {
        let fault = self.clone();
        // A write that fails leaves half of itself.
        InProcess::on_disk(move |_| if fault.step().is_ok() { Fate::Done } else { Fate::Torn })
    }

    /// One in whose world randomness fails so.
    fn of_randomness(&self) -> InProcess {
        let random = Arc::new(FaultyRandom(self.clone()));
        InProcess::in_world(&[], World { random, ..World::default() })
    }
}

struct FaultyRandom(Fault);

impl Random for FaultyRandom {
    fn fill(&self, bytes: &mut [u8]) -> io::Result<()> {
        self.0.step()?;
        SystemRandom.fill(bytes)
    }
}

/// Addresses that are all different.
fn addresses() -> impl Iterator<Item = String> {
    (0..).map(|n| format!("203.0.{}.{}", n / 256, n % 256))
}

/// Claims of an address change nothing, whether or not there is a proxy that may make them.
fn claimed_addresses_change_nothing() {
    let others = [
        "X_Forwarded_For",
        "X-Forwarded_For",
        "HTTP_X_FORWARDED_FOR",
        "X-Forwarded-For-",
        "X-Forwarded",
        "Forwarded-For",
        "Forwarded",
        "X-Real-IP",
        "X-Client-IP",
        "X-Cluster-Client-IP",
        "True-Client-IP",
        "CF-Connecting-IP",
        "Via",
    ];
    for kind in ["session_db_auth", "basic_auth"] {
        for (proxies, trusted) in [("", false), ("198.51.100.0/24", false), ("127.0.0.1", true)] {
            let server = InProcess::with(&["--auth-type", kind, "--trusted-proxies", proxies]);
            let mut claims = addresses();
            let next = || {
                let claim = claims.next().unwrap();
                let mut request = attempt(&server, kind, ADMIN, WRONG);
                for name in others {
                    let value =
                        if name == "Forwarded" { format!("for={claim}") } else { claim.clone() };
                    request = request.header(name, &value);
                }
                // What the client has written in the right header stands before what the proxy has;
                // with no proxy to trust, all of it is the client's.
                let proxys = if trusted { HOME } else { &claim };
                let request = request.header("x-forwarded-for", &claim);
                let request = request.header("X-FORWARDED-FOR", &format!("{claim}, {claim}"));
                request.header("X-Forwarded-For", &format!("{claim},{proxys}"))
            };
            assert_eq!(mistakes(next), 12, "{kind} {proxies:?}");
        }
    }
}
