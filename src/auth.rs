//! Who is speaking: the kinds of authentication, and the guard that asks them.

pub mod accounts;
pub mod audit;
pub mod base;
pub mod basic;
pub mod cookie;
pub mod credentials;
#[cfg(any(fuzzing, test))]
pub mod fuzzing;
pub mod guard;
pub mod hashing;
pub mod none;
pub mod origins;
pub mod path;
pub mod proxies;
pub mod redirects;
pub mod session;
pub mod session_db;
pub mod session_exp;
pub mod throttle;
mod turns;

use std::net::IpAddr;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use actix_web::http::header::{HeaderValue, USER_AGENT};
use actix_web::{HttpRequest, web};
use async_trait::async_trait;

use crate::error::Result;
use crate::models::{Client, SessionHash, SessionId, User, UserId, UserSession};

use cookie::SessionCookie;
use proxies::Proxies;
use session::Sessions;

/// Where one logs in.
pub const LOGIN_PATH: &str = "/api/v1/auth_session/login";

/// Where people log in, on a page.
pub const LOGIN_PAGE: &str = "/login";

/// Where people log out.
pub const LOGOUT_PAGE: &str = "/logout";

/// Where a reverse proxy asks whether a request may pass; it answers for itself.
pub const VERIFY_PATH: &str = "/api/v1/auth_session/verify";

/// The paths that everybody may call. An entry that ends in `*` opens every path that begins with
/// what stands before the star; otherwise an entry is a whole path.
pub const OPEN_PATHS: &[&str] = &[
    "/api/v1/status",
    "/api/v1/unauthorized",
    "/api/v1/forbidden",
    "/api/v1/openapi.json",
    LOGIN_PATH,
    VERIFY_PATH,
];

/// The pages that everybody may open. They are no part of the API, whose guard need not look for them.
pub const OPEN_PAGES: &[&str] = &[LOGIN_PAGE, LOGOUT_PAGE];

/// The challenge of a 401 where there are no Basic credentials to ask for (RFC 9110, 11.6.1).
pub const SESSION_CHALLENGE: &str = r#"Session realm="sessiond""#;

static DEFAULT_COOKIE: LazyLock<SessionCookie> = LazyLock::new(SessionCookie::default);

/// A login, as it becomes a session.
#[derive(Debug, Default)]
pub struct Login {
    /// From where it came.
    pub client: Client,
    /// Whether the user asked to be remembered.
    pub remember: bool,
    /// The session that this one replaces.
    pub replaces: Option<SessionHash>,
}

/// A session that has just been made: the secret for its owner, and for how long his browser
/// shall keep it (until it is closed, if that is not said).
#[derive(Debug)]
pub struct NewSession {
    /// The session id in clear; it is shown this once.
    pub id: SessionId,
    /// The `Max-Age` of the cookie.
    pub keep: Option<Duration>,
    /// What is kept of it.
    pub session: Arc<UserSession>,
}

/// A kind of authentication. The flow is in the default methods, which know nobody; each kind
/// overrides what makes it different.
///
/// `Ok(None)` is nobody; an `Err` is a request that is malformed (400) or a service that cannot
/// tell (503).
#[async_trait(?Send)]
pub trait Auth: Send + Sync {
    /// The session cookie that counts as a credential.
    fn cookie(&self) -> &SessionCookie {
        &DEFAULT_COOKIE
    }

