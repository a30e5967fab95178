//! To which addresses somebody may be sent on after a login: those of listed hosts (ASVS 3.7.2).

use std::str::FromStr;
use std::sync::Once;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use url::{Host, Position, Url};

/// The most bytes of a way back: it is kept in a cookie meanwhile.
const LONGEST_WAY_BACK: usize = 2048;

/// Where one logs in, and to where one may go from there.
#[derive(Clone, Debug)]
pub struct Redirects {
    /// The page where one logs in: a whole address, or a path of the host that was asked.
    pub login: LoginUrl,
    /// The hosts that one may be sent back to.
    pub allowed: AllowedRedirects,
    /// Whether the service is reached over https alone, and then what it guards is, too.
    pub https: bool,
}

impl Redirects {
    /// The address in its one spelling, if one may be sent there. It is read as browsers read it, so
    /// that the host that is looked at is the host that they would go to. Where https is all there is,
    /// plain http at its usual port becomes https: a proxy may not know what is in front of it.
    pub fn accept(&self, address: &str) -> Option<Url> {
        let mut url = Url::parse(address).ok()?;
        if self.https && url.scheme() == "http" && url.port().is_none() {
            url.set_scheme("https").ok()?;
        }
        let is_web = url.scheme() == "https" || (url.scheme() == "http" && !self.https);
        let anonymous = url.username().is_empty() && url.password().is_none();
        let allowed = self.allowed.0.iter().any(|target| target.is_of(&url));
        (is_web && anonymous && allowed).then_some(url)
    }

    /// Where one goes after a login that began with this way back: a path of the host that was asked,
    /// or an address that is accepted; in its one spelling. None for any other, and for what is too long
    /// to be kept meanwhile.
    pub fn way_back(&self, to: &str) -> Option<String> {
        let is_path = to.starts_with('/');
        let back = if is_path { path_here(to) } else { self.accept(to).map(String::from) };
        back.filter(|back| back.len() <= LONGEST_WAY_BACK)
    }

    /// The same; and once the log tells that a host is not listed, which somebody may have forgotten.
    pub fn accept_or_tell(&self, address: &str) -> Option<Url> {
        static TOLD: Once = Once::new();
        let accepted = self.accept(address);
        if accepted.is_none() {
            TOLD.call_once(|| {
                let host = Url::parse(address).ok();
                let host = host.as_ref().and_then(Url::host_str).unwrap_or("an address without host");
                log::warn!(
                    "nobody is sent to log in from {host}, which is not in ALLOWED_REDIRECTS (said once)"
                );
            });
        }
        accepted
    }

    /// The page where one logs in, from which one comes back to `address`.
    pub fn to_login(&self, address: &Url) -> String {
        let login = &self.login.0;
        let sign = if login.contains('?') { '&' } else { '?' };
        let back = utf8_percent_encode(address.as_str(), NON_ALPHANUMERIC);
        format!("{login}{sign}return_to={back}")
    }
}

/// The origin of a whole address. A path has none: it leads to where one is.
pub fn origin_of(address: &str) -> Option<String> {
    Url::parse(address).ok().map(|url| url.origin().ascii_serialization())
}

/// The host of a whole address, as people know it.
pub fn host_of(address: &str) -> Option<String> {
    let url = Url::parse(address).ok()?;
    let port = url.port().map_or_else(String::new, |port| format!(":{port}"));
    url.host_str().map(|host| format!("{host}{port}"))
}

/// A path of the host that was asked, as browsers read it: what they would take for another host is
/// none.
fn path_here(to: &str) -> Option<String> {
    let here = Url::parse("http://here").ok()?;
    let url = here.join(to).ok().filter(|url| url.origin() == here.origin())?;
    let path = &url[Position::BeforePath..];
    // Without what precedes it, a path could be read anew.
    (url.username().is_empty() && !path.starts_with("//")).then(|| path.to_owned())
}

/// The page where one logs in: `https://id.example.com/login`, or `/login`.
#[derive(Clone, Debug)]
pub struct LoginUrl(String);

impl LoginUrl {
    /// `/login` on the host that was asked.
    pub fn here() -> Self {
        Self("/login".into())
    }

    /// `/login` at this origin.
    pub fn at(origin: &str) -> Self {
        Self(format!("{origin}/login"))
    }
}

impl FromStr for LoginUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_path = text.starts_with('/');
        let base = if is_path { "http://here" } else { "" };
        let url = Url::parse(&format!("{base}{text}")).ok().filter(|url| {
            let is_web = matches!(url.scheme(), "http" | "https") && url.has_host();
            let anonymous = url.username().is_empty() && url.password().is_none();
            is_web && anonymous && url.fragment().is_none()
        });
        // Whatever is not in its one spelling could mean something else to a browser.
        let url = url.map(String::from).filter(|url| !url[base.len()..].starts_with("//"));
        let url = url.filter(|url| *url == format!("{base}{text}"));
        let example = "must be like https://id.example.com/login, or /login";
        url.map(|url| Self(url[base.len()..].to_owned())).ok_or_else(|| example.into())
    }
}

