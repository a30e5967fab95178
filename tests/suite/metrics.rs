//! `/metrics`: in its form, with right numbers, with nothing of anybody in it, and shown on the
//! dashboard that is shipped.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use actix_web::web;
use prometheus_client::registry::Registry;
use serde_json::{Value, json};
use sessiond::config::Config;
use sessiond::models::Role;
use sessiond::server::{self, Traffic};

use crate::harness::{
    ADMIN, ADMIN_PASSWORD, Client, InProcess, NO_SESSION, NOBODY, PASSWORD, Program, block_on,
};

/// A family of metrics.
#[derive(Debug, Default)]
struct Family {
    kind: String,
    help: String,
    samples: Vec<Sample>,
}

#[derive(Debug)]
struct Sample {
    name: String,
    labels: BTreeMap<String, String>,
    value: f64,
}

/// A scrape, read as strictly as OpenMetrics 1.0 has it.
struct Scrape {
    text: String,
    families: BTreeMap<String, Family>,
}

impl Scrape {
    fn of(client: &Client) -> Self {
        let answer = client.get("/metrics").send();
        assert_eq!(answer.status, 200, "{}", answer.body);
        Self::read(answer.body)
    }

    fn read(text: String) -> Self {
        let body = text.strip_suffix("# EOF\n").expect("it ends with its end");
        let (mut families, mut series) = (BTreeMap::<String, Family>::new(), BTreeSet::new());
        let mut current = String::new();
        for line in body.lines() {
            if let Some(told) = line.strip_prefix("# ") {
                let mut words = told.splitn(3, ' ');
                let (what, name, rest) =
                    (words.next().unwrap(), words.next().unwrap(), words.next().unwrap());
                if name != current {
                    assert!(!families.contains_key(name), "{name} is there twice");
                    name.clone_into(&mut current);
                }
                let family = families.entry(current.clone()).or_default();
                assert!(family.samples.is_empty(), "{line} comes too late");
                match what {
                    "HELP" => rest.clone_into(&mut family.help),
                    "TYPE" => rest.clone_into(&mut family.kind),
                    "UNIT" => assert!(name.ends_with(&format!("_{rest}")), "{line}"),
                    _ => panic!("{line}"),
                }
            } else {
                let key = line.rsplit_once(' ').unwrap().0;
                assert!(series.insert(key.to_owned()), "{key} is there twice");
                let family = families.get_mut(&current).expect("a sample is of a family");
                family.samples.push(sample(line));
            }
        }
        let scrape = Self { text, families };
        scrape.families.iter().for_each(|(name, family)| hold(name, family));
        scrape
    }

    /// The value of a series; none where it is not there.
    fn find(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let wanted: BTreeMap<String, String> =
            labels.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let mut samples = self.families.values().flat_map(|family| &family.samples);
        let found = samples.find(|sample| sample.name == name && sample.labels == wanted);
        found.map(|sample| sample.value)
    }

    #[track_caller]
    fn assert(&self, name: &str, labels: &[(&str, &str)], expected: f64) {
        let found = self.find(name, labels);
        assert_eq!(found, Some(expected), "{name} {labels:?}\n{}", self.text);
    }

    #[track_caller]
    fn assert_requests(&self, route: &str, method: &str, status: &str, expected: f64) {
        let labels = [("route", route), ("method", method), ("status", status)];
        self.assert("sessiond_requests_total", &labels, expected);
    }

    #[track_caller]
    fn assert_logins(&self, pathway: &str, outcome: &str, expected: f64) {
        let labels = [("pathway", pathway), ("outcome", outcome)];
        self.assert("sessiond_logins_total", &labels, expected);
    }
}

/// A line like `name{key="value",…} 1.5`.
fn sample(line: &str) -> Sample {
    let (key, value) = line.rsplit_once(' ').unwrap();
    let (name, labels) = key.split_once('{').unwrap_or((key, "}"));
    let labels = labels.strip_suffix('}').unwrap();
    let pair = |pair: &str| {
        let (key, value) = pair.split_once("=\"").unwrap_or_else(|| panic!("{line}"));
        (key.to_owned(), value.strip_suffix('"').unwrap().to_owned())
    };
    let labels = labels.split(',').filter(|pair| !pair.is_empty()).map(pair).collect();
    let value = value.parse().unwrap_or_else(|_| panic!("{line}"));
    Sample { name: name.to_owned(), labels, value }
}

