//! Imports: the users of other programs, and everything of another directory.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::commands::{ID, add, bad, classic, empty, good, record, status_of_login, stored_users};
use crate::harness::{ADMIN, ADMIN_PASSWORD, PASSWORD, Program, Server};

const OTHER_ID: &str = "7b0a4f60-2d0e-4b7e-8d0b-0e6a2c1f9d22";

#[test]
fn users_of_the_classic_program_come_along_with_their_passwords() {
    let program = empty();
    let classic_record = record(ID, "bob@example.com", "pwd");
    let classic_hash = classic_record["_password"].as_str().unwrap().to_owned();
    let file = classic(&program, &json!({ ID: classic_record }));
    let said = good(program.run(&["import", &file], ""));
    assert!(said.starts_with("imported 1 users, 0 were there already\n"), "{said}");
    assert!(said.contains("nobody is an admin yet"), "{said}");
    let stored = stored_users(&program);
    assert!(!stored.to_string().contains(&classic_hash), "the classic hash is on disk");
    assert!(stored[ID]["password_hash"].as_str().unwrap().starts_with("$classic-sha256$"));

    let server = program.start();
    assert_eq!(status_of_login(&server, "bob@example.com", "pwd "), 401);
    assert_eq!(status_of_login(&server, "bob@example.com", &classic_hash), 401);
    let me = server.get("/api/v1/users/me").session(&server.log_in("bob@example.com", "pwd"));
    let me = me.send().json();
    assert_eq!(
        me,
        json!({
            "id": ID, "email": "bob@example.com", "first_name": "Bob", "last_name": null,
            "created_at": "2017-09-25T01:55:17.000Z", "updated_at": "2018-01-02T03:04:05.000Z",
            "role": "user", "disabled": false,
        })
    );
    let (program, _, _) = server.stop();
    let hash = stored_users(&program)[ID]["password_hash"].as_str().unwrap().to_owned();
    assert!(hash.starts_with("$2b$"), "{hash}");
    let server = program.start();
    server.log_in("bob@example.com", "pwd");
}

#[test]
fn an_import_can_be_repeated() {
    let program = empty();
    let records = json!({ ID: record(ID, "bob@example.com", PASSWORD) });
    good(program.run(&["import", &classic(&program, &records)], ""));
    good(program.run(&["user", "passwd", ID], "a new password 3"));
    let records = json!({
        ID: record(ID, "bob@example.com", PASSWORD),
        OTHER_ID: record(OTHER_ID, "cat@example.com", PASSWORD),
    });
    let said = good(program.run(&["import", &classic(&program, &records)], ""));
    assert!(said.starts_with("imported 1 users, 1 were there already\n"), "{said}");
    let server = program.start();
    server.log_in("bob@example.com", "a new password 3");
    server.log_in("cat@example.com", PASSWORD);
}

#[test]
fn a_file_with_one_bad_record_is_refused_whole() {
    let program = empty();
    good(add(&program, &["taken@example.com"], PASSWORD));
    let before = stored_users(&program);
    let with = |member: &str, value: Value| {
        let mut bad = record(OTHER_ID, "cat@example.com", PASSWORD);
        bad[member] = value;
        json!({ ID: record(ID, "bob@example.com", PASSWORD), OTHER_ID: bad })
    };
    for records in [
        with("email", json!(null)),
        with("email", json!("cat")),
        with("email", json!("BOB@example.com")),
        with("email", json!("taken@example.com")),
        with("_password", json!(null)),
        with("_password", json!("secret")),
        with("created_at", json!("yesterday")),
        with("updated_at", json!(5)),
        with("id", json!(ID)),
        with("first_name", json!(["x"])),
        json!([]),
        json!({ ID: [] }),
    ] {
        let file = classic(&program, &records);
        let line = bad(program.run(&["import", &file], ""));
        assert!(line.starts_with(&format!("{file}: ")), "{line}");
        assert_eq!(stored_users(&program), before, "{records}");
    }
    for content in ["", "{", "\u{0}"] {
        let file = program.folder().join("junk").display().to_string();
        fs::write(&file, content).unwrap();
        assert!(bad(program.run(&["import", &file], "")).starts_with(&format!("{file}: ")));
    }
    bad(program.run(&["import", "/nowhere/at/all"], ""));
}

