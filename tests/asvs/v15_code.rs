//! Secure coding and architecture.

use std::collections::BTreeSet;
use std::thread;

use serde_json::{Value, json};

use crate::harness::{
    ADMIN, ADMIN_PASSWORD, Answer, Client, Connection, InProcess, PASSWORD, Program, Request,
    SESSION_KINDS, Server, block_on,
};
use crate::registry::{Chapter, requirement};
use crate::{cargo, files, markdown, settings, v13_configuration as v13, v14_data as v14};

pub const CHAPTER: Chapter = Chapter {
    title: "V15 Secure coding and architecture",
    rows: &[
        requirement("15.1.1", 1, "Deadlines for vulnerable dependencies").documented(
            "docs/CONTROLS.md#dependencies",
            &[("the deadlines are the same wherever they stand", deadlines_are_documented)],
        ),
        requirement("15.1.2", 2, "SBOM").tested(&[
            ("each crate is locked with its origin and checksum", crates_are_locked),
            ("a list of all of them is made as CycloneDX", a_list_is_made),
        ]),
        requirement("15.1.3", 2, "Expensive functions documented").documented(
            "docs/CONTROLS.md#slow-work",
            &[("the bounds are those of the sources and settings", v13::resources_are_documented)],
        ),
        requirement("15.1.4", 3, "Risky components named").documented(
            "docs/CONTROLS.md#risky-components",
            &[("each is in the tree, and so are those below 1.0 that read", risks_are_documented)],
        ),
        requirement("15.1.5", 3, "Dangerous functionality named").documented(
            "docs/CONTROLS.md#dangerous-code",
            &[("the sources that read what others wrote are those listed", dangers_are_documented)],
        ),
        requirement("15.2.1", 1, "No component past its deadline").tested(&[
            ("every complete check audits, and ignores no advisory", audits_ignore_nothing),
            ("crates that once were weak are newer than that", old_weaknesses_are_mended),
        ]),
        requirement("15.2.2", 2, "Availability defences").tested(&[
            (
                "more hashing than there is room for is 503, and all else goes on",
                floods_are_bounded,
            ),
            ("a body is bounded in size and time", bodies_are_bounded),
        ]),
        requirement("15.2.3", 2, "No test or sample code shipped").tested(&[
            ("what only tests need is not in the program", tests_are_not_shipped),
            ("what is for lessons and tests must be asked for", lessons_must_be_asked_for),
        ]),
        requirement("15.2.4", 3, "Expected registries only").tested(&[
            ("each crate is locked with its origin and checksum", crates_are_locked),
            ("builds keep to the lock, and other origins are refused", builds_keep_to_the_lock),
        ]),
        requirement("15.2.5", 3, "Extra walls around risky parts").operators(
            "docs/CONTROLS.md#privileges",
            &[("the image runs unprivileged and holds nothing else", v13::the_image_is_bare)],
        ),
        requirement("15.3.1", 1, "Only needed fields").tested(&[
            ("views have their members and no others", v14::answers_show_what_they_may),
            ("no handler answers with a record", records_are_not_answers),
        ]),
        requirement("15.3.2", 2, "Outbound calls do not follow redirects")
            .not_applicable("there are no outbound calls"),
        requirement("15.3.3", 2, "No mass assignment").tested(&[
            ("members that a route does not take change nothing", nothing_is_assigned_en_masse),
            ("what is for admins is refused to users", what_is_for_admins_is_refused),
        ]),
        requirement("15.3.4", 2, "True client address").tested(&[
            ("headers of strangers are not believed", strangers_are_not_believed),
            ("a listed proxy is believed, for its own word alone", listed_proxies_are_believed),
        ]),
        requirement("15.3.5", 2, "Strict types")
            .tested(&[("a member of another type is 400 and changes nothing", types_are_strict)]),
        requirement("15.3.6", 2, "No prototype pollution").not_applicable("there is no JavaScript"),
        requirement("15.3.7", 2, "No parameter pollution").tested(&[
            ("what is there twice is refused, wherever it is", nothing_counts_twice),
            ("what belongs in one place is not read in another", places_are_not_mixed),
        ]),
        requirement("15.4.1", 3, "Shared state is safe")
            .tested(&[("changes from many threads all are there", parallel_changes_all_count)]),
        requirement("15.4.2", 3, "Check and act are one step").tested(&[
            ("of those who want one address at once one gets it", one_address_has_one_owner),
            ("two admins who demote each other leave one", the_last_admin_stays),
            ("of those who end a session at once one does", one_logout_wins),
        ]),
        requirement("15.4.3", 3, "Locks used consistently").tested(&[
            ("no lock is held over an await, and lints hold that", locks_are_linted),
            ("no lock can be reached from outside of its type", locks_are_private),
        ]),
        requirement("15.4.4", 3, "No starvation").tested(&[(
            "more hashing than there is room for is 503, and all else goes on",
            floods_are_bounded,
        )]),
    ],
};