/// Holds that the samples of a family are those of its type.
fn hold(name: &str, family: &Family) {
    assert!(name.starts_with("sessiond_"), "{name}");
    assert!(family.help.len() > 10 && family.help.ends_with('.'), "{name}: {:?}", family.help);
    let endings: &[&str] = match family.kind.as_str() {
        "gauge" => &[""],
        "counter" => &["_total"],
        "info" => &["_info"],
        "histogram" => &["_sum", "_count", "_bucket"],
        other => panic!("{name}: {other:?}"),
    };
    for sample in &family.samples {
        let ending = sample.name.strip_prefix(name).unwrap();
        assert!(endings.contains(&ending), "{}", sample.name);
        assert!(sample.value >= 0.0 && sample.value.is_finite(), "{sample:?}");
    }
    if family.kind == "histogram" {
        hold_histogram(&family.samples);
    }
}

/// Holds that buckets grow up to the count.
fn hold_histogram(samples: &[Sample]) {
    let without_le = |sample: &Sample| {
        let mut labels = sample.labels.clone();
        labels.remove("le");
        labels
    };
    for count in samples.iter().filter(|sample| sample.name.ends_with("_count")) {
        let buckets = samples.iter().filter(|sample| sample.name.ends_with("_bucket"));
        let own: Vec<&Sample> = buckets.filter(|b| without_le(b) == count.labels).collect();
        assert!(own.len() > 5, "{count:?}");
        assert!(own.is_sorted_by(|a, b| a.value <= b.value), "{own:?}");
        let le = |b: &Sample| b.labels["le"].parse::<f64>().unwrap_or(f64::INFINITY);
        assert!(own.is_sorted_by(|a, b| le(a) < le(b)), "{own:?}");
        assert_eq!(
            (own.last().unwrap().value, le(own.last().unwrap())),
            (count.value, f64::INFINITY)
        );
    }
}

#[test]
fn requests_are_counted_by_the_pattern_of_their_route() {
    let server = InProcess::with(&["--metrics-addr", "127.0.0.1:0"]);
    let admin = server.admin();
    let bob = server.add_user("bob@example.com", Role::User).id;
    for end in ["", "/", "?x=1"] {
        server.get(&format!("/api/v1/status{end}")).send();
        server.get(&format!("/api/v1/users/{bob}{end}")).session(&admin).send();
        server.get(&format!("/api/v1/users/{NOBODY}{end}")).session(&admin).send();
        server.get(&format!("/api/v1/users/{bob}{end}")).send();
        server.get(&format!("/no/such/{bob}{end}")).send();
        server.get(&format!("/api/v1/nothing{end}")).session(&admin).send();
    }
    server.request("HEAD", "/api/v1/status").send();
    server.request("BREW", "/api/v1/status").send();
    server.request("PROPFIND", "/api/v1/status").send();
    server.delete("/api/v1/status").send();
    server.get("/api//v1/status").send();
    let scrape = Scrape::of(server.monitoring());
    scrape.assert_requests("/api/v1/status", "GET", "200", 3.0);
    scrape.assert_requests("/api/v1/status", "HEAD", "200", 1.0);
    scrape.assert_requests("/api/v1/status", "other", "405", 2.0);
    scrape.assert_requests("/api/v1/status", "DELETE", "405", 1.0);
    scrape.assert_requests("/api/v1/users/{id}", "GET", "200", 3.0);
    scrape.assert_requests("/api/v1/users/{id}", "GET", "404", 3.0);
    scrape.assert_requests("/api/v1/users/{id}", "GET", "401", 3.0);
    scrape.assert_requests("/api/v1/auth_session/login", "POST", "200", 1.0);
    scrape.assert_requests("unmatched", "GET", "404", 6.0);
    scrape.assert_requests("unmatched", "GET", "400", 1.0);
    let all: f64 = scrape.families["sessiond_requests"].samples.iter().map(|s| s.value).sum();
    let timed = scrape.families["sessiond_request_duration_seconds"].samples.iter();
    let timed: f64 = timed.filter(|s| s.name.ends_with("_count")).map(|s| s.value).sum();
    assert_eq!((all, timed), (24.0, 24.0));
    let users = [("route", "/api/v1/users/{id}")];
    scrape.assert("sessiond_request_duration_seconds_count", &users, 9.0);
    // The question itself is counted when it has been answered.
    Scrape::of(server.monitoring()).assert_requests("/metrics", "GET", "200", 1.0);
}