#[test]
fn an_export_holds_everything_and_can_be_imported() {
    let server = Server::of("session_db_auth");
    server.add_user("bob@example.com");
    let bob = server.log_in("bob@example.com", PASSWORD);
    let (program, _, _) = server.stop();
    let file = program.folder().join("export.json");
    fs::write(&file, "older").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(good(program.run(&["export", file.to_str().unwrap()], "")), "");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let printed = good(program.run(&["export"], ""));
    assert_eq!(fs::read_to_string(&file).unwrap(), printed);
    let export: Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(export["User"].as_object().unwrap().len(), 2);
    assert!(!printed.contains(&bob), "session ids are not in it");
    let left: Vec<_> =
        fs::read_dir(program.folder()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "nothing but data and export: {left:?}");

    let other = empty();
    let said = good(other.run(&["import", file.to_str().unwrap()], ""));
    assert_eq!(said, "imported 2 users, 0 were there already\nimported 2 sessions\n");
    let again = good(other.run(&["import", file.to_str().unwrap()], ""));
    let left_out =
        "left out 2 sessions: only an empty directory takes them, lest an ended one come back";
    assert_eq!(again, format!("imported 0 users, 2 were there already\n{left_out}\n"));
    assert_eq!(good(other.run(&["export"], "")), printed);
    let server = other.start();
    assert_eq!(server.get("/api/v1/users/me").session(&bob).send().status, 200);
    server.log_in(ADMIN, ADMIN_PASSWORD);
}

#[test]
fn an_import_brings_no_ended_session_back() {
    let server = Server::of("session_db_auth");
    let ended = server.admin();
    let (program, _, _) = server.stop();
    let file = program.folder().join("export.json").display().to_string();
    good(program.run(&["export", &file], ""));
    let server = program.start();
    let logout = server.delete("/api/v1/auth_session/logout").session(&ended).send();
    assert_eq!(logout.status, 200);
    let (program, _, _) = server.stop();
    // There are users but no sessions any more; elsewhere the user of the session is new.
    let other = Program::of("session_db_auth").set("ADMIN_EMAIL", "ann@example.com").start();
    let (other, _, _) = other.stop();
    for (program, users) in [
        (&program, "imported 0 users, 1 were there already"),
        (&other, "imported 1 users, 0 were there already"),
    ] {
        let said = good(program.run(&["import", &file], ""));
        let left_out = "left out 1 sessions: only an empty directory takes them, lest an ended one \
                        come back";
        assert_eq!(said, format!("{users}\n{left_out}\n"));
        let server = program.clone().start();
        assert_eq!(server.get("/api/v1/users/me").session(&ended).send().status, 403, "{users}");
        server.log_in(ADMIN, ADMIN_PASSWORD);
    }
}

#[test]
fn an_import_hashes_more_users_than_the_queue_holds() {
    let program = empty().set("HASH_LANES", "2").set("HASH_QUEUE", "1");
    let records: serde_json::Map<String, Value> = (0..20)
        .map(|number| {
            let id = format!("{number:08x}-4c46-4e76-9b2e-5f9b2b1d4c11");
            let user = record(&id, &format!("{number}@example.com"), PASSWORD);
            (id, user)
        })
        .collect();
    let said = good(program.run(&["import", &classic(&program, &records.into())], ""));
    assert!(said.starts_with("imported 20 users, 0 were there already\n"), "{said}");
    let server = program.start();
    (0..20).for_each(|number| {
        server.log_in(&format!("{number}@example.com"), PASSWORD);
    });
}

