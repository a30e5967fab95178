//! Configuration.

use std::collections::BTreeSet;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args as _, Command};
use serde_json::json;
use sessiond::config::Config;

use crate::harness::{
    ADMIN, ADMIN_PASSWORD, Answer, InProcess, KINDS, PASSWORD, Program, Server, run,
};
use crate::registry::{Chapter, requirement};
use crate::{cargo, files, markdown, settings};

pub const CHAPTER: Chapter = Chapter {
    title: "V13 Configuration",
    rows: &[
        requirement("13.1.1", 2, "Communication needs documented").documented(
            "docs/CONTROLS.md#communication",
            &[
                ("the sources that speak to others are those listed", communication_is_documented),
                ("a running service has its port and no other socket", one_port_is_open),
            ],
        ),
        requirement("13.1.2", 3, "Connection limits and behaviour at the limit")
            .not_applicable("no other service is used"),
        requirement("13.1.3", 3, "Resource strategies: timeouts, release, retries").documented(
            "docs/CONTROLS.md#resources",
            &[("the bounds are those of the sources and settings", resources_are_documented)],
        ),
        requirement("13.1.4", 3, "Secrets and rotation schedule").documented(
            "docs/CONTROLS.md#secrets",
            &[("each setting that holds a secret is listed", secrets_are_documented)],
        ),
        requirement("13.2.1", 2, "Parts of the back end authenticate to one another")
            .not_applicable("a single process without other services"),
        requirement("13.2.2", 2, "Least privilege").operators(
            "docs/CONTROLS.md#privileges",
            &[("the image runs unprivileged and holds nothing else", the_image_is_bare)],
        ),
        requirement("13.2.3", 2, "No default service credentials")
            .tested(&[("a fresh service has no account at all", there_is_no_default_account)]),
        requirement("13.2.4", 2, "Allow-list of outside resources").documented(
            "docs/CONTROLS.md#communication",
            &[
                ("nothing that could call out is built in", nothing_calls_out),
                ("a running service has its port and no other socket", one_port_is_open),
            ],
        ),
        requirement("13.2.5", 2, "Same for the server's file access").documented(
            "docs/CONTROLS.md#files",
            &[
                ("the sources that open files are those listed", files_are_documented),
                ("a running service holds files of its directory alone", own_files_are_open),
            ],
        ),
        requirement("13.2.6", 3, "Connections to other services are bounded as documented")
            .not_applicable("there are no other services"),
        requirement("13.3.1", 2, "Secrets from a secret store, never in source or build")
            .operators(
                "docs/CONTROLS.md#secrets",
                &[
                    ("the first password comes from a file, and from no flag", secrets_have_files),
                    ("neither sources nor image hold a secret", sources_hold_no_secret),
                ],
            ),
        requirement("13.3.2", 2, "Least privilege for secrets").tested(&[
            ("records are open to their owner alone", records_are_private),
            ("what was opened to others is closed at start", open_records_are_closed),
        ]),
        requirement("13.3.3", 3, "Cryptography happens in an isolated module")
            .not_applicable("hardware modules are the operator's"),
        requirement("13.3.4", 3, "Secrets expire and rotate").documented(
            "docs/CONTROLS.md#secrets",
            &[("session ids end as documented", session_ids_end)],
        ),
        requirement("13.4.1", 1, "No VCS metadata served").tested(&[
            ("nothing of a working copy is served", no_files_are_served),
            ("the image is built without the history", the_image_has_no_history),
        ]),
        requirement("13.4.2", 2, "No debug mode in production")
            .tested(&[("the most talkative log changes no answer", answers_do_not_debug)]),
        requirement("13.4.3", 2, "No listings")
            .tested(&[("no folder is listed", no_files_are_served)]),
        requirement("13.4.4", 2, "No TRACE").tested(&[("TRACE echoes nothing", nothing_is_traced)]),
        requirement("13.4.5", 2, "Docs and metrics not exposed unless meant").tested(&[
            ("no documents, no metrics, nothing to manage by", no_files_are_served),
            ("the only numbers are for users", numbers_are_for_users),
        ]),
        requirement("13.4.6", 3, "No versions")
            .tested(&[("no answer names a program or a version", answers_name_no_version)]),
        requirement("13.4.7", 3, "Only expected file types served")
            .tested(&[("no file is served, whatever its ending", no_files_are_served)]),
    ],
};

