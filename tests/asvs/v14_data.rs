//! Data protection.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde_json::{Value, json};
use sessiond::models::{
    Client as From, Email, Lifetime, PasswordHash, Role, SessionId, User, UserId, UserSession,
};
use sessiond::random::SystemRandom;
use sha2::{Digest as _, Sha256};

use crate::harness::{
    ADMIN, ADMIN_PASSWORD, Answer, InProcess, KINDS, PASSWORD, Program, START, Server, block_on,
};
use crate::registry::{Chapter, requirement};
use crate::v11_cryptography::hex;
use crate::{files, markdown, pages, v13_configuration as v13};

pub const CHAPTER: Chapter = Chapter {
    title: "V14 Data protection",
    rows: &[
        requirement("14.1.1", 2, "Data classified").documented(
            "docs/CONTROLS.md#data",
            &[("each member of a stored record has a class", members_are_classified)],
        ),
        requirement("14.1.2", 2, "Protection per class").documented(
            "docs/CONTROLS.md#data",
            &[("each class says how its data are protected", classes_are_protected)],
        ),
        requirement("14.2.1", 1, "Nothing sensitive in URLs").tested(&[
            ("a session id or password in a URL is not looked at", urls_carry_no_secret),
            ("no answer holds a URL with more than public ids", answers_link_nowhere),
            ("no address of a page holds a secret", pages::no_address_of_a_page_holds_a_secret),
        ]),
        requirement("14.2.2", 2, "Not cached on the way")
            .tested(&[("every answer says no-store", answers_are_not_stored)]),
        requirement("14.2.3", 2, "Not sent to third parties").tested(&[
            ("a running service speaks to its clients alone", v13::communication::one_port_is_open),
            ("nothing that could call out is built in", v13::communication::nothing_calls_out),
        ]),
        requirement("14.2.4", 2, "Controls per class implemented").tested(&[
            ("no secret is at rest", secrets_are_not_at_rest),
            ("the log keeps to what each class allows", the_log_keeps_to_the_classes),
            ("no answer shows what is shown to nobody", answers_show_what_they_may),
        ]),
        requirement("14.2.5", 3, "No web cache deception")
            .tested(&[("a path with an ending more is nothing", endings_are_nothing)]),
        requirement("14.2.6", 3, "Minimum data returned")
            .tested(&[("views have their members and no others", answers_show_what_they_may)]),
        requirement("14.2.7", 3, "Retention").tested(&[
            ("what has expired leaves the disk", expired_sessions_leave_the_disk),
            ("a user who was deleted leaves the disk, his sessions too", deleted_users_leave),
        ]),
        requirement("14.2.8", 3, "Metadata is removed from files of users")
            .not_applicable("no files are taken"),
        requirement("14.3.1", 1, "Client data cleared at the end").tested(&[
            (
                "a logout has the browser forget cookie, cache and storage",
                a_logout_clears_the_browser,
            ),
            ("so does one on a page", pages::a_logout_on_the_page_empties_the_browser),
        ]),
        requirement("14.3.2", 2, "no-store").tested(&[
            ("every answer says no-store", answers_are_not_stored),
            ("so does every page", pages::no_page_is_kept),
        ]),
        requirement("14.3.3", 2, "Browser storage holds only the token").tested(&[
            ("one cookie is set, and it tells nothing", cookies_tell_nothing),
            ("that of the pages is sealed", pages::what_the_pages_keep_tells_nothing),
        ]),
    ],
};

/// Somebody with every member that a user can have.
fn complete_user() -> User {
    let email = Email::new("bob@example.com").unwrap();
    let id = UserId::generate(&SystemRandom).unwrap();
    let mut user = User::new(id, email, PasswordHash::of_nobody(4), START);
    (user.first_name, user.last_name) = (Some("Bob".into()), Some("Dylan".into()));
    user.set_role(Role::Admin, START);
    user.must_change = true;
    user
}

/// A session with every member that one can have.
fn complete_session() -> UserSession {
    let id = SessionId::generate(&SystemRandom).unwrap();
    let from = From::new(Some("192.0.2.1".parse().unwrap()), Some("a browser"));
    let day = Some(Duration::from_hours(24));
    let lifetime = Lifetime { absolute: day, idle: day };
    let user = complete_user();
    let session = UserSession::new(id.hash(), &user, from, lifetime, START, &SystemRandom);
    UserSession { proved_at: Some(START), ..session.unwrap() }
}

