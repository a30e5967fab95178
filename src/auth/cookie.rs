//! The session cookie as it is sent.

use std::time::Duration;

use actix_web::cookie::{Cookie, SameSite, time};

use crate::models::SessionId;

/// The session cookie of a service: how it is called and whom the browser sends it to.
#[derive(Clone, Debug)]
pub struct SessionCookie {
    name: String,
    secure: bool,
    domain: Option<String>,
}

impl SessionCookie {
    /// The name that is used when nothing else is said.
    pub const DEFAULT_NAME: &'static str = "_my_session_id";

    /// A cookie for a service that is reached over https (`secure`), or over plain http.
    ///
    /// Over https the name gets the prefix with which browsers protect it: `__Host-`, or
    /// `__Secure-` for a cookie that is shared across the hosts of a domain (ASVS 3.3.1, 3.3.3).
    pub fn new(name: &str, secure: bool, domain: Option<&str>) -> Self {
        let prefix = match (secure && !Self::is_prefixed(name), domain) {
            (false, _) => "",
            (true, None) => "__Host-",
            (true, Some(_)) => "__Secure-",
        };
        Self { name: format!("{prefix}{name}"), secure, domain: domain.map(str::to_owned) }
    }

    /// Whether a name has one of the prefixes with which browsers protect a cookie.
    pub fn is_prefixed(name: &str) -> bool {
        name.starts_with("__Host-") || name.starts_with("__Secure-")
    }

    /// The name on the wire.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The cookie that hands out a session id. It ends with the browser, or after `keep`.
    pub fn issue(&self, id: &SessionId, keep: Option<Duration>) -> Cookie<'static> {
        let mut cookie = self.with_value(id.reveal().to_owned());
        let keep = keep.map(|keep| i64::try_from(keep.as_secs()).unwrap_or(i64::MAX));
        cookie.set_max_age(keep.map(time::Duration::seconds));
        cookie
    }

    /// The cookie that makes the browser forget the one it has.
    pub fn expire(&self) -> Cookie<'static> {
        let mut cookie = self.with_value(String::new());
        cookie.set_max_age(time::Duration::ZERO);
        cookie.set_expires(time::OffsetDateTime::UNIX_EPOCH);
        cookie
    }

    fn with_value(&self, value: String) -> Cookie<'static> {
        let mut cookie = Cookie::build(self.name.clone(), value)
            .path("/")
            .http_only(true)
            .same_site(SameSite::Lax)
            .secure(self.secure)
            .finish();
        if let Some(domain) = &self.domain {
            cookie.set_domain(domain.clone());
        }
        cookie
    }
}

impl Default for SessionCookie {
    fn default() -> Self {
        Self::new(Self::DEFAULT_NAME, false, None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id() -> SessionId {
        SessionId::parse(&[b'x'; 43]).unwrap()
    }

    #[test]
    fn over_plain_http_the_cookie_has_its_own_name_and_is_not_secure() {
        let cookie = SessionCookie::default().issue(&id(), None).to_string();
        let value = "x".repeat(43);
        assert_eq!(cookie, format!("_my_session_id={value}; HttpOnly; SameSite=Lax; Path=/"));
    }

    #[test]
    fn over_https_it_is_secure_and_prefixed() {
        let cookie =
            SessionCookie::new("sid", true, None).issue(&id(), Some(Duration::from_mins(1)));
        assert_eq!(
            cookie.to_string().replace(&"x".repeat(43), "X"),
            "__Host-sid=X; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=60"
        );
        assert_eq!(SessionCookie::new("__Secure-sid", true, None).name(), "__Secure-sid");
    }

    #[test]
    fn a_shared_cookie_has_the_domain_also_when_it_is_expired() {
        let cookie = SessionCookie::new("sid", true, Some("example.com"));
        assert_eq!(
            cookie.expire().to_string(),
            "__Secure-sid=; HttpOnly; SameSite=Lax; Secure; Path=/; Domain=example.com; \
             Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT"
        );
    }
}
