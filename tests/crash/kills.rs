//! Rounds of load, each ended by SIGKILL, and what must be there after each.

use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};

use crate::harness::{ADMIN, Client, Program, Server};
use crate::load::{Worker, World, read, shown};
use crate::model::Register;
use crate::tools::{Chance, is_long, number, say};

const CLIENTS: usize = 8;
/// Users whom one client has for itself.
const OWN: usize = 2;
/// Users whom all clients change at once.
const SHARED: usize = 3;
/// The most answers before a kill.
const LONGEST: usize = 200;

/// What happened, for the line at the end.
#[derive(Default)]
struct Report {
    kills: usize,
    answered: usize,
    open: usize,
    folds: usize,
    kills_in_a_fold: usize,
    kills_at_start: usize,
}

/// How a round ends.
enum End {
    /// After so many answers.
    Answers(usize),
    /// As soon as a journal is being folded, or after so many answers.
    Fold(usize),
    /// In a graceful stop that was asked for after so many answers.
    Stop(usize),
}

impl End {
    fn of(chance: &mut Chance) -> Self {
        let answers = 1 + chance.below(LONGEST);
        match chance.below(5) {
            0 | 1 => Self::Fold(2 * LONGEST),
            2 => Self::Stop(answers),
            _ => Self::Answers(answers),
        }
    }
}

fn program() -> Program {
    Program::of("session_db_auth")
        .set("LOGIN_THROTTLE", "off")
        .set("SESSIONS_PER_USER", "10000")
        .set("REAUTH_WINDOW", "315360000")
        .set("HASH_QUEUE", "65536")
        .set("RUST_LOG", "info,sessiond::server::edge=off,sessiond::auth::audit=off")
}

/// Whether a journal of this class is being folded.
fn is_folding(data: &Path) -> bool {
    ["User", "UserSession"].iter().any(|class| {
        let there = |name: &str| data.join(format!("{class}.{name}")).exists();
        there("journal.folding") || there("json.tmp")
    })
}

/// The file of the users: another one after each fold.
fn generation(data: &Path) -> Option<(u64, i64, i64)> {
    let file = std::fs::metadata(data.join("User.json")).ok()?;
    Some((file.ino(), file.mtime(), file.mtime_nsec()))
}

/// Lets the clients work until it is time, and kills the server then.
fn round(server: Server, world: &World, chance: &Chance, report: &mut Report) -> Program {
    let admin = server.admin();
    let (sender, answered) = channel();
    std::thread::scope(|scope| {
        let (reader, by) = (Client::at(server.address), &admin);
        scope.spawn(move || read(world, &reader, by));
        for number in 0..CLIENTS {
            let worker = Worker {
                world,
                client: Client::at(server.address),
                admin: &admin,
                chance: chance.part(2 + u64::try_from(number).unwrap()),
                own: number * OWN..(number + 1) * OWN,
                shared: CLIENTS * OWN..CLIENTS * OWN + SHARED,
                answered: sender.clone(),
            };
            scope.spawn(|| worker.work());
        }
        drop(sender);
        let program = end(server, &answered, &mut chance.part(0), report);
        report.answered += answered.iter().count();
        program
    })
}

fn end(
    server: Server,
    answered: &Receiver<()>,
    chance: &mut Chance,
    report: &mut Report,
) -> Program {
    let (data, end) = (server.data(), End::of(chance));
    let (limit, waits_for_fold) = match end {
        End::Answers(limit) | End::Stop(limit) => (limit, false),
        End::Fold(limit) => (limit, true),
    };
    let mut generation_so_far = generation(&data);
    for () in answered.iter().take(limit) {
        report.answered += 1;
        let now = generation(&data);
        report.folds += usize::from(now != generation_so_far);
        generation_so_far = now;
        if waits_for_fold && is_folding(&data) {
            break;
        }
    }
    if matches!(end, End::Stop(_)) {
        server.signal("TERM");
        server.wait_for("stopping");
    }
    let program = server.kill();
    report.kills += 1;
    report.kills_in_a_fold += usize::from(is_folding(&data));
    program
}

