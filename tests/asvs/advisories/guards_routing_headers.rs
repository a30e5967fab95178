//! Guards, routing, headers.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use sessiond::auth::accounts::{Attempt, Pathway, Refusal};
use sessiond::auth::audit::Trace;
use sessiond::auth::{OPEN_PAGES, OPEN_PATHS};
use sessiond::models::Password;

use super::{
    ADMINS_LOGIN, LOGIN, ME, MY_PASSWORD, Person, REFRESH, Route, USERS, WRONG, add_user,
    assert_locked, assert_without, behind_a_proxy, claimed_addresses_change_nothing, mistakes,
    protected_routes, status, unthrottled,
};
use crate::files;
use crate::harness::{
    ADMIN, ADMIN_PASSWORD, InProcess, NO_SESSION, NOBODY, PASSWORD, Program, Request, Server,
    block_on,
};
use crate::registry::{Chapter, rule};

pub const CHAPTER: Chapter = Chapter {
    title: "Bugs that others shipped: guards, routing, headers",
    rows: &[
        rule(
            "ActivityWatch aw-server-rust #588",
            "API-key gate compared the raw path, the router the decoded one: first //api, then \
             %61pi passed. A Rust web service, same shape as ours (also #636 (2026))",
        )
        .tested(&[
            ("no other spelling of a path passes the gate", no_other_spelling_passes),
            ("no other spelling of a path writes", no_other_spelling_writes),
        ]),
        rule(
            "Better Auth GHSA-x732-6j76-qmhm",
            "Router folds //path, so disabled paths and path-based rate limits were bypassed",
        )
        .tested(&[
            ("no other spelling of a path passes the gate", no_other_spelling_passes),
            ("the throttle does not go by the path", the_throttle_does_not_go_by_the_path),
        ]),
        rule(
            "File Browser CVE-2026-25890",
            "Several leading slashes pass an access rule; prefix match without separator (also \
             CVE-2026-35605)",
        )
        .tested(&[
            ("no other spelling of a path passes the gate", no_other_spelling_passes),
            ("a path that only looks like another is another", look_alikes_are_other_paths),
        ]),
        rule(
            "Traefik CVE-2025-66490",
            "Path normalization, encoded characters and fragments make rule and router disagree \
             (also CVE-2025-47952, CVE-2023-47106, CVE-2026-40912, CVE-2026-48020)",
        )
        .tested(&[
            ("no other spelling of a path passes the gate", no_other_spelling_passes),
            ("an absolute target is read alike", an_absolute_target_is_read_alike),
            ("queries and fragments open nothing", queries_and_fragments_open_nothing),
        ]),
        rule(
            "Oathkeeper CVE-2026-33494",
            "Traversal and case handling in rule matching; prefix-based matching of admin paths \
             (also Caddy CVE-2026-27587, GHSA-gx7w-56w6-g48x)",
        )
        .tested(&[
            ("no other spelling of a path passes the gate", no_other_spelling_passes),
            ("a path that only looks like another is another", look_alikes_are_other_paths),
        ]),
        rule(
            "fastify-express #174",
            "Percent-encoded path skips middleware (also Astro #14771, Kimi #1753)",
        )
        .tested(&[("no other spelling of a path passes the gate", no_other_spelling_passes)]),
        rule(
            "OAuth2 Proxy CVE-2025-54576",
            "Query string or fragment is part of the text an allow-rule is matched against \
             (also CVE-2026-41059)",
        )
        .tested(&[("queries and fragments open nothing", queries_and_fragments_open_nothing)]),
        rule("OAuth2 Proxy CVE-2026-34457", "Health-check user agent switches authentication off")
            .tested(&[("no header makes anybody known", claims_make_nobody_known)]),
        rule(
            "OAuth2 Proxy CVE-2026-40575",
            "Client-sent forwarding or identity headers are believed (also Traefik \
             CVE-2026-35051, CVE-2026-39858; Oathkeeper CVE-2026-33495; Gogs CVE-2026-25119; \
             File Browser CVE-2026-54089)",
        )
        .tested(&[
            ("no header makes anybody known", claims_make_nobody_known),
            ("no header makes somebody another", claims_make_nobody_another),
        ]),
        rule(
            "OAuth2 Proxy CVE-2025-64484",
            "Underscore or case variants of a header clobber the trusted one (also Puma \
             CVE-2024-45614; Traefik CVE-2026-33433, CVE-2026-54763; Caddy CVE-2026-52845)",
        )
        .tested(&[
            ("no header makes somebody another", claims_make_nobody_another),
            ("variants of a header name no client", claimed_addresses_change_nothing),
        ]),
        rule(
            "Next.js CVE-2025-29927",
            "An internal header tells the framework to skip middleware (m)",
        )
        .tested(&[("no header skips the guard", claims_make_nobody_known)]),
        rule(
            "Rack CVE-2026-32762",
            "Forwarded parsing and invalid Host characters allow host spoofing; poisoned links \
             lead to account takeover (also CVE-2026-34835; Zitadel CVE-2025-64101, \
             GHSA-93m4-mfpg-c3xf)",
        )
        .tested(&[
            ("no answer repeats the host of a request", the_host_is_not_repeated),
            ("no header moves our own origin", no_header_moves_our_origin),
        ]),
        rule(
            "Puma CVE-2026-47737",
            "PROXY protocol header accepted again on a kept-alive connection",
        )
        .tested(&[("a PROXY line is no request, first or later", a_proxy_line_is_no_request)]),
        rule("Symfony CVE-2026-45075", "HEAD escapes a rule written for GET")
            .tested(&[("HEAD is guarded like GET", head_is_guarded_like_get)]),
        rule("Symfony CVE-2021-32693", "Login for one firewall counted for all").tested(&[(
            "credentials of one kind are none in another",
            credentials_of_one_kind_are_none_in_another,
        )]),
        rule(
            "Symfony CVE-2024-50341",
            "Programmatic login skipped the account checks (disabled, locked)",
        )
        .tested(&[("every pathway asks the same checker", every_pathway_asks_the_same_checker)]),
        rule(
            "Fiber CVE-2026-53624",
            "Security header never sent because of a wrong protocol test, or only on HTML (also \
             Rails CVE-2024-28103)",
        )
        .tested(&[(
            "every answer has the headers, over TLS and without",
            every_answer_has_the_headers,
        )]),
        rule(
            "Fiber CVE-2024-25124",
            "Wildcard or reflected CORS with credentials (also Casdoor CVE-2024-41657)",
        )
        .tested(&[("no origin is reflected that is not listed", no_origin_is_reflected)]),
        rule(
            "Zitadel CVE-2025-67717",
            "Number of users and login times disclosed (also Gitea CVE-2025-68943)",
        )
        .tested(&[(
            "numbers are for users, login times for their owners and admins",
            numbers_and_login_times_are_not_for_everybody,
        )]),
        rule(
            "Vaultwarden CVE-2026-27898",
            "One of several endpoints for the same object lacked the owner check",
        )
        .tested(&[
            ("every route checks whom it is about", every_route_checks_its_owner),
            ("callers by Basic are checked alike", basic_callers_are_checked_alike),
            ("a session is ended under its owner only", a_session_is_ended_under_its_owner_only),
        ]),
        rule(
            "Better Auth CVE-2025-61928",
            "A body field (userId) without a session turned the check off",
        )
        .tested(&[
            ("a body makes nobody known", a_body_makes_nobody_known),
            ("a body names nobody but the one in the path", a_body_names_nobody_else),
        ]),
        rule("Grafana CVE-2022-39328", "Race in shared request context mixes privileges").tested(
            &[
                ("64 users at once each see themselves", everybody_sees_himself),
                ("a connection keeps nobody for its next request", a_connection_keeps_nobody),
            ],
        ),
        rule(
            "File Browser CVE-2026-32760",
            "Sign-up inherits admin or execution rights from configured defaults (also \
             CVE-2026-34528)",
        )
        .tested(&[(
            "a new user has the lowest role whatever is asked for",
            a_new_user_has_no_rights,
        )]),
        rule(
            "File Browser CVE-2026-62684",
            "API returns password hashes (also Traefik CVE-2019-12452)",
        )
        .tested(&[("no answer of any route holds a hash", no_answer_holds_a_hash)]),
        rule(
            "Flask-AppBuilder CVE-2022-31177",
            "Filters let an admin query by password-hash fragment",
        )
        .tested(&[("no query filters users", no_query_filters_by_what_is_secret)]),
        rule(
            "actix-web RUSTSEC-2018-0019",
            "Memory safety faults in the framework (also actix-http RUSTSEC-2020-0048)",
        )
        .tested(&[
            (
                "the framework is no older than its repairs",
                the_framework_is_no_older_than_its_repairs,
            ),
            ("every change is audited", every_change_is_audited),
        ]),
        rule(
            "actix-http RUSTSEC-2021-0081 and release 3.12.1",
            "Ambiguous CL/TE framing (also Pingora RUSTSEC-2026-0033/-0034; Puma smuggling \
             series)",
        )
        .tested(&[
            (
                "the framework is no older than its repairs",
                the_framework_is_no_older_than_its_repairs,
            ),
            (
                "requests that two readers end differently are refused",
                ambiguous_requests_are_refused,
            ),
        ]),
        rule(
            "actix-files 0.6.10",
            "Panic on empty Range; serves the working directory on bad input",
        )
        .tested(&[("there are no files to serve and no ranges", no_files_are_served)]),
    ],
};