    /// What the `WWW-Authenticate` of a 401 says.
    fn challenge(&self) -> &'static str {
        SESSION_CHALLENGE
    }

    /// Whether there are users with roles to check; without, everybody may do everything.
    fn has_roles(&self) -> bool {
        true
    }

    /// Whether `path` needs somebody who is known, given the paths that are open.
    fn require_auth(&self, path: &str, open_paths: &[&str]) -> bool {
        !open_paths.iter().any(|open| opens(open, path))
    }

    /// The `Authorization` header; 400 when it is there twice.
    fn authorization_header<'r>(&self, request: &'r HttpRequest) -> Result<Option<&'r [u8]>> {
        credentials::authorization(request)
    }

    /// The session cookie; 400 when it is there twice.
    fn session_cookie<'r>(&self, request: &'r HttpRequest) -> Result<Option<&'r [u8]>> {
        credentials::cookie(request, self.cookie().name())
    }

    /// Who is speaking. Whether he may go on, as another site or an unchanged password forbid it,
    /// is for the guard to say; that a user who is disabled is nobody, for the kind.
    async fn current_user(&self, _request: &HttpRequest) -> Result<Option<Arc<User>>> {
        Ok(None)
    }

    /// The same, without counting as a use of the session: it does not live longer for it.
    async fn peek(&self, request: &HttpRequest) -> Result<Option<Arc<User>>> {
        self.current_user(request).await
    }

    /// The live session that speaks.
    async fn current_session(&self, _request: &HttpRequest) -> Result<Option<Arc<UserSession>>> {
        Ok(None)
    }

    /// Begins a session; none in kinds that keep none.
    async fn create_session(&self, _user: &User, _login: Login) -> Result<Option<NewSession>> {
        Ok(None)
    }

    /// Whose live session this is.
    async fn user_id_for_session_id(&self, _id: &SessionId) -> Result<Option<UserId>> {
        Ok(None)
    }

    /// Ends the session that speaks; tells whether there was one to end.
    async fn destroy_session(&self, _request: &HttpRequest) -> Result<bool> {
        Ok(false)
    }

    /// Whether whoever is speaking has proved who he is within `window`, as what matters most
    /// needs it (ASVS 7.5.3).
    async fn is_fresh(&self, _request: &HttpRequest, _window: Duration) -> Result<bool> {
        Ok(false)
    }

    /// Forgets what has expired, a bounded number at a time. Called now and then.
    async fn sweep(&self) -> Result<()> {
        Ok(())
    }

    /// The sessions that this kind keeps, so that one can log in; none in kinds that keep none.
    fn sessions(&self) -> Option<&Sessions> {
        None
    }
}

/// Whether an entry of the open list opens a path; one trailing slash more or less is no matter.
fn opens(open: &str, path: &str) -> bool {
    match open.strip_suffix('*') {
        Some(beginning) => path.starts_with(beginning),
        None => without_slash(open) == without_slash(path),
    }
}

fn without_slash(path: &str) -> &str {
    path.strip_suffix('/').unwrap_or(path)
}

/// Whether a request brings credentials, of whatever kind; 400 when they are malformed.
pub fn presents_credentials(auth: &dyn Auth, request: &HttpRequest) -> Result<bool> {
    let cookie = auth.session_cookie(request)?;
    Ok(auth.authorization_header(request)?.is_some() || cookie.is_some())
}

/// Where a request comes from, as kept with a session.
pub fn client(request: &HttpRequest) -> Client {
    let agent = request.headers().get(USER_AGENT).map(HeaderValue::as_bytes);
    let agent = agent.map(String::from_utf8_lossy);
    Client::new(client_address(request), agent.as_deref())
}

/// The address a request comes from. The peer's, unless it is a trusted proxy that says for whom it
/// asks; other headers that claim an address are not believed.
pub fn client_address(request: &HttpRequest) -> Option<IpAddr> {
    let peer = request.peer_addr()?.ip().to_canonical();
    let proxies = request.app_data::<web::Data<Proxies>>();
    Some(proxies.map_or(peer, |proxies| proxies.client(peer, request.headers())))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Base;
    impl Auth for Base {}

    #[test]
    fn an_open_path_is_matched_as_a_whole() {
        for path in ["/api/v1/status", "/api/v1/status/", "/api/v1/auth_session/login"] {
            assert!(!Base.require_auth(path, OPEN_PATHS), "{path}");
        }
        for path in
            ["/api/v1/statusx", "/api/v1/stat", "/api/v1/status/x", "/api/v1/Status", "", "/"]
        {
            assert!(Base.require_auth(path, OPEN_PATHS), "{path}");
        }
    }

    #[test]
    fn a_star_at_the_end_opens_what_begins_so_and_elsewhere_means_itself() {
        let open = ["/api/v1/stat*", "/a*/b", "/x.y/", ".*"];
        for path in ["/api/v1/stats", "/api/v1/status/", "/a*/b", "/x.y", ".x"] {
            assert!(!Base.require_auth(path, &open), "{path}");
        }
        for path in ["/api/v1/users", "/aa/b", "/xzy", "/api/v1/sta"] {
            assert!(Base.require_auth(path, &open), "{path}");
        }
        assert!(Base.require_auth("/api/v1/status", &[]));
    }
}
