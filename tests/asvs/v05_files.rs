//! Files.

use serde_json::json;

use crate::harness::{ADMIN, ADMIN_PASSWORD, InProcess, PASSWORD};
use crate::registry::{Chapter, requirement};
use crate::v02_validation::limits;

pub const CHAPTER: Chapter = Chapter {
    title: "V5 Files",
    rows: &[
        requirement("5.1.1", 2, "Kinds and sizes of accepted files are written down")
            .not_applicable("no files are taken"),
        requirement("5.2.1", 1, "Sizes the service can stand")
            .tested(&[("a body has at most 64 KiB", a_body_is_bounded)]),
        requirement("5.2.2", 1, "A file is what its name says")
            .not_applicable("no files are taken"),
        requirement("5.2.3", 2, "Compressed files are measured before they are opened")
            .not_applicable("no files are taken"),
        requirement("5.2.4", 3, "Quota per user").tested(&[
            ("a user has so many sessions and no more", limits::the_sessions_of_a_user_are_counted),
            ("nobody makes users but admins", nobody_makes_users_but_admins),
        ]),
        requirement("5.2.5", 3, "Compressed files hold no links")
            .not_applicable("no files are taken"),
        requirement("5.2.6", 3, "Pictures have a greatest size in pixels")
            .not_applicable("no files are taken"),
        requirement("5.3.1", 1, "Uploaded files are not executed")
            .not_applicable("no files are taken"),
        requirement("5.3.2", 1, "File paths never from user text")
            .tested(&[("ids that look like paths reach no file", ids_are_no_paths)]),
        requirement("5.3.3", 3, "Paths in compressed files are ignored")
            .not_applicable("no files are taken"),
        requirement("5.4.1", 2, "Names of downloads do not come from the request unchecked")
            .not_applicable("no files are served"),
        requirement("5.4.2", 2, "Names of downloads are encoded")
            .not_applicable("no files are served"),
        requirement("5.4.3", 2, "Files from elsewhere are scanned for malware")
            .not_applicable("no files are taken or served"),
    ],
};

fn a_body_is_bounded() {
    let server = InProcess::with(&[]);
    let log_in = |pad: usize| {
        let pad = "x".repeat(pad);
        let body = json!({ "email": ADMIN, "password": ADMIN_PASSWORD, "pad": pad }).to_string();
        (body.len(), server.post("/api/v1/auth_session/login").body("application/json", body))
    };
    let (empty, _) = log_in(0);
    let (length, request) = log_in(65_536 - empty);
    assert_eq!((length, request.send().status), (65_536, 200));
    log_in(65_537 - empty).1.send().assert_error(413, "body must have at most 65536 bytes");
}

/// The record of the admin is `User.json` in the data directory. What a client can name is looked up
/// among the records, and never opened.
fn ids_are_no_paths() {
    let server = InProcess::with(&[]);
    let admin = server.admin();
    let names = || {
        let entries = std::fs::read_dir(server.data()).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    let before = names();
    for id in ["User.json", "..%2FUser.json", "%2e%2e%2fdata%2fUser.json", "User", ".lock", "~"] {
        let path = format!("/api/v1/users/{id}");
        for request in [server.get(&path), server.delete(&path)] {
            let answer = request.session(&admin).send();
            assert!(matches!(answer.status, 400 | 404), "{path}: {answer:?}");
        }
        let answer = server.get("/api/v1/users/me").session(id).send();
        assert!(matches!(answer.status, 400 | 403), "{id}: {answer:?}");
    }
    assert_eq!(names(), before);
}

/// Records that a plain user can cause are his own sessions: he makes no users, and no route is
/// there on which somebody could sign up.
fn nobody_makes_users_but_admins() {
    let server = InProcess::with(&[]);
    let new = |email: &str| json!({ "email": email, "password": PASSWORD });
    let made = server.post("/api/v1/users").session(&server.admin()).json(&new("bob@example.com"));
    assert_eq!(made.send().status, 201);
    let bob = server.log_in("bob@example.com", PASSWORD);
    let body = new("eve@example.com");
    let users = server.post("/api/v1/users");
    users.session(&bob).json(&body).send().assert_error(403, "Forbidden");
    for path in ["/api/v1/users", "/api/v1/register", "/api/v1/signup", "/api/v1/users/register"] {
        server.post(path).json(&body).send().assert_error(401, "Unauthorized");
    }
}