fn controls(heading: &str) -> String {
    files::section("docs/CONTROLS.md", heading)
}

/// The sources in a column of the tables of a section.
fn listed_sources(section: &str) -> BTreeSet<String> {
    let rows = markdown::rows(section);
    let cells = rows.iter().flat_map(|row| markdown::code(row.last().unwrap()));
    let is_source = |name: &&str| Path::new(name).extension().is_some_and(|end| end == "rs");
    cells.filter(is_source).map(str::to_owned).collect()
}

/// The sources that hold one of these texts.
fn sources_with(texts: &[&str]) -> BTreeSet<String> {
    let holds = |text: &String| texts.iter().any(|wanted| text.contains(wanted));
    let sources = files::sources().into_iter().filter(|(_, text)| holds(text));
    sources.map(|(path, _)| path).collect()
}

fn communication_is_documented() {
    let section = controls("Communication");
    let section = section.split("### Files").next().unwrap();
    // What makes connections, takes them and looks names up.
    let speak = sources_with(&[
        "TcpStream::connect",
        "UdpSocket",
        "UnixStream",
        "Socket::new",
        "TcpListener::bind",
        "to_socket_addrs()",
        "lookup_host",
    ]);
    assert_eq!(listed_sources(section), speak);
    let connect = sources_with(&["TcpStream::connect", "UdpSocket", "UnixStream"]);
    assert_eq!(connect, BTreeSet::from(["cli/healthcheck.rs".to_owned()]));
    assert!(section.contains("waits 3 seconds"));
    let healthcheck = files::read("src/cli/healthcheck.rs");
    assert!(healthcheck.contains("const PATIENCE: Duration = Duration::from_secs(3);"));
}

pub fn nothing_calls_out() {
    let shipped = cargo::shipped();
    for client in
        ["reqwest", "hyper", "awc", "ureq", "isahc", "curl", "minreq", "attohttpc", "lettre"]
    {
        assert!(!shipped.contains_key(client), "{client}");
    }
}

/// The sockets of a running service: where each is, and whether it listens.
fn sockets(server: &Server) -> Vec<(SocketAddr, bool)> {
    const LISTENS: &str = "0A";
    let process = PathBuf::from(format!("/proc/{}", server.process()));
    let open: BTreeSet<String> = open_files(&process).into_iter().collect();
    let mut found = Vec::new();
    for table in ["tcp", "tcp6", "udp", "udp6"] {
        let Ok(table) = fs::read_to_string(process.join("net").join(table)) else { continue };
        for line in table.lines().skip(1) {
            let fields: Vec<&str> = line.split_whitespace().collect();
            if open.contains(&format!("socket:[{}]", fields[9])) {
                let (address, port) = fields[1].split_once(':').unwrap();
                let address = u32::from_str_radix(address, 16).expect("it is an IPv4 address");
                let address = Ipv4Addr::from(address.swap_bytes());
                let port = u16::from_str_radix(port, 16).unwrap();
                found.push((SocketAddr::from((address, port)), fields[3] == LISTENS));
            }
        }
    }
    found
}

/// What the descriptors of a process are.
pub fn open_files(process: &Path) -> Vec<String> {
    let entries = fs::read_dir(process.join("fd")).unwrap();
    let links = entries.filter_map(|entry| fs::read_link(entry.unwrap().path()).ok());
    links.map(|link| link.display().to_string()).collect()
}