/// What other programs made of "correct horse": passlib, Django, argon2-cffi, Python's hashlib.
const FOREIGN: [&str; 13] = [
    "$2a$04$We5M/Zl/pOd8Zb0D.6HjNO93PX34llIoHOc2VgYgaaFPF0cYosGzG",
    "$2y$04$x/06zgAD4qKSMZzYJge4KO9Lcv6bU0.Ase/42/kkrQCLWFbDXtSBG",
    "bcrypt$$2b$04$4OMIm.kfAfPD2gxMIJweruga8n1rIqEPn4zeS/f0lCXSe5nJE/gs.",
    "bcrypt_sha256$$2b$04$LAOMgXIgXcQpP.Mw.KIgk.SPFfE4nutOd729mxMeamQiAFz9ueHA2",
    "$argon2id$v=19$m=64,t=2,p=2$qLNTo43m27os3BuDF31cmA$AneQMk3Ev7iRICJST+7omthHLOesyIYjc/ra932D6Qk",
    "argon2$argon2id$v=19$m=64,t=2,p=2$WjJtSld3SnBkd2JlckdSd3FUS0N2cQ$0uHmbKqzkC++QK/xu303ql4IFahDYZZmcbmMgvvuhXw",
    "$scrypt$ln=4,r=8,p=2$AACA8L4XYkzJGWOslfJe6w$jRKCGNLLXiyY0yM1rWIf5Wb5wjUMo6mrOlwB9ziQ1m4",
    "scrypt$16$RxDU1YekKas6KycLNzPKO6$8$5$2MTKzuTuCUnsA/HJM4Vk5/1uKn7eP/aTqAXwtxSEJIl91Ru9xLHK04HVM94o5QgNejtrQPNkh0B3rXOaH7bMJw==",
    "$pbkdf2-sha256$1000$YSzl/D/HuLdWinFuLYUwpg$JeopsVYzh.4YpXxPBG/ebPwPa8MKuKY/jK5tSE4pxGo",
    "pbkdf2_sha256$1000$12mcdU0X34VmwYXsTbqlxL$xhPg3cWTOvNj0PXMXRauf548CoafCUiBWS5UdRGu8pY=",
    "$pbkdf2-sha256$i=1000,l=32$c2FsdHNhbHRzYWx0c2FsdA$BBs+1+PaslLtBPULUr8/lQicvVuHiEPMz0i8MjLCbzM",
    "$pbkdf2-sha256$i=1000,l=64$c2FsdHNhbHRzYWx0c2FsdA$BBs+1+PaslLtBPULUr8/lQicvVuHiEPMz0i8MjLCbzMlDQ3Yb2wCsKdu0jOOQpv3YwCPvTBpfPZXomHUAcFnjQ",
    // printf 'correct horse' | sha256sum
    "4104d36f8da2c254349f85836793ebe029e0c957063a34c91c2e9203187b5631",
];
const FOREIGN_PASSWORD: &str = "correct horse";

/// A file beside the data directory.
fn file(program: &Program, content: &str) -> String {
    let file = program.folder().join("users.json");
    fs::write(&file, content).unwrap();
    file.display().to_string()
}

fn hash_of(program: &Program, email: &str) -> String {
    let users = stored_users(program);
    let user = users.as_object().unwrap().values().find(|user| user["email"] == email).unwrap();
    user["password_hash"].as_str().unwrap().to_owned()
}

/// All files of the data directory; none when it is not there.
fn files(directory: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let entries = fs::read_dir(directory).into_iter().flatten().map(|entry| entry.unwrap().path());
    entries.map(|path| (path.clone(), fs::read(path).unwrap())).collect()
}

#[test]
fn users_of_other_programs_log_in_and_get_hashes_of_our_own() {
    let program = empty();
    let email = |number: usize| format!("user{number}@example.com");
    let users = FOREIGN.iter().enumerate();
    let users = users.map(|(n, hash)| json!({ "email": email(n), "password_hash": hash }));
    let said =
        good(program.run(&["import", &file(&program, &users.collect::<Value>().to_string())], ""));
    assert!(said.starts_with("imported 13 users, 0 were there already\n"), "{said}");
    for (number, hash) in FOREIGN[..12].iter().enumerate() {
        assert_eq!(hash_of(&program, &email(number)), *hash, "kept as it is");
    }
    assert!(hash_of(&program, &email(12)).starts_with("$classic-sha256$"), "and this one never");
    let server = program.start();
    for (number, hash) in FOREIGN.iter().enumerate() {
        for wrong in ["correct hors", "correct horse ", "Correct horse", hash] {
            assert_eq!(status_of_login(&server, &email(number), wrong), 401, "{number} {wrong}");
        }
    }
    let (program, ..) = server.stop();
    assert_eq!(hash_of(&program, &email(0)), FOREIGN[0], "wrong passwords change nothing");
    let server = program.start();
    for number in 0..FOREIGN.len() {
        server.log_in(&email(number), FOREIGN_PASSWORD);
    }
    // At that moment, and not at a stop.
    let program = server.kill();
    let server = program.start();
    let (program, ..) = server.stop();
    for number in 0..FOREIGN.len() {
        let hash = hash_of(&program, &email(number));
        assert!(hash.starts_with("$2b$04$") && !FOREIGN.contains(&hash.as_str()), "{hash}");
    }
    let server = program.start();
    for number in 0..FOREIGN.len() {
        assert_eq!(status_of_login(&server, &email(number), "correct hors"), 401, "{number}");
        server.log_in(&email(number), FOREIGN_PASSWORD);
    }
}