/// Ways to write a path that a sloppy reader takes for it.
fn spellings(path: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, byte) in path.bytes().enumerate() {
        let (head, rest) = (&path[..at], &path[at + 1..]);
        found.extend([
            format!("{head}%{byte:02x}{rest}"),
            format!("{head}%{byte:02X}{rest}"),
            format!("{head}%25{byte:02x}{rest}"),
        ]);
        let slashes =
            ["//", "///", "/./", "/x/../", "/%2e/", "/x/%2e%2E/", "/x/..%2f", "\\", "/\\"];
        let instead = slashes.iter().filter(|_| byte == b'/');
        found.extend(instead.map(|slashes| format!("{head}{slashes}{rest}")));
    }
    let ends =
        ["//", "/.", "/./", "/x/..", "/x/../", "%2f", "/%2e", "%00", "%0a", "%5c", "%", "%7"];
    found.extend(ends.iter().map(|end| format!("{path}{end}")));
    found
}

fn no_other_spelling_passes() {
    for kind in ["session_db_auth", "basic_auth"] {
        let server = Server::of(kind);
        for route in protected_routes() {
            for spelling in spellings(&route.path.replace(['{', '}'], "")) {
                let request = || server.request(&route.method, &spelling);
                assert_eq!(request().send().status, 400, "{kind} {route:?} {spelling}");
            }
        }
        // Also for those who are known: nobody is to find out what a reader makes of it.
        for spelling in spellings(USERS) {
            let answer = server.by_admin(server.get(&spelling)).send();
            assert_eq!(answer.status, 400, "{kind} {spelling}");
        }
    }
}

fn no_other_spelling_writes() {
    for kind in ["none", "session_db_auth"] {
        let server = Server::of(kind);
        let bob = format!("{USERS}/{}", server.add_user("bob@example.com"));
        let new = json!({ "email": "cat@example.com", "password": PASSWORD, "first_name": "Cat" });
        for (method, path) in [("POST", USERS), ("PUT", &bob), ("DELETE", &bob)] {
            for spelling in spellings(path) {
                let answer = server.request(method, &spelling).json(&new).send();
                assert_eq!(answer.status, 400, "{kind} {method} {spelling}");
            }
        }
        let users = server.by_admin(server.get(USERS)).send().json();
        let names = users.as_array().unwrap().iter().map(|user| &user["first_name"]);
        assert_eq!(names.collect::<Vec<_>>(), [&Value::Null; 2], "{kind}");
    }
}

