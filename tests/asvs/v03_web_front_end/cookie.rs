//! The session cookie.

use serde_json::json;
use sessiond::config::Config;

use crate::harness::{ADMIN, ADMIN_PASSWORD, Answer, InProcess, PASSWORD, Program};

const HTTPS: [&str; 2] = ["--public-url", "https://id.example.com"];
const LOGIN: [(&str, &str); 2] = [("email", ADMIN), ("password", ADMIN_PASSWORD)];

/// The name and the attributes of the cookie that an answer sets.
pub fn cookie(answer: &Answer) -> (String, Vec<String>) {
    let cookies = answer.headers("set-cookie");
    assert_eq!(cookies.len(), 1, "{answer:?}");
    let mut parts = cookies[0].split("; ").map(str::to_owned);
    let pair = parts.next().unwrap();
    (pair.split('=').next().unwrap().to_owned(), parts.collect())
}

/// Every answer that sets the cookie, in its life: the login, a new id, a proof, another password,
/// the logout.
pub fn life(server: &InProcess, name: &str) -> Vec<Answer> {
    let mut answers = vec![server.login(&LOGIN).send()];
    let mut session = answers[0].session_id().unwrap();
    let change = json!({ "current_password": ADMIN_PASSWORD, "new_password": PASSWORD });
    for (method, path, body) in [
        ("POST", "/api/v1/auth_session/refresh", json!({})),
        ("POST", "/api/v1/auth_session/reauth", json!({ "password": ADMIN_PASSWORD })),
        ("PUT", "/api/v1/users/me/password", change),
        ("DELETE", "/api/v1/auth_session/logout", json!({})),
    ] {
        let request = server.request(method, path).cookie(&format!("{name}={session}"));
        let answer = request.json(&body).send();
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        session = answer.session_id().unwrap_or_default();
        answers.push(answer);
    }
    answers
}

pub const NAME: &str = "__Host-_my_session_id";

pub fn over_https_it_is_secure_and_has_a_prefix() {
    for answer in life(&InProcess::with(&HTTPS), NAME) {
        let (name, attributes) = cookie(&answer);
        assert_eq!(name, NAME);
        assert!(attributes.contains(&"Secure".to_owned()), "{attributes:?}");
        assert!(attributes.contains(&"Path=/".to_owned()), "{attributes:?}");
        assert!(
            !attributes.iter().any(|attribute| attribute.starts_with("Domain")),
            "{attributes:?}"
        );
    }
    let (program, pair) = Program::of("session_db_auth").over_tls();
    let server = program.start();
    let (name, attributes) = cookie(&pair.client(&server).login(&LOGIN).send());
    assert!(name == NAME && attributes.contains(&"Secure".to_owned()), "{attributes:?}");
}

/// `Domain` is sent, and `__Host-` is not, only where the operator shares the cookie.
pub fn only_a_shared_cookie_has_a_domain() {
    let shared = [&HTTPS[..], &["--cookie-domain", "example.com"]].concat();
    for answer in life(&InProcess::with(&shared), "__Secure-_my_session_id") {
        let (name, attributes) = cookie(&answer);
        assert_eq!(name, "__Secure-_my_session_id");
        assert!(attributes.contains(&"Domain=example.com".to_owned()), "{attributes:?}");
        assert!(attributes.contains(&"Secure".to_owned()), "{attributes:?}");
    }
}

/// `Lax`: the cookie goes along when a user follows a link, and not when another site posts or
/// embeds something. There is no setting that loosens it.
pub fn same_site_is_lax_always() {
    for flags in [&[][..], &HTTPS, &["--cors-origins", "https://spa.example.com"]] {
        let https = flags == HTTPS;
        for answer in life(&InProcess::with(flags), if https { NAME } else { "_my_session_id" }) {
            let (_, attributes) = cookie(&answer);
            let same_site: Vec<_> =
                attributes.iter().filter(|a| a.starts_with("SameSite")).collect();
            assert_eq!(same_site, ["SameSite=Lax"]);
        }
    }
}

/// No script can read the id, and no answer tells it but in `Set-Cookie`.
pub fn no_script_sees_the_id() {
    let server = InProcess::with(&[]);
    let answers = life(&server, "_my_session_id");
    for answer in &answers {
        let (_, attributes) = cookie(answer);
        assert!(attributes.contains(&"HttpOnly".to_owned()), "{attributes:?}");
        let Some(id) = answer.session_id() else { continue };
        assert!(!answer.body.contains(&id), "{answer:?}");
        let others = answer.headers.iter().filter(|(name, _)| name != "set-cookie");
        assert_eq!(others.filter(|(_, value)| value.contains(&id)).count(), 0, "{answer:?}");
    }
    let session = server.log_in(ADMIN, PASSWORD);
    for path in
        ["/api/v1/auth_session", "/api/v1/users/me/sessions", "/api/v1/users/me", "/api/v1/stats"]
    {
        let answer = server.get(path).session(&session).send();
        assert_eq!(answer.status, 200);
        assert!(!format!("{answer:?}").contains(&session), "{answer:?}");
    }
}

/// With the longest name that can be set, and the longest domain.
pub fn it_is_never_larger_than_browsers_take() {
    let name = "n".repeat(128);
    let domain = format!("{}example.com", "d23456789.".repeat(24));
    let url = format!("https://{domain}");
    let flags = ["--session-name", &name, "--public-url", &url, "--cookie-domain", &domain];
    let server = InProcess::with(&flags);
    let fields = [LOGIN[0], LOGIN[1], ("remember", "1")];
    let sent = server.login(&fields).send().header("set-cookie").unwrap().to_owned();
    let pair = sent.split(';').next().unwrap();
    assert!(pair.len() <= 4096 && sent.len() <= 4096, "{sent}");
    let longer = "n".repeat(129);
    assert!(Config::from_arguments(&["--session-name", &longer]).is_err());
}
