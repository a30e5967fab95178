//! Things that happen at the same moment.

use std::thread;

use serde_json::json;

use super::members::get;
use crate::files;
use crate::harness::{Connection, InProcess, PASSWORD, SESSION_KINDS, Server, block_on};

pub fn parallel_changes_all_count() {
    let server = InProcess::with(&[]);
    let admin = server.admin();
    let create = |email: String| {
        let body = json!({ "email": email, "password": PASSWORD });
        server.post("/api/v1/users").session(&admin).json(&body).start()
    };
    let made: Vec<Connection> = (0..24).map(|n| create(format!("u{n}@example.com"))).collect();
    assert!(made.into_iter().all(|answer| answer.finish().status == 201));
    // Many threads change the records of all at once, past HTTP.
    let accounts = server.service.accounts();
    let users = block_on(accounts.users.all()).unwrap();
    thread::scope(|scope| {
        for number in 0..8 {
            let (accounts, users) = (&accounts, &users);
            scope.spawn(move || {
                for user in users {
                    let change = move |stored: &sessiond::models::User| {
                        let mut user = stored.clone();
                        let name = user.first_name.take().unwrap_or_default();
                        user.first_name = Some(format!("{name}{number}"));
                        Ok(user)
                    };
                    block_on(accounts.users.update(user.id, Box::new(change))).unwrap();
                }
            });
        }
    });
    let users = get(&server, &admin, "/api/v1/users");
    assert_eq!(users.as_array().unwrap().len(), 25);
    for user in users.as_array().unwrap() {
        let mut added: Vec<char> = user["first_name"].as_str().unwrap().chars().collect();
        added.sort_unstable();
        assert_eq!(added, ['0', '1', '2', '3', '4', '5', '6', '7'], "no change was lost");
    }
}

pub fn one_address_has_one_owner() {
    let server = Server::of("session_db_auth");
    let admin = server.admin();
    for round in 0..5 {
        let spellings = ["bob", "BOB", "Bob", "bOb", "boB", "BoB"];
        let requests = spellings.map(|name| {
            let body =
                json!({ "email": format!("{name}{round}@example.com"), "password": PASSWORD });
            server.post("/api/v1/users").session(&admin).json(&body).start()
        });
        let mut statuses = requests.map(|request| request.finish().status);
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 409, 409, 409, 409, 409]);
    }
    let stats = server.get("/api/v1/stats").session(&admin).send();
    assert_eq!(stats.body, r#"{"users":6}"#);
}

pub fn the_last_admin_stays() {
    let server = Server::of("session_db_auth");
    for _ in 0..5 {
        let one = server.admin();
        let id = server.add_user("two@example.com");
        let path = format!("/api/v1/users/{id}");
        let role = |role: &str| json!({ "role": role });
        assert_eq!(server.put(&path).session(&one).json(&role("admin")).send().status, 200);
        let (one, two) = (server.admin(), server.log_in("two@example.com", PASSWORD));
        let me = server.get("/api/v1/users/me").session(&one).send().json();
        let first = format!("/api/v1/users/{}", me["id"].as_str().unwrap());
        let demotions = [
            server.put(&path).session(&one).json(&role("user")).start(),
            server.put(&first).session(&two).json(&role("user")).start(),
        ];
        let answers = demotions.map(Connection::finish);
        let good = answers.iter().filter(|answer| answer.status == 200).count();
        assert_eq!(good, 1, "{answers:?}");
        if answers[1].status == 200 {
            // Who has given power away or taken it has a new id.
            let two = answers[1].session_id().unwrap();
            let back = server.put(&first).session(&two).json(&role("admin")).send();
            assert_eq!(back.status, 200, "{back:?}");
        }
        let admin = server.admin();
        assert_eq!(server.delete(&path).session(&admin).send().status, 200);
    }
}

pub fn one_logout_wins() {
    for kind in SESSION_KINDS {
        let server = Server::of(kind);
        for _ in 0..5 {
            let id = server.admin();
            let logout = || server.delete("/api/v1/auth_session/logout").session(&id).start();
            let mut statuses = [logout(), logout(), logout()].map(|answer| answer.finish().status);
            statuses.sort_unstable();
            assert_eq!(statuses, [200, 403, 403], "{kind}");
        }
    }
}

pub fn locks_are_linted() {
    assert!(files::read("Cargo.toml").contains("\nawait_holding_lock = \"warn\"\n"));
    let clippy = files::read("clippy.toml");
    for held in ["dashmap::mapref::one::Ref\"", "dashmap::mapref::one::RefMut\""] {
        assert!(clippy.contains(held), "{held}");
    }
    assert!(files::read(".ci/run").contains("cargo clippy --all-targets --locked -- -D warnings"));
    for (path, text) in files::sources() {
        for allowed in ["allow(clippy::await_holding", "expect(clippy::await_holding"] {
            assert!(!text.contains(allowed), "{path}: {allowed}");
        }
    }
}

pub fn locks_are_private() {
    let mut locks = 0;
    for (path, text) in files::sources() {
        for line in text.lines().map(str::trim_start) {
            let is_lock = ["Mutex<", "RwLock<", "DashMap<"].iter().any(|lock| line.contains(lock));
            let is_field = is_lock && line.ends_with(',') && line.contains(": ");
            locks += usize::from(is_field);
            assert!(!(is_field && line.starts_with("pub ")), "{path}: {line}");
        }
    }
    assert!(locks > 4, "{locks}");
}
