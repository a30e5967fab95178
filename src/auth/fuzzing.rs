//! What the readers of credentials, paths and addresses promise, whatever a request holds.

use std::net::IpAddr;
use std::ops::Range;

use actix_web::HttpRequest;
use actix_web::http::header::{AUTHORIZATION, COOKIE, HeaderName, HeaderValue, X_FORWARDED_FOR};
use actix_web::test::TestRequest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;
use url::Url;

use super::proxies::Proxies;
use super::{credentials, path as paths};
use crate::models::SessionId;

/// The cookie that is looked for.
const NAME: &[u8] = b"__Host-sid";

/// Any bytes as an `Authorization` header with Basic credentials, and as the credentials in it. What
/// is decoded is what a decoder by the letter of RFC 4648 makes of it, and encodes to the same.
pub fn basic(bytes: &[u8]) {
    hold_basic(bytes);
    if let Some(token) = credentials::of_scheme(bytes, "Basic") {
        assert!(bytes[..6].eq_ignore_ascii_case(b"basic "));
        hold_basic(token);
    }
}

fn hold_basic(token: &[u8]) {
    let expected = base64_by_the_letter(token).and_then(|bytes| String::from_utf8(bytes).ok());
    let decoded = credentials::decode_basic(token);
    assert_eq!(decoded.as_deref(), expected.as_ref());
    let Some(decoded) = decoded else { return };
    assert_eq!(STANDARD.encode(decoded.as_bytes()).as_bytes(), token);
    let Some(sent) = credentials::split_basic(&decoded) else {
        assert!(!decoded.contains(':'));
        return;
    };
    assert!(!sent.email.contains(':'));
    let password = decoded.strip_prefix(&format!("{}:", sent.email)).expect("it begins with it");
    assert_eq!(sent.password.is_empty(), password.is_empty());
    assert_eq!(sent.password.is_too_long(), password.len() > 256);
}

/// Base64 with padding (RFC 4648, 4): no foreign characters, no bits that are left over.
fn base64_by_the_letter(text: &[u8]) -> Option<Vec<u8>> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let padding = text.iter().rev().take_while(|byte| **byte == b'=').count();
    if !text.len().is_multiple_of(4) || padding > 2 {
        return None;
    }
    let digit = |byte: &u8| ALPHABET.iter().position(|letter| letter == byte);
    let digits: Vec<usize> =
        text[..text.len() - padding].iter().map(digit).collect::<Option<_>>()?;
    let bits: Vec<bool> =
        digits.iter().flat_map(|digit| (0..6).rev().map(move |n| digit >> n & 1 == 1)).collect();
    let (bytes, rest) = bits.as_chunks::<8>();
    let byte = |bits: &[bool; 8]| bits.iter().fold(0, |byte, bit| byte << 1 | u8::from(*bit));
    (!rest.contains(&true)).then(|| bytes.iter().map(byte).collect())
}

/// Lines as the `Cookie` headers of a request, and as its `Authorization` headers. A cookie is found
/// where its name stands letter by letter, and its value is what stands behind it. A session id that
/// is taken is what was sent.
pub fn cookie_and_bearer(bytes: &[u8]) {
    let lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
    if let Some(request) = request(&COOKIE, &lines) {
        hold_cookie(&request);
    }
    if let Some(request) = request(&AUTHORIZATION, &lines) {
        hold_bearer(&request, &lines);
    }
}

/// A request with these headers, if they can be sent.
fn request(name: &HeaderName, lines: &[&[u8]]) -> Option<HttpRequest> {
    let mut request = TestRequest::default();
    for line in lines {
        request = request.append_header((name.clone(), HeaderValue::from_bytes(line).ok()?));
    }
    Some(request.to_http_request())
}

fn hold_cookie(request: &HttpRequest) {
    let headers: Vec<&[u8]> =
        request.headers().get_all(COOKIE).map(HeaderValue::as_bytes).collect();
    let name = std::str::from_utf8(NAME).expect("it is ASCII");
    let places: Vec<(&[u8], Range<usize>)> = headers
        .iter()
        .flat_map(|header| values(header).into_iter().map(|range| (*header, range)))
        .collect();
    match (credentials::cookie(request, name), &places[..]) {
        (Ok(None), []) => {}
        (Ok(Some(value)), [(header, range)]) => assert_eq!(value, &header[range.clone()]),
        (Err(twice), [_, _, ..]) => assert!(twice.to_string().contains("twice")),
        (found, _) => panic!("{found:?} in {}", headers.join(&b'\n').escape_ascii()),
    }
}

