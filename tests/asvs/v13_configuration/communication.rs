//! To whom the service speaks, what it opens, and what it uses up.

use std::collections::BTreeSet;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use clap::{Args as _, Command};
use sessiond::config::Config;

use super::{busy, controls};
use crate::harness::Server;
use crate::{cargo, files, markdown, settings};

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

pub fn communication_is_documented() {
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

pub fn one_port_is_open() {
    let server = busy();
    let _kept = server.connect();
    let sockets = sockets(&server);
    let listening: Vec<_> = sockets.iter().filter(|(_, listens)| *listens).collect();
    assert_eq!(listening, [&(server.address, true)]);
    // What else there is has been accepted there.
    assert!(sockets.iter().all(|(address, _)| *address == server.address), "{sockets:?}");
}

pub fn files_are_documented() {
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

pub fn own_files_are_open() {
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
        ("up to 1024 changes", "store/json/writer.rs", "const MAX_BATCH: usize = 1024;"),
        ("and 1048576 bytes", "store/json.rs", "const MIN_FOLD_LENGTH: u64 = 1 << 20;"),
        ("a file of 4096 bytes", "store/json/writer.rs", "const ROOM: usize = 4096;"),
        (
            "once a second",
            "app/monitoring/readiness.rs",
            "const FRESH: Duration = Duration::from_secs(1);",
        ),
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
