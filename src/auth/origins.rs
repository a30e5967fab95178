//! From which sites a browser may let its user act: the rule against cross-site requests, and the
//! list that makes exceptions from it (which is also the list of CORS).

use actix_web::HttpRequest;
use actix_web::http::header::{HOST, HeaderName, ORIGIN};

use super::credentials::texts;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Origins in the form in which browsers send them: `https://app.example.com`.
#[derive(Clone, Debug, Default)]
pub struct Origins {
    /// The service's own, where it is known; else it is told by the `Host` of a request.
    pub own: Option<String>,
    /// Whether it is reached over https and nothing else.
    pub https: bool,
    /// Those that are listed by name.
    pub listed: Vec<String>,
    /// Whether any origin may read what needs no cookie (`*`).
    pub any: bool,
}

impl Origins {
    /// Whether a request was set off by a site that is neither this one nor listed by name.
    ///
    /// Fetch Metadata first, whole origins compared, `null` is foreign (ASVS 3.5.1). Without
    /// both headers it is no browser that asks.
    pub fn is_foreign(&self, request: &HttpRequest) -> bool {
        let mut origins = texts(request, ORIGIN).peekable();
        if origins.peek().is_some() && origins.all(|origin| self.is_listed(origin)) {
            return false;
        }
        let other_site = |site: &str| !matches!(site, "same-origin" | "none");
        texts(request, SEC_FETCH_SITE).any(other_site)
            || texts(request, ORIGIN).any(|origin| !self.is_own(request, origin))
    }

    /// Whether an origin is listed by name.
    pub fn is_listed(&self, origin: &str) -> bool {
        self.listed.iter().any(|listed| listed == origin)
    }

    fn is_own(&self, request: &HttpRequest, origin: &str) -> bool {
        if let Some(own) = &self.own {
            return own == origin;
        }
        let host = request.headers().get(HOST).and_then(|host| host.to_str().ok());
        let plain = origin.strip_prefix("http://").filter(|_| !self.https);
        let sent = origin.strip_prefix("https://").or(plain);
        host.zip(sent).is_some_and(|(host, sent)| host.eq_ignore_ascii_case(sent))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn foreign(origins: &Origins, headers: &[(&'static str, &'static str)]) -> bool {
        let mut request = TestRequest::default().insert_header(("Host", "app.example.com"));
        for header in headers {
            request = request.append_header(*header);
        }
        origins.is_foreign(&request.to_http_request())
    }

    #[test]
    fn over_https_the_same_host_over_http_is_foreign() {
        let here = Origins { https: true, ..Origins::default() };
        assert!(foreign(&here, &[("Origin", "http://app.example.com")]));
        assert!(!foreign(&here, &[("Origin", "https://app.example.com")]));
    }

    #[test]
    fn only_the_service_itself_is_no_foreigner() {
        let here = Origins::default();
        for headers in [
            &[][..],
            &[("Origin", "https://app.example.com")],
            &[("Origin", "http://app.example.com"), ("Sec-Fetch-Site", "same-origin")],
            &[("Sec-Fetch-Site", "none")],
        ] {
            assert!(!foreign(&here, headers), "{headers:?}");
        }
        for headers in [
            &[("Origin", "https://evil.example")][..],
            &[("Origin", "null")],
            &[("Origin", "")],
            &[("Origin", "https://app.example.com.evil.example")],
            &[("Origin", "https://app.example.com:8443")],
            &[("Origin", "https://app.example.com"), ("Origin", "https://evil.example")],
            &[("Sec-Fetch-Site", "cross-site")],
            &[("Sec-Fetch-Site", "same-site")],
            &[("Origin", "https://app.example.com"), ("Sec-Fetch-Site", "cross-site")],
        ] {
            assert!(foreign(&here, headers), "{headers:?}");
        }
    }

    #[test]
    fn a_public_url_is_the_only_own_origin() {
        let here = Origins { own: Some("https://id.example.com".into()), ..Origins::default() };
        assert!(!foreign(&here, &[("Origin", "https://id.example.com")]));
        assert!(foreign(&here, &[("Origin", "http://id.example.com")]));
        assert!(foreign(&here, &[("Origin", "https://app.example.com")]));
    }

    #[test]
    fn a_listed_origin_may_and_a_star_lists_nobody() {
        let listed = vec!["https://spa.example".to_owned()];
        let here = Origins { own: None, https: false, listed, any: true };
        assert!(!foreign(
            &here,
            &[("Origin", "https://spa.example"), ("Sec-Fetch-Site", "cross-site")]
        ));
        assert!(foreign(&here, &[("Origin", "https://other.example")]));
        assert!(foreign(&here, &[("Origin", "https://spa.example"), ("Origin", "null")]));
    }
}
