//! The status line of an answer and the headers that every answer has, as one text.
//!
//! These headers never change, and a map of headers costs a hash, a copy and a write for each of
//! them with each answer: together a twelfth of the instructions of a guarded request. So they go
//! where the framework writes a text as it is, behind the reason of the status line
//! (`docs/DESIGN.md`). What is sent is the same. Nothing of a request gets into that text.

use std::cell::RefCell;
use std::collections::BTreeMap;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_SECURITY_POLICY;

/// Nothing is to be kept, or to be shown as a page. An answer that brings a policy of its own, as pages do, says how
/// long it may be kept, too.
const OF_DATA: &str = "\r\ncache-control: no-store\
    \r\ncontent-security-policy: default-src 'none'; base-uri 'none'; frame-ancestors 'none'";
/// Nothing is to be guessed at, leaked or shared with other origins.
const SECURE: &str = "\r\ncross-origin-opener-policy: same-origin\
    \r\ncross-origin-resource-policy: same-origin\
    \r\nreferrer-policy: no-referrer\
    \r\nx-content-type-options: nosniff";
/// Over https also that there is nothing without; over plain http that must not be said (RFC 6797,
/// 7.2).
const HSTS: &str = "\r\nstrict-transport-security: max-age=31536000; includeSubDomains";

/// The first lines of answers, made once for each status and kept as long as the process.
pub struct FirstLines {
    https: bool,
    /// By status, and by whether the answer brings a policy of its own.
    made: RefCell<BTreeMap<(u16, bool), &'static str>>,
}

impl FirstLines {
    /// For a service that is reached over https, or over plain http.
    pub fn new(https: bool) -> Self {
        Self { https, made: RefCell::default() }
    }

    /// Gives an answer its first lines. It must not have any of these headers by itself, but for
    /// `Content-Security-Policy` and with it `Cache-Control`.
    pub fn put<B>(&self, answer: &mut HttpResponse<B>) {
        let status = answer.status();
        // Most answers have one header, which tells what is in them: no look-up for these.
        let headers = answer.headers();
        let own_policy = headers.len_keys() > 1 && headers.contains_key(CONTENT_SECURITY_POLICY);
        let mut made = self.made.borrow_mut();
        let lines = made.entry((status.as_u16(), own_policy));
        let lines = *lines.or_insert_with(|| self.make(status, own_policy));
        answer.head_mut().reason = Some(lines);
    }

    fn make(&self, status: StatusCode, own_policy: bool) -> &'static str {
        let reason = status.canonical_reason().unwrap_or_default();
        let (data, https) =
            (if own_policy { "" } else { OF_DATA }, if self.https { HSTS } else { "" });
        format!("{reason}{data}{SECURE}{https}").leak()
    }
}
