//! What is built in, and what is not.

use crate::files;

pub fn no_processes() {
    for (name, text) in files::sources() {
        assert!(!text.contains("Command::new(") && !text.contains("libc::"), "{name}");
    }
    assert!(files::read("clippy.toml").contains(r#"path = "std::process::Command::new""#));
}

pub fn no_engine_backtracks() {
    let backtracking = ["fancy-regex", "pcre2", "pcre2-sys", "onig", "onig_sys"];
    let rules = files::read("deny.toml");
    for engine in backtracking {
        assert!(!files::crates().iter().any(|name| name == engine), "{engine}");
        assert!(rules.contains(&format!("crate = \"{engine}\"")), "{engine} is denied");
    }
}

/// The text of a table of `Cargo.toml`.
fn manifest(table: &str) -> String {
    let manifest = files::read("Cargo.toml");
    let (_, rest) = manifest.split_once(&format!("\n[{table}]\n")).unwrap();
    rest.split("\n[").next().unwrap().to_owned()
}

pub fn releases_check_for_overflow() {
    let release = manifest("profile.release");
    assert!(release.lines().any(|line| line.starts_with("overflow-checks = true")), "{release}");
}

/// `forbid` cannot be lifted again further in.
pub fn unsafe_code_does_not_compile() {
    assert!(manifest("lints.rust").lines().any(|line| line == r#"unsafe_code = "forbid""#));
    assert_eq!(files::sources().iter().filter(|(_, text)| text.contains("unsafe {")).count(), 0);
}

/// JSON is written by its serializer. The frames of the two files that hold a record a line are the
/// exception: what they write are keys of our own form (ids and hashes) and serialized records.
pub fn no_json_by_hand() {
    for (name, text) in files::sources() {
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        let by_hand = code.filter(|line| line.contains("{{\\\"") || line.contains("r#\"{"));
        let by_hand: Vec<&str> = by_hand.collect();
        let frames = usize::from(name == "cli/export.rs");
        assert_eq!(by_hand.len(), frames, "{name}: {by_hand:?}");
    }
}

/// A client that an attacker could direct is in no crate that is built in. Connections are opened
/// by one command only, to the address of the service itself.
pub fn nothing_asks_other_servers() {
    let clients = [
        "reqwest",
        "hyper",
        "hyper-util",
        "awc",
        "ureq",
        "curl",
        "isahc",
        "attohttpc",
        "minreq",
        "hickory-resolver",
        "lettre",
        "ldap3",
    ];
    let built_in = files::crates();
    for client in clients {
        assert!(!built_in.iter().any(|name| name == client), "{client}");
    }
    let connects = |text: &str| text.contains("TcpStream::connect") || text.contains("UdpSocket");
    let connecting = files::sources().into_iter().filter(|(_, text)| connects(text));
    let connecting: Vec<String> = connecting.map(|(name, _)| name).collect();
    assert_eq!(connecting, ["cli/healthcheck.rs"]);
}

pub fn one_parser_of_each_format() {
    let built_in = files::crates();
    for another in ["simd-json", "sonic-rs", "json5", "json", "jzon", "miniserde", "quick-xml"] {
        assert!(!built_in.iter().any(|name| name == another), "{another}");
    }
    let once = |name: &str| built_in.iter().filter(|built| *built == name).count();
    for parser in ["serde_json", "percent-encoding", "url", "http", "httparse"] {
        assert_eq!(once(parser), 1, "{parser}");
    }
    // The sealed cookie is written and read by another version of it, and nothing else is.
    assert_eq!(once("base64"), 2);
    let lock = files::read("Cargo.lock");
    let older: Vec<&str> = lock
        .split("[[package]]\n")
        .filter(|package| package.contains(" \"base64 0.20.0\","))
        .filter_map(|package| package.strip_prefix("name = \"")?.split('"').next())
        .collect();
    assert_eq!(older, ["cookie"]);
    for (name, text) in files::sources() {
        let readers = ["web::Json", "web::Form", "web::Query", "serde_urlencoded"];
        assert!(!readers.iter().any(|reader| text.contains(reader)), "{name}");
    }
}
