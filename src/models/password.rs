mod bcrypt;
mod foreign;
mod work;

use std::fmt;

use base64::Engine as _;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use self::bcrypt::{
    BCRYPT_BASE64, BCRYPT_MAX_BYTES, BcryptParts, DIGEST_LENGTH, Form, SALT_LENGTH, fits_bcrypt,
};
use self::foreign::Foreign;
use crate::error::{Code, Error, Result};
use crate::random::{self, Random};

pub use self::work::Work;

/// The most bytes (UTF-8) of a password, so that hashing has a bounded input.
pub(super) const MAX_BYTES: usize = 256;

/// A password in clear, byte for byte as it was sent; wiped when dropped, never printed.
pub struct Password(Zeroizing<String>);

impl Password {
    /// Takes what a client sent as a password to be verified, whatever it is.
    pub fn sent(password: String) -> Self {
        Self(Zeroizing::new(password))
    }

    /// Whether nothing was sent.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether this is longer than any password can be.
    pub fn is_too_long(&self) -> bool {
        self.0.len() > MAX_BYTES
    }

    pub(super) fn text(&self) -> &str {
        &self.0
    }

    fn bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password")
    }
}

/// A hashed password. Those that are made here have one of these forms:
///
/// - `$2b$<cost>$<salt><digest>`: bcrypt, where the password has at most 71 bytes and no NUL;
/// - `$bcrypt-sha256$v=2,t=2b,r=<cost>$<salt>$<digest>`: any other password, as passlib writes it:
///   bcrypt of the base64 of the HMAC-SHA-256 of the password, keyed with the salt;
/// - `$classic-sha256$v=2,t=2b,r=<cost>$<salt>$<digest>`: the same over the unsalted hex SHA-256
///   that the classic program kept, until its owner logs in.
///
/// Those of other programs are kept as they are until their owners log in: bcrypt as `$2a$`,
/// `$2b$`, `$2y$` and in Django's two forms; Argon2id, scrypt and PBKDF2-SHA256.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PasswordHash(Box<str>);

impl PasswordHash {
    /// Hashes a password. Slow by design: a third of a second at cost 12.
    pub fn new(password: &Password, cost: u32, random: &dyn Random) -> Result<Self> {
        let form = if fits_bcrypt(password.bytes()) { Form::Bcrypt } else { Form::BcryptSha256 };
        Self::build(form, password.bytes(), cost, random)
    }

    /// Takes the hash of another program, or tells why it is none or out of bounds.
    pub fn read(text: &str) -> Result<Self, String> {
        let hash = Self(bcrypt::without_stray_bits(text).unwrap_or_else(|| text.into()).into());
        hash.parts().map(|_| hash.clone())
    }

