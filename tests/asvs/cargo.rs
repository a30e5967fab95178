//! What the program is built from, as `Cargo.toml` and `Cargo.lock` have it.

use std::collections::{BTreeMap, BTreeSet};

use crate::files;

/// A crate as it is locked.
#[derive(Debug, Default)]
pub struct Package {
    pub version: String,
    pub source: String,
    pub checksum: String,
    /// The names of the crates that it is built from.
    pub dependencies: Vec<String>,
}

/// All crates that are locked, those for tests included; of one in several versions the last.
pub fn packages() -> BTreeMap<String, Package> {
    let lock = files::read("Cargo.lock");
    lock.split("[[package]]\n").skip(1).map(package).collect()
}

fn package(text: &str) -> (String, Package) {
    let value = |key: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(" = \""));
        line.unwrap_or_default().trim_end_matches('"').to_owned()
    };
    let listed = text.lines().filter_map(|line| line.strip_prefix(" \"")?.strip_suffix("\","));
    let name = |entry: &str| entry.split(' ').next().unwrap_or_default().to_owned();
    let dependencies = listed.map(name).collect();
    let (version, source, checksum) = (value("version"), value("source"), value("checksum"));
    let package = Package { version, source, checksum, dependencies };
    (value("name"), package)
}

/// The crates that the program names itself.
pub fn direct() -> Vec<String> {
    let manifest = files::read("Cargo.toml");
    let lines = manifest.lines().skip_while(|line| *line != "[dependencies]").skip(1);
    let lines = lines.take_while(|line| !line.starts_with('['));
    lines.filter_map(|line| Some(line.split_once(" = ")?.0.to_owned())).collect()
}

/// The crates that become part of the program; those that only tests need are none of them.
pub fn shipped() -> BTreeMap<String, Package> {
    let mut packages = packages();
    let (mut found, mut ahead) = (BTreeMap::new(), direct());
    while let Some(name) = ahead.pop() {
        if let Some(package) = packages.remove(&name) {
            ahead.extend(package.dependencies.iter().cloned());
            found.insert(name, package);
        }
    }
    assert!(found.len() > 100, "the crates were found");
    found
}

/// What all cryptography in Rust is built on: traits, primitives, randomness, wiping.
const FOUNDATIONS: [&str; 8] =
    ["cipher", "crypto-common", "digest", "getrandom", "rand_core", "ring", "subtle", "zeroize"];

/// The crates of the program that are cryptography: those above, and what is built on them.
pub fn cryptography() -> BTreeSet<String> {
    let is_foundation = |name: &String| FOUNDATIONS.contains(&name.as_str());
    let of_cryptography = |(name, package): (String, Package)| {
        let is = is_foundation(&name) || package.dependencies.iter().any(is_foundation);
        is.then_some(name)
    };
    shipped().into_iter().filter_map(of_cryptography).collect()
}
