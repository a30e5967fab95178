//! Proves what sessiond says of itself by the OWASP Application Security Verification Standard 5.0.
//!
//! `cargo test --test asvs` runs everything, `cargo test --test asvs 7.2` what has `7.2` in its name. The
//! run ends with the table of all requirements; a complete one also compares it with `docs/ASVS.md`,
//! which `just asvs` rewrites. A run in which something failed never rewrites it.
//!
//! # How to write a chapter
//!
//! Each chapter has a file: its `CHAPTER` lists every requirement of it, in order, and the functions that
//! prove them stand below. `beyond.rs` has the rules of cheat sheets, NIST and RFCs, `advisories.rs` what
//! others got wrong. A row is a `requirement` (or a `rule`, which has no level) in one of these ways:
//!
//! - `.tested(&[("session ids are 256 random bits", ids_are_random), …])`: for a client, over HTTP,
//!   where that is possible. The number goes in front of the sentence by itself. Two rows may share a
//!   function.
//! - `.documented("docs/CONTROLS.md#limits", &[("the limits are those of the settings", …)])`: the section
//!   must exist, and a test compares it with the code: `files::section("docs/CONTROLS.md", "Limits")`
//!   returns its text, `settings::assert_defaults` compares a table in it with the settings.
//! - `.operators("SECURITY.md#…", &[…])`: what only whoever runs the service can do. The section says how,
//!   the tests (there may be none) hold what we ship for it.
//! - `.open("what is missing")`: honest gaps. One of level 1 or 2 has to be named in the claim at the top of
//!   `docs/ASVS.md`; a test holds that.
//! - `.not_applicable("the reason")`.
//!
//! Examples: tested 5.2.1 and 1.4.2, documented 2.1.3, the operator's 3.5.4, open 3.4.7, not applicable
//! 5.1.1 (`cargo test --test asvs 2.1.3` runs one). The harness is that of `tests/suite`: `Server` (the real program) and `InProcess` (a clock that the test moves). Cookies, headers and
//! framing are asked of it byte for byte. Facts of the source (`Cargo.toml`, `src/`) come from `files`.
//!
//! A test must be able to fail: name for yourself the line of the source whose change would break the
//! requirement, and see that the test would notice. It may be short where `tests/suite` has more.
//!
//! Change only your chapter's file and your section of `docs/CONTROLS.md`. Whoever merges runs `just asvs`;
//! do not merge `docs/ASVS.md` by hand.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "the table is the result")]

#[allow(dead_code, unused_imports, reason = "tests/suite uses the rest of it")]
#[path = "../suite"]
mod suite {
    pub mod harness;
}
use suite::harness;

mod cargo;
mod complete;
mod faults;
mod files;
mod markdown;
mod pages;
mod registry;
mod settings;
mod table;

mod advisories;
mod beyond;
mod v01_encoding;
mod v02_validation;
mod v03_web_front_end;
mod v04_api;
mod v05_files;
mod v06_authentication;
mod v07_sessions;
mod v08_authorization;
mod v09_tokens;
mod v10_oauth;
mod v11_cryptography;
mod v12_communication;
mod v13_configuration;
mod v14_data;
mod v15_code;
mod v16_logging;
mod v17_webrtc;

use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Trial};

use registry::Chapter;
use table::Results;

/// The chapters of the standard.
const STANDARD: [&Chapter; 17] = [
    &v01_encoding::CHAPTER,
    &v02_validation::CHAPTER,
    &v03_web_front_end::CHAPTER,
    &v04_api::CHAPTER,
    &v05_files::CHAPTER,
    &v06_authentication::CHAPTER,
    &v07_sessions::CHAPTER,
    &v08_authorization::CHAPTER,
    &v09_tokens::CHAPTER,
    &v10_oauth::CHAPTER,
    &v11_cryptography::CHAPTER,
    &v12_communication::CHAPTER,
    &v13_configuration::CHAPTER,
    &v14_data::CHAPTER,
    &v15_code::CHAPTER,
    &v16_logging::CHAPTER,
    &v17_webrtc::CHAPTER,
];

/// The standard, and what goes beyond it.
fn chapters() -> impl Iterator<Item = &'static Chapter> + Clone {
    STANDARD.into_iter().chain([&beyond::CHAPTER]).chain(advisories::CHAPTERS)
}

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let results = Arc::new(Results::default());
    let tests = chapters().flat_map(Chapter::tests).chain(complete::tests());
    let trials: Vec<Trial> = tests
        .map(|(name, test)| {
            let results = Arc::clone(&results);
            Trial::test(name.clone(), move || {
                results.run(name, test);
                Ok(())
            })
        })
        .collect();
    let number = trials.len();
    let conclusion = libtest_mimic::run(&arguments, trials);
    if arguments.list {
        return ExitCode::SUCCESS;
    }
    let complete = results.number() == number;
    let rows = if complete { table::Rows::All } else { table::Rows::Run };
    let table = table::of(chapters(), &results, rows);
    println!("{table}");
    if conclusion.has_failed() || !complete {
        return conclusion.exit_code();
    }
    table::compare(&table)
}
