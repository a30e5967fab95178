//! The values that settings take: each reads its text, or says what is allowed.

use std::fmt;
use std::net::SocketAddr;
use std::num::{NonZeroU32, NonZeroUsize};
use std::str::FromStr;
use std::time::Duration;

use url::Url;

use crate::acts::LoginErrors;
use crate::auth::guard::InvalidStatus;

/// The longest duration of a session that can be asked for, in seconds: ten years.
pub const MAX_SECONDS: u64 = 315_360_000;

/// A setting that may be left empty.
#[derive(Clone, Debug)]
pub struct Maybe<T>(pub Option<T>);

impl<T: FromStr> FromStr for Maybe<T> {
    type Err = T::Err;

    fn from_str(text: &str) -> Result<Self, T::Err> {
        if text.is_empty() { Ok(Self(None)) } else { text.parse().map(|value| Self(Some(value))) }
    }
}

/// The kind of authentication.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthType {
    /// `none`
    None,
    /// `auth`
    Auth,
    /// `basic_auth`
    BasicAuth,
    /// `session_auth`
    SessionAuth,
    /// `session_exp_auth`
    SessionExpAuth,
    /// `session_db_auth`
    SessionDBAuth,
}

/// All kinds, by their names in `AUTH_TYPE`.
const AUTH_TYPES: [(&str, AuthType); 6] = [
    ("none", AuthType::None),
    ("auth", AuthType::Auth),
    ("basic_auth", AuthType::BasicAuth),
    ("session_auth", AuthType::SessionAuth),
    ("session_exp_auth", AuthType::SessionExpAuth),
    ("session_db_auth", AuthType::SessionDBAuth),
];

impl FromStr for AuthType {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        one_of(text, &AUTH_TYPES)
    }
}

impl AuthType {
    /// Its name in `AUTH_TYPE`.
    pub fn name(self) -> &'static str {
        AUTH_TYPES.iter().find(|(_, kind)| *kind == self).map_or("", |(name, _)| name)
    }
}

/// How a line of the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

impl FromStr for LogFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        one_of(text, &[("text", Self::Text), ("json", Self::Json)])
    }
}

/// The one value that has this name, or a text that lists the names there are.
fn one_of<T: Copy>(text: &str, values: &[(&str, T)]) -> Result<T, String> {
    let found = values.iter().find(|(name, _)| *name == text);
    let names: Vec<&str> = values.iter().map(|(name, _)| *name).collect();
    found.map(|(_, value)| *value).ok_or_else(|| format!("must be one of {}", names.join(", ")))
}

/// Reads `INVALID_STATUS`.
pub fn invalid_status(text: &str) -> Result<InvalidStatus, String> {
    one_of(text, &[("403", InvalidStatus::Forbidden), ("401", InvalidStatus::Unauthorized)])
}

/// Reads `LOGIN_ERRORS`.
pub fn login_errors(text: &str) -> Result<LoginErrors, String> {
    one_of(text, &[("uniform", LoginErrors::Uniform), ("detailed", LoginErrors::Detailed)])
}

/// Reads a switch.
pub fn switch(text: &str) -> Result<bool, String> {
    one_of(
        text,
        &[
            ("on", true),
            ("off", false),
            ("1", true),
            ("0", false),
            ("true", true),
            ("false", false),
        ],
    )
}

/// Reads a whole number from `MIN` to `MAX`.
pub fn number<const MIN: u64, const MAX: u64>(text: &str) -> Result<u64, String> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().ok().filter(|number| digits && (MIN..=MAX).contains(number));
    number.ok_or_else(|| format!("must be a whole number from {MIN} to {MAX}"))
}

/// Reads `LOGIN_ATTEMPTS`.
pub fn attempts(text: &str) -> Result<NonZeroU32, String> {
    let number = u32::try_from(number::<1, 1000>(text)?).unwrap_or_default();
    Ok(NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN))
}

/// Reads seconds, at least one.
pub fn seconds<const MAX: u64>(text: &str) -> Result<Duration, String> {
    number::<1, MAX>(text).map(Duration::from_secs)
}

/// Reads an address with a port, or nothing.
pub fn socket_address(text: &str) -> Result<Maybe<SocketAddr>, String> {
    text.parse()
        .map_err(|_| "must be an address and a port, like 127.0.0.1:9100 or [::1]:9100".into())
}

/// Reads a lifetime in seconds; 0 is none.
pub fn lifetime(text: &str) -> Result<Seconds, String> {
    let seconds =
        number::<0, MAX_SECONDS>(text).map_err(|what| format!("{what} (seconds; 0: no limit)"))?;
    Ok(Seconds(seconds))
}

/// A lifetime in seconds; 0 is no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seconds(pub u64);

impl Seconds {
    /// The limit, if there is one.
    pub fn limit(self) -> Option<Duration> {
        (self.0 > 0).then(|| Duration::from_secs(self.0))
    }
}

/// A text that is never printed, also not with the settings around it.
#[derive(Clone)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// A number of threads.
#[derive(Clone, Copy, Debug)]
pub struct Threads(pub NonZeroUsize);

impl FromStr for Threads {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = number::<1, 1024>(text)?;
        let number = usize::try_from(number).ok().and_then(NonZeroUsize::new);
        number.map(Self).ok_or_else(|| "must be a whole number from 1 to 1024".into())
    }
}