fn controls(heading: &str) -> String {
    files::section("docs/CONTROLS.md", heading)
}

fn deadlines_are_documented() {
    let section = controls("Dependencies");
    let rows = markdown::rows(&section);
    let deadline = |of: &str| rows.iter().find(|row| row[0] == of).map(|row| row[1]);
    assert_eq!(deadline("critical"), Some("a week"));
    assert!(deadline("any other").unwrap().starts_with("thirty days"));
    assert!(section.contains("all crates are brought up to date with each release"));
    let promised = files::section("SECURITY.md", "What is left to whoever runs it");
    let promised = promised.replace("\n  ", " ");
    assert!(
        promised
            .contains("critical within a week, others with the next release, at most thirty days")
    );
}

const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

fn crates_are_locked() {
    for (name, package) in cargo::packages() {
        if name == "sessiond" {
            assert_eq!((package.source.as_str(), package.checksum.as_str()), ("", ""));
        } else {
            assert_eq!(package.source, CRATES_IO, "{name}");
            let is_sha_256 = package.checksum.len() == 64;
            assert!(
                is_sha_256 && package.checksum.bytes().all(|b| b.is_ascii_hexdigit()),
                "{name}"
            );
        }
    }
    let manifest = files::read("Cargo.toml");
    for elsewhere in ["git = ", "path = \"..", "registry = ", "[patch", "[replace"] {
        assert!(!manifest.contains(elsewhere), "{elsewhere}");
    }
}

fn a_list_is_made() {
    let script = files::read(".ci/sbom");
    for word in ["cargo cyclonedx", "--format json", "--target all", "cargo fetch --locked"] {
        assert!(script.contains(word), "{word}");
    }
    assert!(files::read("justfile").contains("\nsbom:\n    .ci/sbom\n"));
}

fn builds_keep_to_the_lock() {
    let deny = files::read("deny.toml");
    assert!(
        deny.contains("unknown-registry = \"deny\"") && deny.contains("unknown-git = \"deny\"")
    );
    assert!(!deny.contains("allow-git") && !deny.contains("allow-registry"));
    let mut commands = 0;
    for file in ["Dockerfile", ".ci/run", ".ci/sbom", ".ci/audit", ".ci/tool", "justfile"] {
        for line in files::read(file).lines().filter(|line| !line.trim_start().starts_with('#')) {
            let builds =
                ["cargo build", "cargo test", "cargo clippy", "cargo install", "cargo deny"];
            if builds.iter().any(|command| line.contains(command)) {
                assert!(line.contains("--locked"), "{file}: {line}");
                commands += 1;
            }
        }
    }
    assert!(commands > 8, "{commands}");
    assert!(files::read(".ci/run").contains("check --hide-inclusion-graph bans licenses sources"));
}

