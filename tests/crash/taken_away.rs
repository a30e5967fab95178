//! Files of a running program are renamed, moved and replaced, and then it is killed.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::harness::{PASSWORD, Server};

fn journal(data: &Path) -> PathBuf {
    data.join("User.journal")
}

/// Where a file is kept meanwhile, and where the directory is.
fn kept(data: &Path) -> PathBuf {
    data.join("kept")
}

fn moved(data: &Path) -> PathBuf {
    data.with_file_name("moved")
}

/// What is done to the files, and what brings them back.
type Way = (&'static str, fn(&Path), fn(&Path));

const WAYS: [Way; 7] = [
    (
        "the journal is renamed",
        |data| fs::rename(journal(data), kept(data)).unwrap(),
        |data| fs::rename(kept(data), journal(data)).unwrap(),
    ),
    (
        "the journal is removed while it has another name",
        |data| {
            fs::hard_link(journal(data), kept(data)).unwrap();
            fs::remove_file(journal(data)).unwrap();
        },
        |data| fs::rename(kept(data), journal(data)).unwrap(),
    ),
    (
        "another file is in its place",
        |data| {
            fs::rename(journal(data), kept(data)).unwrap();
            fs::write(journal(data), "sessiond journal 1 User\n").unwrap();
        },
        |data| fs::rename(kept(data), journal(data)).unwrap(),
    ),
    (
        "a copy is in its place",
        |data| {
            fs::copy(journal(data), kept(data)).unwrap();
            fs::rename(kept(data), journal(data)).unwrap();
        },
        |_| {},
    ),
    (
        "the directory is moved",
        |data| fs::rename(data, moved(data)).unwrap(),
        |data| fs::rename(moved(data), data).unwrap(),
    ),
    (
        "the directory is moved, and a link is in its place",
        |data| {
            fs::rename(data, moved(data)).unwrap();
            symlink("moved", data).unwrap();
        },
        |_| {},
    ),
    (
        "the JSON file is renamed",
        |data| fs::rename(data.join("User.json"), kept(data)).unwrap(),
        |data| fs::rename(kept(data), data.join("User.json")).unwrap(),
    ),
];

/// Makes a user, and notes her if that was answered.
fn create(server: &Server, admin: &str, number: usize, answered: &mut BTreeSet<String>) {
    let email = format!("user{number}@example.com");
    let body = json!({ "email": email, "password": PASSWORD });
    let answer = server.post("/api/v1/users").bearer(admin).json(&body).send();
    assert!([201, 503].contains(&answer.status), "{answer:?}");
    if answer.status == 201 {
        answered.insert(email);
    }
}

fn users(server: &Server, admin: &str) -> BTreeSet<String> {
    let users = server.get("/api/v1/users").bearer(admin).send().json();
    let users = users.as_array().unwrap().iter().skip(1); // the first admin
    users.map(|user| user["email"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn what_was_answered_is_there_after_a_kill_whatever_was_done_to_the_files() {
    for (way, take_away, bring_back) in WAYS {
        for is_back_before in [false, true] {
            // The first admin is in the JSON file, and what comes now in the journal.
            let (program, ..) = Server::of("session_db_auth").stop();
            let server = program.start();
            let (admin, mut answered) = (server.admin(), BTreeSet::new());
            let mut number = 0;
            let mut three = |server: &Server, answered: &mut BTreeSet<String>| {
                number += 3;
                (number - 3..number).for_each(|number| create(server, &admin, number, answered));
            };
            three(&server, &mut answered);
            assert_eq!(answered.len(), 3);
            take_away(&server.data());
            three(&server, &mut answered);
            if is_back_before {
                bring_back(&server.data());
                let before = answered.len();
                three(&server, &mut answered);
                assert_eq!(answered.len(), before + 3, "{way}: it goes on");
            }
            assert_eq!(users(&server, &admin), answered, "{way}");
            let program = server.kill();
            if !is_back_before {
                bring_back(&program.data());
            }
            let server = program.start();
            assert_eq!(users(&server, &admin), answered, "{way}, back before: {is_back_before}");
        }
    }
}
