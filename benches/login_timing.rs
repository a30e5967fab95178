//! Whether the time that a refused login takes tells who exists (ASVS 6.3.8).
//!
//! `just bench-timing` asks a service in this process over HTTP: with an address that nobody has, with
//! a wrong password, as a disabled user, and with a wrong password against the hashes of other
//! programs, by login and by Basic, in random order. It prints the
//! median of each, how far it is from that of a wrong password, and the noise: how far one try with a
//! wrong password is from their median, and how far the medians of two halves of them are from each
//! other. What is smaller than the noise tells nobody anything by one try.

#![expect(clippy::unwrap_used, reason = "a measurement that cannot go on has failed")]
#![expect(clippy::print_stdout, reason = "the result")]

#[allow(dead_code, unused_imports, reason = "the tests use the rest of it")]
#[path = "../tests/suite"]
mod suite {
    pub mod harness;
}
use suite::harness;

use std::time::{Duration, Instant};

use harness::{InProcess, PASSWORD, Request, START, block_on};
use serde_json::json;
use sessiond::models::{Email, PasswordHash, User, UserId};
use sessiond::random::{self, SystemRandom};

/// How often each is tried.
const TRIES: usize = 200;
/// The lowest cost of hashes that can be set.
const COST: &str = "10";

const BOB: &str = "bob@example.com";
const DISABLED: &str = "disabled@example.com";

/// What is tried. The first is what the others are compared with.
const SERIES: [&str; 5] =
    ["wrong password", "unknown e-mail", "disabled user", "argon2id hash", "PBKDF2 hash"];

/// The users whose hashes another program made, at costs that are usual there.
const FOREIGN: [(&str, &str); 2] = [
    (
        "argon2id@example.com",
        "$argon2id$v=19$m=19456,t=2,p=1$qLNTo43m27os3BuDF31cmA$AneQMk3Ev7iRICJST+7omthHLOesyIYjc/ra932D6Qk",
    ),
    (
        "pbkdf2@example.com",
        "pbkdf2_sha256$120000$12mcdU0X34VmwYXsTbqlxL$xhPg3cWTOvNj0PXMXRauf548CoafCUiBWS5UdRGu8pY=",
    ),
];

fn main() {
    for (pathway, kind) in [("login", "session_db_auth"), ("basic", "basic_auth")] {
        let server = service(kind);
        println!("{pathway}: {TRIES} tries each, cost {COST}");
        report(&measure(|series| attempt(&server, pathway, series)));
    }
}

/// A service that does not count mistakes, with a user, one who is disabled, and those of another
/// program.
fn service(kind: &str) -> InProcess {
    let flags = ["--unsafe-fast-hash", "0", "--bcrypt-cost", COST, "--login-throttle", "off"];
    let server = InProcess::with(&[&["--auth-type", kind], &flags[..]].concat());
    let by_admin = |request: Request| match kind {
        "basic_auth" => request.basic(harness::ADMIN, harness::ADMIN_PASSWORD),
        _ => request.session(&server.admin()),
    };
    for email in [BOB, DISABLED] {
        let new = json!({ "email": email, "password": PASSWORD });
        let made = by_admin(server.post("/api/v1/users")).json(&new).send();
        let path = format!("/api/v1/users/{}", made.json()["id"].as_str().unwrap());
        let change = json!({ "disabled": email == DISABLED });
        assert_eq!(by_admin(server.put(&path)).json(&change).send().status, 200);
    }
    for (email, hash) in FOREIGN {
        let id = UserId::generate(&SystemRandom).unwrap();
        let hash = PasswordHash::read(hash).unwrap();
        let user = User::new(id, Email::new(email).unwrap(), hash, START);
        block_on(server.service.accounts().users.insert(user)).unwrap();
    }
    // As after an import: what there is in the store is looked at when it starts.
    server.restart(START)
}

/// A refused login that has not been tried before, not sent yet.
fn attempt(server: &InProcess, pathway: &str, series: usize) -> Request {
    let something = number();
    let (email, password) = match SERIES[series] {
        "unknown e-mail" => (format!("{something:x}@example.com"), PASSWORD.to_owned()),
        "disabled user" => (DISABLED.to_owned(), PASSWORD.to_owned()),
        "argon2id hash" => (FOREIGN[0].0.to_owned(), format!("{something:x}")),
        "PBKDF2 hash" => (FOREIGN[1].0.to_owned(), format!("{something:x}")),
        _ => (BOB.to_owned(), format!("{something:x}")),
    };
    match pathway {
        "basic" => server.get("/api/v1/users/me").basic(&email, &password),
        _ => server.login(&[("email", &email), ("password", &password)]),
    }
}

/// How long each took, by what was tried, in the order of the tries.
fn measure(attempt: impl Fn(usize) -> Request) -> [Vec<Duration>; SERIES.len()] {
    let mut order: Vec<usize> = (0..SERIES.len() * TRIES).map(|n| n % SERIES.len()).collect();
    order.sort_by_cached_key(|_| number());
    let mut times = SERIES.map(|_| Vec::with_capacity(TRIES));
    for series in order {
        let request = attempt(series);
        let began = Instant::now();
        let answer = request.send();
        times[series].push(began.elapsed());
        assert!(matches!(answer.status, 401 | 403), "{answer:?}");
    }
    times
}

fn report(times: &[Vec<Duration>; SERIES.len()]) {
    let medians = times.each_ref().map(|times| median(times));
    let ratio = |time: Duration| time.as_secs_f64() / medians[0].as_secs_f64();
    let distances: Vec<Duration> = times[0].iter().map(|time| time.abs_diff(medians[0])).collect();
    let (first, second) = times[0].split_at(TRIES / 2);
    let (one, halves) = (ratio(median(&distances)), ratio(median(first).abs_diff(median(second))));
    let milliseconds = |time: Duration| time.as_secs_f64() * 1e3;
    println!(
        "  {:14} median {:.3} ms; noise: one try is off by {one:.4}, the halves by {halves:.4}",
        SERIES[0],
        milliseconds(medians[0])
    );
    for (name, median) in SERIES.iter().zip(medians).skip(1) {
        let difference = ratio(median.abs_diff(medians[0]));
        let verdict = if difference <= one { "below the noise" } else { "ABOVE the noise" };
        let median = milliseconds(median);
        println!("  {name:14} median {median:.3} ms, off by {difference:.4}: {verdict}");
    }
}

fn median(times: &[Duration]) -> Duration {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    sorted[sorted.len() / 2]
}

/// A number that nobody can guess.
fn number() -> u64 {
    u64::from_be_bytes(random::bytes(&SystemRandom).unwrap())
}