fn risks_are_documented() {
    let section = controls("Risky components");
    let rows = markdown::rows(&section);
    let named: BTreeSet<&str> = rows.iter().flat_map(|row| markdown::code(row[0])).collect();
    let shipped = cargo::shipped();
    for name in &named {
        assert!(shipped.contains_key(*name), "{name}");
    }
    for row in &rows {
        assert!(row.len() == 3 && row.iter().all(|cell| !cell.is_empty()), "{row:?}");
    }
    // Those that read what strangers send, or what came out of that.
    for name in ["actix-http", "httparse", "actix-multipart", "bcrypt", "rustls", "ring"] {
        assert!(named.contains(name), "{name}");
    }
    for file in ["tests/suite/framing.rs", "tests/suite/tls.rs"] {
        assert!(section.contains(file) && files::path(file).exists(), "{file}");
    }
}

fn dangers_are_documented() {
    let section = controls("Dangerous code");
    let rows = markdown::rows(&section);
    let listed: BTreeSet<String> =
        rows.iter().flat_map(|row| markdown::code(row[0])).map(str::to_owned).collect();
    let reads = [
        "serde_json::from_",
        "serde_json::Deserializer",
        "Multipart::new",
        "percent_decode(",
        ".decode(",
        "Url::parse",
        "pem_reader_iter",
        "X_FORWARDED_FOR",
    ];
    let sources = files::sources().into_iter();
    let sources = sources.filter(|(_, text)| reads.iter().any(|way| text.contains(way)));
    assert_eq!(listed, sources.map(|(path, _)| path).collect());
    let manifest = files::read("Cargo.toml");
    assert!(manifest.contains("unsafe_code = \"forbid\""));
    assert!(files::read("src/api/body.rs").contains("const MAX_BYTES: usize = 64 * 1024;"));
    assert!(section.contains("65536 bytes") && section.contains("the compiler forbids it"));
}

fn audits_ignore_nothing() {
    let deny = files::read("deny.toml");
    let (_, advisories) = deny.split_once("[advisories]").unwrap();
    let (advisories, _) = advisories.split_once("\n[").unwrap();
    for rule in ["yanked = \"deny\"", "unmaintained = \"all\"", "unsound = \"all\""] {
        assert!(advisories.contains(rule), "{rule}");
    }
    assert!(!advisories.contains("ignore"), "{advisories}");
    assert!(files::read(".ci/run").contains("\nstep .ci/audit --local\n"));
    assert!(files::read("justfile").contains("\naudit:\n    .ci/audit\n"));
    assert!(files::read(".ci/audit").contains("check --hide-inclusion-graph advisories"));
}

/// Crates of the program of which versions below these have an advisory in RustSec's list.
const MENDED: [(&str, [u64; 3]); 18] = [
    ("actix-http", [3, 0, 0]),
    ("actix-web", [0, 7, 19]),
    ("bcrypt", [0, 19, 2]),
    ("bytes", [1, 11, 1]),
    ("cookie", [0, 7, 6]),
    ("crossbeam-utils", [0, 8, 7]),
    ("dashmap", [5, 1, 0]),
    ("futures-util", [0, 3, 7]),
    ("idna", [1, 0, 0]),
    ("mio", [0, 8, 11]),
    ("rand", [0, 10, 1]),
    ("ring", [0, 17, 12]),
    ("rustls", [0, 23, 18]),
    ("rustls-webpki", [0, 103, 13]),
    ("slab", [0, 4, 11]),
    ("smallvec", [1, 6, 1]),
    ("time", [0, 3, 47]),
    ("tokio", [1, 44, 2]),
];

fn old_weaknesses_are_mended() {
    let packages = cargo::packages();
    for (name, mended) in MENDED {
        let version = &packages[name].version;
        let numbers: Vec<u64> = version.split('.').map(|part| part.parse().unwrap()).collect();
        assert!(numbers.as_slice() >= mended.as_slice(), "{name} {version}");
    }
}

/// Logins that are sent all at once.
fn flood(server: &Client, number: usize) -> Vec<Connection> {
    let login = |n| server.login(&[("email", &format!("{n}@example.com")), ("password", PASSWORD)]);
    (0..number).map(|n| login(n).start()).collect()
}