/// The hosts of `ALLOWED_REDIRECTS`, separated by commas or spaces.
#[derive(Clone, Debug, Default)]
pub struct AllowedRedirects(Vec<Target>);

impl AllowedRedirects {
    /// The same and one more, at any port.
    #[must_use]
    pub fn and(mut self, host: &str) -> Self {
        self.0.extend(Host::parse(host).ok().map(|host| Target { host, port: None, below: false }));
        self
    }
}

impl FromStr for AllowedRedirects {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let entries = text.split([',', ' ']).filter(|entry| !entry.is_empty());
        entries.map(str::parse).collect::<Result<_, _>>().map(Self)
    }
}

/// A host, or all hosts below a domain.
#[derive(Clone, Debug)]
struct Target {
    host: Host,
    /// The one port; else all of them, since cookies do not tell ports apart either (RFC 6265, 8.5).
    port: Option<u16>,
    /// Whether the hosts below are meant, and not this one.
    below: bool,
}

impl Target {
    fn is_of(&self, url: &Url) -> bool {
        let host = match (url.host(), &self.host) {
            (Some(Host::Domain(found)), Host::Domain(domain)) if self.below => {
                found.strip_suffix(domain.as_str()).is_some_and(|rest| rest.ends_with('.'))
            }
            (Some(found), host) => !self.below && found.to_owned() == *host,
            (None, _) => false,
        };
        host && self.port.is_none_or(|port| url.port_or_known_default() == Some(port))
    }
}

impl FromStr for Target {
    type Err = String;

    fn from_str(entry: &str) -> Result<Self, String> {
        let wrong = || {
            let example = "app.example.com, localhost:8080 or *.example.com";
            format!("'{entry}' is no host; list hosts like {example}")
        };
        let (below, rest) = entry.strip_prefix("*.").map_or((false, entry), |rest| (true, rest));
        // The colons in the brackets of an IPv6 address begin no port.
        let (name, port) = match rest.rsplit_once(':') {
            Some((name, port)) if !port.contains(']') => (name, Some(port)),
            _ => (rest, None),
        };
        let digits = |port: &&str| port.bytes().all(|byte| byte.is_ascii_digit());
        let port = port.map(|port| Some(port).filter(digits)?.parse().ok());
        let host = Host::parse(name).map_err(|_| wrong())?;
        let sound = match &host {
            // All hosts below `com` would be all the world.
            Host::Domain(name) if below && !name.contains('.') => name == "localhost",
            Host::Domain(name) => name.split('.').all(is_label),
            _ => !below,
        };
        match port {
            Some(None) => Err(wrong()),
            _ if !sound => Err(wrong()),
            port => Ok(Self { host, port: port.flatten(), below }),
        }
    }
}

