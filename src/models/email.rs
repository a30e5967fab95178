use std::fmt;
use std::str::FromStr;

use email_address::{EmailAddress, Options};
use serde::{Deserialize, Deserializer, Serialize};

use crate::error::{Code, Error, Result};

/// The longest address that fits into an SMTP path (RFC 5321, 4.5.3.1.3), in bytes.
const MAX_BYTES: usize = 254;

/// A valid e-mail address, as its owner writes it.
///
/// Addresses are ASCII, unquoted and without a colon, so that each has one spelling apart from
/// case and fits into Basic credentials (RFC 7617). They are compared by [`Email::key`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Email(String);

impl Email {
    /// Checks an address; 400 naming the rule that it breaks.
    pub fn new(address: &str) -> Result<Self> {
        let options = Options::default().without_display_text().without_domain_literal();
        let plain = address.is_ascii()
            && address.len() <= MAX_BYTES
            && !address.contains(['"', ':', '(', ')', '\\'])
            && !address.contains(|c: char| c.is_ascii_control() || c == ' ');
        if plain && EmailAddress::parse_with_options(address, options).is_ok() {
            Ok(Self(address.to_owned()))
        } else {
            Err(Error::bad(
                Code::EmailInvalid,
                "email must be an address like name@example.com, in ASCII letters",
            ))
        }
    }

    /// The form in which two spellings of one address are equal.
    pub fn key(&self) -> String {
        Self::key_of(&self.0)
    }

    /// The same for an address that nobody has checked yet.
    pub fn key_of(address: &str) -> String {
        address.to_ascii_lowercase()
    }

    /// The address as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Email {
    type Err = Error;

    fn from_str(address: &str) -> Result<Self> {
        Self::new(address)
    }
}

impl<'de> Deserialize<'de> for Email {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let address = String::deserialize(deserializer)?;
        Self::new(&address).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_addresses_are_accepted_as_written() {
        for address in
            ["bob@example.com", "Bob+tag@Sub.example.co.uk", "admin@localhost", "x_y@a.b"]
        {
            assert_eq!(Email::new(address).unwrap().as_str(), address);
        }
    }

    #[test]
    fn what_is_no_plain_address_is_refused() {
        let long = format!("{}@example.com", "a".repeat(260));
        for address in [
            "",
            "bob",
            "@example.com",
            "bob@",
            "a@b@c",
            "bob @example.com",
            " bob@example.com",
            "bob@example.com\r\nBcc: x@y",
            "bob\0@example.com",
            "\"a:b\"@example.com",
            "bob@exämple.com",
            "bob\u{200b}@example.com",
            "Bob <bob@example.com>",
            "bob@[127.0.0.1]",
            "a:b@example.com",
            "bob@example.com (home)",
            long.as_str(),
        ] {
            assert!(Email::new(address).is_err(), "{address:?}");
        }
    }

    #[test]
    fn spellings_that_differ_in_case_have_one_key() {
        assert_eq!(Email::new("BOB@Example.COM").unwrap().key(), "bob@example.com");
    }
}