fn floods_are_bounded() {
    let program = Program::of("session_db_auth").set("LOGIN_THROTTLE", "off");
    let program = program.set("HASH_LANES", "1").set("HASH_QUEUE", "1");
    let server = program.start();
    let admin = server.admin();
    let (program, ..) = server.stop();
    let server = program.set("UNSAFE_FAST_HASH", "0").set("BCRYPT_COST", "12").start();
    let flood = flood(&server, 12);
    // While the lane is busy with one and another waits.
    for _ in 0..5 {
        server.get("/api/v1/status").send().assert_is(200, r#"{"status":"OK"}"#);
        assert_eq!(server.get("/api/v1/users/me").session(&admin).send().status, 200);
    }
    let answers: Vec<Answer> = flood.into_iter().map(Connection::finish).collect();
    let (busy, done): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 503);
    assert!(!busy.is_empty() && !done.is_empty(), "{answers:?}");
    for answer in busy {
        answer.assert_error(503, "Busy, try again");
        assert_eq!(answer.header("retry-after"), Some("1"));
    }
    assert!(done.iter().all(|answer| answer.status == 401), "{answers:?}");
    server.admin();
}

fn bodies_are_bounded() {
    let server = Program::of("session_db_auth").set("BODY_TIMEOUT", "1").start();
    let large = "x".repeat(65_537);
    let large = server.post("/api/v1/auth_session/login").body("application/json", large).send();
    large.assert_error(413, "body must have at most 65536 bytes");
    let mut slow = server.connect();
    slow.write(format!(
        "POST /api/v1/auth_session/login HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\n\
         Content-Length: 100\r\n\r\n{{",
        server.address
    ));
    assert_eq!(slow.answer().unwrap().status, 408);
}

fn tests_are_not_shipped() {
    let manifest = files::read("Cargo.toml");
    let (_, for_tests) = manifest.split_once("[dev-dependencies]\n").unwrap();
    let for_tests = for_tests.lines().take_while(|line| !line.is_empty());
    let for_tests: Vec<&str> = for_tests.map(|line| line.split(' ').next().unwrap()).collect();
    assert!(for_tests.contains(&"proptest"), "{for_tests:?}");
    let shipped = cargo::shipped();
    for name in for_tests {
        assert!(!shipped.contains_key(name), "{name}");
    }
    assert!(!manifest.contains("[features]") && !manifest.contains("[[example]]"));
    assert!(!files::path("examples").exists());
    for (path, text) in files::sources() {
        for left in ["todo!(", "dbg!(", "unimplemented!(", "cfg(feature"] {
            assert!(!text.contains(left), "{path}: {left}");
        }
    }
}

fn lessons_must_be_asked_for() {
    assert_eq!(settings::default_of("AUTH_TYPE"), "session_db_auth");
    assert_eq!(settings::default_of("UNSAFE_FAST_HASH"), "0");
    let warns = |program: Program, what: &str| {
        let (.., log) = program.start().stop();
        log.iter().any(|line| line.contains(" WARN ") && line.contains(what))
    };
    assert!(warns(Program::of("none"), "AUTH_TYPE=none: everybody"));
    assert!(warns(Program::of("auth"), "UNSAFE_FAST_HASH=1"));
    assert!(!warns(Program::of("auth").unset("UNSAFE_FAST_HASH"), "UNSAFE_FAST_HASH"));
}

/// What answers JSON is made of views and of values that stand where they are answered.
fn records_are_not_answers() {
    for (path, text) in files::sources().into_iter().filter(|(path, _)| path.starts_with("api/")) {
        for record in ["json(user)", "json(&user)", "json(session)", "json(users)", "json(&*"] {
            assert!(!text.contains(record), "{path}: {record}");
        }
    }
    let view = files::read("src/api/view.rs");
    let (_, view) = view.split_once("pub struct UserView").unwrap();
    let (view, _) = view.split_once("\n}").unwrap();
    assert!(!view.contains("flatten") && !view.contains("User,"), "{view}");
}

