//! Encoding and sanitization.

use crate::files;
use crate::registry::{Chapter, requirement};

pub const CHAPTER: Chapter = Chapter {
    title: "V1 Encoding and sanitization",
    rows: &[
        requirement("1.1.1", 2, "Decode each input once, before validation and before use")
            .unwritten(
                "Y: path, form, cookie, JSON escape, Basic; test: B path.*, cookie.value-exact; I: \
             property: guard input equals router input for any target",
            ),
        requirement("1.1.2", 2, "Escape at the last moment, by the serializer").unwritten(
            "Y: JSON bodies and log lines; test: I: any string survives body and log round \
             trip; C: no hand-built JSON (format!(\"{{) in handlers",
        ),
        requirement("1.2.1", 1, "Output cannot change response or header structure").unwritten(
            "Y; test: B http.response-splitting, trust.host-header; I: header values built only \
             from fixed alphabets",
        ),
        requirement("1.2.2", 1, "URLs we build encode their parts, safe schemes only").unwritten(
            "Y: Location of a new user; C: reset links; test: I: ids use a URL-safe alphabet; \
             Location resolves",
        ),
        requirement("1.2.3", 1, "No JSON injection")
            .unwritten("Y; test: B hdr.content-type, error.shape; I fuzz of names and e-mails"),
        requirement("1.2.4", 1, "No injection into the data store").unwritten(
            "Y, trivially: JSON files, no query language; test: I: keys with dots, slashes, \
             quotes; Ory's SQL injection through page tokens (CVE-2026-33503): list parameters \
             typed",
        ),
        requirement("1.2.5", 1, "No OS command injection")
            .tested(&[("the program starts no other", no_processes)]),
        requirement("1.2.6", 2, "No LDAP injection").not_applicable("there is no LDAP"),
        requirement("1.2.7", 2, "No XPath injection")
            .not_applicable("there is no XML and no XPath"),
        requirement("1.2.8", 2, "LaTeX is run without dangerous features")
            .not_applicable("there is no LaTeX"),
        requirement("1.2.9", 2, "Escape patterns that become regular expressions").unwritten(
            "C: wildcard rules of the guard; test: I: every regex metacharacter in a configured \
             path is literal",
        ),
        requirement("1.2.10", 3, "No formulas in exported CSV")
            .not_applicable("nothing is exported as CSV"),
        requirement("1.3.1", 1, "Rich text from an editor is cleaned by a library")
            .not_applicable("nothing takes or shows HTML"),
        requirement("1.3.2", 1, "No dynamic execution of code")
            .not_applicable("a compiled program without a script engine"),
        requirement("1.3.3", 2, "Clean data for dangerous contexts and cap its length").unwritten(
            "Y: file names, log fields; test: I: no file name contains user text; log fields \
             cut",
        ),
        requirement("1.3.4", 2, "SVG from users is cleaned")
            .not_applicable("nothing takes or shows images"),
        requirement(
            "1.3.5",
            2,
            "Template-like content from users (Markdown, style sheets) is cleaned",
        )
        .not_applicable("nothing renders text of users"),
        requirement("1.3.6", 2, "No SSRF").unwritten(
            "C: webhooks, online breach lists; test: C: no HTTP client crate in the default \
             build",
        ),
        requirement("1.3.7", 2, "No template injection").not_applicable("there are no templates"),
        requirement("1.3.8", 2, "JNDI look-ups are restricted").not_applicable("there is no Java"),
        requirement("1.3.9", 2, "No injection into memcache")
            .not_applicable("there is no memcache"),
        requirement("1.3.10", 2, "Format strings are not from users")
            .not_applicable("format strings are fixed when the program is compiled"),
        requirement("1.3.11", 2, "No mail header injection")
            .unwritten("C: mail; test: I: CR/LF in address refused (email.validation)"),
        requirement("1.3.12", 3, "No exponential regex")
            .tested(&[("no engine that backtracks is built in", no_engine_backtracks)]),
        requirement("1.4.1", 2, "Memory safety").unwritten(
            "Y; test: C: #![forbid(unsafe_code)], cargo-geiger report, Miri on the store",
        ),
        requirement("1.4.2", 2, "No integer overflow")
            .tested(&[("releases check for overflow", releases_check_for_overflow)]),
        requirement("1.4.3", 2, "Resources are released")
            .unwritten("Y; test: F: fd and memory count stable after 10 000 aborted requests"),
        requirement("1.5.1", 1, "XML parsers are restricted").not_applicable("nothing parses XML"),
        requirement("1.5.2", 2, "Safe deserialization").unwritten(
            "Y: typed, unknown fields refused, depth and size capped; test: B \
             error.hostile-json, auth.type-confusion; I: fuzz of the on-disk loader too",
        ),
        requirement("1.5.3", 3, "Parsers of one format agree").unwritten(
            "Y: one JSON parser, one URL decoder; test: B auth.ambiguous-parameters; I: \
             duplicate keys refused in bodies and in files",
        ),
    ],
};

fn no_processes() {
    for (name, text) in files::sources() {
        assert!(!text.contains("Command::new(") && !text.contains("libc::"), "{name}");
    }
    assert!(files::read("clippy.toml").contains(r#"path = "std::process::Command::new""#));
}

fn no_engine_backtracks() {
    let backtracking = ["fancy-regex", "pcre2", "pcre2-sys", "onig", "onig_sys"];
    let rules = files::read("deny.toml");
    for engine in backtracking {
        assert!(!files::crates().iter().any(|name| name == engine), "{engine}");
        assert!(rules.contains(&format!("crate = \"{engine}\"")), "{engine} is denied");
    }
}

fn releases_check_for_overflow() {
    let manifest = files::read("Cargo.toml");
    let (_, release) = manifest.split_once("[profile.release]").unwrap();
    let release = release.split("\n[").next().unwrap();
    assert!(release.lines().any(|line| line.starts_with("overflow-checks = true")), "{release}");
}