#[test]
fn a_password_that_another_program_has_cut_logs_in_and_counts_whole_from_then_on() {
    let program = empty();
    let long = format!("{}yz tail", "x".repeat(71));
    let hash = "$2b$04$S19dRVb28fcO27li7c0V2.kVQd.5EwMXXzYH5C.Gv047.meDRy6LK";
    let users = json!({ "email": "bob@example.com", "password_hash": hash }).to_string();
    good(program.run(&["import", &file(&program, &users)], ""));
    let server = program.start();
    assert_eq!(status_of_login(&server, "bob@example.com", &long[..71]), 401);
    server.log_in("bob@example.com", &long);
    let (program, ..) = server.stop();
    assert!(hash_of(&program, "bob@example.com").starts_with("$bcrypt-sha256$"));
    let server = program.start();
    assert_eq!(status_of_login(&server, "bob@example.com", &format!("{long}er")), 401);
    server.log_in("bob@example.com", &long);
}

#[test]
fn a_disabled_user_of_another_program_keeps_his_hash_and_stays_out() {
    let program = empty();
    let users =
        json!([{ "email": "bob@example.com", "password_hash": FOREIGN[9], "disabled": true }]);
    good(program.run(&["import", &file(&program, &users.to_string())], ""));
    let server = program.start();
    assert_eq!(status_of_login(&server, "bob@example.com", FOREIGN_PASSWORD), 401);
    let (program, ..) = server.stop();
    assert_eq!(hash_of(&program, "bob@example.com"), FOREIGN[9]);
}

#[test]
fn users_come_as_a_list_or_one_a_line_with_all_that_they_may_say() {
    let user = |email: &str| json!({ "email": email, "password_hash": FOREIGN[0] });
    let mut ann = user("ann@example.com");
    for (member, value) in [
        ("id", json!(ID)),
        ("role", json!("admin")),
        ("first_name", json!("Ann")),
        ("must_change", json!(true)),
        ("created_at", json!("2020-01-02T03:04:05.678Z")),
    ] {
        ann[member] = value;
    }
    let bob = user("bob@example.com");
    for content in
        [format!("[{ann}, {bob}]"), format!("{ann}\n{bob}\n"), format!("{ann}\r\n\n{bob}")]
    {
        let program = empty();
        let said = good(program.run(&["import", &file(&program, &content)], ""));
        assert_eq!(said, "imported 2 users, 0 were there already\n");
        // Who came without an id is known by his address.
        let again = good(program.run(&["import", &file(&program, &content)], ""));
        assert_eq!(again, "imported 0 users, 2 were there already\n");
        let stored = stored_users(&program);
        let ann = &stored[ID];
        assert_eq!(
            [&ann["role"], &ann["first_name"], &ann["created_at"]],
            ["admin", "Ann", "2020-01-02T03:04:05.678Z"]
        );
        assert_eq!([&ann["must_change"], &ann["disabled"]], [&json!(true), &json!(false)]);
        let listed = good(program.run(&["user", "list"], ""));
        let emails: Vec<_> = listed.lines().map(|line| line.split('\t').nth(1).unwrap()).collect();
        assert_eq!(emails, ["ann@example.com", "bob@example.com"], "in the order of the file");
    }
}