fn look_alikes_are_other_paths() {
    let server = Server::of("session_db_auth");
    let admin = server.admin();
    for path in [USERS, ME, "/api/v1/stats", "/api/v1/auth_session"] {
        let upper = path.to_uppercase();
        let last = path.rsplit('/').next().unwrap();
        let shouted = path.replace(last, &last.to_uppercase());
        let ends =
            ["2", "x", ";", ";x=y", ".json", "%20", "%3f", "%23", "*", ":443", ",", "~", "/x/y/z/"];
        for other in ends.map(|end| format!("{path}{end}")).into_iter().chain([upper, shouted]) {
            let nobody = server.get(&other).send().status;
            assert!(matches!(nobody, 401 | 404), "{other}: {nobody}");
            server.get(&other).session(&admin).send().assert_error(404, "Not found");
        }
    }
    // And the other way round: what is open opens nothing that begins or ends like it.
    for open in OPEN_PATHS.iter().chain(OPEN_PAGES) {
        for path in [format!("{open}x"), format!("{open}/x"), format!("{USERS}{open}")] {
            let answer = server.get(&path).send();
            if path.starts_with("/api/") {
                answer.assert_error(401, "Unauthorized");
            } else {
                // Outside of the API there is nothing at all.
                assert_eq!(
                    answer.status,
                    if path == "/login/x" || path == "/logout/x" { 303 } else { 404 },
                    "{path}"
                );
            }
        }
    }
}

fn queries_and_fragments_open_nothing() {
    let server = Server::of("session_db_auth");
    for route in protected_routes() {
        for open in OPEN_PATHS.iter().chain(OPEN_PAGES) {
            for rest in ["?", "?x=", "?/../..", "#", "#/../..", "?#", ";"] {
                let target = format!("{}{rest}{open}", route.path.replace(['{', '}'], ""));
                let answer = server.request(&route.method, &target).send();
                assert_eq!(answer.status, 401, "{target}");
            }
        }
    }
}

fn an_absolute_target_is_read_alike() {
    let server = Server::of("session_db_auth");
    let ask = |target: &str| server.get(target).send().status;
    for host in [server.address.to_string().as_str(), "evil.example", "x@y"] {
        for path in [USERS, ME, "/api/v1/nothing"] {
            assert_eq!(ask(&format!("http://{host}{path}")), 401, "{host}{path}");
            for spelling in spellings(path) {
                assert_eq!(ask(&format!("http://{host}{spelling}")), 400, "{host}{spelling}");
            }
        }
    }
}

/// Headers in which a proxy or a framework elsewhere says who is speaking.
const IDENTITY: &[&str] = &[
    "Remote-User",
    "X-Remote-User",
    "X-Forwarded-User",
    "X-Forwarded-Email",
    "X-Forwarded-Preferred-Username",
    "X-Forwarded-Groups",
    "X-Auth-Request-User",
    "X-Auth-Request-Email",
    "X-Authenticated-User",
    "X-WebAuth-User",
    "X-User",
    "X-User-Id",
    "X-Session-Id",
    "X-Api-Key",
    "X-Token",
    "X-Role",
    "X-Original-User",
    "From",
    "X_Forwarded_User",
    "REMOTE_USER",
    "HTTP_AUTHORIZATION",
    "Authorization_",
    "Proxy-Authorization",
    "X-Authorization",
    "X-Cookie",
    "Cookie2",
    "Cookie_",
];

/// Headers by which others switch something off, or believe in another client or path.
const SWITCHES: &[(&str, &str)] = &[
    ("User-Agent", "kube-probe/1.31"),
    ("User-Agent", "GoogleHC/1.0"),
    ("User-Agent", "ELB-HealthChecker/2.0"),
    ("User-Agent", "Envoy/HC"),
    ("X-Middleware-Subrequest", "middleware:middleware:middleware:middleware:middleware"),
    ("X-Middleware-Prefetch", "1"),
    ("X-Middleware-Next", "1"),
    ("X-Forwarded-For", "127.0.0.1"),
    ("X-Forwarded-For", "203.0.113.9"),
    ("X_Forwarded_For", "203.0.113.9"),
    ("X-Real-IP", "203.0.113.9"),
    ("Forwarded", "for=127.0.0.1;by=127.0.0.1;host=localhost;proto=https"),
    ("Forwarded", "for=203.0.113.9"),
    ("X-Forwarded-Host", "localhost"),
    ("X-Forwarded-Proto", "https"),
    ("X-Forwarded-Uri", "/api/v1/status"),
    ("X-Forwarded-Prefix", "/api/v1/status"),
    ("X-Original-URL", "/api/v1/status"),
    ("X-Original-URI", "/api/v1/status"),
    ("X-Rewrite-URL", "/api/v1/status"),
    ("X-HTTP-Method-Override", "OPTIONS"),
    ("X-Internal", "true"),
    ("X-Debug", "1"),
    ("X-Authenticated", "true"),
    ("X-SSL-Client-Verify", "SUCCESS"),
];

/// All of this, claimed for this person.
fn claims(of: &Person) -> Vec<(&'static str, String)> {
    let (bearer, cookie) =
        (format!("Bearer {}", of.session), format!("_my_session_id={}", of.session));
    let values = [&of.email, &of.id, &of.session, &bearer, &cookie, "admin"];
    let who = IDENTITY.iter().flat_map(|name| values.map(|value| (*name, value.to_owned())));
    who.chain(SWITCHES.iter().map(|(name, value)| (*name, (*value).to_owned()))).collect()
}

fn claims_make_nobody_known() {
    let server = Server::of("session_db_auth");
    let admin = Person::admin(&server);
    let basic = Server::of("basic_auth");
    for (name, value) in claims(&admin) {
        for server in [&server, &basic] {
            for path in [USERS, ME, "/api/v1/stats"] {
                let answer = server.get(path).header(name, &value).send();
                assert_eq!(answer.status, 401, "{name}: {value} {path}");
            }
            let answer = server.post(USERS).header(name, &value).json(&json!({})).send();
            assert_eq!(answer.status, 401, "{name}: {value}");
        }
    }
}

