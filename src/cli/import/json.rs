//! JSON as others wrote it: nothing in it may be said twice.

use std::collections::HashSet;
use std::fmt;

use serde::Deserialize;
use serde::de::{self, DeserializeOwned, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The members of an object in their order, none of which is there twice; their values still as
/// they were written.
pub struct Members<'j>(pub Vec<(String, &'j RawValue)>);

impl<'j> Members<'j> {
    /// Reads an object.
    pub fn read(json: &'j RawValue) -> Result<Self, String> {
        serde_json::from_str(json.get()).map_err(|error| error.to_string())
    }

    /// The member of this name.
    pub fn get(&self, name: &str) -> Option<&'j RawValue> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| *value)
    }
}

impl<'j> Deserialize<'j> for Members<'j> {
    fn deserialize<D: Deserializer<'j>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Object)
    }
}

struct Object;

impl<'j> Visitor<'j> for Object {
    type Value = Members<'j>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'j>>(self, mut map: M) -> Result<Self::Value, M::Error> {
        let (mut members, mut seen) = (Vec::new(), HashSet::new());
        while let Some((name, value)) = map.next_entry::<String, &RawValue>()? {
            if !seen.insert(name.clone()) {
                return Err(de::Error::custom(format!("{name} is there twice")));
            }
            members.push((name, value));
        }
        Ok(Members(members))
    }
}

/// Reads a record, no member of which is there twice.
pub fn record<T: DeserializeOwned>(json: &RawValue) -> Result<T, String> {
    Members::read(json)?;
    serde_json::from_str(json.get()).map_err(|error| error.to_string())
}