/// The name of the session cookie (RFC 6265, 4.1.1: a token).
pub fn cookie_name(text: &str) -> Result<String, String> {
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    let lower = text.to_ascii_lowercase();
    let lookalike =
        |prefix: &str| lower.starts_with(&prefix.to_ascii_lowercase()) && !text.starts_with(prefix);
    if text.is_empty() || text.len() > 128 || !text.bytes().all(token) {
        Err("must be 1 to 128 letters, digits or characters of !#$%&'*+-.^_`|~".into())
    } else if lookalike("__Host-") || lookalike("__Secure-") {
        Err("must spell its prefix __Host- or __Secure-".into())
    } else {
        Ok(text.to_owned())
    }
}

/// The domain that shares the session cookie.
#[derive(Clone, Debug)]
pub struct Domain(pub String);

impl FromStr for Domain {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let name = text.strip_prefix('.').unwrap_or(text);
        let label = |label: &str| {
            !label.is_empty()
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        let sound = name.split('.').all(label) && name.contains('.') && name.len() <= 253;
        let sound = sound && !name.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        if sound {
            Ok(Self(name.to_ascii_lowercase()))
        } else {
            Err("must be a domain like example.com".into())
        }
    }
}

/// Where clients find the service: scheme, host and port, nothing else.
#[derive(Clone, Debug)]
pub struct PublicUrl(Url);

impl PublicUrl {
    /// Whether it is reached over https.
    pub fn is_https(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// As browsers send it in `Origin`.
    pub fn origin(&self) -> String {
        self.0.origin().ascii_serialization()
    }

    /// The host name.
    pub fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }
}

impl FromStr for PublicUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let written_out = text.starts_with("http://") || text.starts_with("https://");
        let url = Url::parse(text).ok().filter(|_| written_out).filter(|url| {
            let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
            let anonymous = url.username().is_empty() && url.password().is_none();
            url.has_host() && bare && anonymous
        });
        url.map(Self).ok_or_else(|| "must be like https://id.example.com, without a path".into())
    }
}

/// The origins of `CORS_ORIGINS`: separated by commas or spaces.
#[derive(Clone, Debug, Default)]
pub struct OriginList {
    /// Those named.
    pub listed: Vec<String>,
    /// Whether `*` is among them.
    pub any: bool,
}

impl FromStr for OriginList {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut list = Self::default();
        for entry in text.split([',', ' ']).filter(|entry| !entry.is_empty()) {
            if entry == "*" {
                list.any = true;
            } else {
                let url: Option<PublicUrl> = entry.parse().ok().filter(|_| !entry.contains('*'));
                let example = "list origins like https://app.example.com, or *";
                let url = url.ok_or_else(|| format!("'{entry}' is no origin; {example}"))?;
                list.listed.push(url.origin());
            }
        }
        Ok(list)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_to_their_range() {
        assert_eq!(number::<10, 15>("12"), Ok(12));
        for text in
            ["", "9", "16", "+12", "-1", "1e1", " 12", "12 ", "99999999999999999999", "\u{0661}"]
        {
            assert!(number::<10, 15>(text).is_err(), "{text}");
        }
        assert!(lifetime("99999999999999999999").is_err());
        assert_eq!(lifetime("0").unwrap().limit(), None);
    }

    #[test]
    fn a_secret_is_not_printed() {
        assert_eq!(format!("{:?}", Secret("correct horse".into())), "Secret");
    }

    #[test]
    fn names_are_matched_exactly() {
        assert_eq!("session_auth".parse(), Ok(AuthType::SessionAuth));
        for text in ["", "Session_auth", "session", "session_auth "] {
            let error = text.parse::<AuthType>().unwrap_err();
            assert!(error.contains("session_db_auth"), "{error}");
        }
    }

    #[test]
    fn a_cookie_name_is_a_token() {
        for good in ["_my_session_id", "sid", "__Host-sid"] {
            assert!(cookie_name(good).is_ok(), "{good}");
        }
        for bad in ["", "a b", "a=b", "a;b", "ä", "__host-sid", "__SECURE-x", &"x".repeat(129)] {
            assert!(cookie_name(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_public_url_is_an_origin() {
        let url: PublicUrl = "https://ID.example.com:443/".parse().unwrap();
        assert_eq!((url.origin().as_str(), url.is_https()), ("https://id.example.com", true));
        for bad in [
            "example.com",
            "ftp://x",
            "https:/x",
            "https://x/y",
            "https://x?y",
            "https://u:p@x",
            "https://",
        ] {
            assert!(bad.parse::<PublicUrl>().is_err(), "{bad}");
        }
    }

    #[test]
    fn origins_are_listed_in_the_form_browsers_send() {
        let list: OriginList = "https://App.example.com/, http://localhost:3000 *".parse().unwrap();
        assert_eq!(list.listed, ["https://app.example.com", "http://localhost:3000"]);
        assert!(list.any);
        for bad in ["null", "app.example.com", "https://x/y", "https://*.example.com/"] {
            assert!(bad.parse::<OriginList>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_domain_is_a_name_with_a_dot() {
        assert_eq!(".Example.com".parse::<Domain>().unwrap().0, "example.com");
        for bad in ["", "localhost", "a..b", "exa mple.com", "127.0.0.1", "x;y.com"] {
            assert!(bad.parse::<Domain>().is_err(), "{bad}");
        }
    }
}
