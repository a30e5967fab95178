//! Steps in their order, changes as a whole, and what can be had only once.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;
use sessiond::app::World;
use sessiond::store::files::{Disk, Files, OpenFile, ReadFile};

use super::desk::Desk;
use crate::harness::{ADMIN, ADMIN_PASSWORD, Connection, InProcess, PASSWORD, START};

const BOB: &str = "bob@example.com";
const NEW_PASSWORD: &str = "staple battery 3";

/// Who must change his password can do nothing before he has, whatever he tries.
pub fn the_change_of_a_password_cannot_be_skipped() {
    let server = InProcess::with(&[]);
    let new = json!({ "email": BOB, "password": PASSWORD, "must_change": true });
    let made = server.post("/api/v1/users").session(&server.admin()).json(&new).send();
    let path = format!("/api/v1/users/{}", made.json()["id"].as_str().unwrap());
    let first = server.log_in(BOB, PASSWORD);
    let own_password = format!("{path}/password");
    let change = json!({ "current_password": PASSWORD, "new_password": NEW_PASSWORD });
    for (method, path) in [
        ("GET", "/api/v1/users/me"),
        ("GET", "/api/v1/stats"),
        ("GET", "/api/v1/auth_session"),
        ("POST", "/api/v1/auth_session/refresh"),
        ("POST", "/api/v1/auth_session/reauth"),
        ("DELETE", "/api/v1/users/me/sessions"),
        ("GET", "/api/v1/users/me/password"),
        ("POST", "/api/v1/users/me/password"),
        ("GET", &path),
        ("PUT", &path),
        ("DELETE", &path),
        ("PUT", &own_password),
    ] {
        let answer = server.request(method, path).session(&first).json(&change).send();
        answer.assert_error(403, "Password change required");
        let answer = server.request(method, path).bearer(&first).json(&change).send();
        answer.assert_error(403, "Password change required");
    }
    let again = server.log_in(BOB, PASSWORD);
    assert_eq!(
        server.get("/api/v1/users/me").session(&again).send().status,
        403,
        "nor by one more login"
    );
    let done = server.put("/api/v1/users/me/password").session(&first).json(&change).send();
    let session = done.session_id().unwrap();
    assert_eq!(server.get("/api/v1/users/me").session(&session).send().status, 200);
    assert_eq!(server.get("/api/v1/users/me").session(&again).send().status, 403);
}

/// No attempt that fails leaves something behind that is worth more than before.
pub fn a_proof_cannot_be_skipped() {
    let server = InProcess::with(&["--reauth-window", "1"]);
    let admin = server.admin();
    server.advance(std::time::Duration::from_secs(1));
    let attempts = [
        server.login(&[("email", ADMIN), ("password", "wrong one 1")]).session(&admin).send(),
        server
            .post("/api/v1/auth_session/reauth")
            .session(&admin)
            .json(&json!({ "password": "no" }))
            .send(),
        server.post("/api/v1/auth_session/reauth").session(&admin).send(),
        server
            .put("/api/v1/users/me/password")
            .session(&admin)
            .json(&json!({ "new_password": NEW_PASSWORD }))
            .send(),
    ];
    for attempt in attempts {
        assert!(matches!(attempt.status, 400 | 401 | 403), "{attempt:?}");
        assert_eq!(attempt.header("set-cookie"), None, "{attempt:?}");
    }
    let refreshed = server.post("/api/v1/auth_session/refresh").session(&admin).send();
    let admin = refreshed.session_id().unwrap();
    let end = server.delete("/api/v1/sessions").session(&admin);
    end.send().assert_error(403, "Fresh login required");
    for wrong in [json!(""), json!(null), json!("wrong one 1"), json!(true)] {
        let end = server.delete("/api/v1/sessions").session(&admin);
        let status = end.json(&json!({ "current_password": wrong })).send().status;
        assert!(matches!(status, 400 | 403), "{wrong}: {status}");
    }
}

/// A disk whose writes fail once it is full.
struct FullDisk(Arc<AtomicBool>);

struct OnFullDisk(Box<dyn OpenFile>, Arc<AtomicBool>);

impl Files for FullDisk {
    fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>> {
        Disk.read(path)
    }

    fn open_read(&self, path: &Path) -> io::Result<Option<Box<dyn ReadFile>>> {
        Disk.open_read(path)
    }