/// A service that has done something of everything.
fn busy() -> Server {
    let server = Server::of("session_db_auth");
    server.add_user("bob@example.com");
    let session = server.log_in("bob@example.com", PASSWORD);
    server.delete("/api/v1/auth_session/logout").session(&session).send();
    let odd = json!({ "email": "http://127.0.0.1:9/", "url": "http://127.0.0.1:9/" });
    server.post("/api/v1/auth_session/login").json(&odd).send();
    server
}

pub fn one_port_is_open() {
    let server = busy();
    let _kept = server.connect();
    let sockets = sockets(&server);
    let listening: Vec<_> = sockets.iter().filter(|(_, listens)| *listens).collect();
    assert_eq!(listening, [&(server.address, true)]);
    // What else there is has been accepted there.
    assert!(sockets.iter().all(|(address, _)| *address == server.address), "{sockets:?}");
}

fn files_are_documented() {
    let section = controls("Files");
    let open = sources_with(&["std::fs", "tokio::fs", "actix_files"]);
    let listed = listed_sources(&section);
    assert_eq!(listed, open);
    let named: BTreeSet<&str> = markdown::code(&section).collect();
    let settings = Config::augment_args(Command::new("settings"));
    let settings = settings.get_arguments().filter_map(|setting| setting.get_env()?.to_str());
    let of_files = |name: &&str| {
        ["_DIR", "_FILE", "_CERT", "_KEY", "_BLOCKLIST"].iter().any(|end| name.ends_with(end))
    };
    let unnamed: Vec<&str> =
        settings.filter(of_files).filter(|name| !named.contains(name)).collect();
    assert_eq!(unnamed, Vec::<&str>::new());
}

fn own_files_are_open() {
    let server = busy();
    let data = server.data().display().to_string();
    let process = PathBuf::from(format!("/proc/{}", server.process()));
    let is_file = |name: &String| name.starts_with('/') && name != "/dev/null";
    let files: Vec<String> = open_files(&process).into_iter().filter(is_file).collect();
    assert!(files.iter().any(|file| file.ends_with("/.lock")), "{files:?}");
    assert!(files.iter().all(|file| file.starts_with(&data)), "{files:?}");
}

pub fn resources_are_documented() {
    let section = controls("Resources");
    for (bound, source, constant) in [
        ("1024 wait to be accepted", "server.rs", "const BACKLOG: i32 = 1024;"),
        ("65536 bytes of body", "api/body.rs", "const MAX_BYTES: usize = 64 * 1024;"),
        ("up to 1024 changes", "store/json.rs", "const MAX_BATCH: usize = 1024;"),
        ("and 1048576 bytes", "store/json.rs", "const MIN_FOLD_LENGTH: u64 = 1 << 20;"),
        ("`Retry-After: 1`", "error.rs", "const RETRY_AFTER_SECONDS: u32 = 1;"),
        ("10000 a step", "auth/session.rs", "const SWEEP: usize = 10_000;"),
        ("once a minute", "app.rs", "const SWEEP_INTERVAL: Duration = Duration::from_mins(1);"),
    ] {
        assert!(section.contains(bound), "{bound}");
        assert!(files::read(&format!("src/{source}")).contains(constant), "{source}: {constant}");
    }
    let common = files::read("src/models/common_passwords.txt").lines().count();
    assert_eq!(common, 16_282);
    assert!(section.contains("16,282 common ones"));
    // Each setting that is named is one.
    let is_setting =
        |name: &&str| name.len() > 3 && name.chars().all(|c| c.is_uppercase() || c == '_');
    let named: BTreeSet<&str> = markdown::code(&section).filter(is_setting).collect();
    for name in &named {
        settings::default_of(name);
    }
    assert!(named.contains("HASH_QUEUE") && named.contains("SHUTDOWN_TIMEOUT"), "{named:?}");
}

