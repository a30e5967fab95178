//! Cookies as RFC 6265bis has them.

use std::collections::BTreeSet;

use crate::files;
use crate::harness::{ADMIN, ADMIN_PASSWORD, InProcess};
use crate::v03_web_front_end::cookie;

const ME: &str = "/api/v1/users/me";

pub fn a_cookie_is_set_once_and_no_attribute_twice() {
    let server = InProcess::with(&["--public-url", "https://id.example.com"]);
    for answer in cookie::life(&server, cookie::NAME) {
        let (name, attributes) = cookie::cookie(&answer);
        assert!(!name.is_empty());
        let names = attributes.iter().map(|attribute| attribute.split('=').next().unwrap());
        let once: BTreeSet<String> = names.map(str::to_lowercase).collect();
        assert_eq!(once.len(), attributes.len(), "{attributes:?}");
    }
}

pub fn cookies_may_be_split_over_headers() {
    let server = InProcess::with(&[]);
    let session = format!("_my_session_id={}", server.admin());
    let split = server.get(ME).cookie("a=b").cookie(&session).cookie("c=d; e=f");
    assert_eq!(split.send().status, 200);
    assert_eq!(server.get(ME).cookie(&format!("a=b; {session}; c=d")).send().status, 200);
}

pub fn the_name_twice_is_refused_wherever_it_stands() {
    let server = InProcess::with(&[]);
    let session = format!("_my_session_id={}", server.admin());
    for (first, second) in
        [("_my_session_id=x", &session[..]), (&session, "_my_session_id="), (&session, &session)]
    {
        let says = "cookie _my_session_id must not be sent twice";
        server.get(ME).cookie(&format!("{first}; {second}")).send().assert_error(400, says);
        server.get(ME).cookie(first).cookie(second).send().assert_error(400, says);
        let login = server.login(&[("email", ADMIN), ("password", ADMIN_PASSWORD)]);
        login.cookie(first).cookie(second).send().assert_error(400, says);
    }
}

pub fn a_name_is_compared_byte_for_byte() {
    let server =
        InProcess::with(&["--public-url", "https://id.example.com", "--session-name", "sid"]);
    let id = server.admin();
    let me = |name: &[u8]| {
        let pair = [name, b"=", id.as_bytes()].concat();
        server.get(ME).header_bytes("Cookie", &pair).send().status
    };
    assert_eq!(me(b"__Host-sid"), 200);
    for other in [
        &b"__HOST-sid"[..],
        b"__host-sid",
        b"__Host-SID",
        b"__Secure-sid",
        b"sid",
        b"__%48ost-sid",
        b"\xe2\x80\x80__Host-sid",
        b"__Host-sid\xc2\xa0",
        b"\"__Host-sid\"",
        b"=__Host-sid",
        b"\x0b__Host-sid",
    ] {
        let status = me(other);
        assert!(matches!(status, 400 | 401), "{other:?}: {status}");
    }
}

/// Also where a session is told to live for ten years, or for ever.
pub fn a_cookie_is_kept_for_400_days_at_most() {
    let ten_years = "315360000";
    for flags in [
        &["--session-duration", ten_years, "--session-idle-timeout", ten_years][..],
        &["--session-duration", "0", "--session-idle-timeout", "0"],
        &["--auth-type", "session_auth"],
    ] {
        let fields = [("email", ADMIN), ("password", ADMIN_PASSWORD), ("remember", "1")];
        let answer = InProcess::with(flags).login(&fields).send();
        let (_, attributes) = cookie::cookie(&answer);
        let age = attributes.iter().find_map(|attribute| attribute.strip_prefix("Max-Age="));
        assert!(age.unwrap().parse::<u64>().unwrap() <= 400 * 86_400, "{attributes:?}");
    }
}

pub fn the_operator_is_told_of_ports() {
    let section = files::section("docs/CONTROLS.md", "Browsers");
    assert!(section.contains("Cookies do not know ports"), "{section}");
}