fn get(server: &InProcess, session: &str, path: &str) -> Value {
    server.get(path).session(session).send().json()
}

fn nothing_is_assigned_en_masse() {
    let server = InProcess::with(&[]);
    let admin = server.admin();
    let id = "3ea61b0b-4c46-4e76-9b2e-5f9b2b1d4c11";
    let overreaching = json!({
        "email": "bob@example.com", "password": PASSWORD, "id": id, "role": "admin",
        "disabled": true, "credential_version": 7, "created_at": "2001-01-01T00:00:00.000Z",
        "password_hash": "$2b$04$x", "role_since": "2001-01-01T00:00:00.000Z", "is_admin": true,
    });
    let bob = server.post("/api/v1/users").session(&admin).json(&overreaching).send();
    assert_eq!(bob.status, 201);
    let bob = bob.json();
    assert_eq!((&bob["role"], &bob["disabled"]), (&json!("user"), &json!(false)));
    assert_ne!(bob["id"], id);
    assert_eq!(bob["created_at"], bob["updated_at"]);
    let path = format!("/api/v1/users/{}", bob["id"].as_str().unwrap());
    let hash = || {
        let id = bob["id"].as_str().unwrap().parse().unwrap();
        let user = block_on(server.service.accounts().users.get(id)).unwrap().unwrap();
        (user.password_hash.clone(), user.credential_version)
    };
    let before = hash();
    let change = json!({
        "first_name": "Bob", "id": id, "email": "eve@example.com", "password": "another one 3",
        "password_hash": "x", "credential_version": 9, "must_change": true, "updated_at": "2001",
    });
    for who in [admin.clone(), server.log_in("bob@example.com", PASSWORD)] {
        assert_eq!(server.put(&path).session(&who).json(&change).send().status, 200);
        let mut now = get(&server, &admin, &path);
        now["updated_at"] = bob["updated_at"].clone();
        let mut expected = bob.clone();
        expected["first_name"] = json!("Bob");
        assert_eq!(now, expected);
        assert!(hash() == before);
    }
}

fn what_is_for_admins_is_refused() {
    let server = InProcess::with(&[]);
    let admin = server.admin();
    let bob = json!({ "email": "bob@example.com", "password": PASSWORD });
    let bob = server.post("/api/v1/users").session(&admin).json(&bob).send().json();
    let path = format!("/api/v1/users/{}", bob["id"].as_str().unwrap());
    let session = server.log_in("bob@example.com", PASSWORD);
    for change in [
        json!({ "role": "admin" }),
        json!({ "first_name": "Bob", "role": "admin", "current_password": PASSWORD }),
        json!({ "disabled": false }),
        json!({ "role": null }),
    ] {
        let answer = server.put(&path).session(&session).json(&change).send();
        answer.assert_error(403, "Forbidden");
        assert_eq!(get(&server, &admin, &path), bob, "{change}");
    }
}

/// A login that says where it comes from, and where it came from by the session's record.
fn address_of(server: &Client, headers: &[(&str, &str)]) -> Value {
    let login = server.login(&[("email", ADMIN), ("password", ADMIN_PASSWORD)]);
    let id = claiming(login, headers).send().session_id().unwrap();
    let session = server.get("/api/v1/auth_session").session(&id).send().json();
    session["client_address"].clone()
}

fn claiming(request: Request, headers: &[(&str, &str)]) -> Request {
    headers.iter().fold(request, |request, (name, value)| request.header(name, value))
}

const CLAIMS: [(&str, &str); 6] = [
    ("X-Forwarded-For", "203.0.113.9"),
    ("Forwarded", "for=203.0.113.9"),
    ("X-Real-IP", "203.0.113.9"),
    ("True-Client-IP", "203.0.113.9"),
    ("CF-Connecting-IP", "203.0.113.9"),
    ("X-Client-IP", "203.0.113.9"),
];

