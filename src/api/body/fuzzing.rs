//! What the readers of bodies promise, whatever they are sent.

use std::collections::BTreeMap;

use actix_web::http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use bytes::Bytes;
use futures_util::FutureExt as _;
use serde_json::{Map, Value};
use url::form_urlencoded;

use super::Fields;

/// Any bytes as the body of a request: JSON, a form, and a multipart form whose boundary is x. What
/// is taken is what another reader takes it for, and has each member once.
pub fn body(bytes: &[u8]) {
    hold_json(bytes);
    hold_form(bytes);
    hold_multipart(bytes);
}

fn hold_json(bytes: &[u8]) {
    let Ok(Fields(members)) = Fields::from_json(bytes) else { return };
    let other: Map<String, Value> = serde_json::from_slice(bytes).expect("it is JSON");
    assert_eq!(members, other.into_iter().collect());
    let written = serde_json::to_vec(&members).expect("what was read can be written");
    let Ok(Fields(again)) = Fields::from_json(&written) else { panic!("refused: {written:?}") };
    assert_eq!(again, members);
}

fn hold_form(bytes: &[u8]) {
    let other: Vec<_> = form_urlencoded::parse(bytes).into_owned().collect();
    let Ok(Fields(members)) = Fields::from_form(bytes) else {
        let names: BTreeMap<_, _> = other.iter().cloned().collect();
        let is_text = |text: &String| !text.contains('\u{fffd}');
        let sound = other.iter().all(|(name, value)| is_text(name) && is_text(value));
        assert!(!sound || names.len() < other.len(), "refused for nothing: {other:?}");
        return;
    };
    assert_eq!(members.len(), other.len());
    let text = |(name, value)| (name, Value::String(value));
    assert_eq!(members, other.into_iter().map(text).collect());
}

fn hold_multipart(bytes: &[u8]) {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("multipart/form-data; boundary=x"));
    let read = Fields::from_multipart(&headers, Bytes::copy_from_slice(bytes));
    let read = read.now_or_never().expect("all of it is there");
    let Ok(Fields(members)) = read else { return };
    let text = |value: &Value| value.as_str().map(str::len).expect("a form has texts alone");
    let length: usize = members.iter().map(|(name, value)| name.len() + text(value)).sum();
    assert!(length <= bytes.len(), "{members:?}");
}