/// Begins to start the program, and kills it after some lines of its log.
fn kill_at_start(program: &Program, lines: usize) {
    let mut child = program.spawn(&[]);
    let log = BufReader::new(child.stderr.take().unwrap()).lines();
    assert_eq!(log.map_while(Result::ok).take(lines).count(), lines, "it ended by itself");
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Holds that all is as it was answered, and that what was open is there whole or not at all; from
/// here on it stays as it is.
fn check(server: &Server, world: &World, chance: &mut Chance, report: &mut Report) {
    let admin = server.admin();
    let list = server.get("/api/v1/users").bearer(&admin).send().json();
    let mut others: Vec<_> = list.as_array().unwrap().iter().collect();
    others.retain(|user| user["email"] != ADMIN);
    for number in 0..world.slots.len() {
        let email = world.slot(number).email.clone();
        let mut found = others.extract_if(.., |user| user["email"] == *email);
        let user = found.next();
        assert!(found.next().is_none(), "{email} is there twice");
        drop(found);
        check_record(world, number, user, report);
        check_sessions(server, world, number, report);
        check_password(server, world, number, chance);
    }
    assert!(others.is_empty(), "nobody made them: {others:?}");
    let dead = world.dead.lock().unwrap();
    let (oldest, newest) = dead.split_at(dead.len().saturating_sub(50));
    for id in newest.iter().chain((0..20).filter_map(|_| chance.pick(oldest))) {
        assert!(!lives(server, id), "an ended session works");
    }
}

fn check_record(
    world: &World,
    number: usize,
    user: Option<&serde_json::Value>,
    report: &mut Report,
) {
    let mut slot = world.slot(number);
    let (found, possible) = (user.map(shown), slot.record.possible());
    assert!(possible.contains(&found), "{}: {found:?} is none of {possible:?}", slot.email);
    report.open += possible.len() - 1;
    slot.record.pin(found);
    slot.id = user.and_then(|user| user["id"].as_str()).map(str::to_owned);
}

fn lives(server: &Server, session: &str) -> bool {
    let status = server.get("/api/v1/users/me").session(session).send().status;
    assert!([200, 403].contains(&status), "{status}");
    status == 200
}

fn check_sessions(server: &Server, world: &World, number: usize, report: &mut Report) {
    let mut slot = world.slot(number);
    let (mut alive, mut ended) = (Vec::new(), Vec::new());
    for session in std::mem::take(&mut slot.sessions) {
        let must_live = slot.must_live(&session);
        report.open += usize::from(!must_live);
        if lives(server, &session.id) {
            alive.push(session);
        } else {
            assert!(!must_live, "{}: a session is lost, born {:?}", slot.email, session.born);
            ended.push(session.id);
        }
    }
    let record = slot.record.possible().pop().flatten();
    let may_have = record.is_some_and(|record| !record.disabled);
    assert!(may_have || alive.is_empty(), "{}: a session without its user", slot.email);
    slot.sessions = alive;
    slot.pin_sessions(world.time.tick());
    world.dead.lock().unwrap().extend(ended);
}

/// Exactly one of the passwords that there may be works, and none of those that were replaced.
fn check_password(server: &Server, world: &World, number: usize, chance: &mut Chance) {
    let mut slot = world.slot(number);
    let possible = slot.password.possible();
    let Some(record) = slot.record.possible().pop().flatten() else {
        slot.password = Register::unset();
        return;
    };
    if record.disabled {
        return slot.password.settle();
    }
    if possible.len() == 1 && !chance.once_in(6) {
        return;
    }
    let works = |password: &&String| {
        let form = [("email", slot.email.as_str()), ("password", password.as_str())];
        let status = server.login(&form).send().status;
        assert!([200, 401].contains(&status), "{status}");
        status == 200
    };
    let found: Vec<_> = possible.iter().filter(works).collect();
    assert_eq!(found.len(), 1, "{}: {found:?} of {possible:?}", slot.email);
    let mut replaced = slot.passwords.iter().filter(|former| !possible.contains(former));
    assert!(!replaced.next_back().is_some_and(|former| works(&former)), "a former password works");
    let found = found[0].clone();
    slot.passwords = vec![found.clone()];
    slot.password.pin(found);
}

#[test]
fn what_was_answered_is_there_after_any_kill_and_what_was_ended_is_not() {
    let seed = number("SEED").unwrap_or_else(|| {
        let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
        now.as_secs() * 1_000_000 + u64::from(now.subsec_micros())
    });
    let rounds = number("ROUNDS").unwrap_or(if is_long() { 1_000 } else { 20 });
    say(&format!("crash: SEED={seed} ROUNDS={rounds}"));
    let chance = Chance::new(seed);
    let world = World::new(CLIENTS * OWN + SHARED);
    let mut report = Report::default();
    let mut server = program().start();
    for number in 0..rounds {
        let chance = chance.part(number);
        let killed = round(server, &world, &chance, &mut report);
        let mut at_start = chance.part(1);
        while at_start.once_in(3) {
            kill_at_start(&killed, at_start.below(5));
            report.kills_at_start += 1;
        }
        server = killed.start();
        check(&server, &world, &mut at_start, &mut report);
    }
    let (stopped, status, log) = server.stop();
    assert!(status.success() && !is_folding(&stopped.data()), "{log:?}");
    check(&stopped.start(), &world, &mut chance.part(rounds), &mut report);
    say(&report.line(rounds));
}

impl Report {
    fn line(&self, rounds: u64) -> String {
        let Self { kills, answered, open, folds, kills_in_a_fold, kills_at_start } = self;
        format!(
            "crash: {rounds} rounds, {kills} kills under load ({kills_in_a_fold} in a fold), \
             {kills_at_start} at start, {answered} requests answered, {open} outcomes open, \
             {folds} folds seen"
        )
    }
}