    /// Whether this is what the classic program kept: a SHA-256 in hex.
    pub fn is_classic(hex: &str) -> bool {
        hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit())
    }

    /// Wraps the unsalted hex SHA-256 of the classic program, so that it is not kept as it is.
    pub fn from_classic(hex: &str, cost: u32, random: &dyn Random) -> Result<Self> {
        if !Self::is_classic(hex) {
            return Err(Error::bad(Code::InvalidValue, "_password must be a SHA-256 in hex"));
        }
        Self::build(Form::ClassicSha256, hex.to_ascii_lowercase().as_bytes(), cost, random)
    }

    /// A hash that no password has, and that takes as long to verify as any of this cost. It
    /// stands in for users who do not exist (ASVS 6.3.8).
    pub fn of_nobody(cost: u32) -> Self {
        let (salt, digest) = ("O".repeat(SALT_LENGTH), "O".repeat(DIGEST_LENGTH));
        Self(Form::Bcrypt.write(cost, &salt, &digest).into())
    }

    /// Whether `password` is the one that was hashed. False for a stored text that is no hash.
    pub fn verify(&self, password: &Password) -> bool {
        match self.parts() {
            Ok(Parts::Bcrypt(parts)) => parts.matches(password.bytes()),
            Ok(Parts::Foreign(foreign)) => foreign.matches(password.bytes()),
            Err(_) => false,
        }
    }

    /// What it takes to verify a password against it, where the text is a hash.
    pub fn work(&self) -> Option<Work> {
        Some(match self.parts().ok()? {
            Parts::Bcrypt(parts) => Work::Bcrypt(parts.cost),
            Parts::Foreign(foreign) => foreign.work(),
        })
    }

    /// The cost, where the text is a bcrypt hash.
    pub fn cost(&self) -> Option<u32> {
        self.work().and_then(|work| if let Work::Bcrypt(cost) = work { Some(cost) } else { None })
    }

    /// Whether this should be replaced at the next good login: another form than those that are
    /// made here, or another cost than the one in force.
    pub fn is_outdated(&self, cost: u32) -> bool {
        let is_ours = self.0.starts_with(Form::Bcrypt.prefix())
            || self.0.starts_with(Form::BcryptSha256.prefix());
        !is_ours || self.cost() != Some(cost)
    }

    /// Whether this is bcrypt of no more than the beginning of `password`.
    pub fn cuts(&self, password: &Password) -> bool {
        let is_plain =
            |parts| matches!(parts, Parts::Bcrypt(BcryptParts { form: Form::Bcrypt, .. }));
        password.bytes().len() > BCRYPT_MAX_BYTES && self.parts().is_ok_and(is_plain)
    }

    fn build(form: Form, secret: &[u8], cost: u32, random: &dyn Random) -> Result<Self> {
        let salt: [u8; 16] = random::bytes(random)?;
        let salt_text = BCRYPT_BASE64.encode(salt);
        let key = form.bcrypt_key(secret, &salt_text);
        let hashed = ::bcrypt::non_truncating_hash_with_salt(key.as_slice(), cost, salt)
            .map_err(|cause| Error::Internal(format!("bcrypt: {cause}")))?
            .format_for_version(::bcrypt::Version::TwoB);
        let digest = &hashed[hashed.len() - DIGEST_LENGTH..];
        Ok(Self(form.write(cost, &salt_text, digest).into()))
    }

    /// Takes the text apart, or tells why it is no hash that is computed.
    fn parts(&self) -> Result<Parts<'_>, String> {
        match bcrypt::form_of(&self.0) {
            Some((form, rest)) => BcryptParts::read(form, rest).map(Parts::Bcrypt),
            None => Foreign::read(&self.0).map(Parts::Foreign),
        }
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash")
    }
}

