//! A disk on which a sync takes its time: who changes something waits for it, and nobody else does.

use std::sync::Mutex;
use std::sync::mpsc::channel;

use serde_json::json;

use crate::harness::{Fate, InProcess, PASSWORD};

#[test]
fn a_sync_that_takes_its_time_keeps_no_reader_and_no_session_waiting() {
    let ((arrival, arrived), (release, released)) = (channel(), channel());
    // Two for the journal that is opened for the first admin, and for him.
    for _ in 0..2 {
        release.send(()).unwrap();
    }
    let released = Mutex::new(released);
    let server = InProcess::on_disk(move |operation| {
        if operation == "sync User.journal" {
            // When the test has gone, nothing is slow any more.
            let _ = (arrival.send(()), released.lock().unwrap().recv());
        }
        Fate::Done
    });
    let admin = server.admin();
    arrived.iter().take(2).for_each(drop);

    let body = json!({ "email": "bob@example.com", "password": PASSWORD });
    let create = server.post("/api/v1/users").session(&admin).json(&body).start();
    arrived.recv().unwrap();
    let users = || server.get("/api/v1/users").session(&admin).send().json();
    assert_eq!(users().as_array().unwrap().len(), 1, "nobody sees him yet");
    // Sessions are another class, with a writer of its own.
    let other = server.admin();
    let logout = server.delete("/api/v1/auth_session/logout").session(&other).send();
    assert_eq!(logout.status, 200);

    drop(release);
    assert_eq!(create.finish().status, 201);
    assert_eq!(users().as_array().unwrap().len(), 2);
}
