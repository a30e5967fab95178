//! How much memory the program takes, how soon it answers, and how large it is.
//!
//! It runs as it does by default, on all cores. Resident memory is that of the whole process after
//! one answer; at a size it has so many users with a session each (what one takes of it is told by
//! `just bench-store start`). A start is the time from before the process is made to the first
//! answer; the median of twenty, each on an empty directory.

use std::fs;
use std::time::Instant;

use crate::Effort;
use crate::data;
use crate::figures::{mebibytes, median};
use crate::harness::{Program, Server};
use crate::process::resident;

const STARTS: usize = 20;

pub fn measure(effort: &Effort) {
    println!("| footprint | | goal |");
    println!("|---|---|---|");
    let empty = resident(answering(program()).process());
    println!("| resident, idle, MiB | {:.1} | 10 |", mebibytes(empty));
    for number in [effort.many / 10, effort.many] {
        let program = program();
        fs::create_dir(program.data()).unwrap();
        data::write(&program.data(), number);
        let more = resident(answering(program).process()).saturating_sub(empty);
        let (mebibytes, each) = (mebibytes(more), more / number);
        println!("| {number} users and sessions, more MiB | {mebibytes:.1} | |");
        println!("| the same, bytes for a user and a session | {each} | |");
    }
    let starts = (0..STARTS).map(|_| {
        let program = program();
        let began = Instant::now();
        let server = answering(program);
        let time = began.elapsed();
        drop(server);
        time.as_secs_f64() * 1e3
    });
    println!("| start to first answer, ms | {:.1} | 50 |", median(starts));
    let [built, stripped] = sizes().map(mebibytes);
    println!("| binary, MiB | {built:.2} | |");
    println!("| binary, stripped, MiB | {stripped:.2} | 10 |");
}

/// The program as it comes, without anybody in it.
fn program() -> Program {
    let program = Program::of("session_db_auth").unset("UNSAFE_FAST_HASH");
    program.unset("ADMIN_EMAIL").unset("ADMIN_PASSWORD")
}

fn answering(program: Program) -> Server {
    let server = program.start_silent();
    assert_eq!(server.get("/api/v1/status").send().status, 200);
    server
}

/// Of the program's file as it is built, and without its symbols.
#[expect(clippy::disallowed_methods, reason = "this is no service")]
fn sizes() -> [usize; 2] {
    let built = env!("CARGO_BIN_EXE_sessiond");
    let program = program(); // for its folder
    let stripped = program.folder().join("stripped");
    let mut strip = std::process::Command::new("strip");
    assert!(strip.arg("-o").arg(&stripped).arg(built).status().unwrap().success());
    [built.as_ref(), &*stripped]
        .map(|path| usize::try_from(fs::metadata(path).unwrap().len()).unwrap())
}
