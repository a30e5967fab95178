//! Where secrets come from, and who may read them.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args as _, Command};
use sessiond::config::Config;

use super::{busy, controls};
use crate::harness::{ADMIN, ADMIN_PASSWORD, InProcess, Program, run};
use crate::{files, settings};

pub fn secrets_are_documented() {
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

pub fn session_ids_end() {
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

pub fn there_is_no_default_account() {
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

pub fn secrets_have_files() {
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

pub fn sources_hold_no_secret() {
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
    assert_eq!(taken, ["*", "!Cargo.toml", "!Cargo.lock", "!src", "!README.md", "!templates"]);
}

pub fn mode(path: &Path) -> u32 {
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

pub fn records_are_private() {
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

pub fn open_records_are_closed() {
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
