//! Whom lost bytes name.

use std::collections::{BTreeSet, HashMap};

use crate::models::{User, UserId};
use crate::store::table::Table;

/// Characters at either end of an id, one of which must be legible: a fault within an id seldom
/// takes both.
const BEGIN: usize = 8;
const END: usize = 12;

/// Finds users by what is left of their ids.
pub struct Names {
    begins: HashMap<String, UserId>,
    ends: HashMap<String, UserId>,
}

impl Names {
    /// Those of all users of a table.
    pub fn of(users: &Table<User>) -> Self {
        let ids = || users.iter().map(|user| (user.id.to_string(), user.id));
        Self {
            begins: ids().map(|(text, id)| (text[..BEGIN].to_owned(), id)).collect(),
            ends: ids().map(|(text, id)| (text[text.len() - END..].to_owned(), id)).collect(),
        }
    }

    /// Whom these bytes name, be it by a part of his id.
    pub fn in_bytes(&self, bytes: &[u8]) -> BTreeSet<UserId> {
        let find = |names: &HashMap<String, UserId>, length| {
            let texts = bytes.windows(length).filter_map(|text| std::str::from_utf8(text).ok());
            texts.filter_map(|text| names.get(text).copied()).collect::<BTreeSet<_>>()
        };
        find(&self.begins, BEGIN).into_iter().chain(find(&self.ends, END)).collect()
    }
}