#[test]
fn attempts_to_log_in_are_counted_by_what_came_of_them() {
    let server = InProcess::with(&["--login-attempts", "3"]);
    let admin = server.admin();
    let failed =
        |email: &str| server.login(&[("email", email), ("password", "wrong")]).send().status;
    assert_eq!(failed("nobody@example.com"), 401);
    assert_eq!([failed(ADMIN), failed(ADMIN), failed(ADMIN), failed(ADMIN)], [401, 401, 401, 429]);
    let proof = [("password", ADMIN_PASSWORD)];
    let reauth = server.post("/api/v1/auth_session/reauth").session(&admin).form(&proof).send();
    assert_eq!(reauth.status, 429);
    // What is no attempt is not counted.
    server.login(&[("email", ADMIN)]).send();
    let scrape = Scrape::of(&server);
    scrape.assert_logins("login", "succeeded", 1.0);
    scrape.assert_logins("login", "failed", 4.0);
    scrape.assert_logins("login", "throttled", 1.0);
    scrape.assert_logins("login", "error", 0.0);
    scrape.assert_logins("reauth", "throttled", 1.0);
    scrape.assert_logins("basic", "failed", 0.0);
}

#[test]
fn basic_credentials_are_counted_when_they_are_verified() {
    let server = InProcess::with(&["--auth-type", "basic_auth"]);
    for _ in 0..3 {
        let me = server.get("/api/v1/users/me").basic(ADMIN, ADMIN_PASSWORD).send();
        assert_eq!(me.status, 200);
    }
    server.get("/api/v1/users/me").basic(ADMIN, "wrong").send();
    let scrape = Scrape::of(&server);
    scrape.assert_logins("basic", "succeeded", 1.0);
    scrape.assert_logins("basic", "failed", 1.0);
    scrape.assert("sessiond_sessions", &[], 0.0);
    scrape.assert("sessiond_build_info", &build("basic_auth"), 1.0);
}

