//! What a request costs, beside the same from a bare handler and from the program's peers.
//!
//! The servers take turns: in each round wrk asks every one of them for two seconds. CPU is what
//! the threads of the server have been on a core, by `/proc/PID/task/*/schedstat`, over the number
//! of requests that wrk has counted. All figures are medians of the rounds; a ratio is the median
//! of the ratios in each round, so that what else the machine does counts for both.
//!
//! All have one worker, and the user they answer with is of the same length. The program neither
//! logs, but where that is said, nor counts unknown ids (`LOGIN_THROTTLE=off`), of which it would
//! else refuse all but a few.

use std::fs;
use std::rc::Rc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use sessiond::models::SessionId;

use crate::Effort;
use crate::data;
use crate::figures::{median, ratio};
use crate::harness::{ADMIN_PASSWORD, NO_SESSION, Program};
use crate::load::{Load, Round};
use crate::process::pin_client;
use crate::server::Server;

/// As long as that of the ceiling.
const EMAIL: &str = "user.number.0@example.com";
/// What many sessions are compared with.
const FEW: usize = 1_000;

/// What is asked of whom, and what came of it.
struct Row {
    name: String,
    load: Load,
    rounds: Vec<Round>,
}

pub fn measure(effort: &Effort) {
    pin_client();
    let mut rows = rows(effort);
    for _ in 0..effort.rounds {
        for Row { load, rounds, .. } in &mut rows {
            rounds.push(load.round(effort.round));
        }
    }
    report(&rows);
}

fn rows(effort: &Effort) -> Vec<Row> {
    let mut rows = beside();
    rows.extend(kinds());
    rows.extend(
        [FEW, effort.many]
            .map(|number| row(format!("session_db_auth, each of {number} sessions"), many(number))),
    );
    rows
}

fn row(name: impl Into<String>, load: Load) -> Row {
    Row { name: name.into(), load, rounds: Vec::new() }
}

/// The ceiling, and the peers.
fn beside() -> Vec<Row> {
    let ceiling =
        row("bare actix-web (the ceiling)", Load::of(&Rc::new(Server::beside("ceiling"))));
    let peers = [
        ("actix-identity, session in the cookie", "actix-identity-peer"),
        ("axum-login, session in memory", "axum-login-peer"),
    ];
    let peers = peers.map(|(name, program)| {
        let server = Rc::new(Server::beside(program));
        let answer = server.post("/login").send();
        let cookie = answer.header("set-cookie").unwrap().split(';').next().unwrap();
        row(name, Load::of(&server).with("Cookie", cookie))
    });
    [ceiling].into_iter().chain(peers).collect()
}

/// The program in each of its kinds.
fn kinds() -> Vec<Row> {
    let db = Rc::new(Server::of(program("session_db_auth")));
    let id = log_in(&db);
    let logging = program("session_db_auth").unset("RUST_LOG");
    let logging = Rc::new(Server::logging(logging));
    let logged = Load::of(&logging).session(&log_in(&logging));
    let in_memory = ["session_exp_auth", "session_auth"].map(|kind| {
        let server = Rc::new(Server::of(program(kind)));
        row(format!("{kind}, cookie"), Load::of(&server).session(&log_in(&server)))
    });
    let mut rows = vec![
        row("session_db_auth, cookie", Load::of(&db).session(&id)),
        row("session_db_auth, bearer", Load::of(&db).with("Authorization", format!("Bearer {id}"))),
        row("session_db_auth, cookie, log to a file", logged),
    ];
    rows.extend(in_memory);
    let [none, basic, auth] =
        ["none", "basic_auth", "auth"].map(|kind| Rc::new(Server::of(program(kind))));
    let user = introduce(&none, ("Accept", "*/*"));
    let credential = format!("Basic {}", STANDARD.encode(format!("{EMAIL}:{ADMIN_PASSWORD}")));
    introduce(&basic, ("Authorization", &credential));
    rows.extend([
        row("basic_auth, remembered", Load::of(&basic).with("Authorization", credential)),
        row("none, a user by id", Load::of(&none).path(user)),
        row("auth, which knows nobody", Load::of(&auth).with("Authorization", "Test").refused(403)),
        row("session_db_auth, unknown id", Load::of(&db).session(NO_SESSION).refused(403)),
        row("session_db_auth, forged id", Load::of(&db).session(&NO_SESSION[1..]).refused(403)),
        row("session_db_auth, no credential", Load::of(&db).refused(401)),
    ]);
    rows
}

/// The program, which neither logs nor throttles.
fn program(kind: &str) -> Program {
    let program = Program::of(kind).set("ADMIN_EMAIL", EMAIL);
    program.set("RUST_LOG", "off").set("LOGIN_THROTTLE", "off")
}

/// The session of the one user.
fn log_in(server: &Server) -> String {
    let id = server.log_in(EMAIL, ADMIN_PASSWORD);
    introduce(server, ("Authorization", &format!("Bearer {id}")));
    id
}

/// Gives the one user the name that the ceiling's has; returns where he is found. The header shows
/// that it is he who asks.
fn introduce(server: &Server, (header, value): (&str, &str)) -> String {
    let users = server.get("/api/v1/users").header(header, value).send().json();
    let path = format!("/api/v1/users/{}", users[0]["id"].as_str().unwrap());
    let name = json!({ "first_name": "Ada", "last_name": "Lovelace" });
    let answer = server.put(&path).header(header, value).json(&name).send();
    assert_eq!(answer.status, 200, "{answer:?}");
    path
}

/// So many users with a session each, of which up to 10,000 from all over the files ask in turn.
fn many(number: usize) -> Load {
    let program = program("session_db_auth");
    fs::create_dir(program.data()).unwrap();
    let some = data::write(&program.data(), number);
    let ids = program.folder().join("ids");
    let lines: Vec<&str> = some.iter().map(SessionId::reveal).collect();
    fs::write(&ids, lines.join("\n")).unwrap();
    Load::of(&Rc::new(Server::of(program))).ids(ids)
}

fn report(rows: &[Row]) {
    let cpu = |row: &Row| row.rounds.iter().map(|round| round.cpu).collect::<Vec<_>>();
    println!("| asked | status | CPU, us | x the ceiling | requests/s | p50, us | p99, us |");
    println!("|---|---|---|---|---|---|---|");
    for row in rows {
        let of = |figure: fn(&Round) -> f64| median(row.rounds.iter().map(figure));
        println!(
            "| {} | {} | {:.1} | {:.2} | {:.0} | {:.0} | {:.0} |",
            row.name,
            row.load.status,
            of(|round| round.cpu),
            ratio(cpu(row), cpu(&rows[0])),
            of(|round| round.per_second),
            of(|round| round.p50),
            of(|round| round.p99),
        );
    }
    let [.., few, many] = rows else { unreachable!("there are more") };
    println!("\n{}: {:.2} x the CPU at {FEW}", many.name, ratio(cpu(many), cpu(few)));
}