fn members(record: &impl Serialize) -> BTreeSet<String> {
    let record = serde_json::to_value(record).unwrap();
    record.as_object().unwrap().keys().cloned().collect()
}

/// The rows of the table of classes, and of the table of members.
fn tables(section: &str) -> (Vec<Vec<&str>>, Vec<Vec<&str>>) {
    markdown::rows(section).into_iter().partition(|row| row.len() == 6)
}

fn members_are_classified() {
    let section = files::section("docs/CONTROLS.md", "Data");
    let (classes, listed) = tables(&section);
    let classes: BTreeSet<&str> = classes.iter().map(|row| row[0].trim_matches('*')).collect();
    for (record, members) in
        [("`User`", members(&complete_user())), ("`UserSession`", members(&complete_session()))]
    {
        let rows: Vec<&Vec<&str>> = listed.iter().filter(|row| row[0] == record).collect();
        let named: Vec<&str> = rows.iter().flat_map(|row| markdown::code(row[1])).collect();
        let once: BTreeSet<String> = named.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(once, members);
        assert_eq!(named.len(), once.len(), "each of {record} has one class");
    }
    let used: BTreeSet<&str> = listed.iter().map(|row| row[2]).collect();
    assert_eq!(used, classes);
    // The members are counted in the source as well: one that is seldom written is one, too.
    for (source, record, unlisted) in
        [("models/user.rs", "User", 2), ("models/user_session.rs", "UserSession", 1)]
    {
        let text = files::read(&format!("src/{source}"));
        let (_, declared) = text.split_once(&format!("pub struct {record} {{")).unwrap();
        let (declared, _) = declared.split_once("\n}").unwrap();
        let fields = declared.lines().filter(|line| line.trim_start().starts_with("pub ")).count();
        let rows = listed.iter().filter(|row| row[0] == format!("`{record}`"));
        let named = rows.flat_map(|row| markdown::code(row[1])).count();
        assert_eq!(
            fields,
            named + unlisted,
            "{record}: all but those that are unknown or not stored"
        );
    }
}

fn classes_are_protected() {
    let section = files::section("docs/CONTROLS.md", "Data");
    let (classes, _) = tables(&section);
    let names: Vec<&str> = classes.iter().map(|row| row[0]).collect();
    assert_eq!(names, ["*secret*", "*derived*", "*personal*", "*internal*"]);
    for row in &classes {
        assert!(row.iter().all(|cell| !cell.is_empty()), "{row:?}");
    }
    for word in ["over TLS alone", "`no-store`", "Checksums", "encryption of the disk", "journal"] {
        assert!(section.contains(word), "{word}");
    }
}

fn urls_carry_no_secret() {
    let server = InProcess::with(&[]);
    let id = server.admin();
    for query in [
        format!("_my_session_id={id}"),
        format!("session={id}"),
        format!("token={id}"),
        format!("access_token={id}"),
        format!("email={ADMIN}&password=correct+horse+1"),
    ] {
        server.get(&format!("/api/v1/users/me?{query}")).send().assert_error(401, "Unauthorized");
        let login = server.post(&format!("/api/v1/auth_session/login?{query}")).send();
        login.assert_error(400, "email missing");
    }
    let in_path = server.get(&format!("/api/v1/users/me;_my_session_id={id}")).send();
    assert!(matches!(in_path.status, 400 | 401), "{in_path:?}");
}

fn answers_link_nowhere() {
    let server = InProcess::with(&[]);
    let login = server.login(&[("email", ADMIN), ("password", ADMIN_PASSWORD)]).send();
    let id = login.session_id().unwrap();
    let me = server.get("/api/v1/users/me").session(&id).send();
    let sessions = server.get("/api/v1/users/me/sessions").session(&id).send();
    for answer in [login, me, sessions] {
        assert_eq!(answer.status, 200);
        assert!(answer.header("location").is_none() && answer.header("link").is_none());
        assert!(!answer.body.contains("://") && !answer.body.contains(&id), "{answer:?}");
    }
}