fn claims_make_nobody_another() {
    let server = Server::of("session_db_auth");
    let (admin, bob) = (Person::admin(&server), Person::new(&server, "bob"));
    for (name, value) in claims(&admin) {
        let claiming =
            |path: &str| server.get(path).session(&bob.session).header(name, &value).send();
        assert_eq!(claiming(ME).json()["id"], bob.id, "{name}: {value}");
        claiming(USERS).assert_error(403, "Forbidden");
        claiming(&admin.path("")).assert_error(403, "Forbidden");
        let session = claiming("/api/v1/auth_session").json();
        assert_eq!(session["client_address"], "127.0.0.1", "{name}: {value}");
    }
    // The method in the request line is the method.
    for name in ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "_method"] {
        let get = server.get(&bob.path("?_method=DELETE")).session(&bob.session);
        assert_eq!(get.header(name, "DELETE").send().status, 200, "{name}");
    }
    assert_eq!(status(&server, &bob.session), 200);
}

fn the_throttle_does_not_go_by_the_path() {
    let server = behind_a_proxy("session_db_auth");
    let absolute = format!("http://{}{LOGIN}", server.address);
    let targets = [LOGIN, &format!("{LOGIN}/"), &format!("{LOGIN}?x=//"), &absolute];
    let mut next = targets.iter().cycle();
    let form = [("email", ADMIN), ("password", WRONG)];
    assert_eq!(mistakes(|| server.post(next.next().unwrap()).form(&form)), 12);
    for target in targets {
        assert_eq!(server.post(target).form(&ADMINS_LOGIN).send().status, 429, "{target}");
    }
    // Another spelling is no way round it: nobody examines what it brings.
    for spelling in spellings(LOGIN) {
        let answer = server.post(&spelling).form(&ADMINS_LOGIN).send();
        assert_eq!((answer.status, answer.session_id()), (400, None), "{spelling}");
    }
}

fn the_host_is_not_repeated() {
    let server = Server::of("session_db_auth");
    let admin_id = Person::admin(&server).id;
    for route in protected_routes() {
        for host in ["evil.example", "evil.example:80", "localhost@evil.example", "x.evil.example"]
        {
            let path = route.path.replace("{id}", &admin_id).replace("{session}", NOBODY);
            let request = Request::to_host(server.address, host, &route.method, &path);
            let request = request.header("X-Forwarded-Host", host);
            let request = request.header("Forwarded", &format!("host=\"{host}\""));
            let answer = request.bearer(&server.admin()).json(&json!({})).send();
            assert!(answer.header("x-request-id").is_some(), "{route:?} {host}");
            let told = format!("{:?} {}", answer.headers, answer.body);
            assert!(!told.contains("evil") && answer.header("location").is_none(), "{told}");
        }
    }
}

fn no_header_moves_our_origin() {
    let plain = Server::of("session_db_auth");
    let evil = "https://evil.example";
    let refresh = plain.post(REFRESH).session(&plain.admin()).header("Origin", evil);
    let refresh = refresh.header("X-Forwarded-Host", "evil.example");
    let refresh = refresh.header("Forwarded", "host=evil.example;proto=https");
    refresh.send().assert_error(403, "Forbidden");
    // Where the public address is set, a name that somebody gave to our address is none of ours.
    let public = Program::of("session_db_auth").set("PUBLIC_URL", "https://id.example.com").start();
    let cookie = format!("__Host-_my_session_id={}", public.admin());
    for (origin, status) in [(evil, 403), ("https://id.example.com", 200)] {
        let refresh = Request::to_host(public.address, "evil.example", "POST", REFRESH);
        let answer = refresh.cookie(&cookie).header("Origin", origin).send();
        assert_eq!(answer.status, status, "{origin}");
    }
}

fn a_proxy_line_is_no_request() {
    let server = Server::of("session_db_auth");
    let status = format!("GET /api/v1/status HTTP/1.1\r\nHost: {}\r\n\r\n", server.address);
    let version_2 = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\x01\x02\x03\x04\x7f\0\0\x01\0\x50\0\x50";
    for line in [&b"PROXY TCP4 1.2.3.4 127.0.0.1 80 80\r\n"[..], b"PROXY UNKNOWN\r\n", version_2] {
        for before in ["", &status] {
            let mut connection = server.connect();
            connection.write(before);
            if !before.is_empty() {
                assert_eq!(connection.answer().unwrap().status, 200);
            }
            connection.write([line, status.as_bytes()].concat());
            assert_eq!(connection.answer().unwrap().status, 400, "{line:?}");
            assert_eq!(connection.rest(), b"", "{line:?}: the request behind it is not answered");
        }
    }
}

fn head_is_guarded_like_get() {
    let server = Server::of("session_db_auth");
    let (admin, bob) = (Person::admin(&server), Person::new(&server, "bob"));
    let mut compared = 0;
    for route in protected_routes().iter().filter(|route| route.method == "HEAD") {
        let get = Route { method: "GET".into(), path: route.path.clone() };
        let nobody: fn(Request, &Person, &Person) -> Request = |request, _, _| request;
        for by in [
            nobody,
            |request, _, _| request.session(NO_SESSION),
            |request, _, bob| request.session(&bob.session),
            |request, admin, _| request.session(&admin.session),
        ] {
            let [get, head] = [&get, route]
                .map(|route| by(route.of(&server, &admin.id, NOBODY), &admin, &bob).send());
            assert_eq!((head.status, head.body.as_str()), (get.status, ""), "{route:?}");
            compared += usize::from(get.status == 403) + usize::from(get.status == 401);
        }
    }
    assert!(compared > 10, "{compared}");
}