    fn open_append(&self, path: &Path) -> io::Result<Box<dyn OpenFile>> {
        Ok(Box::new(OnFullDisk(Disk.open_append(path)?, Arc::clone(&self.0))))
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn OpenFile>> {
        Disk.create(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        Disk.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        Disk.remove(path)
    }

    fn sync_directory(&self, directory: &Path) -> io::Result<()> {
        Disk.sync_directory(directory)
    }
}

impl OpenFile for OnFullDisk {
    /// A full disk takes the first half.
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        if !self.1.load(Ordering::SeqCst) {
            return self.0.write_all(bytes);
        }
        self.0.write_all(&bytes[..bytes.len() / 2])?;
        Err(io::ErrorKind::StorageFull.into())
    }

    fn sync(&mut self) -> io::Result<()> {
        self.0.sync()
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        self.0.truncate(length)
    }
}

/// On a full disk nothing changes, in memory or after a restart; `tests/store` lets every single
/// operation on files fail.
pub fn a_change_that_cannot_be_written_does_not_happen() {
    let full = Arc::new(AtomicBool::new(false));
    let world = World { files: Arc::new(FullDisk(Arc::clone(&full))), ..World::default() };
    let server = InProcess::in_world(&[], world);
    let (admin, other) = (server.admin(), server.admin());
    let users = |server: &InProcess| server.get("/api/v1/users").session(&admin).send().body;
    let before = users(&server);
    let id = server.get("/api/v1/users/me").session(&admin).send().json();
    let path = format!("/api/v1/users/{}", id["id"].as_str().unwrap());
    let by_admin = |method, path: &str| server.request(method, path).session(&admin);
    full.store(true, Ordering::SeqCst);
    for request in [
        by_admin("POST", "/api/v1/users").json(&json!({ "email": BOB, "password": PASSWORD })),
        by_admin("PUT", &path).json(&json!({ "first_name": "Zoe", "last_name": "Lee" })),
        by_admin("PUT", "/api/v1/users/me/password")
            .json(&json!({ "current_password": ADMIN_PASSWORD, "new_password": NEW_PASSWORD })),
        by_admin("POST", "/api/v1/auth_session/refresh"),
        by_admin("DELETE", "/api/v1/sessions"),
        by_admin("DELETE", "/api/v1/auth_session/logout"),
        server.login(&[("email", ADMIN), ("password", ADMIN_PASSWORD)]),
    ] {
        let answer = request.send();
        assert_eq!((answer.status, answer.header("set-cookie")), (503, None), "{answer:?}");
        assert_eq!(users(&server), before);
    }
    full.store(false, Ordering::SeqCst);
    let server = server.restart(START);
    assert_eq!(users(&server), before);
    assert_eq!(server.get("/api/v1/users/me").session(&other).send().status, 200);
}

/// Of many who want one address at once, one gets it.
pub fn an_address_is_given_once() {
    let desk = Desk::new();
    for round in 0..5 {
        let create = |n: usize| {
            let email = format!("bob{round}@example.com");
            let email = if n.is_multiple_of(2) { email } else { email.to_uppercase() };
            let body = json!({ "email": email, "password": PASSWORD });
            desk.server.post("/api/v1/users").session(&desk.admin).json(&body).start()
        };
        let creations: Vec<Connection> = (0..6).map(create).collect();
        let mut statuses: Vec<u16> = creations.into_iter().map(|c| c.finish().status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 409, 409, 409, 409, 409]);
    }
}

/// Two admins who demote each other at once do not both succeed.
pub fn the_last_admin_stays() {
    let desk = Desk::new();
    let me = |session: &str| desk.server.get("/api/v1/users/me").session(session).send().json();
    let new = json!({ "email": BOB, "password": PASSWORD });
    let bob = desk.server.post("/api/v1/users").session(&desk.admin).json(&new).send().json();
    let path = |user: &serde_json::Value| format!("/api/v1/users/{}", user["id"].as_str().unwrap());
    let promote =
        desk.server.put(&path(&bob)).session(&desk.admin).json(&json!({ "role": "admin" }));
    assert_eq!(promote.send().status, 200);
    let (admin, bobs) = (desk.server.admin(), desk.server.log_in(BOB, PASSWORD));
    let (admins_path, bobs_path) = (path(&me(&admin)), path(&bob));
    let demote = |by: &str, path: &str| {
        desk.server.put(path).session(by).json(&json!({ "role": "user" })).start()
    };
    let both = [demote(&admin, &bobs_path), demote(&bobs, &admins_path)];
    let statuses = both.map(|answer| answer.finish().status);
    assert!(matches!(statuses, [200, 403 | 409] | [403 | 409, 200]), "{statuses:?}");
    // The one who succeeded has a new id, so both log in once more.
    let sessions = [desk.server.admin(), desk.server.log_in(BOB, PASSWORD)];
    let admins = sessions.map(|session| me(&session)["role"] == "admin");
    assert_eq!(admins.iter().filter(|is| **is).count(), 1);
}

/// Logins at once do not get more than the number of sessions that one user may have.
pub fn places_for_sessions_are_not_given_twice() {
    let desk = Desk::with(&["--sessions-per-user", "3"]);
    let fields = [("email", ADMIN), ("password", ADMIN_PASSWORD)];
    let logins: Vec<Connection> = (0..8).map(|_| desk.server.login(&fields).start()).collect();
    let sessions: Vec<String> =
        logins.into_iter().map(|login| login.finish().session_id().unwrap()).collect();
    let live = |id: &&String| desk.server.get("/api/v1/users/me").session(id).send().status == 200;
    assert_eq!(sessions.iter().filter(live).count(), 3);
}