fn answers_are_not_stored() {
    for kind in KINDS {
        let server = InProcess::with(&["--auth-type", kind]);
        for (method, path) in [
            ("GET", "/api/v1/status"),
            ("GET", "/api/v1/users/me"),
            ("GET", "/api/v1/users"),
            ("HEAD", "/api/v1/users"),
            ("POST", "/api/v1/auth_session/login"),
            ("DELETE", "/api/v1/auth_session/logout"),
            ("PATCH", "/api/v1/users"),
            ("GET", "/nothing"),
            ("GET", "/api//v1"),
            ("OPTIONS", "/api/v1/users"),
        ] {
            for request in [
                server.request(method, path),
                server.request(method, path).basic(ADMIN, ADMIN_PASSWORD),
                server.request(method, path).session("junk"),
            ] {
                let answer = request.send();
                assert_eq!(answer.headers("cache-control"), ["no-store"], "{kind} {answer:?}");
                for name in ["expires", "etag", "last-modified", "age"] {
                    assert_eq!(answer.header(name), None, "{kind} {method} {path}");
                }
            }
        }
    }
    let server = InProcess::with(&[]);
    let admin = server.admin();
    for path in ["/api/v1/users", "/api/v1/users/me", "/api/v1/auth_session"] {
        let answer = server.get(path).session(&admin).header("Cache-Control", "max-age=99").send();
        assert_eq!((answer.status, answer.headers("cache-control")), (200, vec!["no-store"]));
    }
}

/// Everything in a folder, in one text.
fn content(folder: &Path) -> String {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files.map(|file| fs::read_to_string(file).unwrap()).collect()
}

const ZOE: &str = "zoe@example.com";
const AGENT: &str = "zoes browser";

/// A run in which somebody of whom everything is known does everything, and the secrets of it.
pub fn eventful(program: Program) -> (Server, Vec<String>) {
    let server = program.start();
    let admin = server.admin();
    let zoe = json!({
        "email": ZOE, "password": PASSWORD, "first_name": "Zo\u{eb}", "last_name": "Xanadu",
    });
    let zoe = server.post("/api/v1/users").session(&admin).json(&zoe).send();
    assert_eq!(zoe.status, 201);
    let login = server.login(&[("email", ZOE), ("password", PASSWORD)]).header("User-Agent", AGENT);
    let first = login.send().session_id().unwrap();
    let refresh = server.post("/api/v1/auth_session/refresh").session(&first).send();
    let second = refresh.session_id().unwrap();
    let new = "a new password 77";
    let change = json!({ "current_password": PASSWORD, "new_password": new });
    let change = server.put("/api/v1/users/me/password").session(&second).json(&change).send();
    let third = change.session_id().unwrap();
    let wrong = "a wrong password 77";
    for request in [
        server.login(&[("email", ZOE), ("password", wrong)]),
        server.login(&[("email", wrong), ("password", wrong)]),
        server.post("/api/v1/auth_session/reauth").session(&third).form(&[("password", wrong)]),
        server.get("/api/v1/users").session(&third),
        server.get("/api/v1/users").session(&first),
        server.get("/api/v1/users").bearer(&second),
        server.get("/api/v1/users").basic(ZOE, new),
        server.get(&format!("/api/v1/users?password={new}&id={third}").replace(' ', "+")),
        server.post("/api/v1/users").session(&third).header("Origin", "https://evil.example"),
        server.get("/api/v1/users/me").cookie(&format!("_my_session_id={third}; _my_session_id=x")),
    ] {
        assert!(request.send().status >= 400);
    }
    let mut secrets = vec![ADMIN_PASSWORD.to_owned(), PASSWORD.into(), new.into(), wrong.into()];
    secrets.extend([admin, first, second, third]);
    (server, secrets)
}

fn secrets_are_not_at_rest() {
    let (server, secrets) = eventful(Program::of("session_db_auth"));
    let assert_none = |folder: &Path| {
        let content = content(folder);
        assert!(content.contains(ZOE));
        for secret in &secrets {
            assert!(!content.contains(secret.as_str()), "{secret}");
            let raw = URL_SAFE_NO_PAD.decode(secret).unwrap_or_default();
            assert!(raw.is_empty() || !content.contains(&hex(&raw)), "{secret}, in hex");
        }
        for password in [ADMIN_PASSWORD, PASSWORD] {
            assert!(!content.contains(&hex(&Sha256::digest(password))), "an unsalted hash");
        }
    };
    assert_none(&server.data());
    let (program, ..) = server.stop();
    assert_none(&program.data());
    let export = program.run(&["export"], "");
    let export = String::from_utf8(export.stdout).unwrap();
    assert!(export.contains(ZOE));
    assert!(!secrets.iter().any(|secret| export.contains(secret.as_str())), "{export}");
}