/// Where in a header the values of the cookie stand: found by looking for its name, and from there
/// to both sides.
fn values(header: &[u8]) -> Vec<Range<usize>> {
    let blank = |byte: &&u8| matches!(byte, b' ' | b'\t');
    let named = (0..header.len()).filter(|place| header[*place..].starts_with(NAME));
    let value = |place: usize| {
        let before = header[..place].iter().rev().find(|byte| !blank(byte));
        let behind = place + NAME.len();
        let sign = behind + header[behind..].iter().take_while(blank).count();
        let is_whole = matches!(before, None | Some(b';')) && header.get(sign) == Some(&b'=');
        let end = header[sign..].iter().position(|byte| *byte == b';');
        let end = end.map_or(header.len(), |length| sign + length);
        is_whole.then(|| {
            let value = &header[sign + 1..end];
            let start = sign + 1 + value.iter().take_while(blank).count();
            start..(end - value.iter().rev().take_while(blank).count()).max(start)
        })
    };
    named.filter_map(value).collect()
}

fn hold_bearer(request: &HttpRequest, lines: &[&[u8]]) {
    let Ok(header) = credentials::authorization(request) else {
        assert!(lines.len() > 1);
        return;
    };
    let header = header.expect("one was sent");
    let Some(token) = credentials::of_scheme(header, "Bearer") else { return };
    assert!(lines.len() == 1 && lines[0].to_ascii_lowercase().windows(7).any(|w| w == b"bearer "));
    let is_letter = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_".contains(byte);
    let is_id = token.len() == 43 && token.iter().all(is_letter);
    match SessionId::parse(token) {
        Some(id) => assert!(is_id && id.reveal().as_bytes() == token),
        None => assert!(!is_id),
    }
}

/// Any text as the path of a request. One that is taken is the same to a browser, which knows
/// neither empty nor dot segments that it does not take out, and has them decoded to the same.
pub fn path(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let shown = paths::shown(text);
    assert_eq!(shown.split('/').count(), text.split('/').count());
    assert!(shown.split('/').all(|segment| segment.len() <= 36 && !segment.contains('@')));
    // A question mark ends a path, and a hash sign a URL.
    if paths::check(text).is_err() || text.contains(['?', '#']) {
        return;
    }
    let url = Url::parse(&format!("http://example.com{text}")).expect("it can be part of a URL");
    let decoded = |path: &str| -> Vec<Vec<u8>> {
        path.split('/').map(|segment| percent_decode_str(segment).collect()).collect()
    };
    let (browser, own) = (decoded(url.path()), decoded(text));
    assert_eq!(browser, own);
    let is_dots = |segment: &Vec<u8>| matches!(segment.as_slice(), b"." | b"..");
    let splits = |segment: &Vec<u8>| segment.iter().any(|b| matches!(b, b'/' | b'\\' | 0));
    assert!(!own.iter().any(|segment| is_dots(segment) || splits(segment)), "{text}");
}

/// Lines: the trusted proxies, a peer, and `X-Forwarded-For` headers. The client is the peer, or has
/// been named by somebody who is trusted; what stands left of him changes nothing.
pub fn forwarded_for(bytes: &[u8]) {
    let mut lines = bytes.split(|byte| *byte == b'\n');
    let mut text = || std::str::from_utf8(lines.next()?).ok();
    let Some(proxies) = text().and_then(|text| text.parse::<Proxies>().ok()) else { return };
    let Some(peer) = text().and_then(|text| text.parse::<IpAddr>().ok()) else { return };
    let lines: Vec<&[u8]> = lines.collect();
    let Some(sent) = request(&X_FORWARDED_FOR, &lines) else { return };
    let client = proxies.client(peer, sent.headers());
    let nobody = TestRequest::default().to_http_request();
    let trusts = |address: IpAddr| {
        ["203.0.113.1", "203.0.113.2"].iter().any(|other| {
            let named = request(&X_FORWARDED_FOR, &[other.as_bytes()]).expect("it can be sent");
            address != proxies.client(address, named.headers())
        })
    };
    assert_eq!(proxies.client(peer, nobody.headers()), peer);
    assert!(client == peer || trusts(peer), "{client} was named by {peer}");
    if !trusts(client) && !lines.is_empty() {
        let invented = [b"198.51.100.1,", lines[0]].concat();
        let lines = [&[&b"192.0.2.77"[..], &invented][..], &lines[1..]].concat();
        let more = request(&X_FORWARDED_FOR, &lines).expect("it can be sent");
        assert_eq!(proxies.client(peer, more.headers()), client);
    }
}