fn credentials_of_one_kind_are_none_in_another() {
    let server = Server::of("session_db_auth");
    let durable = server.admin();
    let mut program = server.stop().0;
    for kind in ["auth", "basic_auth", "session_auth", "session_exp_auth", "session_db_auth"] {
        let server = program.set("AUTH_TYPE", kind).start();
        let ask = |add: &dyn Fn(Request) -> Request| add(server.get(USERS)).send().status;
        let through = |lets: bool| if lets { 200 } else { 403 };
        assert_eq!(ask(&|r| r.session(&durable)), through(kind == "session_db_auth"), "{kind}");
        assert_eq!(ask(&|r| r.bearer(&durable)), through(kind == "session_db_auth"), "{kind}");
        assert_eq!(
            ask(&|r| r.basic(ADMIN, ADMIN_PASSWORD)),
            through(kind == "basic_auth"),
            "{kind}"
        );
        program = server.stop().0;
    }
    // Sessions in memory are of one process.
    let (one, other) = (Server::of("session_auth"), Server::of("session_auth"));
    assert_eq!(status(&other, &one.admin()), 403);
}

fn every_pathway_asks_the_same_checker() {
    let server = unthrottled("session_db_auth");
    let bob = Person::new(&server, "bob");
    let locked =
        server.put(&bob.path("")).session(&server.admin()).json(&json!({ "disabled": true }));
    assert_eq!(locked.send().status, 200);
    for pathway in Pathway::ALL {
        let attempt = Attempt { pathway: *pathway, trace: Trace::default(), session: None };
        for (email, why) in
            [(&bob.email, Refusal::Disabled), (&"x@example.com".to_owned(), Refusal::UnknownUser)]
        {
            let password = Password::sent(PASSWORD.to_owned());
            let outcome = block_on(server.service.accounts().log_in(email, password, &attempt));
            assert_eq!(outcome.unwrap().unwrap_err(), why, "{pathway:?}");
        }
    }
    // Nobody else compares a password with a hash.
    let comparing: Vec<_> = files::sources()
        .into_iter()
        .filter(|(_, text)| {
            text.contains("hasher.verify(") || text.contains("password_hash.verify(")
        })
        .map(|(name, _)| name)
        .collect();
    assert_eq!(comparing, ["auth/accounts/log_in.rs"]);
}

fn no_origin_is_reflected() {
    let evil = "https://evil.example";
    let spa = "https://spa.example";
    for (list, origin, read, with_cookie) in [
        ("", evil, None, false),
        ("", "null", None, false),
        ("*", evil, Some("*"), false),
        ("*", "null", Some("*"), false),
        (spa, evil, None, false),
        (spa, "null", None, false),
        (spa, "https://spa.example.evil.example", None, false),
        (spa, "https://evilspa.example", None, false),
        (spa, "http://spa.example", None, false),
        (spa, "https://spa.example:8443", None, false),
        (spa, "HTTPS://SPA.EXAMPLE", None, false),
        (spa, spa, Some(spa), true),
        ("*,https://spa.example", evil, Some("*"), false),
        ("*,https://spa.example", spa, Some(spa), true),
    ] {
        let server = Program::of("session_db_auth").set("CORS_ORIGINS", list).start();
        let session = server.admin();
        let asks = |request: Request| request.header("Origin", origin);
        let preflight = |path| {
            asks(server.request("OPTIONS", path)).header("Access-Control-Request-Method", "DELETE")
        };
        for answer in [
            asks(server.get(ME)).session(&session).send(),
            asks(server.get(ME)).send(),
            asks(server.get("/api/v1/status")).send(),
            preflight(ME).send(),
            preflight(LOGIN).send(),
        ] {
            let told = answer.headers("access-control-allow-origin");
            assert_eq!(told, read.into_iter().collect::<Vec<_>>(), "{list} {origin}");
            let told = answer.header("access-control-allow-credentials");
            assert_eq!(told, with_cookie.then_some("true"), "{list} {origin}");
        }
    }
}

fn numbers_and_login_times_are_not_for_everybody() {
    let server = Server::of("session_db_auth");
    let (admin, bob) = (Person::admin(&server), Person::new(&server, "bob"));
    server.get("/api/v1/stats").send().assert_error(401, "Unauthorized");
    // The document tells the same to everybody.
    for open in OPEN_PATHS.iter().chain(OPEN_PAGES).filter(|open| !open.ends_with("/openapi.json"))
    {
        let answer = server.get(open).send();
        assert!(!answer.body.contains("users"), "{answer:?}");
    }
    let by_bob = |path: &str| server.get(path).session(&bob.session).send();
    by_bob(USERS).assert_error(403, "Forbidden");
    by_bob(&admin.path("")).assert_error(403, "Forbidden");
    by_bob(&admin.path("/sessions")).assert_error(403, "Forbidden");
    // A user tells nothing of his logins; his sessions do, to himself and admins.
    let members =
        ["id", "created_at", "updated_at", "email", "first_name", "last_name", "role", "disabled"];
    let listed = server.get(USERS).session(&admin.session).send().json();
    for user in listed.as_array().unwrap().iter().chain([&by_bob(ME).json()]) {
        let told: BTreeSet<&str> = user.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(told, BTreeSet::from(members));
    }
}

/// For whom a route is.
#[derive(Clone, Copy, Debug, PartialEq)]
enum For {
    /// Whoever is known, about himself.
    Users,
    /// Himself and admins.
    Owner,
    Admins,
}

/// The authorization of every protected route.
const AUTHORIZED: &[(&str, &str, For)] = &[
    ("GET", "/stats", For::Users),
    ("GET", "/users", For::Admins),
    ("POST", "/users", For::Admins),
    ("GET", "/users/me", For::Users),
    ("GET", "/users/{id}", For::Owner),
    ("PUT", "/users/{id}", For::Owner),
    ("DELETE", "/users/{id}", For::Owner),
    ("PUT", "/users/{id}/password", For::Owner),
    ("GET", "/users/{id}/sessions", For::Owner),
    ("DELETE", "/users/{id}/sessions", For::Owner),
    ("DELETE", "/users/{id}/sessions/{session}", For::Owner),
    ("DELETE", "/sessions", For::Admins),
    ("POST", "/admin/backup", For::Admins),
    ("GET", "/auth_session", For::Users),
    ("POST", "/auth_session/refresh", For::Users),
    ("POST", "/auth_session/reauth", For::Users),
    ("DELETE", "/auth_session/logout", For::Users),
];