/// Neither secrets nor what is derived of them are in the log at any level, and of what is personal
/// only where somebody came from.
pub fn the_log_keeps_to_the_classes() {
    for (level, format) in [("info", "json"), ("trace", "text")] {
        let program =
            Program::of("session_db_auth").set("RUST_LOG", level).set("LOG_FORMAT", format);
        let (server, secrets) = eventful(program);
        let (.., log) = server.stop();
        assert!(log.iter().any(|line| line.contains("127.0.0.1")), "{log:?}");
        let hashes = secrets.iter().map(|secret| hex(&Sha256::digest(secret)));
        let never: Vec<String> = secrets.iter().cloned().chain(hashes).collect();
        let personal = [ZOE, "Zo\u{eb}", "Zo\\u", "Xanadu", AGENT, "$2b$"];
        for line in &log {
            for text in never.iter().map(String::as_str).chain(personal) {
                assert!(!line.contains(text), "{level}: {text} in {line}");
            }
        }
        let of_the_admin: Vec<&String> = log.iter().filter(|line| line.contains(ADMIN)).collect();
        assert_eq!(of_the_admin.len(), 1, "{of_the_admin:?}");
        assert!(of_the_admin[0].contains("made the first admin"), "{of_the_admin:?}");
    }
}

#[track_caller]
fn assert_members(view: &Value, members: &[&str]) {
    let found: BTreeSet<&str> = view.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(found, members.iter().copied().collect::<BTreeSet<_>>());
}

const OF_A_USER: [&str; 8] =
    ["id", "created_at", "updated_at", "email", "first_name", "last_name", "role", "disabled"];
const OF_A_SESSION: [&str; 9] = [
    "id",
    "created_at",
    "last_seen_at",
    "expires_at",
    "idle_expires_at",
    "remembered",
    "client_address",
    "user_agent",
    "current",
];

/// What users and sessions tell, and that nothing is told that nobody asked to be told.
pub fn answers_show_what_they_may() {
    let server = InProcess::with(&[]);
    let admin = server.admin();
    let get = |path: &str| -> Answer { server.get(path).session(&admin).send() };
    let bob = json!({ "email": "bob@example.com", "password": PASSWORD });
    let bob = server.post("/api/v1/users").session(&admin).json(&bob).send();
    let id = bob.json()["id"].as_str().unwrap().to_owned();
    let of_bob = format!("/api/v1/users/{id}");
    let changed = server.put(&of_bob).session(&admin).json(&json!({ "first_name": "Bob" })).send();
    let login = server.login(&[("email", "bob@example.com"), ("password", PASSWORD)]).send();
    for answer in [&bob, &changed, &login, &get("/api/v1/users/me"), &get(&of_bob)] {
        assert_members(&answer.json(), &OF_A_USER);
    }
    let (users, sessions) = (get("/api/v1/users"), get("/api/v1/users/me/sessions"));
    for user in users.json().as_array().unwrap() {
        assert_members(user, &OF_A_USER);
    }
    for session in sessions.json().as_array().unwrap() {
        assert_members(session, &OF_A_SESSION);
    }
    let in_use = get("/api/v1/auth_session");
    let more = ["expires_in", "idle_expires_in", "authenticated_at", "authenticated_by", "fresh"];
    assert_members(&in_use.json(), &[&OF_A_SESSION[..], &more, &["user"]].concat());
    assert_members(&in_use.json()["user"], &OF_A_USER);
    for answer in [users, sessions, in_use, bob, changed, login] {
        for hidden in ["hash", "password", "$2b$", "credential", "version", "role_since"] {
            let body = answer.body.replace("\"authenticated_by\":\"password\"", "");
            assert!(!body.contains(hidden), "{hidden} in {body}");
        }
    }
}