fn secrets_are_documented() {
    let section = controls("Secrets");
    let settings = Config::augment_args(Command::new("settings"));
    let settings = settings.get_arguments().filter_map(|setting| setting.get_env()?.to_str());
    let holds_secret = |name: &&str| {
        ["PASSWORD", "KEY", "SECRET", "TOKEN"].iter().any(|word| name.contains(word))
            && !["PASSWORD_BLOCKLIST"].contains(name)
            && *name != "KEEP_ALIVE"
    };
    let secret: Vec<&str> = settings.filter(holds_secret).chain(["ADMIN_PASSWORD"]).collect();
    assert!(secret.len() > 1, "{secret:?}");
    for name in secret {
        assert!(section.contains(&format!("`{name}`")), "{name}");
    }
    let day = 86_400;
    assert_eq!(settings::default_of("SESSION_DURATION"), day.to_string());
    assert!(section.contains("after 24 hours, remembered ones after 30 days"));
    let remembered = sessiond::auth::session::REMEMBERED.absolute.unwrap();
    assert_eq!(remembered.as_secs(), 30 * day);
}

fn session_ids_end() {
    let hour = Duration::from_hours(1);
    for (remember, hours) in [("0", 24), ("1", 30 * 24)] {
        let server = InProcess::with(&["--session-idle-timeout", "86400"]);
        let login = [("email", ADMIN), ("password", ADMIN_PASSWORD), ("remember", remember)];
        let id = server.login(&login).send().session_id().unwrap();
        let me = || server.get("/api/v1/users/me").session(&id).send().status;
        for _ in 1..hours {
            server.advance(hour);
            assert_eq!(me(), 200);
        }
        server.advance(hour);
        assert_eq!(me(), 403, "{hours}");
    }
}

pub fn the_image_is_bare() {
    let dockerfile = files::read("Dockerfile");
    let (_, image) = dockerfile.split_once("\nFROM scratch\n").expect("it begins empty");
    assert!(!image.contains("\nFROM "), "nothing comes after it");
    let lines =
        |word: &str| -> Vec<&str> { image.lines().filter(|line| line.starts_with(word)).collect() };
    assert_eq!(lines("USER"), ["USER 65532:65532"]);
    assert_eq!(lines("RUN"), Vec::<&str>::new());
    let (_, folder) = dockerfile.split_once("cp target/*/release/sessiond /image/bin/").unwrap();
    assert!(folder.starts_with("sessiond\n"), "the program is all that is put there");
    assert_eq!(
        lines("COPY"),
        [
            "COPY --from=build /image/bin/ /",
            "COPY --from=build --chown=65532:65532 /image/state/ /"
        ]
    );
    assert!(dockerfile.contains("chmod 700 /image/state/data"));
    assert!(lines("EXPOSE")[0] > "EXPOSE 1023", "no privileged port");
    let section = controls("Privileges");
    assert!(section.contains("runs as 65532") && section.contains("starts no other program"));
}

fn there_is_no_default_account() {
    let program = Program::of("session_db_auth").unset("ADMIN_EMAIL").unset("ADMIN_PASSWORD");
    let server = program.start();
    for (email, password) in [
        ("admin", "admin"),
        ("root", "root"),
        ("sessiond", "sessiond"),
        ("admin@localhost", "password"),
        (ADMIN, ADMIN_PASSWORD),
    ] {
        let login = server.login(&[("email", email), ("password", password)]).send();
        login.assert_error(401, "wrong email or password");
    }
    let (program, _, log) = server.stop();
    assert!(log.iter().any(|line| line.contains("no users yet")), "{log:?}");
    assert_eq!(fs::read_to_string(program.data().join("User.json")).unwrap_or_default(), "");
    for name in ["ADMIN_EMAIL", "ADMIN_PASSWORD_FILE"] {
        assert_eq!(settings::default_of(name), "");
    }
}

