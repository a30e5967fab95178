//! What is guarded, behind each proxy.

use serde_json::{Value, json};

use crate::app::Received;
use crate::harness::{ADMIN, ADMIN_PASSWORD, Answer, Browser, NO_SESSION, PASSWORD, Request};
use crate::proxy::Proxy;
use crate::site::Site;

mod clients;
mod identity;
mod questions;
mod refusals;

/// The request of a browser for a page.
fn by_browser(request: Request) -> Request {
    request.header("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")
}

/// Holds that this is how sessiond answers a program that nobody knows.
#[track_caller]
fn assert_refused(answer: &Answer) {
    assert_eq!(answer.status, 401, "{answer:?}");
    assert_eq!(answer.json()["error"], "Unauthorized", "{answer:?}");
    assert_eq!(answer.headers("www-authenticate"), [r#"Session realm="sessiond""#], "{answer:?}");
    assert_eq!(answer.header("cache-control"), Some("no-store"), "{answer:?}");
}

/// What the application is told of who is speaking, and everything that looks like it: names in
/// lower case, sorted.
fn told(request: &Received) -> Vec<(String, String)> {
    let looks_like_it = |(name, _): &(&str, &str)| {
        let name = name.to_ascii_lowercase();
        name.starts_with("remote")
            && name.as_bytes().get(6).is_some_and(|b| !b.is_ascii_alphanumeric())
    };
    let headers = request.headers().into_iter().filter(looks_like_it);
    let mut told: Vec<_> =
        headers.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect();
    told.sort();
    told
}

/// What the application is to be told of a user, as the API shows him.
fn identity(user: &Value, name: &str) -> Vec<(String, String)> {
    let text = |key: &str| user[key].as_str().unwrap();
    let told = [
        ("remote-email", text("email")),
        ("remote-id", text("id")),
        ("remote-name", name),
        ("remote-role", text("role")),
        ("remote-user", text("email")),
    ];
    told.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
}

/// The user of a session, as the API shows him.
fn user_of(site: &Site, session: &str) -> Value {
    let answer = site.sessiond.get("/api/v1/users/me").session(session).send();
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

/// The session id of a plain user, and his own.
fn bob(site: &Site) -> (String, String) {
    let id = site.sessiond.add_user("bob@example.com");
    (site.log_in("bob@example.com", PASSWORD), id)
}

/// Each case behind each proxy.
macro_rules! behind_each {
    ($($case:ident),* $(,)?) => {
        mod nginx {
            $(#[test] fn $case() { super::$case(crate::proxy::Proxy::Nginx); })*
        }
        mod caddy {
            $(#[test] fn $case() { super::$case(crate::proxy::Proxy::Caddy); })*
        }
    };
}
use behind_each;