fn build(kind: &str) -> [(&'static str, &str); 2] {
    [("version", env!("CARGO_PKG_VERSION")), ("auth_type", kind)]
}

#[test]
fn users_sessions_and_journals_are_told_as_they_are() {
    for kind in ["session_auth", "session_db_auth"] {
        let server = InProcess::with(&["--auth-type", kind]);
        let sessions = [server.admin(), server.admin(), server.admin()];
        server.add_user("bob@example.com", Role::User);
        server.delete("/api/v1/auth_session/logout").session(&sessions[1]).send();
        let scrape = Scrape::of(&server);
        scrape.assert("sessiond_users", &[], 2.0);
        scrape.assert("sessiond_sessions", &[], 2.0);
        scrape.assert("sessiond_ready", &[], 1.0);
        scrape.assert("sessiond_requests_in_flight", &[], 1.0);
        scrape.assert("sessiond_hashing_jobs", &[], 0.0);
        scrape.assert("sessiond_hashing_capacity", &[], 65.0);
        scrape.assert("sessiond_build_info", &build(kind), 1.0);
        let writes = if kind == "session_db_auth" { 4.0 } else { 0.0 };
        for (class, writes) in [("User", 2.0), ("UserSession", writes)] {
            let journal = server.data().join(format!("{class}.journal"));
            let length = fs::metadata(journal).map_or(0, |found| found.len());
            let labels = [("class", class)];
            let length = f64::from(u32::try_from(length).unwrap());
            scrape.assert("sessiond_journal_bytes", &labels, length);
            scrape.assert("sessiond_sync_duration_seconds_count", &labels, writes);
            scrape.assert("sessiond_fold_duration_seconds_count", &labels, 0.0);
            scrape.assert("sessiond_write_errors_total", &labels, 0.0);
            scrape.assert("sessiond_fold_errors_total", &labels, 0.0);
        }
    }
}

#[test]
fn a_request_that_is_being_answered_is_in_flight() {
    let server = InProcess::with(&[]);
    let slow = server.post("/api/v1/auth_session/login").json_announced(2).start();
    while Scrape::of(&server).find("sessiond_requests_in_flight", &[]) != Some(2.0) {
        std::thread::yield_now();
    }
    drop(slow);
    while Scrape::of(&server).find("sessiond_requests_in_flight", &[]) != Some(1.0) {
        std::thread::yield_now();
    }
}

#[test]
fn a_header_of_proxies_from_who_is_not_trusted_is_counted_once_a_request() {
    for (trusted, expected) in [("", 6.0), ("10.0.0.0/8", 6.0), ("127.0.0.1", 0.0)] {
        let flags = ["--metrics-addr", "127.0.0.1:0", "--trusted-proxies", trusted];
        let server = InProcess::with(&flags);
        let status = || server.get("/api/v1/status");
        for name in
            ["Forwarded", "X-Forwarded-For", "X-Forwarded-Anything", "X-Original-URI", "X-Real-IP"]
        {
            status().header(name, "for=192.0.2.1").send();
        }
        let many = status().header("X-Forwarded-For", "192.0.2.1").header("X-Real-IP", "192.0.2.1");
        many.header("X-Forwarded-For", "192.0.2.2").send();
        status().header("Via", "1.1 proxy").header("X-Forward", "x").send();
        let scrape = Scrape::of(server.monitoring());
        scrape.assert("sessiond_untrusted_forwards_total", &[], expected);
    }
}

#[test]
fn a_request_that_ends_in_a_panic_is_counted_too() {
    let config = Config::from_arguments(&["--api-port", "0", "--workers", "1"]).unwrap();
    let traffic = Traffic::default();
    let shown = traffic.clone();
    let (sender, started) = std::sync::mpsc::channel();
    let thread = std::thread::spawn(move || {
        block_on(async move {
            let routes = |routes: &mut web::ServiceConfig| {
                routes.route("/panic", web::post().to(async || -> String { panic!("on purpose") }));
            };
            let bound = server::bind(&config, &traffic, routes, |_| {}).unwrap();
            let address = bound.addresses()[0];
            let server = bound.into_server();
            sender.send((address, server.handle())).unwrap();
            server.await.unwrap();
        });
    });
    let (address, handle) = started.recv().unwrap();
    assert_eq!(Client::at(address).post("/panic").send().status, 500);
    block_on(handle.stop(true));
    thread.join().unwrap();
    let mut registry = Registry::with_prefix("sessiond");
    registry.register("requests", "Requests that were answered", shown.requests.clone());
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
    Scrape::read(text).assert_requests("panicked", "POST", "500", 1.0);
    assert_eq!(shown.in_flight(), 0);
}

/// Requests of all kinds, with something of somebody wherever it can be.
fn with_traffic(server: &InProcess) -> Vec<String> {
    let bob = server.add_user("bob@example.com", Role::User).id.to_string();
    let (admin, other) = (server.admin(), server.log_in("bob@example.com", PASSWORD));
    let mine = server.get("/api/v1/users/me/sessions").session(&admin).send().json();
    let public = mine[0]["id"].as_str().unwrap().to_owned();
    let known = [bob.as_str(), NOBODY, "bob@example.com", &public, &admin, &other, NO_SESSION];
    let beginnings = ["/", "/api/v1/", "/api/v1/users/", "/api/v1/users/me/sessions/"];
    let methods =
        ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "bob-method"];
    for path in known.iter().flat_map(|end| beginnings.map(|begin| format!("{begin}{end}"))) {
        for method in methods {
            let request = || server.request(method, &path).header("X-Forwarded-For", "192.0.2.77");
            request().send();
            request().session(NO_SESSION).send();
            request().session(&other).header("Origin", "https://evil.example").send();
            request().basic("bob@example.com", PASSWORD).send();
        }
    }
    server.login(&[("email", "bob@example.com"), ("password", "wrong-secret")]).send();
    let mut secrets: Vec<String> = known.map(str::to_owned).into();
    secrets.extend(["192.0.2.77", "127.0.0.1", "bob", "evil", "wrong-secret"].map(str::to_owned));
    secrets
}

