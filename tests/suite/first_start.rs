//! The first start makes the first admin, and no later one does.

use std::fs;

use crate::harness::{ADMIN, ADMIN_PASSWORD, Program, Server};

fn says(server: &Server, text: &str) -> bool {
    server.log().iter().any(|line| line.contains(text))
}

#[test]
fn the_first_start_makes_the_first_admin_and_later_ones_do_nothing() {
    let server = Server::of("session_db_auth");
    assert!(says(&server, "made the first admin, admin@example.com"));
    let me = server.get("/api/v1/users/me").session(&server.admin()).send().json();
    assert_eq!((&me["email"], &me["role"]), (&ADMIN.into(), &"admin".into()));
    let (program, _, _) = server.stop();
    let server = program
        .set("ADMIN_EMAIL", "other@example.com")
        .set("ADMIN_PASSWORD", "another password")
        .start();
    assert!(!says(&server, "first admin"));
    assert_eq!(
        server
            .login(&[("email", "other@example.com"), ("password", "another password")])
            .send()
            .status,
        401
    );
    let users = server.get("/api/v1/users").session(&server.admin()).send().json();
    assert_eq!(users.as_array().unwrap().len(), 1);
}

#[test]
fn the_password_may_come_from_a_file_that_is_read_only_then() {
    for ending in ["", "\n", "\r\n"] {
        let program = Program::of("session_db_auth").unset("ADMIN_PASSWORD");
        let file = program.folder().join("password");
        fs::write(&file, format!(" {ADMIN_PASSWORD} {ending}")).unwrap();
        let server = program.set("ADMIN_PASSWORD_FILE", &file.display().to_string()).start();
        // The end of the line is none of the password, white space is.
        server.log_in(ADMIN, &format!(" {ADMIN_PASSWORD} "));
        fs::remove_file(file).unwrap();
        let (program, _, _) = server.stop();
        program.start().log_in(ADMIN, &format!(" {ADMIN_PASSWORD} "));
    }
}

#[test]
fn without_an_admin_the_log_says_how_to_make_one() {
    let program = Program::of("session_db_auth").unset("ADMIN_EMAIL").unset("ADMIN_PASSWORD");
    let server = program.start();
    assert!(says(&server, "no users yet: set ADMIN_EMAIL and ADMIN_PASSWORD"));
    let (program, status, _) = server.stop();
    assert!(status.success());
    let server = program.set("ADMIN_EMAIL", ADMIN).set("ADMIN_PASSWORD", ADMIN_PASSWORD).start();
    server.admin();
    assert!(!says(&server, "no users yet"));
}

#[test]
fn an_admin_in_the_settings_needs_no_password_once_there_are_users() {
    let (program, _, _) = Server::of("session_db_auth").stop();
    program.unset("ADMIN_PASSWORD").start().admin();
}