fn strangers_are_not_believed() {
    let server = Server::of("session_db_auth");
    assert_eq!(address_of(&server, &CLAIMS), "127.0.0.1");
    // Nor by the throttle, whatever is claimed each time.
    let wrong = |n: u8| {
        let login = server.login(&[("email", "bob@example.com"), ("password", "wrong 12345")]);
        login.header("X-Forwarded-For", &format!("203.0.113.{n}")).send().status
    };
    let statuses: Vec<u16> = (0..20).map(wrong).collect();
    assert!(statuses.starts_with(&[401; 12]) && statuses.ends_with(&[429; 8]), "{statuses:?}");
    let (.., log) = server.stop();
    assert!(!log.iter().any(|line| line.contains("client=203.0.113")), "{log:?}");
    assert!(log.iter().any(|line| line.contains("request") && line.ends_with("client=127.0.0.1")));
}

fn listed_proxies_are_believed() {
    let program = Program::of("session_db_auth").set("TRUSTED_PROXIES", "127.0.0.1, 10.0.0.0/8");
    let server = program.start();
    for (sent, client) in [
        (&["203.0.113.9"][..], "203.0.113.9"),
        // What stands before the word of a proxy is its client's, and may be invented.
        (&["1.2.3.4, 203.0.113.9"], "203.0.113.9"),
        (&["1.2.3.4", "203.0.113.9"], "203.0.113.9"),
        (&["1.2.3.4, 203.0.113.9, 10.1.2.3"], "203.0.113.9"),
        (&["::ffff:203.0.113.9"], "203.0.113.9"),
        (&["2001:DB8:0:0::1"], "2001:db8::1"),
        (&["nonsense"], "127.0.0.1"),
        (&["203.0.113.9, nonsense"], "127.0.0.1"),
        (&[], "127.0.0.1"),
    ] {
        let headers: Vec<_> = sent.iter().map(|sent| ("X-Forwarded-For", *sent)).collect();
        assert_eq!(address_of(&server, &headers), client, "{sent:?}");
    }
    for claim in CLAIMS.iter().filter(|(name, _)| *name != "X-Forwarded-For") {
        assert_eq!(address_of(&server, &[*claim]), "127.0.0.1", "{claim:?}");
    }
    let wrong = |from: &str| {
        let login = server.login(&[("email", "bob@example.com"), ("password", "wrong 12345")]);
        login.header("X-Forwarded-For", from).send().status
    };
    let of_one: Vec<u16> = (0..13).map(|n| wrong(&format!("1.1.1.{n}, 203.0.113.9"))).collect();
    assert!(of_one.starts_with(&[401; 12]) && of_one.ends_with(&[429]), "{of_one:?}");
    assert_eq!(wrong("198.51.100.7"), 401);
    let (.., log) = server.stop();
    let requests: Vec<&String> =
        log.iter().filter(|line| line.contains("request method")).collect();
    assert!(requests.iter().any(|line| line.ends_with("client=198.51.100.7")), "{requests:?}");
}

fn types_are_strict() {
    let server = InProcess::with(&[]);
    let admin = server.admin();
    let me = get(&server, &admin, "/api/v1/users/me");
    let path = format!("/api/v1/users/{}", me["id"].as_str().unwrap());
    let others = [json!(1), json!(true), json!([]), json!(["x"]), json!({ "$ne": "" }), json!(0.5)];
    for other in others {
        for (request, member) in [
            (server.post("/api/v1/users"), "email"),
            (server.post("/api/v1/users"), "password"),
            (server.post("/api/v1/auth_session/login"), "email"),
            (server.post("/api/v1/auth_session/login"), "password"),
            (server.put(&path), "first_name"),
            (server.put(&path), "role"),
            (server.put("/api/v1/users/me/password"), "new_password"),
            (server.put("/api/v1/users/me/password"), "current_password"),
        ] {
            let mut body = json!({
                "email": "bob@example.com", "password": PASSWORD,
                "current_password": ADMIN_PASSWORD, "new_password": PASSWORD,
            });
            body[member] = other.clone();
            let answer = request.session(&admin).json(&body).send();
            assert_eq!(answer.status, 400, "{body}");
            assert!(answer.body.contains(member), "{answer:?}");
        }
    }
    for other in [json!("true"), json!(1), json!("on"), json!([])] {
        let answer = server.put(&path).session(&admin).json(&json!({ "disabled": other })).send();
        answer.assert_error(400, "disabled must be true or false");
    }
    for id in ["1", "0x1", "true", "null", "[]", "1e3", &me["id"].as_str().unwrap().to_uppercase()]
    {
        let answer = server.get(&format!("/api/v1/users/{id}")).session(&admin).send();
        assert_eq!(answer.status, 404, "{id}");
    }
    assert_eq!(get(&server, &admin, "/api/v1/users").as_array().unwrap(), &[me]);
}

