//! What a flood of logins does to those who are logged in, and how the flood itself is answered.
//!
//! The server has one core, and so one worker and one hashing lane (cost 10) that share it; all
//! clients are on the other one. Somebody who is logged in asks who he is, on one connection at a
//! fixed pace far below what the server can do. Rounds at rest and under a flood take turns. The
//! flood comes on more connections than lane and queue hold, each with one login after the other,
//! right and wrong passwords by turns; whoever is refused waits a moment and comes again. The
//! throttle is off, so that the queue is what answers.
//!
//! A time is that from when a request was due, unless the client itself was late. What bcrypt does
//! on one core without a server is measured in each round, before the flood.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use sessiond::models::{Password, PasswordHash};
use sessiond::random::SystemRandom;

use crate::Effort;
use crate::figures::{figure, mebibytes, median, percentile, ratio};
use crate::harness::{ADMIN, ADMIN_PASSWORD, Client, PASSWORD, Program};
use crate::process::{pin_client, resident};
use crate::server::Server;

const BOB: &str = "bob@example.com";
const COST: u32 = 10;
/// Between two requests of the one who is logged in.
const PACE: Duration = Duration::from_millis(2);
/// Connections of the flood: half as many again as one lane and the queue hold.
const FLOOD: usize = 96;
/// How long who was refused waits.
const AGAIN: Duration = Duration::from_millis(100);
/// How long the flood has to fill the queue before anything is measured.
const RISE: Duration = Duration::from_secs(1);
/// Hashes verified to learn how many bcrypt does.
const HASHES: u32 = 20;

pub fn measure(effort: &Effort) {
    pin_client();
    let program = Program::of("session_db_auth").unset("UNSAFE_FAST_HASH");
    let program = program.set("RUST_LOG", "off").set("LOGIN_THROTTLE", "off");
    let server = Server::of(program.set("BCRYPT_COST", &COST.to_string()));
    let caller = Caller::new(&server);
    caller.add_bob();
    let idle = resident(server.process);
    let rounds: Vec<Round> = (0..effort.floods)
        .map(|_| {
            let bcrypt = bcrypt_per_second();
            let rest = caller.ask_for(effort.flood);
            let (times, answers, per_second) = flooded(&server, || caller.ask_for(effort.flood));
            Round { bcrypt, rest, times, answers, per_second, resident: resident(server.process) }
        })
        .collect();
    report(idle, &rounds);
}

struct Round {
    /// Hashes that bcrypt alone verifies in a second.
    bcrypt: f64,
    /// Times of the one who is logged in, in microseconds.
    rest: Vec<f64>,
    /// The same under the flood.
    times: Vec<f64>,
    answers: Answers,
    /// Logins that got as far as a lane, in a second.
    per_second: f64,
    /// Resident memory of the server after it, in bytes.
    resident: usize,
}

/// Somebody who is logged in.
struct Caller<'s> {
    server: &'s Server,
    session: String,
}

impl<'s> Caller<'s> {
    fn new(server: &'s Server) -> Self {
        Self { server, session: server.log_in(ADMIN, ADMIN_PASSWORD) }
    }

    /// Makes the user whom the flood logs in: only so many sessions of one user live on.
    fn add_bob(&self) {
        let new = json!({ "email": BOB, "password": PASSWORD });
        let answer = self.server.post("/api/v1/users").session(&self.session).json(&new).send();
        assert_eq!(answer.status, 201, "{answer:?}");
    }

    /// Asks at his pace for so long; returns how long each answer took, in microseconds.
    fn ask_for(&self, time: Duration) -> Vec<f64> {
        let mut connection = self.server.connect();
        let question = self.server.question(&self.session);
        let began = Instant::now();
        let mut times = Vec::new();
        let mut due = began;
        while began.elapsed() < time {
            let wait = due.saturating_duration_since(Instant::now());
            std::thread::sleep(wait);
            let from = if wait.is_zero() { due } else { Instant::now() };
            connection.write(&question);
            assert_eq!(connection.answer().unwrap().status, 200);
            times.push(from.elapsed().as_secs_f64() * 1e6);
            due += PACE;
        }
        times
    }
}

