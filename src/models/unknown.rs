use std::fmt;

use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

/// Members of a stored record that this version does not know; they survive a rewrite. Nearly
/// always there are none, so that is all they take then.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Unknown(Option<Box<Map<String, Value>>>);

impl Unknown {
    /// None.
    pub const fn new() -> Self {
        Self(None)
    }

    /// Adds a member, or puts another value in its place; returns the one that was there.
    pub fn insert(&mut self, name: String, value: Value) -> Option<Value> {
        self.0.get_or_insert_default().insert(name, value)
    }

    /// The value of a member.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.as_ref()?.get(name)
    }
}

impl Serialize for Unknown {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().flat_map(|members| members.iter()))
    }
}

/// Reads the members that are left over when those in `known` have been read. Each must be there
/// once, and have a name that cannot be a known one that was mistyped or damaged: such a record
/// would go by the default of the member that it lacks, and a disabled user be enabled.
pub(super) fn read<'de, D: Deserializer<'de>>(
    record: D,
    known: &'static [&'static str],
) -> Result<Unknown, D::Error> {
    record.deserialize_map(LeftOver { known })
}

struct LeftOver {
    known: &'static [&'static str],
}

impl<'de> Visitor<'de> for LeftOver {
    type Value = Unknown;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut record: M) -> Result<Unknown, M::Error> {
        let mut unknown = Unknown::new();
        while let Some((name, value)) = record.next_entry::<String, Value>()? {
            check(&name, self.known).map_err(de::Error::custom)?;
            if unknown.get(&name).is_some() {
                return Err(de::Error::custom(format!("member '{name}' is there twice")));
            }
            unknown.insert(name, value);
        }
        Ok(unknown)
    }
}

/// Whether a name may be that of a member of a later version; the error says why it may not.
fn check(name: &str, known: &[&str]) -> Result<(), String> {
    // An escape like \b in a name is one damaged byte, and takes two characters from it.
    if name.contains(char::is_control) {
        return Err(format!("member {name:?} is unknown, and no name"));
    }
    match known.iter().find(|known| is_one_edit_away(name, known)) {
        Some(meant) => Err(format!("member '{name}' is unknown; is '{meant}' meant?")),
        None => Ok(()),
    }
}

/// Whether one character that is replaced, inserted, left out or swapped with its neighbour makes
/// one name of the other; the case of letters does not matter.
fn is_one_edit_away(name: &str, other: &str) -> bool {
    let chars = |name: &str| name.to_lowercase().chars().collect::<Vec<_>>();
    let (name, other) = (chars(name), chars(other));
    let equal = name.iter().zip(&other).take_while(|(a, b)| a == b).count();
    let (name, other) = (&name[equal..], &other[equal..]);
    let swapped = || match (name, other) {
        ([a, b, rest @ ..], [c, d, other @ ..]) => (a, b, rest) == (d, c, other),
        _ => false,
    };
    name.get(1..) == other.get(1..)
        || name.get(1..) == Some(other)
        || Some(name) == other.get(1..)
        || swapped()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Holds that these are the members of a record that has them all, and that none of them is
    /// one edit away from another.
    pub fn assert_members(record: &impl Serialize, members: &[&str]) {
        let written = serde_json::to_string(record).unwrap();
        let written: Map<String, Value> = serde_json::from_str(&written).unwrap();
        let mut sorted = members.to_vec();
        sorted.sort_unstable();
        assert_eq!(written.keys().collect::<Vec<_>>(), sorted);
        for (number, member) in members.iter().enumerate() {
            assert_eq!(check(member, &members[number + 1..]), Ok(()));
        }
    }

    const KNOWN: [&str; 3] = ["id", "role", "must_change"];

    fn refusal(name: &str) -> Option<String> {
        check(name, &KNOWN).err()
    }

    #[test]
    fn a_name_that_was_mistyped_is_told_from_one_that_is_unknown() {
        for (name, meant) in [
            ("sole", "role"),
            ("roles", "role"),
            ("trole", "role"),
            ("roe", "role"),
            ("ole", "role"),
            ("rol", "role"),
            ("rloe", "role"),
            ("orle", "role"),
            ("ROLE", "role"),
            ("r\u{f6}le", "role"),
            ("i", "id"),
            ("di", "id"),
            ("must-change", "must_change"),
            ("mustchange", "must_change"),
        ] {
            let told = format!("member '{name}' is unknown; is '{meant}' meant?");
            assert_eq!(refusal(name), Some(told));
        }
        for name in ["", "phone", "role_of", "rloes", "elor", "parole", "must_have_changed", "idea"]
        {
            assert_eq!(refusal(name), None, "{name}");
        }
    }

    #[test]
    fn a_name_with_a_control_character_is_none() {
        assert_eq!(
            refusal("mus\t_change").unwrap(),
            r#"member "mus\t_change" is unknown, and no name"#
        );
        assert!(refusal("\0").is_some());
    }

    proptest! {
        #[test]
        fn an_edit_is_one_in_both_directions(name in "[ab]{0,5}", place in 0..6_usize, new in "[ab]?") {
            let place = place.min(name.len());
            let edited = format!("{}{new}{}", &name[..place], &name[(place + 1).min(name.len())..]);
            prop_assert!(is_one_edit_away(&name, &edited) && is_one_edit_away(&edited, &name));
        }
    }
}