fn authorized(route: &Route) -> For {
    let as_get = |method: &str| if method == "HEAD" { "GET".into() } else { method.to_owned() };
    let listed = AUTHORIZED.iter().find(|(method, path, _)| {
        Route { method: as_get(&route.method), ..route.clone() }.is(method, path)
    });
    listed.unwrap_or_else(|| panic!("{route:?} has no row")).2
}

/// A body that every route takes.
fn any_body() -> Value {
    json!({
        "email": "new@example.com", "password": PASSWORD, "first_name": "Mallory",
        "current_password": PASSWORD, "new_password": "yet another 3",
    })
}

fn every_route_checks_its_owner() {
    let program = Program::of("session_db_auth");
    let backups = program.folder().join("backups");
    let server = program.set_os("BACKUP_DIR", backups.as_os_str()).start();
    let mut number = 0;
    let mut person = || {
        number += 1;
        Person::new(&server, &format!("user{number}"))
    };
    for route in protected_routes() {
        let (admin, bob, ann) = (Person::admin(&server), person(), person());
        let anns = format!("{USERS}/{}/sessions", ann.id);
        let anns = server.get(&anns).session(&admin.session).send().json();
        let anns = anns[0]["id"].as_str().unwrap();
        let request = || route.of(&server, &ann.id, anns).json(&any_body());
        let view =
            |id: &str| server.get(&format!("{USERS}/{id}")).session(&admin.session).send().body;
        let before = view(&ann.id);
        assert_eq!(request().send().status, 401, "{route:?}");
        let by_bob = request().session(&bob.session).send().status;
        let is_bobs = authorized(&route) == For::Users;
        assert_eq!(by_bob, if is_bobs { 200 } else { 403 }, "{route:?} by another user");
        assert_eq!((status(&server, &ann.session), view(&ann.id)), (200, before), "{route:?}");
        server.log_in(&ann.email, PASSWORD);
        let by_ann = request().session(&ann.session).send().status;
        assert_eq!(
            by_ann,
            if authorized(&route) == For::Admins { 403 } else { 200 },
            "{route:?} by herself"
        );
        if authorized(&route) != For::Users {
            let (admin, ann) = (Person::admin(&server), person());
            let path = ann.path("/sessions");
            let sessions = server.get(&path).session(&admin.session).send().json();
            let request = route.of(&server, &ann.id, sessions[0]["id"].as_str().unwrap());
            let mut body = any_body();
            body["email"] = "another@example.com".into();
            let by_admin = request.session(&admin.session).json(&body).send().status;
            assert!(matches!(by_admin, 200 | 201), "{route:?} by an admin: {by_admin}");
        }
    }
    for (method, path, _) in AUTHORIZED {
        assert!(protected_routes().iter().any(|route| route.is(method, path)), "{method} {path}");
    }
}

fn basic_callers_are_checked_alike() {
    let server = Server::of("basic_auth");
    let ann = server.add_user("ann@example.com");
    server.add_user("bob@example.com");
    for route in protected_routes() {
        let request = || route.of(&server, &ann, NOBODY).json(&any_body());
        assert_eq!(request().send().status, 401, "{route:?}");
        let by_bob = request().basic("bob@example.com", PASSWORD).send().status;
        assert_eq!(by_bob == 403, authorized(&route) != For::Users, "{route:?}: {by_bob}");
    }
}

fn a_session_is_ended_under_its_owner_only() {
    let server = Server::of("session_db_auth");
    let (bob, ann) = (Person::new(&server, "bob"), Person::new(&server, "ann"));
    let listed = server.get(&ann.path("/sessions")).session(&ann.session).send().json();
    let anns = listed[0]["id"].as_str().unwrap();
    for owner in ["me", &bob.id] {
        let end = server.delete(&format!("{USERS}/{owner}/sessions/{anns}"));
        end.session(&bob.session).send().assert_error(404, "Not found");
    }
    assert_eq!(status(&server, &ann.session), 200);
}

fn a_body_makes_nobody_known() {
    let server = Server::of("session_db_auth");
    let admin = Person::admin(&server);
    let mut body = any_body();
    for name in ["id", "userId", "user_id", "user", "sub", "session", "session_id", "token"] {
        body[name] = if name.contains('s') { admin.session.as_str() } else { &admin.id }.into();
    }
    body["role"] = "admin".into();
    for route in protected_routes() {
        for body in [body.clone(), json!([body])] {
            let answer = route.of(&server, &admin.id, NOBODY).json(&body).send();
            assert_eq!(answer.status, 401, "{route:?}");
        }
        let form = [("user_id", admin.id.as_str()), ("_my_session_id", &admin.session)];
        assert_eq!(
            route.of(&server, &admin.id, NOBODY).form(&form).send().status,
            401,
            "{route:?}"
        );
    }
}

fn a_body_names_nobody_else() {
    let server = Server::of("session_db_auth");
    let (bob, ann) = (Person::new(&server, "bob"), Person::new(&server, "ann"));
    let view = |of: &Person| server.get(ME).session(&of.session).send().json();
    let (bob_before, ann_before) = (view(&bob), view(&ann));
    let body = json!({
        "id": ann.id, "userId": ann.id, "user_id": ann.id, "email": ann.email,
        "password": "mallory's one", "password_hash": "x", "credential_version": 9,
        "must_change": true, "created_at": "2000-01-01T00:00:00.000Z", "first_name": "Bob",
    });
    let changed = server.put(&bob.path("")).session(&bob.session).json(&body).send();
    assert_eq!((changed.status, &changed.json()["id"]), (200, &bob_before["id"]));
    let mut expected = bob_before.clone();
    (expected["first_name"], expected["updated_at"]) =
        ("Bob".into(), view(&bob)["updated_at"].clone());
    assert_eq!((view(&bob), view(&ann)), (expected, ann_before.clone()));
    // His password is changed, and nobody else's.
    let mut body = body;
    (body["current_password"], body["new_password"]) = (PASSWORD.into(), "yet another 3".into());
    let changed = server.put(MY_PASSWORD).session(&bob.session).json(&body).send();
    assert_eq!(changed.status, 200, "{}", changed.body);
    assert_eq!(view(&ann), ann_before);
    server.log_in(&ann.email, PASSWORD);
    server.log_in(&bob.email, "yet another 3");
}

