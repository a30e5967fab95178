//! What of a record is told. Never the record itself: nothing that is added to one leaves the
//! service unasked (ASVS 15.3.1).

use serde::Serialize;

use crate::clock::Timestamp;
use crate::models::{Email, Role, User, UserId};

/// A user on the wire.
#[derive(Serialize)]
pub struct UserView<'u> {
    id: UserId,
    created_at: Timestamp,
    updated_at: Timestamp,
    email: &'u Email,
    first_name: Option<&'u str>,
    last_name: Option<&'u str>,
    role: Role,
    disabled: bool,
}

impl<'u> From<&'u User> for UserView<'u> {
    fn from(user: &'u User) -> Self {
        Self {
            id: user.id,
            created_at: user.created_at,
            updated_at: user.updated_at,
            email: &user.email,
            first_name: user.first_name.as_deref(),
            last_name: user.last_name.as_deref(),
            role: user.role,
            disabled: user.disabled,
        }
    }
}
