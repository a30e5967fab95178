//! A flood of logins takes neither the workers nor the memory.
#![cfg(target_os = "linux")]

use std::fs;

use crate::harness::{ADMIN, ADMIN_PASSWORD, Answer, Connection, Program, Server};

/// A server whose hashing takes its time, and which counts no mistakes.
fn slow(lanes: &str, queue: &str) -> Server {
    let program = Program::of("session_db_auth").unset("UNSAFE_FAST_HASH").set("BCRYPT_COST", "10");
    let program = program.set("HASH_LANES", lanes).set("HASH_QUEUE", queue);
    program.set("LOGIN_THROTTLE", "off").start()
}

/// So many logins at once.
fn at_once(server: &Server, logins: usize, password: &str) -> Vec<Answer> {
    let login = |_| server.login(&[("email", ADMIN), ("password", password)]).start();
    let started: Vec<Connection> = (0..logins).map(login).collect();
    started.into_iter().map(Connection::finish).collect()
}

/// The threads of a process: what each is called, and its nice value.
fn threads(process: u32) -> Vec<(String, i32)> {
    let threads = fs::read_dir(format!("/proc/{process}/task")).unwrap();
    let of = |stat: String| {
        let (name, rest) = stat.split_once('(').unwrap().1.rsplit_once(')').unwrap();
        // The first field of the rest is the third of all, and the nice value is the 19th.
        let nice = rest.split_whitespace().nth(19 - 3).unwrap().parse().unwrap();
        (name.to_owned(), nice)
    };
    threads
        .map(|thread| of(fs::read_to_string(thread.unwrap().path().join("stat")).unwrap()))
        .collect()
}

#[test]
fn the_threads_that_hash_and_no_others_give_way_to_the_workers() {
    let server = slow("2", "8");
    // Both lanes have work, so both have begun.
    assert!(at_once(&server, 8, ADMIN_PASSWORD).iter().all(|answer| answer.status == 200));
    let (lanes, others): (Vec<_>, Vec<_>) =
        threads(server.process()).into_iter().partition(|(name, _)| name.starts_with("hash "));
    let started_at = others.iter().find(|(name, _)| name == "sessiond").unwrap().1;
    assert_eq!(lanes.len(), 2, "{lanes:?}");
    // There is no lower one than 19.
    assert!(lanes.iter().all(|lane| lane.1 == 19.min(started_at + 10)), "{lanes:?}");
    assert!(others.iter().all(|other| other.1 == started_at), "{others:?}");
}

/// Kilobytes that a process has in memory.
fn resident(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[test]
fn a_flood_beyond_the_queue_is_503_and_takes_no_more_memory_the_longer_it_lasts() {
    const CALLERS: usize = 40;
    let server = slow("1", "2");
    let flood = || {
        let answers = at_once(&server, CALLERS, "wrong one 1");
        let (looked_at, busy): (Vec<_>, Vec<_>) =
            answers.into_iter().partition(|answer| answer.status == 401);
        assert!(!looked_at.is_empty() && !busy.is_empty());
        for answer in &busy {
            answer.assert_error(503, "Busy, try again");
            assert_eq!(answer.header("retry-after"), Some("1"));
        }
    };
    // What a flood of this width takes at all: buffers, and what allocators keep for the next.
    (0..5).for_each(|_| flood());
    let before = resident(server.process());
    (0..20).for_each(|_| flood());
    let after = resident(server.process());
    assert!(after < before + 2048, "{before} kB have become {after} kB");
}