#[test]
fn what_is_wrong_with_a_list_is_one_line_and_changes_nothing() {
    let program = empty();
    let taken = json!([{ "email": "taken@example.com", "password_hash": FOREIGN[4] }]);
    good(program.run(&["import", &file(&program, &taken.to_string())], ""));
    let before = files(&program.data());
    let user = |n: usize, hash: &str| json!({ "email": format!("u{n}@example.com"), "password_hash": hash });
    let argon2id = |n: usize| FOREIGN[4].replace("m=64", &format!("m={}", 64 + n));
    let with = |bad: Value| json!([user(0, FOREIGN[0]), bad]).to_string();
    for (content, says) in [
        (
            with(user(1, &FOREIGN[0].replace("$04$", "$16$"))),
            "record 2: the password hash bcrypt must have a cost of 4 to 15",
        ),
        (with(user(1, &argon2id(262_144))), "argon2id must have p of 1 to 16, m of 8*p to 262144"),
        (with(user(1, &FOREIGN[6].replace("ln=4", "ln=18"))), "scrypt must have N of 2 or more"),
        (
            with(user(1, &FOREIGN[9].replace("$1000$", "$4000001$"))),
            "PBKDF2 must have 1 to 4000000 rounds",
        ),
        (
            with(user(
                1,
                "$argon2i$v=19$m=64,t=2,p=2$3YZlNwlHCgG2paplaQznmQ$YVFHLgWuP3ODoGzkqyPYiIqKIRSwCeBfHUluUjbL3L0",
            )),
            "is of argon2i;",
        ),
        (with(user(1, "!unusable")), "no form that is known"),
        (
            with(json!({ "email": "x@example.com", "password_hash": FOREIGN[0], "phone": 1 })),
            "unknown field `phone`",
        ),
        (
            with(json!({ "email": "TAKEN@example.com", "id": ID, "password_hash": FOREIGN[0] })),
            "belongs to user",
        ),
        (
            (1..=4).map(|n| user(n, &argon2id(n))).collect::<Value>().to_string(),
            "5 settings of argon2id and scrypt",
        ),
        (format!("{}\n{{", user(1, FOREIGN[0])), "no JSON"),
    ] {
        let file = file(&program, &content);
        let line = bad(program.run(&["import", &file], ""));
        assert!(line.starts_with(&format!("{file}: ")) && line.contains(says), "{line}");
        assert!(
            !line.contains("AneQMk3E") && !line.contains("x/06zg"),
            "no hashes are told: {line}"
        );
        assert!(files(&program.data()) == before, "{says}");
    }
    // Where nothing was, there is nothing.
    let nowhere = empty();
    bad(nowhere.run(&["import", &file(&nowhere, &with(user(1, "!")))], ""));
    assert!(!nowhere.data().exists());
}

#[test]
fn a_hash_out_of_bounds_in_the_file_is_not_computed() {
    let program = empty();
    let users = json!([{ "email": "bob@example.com", "password_hash": FOREIGN[4] }]);
    good(program.run(&["import", &file(&program, &users.to_string())], ""));
    let path = program.data().join("User.json");
    let costly =
        fs::read_to_string(&path).unwrap().replace("m=64,t=2,p=2", "m=4294967295,t=4294967295,p=2");
    fs::write(&path, costly).unwrap();
    assert_eq!(program.run(&["check"], "").status.code(), Some(1));
    assert_eq!(status_of_login(&program.start(), "bob@example.com", FOREIGN_PASSWORD), 401);
}

/// A directory with users and sessions, the export of it, and a live session.
fn exported() -> (Program, String, String) {
    let server = Server::of("session_db_auth");
    let bob = server.add_user("bob@example.com");
    server.log_in("bob@example.com", PASSWORD);
    let alive = server.admin();
    let (program, ..) = server.stop();
    // Somebody who is older than those before him.
    let zoe = json!([{ "email": "zoe@example.com", "password_hash": FOREIGN[6], "created_at": "2001-01-01T00:00:00Z" }]);
    good(program.run(&["import", &file(&program, &zoe.to_string())], ""));
    assert!(stored_users(&program).get(&bob).is_some());
    let export = good(program.run(&["export"], ""));
    (program, export, alive)
}

#[test]
fn an_import_of_an_export_keeps_its_order_its_hashes_and_its_sessions_alive() {
    let (_, export, alive) = exported();
    let other = empty();
    let said = good(other.run(&["import", &file(&other, &export)], ""));
    assert_eq!(said, "imported 3 users, 0 were there already\nimported 3 sessions\n");
    assert_eq!(good(other.run(&["export"], "")), export);
    let server = other.start();
    assert_eq!(server.get("/api/v1/users/me").session(&alive).send().status, 200);
    server.log_in("zoe@example.com", FOREIGN_PASSWORD);
}

#[test]
fn limits_in_force_count_for_imported_sessions() {
    let (_, export, alive) = exported();
    let other = empty();
    // They were made and used long ago.
    let mut old: Value = serde_json::from_str(&export).unwrap();
    for session in old["UserSession"].as_object_mut().unwrap().values_mut() {
        for member in ["created_at", "last_seen_at"] {
            session[member] = json!("2020-01-01T00:00:00.000Z");
        }
        session["expires_at"] = Value::Null;
        session["idle_timeout"] = Value::Null;
    }
    good(other.run(&["import", &file(&other, &old.to_string())], ""));
    let server = other.start();
    assert_eq!(server.get("/api/v1/users/me").session(&alive).send().status, 403);
    server.log_in(ADMIN, ADMIN_PASSWORD);
}

