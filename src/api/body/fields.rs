//! The members of a body or a query, and what each may be.

use std::collections::HashMap;
use std::fmt;
use std::ops::RangeInclusive;

use actix_multipart::Multipart;
use actix_web::HttpRequest;
use actix_web::http::header::HeaderMap;
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use futures_util::future::ready;
use serde::de::{self, Deserializer as _, MapAccess, Visitor};
use serde_json::Value;

use super::form::pairs;
use super::wrong_format;
use crate::error::{Code, Error, Result};
use crate::models::Role;

/// The members of a body, by name. One that is there twice is refused, since two readers could
/// disagree on which of them counts (ASVS 15.3.7); those that a route does not know are ignored.
#[derive(Default)]
pub struct Fields(pub(super) HashMap<String, Value>);

impl Fields {
    pub(super) fn from_json(body: &[u8]) -> Result<Self> {
        let mut json = serde_json::Deserializer::from_slice(body);
        let fields = json.deserialize_map(MembersOnce);
        fields.and_then(|fields| json.end().map(|()| fields)).map_err(|_| wrong_format())
    }

    pub(super) fn from_form(body: &[u8]) -> Result<Self> {
        let mut fields = Self::default();
        for (name, value) in pairs(body) {
            fields.add(name, value)?;
        }
        Ok(fields)
    }

    /// The members of a query that a route defines; all others are ignored.
    pub fn from_query(request: &HttpRequest, defined: &[&str]) -> Result<Self> {
        let mut fields = Self::default();
        for (name, value) in pairs(request.query_string().as_bytes()) {
            let Some(name) = defined.iter().find(|defined| defined.as_bytes() == name) else {
                continue;
            };
            let no_text = |_| Error::bad(Code::InvalidValue, format!("{name} must be UTF-8"));
            let value = String::from_utf8(value).map_err(no_text)?;
            if fields.0.insert((*name).to_owned(), Value::String(value)).is_some() {
                return Err(Error::bad(Code::SentTwice, format!("{name} must not be sent twice")));
            }
        }
        Ok(fields)
    }

    pub(super) async fn from_multipart(headers: &HeaderMap, body: Bytes) -> Result<Self> {
        let body = futures_util::stream::once(ready(Ok(body)));
        let mut parts = Multipart::new(headers, body);
        let mut fields = Self::default();
        while let Some(part) = parts.next().await {
            let mut part = part.map_err(|_| wrong_format())?;
            let name = part.name().unwrap_or_default().as_bytes().to_vec();
            let mut value = BytesMut::new();
            while let Some(chunk) = part.next().await {
                value.extend_from_slice(&chunk.map_err(|_| wrong_format())?);
            }
            fields.add(name, value.to_vec())?;
        }
        Ok(fields)
    }

    /// Takes a member of a form; text that is no UTF-8 is refused rather than changed.
    fn add(&mut self, name: Vec<u8>, value: Vec<u8>) -> Result<()> {
        let text = |bytes| {
            String::from_utf8(bytes)
                .map_err(|_| Error::bad(Code::WrongFormat, "form must be UTF-8"))
        };
        let (name, value) = (text(name)?, text(value)?);
        let twice = Error::bad(Code::SentTwice, "a form field must not be sent twice");
        let before = self.0.insert(name, Value::String(value));
        if before.is_some() { Err(twice) } else { Ok(()) }
    }

    fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// Whether a member is there, be it null.
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// A text; null or absent is none, anything else is 400.
    pub fn text(&self, name: &str) -> Result<Option<String>> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(Error::bad(Code::InvalidValue, format!("{name} must be a string"))),
        }
    }

    /// A text that must be there and not be empty; 400 `<name> missing` otherwise.
    pub fn required(&self, name: &str) -> Result<String> {
        let text = self.text(name)?.filter(|text| !text.is_empty());
        text.ok_or_else(|| Error::bad(missing(name), format!("{name} missing")))
    }

    /// A JSON boolean.
    pub fn boolean(&self, name: &str) -> Result<Option<bool>> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::Bool(boolean)) => Ok(Some(*boolean)),
            Some(_) => Err(Error::bad(Code::InvalidValue, format!("{name} must be true or false"))),
        }
    }

    /// A yes or no: a JSON boolean, 1 or 0, or one of the words that forms send.
    pub fn flag(&self, name: &str) -> Result<Option<bool>> {
        let value = self.get(name);
        if let Some(number @ (0 | 1)) = value.and_then(Value::as_u64) {
            return Ok(Some(number == 1));
        }
        match value.and_then(Value::as_str) {
            Some("1" | "true" | "on" | "yes") => Ok(Some(true)),
            Some("" | "0" | "false" | "off" | "no") => Ok(Some(false)),
            _ => self.boolean(name).map_err(|_| no_flag(name)),
        }
    }

    /// The same in a query, where nothing is neither.
    pub fn flag_of_query(&self, name: &str) -> Result<Option<bool>> {
        let is_empty = self.get(name).and_then(Value::as_str).is_some_and(str::is_empty);
        if is_empty { Err(no_flag(name)) } else { self.flag(name) }
    }

    /// A whole number that must be within `allowed`, in digits, as queries hold it.
    pub fn number(&self, name: &str, allowed: RangeInclusive<usize>) -> Result<Option<usize>> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let is_plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let number = text.parse().ok().filter(|number| is_plain && allowed.contains(number));
        let (least, most) = allowed.into_inner();
        let wrong = || {
            Error::bad(
                Code::InvalidValue,
                format!("{name} must be a number from {least} to {most}"),
            )
        };
        number.map(Some).ok_or_else(wrong)
    }

    /// The member `role`.
    pub fn role(&self) -> Result<Option<Role>> {
        self.get("role").map(|role| role.as_str().unwrap_or_default().parse()).transpose()
    }
}

fn no_flag(name: &str) -> Error {
    Error::bad(Code::InvalidValue, format!("{name} must be true or false, or 1 or 0"))
}

/// Reads a JSON object and refuses a member that is there twice.
struct MembersOnce;

impl<'de> Visitor<'de> for MembersOnce {
    type Value = Fields;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Fields, M::Error> {
        let mut members = HashMap::new();
        while let Some((name, value)) = map.next_entry::<String, Value>()? {
            if members.insert(name, value).is_some() {
                return Err(de::Error::custom("a member is there twice"));
            }
        }
        Ok(Fields(members))
    }
}

/// What tells that a member is missing which must be there.
fn missing(name: &str) -> Code {
    match name {
        "email" => Code::EmailMissing,
        "password" => Code::PasswordMissing,
        "new_password" => Code::NewPasswordMissing,
        "current_password" => Code::CurrentPasswordMissing,
        _ => Code::WrongFormat,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_decoded_to_the_bytes_that_were_meant() {
        let fields =
            Fields::from_form(b"email=a%40b.c&password=+p%26w%3D%C3%A4%2B+&x&&y=").unwrap();
        assert_eq!(fields.required("email").unwrap(), "a@b.c");
        assert_eq!(fields.required("password").unwrap(), " p&w=\u{e4}+ ");
        for form in [&b"password=a&password=b"[..], b"password=%ff", b"%fe=x"] {
            assert!(Fields::from_form(form).is_err(), "{form:?}");
        }
    }

    #[test]
    fn only_an_object_with_each_member_once_is_taken() {
        for json in [
            "[]",
            "\"x\"",
            "null",
            "1",
            "",
            "{",
            "{}x",
            "[[\"email\",\"x\"]]",
            "{\"a\":1,\"a\":1}",
            "{'a':1}",
        ] {
            assert!(Fields::from_json(json.as_bytes()).is_err(), "{json}");
        }
        assert!(Fields::from_json(b" {} ").is_ok());
        assert!(Fields::from_json(b"{\"password\":\"\\ud800\"}").is_err(), "a lone surrogate");
        assert!(Fields::from_json("[".repeat(100_000).as_bytes()).is_err());
    }

    #[test]
    fn members_have_their_types() {
        let fields = Fields::from_json(
            br#"{"email":1,"password":"","first_name":null,"disabled":"on","remember":2,"role":["admin"]}"#,
        );
        let fields = fields.unwrap();
        assert_eq!(fields.required("email").unwrap_err().to_string(), "email must be a string");
        assert_eq!(fields.required("password").unwrap_err().to_string(), "password missing");
        assert_eq!(fields.text("first_name").unwrap(), None);
        assert_eq!(fields.flag("disabled").unwrap(), Some(true));
        assert!(fields.boolean("disabled").is_err(), "a word is no boolean");
        let form = Fields::from_form(b"remember=on&x=no&y=maybe").unwrap();
        assert_eq!(form.flag("remember").unwrap(), Some(true));
        assert_eq!(form.flag("x").unwrap(), Some(false));
        assert!(form.flag("y").is_err());
        assert!(fields.flag("remember").is_err());
        assert!(fields.role().is_err());
    }
}