/// A stored hash, taken apart.
enum Parts<'h> {
    Bcrypt(BcryptParts<'h>),
    Foreign(Foreign),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SystemRandom;

    const COST: u32 = 4;

    fn sent(password: &str) -> Password {
        Password::sent(password.to_owned())
    }

    fn hashed(password: &str) -> PasswordHash {
        PasswordHash::new(&sent(password), COST, &SystemRandom).unwrap()
    }

    #[test]
    fn a_password_is_verified_byte_for_byte() {
        let accents = ["p\u{e4}ssword", "pa\u{308}ssword"];
        for password in
            ["correct horse", " padded ", "a:b:c:d:e", "UPPER case", accents[0], accents[1]]
        {
            let hash = hashed(password);
            assert!(hash.verify(&sent(password)));
            for other in [password.trim_end(), &password.to_lowercase(), &format!("{password} ")] {
                assert_eq!(hash.verify(&sent(other)), other == password, "{other:?}");
            }
        }
        assert!(!hashed(accents[0]).verify(&sent(accents[1])), "no Unicode normalization");
    }

    #[test]
    fn every_byte_up_to_256_counts() {
        for length in [70, 71, 72, 73, 100, 256] {
            let password = "x".repeat(length);
            let hash = hashed(&password);
            assert!(hash.verify(&sent(&password)), "{length}");
            assert!(!hash.verify(&sent(&format!("{}y", &password[1..]))), "{length}: last byte");
            assert!(!hash.verify(&sent(&password[1..])), "{length}: one less");
            assert!(!hash.verify(&sent(&format!("{password}x"))), "{length}: one more");
        }
    }

    #[test]
    fn a_nul_is_a_byte_like_any_other() {
        let repeated = "password\0password";
        assert!(!hashed("password").verify(&sent(repeated)));
        assert!(!hashed(repeated).verify(&sent("password")));
        assert!(hashed(repeated).verify(&sent(repeated)));
    }

    #[test]
    fn hashes_made_by_passlib_are_verified() {
        let vectors = [
            (
                "$2b$04$n79VH.0Q2TMWmt3Oqt9ukucXR.qETX0VDJ8OVniC7PKcq0g6fVhD2",
                "correct horse".to_owned(),
            ),
            (
                "$bcrypt-sha256$v=2,t=2b,r=4$n79VH.0Q2TMWmt3Oqt9uku$4ekxwCZsN4Xl3GaUV74TX1Z.FSfT7.y",
                format!("p\u{e4}ssword\0{}", "x".repeat(80)),
            ),
        ];
        for (hash, password) in vectors {
            let hash = PasswordHash(hash.into());
            assert!(hash.verify(&sent(&password)));
            assert!(!hash.verify(&sent("another")));
        }
    }

    #[test]
    fn long_passwords_have_passlibs_form() {
        let hash = hashed(&"x".repeat(72));
        let (head, digest) = hash.0.rsplit_once('$').unwrap();
        assert!(
            head.starts_with("$bcrypt-sha256$v=2,t=2b,r=4$") && digest.len() == 31,
            "{}",
            hash.0
        );
    }

    #[test]
    fn bits_that_base64_leaves_over_are_cleared_when_a_hash_is_taken() {
        let good = hashed("correct horse").0;
        let (salt, digest) = good[7..].split_at(SALT_LENGTH);
        // The letter after another has the same leading bits, and one that nobody reads.
        let next = |part: &str| {
            let letters = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
            let last = letters.find(&part[part.len() - 1..]).unwrap();
            format!("{}{}", &part[..part.len() - 1], &letters[last + 1..=last + 1])
        };
        for stray in [format!("{}{digest}", next(salt)), format!("{salt}{}", next(digest))] {
            let stray = format!("$2a${}{stray}", &good[4..7]);
            let taken = PasswordHash::read(&stray).unwrap();
            assert_eq!(taken.0[4..], good[4..]);
            assert!(taken.verify(&sent("correct horse")));
            assert!(PasswordHash(stray.into()).work().is_none(), "stored, it has one spelling");
        }
    }

    #[test]
    fn a_classic_hash_is_wrapped_and_still_verifies() {
        let hash = PasswordHash::from_classic(CLASSIC, COST, &SystemRandom).unwrap();
        assert!(!hash.0.contains(CLASSIC));
        assert!(hash.verify(&sent("toto1234")));
        assert!(!hash.verify(&sent(CLASSIC)));
        assert!(hash.is_outdated(COST));
        assert!(PasswordHash::from_classic("toto1234", COST, &SystemRandom).is_err());
    }

    /// printf toto1234 | sha256sum
    const CLASSIC: &str = "6763be597d6fd0cdea48cee202a8abb3f78242688dab3cd349768c6f9dbd9259";

    #[test]
    fn a_hash_of_another_cost_is_outdated() {
        assert!(!hashed("correct horse").is_outdated(COST));
        assert!(hashed("correct horse").is_outdated(COST + 1));
    }

    #[test]
    fn a_text_that_is_no_hash_is_nobodys_password() {
        let good = hashed("correct horse").0;
        let costly = good.replacen("$04$", "$31$", 1);
        let foreign = format!("{}\u{e9}\u{e9}", &good[..good.len() - 4]);
        let no_digit = format!("{}!", &good[..good.len() - 1]);
        let [padded, signed] = ["$004$", "$+4$"].map(|cost| good.replacen("$04$", cost, 1));
        let sha256 = "$bcrypt-sha256$v=2,t=2b,r=4$";
        for text in [
            "",
            "$2b$",
            "plain",
            &costly,
            &foreign,
            &no_digit,
            &padded,
            &signed,
            &good[..40],
            sha256,
        ] {
            let hash = PasswordHash(text.into());
            assert!(!hash.verify(&sent("correct horse")), "{text}");
            assert!(hash.cost().is_none() || text == good.as_ref(), "{text}");
        }
        assert!(!PasswordHash::of_nobody(COST).verify(&sent("")));
    }
}
