//! What the store costs at its full size: `just bench-store` (about two minutes).
//!
//! Each part runs in a process of its own, so that none finds the memory of another (with `taskset`,
//! from util-linux). With the name of a part and a number of records as arguments it does only that:
//! `start 10000`.

#![expect(clippy::unwrap_used, reason = "a measurement that cannot go on has failed")]
#![expect(clippy::print_stdout, reason = "the result")]

#[allow(dead_code, unused_imports, reason = "the tests use the rest of it")]
#[path = "../tests/store/harness"]
mod harness {
    pub mod records;
    pub mod scratch;
    pub mod watched_files;
}

#[path = "store/cpu.rs"]
mod cpu;

#[path = "store/data.rs"]
mod data;
#[path = "store/fold.rs"]
mod fold;
#[allow(dead_code, reason = "the other bench uses the rest of it")]
#[path = "http/process.rs"]
mod process;
#[path = "store/size.rs"]
mod size;
#[path = "store/start.rs"]
mod start;
#[path = "store/worker.rs"]
mod worker;
#[path = "store/writes.rs"]
mod writes;

/// A part: its name, the head of its table, how many records it is asked for unless told otherwise,
/// and what it does.
type Part = (&'static str, &'static str, &'static [usize], fn(usize));

const PARTS: [Part; 4] = [
    ("start", start::HEAD, &[1_000, 10_000, 100_000, 1_000_000], start::measure),
    ("size", "", &[100_000, 1_000_000], size::measure),
    ("fold", "", &[100_000], fold::measure),
    ("writes", writes::HEAD, &[10_000], writes::measure),
];

fn main() {
    let arguments: Vec<String> =
        std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match arguments.as_slice() {
        [name, number] => part(name).3(number.parse().expect("a number of records")),
        [] => PARTS.iter().for_each(all),
        [name] => all(part(name)),
        _ => panic!("the name of a part, and a number of records"),
    }
}

fn part(name: &str) -> &'static Part {
    let part = PARTS.iter().find(|part| part.0 == name);
    part.unwrap_or_else(|| panic!("one of {:?}", PARTS.map(|part| part.0)))
}

#[expect(clippy::disallowed_methods, reason = "this is no service")]
fn all((name, head, numbers, _): &Part) {
    println!("\n{name}\n{head}");
    for number in *numbers {
        let this = std::env::current_exe().unwrap();
        let mut command = std::process::Command::new(&this);
        if *name == "size" {
            // On one core it is always the same threads that wait for each other.
            command = std::process::Command::new("taskset");
            command.args(["--cpu-list", "0"]).arg(this);
        }
        let ended = command.args([*name, &*number.to_string()]).status();
        assert!(ended.unwrap().success(), "{name} {number}");
    }
}
