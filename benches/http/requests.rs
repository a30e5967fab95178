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

pub fn measure(effort: &Effort) {
    pin_client();
    let mut rows: Vec<(Load, Vec<Round>)> =
        loads(effort).into_iter().map(|load| (load, Vec::new())).collect();
    for _ in 0..effort.rounds {
        for (load, rounds) in &mut rows {
            rounds.push(load.round(effort.round));
        }
    }
    report(&rows);
}

/// The ceiling first, the two numbers of sessions last.
fn loads(effort: &Effort) -> Vec<Load> {
    let mut loads = beside();
    loads.extend(known());
    loads.extend(unknown());
    loads.extend([FEW, effort.many].map(many));
    loads
}

/// The ceiling, and the peers.
fn beside() -> Vec<Load> {
    let ceiling = Rc::new(Server::beside("ceiling"));
    let ceiling = Load::of("bare actix-web (the ceiling)", &ceiling);
    let peers = [
        ("actix-identity, session in the cookie", "actix-identity-peer"),
        ("axum-login, session in memory", "axum-login-peer"),
    ];
    let peers = peers.map(|(name, program)| {
        let server = Rc::new(Server::beside(program));
        let answer = server.post("/login").send();
        let cookie = answer.header("set-cookie").unwrap().split(';').next().unwrap();
        Load::of(name, &server).with("Cookie", cookie)
    });
    [ceiling].into_iter().chain(peers).collect()
}

/// The program in each kind that knows somebody, or lets everybody in.
fn known() -> Vec<Load> {
    let mut loads = Vec::new();
    for kind in ["session_db_auth", "session_exp_auth", "session_auth"] {
        let server = Rc::new(Server::of(program(kind)));
        let id = log_in(&server);
        loads.push(Load::of(format!("{kind}, cookie"), &server).session(&id));
        if kind == "session_db_auth" {
            let bearer = Load::of("session_db_auth, bearer", &server);
            loads.push(bearer.with("Authorization", format!("Bearer {id}")));
        }
    }
    let logging = Rc::new(Server::logging(program("session_db_auth").unset("RUST_LOG")));
    let id = log_in(&logging);
    loads.push(Load::of("session_db_auth, cookie, log to a file", &logging).session(&id));
    let basic = Rc::new(Server::of(program("basic_auth")));
    let credential = format!("Basic {}", STANDARD.encode(format!("{EMAIL}:{ADMIN_PASSWORD}")));
    introduce(&basic, ("Authorization", &credential));
    loads.push(Load::of("basic_auth, remembered", &basic).with("Authorization", credential));
    let none = Rc::new(Server::of(program("none")));
    let path = introduce(&none, ("Accept", "*/*"));
    loads.push(Load { path, ..Load::of("none, a user by id", &none) });
    loads
}

/// What is refused.
fn unknown() -> [Load; 4] {
    let db = Rc::new(Server::of(program("session_db_auth")));
    let auth = Rc::new(Server::of(program("auth")));
    [
        Load::of("session_db_auth, unknown id", &db).session(NO_SESSION).refused(403),
        Load::of("session_db_auth, forged id", &db).session(&NO_SESSION[1..]).refused(403),
        Load::of("session_db_auth, no credential", &db).refused(401),
        Load::of("auth, any credential", &auth).with("Authorization", "Test").refused(403),
    ]
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
    let name = format!("session_db_auth, each of {number} sessions");
    Load { ids: Some(ids), ..Load::of(name, &Rc::new(Server::of(program))) }
}

fn report(rows: &[(Load, Vec<Round>)]) {
    let cpu = |rounds: &[Round]| rounds.iter().map(|round| round.cpu).collect::<Vec<_>>();
    let ceiling = cpu(&rows[0].1);
    println!("| asked | status | CPU, us | x the ceiling | requests/s | p50, us | p99, us |");
    println!("|---|---|---|---|---|---|---|");
    for (load, rounds) in rows {
        let of = |figure: fn(&Round) -> f64| median(rounds.iter().map(figure));
        println!(
            "| {} | {} | {:.1} | {:.2} | {:.0} | {:.0} | {:.0} |",
            load.name,
            load.status,
            of(|round| round.cpu),
            ratio(cpu(rounds), ceiling.clone()),
            of(|round| round.per_second),
            of(|round| round.p50),
            of(|round| round.p99),
        );
    }
    let [.., (_, few), (load, many)] = rows else { unreachable!("there are more") };
    println!("\n{}: {:.2} x the CPU at {FEW}", load.name, ratio(cpu(many), cpu(few)));
}
