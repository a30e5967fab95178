use std::fmt;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::password::{MAX_BYTES, Password};
use crate::error::{Code, Error, Result};

/// The fewest characters (Unicode code points) of a new password (ASVS 6.2.1).
pub const MIN_CHARACTERS: usize = 8;
/// The name of this service, which is no password either.
const SERVICE: &str = "sessiond";
/// Names of roles, which are the names of many accounts.
const ROLES: [&str; 3] = ["administrator", "admin", "user"];
/// Shorter words are too likely to be part of something else.
const MIN_WORD: usize = 3;

/// The most common passwords, lower case, sorted, one a line: those of zxcvbn (MIT, Dropbox Inc.)
/// and those of Django (BSD-3-Clause, Django Software Foundation). Both were drawn from breaches.
static COMMON: &str = include_str!("common_passwords.txt");

/// What a new password must keep to. There are no rules of composition and no date of expiry
/// (ASVS 6.2.5, 6.2.10).
#[derive(Clone, Debug, Default)]
pub struct PasswordRules {
    /// Words of this service (ASVS 6.1.2), beside its name and the names of roles.
    pub context: Vec<String>,
    /// Passwords that the operator refuses (ASVS 6.2.12).
    pub refused: Blocklist,
}

impl PasswordRules {
    /// Takes a new password of the user with this e-mail address; 400 naming the rule that it
    /// breaks (ASVS 6.2.1, 6.2.4, 6.2.9, 6.2.11, 6.2.12).
    pub fn check(&self, password: String, email: &str) -> Result<Password> {
        let password = Password::sent(password);
        let text = Zeroizing::new(password.text().to_lowercase());
        let broken = if password.text().chars().count() < MIN_CHARACTERS {
            let text = format!("password must have at least {MIN_CHARACTERS} characters");
            Error::bad(Code::PasswordTooShort, text)
        } else if password.is_too_long() {
            let text = format!("password must have at most {MAX_BYTES} bytes in UTF-8");
            Error::bad(Code::PasswordTooLong, text)
        } else if is_common(&text) || self.refused.holds(&text) {
            let text = "password is one of the most common ones, choose another";
            Error::bad(Code::PasswordTooCommon, text)
        } else if self.is_made_of_context(&text, &email.to_lowercase()) {
            let text =
                "password is made of the e-mail address or the name of the service, choose another";
            Error::bad(Code::PasswordGuessable, text)
        } else {
            return Ok(password);
        };
        Err(broken)
    }

    /// Whether next to nothing is left of a password without the words that everybody can guess.
    /// A password that only contains such a word is fine (NIST SP 800-63B: whole passwords are
    /// compared, not parts of them).
    fn is_made_of_context(&self, password: &str, email: &str) -> bool {
        let parts = email.split(['@', '.', '-', '_', '+']);
        let address = [email].into_iter().chain(email.split('@')).chain(parts);
        let service = self.context.iter().map(String::as_str).chain([SERVICE]).chain(ROLES);
        let mut words: Vec<&str> = address.chain(service).collect();
        words.retain(|word| word.chars().count() >= MIN_WORD);
        words.sort_by_key(|word| std::cmp::Reverse(word.len()));
        let mut rest = Zeroizing::new(password.to_owned());
        for word in words {
            rest = Zeroizing::new(rest.replace(word, ""));
        }
        let is_less = rest.len() < password.len();
        is_less && rest.chars().count() < MIN_CHARACTERS && !rest.chars().any(char::is_alphabetic)
    }
}

fn is_common(password: &str) -> bool {
    COMMON.lines().any(|common| common == password)
}

/// Passwords that are refused whatever their case, each kept as the first eight bytes of its
/// SHA-256: beside a list of a million, one other password in 10^13 is refused by chance.
#[derive(Clone, Default)]
pub struct Blocklist(Arc<[u64]>);

impl Blocklist {
    /// The list of these passwords.
    pub fn new(passwords: impl Iterator<Item = String>) -> Self {
        let mut hashes: Vec<u64> =
            passwords.map(|password| hash(&password.to_lowercase())).collect();
        hashes.sort_unstable();
        hashes.dedup();
        Self(hashes.into())
    }

    fn holds(&self, password: &str) -> bool {
        !self.0.is_empty() && self.0.binary_search(&hash(password)).is_ok()
    }
}

impl fmt::Debug for Blocklist {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Blocklist of {}", self.0.len())
    }
}

fn hash(password: &str) -> u64 {
    let digest = Sha256::digest(password);
    u64::from_be_bytes(digest[..8].try_into().expect("a digest has 32 bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> PasswordRules {
        let refused = ["Purple-Monkey-1", "h\u{e4}llo welt"].map(str::to_owned).into_iter();
        PasswordRules { context: vec!["acme".into()], refused: Blocklist::new(refused) }
    }

    #[track_caller]
    fn assert_refused(password: &str, why: &str) {
        let error = rules().check(password.to_owned(), "Bob.Dylan@example.com").unwrap_err();
        assert!(error.to_string().contains(why), "{password}: {error}");
    }

    #[track_caller]
    fn assert_taken(password: &str) {
        let taken = rules().check(password.to_owned(), "bob.dylan@example.com");
        assert_eq!(taken.unwrap().text(), password);
    }

    #[test]
    fn characters_and_bytes_are_counted() {
        for good in [
            "k7#vQ2pz",
            "\u{1f600}x\u{1f600}x\u{1f600}x\u{1f600}y",
            "tr0ub4dor & 3",
            &"\u{e4}".repeat(128),
        ] {
            assert_taken(good);
        }
        for short in ["", "1234567", "\u{1f600}\u{1f600}"] {
            assert_refused(short, "at least 8 characters");
        }
        assert_refused(&"\u{e4}".repeat(129), "at most 256 bytes");
    }

    #[test]
    fn common_passwords_are_refused_in_any_case() {
        for common in ["password", "Password1", "QWERTYUIOP", "purple-monkey-1", "H\u{c4}LLO WELT"]
        {
            assert_refused(common, "most common");
        }
        let usable = COMMON.lines().filter(|word| word.chars().count() >= MIN_CHARACTERS);
        assert!(usable.count() >= 3000, "ASVS 6.2.4");
    }

    #[test]
    fn what_is_made_of_context_words_is_refused() {
        for context in [
            "bob.dylan@example.com",
            "BOB.DYLAN",
            "bob-dylan-2026!",
            "example.com1",
            "Sessiond1",
            "sessiondsessiond",
            "Administrator!",
            "acme-acme-acme",
            "1admin@acme1",
        ] {
            assert_refused(context, "made of");
        }
    }

    #[test]
    fn a_password_may_contain_context_words_and_be_of_any_composition() {
        for good in [
            "bob likes tea",
            "sessiond is nice",
            "admin-password-1",
            "example.com 83749201736",
            "8374920173",
            "dylanesque",
            "        x",
            "\u{1f600}\u{1f601}\u{1f602}\u{1f603}\u{1f604}\u{1f605}\u{1f606}\u{1f607}",
        ] {
            assert_taken(good);
        }
    }
}
