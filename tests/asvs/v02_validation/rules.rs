//! What each value must be.

use serde_json::{Value, json};

use super::desk::Desk;
use crate::files;
use crate::harness::{ADMIN, ADMIN_PASSWORD, Answer, InProcess, NOBODY};

/// A value that comes in: what it must be, what happens otherwise, and examples of both.
struct Rule {
    what: &'static str,
    must: &'static str,
    otherwise: &'static str,
    hand_in: fn(&Desk, &Value) -> Answer,
    good: fn(&Desk) -> Vec<Value>,
    bad: fn(&Desk) -> Vec<Value>,
}

fn texts(texts: &[&str]) -> Vec<Value> {
    texts.iter().map(|text| json!(text)).collect()
}

/// What is no text, no switch and no role.
fn no_texts() -> Vec<Value> {
    vec![json!(1), json!(1.5), json!([]), json!(["x"]), json!({ "x": 1 })]
}

fn text_of(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// The id of the admin.
fn user_id(desk: &Desk) -> Value {
    desk.get("/api/v1/users").send().json()[0]["id"].clone()
}

/// The public id of another session of his.
fn session_id(desk: &Desk) -> Value {
    let other = desk.server.admin();
    let session = desk.server.get("/api/v1/auth_session").session(&other).send().json();
    session["id"].clone()
}

/// What a lenient reader takes for the same UUID.
fn other_spellings(id: &Value) -> Vec<Value> {
    let id = text_of(id);
    texts(&[&id.replace('-', ""), &format!("urn:uuid:{id}"), &format!("%7B{id}%7D")])
}

const RULES: &[Rule] = &[
    Rule {
        what: "`email`",
        must: "an address like `name@example.com`: in ASCII, at most 254 bytes, without quotes, brackets, comments and colons",
        otherwise: "400",
        hand_in: |desk, value| desk.new_user("email", value),
        good: |_| {
            texts(&["bob+tag@sub.example.co.uk", "BOB@EXAMPLE.COM", "x_y@a.b", "bob@localhost"])
        },
        bad: |_| {
            let bad =
                ["bob", "@example.com", "bob@", "a@b@c", "bob @example.com", "a:b@example.com"];
            let worse = [
                "b\u{f6}b@example.com",
                "bob@ex\u{e4}mple.com",
                "bob@[127.0.0.1]",
                "Bob <bob@example.com>",
            ];
            [
                texts(&bad),
                texts(&worse),
                texts(&["\"b\"@example.com", "bob(x)@example.com"]),
                no_texts(),
            ]
            .concat()
        },
    },
    Rule {
        what: "`password`, `new_password`",
        must: "8 characters or more, 256 bytes or less; neither common nor [made of context](#passwords)",
        otherwise: "400",
        hand_in: |desk, value| desk.new_user("password", value),
        good: |_| {
            texts(&[
                "k7#vQ2pz",
                "        x",
                "\u{1f600}\u{1f601}\u{1f602}\u{1f603}\u{1f604}\u{1f605}\u{1f606}x",
            ])
        },
        bad: |_| [texts(&["", "1234567", "password1", "bob@example.com"]), no_texts()].concat(),
    },
    Rule {
        what: "`first_name`, `last_name`",
        must: "a text of at most 256 characters, or null",
        otherwise: "400",
        hand_in: |desk, value| desk.new_user("first_name", value),
        good: |_| [texts(&["", "Zo\u{eb}", "\"; x"]), vec![json!(null)]].concat(),
        bad: |_| [no_texts(), vec![json!("x".repeat(257)), json!(true)]].concat(),
    },
    Rule {
        what: "`role`",
        must: "`admin` or `user`, or null",
        otherwise: "400",
        hand_in: |desk, value| desk.change(&json!({ "role": value })),
        good: |_| vec![json!("admin"), json!(null)],
        bad: |_| [no_texts(), texts(&["Admin", "root", "", "user "]), vec![json!(true)]].concat(),
    },
    Rule {
        what: "`disabled`, `must_change`",
        must: "`true` or `false`, or null",
        otherwise: "400",
        hand_in: |desk, value| desk.new_user("must_change", value),
        good: |_| vec![json!(true), json!(false), json!(null)],
        bad: |_| [no_texts(), texts(&["true", "on", ""]), vec![json!(0)]].concat(),
    },
    Rule {
        what: "`remember`, `?all`, `?touch`, `?redirect`",
        must: "`true` or `false`, 1 or 0, or a text that says so: `true`, `on`, `yes`, `1`, `false`, `off`, `no`, `0` or nothing",
        otherwise: "400",
        hand_in: |desk, value| desk.login("remember", value),
        good: |_| {
            let words = texts(&["true", "on", "yes", "1", "false", "off", "no", "0", ""]);
            [words, vec![json!(true), json!(false), json!(1), json!(0), json!(null)]].concat()
        },
        bad: |_| {
            vec![json!("maybe"), json!("True"), json!(2), json!(-1), json!([]), json!({ "x": 1 })]
        },
    },
    Rule {
        what: "`?limit`",
        must: "a number from 1 to 1000, in digits",
        otherwise: "400",
        hand_in: |desk, value| desk.get(&format!("/api/v1/users?limit={}", text_of(value))).send(),
        good: |_| texts(&["1", "7", "1000"]),
        bad: |_| texts(&["", "0", "1001", "-1", "%2b1", "1.0", "ten", "99999999999999999999"]),
    },
    Rule {
        what: "`?after`",
        must: "the id of a user who is there",
        otherwise: "400",
        hand_in: |desk, value| desk.get(&format!("/api/v1/users?after={}", text_of(value))).send(),
        good: |desk| vec![user_id(desk)],
        bad: |desk| [texts(&["", "me", NOBODY]), other_spellings(&user_id(desk))].concat(),
    },
    Rule {
        what: "the id of a user",
        must: "a UUID in lower case, with hyphens",
        otherwise: "404 to an admin, 403 to others",
        hand_in: |desk, value| desk.get(&format!("/api/v1/users/{}", text_of(value))).send(),
        good: |desk| vec![user_id(desk)],
        bad: |desk| {
            [texts(&["x", "0", NOBODY, "me.json"]), other_spellings(&user_id(desk))].concat()
        },
    },
    Rule {
        what: "the public id of a session",
        must: "a UUID in lower case, with hyphens",
        otherwise: "404",
        hand_in: |desk, value| {
            let path = format!("/api/v1/users/me/sessions/{}", text_of(value));
            desk.server.delete(&path).session(&desk.admin).send()
        },
        good: |desk| vec![session_id(desk)],
        bad: |desk| [texts(&["x", "0", NOBODY]), other_spellings(&session_id(desk))].concat(),
    },
    Rule {
        what: "the id of a session, in the cookie or as a bearer token",
        must: "43 letters, digits, `-` and `_`",
        otherwise: "403",
        hand_in: |desk, value| desk.server.get("/api/v1/users/me").session(text_of(value)).send(),
        good: |desk| vec![json!(desk.server.admin())],
        bad: |_| {
            let long = "A".repeat(44);
            texts(&[
                "",
                "x",
                &long,
                &long[..42],
                &format!("{}+", &long[..42]),
                &format!("{}=", &long[..43]),
            ])
        },
    },
    Rule {
        what: "Basic credentials",
        must: "standard base64 with padding, of UTF-8 that has a colon",
        otherwise: "403",
        hand_in: |_, value| {
            let server = InProcess::with(&["--auth-type", "basic_auth"]);
            let request = server.get("/api/v1/users/me");
            request.header("Authorization", &format!("Basic {}", text_of(value))).send()
        },
        // admin@example.com:correct horse 1
        good: |_| texts(&["YWRtaW5AZXhhbXBsZS5jb206Y29ycmVjdCBob3JzZSAx"]),
        bad: |_| texts(&["test", "YWRtaW4=", "YTpi!", "YTpiOmM", "YTr/", "YTpiOmM=="]),
    },
    Rule {
        what: "a path",
        must: "canonical: no empty and no dot segments, nothing encoded that needs no encoding, no encoded slash, backslash, `%` and control character",
        otherwise: "400",
        hand_in: |desk, value| desk.get(text_of(value)).send(),
        good: |_| texts(&["/api/v1/users", "/api/v1/users/", "/api/v1/status?%zz//../"]),
        bad: |_| {
            texts(&[
                "//",
                "/api/v1//users",
                "/api/./v1",
                "/api/v1/..",
                "/%61pi",
                "/a%2fb",
                "/a%00",
                "/a\\b",
            ])
        },
    },
    Rule {
        what: "a JSON body",
        must: "one object in UTF-8, in which no member is there twice; members that a route does not know are ignored",
        otherwise: "400",
        hand_in: |desk, value| {
            let login = desk.server.post("/api/v1/auth_session/login");
            login.body("application/json", text_of(value)).send()
        },
        good: |_| {
            vec![json!(json!({ "email": ADMIN, "password": ADMIN_PASSWORD, "x": [1] }).to_string())]
        },
        bad: |_| {
            texts(&[
                "",
                "[]",
                "null",
                "{",
                "{}{}",
                "{\"a\":1,\"a\":1}",
                "{\"a\":\"\\ud800\"}",
                "{'a':1}",
            ])
        },
    },
    Rule {
        what: "a form",
        must: "percent-encoded UTF-8, in which no field is there twice",
        otherwise: "400",
        hand_in: |desk, value| {
            let login = desk.server.post("/api/v1/auth_session/login");
            login.body("application/x-www-form-urlencoded", text_of(value)).send()
        },
        good: |_| texts(&["email=admin%40example.com&password=correct+horse%201&x=&&"]),
        bad: |_| {
            texts(&["email=a%40b.c&password=x&email=a%40b.c", "email=%ff&password=x", "%fe=1"])
        },
    },
];

/// Each value is taken where it keeps its rule, and refused as it says where it does not.
pub fn the_rules_are_kept() {
    let desk = Desk::new();
    for rule in RULES {
        for value in (rule.good)(&desk) {
            let answer = (rule.hand_in)(&desk, &value);
            assert!(answer.status < 300, "{}: {value}: {answer:?}", rule.what);
        }
        let refusal: u16 = rule.otherwise[..3].parse().unwrap();
        for value in (rule.bad)(&desk) {
            let answer = (rule.hand_in)(&desk, &value);
            assert_eq!(answer.status, refusal, "{}: {value}: {answer:?}", rule.what);
        }
    }
}

pub fn the_rules_are_documented() {
    let row = |rule: &Rule| [rule.what, rule.must, rule.otherwise].map(str::to_owned).to_vec();
    let head = ["what", "must be", "otherwise"].map(str::to_owned).to_vec();
    let rows: Vec<_> = std::iter::once(head).chain(RULES.iter().map(row)).collect();
    files::assert_table(&files::section("docs/CONTROLS.md", "Input"), &rows);
}

/// Every member that a handler asks for has its rule.
pub fn every_member_that_is_read_has_its_rule() {
    let mut read = Vec::new();
    for (_, text) in files::sources().iter().filter(|(name, _)| name.starts_with("api")) {
        for call in ["required(\"", "text(\"", "boolean(\"", "flag(\"", "number(\""] {
            let named = text.split(call).skip(1).map(|rest| rest.split('"').next().unwrap());
            read.extend(named.map(str::to_owned));
        }
    }
    assert!(read.len() > 8, "{read:?}");
    for member in read.iter().filter(|member| *member != "current_password") {
        let named = |rule: &Rule| {
            rule.what.contains(&format!("`{member}`"))
                || rule.what.contains(&format!("`?{member}`"))
        };
        assert!(RULES.iter().any(named), "{member}");
    }
}