fn endings_are_nothing() {
    let server = InProcess::with(&[]);
    let admin = server.admin();
    let get = |path: &str| server.get(path).session(&admin).send();
    let me = get("/api/v1/users/me");
    let id = me.json()["id"].as_str().unwrap().to_owned();
    for path in [
        "/api/v1/users/me.css",
        "/api/v1/users/me.json",
        "/api/v1/users/me/x.css",
        "/api/v1/users/me/sessions.js",
        "/api/v1/users.json",
        "/api/v1/users/x.png",
        "/api/v1/auth_session.js",
        "/api/v1/auth_session/x.css",
        "/api/v1/stats.txt",
        &format!("/api/v1/users/{id}.css"),
        &format!("/api/v1/users/{id}/x.js"),
    ] {
        let answer = get(path);
        answer.assert_error(404, "Not found");
        assert_eq!(answer.headers("cache-control"), ["no-store"], "{path}");
    }
    for path in ["/api/v1/users/me%2ex.css", "/api/v1/users/me;x.css", "/api/v1/users/me%00.css"] {
        assert!(matches!(get(path).status, 400 | 404), "{path}");
    }
}

fn expired_sessions_leave_the_disk() {
    let server = InProcess::with(&[]);
    let address = "a browser of yesterday";
    let login = server.login(&[("email", ADMIN), ("password", ADMIN_PASSWORD)]);
    assert_eq!(login.header("User-Agent", address).send().status, 200);
    assert!(content(&server.data()).contains(address));
    server.advance(Duration::from_hours(24));
    server.sweep();
    let now = START.plus(Duration::from_hours(24));
    let server = server.restart(now);
    let content = content(&server.data());
    assert!(content.contains(ADMIN) && !content.contains(address), "{content}");
    assert_eq!(block_on(server.service.session_count()).unwrap(), 0);
}

fn deleted_users_leave() {
    let (server, _) = eventful(Program::of("session_db_auth"));
    let admin = server.admin();
    let users = server.get("/api/v1/users").session(&admin).send().json();
    let zoe = users.as_array().unwrap().iter().find(|user| user["email"] == ZOE).unwrap();
    let path = format!("/api/v1/users/{}", zoe["id"].as_str().unwrap());
    assert_eq!(server.delete(&path).session(&admin).send().status, 200);
    let (program, ..) = server.stop();
    let content = content(&program.data());
    assert!(content.contains(ADMIN));
    for text in [ZOE, "Xanadu", AGENT, zoe["id"].as_str().unwrap()] {
        assert!(!content.contains(text), "{text}");
    }
}

fn a_logout_clears_the_browser() {
    let (program, pair) = Program::of("session_db_auth").over_tls();
    let server = program.start();
    let client = pair.client(&server);
    let id = client.admin();
    let cookie = format!("__Host-_my_session_id={id}");
    let logout = client.delete("/api/v1/auth_session/logout").cookie(&cookie).send();
    assert_eq!(logout.status, 200);
    assert_eq!(logout.headers("clear-site-data"), ["\"cache\", \"storage\""]);
    let expired = logout.header("set-cookie").unwrap();
    assert!(expired.starts_with("__Host-_my_session_id=;"), "{expired}");
    assert!(expired.contains("Max-Age=0") && expired.contains("Secure"), "{expired}");
    // A page that was open keeps nothing that it could show once more.
    let me = client.get("/api/v1/users/me").cookie(&cookie).send();
    assert_eq!((me.status, me.headers("cache-control")), (403, vec!["no-store"]));
}

fn cookies_tell_nothing() {
    let server = InProcess::with(&[]);
    let login = server.login(&[("email", ADMIN), ("password", ADMIN_PASSWORD)]).send();
    let cookies = login.headers("set-cookie");
    assert_eq!(cookies.len(), 1, "{cookies:?}");
    let id = login.session_id().unwrap();
    let raw = URL_SAFE_NO_PAD.decode(&id).unwrap();
    // As long for everybody as the randomness that it is made of (11.5.1), so there is no room.
    assert_eq!(raw.len(), 32);
    let user = login.json()["id"].as_str().unwrap().to_owned();
    for told in [ADMIN, &user, &hex(&Sha256::digest(ADMIN))] {
        assert!(!cookies[0].contains(told), "{cookies:?}");
    }
}
