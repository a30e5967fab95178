//! What the program is built from, and what is shipped.

use std::collections::BTreeSet;

use crate::harness::Program;
use crate::{cargo, files, markdown, settings};

fn controls(heading: &str) -> String {
    files::section("docs/CONTROLS.md", heading)
}

pub fn deadlines_are_documented() {
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

pub fn crates_are_locked() {
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

pub fn a_list_is_made() {
    let script = files::read(".ci/sbom");
    for word in ["cargo cyclonedx", "--format json", "--target all", "cargo fetch --locked"] {
        assert!(script.contains(word), "{word}");
    }
    assert!(files::read("justfile").contains("\nsbom:\n    .ci/sbom\n"));
}

pub fn builds_keep_to_the_lock() {
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

pub fn risks_are_documented() {
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

pub fn dangers_are_documented() {
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
        "X_FORWARDED_HOST",
    ];
    let sources = files::sources().into_iter();
    let sources = sources.filter(|(_, text)| reads.iter().any(|way| text.contains(way)));
    assert_eq!(listed, sources.map(|(path, _)| path).collect());
    let manifest = files::read("Cargo.toml");
    assert!(manifest.contains("unsafe_code = \"forbid\""));
    assert!(files::read("src/api/body.rs").contains("const MAX_BYTES: usize = 64 * 1024;"));
    assert!(section.contains("65536 bytes") && section.contains("the compiler forbids it"));
}

pub fn audits_ignore_nothing() {
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

pub fn old_weaknesses_are_mended() {
    let packages = cargo::packages();
    for (name, mended) in MENDED {
        let version = &packages[name].version;
        let numbers: Vec<u64> = version.split('.').map(|part| part.parse().unwrap()).collect();
        assert!(numbers.as_slice() >= mended.as_slice(), "{name} {version}");
    }
}

pub fn tests_are_not_shipped() {
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
    // Tests and benches are built apart from the program, and are not in the image.
    let dockerfile = files::read("Dockerfile");
    let builds: Vec<&str> =
        dockerfile.lines().filter(|line| line.contains("cargo build")).collect();
    assert!(builds.iter().all(|line| line.contains("--release --locked --bin sessiond")));
    assert!(builds.len() == 2 && dockerfile.contains("\nCOPY src src\n"), "{builds:?}");
    for (path, text) in files::sources() {
        for left in ["todo!(", "dbg!(", "unimplemented!(", "cfg(feature"] {
            assert!(!text.contains(left), "{path}: {left}");
        }
        // What is for fuzzing comes after this line, wherever it is named.
        let for_fuzzing = text.replace("#[cfg(any(fuzzing, test))]\npub mod fuzzing;", "");
        let for_fuzzing = for_fuzzing.replace("#[cfg(any(fuzzing, test))]\npub use ", "");
        assert!(!for_fuzzing.contains("mod fuzzing"), "{path}");
        assert!(!for_fuzzing.contains("(fuzzing"), "{path}");
    }
}

pub fn lessons_must_be_asked_for() {
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
