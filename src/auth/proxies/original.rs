//! The request about which a proxy asks whether it may pass.

use actix_web::HttpRequest;
use actix_web::http::Method;
use actix_web::http::header::{
    HOST, HeaderName, X_FORWARDED_HOST as HOST_TOLD, X_FORWARDED_PROTO as SCHEME_TOLD,
};

use super::Proxies;
use crate::auth::credentials::texts;

/// Traefik and Caddy tell the method under the first name, nginx by custom under the other.
const METHOD_TOLD: [HeaderName; 2] =
    [HeaderName::from_static("x-forwarded-method"), HeaderName::from_static("x-original-method")];
/// The same for path and query.
const TARGET_TOLD: [HeaderName; 2] =
    [HeaderName::from_static("x-forwarded-uri"), HeaderName::from_static("x-original-uri")];
/// The whole address, which nginx tells.
const ADDRESS_TOLD: HeaderName = HeaderName::from_static("x-original-url");

/// What a proxy tells of the request that it holds back until it has its answer.
#[derive(Debug, PartialEq, Eq)]
pub struct Original {
    /// Its method; that of the question if the proxy does not say.
    pub method: Method,
    /// Its address, which nobody has checked yet.
    pub address: String,
}

impl Proxies {
    /// The request that a trusted proxy asks about. None where nobody is trusted, or nothing is told;
    /// nor where it is told twice and not alike: one of the two may have come from the client.
    pub fn original(&self, request: &HttpRequest, https: bool) -> Option<Original> {
        if !self.trusts(request.peer_addr()?.ip().to_canonical()) {
            return None;
        }
        let told = |names: &[HeaderName]| told(request, names).ok();
        let method = told(&METHOD_TOLD)?.unwrap_or(request.method().as_str());
        let scheme = told(&[SCHEME_TOLD])?.unwrap_or(if https { "https" } else { "http" });
        let host = told(&[HOST_TOLD])?.or(told(&[HOST])?)?;
        let target = told(&TARGET_TOLD)?.filter(|target| target.starts_with('/'));
        let composed = target.map(|target| format!("{scheme}://{host}{target}"));
        let whole = told(&[ADDRESS_TOLD])?.map(str::to_owned);
        let address = match (whole, composed) {
            (Some(whole), Some(composed)) if whole != composed => return None,
            (whole, composed) => whole.or(composed)?,
        };
        Some(Original { method: method.parse().ok()?, address })
    }
}

/// Two values of what can have one.
struct Contradiction;

/// What headers tell, under whichever of these names.
fn told<'r>(
    request: &'r HttpRequest,
    names: &[HeaderName],
) -> Result<Option<&'r str>, Contradiction> {
    let mut values = names.iter().flat_map(|name| texts(request, name.clone()));
    let first = values.next();
    if values.all(|value| Some(value) == first) { Ok(first) } else { Err(Contradiction) }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    /// What a proxy at 10.0.0.1 tells with these headers, in words.
    fn original(trusted: &str, headers: &[(&'static str, &'static str)]) -> Option<String> {
        let mut request = TestRequest::get().peer_addr("10.0.0.1:1234".parse().unwrap());
        for header in headers {
            request = request.append_header(*header);
        }
        let proxies: Proxies = trusted.parse().unwrap();
        let original = proxies.original(&request.to_http_request(), true)?;
        Some(format!("{} {}", original.method, original.address))
    }

    const TRAEFIK: [(&str, &str); 4] = [
        ("X-Forwarded-Method", "POST"),
        ("X-Forwarded-Proto", "http"),
        ("X-Forwarded-Host", "app.example.com:8080"),
        ("X-Forwarded-Uri", "/a?b=c,d"),
    ];

    #[test]
    fn a_trusted_proxy_tells_what_it_was_asked() {
        let nginx = [
            ("X-Original-Method", "PUT"),
            ("X-Original-URL", "https://app.example.com/a?b"),
            ("Host", "id.example.com"),
        ];
        let parts = [("Host", "app.example.com"), ("X-Original-URI", "/a")];
        for (headers, told) in [
            (&TRAEFIK[..], "POST http://app.example.com:8080/a?b=c,d"),
            (&nginx, "PUT https://app.example.com/a?b"),
            (&parts, "GET https://app.example.com/a"),
        ] {
            assert_eq!(original("10.0.0.0/8", headers).as_deref(), Some(told));
        }
    }

    #[test]
    fn nobody_else_is_believed() {
        assert_eq!(original("", &TRAEFIK), None);
        assert_eq!(original("10.0.0.2", &TRAEFIK), None);
    }

    #[test]
    fn what_is_told_twice_and_not_alike_is_not_told() {
        for more in [
            ("X-Forwarded-Method", "GET"),
            ("X-Original-Method", "GET"),
            ("X-Forwarded-Proto", "https"),
            ("X-Forwarded-Host", "evil.example"),
            ("X-Forwarded-Uri", "/b"),
            ("X-Original-URI", "/b"),
            ("X-Original-URL", "http://app.example.com:8080/b"),
            ("X-Original-URL", "https://app.example.com:8080/a?b=c,d"),
        ] {
            let headers = [&TRAEFIK[..], &[more]].concat();
            assert_eq!(original("10.0.0.1", &headers), None, "{more:?}");
        }
        let alike = [
            &TRAEFIK[..],
            &[
                ("X-Original-Method", "POST"),
                ("X-Original-URI", "/a?b=c,d"),
                ("X-Original-URL", "http://app.example.com:8080/a?b=c,d"),
            ],
        ];
        assert!(original("10.0.0.1", &alike.concat()).is_some());
    }

    #[test]
    fn a_target_begins_with_a_slash() {
        for target in ["", "x", ".evil.example/", "@evil.example/", "https://evil.example/"] {
            let headers = [("Host", "app.example.com"), ("X-Forwarded-Uri", target)];
            assert_eq!(original("10.0.0.1", &headers), None, "{target}");
        }
        assert_eq!(original("10.0.0.1", &[("Host", "app.example.com")]), None);
    }
}
