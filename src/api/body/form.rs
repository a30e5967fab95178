//! What forms and queries are written in.

use percent_encoding::percent_decode;

/// Names and values of `application/x-www-form-urlencoded`.
pub fn pairs(encoded: &[u8]) -> impl Iterator<Item = (Vec<u8>, Vec<u8>)> {
    let pairs = encoded.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty());
    pairs.map(|pair| {
        let mut halves = pair.splitn(2, |byte| *byte == b'=');
        let mut half = || decode_form(halves.next().unwrap_or_default());
        (half(), half())
    })
}

/// Decodes `application/x-www-form-urlencoded` to the bytes that were meant.
fn decode_form(encoded: &[u8]) -> Vec<u8> {
    let spaced: Vec<u8> = encoded.iter().map(|b| if *b == b'+' { b' ' } else { *b }).collect();
    percent_decode(&spaced).collect()
}
