//! bcrypt, in the forms that are made here and those of other programs.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD, STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use zeroize::{Zeroize as _, Zeroizing};

use super::work::Work;
use crate::models::token::hex;

/// What bcrypt itself can hold: 72 bytes less the NUL that ends its key.
pub const BCRYPT_MAX_BYTES: usize = 71;
/// Characters of a salt and of a digest in bcrypt's base64.
pub const SALT_LENGTH: usize = 22;
pub const DIGEST_LENGTH: usize = 31;

/// The base64 of bcrypt hashes: its own alphabet, no padding.
pub const BCRYPT_BASE64: GeneralPurpose = GeneralPurpose::new(&alphabet::BCRYPT, NO_PAD);

/// What bcrypt is given.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// The password.
    Bcrypt,
    /// The HMAC of the password.
    BcryptSha256,
    /// The HMAC of the hex SHA-256 of the password.
    ClassicSha256,
    /// Django's: the hex SHA-256 of the password.
    DjangoSha256,
}

/// How the texts of the forms begin. `$2a$`, `$2b$` and `$2y$` are three names of one thing, for
/// programs whose bcrypt had no defects; `$2x$`, the name of one that had, is not among them.
const FORMS: [(&str, Form); 11] = [
    (Form::Bcrypt.prefix(), Form::Bcrypt),
    (Form::BcryptSha256.prefix(), Form::BcryptSha256),
    (Form::ClassicSha256.prefix(), Form::ClassicSha256),
    ("$2a$", Form::Bcrypt),
    ("$2y$", Form::Bcrypt),
    ("bcrypt$$2a$", Form::Bcrypt),
    ("bcrypt$$2b$", Form::Bcrypt),
    ("bcrypt$$2y$", Form::Bcrypt),
    ("bcrypt_sha256$$2a$", Form::DjangoSha256),
    (Form::DjangoSha256.prefix(), Form::DjangoSha256),
    ("bcrypt_sha256$$2y$", Form::DjangoSha256),
];

/// The form of a text, and what follows its beginning.
pub fn form_of(text: &str) -> Option<(Form, &str)> {
    FORMS.iter().find_map(|(prefix, form)| Some((*form, text.strip_prefix(prefix)?)))
}

impl Form {
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Bcrypt => "$2b$",
            Self::BcryptSha256 => "$bcrypt-sha256$v=2,t=2b,r=",
            Self::ClassicSha256 => "$classic-sha256$v=2,t=2b,r=",
            Self::DjangoSha256 => "bcrypt_sha256$$2b$",
        }
    }

    /// Whether cost, salt and digest are written as bcrypt does it, and not as passlib does.
    const fn is_crypt(self) -> bool {
        matches!(self, Self::Bcrypt | Self::DjangoSha256)
    }

    pub fn write(self, cost: u32, salt: &str, digest: &str) -> String {
        let separator = if self.is_crypt() { "" } else { "$" };
        format!("{}{}${salt}{separator}{digest}", self.prefix(), self.spell(cost))
    }

    fn spell(self, cost: u32) -> String {
        if self.is_crypt() { format!("{cost:02}") } else { cost.to_string() }
    }

    /// What bcrypt is given: the secret itself, or its keyed digest where bcrypt would not hold it.
    pub fn bcrypt_key(self, secret: &[u8], salt: &str) -> Zeroizing<Vec<u8>> {
        if self.is_crypt() {
            return Zeroizing::new(secret.to_vec());
        }
        let mut mac = Hmac::<Sha256>::new_from_slice(salt.as_bytes()).expect("any length is a key");
        mac.update(secret);
        let mut digest = mac.finalize().into_bytes();
        let key = Zeroizing::new(STANDARD.encode(digest).into_bytes());
        digest.zeroize();
        key
    }
}

/// A stored hash, taken apart.
pub struct BcryptParts<'h> {
    pub form: Form,
    pub cost: u32,
    salt: &'h str,
    digest: &'h str,
}

impl<'h> BcryptParts<'h> {
    /// Reads what follows the beginning of a text; each hash has one spelling.
    pub fn read(form: Form, rest: &'h str) -> Result<Self, String> {
        let sound = |text: &str, bytes| BCRYPT_BASE64.decode(text).is_ok_and(|b| b.len() == bytes);
        let (spelled, salt, digest) = split(form, rest)
            .filter(|(_, salt, digest)| sound(salt, 16) && sound(digest, 23))
            .ok_or("has not the shape of a bcrypt hash")?;
        let cost = spelled.parse().ok().filter(|cost| form.spell(*cost) == spelled);
        let cost = cost.ok_or("has a cost of bcrypt that is no number")?;
        Work::Bcrypt(cost).check()?;
        Ok(Self { form, cost, salt, digest })
    }

    pub fn matches(&self, password: &[u8]) -> bool {
        let digest = || Zeroizing::new(hex(&Sha256::digest(password).into()).to_vec());
        let secret = match self.form {
            Form::ClassicSha256 | Form::DjangoSha256 => digest(),
            Form::Bcrypt | Form::BcryptSha256 => Zeroizing::new(password.to_vec()),
        };
        let key = self.form.bcrypt_key(&secret, self.salt);
        let hash = Form::Bcrypt.write(self.cost, self.salt, self.digest);
        // Both compare in constant time. An error means that the text is no hash: nobody's password.
        if key.len() <= BCRYPT_MAX_BYTES {
            // Programs differ in what they make of a NUL, so there is none in the password behind
            // a plain hash; the work is done all the same.
            return bcrypt::non_truncating_verify(key.as_slice(), &hash).unwrap_or(false)
                && (self.form != Form::Bcrypt || fits_bcrypt(&key));
        }
        // Another program has cut its password here. It has never cut one of ours: those are
        // followed by a NUL before they end, which what is left of this one does not hold.
        bcrypt::verify(key.as_slice(), &hash).unwrap_or(false) && !key.contains(&0)
    }
}

/// Whether bcrypt takes all of `secret`: it cuts at 72 bytes, and a NUL ends its key early.
pub fn fits_bcrypt(secret: &[u8]) -> bool {
    secret.len() <= BCRYPT_MAX_BYTES && !secret.contains(&0)
}

/// Cost, salt and digest, as they are written.
fn split(form: Form, rest: &str) -> Option<(&str, &str, &str)> {
    let (cost, rest) = rest.split_once('$')?;
    let (salt, digest) = rest.split_at_checked(SALT_LENGTH)?;
    let digest = if form.is_crypt() { digest } else { digest.strip_prefix('$')? };
    Some((cost, salt, digest))
}

/// A bcrypt hash of another program without the bits that base64 leaves over in the last letters
/// of salt and digest. Some programs have set them, and nobody reads them.
pub fn without_stray_bits(text: &str) -> Option<String> {
    let lenient = NO_PAD.with_decode_allow_trailing_bits(true);
    let lenient = GeneralPurpose::new(&alphabet::BCRYPT, lenient);
    let clear = |part: &str| Some(BCRYPT_BASE64.encode(lenient.decode(part).ok()?));
    let (form, rest) = form_of(text).filter(|(form, _)| form.is_crypt())?;
    let (_, salt, digest) = split(form, rest)?;
    let head = text.strip_suffix(digest)?.strip_suffix(salt)?;
    Some(format!("{head}{}{}", clear(salt)?, clear(digest)?))
}
