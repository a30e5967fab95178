//! The user that all of them answer with.

use serde::Serialize;

/// What sessiond tells of a user, ready to be written.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct User {
    pub id: &'static str,
    created_at: &'static str,
    updated_at: &'static str,
    email: &'static str,
    first_name: Option<&'static str>,
    last_name: Option<&'static str>,
    role: &'static str,
    disabled: bool,
}

/// The one user that there is.
pub const USER: User = User {
    id: "3ea61b0b-4c46-4e76-9b2e-5f9b2b1d4c11",
    created_at: "2026-01-31T12:00:00.000Z",
    updated_at: "2026-01-31T12:00:00.000Z",
    email: "user.number.0@example.com",
    first_name: Some("Ada"),
    last_name: Some("Lovelace"),
    role: "user",
    disabled: false,
};
