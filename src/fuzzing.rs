//! What every reader of foreign bytes promises, as functions that take any bytes and panic when a
//! promise is broken. Compiled for tests and for fuzzing alone; they stand beside what they hold.
//!
//! The targets in `fuzz/` call them with what libFuzzer finds, and the tests below with the seeds in
//! `fuzz/seeds/`, as they are and damaged.

pub use crate::api::fuzzing::body;
pub use crate::auth::fuzzing::{basic, cookie_and_bearer, forwarded_for, path};
pub use crate::cli::fuzzing::import;
pub use crate::models::fuzzing::email_and_hash;
pub use crate::store::fuzzing::{data_file, journal, journal_lines};

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::{Path, PathBuf};

    use proptest::prelude::*;
    use proptest::sample::Index;
    use proptest::test_runner::{Config, TestError, TestRunner};

    use super::*;

    type Target = (&'static str, fn(&[u8]));

    const TARGETS: [Target; 10] = [
        ("basic", basic),
        ("body", body),
        ("cookie_and_bearer", cookie_and_bearer),
        ("data_file", data_file),
        ("email_and_hash", email_and_hash),
        ("forwarded_for", forwarded_for),
        ("import", import),
        ("journal", journal),
        ("journal_lines", journal_lines),
        ("path", path),
    ];

    /// How often the seeds of a target are damaged.
    const CASES: u32 = 300;

    fn folder(name: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz").join(name)
    }

    /// The names in a folder, without extensions.
    fn names(folder: &Path) -> BTreeSet<String> {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        entries.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect()
    }

    fn seeds(target: &str) -> Vec<Vec<u8>> {
        let entries = fs::read_dir(folder("seeds").join(target)).unwrap();
        let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        assert!(!paths.is_empty(), "{target} has seeds");
        paths.iter().map(|path| fs::read(path).unwrap()).collect()
    }

    /// What tears texts apart, or holds them together.
    const PIECES: [&[u8]; 34] = [
        b"\n",
        b"\r\n",
        b"\0",
        b"\xff",
        b"\xc3\xa4",
        b"\\",
        b"\"",
        b"\\u0000",
        b"\\b",
        b":",
        b",",
        b";",
        b"=",
        b"==",
        b"%",
        b"%2e",
        b"/",
        b"//",
        b"/../",
        b" ",
        b"\t",
        b"{",
        b"}",
        b"[",
        b"]",
        b"[[[[",
        b"null",
        b"-1",
        b"1e999",
        b"@",
        b"$",
        b"&",
        b"+",
        b"__Host-sid=",
    ];

    #[derive(Clone, Debug)]
    enum Damage {
        Replace(Index, u8),
        Insert(Index, Index),
        Remove(Index, usize),
        Double(Index, usize),
        Cut(Index),
        Append(Index),
    }

    fn damage() -> impl Strategy<Value = Damage> {
        let place = any::<Index>;
        prop_oneof![
            4 => (place(), any::<u8>()).prop_map(|(at, byte)| Damage::Replace(at, byte)),
            4 => (place(), place()).prop_map(|(at, piece)| Damage::Insert(at, piece)),
            2 => (place(), 1..8_usize).prop_map(|(at, length)| Damage::Remove(at, length)),
            2 => (place(), 1..200_usize).prop_map(|(at, length)| Damage::Double(at, length)),
            1 => place().prop_map(Damage::Cut),
            1 => place().prop_map(Damage::Append),
        ]
    }

    impl Damage {
        fn do_to(&self, bytes: &mut Vec<u8>, seeds: &[Vec<u8>]) {
            let length = bytes.len();
            let place = |at: &Index| at.index(length + 1);
            let range = |at: &Index, wide: usize| place(at)..(place(at) + wide).min(length);
            match self {
                Self::Replace(at, byte) => drop(bytes.splice(range(at, 1), [*byte])),
                Self::Insert(at, piece) => {
                    drop(bytes.splice(range(at, 0), piece.get(&PIECES).iter().copied()));
                }
                Self::Remove(at, wide) => drop(bytes.drain(range(at, *wide))),
                Self::Double(at, wide) => {
                    let doubled = bytes[range(at, *wide)].to_vec();
                    drop(bytes.splice(range(at, 0), doubled));
                }
                Self::Cut(at) => bytes.truncate(place(at)),
                Self::Append(seed) => bytes.extend(&seeds[seed.index(seeds.len())]),
            }
        }
    }

    #[test]
    fn every_promise_holds_for_the_seeds_and_for_no_bytes() {
        for (name, target) in TARGETS {
            target(b"");
            for seed in seeds(name) {
                target(&seed);
            }
        }
    }

    #[test]
    fn every_promise_holds_for_seeds_that_were_damaged() {
        for (name, target) in TARGETS {
            let seeds = seeds(name);
            let damaged = (any::<Index>(), prop::collection::vec(damage(), 1..4));
            let config = Config { failure_persistence: None, ..Config::with_cases(CASES) };
            let damaged = damaged.prop_map(|(seed, damages)| {
                let mut bytes = seed.get(&seeds).clone();
                for damage in damages {
                    damage.do_to(&mut bytes, &seeds);
                }
                bytes
            });
            let held = TestRunner::new(config).run(&damaged, |bytes| {
                target(&bytes);
                Ok(())
            });
            if let Err(TestError::Fail(why, bytes)) = held {
                panic!("{name}: {why}: {}", bytes.escape_ascii());
            }
        }
    }

    #[test]
    fn every_promise_is_fuzzed_and_has_seeds() {
        let targets: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).into()).collect();
        assert_eq!(names(&folder("fuzz_targets")), targets);
        assert_eq!(names(&folder("seeds")), targets);
        let manifest = fs::read_to_string(folder("Cargo.toml")).unwrap();
        for name in targets {
            let calls = fs::read_to_string(folder("fuzz_targets").join(format!("{name}.rs")));
            assert!(
                calls.unwrap().contains(&format!("sessiond::fuzzing::{name}(bytes)")),
                "{name}"
            );
            assert!(manifest.contains(&format!("name = \"{name}\"")), "{name}");
        }
    }
}