fn everybody_sees_himself() {
    let server = Server::of("session_db_auth");
    let everybody: Vec<Person> =
        (0..64).map(|n| Person::new(&server, &format!("user{n}"))).collect();
    for path in [ME, "/api/v1/auth_session", "/api/v1/users/me/sessions"] {
        let asked: Vec<_> = everybody
            .iter()
            .map(|user| (user, server.get(path).session(&user.session).start()))
            .collect();
        for (user, answer) in asked {
            let body = answer.finish().json();
            let id = match path {
                ME => &body["id"],
                "/api/v1/auth_session" => &body["user"]["id"],
                _ => {
                    assert_eq!(body.as_array().map(Vec::len), Some(1));
                    continue;
                }
            };
            assert_eq!(*id, user.id, "{path}");
        }
    }
}

fn a_connection_keeps_nobody() {
    let server = Server::of("session_db_auth");
    let people = [Person::new(&server, "bob"), Person::new(&server, "ann")];
    let head = format!("GET {ME} HTTP/1.1\r\nHost: {}\r\n", server.address);
    let mut connection = server.connect();
    for _ in 0..4 {
        for person in &people {
            connection.write(format!("{head}Cookie: _my_session_id={}\r\n\r\n", person.session));
            assert_eq!(connection.answer().unwrap().json()["id"], person.id);
            connection.write(format!("{head}\r\n"));
            assert_eq!(connection.answer().unwrap().status, 401);
        }
    }
}

fn a_new_user_has_no_rights() {
    let program = Program::of("session_db_auth");
    let added = program.run(&["user", "add", "cli@example.com"], &format!("{PASSWORD}\n"));
    assert!(added.status.success(), "{added:?}");
    // With a user in it the directory gets no first admin.
    let promoted =
        program.run(&["user", "add", "--role", "admin", ADMIN], &format!("{ADMIN_PASSWORD}\n"));
    assert!(promoted.status.success(), "{promoted:?}");
    let server = program.start();
    let admin = server.admin();
    for (email, more) in [
        ("a@example.com", json!({})),
        ("b@example.com", json!({ "role": "admin" })),
        (
            "c@example.com",
            json!({ "role": 1, "admin": true, "is_admin": true, "permissions": "*" }),
        ),
        (
            "d@example.com",
            json!({ "role_since": null, "credential_version": 1, "disabled": false }),
        ),
    ] {
        let mut body = json!({ "email": email, "password": PASSWORD });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let made = server.post(USERS).session(&admin).json(&body).send();
        assert_eq!((made.status, &made.json()["role"]), (201, &json!("user")), "{body}");
    }
    for email in ["cli@example.com", "b@example.com", "c@example.com"] {
        let session = server.log_in(email, PASSWORD);
        server.get(USERS).session(&session).send().assert_error(403, "Forbidden");
    }
}

/// The names of all members in a value, however deep.
fn names(value: &Value) -> Vec<&str> {
    match value {
        Value::Object(members) => members
            .iter()
            .flat_map(|(name, value)| std::iter::once(name.as_str()).chain(names(value)))
            .collect(),
        Value::Array(values) => values.iter().flat_map(names).collect(),
        _ => Vec::new(),
    }
}

fn no_answer_holds_a_hash() {
    let mut good = 0;
    for route in protected_routes().iter().filter(|route| route.method != "HEAD") {
        let server = InProcess::with(&[]);
        let bob = add_user(&server, "bob@example.com");
        let mut body = any_body();
        (body["password"], body["current_password"]) =
            (ADMIN_PASSWORD.into(), ADMIN_PASSWORD.into());
        for user in [&bob, "me"] {
            let request = route.of(&server, user, NOBODY).session(&server.admin());
            let answer = request.json(&body).send();
            let told = answer.json();
            let secret = |name: &&str| {
                ["hash", "password", "credential", "salt"].iter().any(|word| name.contains(word))
            };
            assert_eq!(names(&told).into_iter().find(secret), None, "{route:?}: {told}");
            assert!(!answer.body.contains("$2b$"), "{route:?}: {told}");
            good += usize::from(answer.status < 300);
            body["email"] = "another@example.com".into();
        }
    }
    assert!(good > 15, "{good}");
}

fn no_query_filters_by_what_is_secret() {
    let server = Server::of("session_db_auth");
    server.add_user("bob@example.com");
    let admin = server.admin();
    let ask = |query: &str| server.get(&format!("{USERS}{query}")).session(&admin).send().body;
    let all = ask("");
    for name in [
        "password_hash",
        "password",
        "credential_version",
        "filter",
        "q",
        "search",
        "sort",
        "order_by",
    ] {
        for value in [
            "$2b$",
            "%242b%2404",
            "x",
            "password_hash",
            "-password_hash",
            "(col:password_hash,opr:sw,value:a)",
        ] {
            assert_eq!(ask(&format!("?{name}={value}")), all, "{name}={value}");
            assert_eq!(ask(&format!("?{name}__startswith={value}")), all, "{name}={value}");
        }
    }
}

fn the_framework_is_no_older_than_its_repairs() {
    assert_locked("actix-web", [4, 0, 0]);
    assert_locked("actix-http", [3, 12, 1]);
    let forbidden = files::read("Cargo.toml");
    assert!(forbidden.lines().any(|line| line == "unsafe_code = \"forbid\""));
}

fn every_change_is_audited() {
    let run = files::read(".ci/run");
    assert!(run.lines().any(|line| line.trim_start().ends_with(".ci/audit --local")), "{run}");
}