#[test]
fn labels_are_few_and_hold_nothing_of_anybody() {
    let server = InProcess::with(&["--login-throttle", "off"]);
    let secrets = with_traffic(&server);
    let scrape = Scrape::of(&server);
    for secret in secrets {
        assert!(!scrape.text.contains(&secret), "{secret} in {}", scrape.text);
    }
    assert!(!scrape.text.contains('@'));
    let is_pattern = |route: &str| {
        let known = ["unmatched", "panicked", "/metrics", "/healthz", "/readyz"];
        let word = |c: char| c.is_ascii_lowercase() || matches!(c, '_' | '{' | '}' | '/');
        let below = route.strip_prefix("/api/v1/");
        known.contains(&route) || below.is_some_and(|path| path.chars().all(word))
    };
    let methods = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "other"];
    for sample in scrape.families.values().flat_map(|family| &family.samples) {
        for (label, value) in &sample.labels {
            let fine = match label.as_str() {
                "route" => is_pattern(value),
                "method" => methods.contains(&value.as_str()),
                "status" => value.len() == 3 && value.bytes().all(|byte| byte.is_ascii_digit()),
                "pathway" => ["login", "basic", "reauth", "current password"].contains(&&**value),
                "outcome" => {
                    ["succeeded", "failed", "throttled", "busy", "error"].contains(&&**value)
                }
                "class" => ["User", "UserSession"].contains(&&**value),
                "le" => value == "+Inf" || value.parse::<f64>().is_ok(),
                "version" | "auth_type" => sample.name == "sessiond_build_info",
                _ => false,
            };
            assert!(fine, "{label}={value} of {}", sample.name);
        }
    }
}

/// All texts under this name, wherever they are.
fn texts<'v>(value: &'v Value, name: &str, found: &mut Vec<&'v str>) {
    match value {
        Value::Object(members) => {
            for (key, value) in members {
                if key == name {
                    found.extend(value.as_str());
                }
                texts(value, name, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| texts(item, name, found)),
        _ => {}
    }
}

fn dashboard() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/grafana-dashboard.json");
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn the_dashboard_shows_every_metric_and_none_that_is_not_there() {
    let server = Program::of("session_db_auth").start();
    server.admin();
    let scrape = Scrape::of(&server);
    let (dashboard, mut queries) = (dashboard(), Vec::new());
    texts(&dashboard, "expr", &mut queries);
    assert!(queries.len() > 10, "{queries:?}");
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words = queries.iter().flat_map(|query| query.split(|c| !is_name(c)));
    let used: BTreeSet<&str> = words.filter(|word| word.starts_with("sessiond_")).collect();
    let samples = |family: &Family| {
        family.samples.iter().map(|sample| sample.name.clone()).collect::<BTreeSet<_>>()
    };
    let there: BTreeSet<String> = scrape.families.values().flat_map(samples).collect();
    for name in &used {
        assert!(there.contains(*name), "{name} is on the dashboard and not in a scrape");
    }
    for (name, family) in &scrape.families {
        let shown = samples(family).iter().any(|sample| used.contains(sample.as_str()));
        assert!(shown, "{name} is not on the dashboard");
    }
}

#[test]
fn the_dashboard_lets_its_user_choose_the_source_of_its_data() {
    let dashboard = dashboard();
    let variables = dashboard["templating"]["list"].as_array().unwrap();
    let source = variables.iter().find(|variable| variable["name"] == "datasource").unwrap();
    assert_eq!((&source["type"], &source["query"]), (&json!("datasource"), &json!("prometheus")));
    let panels = dashboard["panels"].as_array().unwrap();
    let ids: BTreeSet<u64> = panels.iter().map(|panel| panel["id"].as_u64().unwrap()).collect();
    assert_eq!(ids.len(), panels.len());
    for panel in panels.iter().filter(|panel| panel["type"] != "row") {
        assert_eq!(panel["datasource"]["uid"], "${datasource}", "{}", panel["title"]);
        assert!(!panel["targets"].as_array().unwrap().is_empty(), "{}", panel["title"]);
        assert!(!panel["description"].as_str().unwrap().is_empty(), "{}", panel["title"]);
    }
}