/// Whether this may stand between the dots of a name.
fn is_label(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    !text.is_empty() && text.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redirects(allowed: &str) -> Redirects {
        let login = "https://id.example.com/login".parse().unwrap();
        Redirects { login, allowed: allowed.parse().unwrap(), https: false }
    }

    fn accepted(allowed: &str, address: &str) -> Option<String> {
        redirects(allowed).accept(address).map(String::from)
    }

    #[test]
    fn listed_hosts_are_accepted_and_no_others() {
        let allowed = "app.example.com, localhost:8080 *.shop.example,127.0.0.1 [::1]:80";
        for address in [
            "https://app.example.com/",
            "http://app.example.com/a?b=c",
            "https://app.example.com:8443/",
            "http://localhost:8080/",
            "https://a.shop.example/",
            "https://a.b.shop.example/",
            "http://127.0.0.1:3000/",
            "http://[::1]/",
        ] {
            assert_eq!(accepted(allowed, address).as_deref(), Some(address));
        }
        for address in [
            "https://example.com/",
            "https://xapp.example.com/",
            "https://app.example.com.evil.example/",
            "https://app.example.com./",
            "http://localhost/",
            "http://localhost:80801/",
            "https://shop.example/",
            "https://xshop.example/",
            "http://127.0.0.2/",
            "http://[::1]:8080/",
            "ftp://app.example.com/",
            "javascript://app.example.com/%0aalert(1)",
            "",
            "/",
            "//app.example.com/",
            "app.example.com",
        ] {
            assert_eq!(accepted(allowed, address), None, "{address}");
        }
        assert_eq!(accepted("", "https://app.example.com/"), None);
    }

    #[test]
    fn where_https_is_all_there_is_nobody_is_sent_to_plain_http() {
        let https = Redirects { https: true, ..redirects("app.example.com") };
        let sent = |address| https.accept(address).map(String::from);
        for address in ["https://app.example.com/x?y", "http://app.example.com:80/x?y"] {
            assert_eq!(sent(address).as_deref(), Some("https://app.example.com/x?y"));
        }
        assert_eq!(sent("http://app.example.com:8080/"), None);
        assert_eq!(
            sent("https://app.example.com:8080/").as_deref(),
            Some("https://app.example.com:8080/")
        );
    }

    #[test]
    fn the_usual_tricks_lead_nowhere_else() {
        for address in [
            "https://app.example.com@evil.example/",
            "https://app.example.com:80@evil.example/",
            "https://evil.example#app.example.com/",
            "https://evil.example?app.example.com/",
            "https://evil.example\\@app.example.com/",
            "https:\\\\evil.example/app.example.com",
            "https://app.example.com\\.evil.example/",
            "https://user@app.example.com/",
            "https://app.example.com%2eevil.example/",
            "https://app.example.com%00.evil.example/",
            "https://app.example.com\u{ff0e}evil.example/",
            "ht\ntps://evil.example/app.example.com",
        ] {
            let to = accepted("app.example.com", address);
            let inside = to.as_ref().is_none_or(|to| to.starts_with("https://app.example.com/"));
            assert!(inside, "{address} -> {to:?}");
        }
        // What is accepted is told in the one spelling that browsers agree on.
        let spelled = "https:\t//APP.example.com:443\\evil\r\n";
        assert_eq!(
            accepted("app.example.com", spelled).as_deref(),
            Some("https://app.example.com/evil")
        );
    }

    #[test]
    fn the_way_back_is_a_path_here_or_a_listed_host() {
        let to = redirects("app.example.com");
        for (sent, way) in [
            ("/", "/"),
            ("/account?x=1", "/account?x=1"),
            ("/a/../admin/users", "/admin/users"),
            ("/\u{e4}", "/%C3%A4"),
            ("/a\r\nLocation: x", "/aLocation:%20x"),
            ("/@evil.example", "/@evil.example"),
            ("/https://evil.example/", "/https://evil.example/"),
            ("https://app.example.com/x", "https://app.example.com/x"),
        ] {
            assert_eq!(to.way_back(sent).as_deref(), Some(way), "{sent}");
        }
        for sent in [
            "",
            "account",
            "//evil.example/",
            "/\\evil.example/",
            "/\t/evil.example/",
            "/..//evil.example/",
            "/.//evil.example/",
            "/%2e%2e//evil.example/",
            "https://evil.example/",
            "javascript:alert(1)",
            "data:text/html,x",
        ] {
            assert_eq!(to.way_back(sent), None, "{sent}");
        }
        assert_eq!(to.way_back(&format!("/{}", "x".repeat(LONGEST_WAY_BACK))), None);
    }

    #[test]
    fn the_way_back_stands_in_the_query_of_the_login_page() {
        let way = |login: &str| {
            let redirects = Redirects { login: login.parse().unwrap(), ..redirects("a.example") };
            redirects.to_login(&Url::parse("https://a.example/x?y=1&z#f").unwrap())
        };
        let back = "return_to=https%3A%2F%2Fa%2Eexample%2Fx%3Fy%3D1%26z%23f";
        assert_eq!(way("/login"), format!("/login?{back}"));
        assert_eq!(way("https://id.example/in?a=b"), format!("https://id.example/in?a=b&{back}"));
    }

    #[test]
    fn a_login_page_has_a_whole_address_or_a_path() {
        for bad in [
            "",
            "login",
            "//evil.example/login",
            "/\\evil.example",
            "/../login",
            "javascript:alert(1)",
            "https://u:p@id.example.com/login",
            "https://id.example.com/login#x",
            "/login#x",
            "/lo gin",
            "/login\r\nX: y",
        ] {
            assert!(bad.parse::<LoginUrl>().is_err(), "{bad}");
        }
    }

    #[test]
    fn an_entry_is_a_host() {
        for bad in [
            "https://app.example.com",
            "app.example.com/",
            "app.example.com:",
            "app.example.com:+80",
            "app.example.com:65536",
            "*",
            "*.127.0.0.1",
            "a@b.example",
            "*.*.example.com",
            "*.com",
            "*.",
            "[::1",
        ] {
            let refused = bad.parse::<AllowedRedirects>().unwrap_err();
            assert!(refused.starts_with(&format!("'{bad}' is no host")), "{refused}");
        }
    }
}