/// Requests whose end two readers could see in different places; `HOST` is ours.
const AMBIGUOUS: &[&str] = &[
    "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
    "Content-Length: 0\r\nContent-Length: 4\r\n\r\nabcd",
    "Content-Length: 4\r\nContent-Length: 4\r\n\r\nabcd",
    "Content-Length: 0, 4\r\n\r\nabcd",
    "Content-Length: +4\r\n\r\nabcd",
    "Content-Length: -4\r\n\r\nabcd",
    "Content-Length: 0x4\r\n\r\nabcd",
    "Content-Length: 4 4\r\n\r\nabcd",
    "Content-Length:\r\n 4\r\n\r\nabcd",
    "Content-Length : 4\r\n\r\nabcd",
    "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "Transfer-Encoding: identity, chunked, chunked\r\n\r\n0\r\n\r\n",
    "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
    "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n",
    "Transfer-Encoding: chunked\0\r\n\r\n0\r\n\r\n",
    "X: a\rContent-Length: 4\r\n\r\nabcd",
    "Host: other\r\n\r\n",
];

fn ambiguous_requests_are_refused() {
    let server = Server::of("session_db_auth");
    let behind = format!("GET /api/v1/status HTTP/1.1\r\nHost: {}\r\n\r\n", server.address);
    for rest in AMBIGUOUS {
        for line in ["POST /api/v1/auth_session/login", "GET /api/v1/status"] {
            let mut connection = server.connect();
            let head = format!("{line} HTTP/1.1\r\nHost: {}\r\n", server.address);
            connection.write(format!("{head}{rest}{behind}"));
            let answer = connection.answer().unwrap_or_else(|| panic!("{rest:?}: no answer"));
            assert_eq!(answer.status, 400, "{rest:?}");
            assert_eq!(connection.rest(), b"", "{rest:?}: what is behind it is not answered");
        }
    }
    assert_eq!(server.get("/api/v1/status").send().status, 200);
}

fn no_files_are_served() {
    assert_without("actix-files");
    let server = Server::of("session_db_auth");
    let admin = server.admin();
    let whole = server.get(ME).session(&admin).send().body;
    for range in
        ["bytes=", "bytes=-", "bytes=0-0", "bytes=1-0", "bytes=99999-", "", "bytes=0-,0-,0-"]
    {
        server.get(ME).session(&admin).header("Range", range).send().assert_is(200, &whole);
    }
    for path in ["/", "/Cargo.toml", "/data/User.json", "/.env", "/index.html", "/.git/config"] {
        server.get(path).header("Range", "bytes=").send().assert_error(404, "Not found");
    }
}

/// The headers of every answer; over https there is one more.
const HEADERS: [(&str, &str); 6] = [
    ("cache-control", "no-store"),
    ("content-security-policy", "default-src 'none'; base-uri 'none'; frame-ancestors 'none'"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("referrer-policy", "no-referrer"),
    ("x-content-type-options", "nosniff"),
];

/// What a page may load, and where its forms may go.
const PAGE_POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; \
    img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

fn every_answer_has_the_headers() {
    let (program, pair) = Program::of("session_db_auth").set("LOGIN_ATTEMPTS", "1").over_tls();
    let over_tls = program.start();
    let plain = Program::of("session_db_auth").set("LOGIN_ATTEMPTS", "1").start();
    let tls = pair.client(&over_tls);
    let public = Program::of("session_db_auth").set("PUBLIC_URL", "https://id.example.com");
    let public = public.set("LOGIN_ATTEMPTS", "1").start();
    for (client, https) in [(&tls, true), (&*public, true), (&*plain, false)] {
        let admin = Person { session: client.admin(), id: NOBODY.into(), email: ADMIN.into() };
        let wrong = || client.login(&[("email", "x@example.com"), ("password", WRONG)]);
        let preflight = client.request("OPTIONS", ME).header("Origin", "https://a.example");
        let twice =
            ["_my_session_id", "__Host-_my_session_id"].map(|name| format!("{name}=a; {name}=b"));
        let taken = json!({ "email": ADMIN, "password": PASSWORD });
        let mut answers = vec![
            wrong().send(),
            wrong().send(),
            preflight.header("Access-Control-Request-Method", "GET").send(),
            client.get("/").send(),
            client.get("/api/v1//users").send(),
            client.get(&format!("/{}", "x".repeat(9_000))).send(),
            client.get("/").header("X", &"x".repeat(17_000)).send(),
            client.post(LOGIN).body("text/plain", "x").send(),
            client.post(LOGIN).body("application/json", "x".repeat(70_000)).send(),
            client.request("PATCH", LOGIN).send(),
            client.post(USERS).bearer(&admin.session).json(&taken).send(),
            client.get(ME).cookie(&twice.join(";")).send(),
        ];
        for route in protected_routes() {
            answers.push(route.of(client, &admin.id, NOBODY).send());
            answers.push(route.of(client, &admin.id, NOBODY).bearer(NO_SESSION).send());
            answers.push(
                route.of(client, &admin.id, NOBODY).bearer(&client.admin()).json(&json!({})).send(),
            );
        }
        answers.extend(OPEN_PATHS.iter().chain(OPEN_PAGES).map(|path| client.get(path).send()));
        answers.extend(["/account", "/admin", "/nothing"].map(|path| client.get(path).send()));
        answers.push(client.get("/nothing").header("Accept", "text/html").send());
        answers.push(client.post("/account").send());
        let statuses: BTreeSet<u16> = answers.iter().map(|answer| answer.status).collect();
        for status in [200, 204, 400, 401, 403, 404, 405, 409, 413, 414, 415, 429, 431] {
            assert!(statuses.contains(&status), "{status} is not among {statuses:?}");
        }
        let hsts = https.then_some("max-age=31536000; includeSubDomains");
        for answer in &answers {
            let is_page = answer.header("content-type") == Some("text/html; charset=utf-8");
            for (name, value) in HEADERS {
                let is_policy = name == "content-security-policy";
                let value = if is_policy && is_page { PAGE_POLICY } else { value };
                assert_eq!(answer.headers(name), [value], "{name}: {answer:?}");
            }
            assert_eq!(answer.header("strict-transport-security"), hsts, "{answer:?}");
        }
    }
}
