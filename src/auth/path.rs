//! Paths with one spelling.
//!
//! The router decodes percent signs before it matches, a comparison of paths does not: what one
//! of them takes for `/users` the other may take for something else. So a path that can be
//! spelled more simply is refused for everyone, before anybody looks at it.

use std::borrow::Cow;

use crate::error::{Code, Error, Result};
use crate::models::is_url_safe;

/// The longest segment of a path that logs tell: public ids are that long, usable ones longer.
const MAX_SHOWN: usize = 36;

/// 400 for a path that is not canonical.
pub fn check(path: &str) -> Result<()> {
    let wrong = || {
        Error::bad(
            Code::PathNotCanonical,
            "path must be written without encoded, empty or dot segments",
        )
    };
    is_canonical(path).then_some(()).ok_or_else(wrong)
}

/// A path as logs tell it: without what could be an e-mail address or a usable session id that
/// stands where an id is meant.
pub fn shown(path: &str) -> Cow<'_, str> {
    let hidden = |segment: &&str| {
        segment.len() > MAX_SHOWN || segment.contains('@') || segment.contains("%40")
    };
    // As nearly all are: nothing in them can be hidden.
    let short = path.len() <= MAX_SHOWN && !path.bytes().any(|byte| matches!(byte, b'@' | b'%'));
    if short || !path.split('/').any(|segment| hidden(&segment)) {
        return Cow::Borrowed(path);
    }
    let segments = path.split('/').map(|segment| if hidden(&segment) { "*" } else { segment });
    segments.collect::<Vec<_>>().join("/").into()
}

/// Whether a request path is written the only way it should be: it begins with a slash, has no
/// empty and no dot segments, no backslash, and encodes nothing that needs no encoding, nor any
/// slash, percent sign or control character.
fn is_canonical(path: &str) -> bool {
    // Most paths need no second look.
    if is_plain(path.as_bytes()) {
        return true;
    }
    let Some(rest) = path.as_bytes().strip_prefix(b"/") else { return false };
    let inner = rest.strip_suffix(b"/").unwrap_or(rest);
    path == "/" || inner.split(|byte| *byte == b'/').all(is_sound)
}

/// Whether a path has nothing but slashes, one at a time, and what is never spelled otherwise.
fn is_plain(path: &[u8]) -> bool {
    let (mut sound, mut after_slash) = (path.first() == Some(&b'/'), false);
    for byte in path {
        let slash = *byte == b'/';
        sound &= is_url_safe(*byte) || (slash && !after_slash);
        after_slash = slash;
    }
    sound
}

fn is_sound(segment: &[u8]) -> bool {
    !matches!(segment, b"" | b"." | b"..")
        && segment.iter().all(|byte| byte.is_ascii_graphic() && *byte != b'\\')
        && (!segment.contains(&b'%') || encodings_sound(segment))
}

fn encodings_sound(segment: &[u8]) -> bool {
    let mut pieces = segment.split(|byte| *byte == b'%');
    pieces.next();
    pieces.all(|piece| match piece {
        [high, low, ..] => {
            hex(*high).zip(hex(*low)).is_some_and(|(h, l)| needs_encoding(h << 4 | l))
        }
        _ => false,
    })
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

/// Everything but what is unreserved (RFC 3986, 2.3), slashes, `%` and control characters.
const fn needs_encoding(byte: u8) -> bool {
    let unreserved = byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    !unreserved && !matches!(byte, b'/' | b'\\' | b'%') && !byte.is_ascii_control()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logs_tell_a_path_without_what_is_nobodys_business() {
        let id = "3ea61b0b-4c46-4e76-9b2e-5f9b2b1d4c11";
        let told = format!("/api/v1/users/{id}/sessions/{id}/");
        assert_eq!(shown(&told), told);
        let usable = "A".repeat(43);
        for (path, told) in [
            (
                format!("/api/v1/users/{id}/sessions/{usable}"),
                format!("/api/v1/users/{id}/sessions/*"),
            ),
            ("/users/bob@example.com/x".into(), "/users/*/x".into()),
            ("/users/bob%40example.com".into(), "/users/*".into()),
        ] {
            assert_eq!(shown(&path), told);
        }
    }

    #[test]
    fn paths_with_one_spelling_pass() {
        for path in [
            "/",
            "/api/v1/users",
            "/api/v1/users/",
            "/a%20b",
            "/%C3%A4",
            "/a;b=c",
            "/.well-known/x",
            "/...",
        ] {
            assert!(is_canonical(path), "{path}");
        }
    }

    #[test]
    fn other_spellings_are_refused() {
        for path in [
            "",
            "*",
            "api",
            "//",
            "//api/v1/users",
            "/api//v1/users",
            "/api/v1/users//",
            "/./api",
            "/api/../x",
            "/api/v1/..",
            "/api/v1/.",
            "/api/v1/%75sers",
            "/%61pi",
            "/%2e%2e/x",
            "/a%2fb",
            "/a%2Fb",
            "/a%5cb",
            "/a\\b",
            "/a%00",
            "/a%0d%0a",
            "/a%",
            "/a%4",
            "/a%zz",
            "/a%2575",
            "/ä",
            "/a b",
            "/%7e",
        ] {
            assert!(!is_canonical(path), "{path}");
        }
    }
}
