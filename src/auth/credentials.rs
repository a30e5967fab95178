//! Reading what a request carries, byte by byte and without guessing.
//!
//! actix-web decodes percent signs in cookie names and values and trims Unicode white space, so
//! that `__%48ost-sid` passes for `__Host-sid`. Here a name is what was sent, or it is not it.

use actix_web::HttpRequest;
use actix_web::http::header::{AUTHORIZATION, COOKIE, HeaderName};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use memchr::memchr;
use zeroize::Zeroizing;

use crate::error::{Code, Error, Result};
use crate::models::Password;

/// The value of the cookie `name`; 400 when it is there twice (RFC 6265bis gives the order of
/// equal names no meaning).
pub fn cookie<'r>(request: &'r HttpRequest, name: &str) -> Result<Option<&'r [u8]>> {
    let mut found = None;
    for header in request.headers().get_all(COOKIE) {
        for pair in pairs(header.as_bytes()) {
            let Some(rest) = trim(pair).strip_prefix(name.as_bytes()) else { continue };
            // What goes on otherwise has another name; a pair without a sign has none (RFC 6265bis).
            let Some(value) = trim(rest).strip_prefix(b"=") else { continue };
            if found.replace(trim(value)).is_some() {
                return Err(Error::bad(
                    Code::SentTwice,
                    format!("cookie {name} must not be sent twice"),
                ));
            }
        }
    }
    Ok(found)
}

/// What stands between semicolons.
fn pairs(header: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(header);
    std::iter::from_fn(move || {
        let all = rest.take()?;
        let Some(end) = memchr(b';', all) else { return Some(all) };
        rest = Some(&all[end + 1..]);
        Some(&all[..end])
    })
}

/// The value of the `Authorization` header; 400 when it is there twice.
pub fn authorization(request: &HttpRequest) -> Result<Option<&[u8]>> {
    let mut values = request.headers().get_all(AUTHORIZATION);
    let first = values.next().map(|value| trim(value.as_bytes()));
    if values.next().is_some() {
        return Err(Error::bad(Code::SentTwice, "Authorization must not be sent twice"));
    }
    Ok(first)
}

/// What stands behind the scheme, if this `Authorization` is of that scheme (RFC 9110, 11.1: the
/// scheme's case does not matter).
pub fn of_scheme<'h>(authorization: &'h [u8], scheme: &str) -> Option<&'h [u8]> {
    let (found, rest) = split_at(authorization, b' ')?;
    found.eq_ignore_ascii_case(scheme.as_bytes()).then(|| trim(rest))
}

/// E-mail address and password of Basic credentials (RFC 7617).
pub struct BasicCredentials {
    /// What stands before the first colon.
    pub email: String,
    /// What stands behind it.
    pub password: Password,
}

/// Decodes, as strictly as the standard allows: base64 with padding and nothing else, UTF-8.
pub fn decode_basic(token: &[u8]) -> Option<Zeroizing<String>> {
    let bytes = STANDARD.decode(token).ok()?;
    String::from_utf8(bytes).ok().map(Zeroizing::new)
}

/// Splits at the first colon; the password may hold more of them.
pub fn split_basic(decoded: &str) -> Option<BasicCredentials> {
    let (email, password) = decoded.split_once(':')?;
    let (email, password) = (email.to_owned(), Password::sent(password.to_owned()));
    Some(BasicCredentials { email, password })
}

/// All values of a header as text; what is no text counts as empty.
pub fn texts(request: &HttpRequest, name: HeaderName) -> impl Iterator<Item = &str> {
    request.headers().get_all(name).map(|value| value.to_str().unwrap_or(""))
}

fn split_at(bytes: &[u8], separator: u8) -> Option<(&[u8], &[u8])> {
    let place = bytes.iter().position(|byte| *byte == separator)?;
    Some((&bytes[..place], &bytes[place + 1..]))
}

/// Without spaces and tabs at both ends (RFC 9110: optional white space); no other white space.
fn trim(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::HeaderValue;
    use actix_web::test::TestRequest;

    const NAME: &str = "__Host-sid";

    fn cookies(headers: &[&[u8]]) -> Result<Option<Vec<u8>>> {
        let mut request = TestRequest::default();
        for header in headers {
            request = request.append_header((COOKIE, HeaderValue::from_bytes(header).unwrap()));
        }
        cookie(&request.to_http_request(), NAME).map(|found| found.map(<[u8]>::to_vec))
    }

    #[test]
    fn a_cookie_is_found_among_others_and_in_several_headers() {
        for headers in [
            &[&b"__Host-sid=abc"[..]][..],
            &[b"a=b; __Host-sid=abc;c=d"],
            &[b"a=b", b" \t__Host-sid = abc "],
            &[b";;=;__Host-sid=abc;__Host-sid2=x;=__Host-sid=y"],
        ] {
            assert_eq!(cookies(headers).unwrap().as_deref(), Some(&b"abc"[..]), "{headers:?}");
        }
    }

    #[test]
    fn a_name_that_only_decodes_to_the_name_is_another_name() {
        for header in [
            &b"__%48ost-sid=abc"[..],
            b"__HOST-sid=abc",
            b"\xe2\x80\x80__Host-sid=abc",
            b"\xc2\xa0__Host-sid=abc",
            b"__Host-sid\xe2\x80\x80=abc",
            b"__Host-si=abc",
            b"\"__Host-sid\"=abc",
            b"$__Host-sid=abc",
            b"__Host-sid",
        ] {
            assert_eq!(cookies(&[header]).unwrap(), None, "{header:?}");
        }
    }

    #[test]
    fn values_are_taken_as_they_are() {
        for (header, value) in [
            (&b"__Host-sid="[..], &b""[..]),
            (b"__Host-sid; __Host-sid=abc", b"abc"),
            (b"__Host-sid=a%42c", b"a%42c"),
            (b"__Host-sid=\"abc\"", b"\"abc\""),
            (b"__Host-sid=a=b", b"a=b"),
            (b"__Host-sid=\xff", b"\xff"),
        ] {
            assert_eq!(cookies(&[header]).unwrap().as_deref(), Some(value), "{header:?}");
        }
    }

    #[test]
    fn a_cookie_that_is_there_twice_is_refused() {
        assert!(cookies(&[b"__Host-sid=a; __Host-sid=a"]).is_err());
        assert!(cookies(&[b"__Host-sid=a", b"x=y; __Host-sid="]).is_err());
    }

    #[test]
    fn basic_is_decoded_strictly_and_split_at_the_first_colon() {
        let read = |token: &str| split_basic(&decode_basic(token.as_bytes())?);
        assert_eq!(read("YTpiOmM=").unwrap().email, "a"); // a:b:c
        assert_eq!(read("Og==").unwrap().email, "");
        for token in
            ["", "test", "YTpi!", "YTpiOmM", "YTpi OmM=", "YTpiOm-_", "YWJj", "YTr/", "YTpiOmM=="]
        {
            assert!(read(token).is_none(), "{token}");
        }
    }

    #[test]
    fn the_case_of_a_scheme_does_not_matter() {
        assert_eq!(of_scheme(b"bEARER  x ", "Bearer"), Some(&b"x"[..]));
        assert_eq!(of_scheme(b"Bearer", "Bearer"), None);
        assert_eq!(of_scheme(b"Bearerx y", "Bearer"), None);
    }
}
