//! A panic in a handler is an answer and one line in the log.

use std::process::Output;

use actix_web::rt::System;
use actix_web::web;
use sessiond::config::{Config, LogFormat};
use sessiond::server::{self, Traffic, logging};

use crate::harness::Client;

/// Says where the child process listens, on its standard output.
const LISTENING: &str = "listening at ";

async fn panicking() -> String {
    panic!("on purpose\nwith a second line")
}

/// Not a test of its own: runs in a process of its own, so that its log can be read.
#[test]
#[ignore = "runs as a child of the test below"]
fn a_server_with_a_route_that_panics() {
    logging::start(LogFormat::Text, "info,actix_server=warn,actix_http=off");
    let flags = ["--api-port", "0", "--workers", "1", "--public-url", "https://id.example.com"];
    let config = Config::from_arguments(&flags).unwrap();
    System::new().block_on(async move {
        let routes = |routes: &mut web::ServiceConfig| {
            routes.route("/panic", web::get().to(panicking));
            routes.route("/fine", web::get().to(|| async { "fine" }));
        };
        let bound = server::bind(&config, &Traffic::default(), routes, |_| {}).unwrap();
        println!("{LISTENING}{}", bound.addresses()[0]);
        let server = bound.into_server();
        let handle = server.handle();
        std::thread::spawn(move || {
            // The parent has seen enough when it closes our standard input.
            let _ = std::io::stdin().read_line(&mut String::new());
            System::new().block_on(handle.stop(true));
        });
        server.await.unwrap();
    });
}

/// Runs the server above, lets `test` speak to it, and returns what it has written.
#[expect(clippy::disallowed_methods, reason = "tests start programs")]
fn with_child(test: impl FnOnce(Client)) -> Output {
    use std::io::{BufRead as _, BufReader};
    use std::process::{Command, Stdio};
    let name = "panics::a_server_with_a_route_that_panics";
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--ignored", "--nocapture", "--test-threads", "1"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let address = lines.find_map(|line| Some(line.unwrap().split_once(LISTENING)?.1.to_owned()));
    test(Client::at(address.expect("it listens").parse().unwrap()));
    drop(child.stdin.take());
    // Its test harness still has a few lines to write.
    lines.for_each(drop);
    child.wait_with_output().unwrap()
}

#[test]
fn a_panic_is_a_500_in_json_and_one_line_in_the_log() {
    let output = with_child(|client| {
        let answer = client.get("/panic").header("X-Request-Id", "mine").send();
        answer.assert_refused(500, "Internal server error", "internal_error");
        assert_eq!(answer.header("x-request-id"), Some("mine"));
        for (name, value) in [
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
            ("strict-transport-security", "max-age=31536000; includeSubDomains"),
        ] {
            assert_eq!(answer.header(name), Some(value));
        }
        assert_eq!(client.get("/fine").send().status, 200, "the worker goes on");
        // So does the connection, or it is closed; it does not hang and answers nothing else.
        let mut connection = client.connect();
        connection.write(format!("GET /panic HTTP/1.1\r\nHost: {}\r\n\r\n", client.address));
        assert_eq!(connection.answer().unwrap().status, 500);
    });
    let log = String::from_utf8(output.stderr).unwrap();
    let of_panics: Vec<_> = log.lines().filter(|line| line.contains("panic")).collect();
    assert_eq!(of_panics.len(), 2, "a line for each of the two: {log}");
    for line in of_panics {
        assert!(line.contains("ERROR panic at tests/suite/panics.rs:"), "{line}");
        assert!(line.ends_with(r"on purpose\nwith a second line"), "{line}");
    }
}