fn secrets_have_files() {
    let flag = run(&["--admin-password", "a password 77"], &[]);
    assert_eq!(flag.status.code(), Some(2));
    let program = Program::of("session_db_auth").unset("ADMIN_PASSWORD");
    let file = program.folder().join("password");
    fs::write(&file, "from a file 77\n").unwrap();
    let server = program.set_os("ADMIN_PASSWORD_FILE", file.as_os_str()).start();
    server.log_in(ADMIN, "from a file 77");
    let (program, ..) = server.stop();
    // It is not needed again.
    fs::remove_file(file).unwrap();
    program.start().log_in(ADMIN, "from a file 77");
    let config = Config::from_arguments(&[]).unwrap();
    assert!(format!("{config:?}").contains("admin_password: Secret"), "{config:?}");
}

fn sources_hold_no_secret() {
    for (path, text) in files::sources() {
        for mark in ["PRIVATE KEY", "$2b$1", "password = \"", "secret = \"", "token = \""] {
            assert!(!text.contains(mark), "{path}: {mark}");
        }
    }
    let dockerfile = files::read("Dockerfile");
    let ships = dockerfile.lines().filter(|line| !line.starts_with('#'));
    let settings: Vec<&str> = ships.filter(|line| line.contains("PASSWORD")).collect();
    assert_eq!(settings, Vec::<&str>::new());
    // What the image is built from is listed, and holds no data.
    let context = files::read(".dockerignore");
    let taken: Vec<&str> = context.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(taken, ["*", "!Cargo.toml", "!Cargo.lock", "!src", "!README.md"]);
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn private_files(folder: &Path) -> Vec<PathBuf> {
    assert_eq!(mode(folder), 0o700);
    let files: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    for file in &files {
        assert_eq!(mode(file), 0o600, "{}", file.display());
    }
    files
}

fn records_are_private() {
    let server = busy();
    let while_it_runs = private_files(&server.data());
    assert!(while_it_runs.iter().any(|file| file.ends_with("User.journal")), "{while_it_runs:?}");
    let (program, ..) = server.stop();
    let afterwards = private_files(&program.data());
    assert!(afterwards.iter().any(|file| file.ends_with("User.json")), "{afterwards:?}");
    let export = program.folder().join("export.json");
    assert!(program.run(&["export", &export.display().to_string()], "").status.success());
    assert_eq!(mode(&export), 0o600);
}

fn open_records_are_closed() {
    let (program, ..) = busy().stop();
    let file = program.data().join("User.json");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let server = program.start();
    assert_eq!(mode(&file), 0o600);
    let (program, ..) = server.stop();
    fs::set_permissions(program.data(), fs::Permissions::from_mode(0o777)).unwrap();
    let (status, log) = program.try_start().err().unwrap();
    assert_eq!(status.code(), Some(1));
    assert!(log.last().unwrap().contains("everybody may write to it"), "{log:?}");
}

/// What other servers serve by mistake: working copies, listings, settings, documents, numbers.
const STRAY: [&str; 28] = [
    "/",
    "/.git/HEAD",
    "/.git/config",
    "/.svn/entries",
    "/.hg/",
    "/.env",
    "/Cargo.toml",
    "/Dockerfile",
    "/README.md",
    "/src/",
    "/src/main.rs",
    "/data/",
    "/data/User.json",
    "/User.json",
    "/backup.json",
    "/index.html",
    "/favicon.ico",
    "/robots.txt",
    "/metrics",
    "/debug",
    "/debug/pprof",
    "/admin",
    "/server-status",
    "/health",
    "/docs",
    "/swagger.json",
    "/openapi.json",
    "/api",
];

fn no_files_are_served() {
    for kind in KINDS {
        let server = InProcess::with(&["--auth-type", kind]);
        for path in STRAY {
            server.get(path).send().assert_error(404, "Not found");
            let below = server.get(&format!("/api/v1{path}")).basic(ADMIN, ADMIN_PASSWORD).send();
            assert!(matches!(below.status, 403 | 404), "{kind} {path}: {below:?}");
            assert!(below.body.len() < 64, "{kind} {path}: {below:?}");
        }
    }
}

fn the_image_has_no_history() {
    let context = files::read(".dockerignore");
    assert!(context.lines().any(|line| line == "*") && !context.contains("!.git"), "{context}");
    let dockerfile = files::read("Dockerfile");
    let copies: Vec<&str> = dockerfile
        .lines()
        .filter(|line| line.starts_with("COPY") && !line.contains("--from"))
        .collect();
    assert_eq!(copies, ["COPY Cargo.toml Cargo.lock ./", "COPY README.md ./", "COPY src src"]);
}

/// Answers to requests of every sort, those that fail among them, without what differs each time.
fn answers(program: Program) -> Vec<(u16, String, BTreeSet<String>)> {
    let server = program.start();
    let admin = server.admin();
    let said = |answer: Answer| {
        let names = answer.headers.iter().map(|(name, _)| name.clone()).collect();
        (answer.status, answer.body, names)
    };
    let requests = [
        server.get("/api/v1/status"),
        server.get("/api/v1/users"),
        server.get("/api/v1/users").session("junk"),
        server.get("/api/v1/nothing").session(&admin),
        server.request("PATCH", "/api/v1/users").session(&admin),
        server.post("/api/v1/users").session(&admin).body("application/json", "{\"email\":"),
        server.post("/api/v1/auth_session/login").body("text/plain", "x"),
        server.login(&[("email", ADMIN), ("password", "wrong password")]),
        server.get("/api//v1"),
    ];
    requests.into_iter().map(|request| said(request.send())).collect()
}

fn answers_do_not_debug() {
    let quiet = answers(Program::of("session_db_auth"));
    let talkative = Program::of("session_db_auth").set("RUST_LOG", "trace");
    assert_eq!(answers(talkative.set("RUST_BACKTRACE", "full")), quiet);
    assert_eq!(settings::default_of("RUST_LOG"), "info,actix_server=warn,actix_http=off");
    let manifest = files::read("Cargo.toml");
    assert!(!manifest.contains("debug-assertions"), "releases have none");
    assert!(!manifest.contains("[features]"), "there is nothing to switch on");
}

fn nothing_is_traced() {
    for kind in KINDS {
        let server = InProcess::with(&["--auth-type", kind]);
        for (method, path) in
            [("TRACE", "/api/v1/status"), ("TRACE", "/"), ("TRACK", "/api/v1/users")]
        {
            let request = server.request(method, path).header("X-Echo", "echo-77");
            let answer = request.cookie("a=cookie-77").send();
            assert!(answer.status >= 400, "{kind}: {answer:?}");
            assert!(!format!("{answer:?}").contains("-77"), "{kind}: {answer:?}");
        }
    }
}

fn numbers_are_for_users() {
    let server = InProcess::with(&[]);
    server.get("/api/v1/stats").send().assert_error(401, "Unauthorized");
    server.get("/api/v1/stats").session("junk").send().assert_error(403, "Forbidden");
    let stats = server.get("/api/v1/stats").session(&server.admin()).send();
    stats.assert_is(200, r#"{"users":1}"#);
    server.get("/api/v1/status").send().assert_is(200, r#"{"status":"OK"}"#);
}

fn answers_name_no_version() {
    let server = InProcess::with(&[]);
    let admin = server.admin();
    let mut odd = server.connect();
    odd.write("nonsense\r\n\r\n");
    let mut answers = vec![odd.answer().unwrap()];
    for path in ["/", "/api/v1/status", "/api/v1/users", "/api/v1/nothing", "/api//v1"] {
        answers.push(server.get(path).send());
        answers.push(server.get(path).session(&admin).send());
    }
    let version = env!("CARGO_PKG_VERSION");
    for answer in answers {
        for name in ["server", "x-powered-by", "via"] {
            assert_eq!(answer.header(name), None, "{answer:?}");
        }
        let text = format!("{answer:?}").to_lowercase();
        assert!(!text.contains("actix") && !text.contains("rust"), "{text}");
        assert!(!answer.body.contains(version) && !answer.body.contains("sessiond"), "{text}");
    }
}
