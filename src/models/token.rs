use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroize as _;

use crate::error::Result;
use crate::random::{self, Random};

/// Bytes of randomness in a session id: 256 bits, twice what ASVS 7.2.3 asks for.
const RANDOM_BYTES: usize = 32;
/// Characters of a session id: 32 bytes in base64url without padding (RFC 4648, 5).
const LENGTH: usize = 43;

/// Whether a byte is of the URL-safe alphabet of base64 (RFC 4648, 5). It is asked of many bytes
/// with every request.
pub const fn is_url_safe(byte: u8) -> bool {
    const SAFE: [bool; 256] = {
        let mut safe = [false; 256];
        let mut byte = 0;
        while byte < 128_u8 {
            safe[byte as usize] = byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
            byte += 1;
        }
        safe
    };
    SAFE[byte as usize]
}

/// A session id as its owner holds it: the secret itself.
///
/// It is shown once, by [`SessionId::reveal`], in the answer of the login. It cannot be printed or
/// serialized, and nothing keeps it: stores know only its [`SessionHash`].
pub struct SessionId([u8; LENGTH]);

impl SessionId {
    /// A new id; 503 when there is no randomness.
    pub fn generate(random: &dyn Random) -> Result<Self> {
        let mut secret: [u8; RANDOM_BYTES] = random::bytes(random)?;
        let mut text = [0; LENGTH];
        URL_SAFE_NO_PAD
            .encode_slice(secret, &mut text)
            .expect("32 bytes are 43 characters of base64url");
        secret.zeroize();
        Ok(Self(text))
    }

    /// Reads an id that a client sent; none when it has not the shape of one.
    pub fn parse(sent: &[u8]) -> Option<Self> {
        let text: [u8; LENGTH] = sent.try_into().ok()?;
        // Looked at to the end whatever there is, which takes less than to ask after each.
        let shaped = text.iter().fold(true, |shaped, byte| shaped & is_url_safe(*byte));
        shaped.then_some(Self(text))
    }

    /// The id in clear, for the one answer that hands it out.
    pub fn reveal(&self) -> &str {
        std::str::from_utf8(&self.0).expect("an id is ASCII by construction")
    }

    /// What is kept of this id.
    pub fn hash(&self) -> SessionHash {
        SessionHash(Sha256::digest(self.0).into())
    }
}

impl Drop for SessionId {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionId")
    }
}

/// The SHA-256 of a session id (of its 43 characters); what stores and files hold.
///
/// Written in lower-case hex. One fast hash is enough for a secret of 256 random bits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionHash([u8; 32]);

impl SessionHash {
    /// From the 32 bytes of a digest.
    pub const fn from_bytes(digest: [u8; 32]) -> Self {
        Self(digest)
    }
}

impl AsRef<[u8]> for SessionHash {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for SessionHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(as_text(&hex(&self.0)))
    }
}

impl fmt::Debug for SessionHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionHash({self})")
    }
}

impl FromStr for SessionHash {
    type Err = String;

    fn from_str(hex: &str) -> Result<Self, String> {
        let wrong = || format!("'{hex}' is not a SHA-256 in lower-case hex");
        let digit = |b: u8| match b {
            b'0'..=b'9' => Some(b - b'0'),
            b'a'..=b'f' => Some(b - b'a' + 10),
            _ => None,
        };
        let hex_bytes: &[u8; 64] = hex.as_bytes().try_into().map_err(|_| wrong())?;
        let mut digest = [0; 32];
        for (byte, pair) in digest.iter_mut().zip(hex_bytes.chunks_exact(2)) {
            let (high, low) = digit(pair[0]).zip(digit(pair[1])).ok_or_else(wrong)?;
            *byte = high << 4 | low;
        }
        Ok(Self(digest))
    }
}

impl Serialize for SessionHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(as_text(&hex(&self.0)))
    }
}

impl<'de> Deserialize<'de> for SessionHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Borrowed: a million of them are read at a start.
        #[derive(Deserialize)]
        struct Hex<'h>(#[serde(borrow)] Cow<'h, str>);
        Hex::deserialize(deserializer)?.0.parse().map_err(serde::de::Error::custom)
    }
}

/// A digest in lower-case hex. A digit is reckoned and not looked up, so that many are at once.
pub(super) fn hex(digest: &[u8; 32]) -> [u8; 64] {
    let digit = |value: u8| value + if value < 10 { b'0' } else { b'a' - 10 };
    let mut hex = [0; 64];
    for (pair, byte) in hex.as_chunks_mut::<2>().0.iter_mut().zip(digest) {
        *pair = [digit(byte >> 4), digit(byte & 15)];
    }
    hex
}

fn as_text(hex: &[u8; 64]) -> &str {
    std::str::from_utf8(hex).expect("hex is ASCII")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SystemRandom;

    struct NoRandom;
    impl Random for NoRandom {
        fn fill(&self, _: &mut [u8]) -> std::io::Result<()> {
            Err(std::io::Error::other("no entropy"))
        }
    }

    #[test]
    fn ids_have_43_url_safe_characters_and_differ() {
        let (a, b) = (
            SessionId::generate(&SystemRandom).unwrap(),
            SessionId::generate(&SystemRandom).unwrap(),
        );
        assert_eq!(a.reveal().len(), 43);
        assert_ne!(a.reveal(), b.reveal());
        assert_eq!(SessionId::parse(a.reveal().as_bytes()).unwrap().hash(), a.hash());
    }

    #[test]
    fn without_randomness_there_is_no_id() {
        assert!(SessionId::generate(&NoRandom).is_err());
    }

    #[test]
    fn what_has_not_the_shape_of_an_id_is_none() {
        let good = SessionId::generate(&SystemRandom).unwrap();
        let good = good.reveal();
        let (cut, longer, spaced) = (&good[..42], format!("{good}A"), format!("{}%", &good[..42]));
        for sent in [cut, &longer, &spaced, "", "x", "../../../../../../../etc/passwd-------------"]
        {
            assert!(SessionId::parse(sent.as_bytes()).is_none(), "{sent:?}");
        }
        assert!(SessionId::parse(&[0xff; 43]).is_none());
    }

    #[test]
    fn the_id_cannot_be_printed_by_accident() {
        let id = SessionId::generate(&SystemRandom).unwrap();
        assert_eq!(format!("{id:?}"), "SessionId");
    }

    #[test]
    fn a_hash_is_the_sha256_of_the_characters_in_hex() {
        let id = SessionId::parse(&[b'A'; 43]).unwrap();
        let hash = id.hash();
        // printf 'A%.0s' {1..43} | sha256sum
        assert_eq!(hash.to_string(), SHA_OF_43_A);
        assert_eq!(hash.to_string().parse(), Ok(hash));
        assert!("zz".parse::<SessionHash>().is_err());
    }

    const SHA_OF_43_A: &str = "0f007385b6f9d4b7eeb2748605afe1a984a0a3bfa3f014d09e2a784ce9e5cd1a";
}
