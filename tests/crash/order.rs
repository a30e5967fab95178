//! In which order the program asks the system for things: first to the disk, then to the client.

use serde_json::json;

use crate::harness::{PASSWORD, Program, Server};
use crate::tools::can_trace;

/// What there is of a system call in a line of the trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Call {
    /// To a journal.
    Write,
    /// A journal is durable.
    Sync,
    /// An answer with success has been sent.
    Answer,
}

/// The calls of a trace by `strace -f -y`, in order. A call that takes long is on two lines.
fn calls(trace: &[String]) -> Vec<Call> {
    let mut calls = Vec::new();
    for line in trace {
        if line.contains("write(") && line.contains(".journal>") {
            calls.push(Call::Write);
        } else if line.contains("fdatasync") && line.ends_with("= 0") {
            calls.push(Call::Sync);
        } else if line.contains("HTTP/1.1 2") {
            calls.push(Call::Answer);
        }
    }
    calls
}

#[test]
fn an_answer_goes_out_after_the_sync_of_what_it_tells() {
    if !can_trace() {
        return;
    }
    let strace =
        "strace -D -f -q -y -s 32 -o /dev/stderr -e trace=write,writev,fdatasync,sendto,sendmsg";
    let strace: Vec<_> = strace.split(' ').collect();
    let (program, _, _) = Server::of("session_db_auth").stop();
    let program =
        program.set("RUST_LOG", "info,sessiond=warn,sessiond::server=info,sessiond::cli=info");
    let server = Program::within(program, &strace).start();
    let admin = server.admin();
    let bob = server.add_user("bob@example.com");
    let session = server.log_in("bob@example.com", PASSWORD);
    let path = format!("/api/v1/users/{bob}");
    let passwords = json!({ "current_password": PASSWORD, "new_password": "a new password 3" });
    let changes = [
        server.put(&path).bearer(&admin).json(&json!({ "first_name": "Bob" })),
        server.post("/api/v1/auth_session/refresh").bearer(&session),
        server
            .delete("/api/v1/auth_session/logout")
            .bearer(&server.log_in("bob@example.com", PASSWORD)),
        server
            .put("/api/v1/users/me/password")
            .bearer(&server.log_in("bob@example.com", PASSWORD))
            .json(&passwords),
        server.delete(&path).bearer(&admin),
    ];
    // Before them: three logins of Bob, two of the admin, and the making of Bob.
    let number = 6 + changes.len();
    for change in changes {
        assert_eq!(change.send().status, 200);
    }
    let (_, _, trace) = server.stop();
    let calls = calls(&trace);
    let answers: Vec<_> = calls.split(|call| *call == Call::Answer).collect();
    let (rest, answers) = answers.split_last().unwrap();
    assert_eq!(answers.len(), number, "{calls:?}\n{}", trace.join("\n"));
    assert!(!rest.contains(&Call::Answer));
    for before in answers {
        assert!(before.contains(&Call::Write), "an answer without a write: {calls:?}");
        assert_eq!(before.last(), Some(&Call::Sync), "an answer before the sync: {calls:?}");
    }
}