/// How many logins were answered with each of these.
#[derive(Clone, Copy, Debug, Default)]
struct Answers {
    right: usize,
    wrong: usize,
    throttled: usize,
    busy: usize,
}

impl Answers {
    fn add(&mut self, status: u16) {
        *match status {
            200 => &mut self.right,
            401 => &mut self.wrong,
            429 => &mut self.throttled,
            503 => &mut self.busy,
            _ => panic!("a login was answered {status}"),
        } += 1;
    }
}

/// Does something under a flood; returns what came of it, how the flood was answered meanwhile, and
/// how many of its logins got as far as a lane in a second.
fn flooded<T>(client: &Client, act: impl FnOnce() -> T) -> (T, Answers, f64) {
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let logins = |number| log_in_again_and_again(client, number, &over);
        let flood: Vec<_> = (0..FLOOD).map(|number| scope.spawn(move || logins(number))).collect();
        // Also when something panics: a scope waits for its threads.
        let over = Over(&over);
        std::thread::sleep(RISE);
        let from = Instant::now();
        let outcome = act();
        let to = Instant::now();
        drop(over);
        let mut answers = Answers::default();
        for login in flood {
            let answered = login.join().unwrap();
            let meanwhile = answered.into_iter().filter(|(at, _)| (from..to).contains(at));
            meanwhile.for_each(|(_, status)| answers.add(status));
        }
        let hashed = figure(answers.right + answers.wrong);
        (outcome, answers, hashed / (to - from).as_secs_f64())
    })
}

struct Over<'o>(&'o AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// When each login was answered, and how.
fn log_in_again_and_again(
    client: &Client,
    number: usize,
    over: &AtomicBool,
) -> Vec<(Instant, u16)> {
    let passwords = [PASSWORD, "wrong horse 1"].into_iter().cycle().skip(number);
    let mut answered = Vec::new();
    for password in passwords.take_while(|_| !over.load(Ordering::Relaxed)) {
        let answer = client.login(&[("email", BOB), ("password", password)]).send();
        answered.push((Instant::now(), answer.status));
        if answer.status == 503 {
            assert!(answer.header("retry-after").is_some(), "{answer:?}");
            std::thread::sleep(AGAIN);
        }
    }
    answered
}

fn bcrypt_per_second() -> f64 {
    let password = Password::sent(PASSWORD.to_owned());
    let hash = PasswordHash::new(&password, COST, &SystemRandom).unwrap();
    let began = Instant::now();
    assert!((0..HASHES).all(|_| hash.verify(&password)));
    f64::from(HASHES) / began.elapsed().as_secs_f64()
}

fn report(idle: usize, rounds: &[Round]) {
    println!("| a guarded GET | at rest, us | under the flood, us | ratio (goal: 2 at most) |");
    println!("|---|---|---|---|");
    for of_hundred in [50, 99] {
        let of = |times: &Vec<f64>| percentile(times.iter().copied(), of_hundred);
        let rest: Vec<f64> = rounds.iter().map(|round| of(&round.rest)).collect();
        let flood: Vec<f64> = rounds.iter().map(|round| of(&round.times)).collect();
        let ratio = ratio(flood.iter().copied(), rest.iter().copied());
        let (rest, flood) = (median(rest), median(flood));
        println!("| p{of_hundred} | {rest:.0} | {flood:.0} | {ratio:.2} |");
    }
    println!(
        "\n| the flood | 200 | 401 | 429 | 503 with Retry-After | logins/s | x lanes x bcrypt on one core (goal: 0.9) | resident after it, MiB |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    println!("| (before) | | | | | | | {:.1} |", mebibytes(idle));
    for (number, round) in rounds.iter().enumerate() {
        let Answers { right, wrong, throttled, busy } = round.answers;
        println!(
            "| round {} | {right} | {wrong} | {throttled} | {busy} | {:.1} | {:.2} | {:.1} |",
            number + 1,
            round.per_second,
            round.per_second / round.bcrypt,
            mebibytes(round.resident),
        );
    }
}