#[test]
fn what_is_left_of_a_user_of_another_time_ends_before_he_comes_back() {
    let (program, export, alive) = exported();
    let export = file(&program, &export);
    // A crash may leave sessions behind whose user is gone.
    let sessions = fs::read(program.data().join("UserSession.json")).unwrap();
    let stored: Value = stored_users(&program);
    let ann = json!([{ "email": "ann@example.com", "password_hash": FOREIGN[0], "role": "admin" }]);
    let other = empty();
    good(other.run(&["import", &file(&other, &ann.to_string())], ""));
    fs::write(other.data().join("UserSession.json"), sessions).unwrap();
    let printed: Value = serde_json::from_str(&good(other.run(&["export"], ""))).unwrap();
    assert_eq!(printed["UserSession"], json!({}), "an export does without them");
    let said = good(other.run(&["import", &export], ""));
    assert!(said.contains("left out 3 sessions"), "{said}");
    assert_eq!(
        stored_users(&other).as_object().unwrap().len(),
        stored.as_object().unwrap().len() + 1
    );
    let server = other.start();
    assert_eq!(server.get("/api/v1/users/me").session(&alive).send().status, 403);
}

/// Enough for an import that takes a while.
const MANY: usize = 500;

/// A file of many users with a session each.
fn many() -> String {
    let id = |n: usize| format!("{n:08x}-4c46-4e76-9b2e-5f9b2b1d4c11");
    let user = |n: usize| {
        (
            id(n),
            json!({
                "id": id(n), "email": format!("u{n}@example.com"), "password_hash": FOREIGN[0],
                "first_name": null, "last_name": null, "role": "admin", "disabled": false,
                "credential_version": 0, "created_at": "2020-01-01T00:00:00.000Z",
                "updated_at": "2020-01-01T00:00:00.000Z",
            }),
        )
    };
    let session = |n: usize| {
        let hash = format!("{n:064x}");
        let session = json!({
            "hash": hash, "id": id(n), "user_id": id(n), "credential_version": 0,
            "created_at": "2020-01-01T00:00:00.000Z", "last_seen_at": "2020-01-01T00:00:00.000Z",
            "expires_at": null, "idle_timeout": null, "remembered": false, "client_address": null,
            "user_agent": null,
        });
        (hash, session)
    };
    json!({
        "format": "sessiond export 1",
        "User": (0..MANY).map(user).collect::<serde_json::Map<_, _>>(),
        "UserSession": (0..MANY).map(session).collect::<serde_json::Map<_, _>>(),
    })
    .to_string()
}

#[test]
fn an_import_that_is_killed_is_there_whole_or_not_at_all_and_can_be_repeated() {
    let content = many();
    let whole = empty();
    good(whole.run(&["import", &file(&whole, &content)], ""));
    let whole = good(whole.run(&["export"], ""));
    let mut outcomes = BTreeMap::new();
    // What is there when it is killed.
    for moment in [
        ".lock",
        "UserSession.journal",
        "User.journal",
        "User.json.tmp",
        "User.json",
        "UserSession.json.tmp",
        "UserSession.json",
    ] {
        let program = empty();
        let file = file(&program, &content);
        let mut import = program.spawn(&["import", &file]);
        let there = program.data().join(moment);
        while !there.exists() && import.try_wait().unwrap().is_none() {
            std::hint::spin_loop();
        }
        import.kill().unwrap();
        import.wait().unwrap();
        let found = good(program.run(&["export"], ""));
        let users: Value = serde_json::from_str(&found).unwrap();
        let count = users["User"].as_object().unwrap().len();
        assert!(count == 0 || found == whole, "{moment}: {count} users");
        *outcomes.entry(count).or_insert(0) += 1;
        let said = good(program.run(&["import", &file], ""));
        let added = format!("imported {} users, {count} were there already\n", MANY - count);
        assert!(said.starts_with(&added), "{moment}: {said}");
        assert_eq!(good(program.run(&["export"], "")), whole, "{moment}");
    }
    assert!(outcomes.contains_key(&0), "{outcomes:?}");
}
