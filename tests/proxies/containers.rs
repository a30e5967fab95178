//! Traefik's files and the compose files, as they are written.

use std::collections::BTreeSet;

use saphyr::{LoadableYamlNode as _, Scalar, Yaml};
use serde_json::{Map, Value};

use crate::harness::run;
use crate::shipped::{path, text};

const PROXIES: [&str; 3] = ["nginx", "caddy", "traefik"];
/// What the application is told.
const IDENTITY: [&str; 5] =
    ["Remote-User", "Remote-Email", "Remote-Name", "Remote-Role", "Remote-Id"];

/// A file of `deploy/`, which must be one document of YAML.
fn read(name: &str) -> Value {
    let text = text(name);
    let documents = Yaml::load_from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(documents.len(), 1, "{name}");
    value(&documents[0])
}

fn value(yaml: &Yaml<'_>) -> Value {
    match yaml {
        Yaml::Value(Scalar::Null) => Value::Null,
        Yaml::Value(Scalar::Boolean(it)) => Value::from(*it),
        Yaml::Value(Scalar::Integer(it)) => Value::from(*it),
        Yaml::Value(Scalar::String(it)) => Value::from(it.as_ref()),
        Yaml::Sequence(items) => Value::from(items.iter().map(value).collect::<Vec<_>>()),
        Yaml::Mapping(members) => {
            let name = |yaml: &Yaml<'_>| value(yaml).as_str().expect("a name").to_owned();
            members.iter().map(|(key, it)| (name(key), value(it))).collect::<Map<_, _>>().into()
        }
        other => panic!("{other:?}"),
    }
}

fn compose(proxy: &str) -> Value {
    read(&format!("compose/{proxy}.yml"))
}

#[track_caller]
fn names(value: &Value) -> BTreeSet<&str> {
    match value {
        Value::Object(members) => members.keys().map(String::as_str).collect(),
        Value::Array(items) => items.iter().map(|item| item.as_str().unwrap()).collect(),
        other => panic!("{other}"),
    }
}

#[track_caller]
fn texts(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|item| item.as_str().unwrap()).collect()
}

#[test]
fn only_the_proxy_can_be_reached_and_only_it_reaches_sessiond() {
    for proxy in PROXIES {
        let file = compose(proxy);
        let services = &file["services"];
        assert_eq!(names(services), BTreeSet::from(["app", "proxy", "sessiond"]), "{proxy}");
        assert_eq!(texts(&services["proxy"]["ports"]), ["127.0.0.1:8080:8080"], "{proxy}");
        for hidden in ["app", "sessiond"] {
            assert!(services[hidden]["ports"].is_null(), "{proxy}: {hidden}");
            assert!(services[hidden]["network_mode"].is_null(), "{proxy}: {hidden}");
        }
        assert_eq!(texts(&services["sessiond"]["networks"]), ["questions"]);
        assert_eq!(texts(&services["app"]["networks"]), ["applications"]);
        let all = BTreeSet::from(["applications", "outside", "questions"]);
        assert_eq!(names(&services["proxy"]["networks"]), all);
        assert_eq!(names(&file["networks"]), all);
        for internal in ["questions", "applications"] {
            assert_eq!(file["networks"][internal]["internal"], true, "{proxy}: {internal}");
        }
        // Of all addresses it believes the proxy's alone.
        let address = &services["proxy"]["networks"]["questions"]["ipv4_address"];
        assert_eq!(&services["sessiond"]["environment"]["TRUSTED_PROXIES"], address, "{proxy}");
        let network: ipnet::Ipv4Net = {
            let network = &file["networks"]["questions"]["ipam"]["config"][0]["subnet"];
            network.as_str().unwrap().parse().unwrap()
        };
        let address: std::net::Ipv4Addr = address.as_str().unwrap().parse().unwrap();
        assert!(network.contains(&address), "{proxy}");
    }
}

#[test]
fn what_a_compose_file_names_is_there() {
    let help = String::from_utf8(run(&["--help"], &[]).stdout).unwrap();
    for proxy in PROXIES {
        let file = compose(proxy);
        let services = &file["services"];
        let context = path("compose").join(services["sessiond"]["build"].as_str().unwrap());
        let dockerfile = std::fs::read_to_string(context.join("Dockerfile")).unwrap();
        assert!(dockerfile.contains("HEALTHCHECK"), "sessiond tells whether it is well");
        for setting in names(&services["sessiond"]["environment"]) {
            assert!(help.split([' ', '=', '.', ',']).any(|word| word == setting), "{setting}");
        }
        let mut kept = BTreeSet::new();
        for (name, service) in services.as_object().unwrap() {
            for mount in service["volumes"].as_array().into_iter().flatten() {
                let (source, target) = mount.as_str().unwrap().split_once(':').unwrap();
                assert!(target.starts_with('/'), "{proxy}, {name}: {mount}");
                if source.starts_with('.') {
                    assert!(path("compose").join(source).exists(), "{proxy}, {name}: {mount}");
                    assert!(target.ends_with(":ro"), "{proxy}, {name}: {mount}");
                } else {
                    kept.insert(source);
                }
            }
            let image = service["image"].as_str().unwrap_or("built:here");
            let (_, tag) = image.split_once(':').unwrap();
            assert!(tag != "latest", "{image}");
        }
        assert_eq!(kept, names(&file["volumes"]), "{proxy}");
        let depends = &services["proxy"]["depends_on"];
        assert_eq!(depends["sessiond"]["condition"], "service_healthy", "{proxy}");
        assert!(services["proxy"]["healthcheck"]["test"].is_array(), "{proxy}");
        assert!(text(&format!("compose/{proxy}.yml")).contains(&format!("compose/{proxy}.yml up")));
    }
}