fn nothing_counts_twice() {
    let server = InProcess::with(&[]);
    let id = server.admin();
    let login = || server.post("/api/v1/auth_session/login");
    let json = |body: &str| login().body("application/json", body).send();
    let form = |body: &str| login().body("application/x-www-form-urlencoded", body).send();
    json(r#"{"email":"a@b.c","password":"x","email":"d@e.f"}"#).assert_error(400, "Wrong format");
    json(r#"{"email":"a@b.c","password":"x","\u0065mail":"d@e.f"}"#)
        .assert_error(400, "Wrong format");
    for body in ["email=a&password=x&email=b", "email=a&password=x&%65mail=b", "x=1&x=1"] {
        form(body).assert_error(400, "a form field must not be sent twice");
    }
    let part = |name: &str, value: &str| {
        format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let parts = [part("email", "a"), part("password", "x"), part("email", "b")].concat();
    let multipart = login().body("multipart/form-data; boundary=x", format!("{parts}--x--\r\n"));
    multipart.send().assert_error(400, "a form field must not be sent twice");
    let me = || server.get("/api/v1/users/me");
    for twice in [
        me().session(&id).session(&id),
        me().cookie(&format!("_my_session_id={id}; _my_session_id={id}")),
        me().bearer(&id).bearer(&id),
        me().bearer(&id).basic(ADMIN, ADMIN_PASSWORD),
        login().header("Content-Type", "text/plain").json(&json!({})),
    ] {
        let answer = twice.send();
        assert_eq!(answer.status, 400, "{answer:?}");
        assert!(answer.body.contains("twice"), "{answer:?}");
    }
    let all = server.delete("/api/v1/users/me/sessions?all=true&all=false").session(&id).send();
    all.assert_error(400, "a form field must not be sent twice");
    assert_eq!(me().session(&id).send().status, 200);
}

fn places_are_not_mixed() {
    let server = InProcess::with(&[]);
    let id = server.admin();
    let query = format!("email={ADMIN}&password=correct+horse+1");
    let login = server.post(&format!("/api/v1/auth_session/login?{query}"));
    login.form(&[]).send().assert_error(400, "email missing");
    let user = json!({ "email": "bob@example.com" });
    let create = server.post(&format!("/api/v1/users?password={PASSWORD}").replace(' ', "+"));
    create.session(&id).json(&user).send().assert_error(400, "password missing");
    for request in [
        server.get("/api/v1/users/me").header("X-Session-Id", &id),
        server.get("/api/v1/users/me").header("_my_session_id", &id),
        server.get(&format!("/api/v1/users/me?_my_session_id={id}")),
        server.request("GET", "/api/v1/users/me").form(&[("_my_session_id", &id)]),
    ] {
        request.send().assert_error(401, "Unauthorized");
    }
    // The method is that of the request line, whatever a header or a member says.
    let other =
        server.post("/api/v1/users/me").session(&id).header("X-HTTP-Method-Override", "GET");
    assert_eq!(other.form(&[("_method", "GET")]).send().status, 405);
}

fn parallel_changes_all_count() {
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

fn one_address_has_one_owner() {
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

fn the_last_admin_stays() {
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

fn one_logout_wins() {
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

fn locks_are_linted() {
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

fn locks_are_private() {
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