#[test]
fn a_compose_file_tells_its_proxy_where_the_others_are() {
    let names_of = |text: &str| -> Vec<String> {
        let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
        let tokens = lines.map(|line| line.split("server ").next().unwrap().to_owned());
        tokens.collect()
    };
    let (own, here) = (text("nginx/conf.d/upstreams.conf"), text("compose/upstreams.conf"));
    assert_eq!(names_of(&own).concat(), names_of(&here).concat(), "they differ in addresses alone");
    assert!(here.contains("server sessiond:5000;") && here.contains("server app:80;"));
    let caddyfile = text("caddy/Caddyfile");
    let file = compose("caddy");
    let environment = &file["services"]["proxy"]["environment"];
    assert_eq!(names(environment), BTreeSet::from(["APP", "HTML", "SESSIOND"]));
    for variable in names(environment) {
        assert!(caddyfile.contains(&format!("{{${variable}:")), "{variable}");
    }
    assert_eq!(environment["SESSIOND"], "sessiond:5000");
    assert_eq!(environment["APP"], "app:80");
    let services = &read("traefik/dynamic.yml")["http"]["services"];
    let url = |name: &str| services[name]["loadBalancer"]["servers"][0]["url"].clone();
    assert_eq!(
        (url("sessiond"), url("app")),
        ("http://sessiond:5000".into(), "http://app:80".into())
    );
}

#[test]
fn traefik_serves_the_site_and_says_that_it_is_well() {
    let file = read("traefik/traefik.yml");
    let entries = &file["entryPoints"];
    assert_eq!(entries["web"]["address"], ":8080");
    // Without these it believes no client.
    assert!(entries["web"]["forwardedHeaders"].is_null());
    assert_eq!(file["ping"]["entryPoint"], "ping");
    assert!(entries["ping"]["address"].as_str().unwrap().starts_with("127.0.0.1:"));
    assert!(file["api"].is_null(), "nobody sees its own pages");
    let mounted = format!(
        "../traefik/dynamic.yml:{}:ro",
        file["providers"]["file"]["filename"].as_str().unwrap()
    );
    let compose = compose("traefik");
    assert!(texts(&compose["services"]["proxy"]["volumes"]).contains(&mounted.as_str()));
}

#[test]
fn traefik_guards_every_route_but_sessionds_own() {
    let file = read("traefik/dynamic.yml");
    let http = &file["http"];
    let middlewares = &http["middlewares"];
    let mut by_priority = Vec::new();
    for (name, router) in http["routers"].as_object().unwrap() {
        let expected = match name.as_str() {
            "sessiond" => "no-other-request",
            "app-admin" => "guard-admin",
            _ => "guard",
        };
        assert_eq!(texts(&router["middlewares"]), [expected], "{name}");
        assert!(http["services"][router["service"].as_str().unwrap()].is_object(), "{name}");
        by_priority.push((router["priority"].as_i64().unwrap(), name.as_str()));
    }
    by_priority.sort_unstable();
    let by_priority: Vec<&str> = by_priority.into_iter().map(|(_, name)| name).collect();
    assert_eq!(by_priority, ["app", "app-admin", "sessiond"]);
    // The API and the pages, as nginx and Caddy pass them on, and nothing that begins like them.
    let rule = http["routers"]["sessiond"]["rule"].as_str().unwrap();
    let own: BTreeSet<&str> = rule.split(" || ").map(str::trim).collect();
    let paths = ["/login", "/logout", "/account", "/admin"].map(|path| format!("Path(`{path}`)"));
    let below =
        ["/api/v1/", "/login/", "/account/", "/admin/"].map(|path| format!("PathPrefix(`{path}`)"));
    assert_eq!(own, paths.iter().chain(&below).map(String::as_str).collect());
    for (guard, asks, query) in
        [("guard", "user", "?redirect=1"), ("guard-admin", "admin", "?redirect=1&role=admin")]
    {
        // What a client says goes before anybody is asked.
        assert_eq!(texts(&middlewares[guard]["chain"]["middlewares"]), ["no-identity", asks]);
        let question = &middlewares[asks]["forwardAuth"];
        let address = format!("http://sessiond:5000/api/v1/auth_session/verify{query}");
        assert_eq!(question["address"], address);
        assert_eq!(question["trustForwardHeader"], false);
        assert_eq!(texts(&question["authResponseHeaders"]), IDENTITY);
        let heard = ["Cookie", "Authorization", "Accept", "User-Agent"];
        assert_eq!(texts(&question["authRequestHeaders"]), heard);
    }
    let dropped = &middlewares["no-identity"]["headers"]["customRequestHeaders"];
    for name in IDENTITY.into_iter().chain(["Remote-Groups"]) {
        assert_eq!(dropped[name], "", "{name}");
        assert_eq!(dropped[name.replace('-', "_")], "", "{name}");
    }
    let dropped = &middlewares["no-other-request"]["headers"]["customRequestHeaders"];
    for name in [
        "X-Forwarded-Method",
        "X-Forwarded-Uri",
        "X-Original-Method",
        "X-Original-Url",
        "X-Original-Uri",
    ] {
        assert_eq!(dropped[name], "", "{name}");
    }
}
