//! One's own account.

use askama::Template;

use super::{Field, Frame, When};

/// One's own account.
#[derive(Template)]
#[template(path = "pages/account.html")]
pub struct AccountPage {
    pub frame: Frame,
    pub email: String,
    pub role: String,
    pub first_name: Field,
    pub last_name: Field,
    pub sessions: Vec<SessionRow>,
    pub problem: Option<String>,
}

/// A session in a table.
pub struct SessionRow {
    /// The public id.
    pub id: String,
    /// The device in words.
    pub device: String,
    /// What it calls itself, in full.
    pub agent: String,
    pub address: Option<String>,
    pub created: When,
    pub last_seen: When,
    pub remembered: bool,
    /// Whether it is the one that asks.
    pub current: bool,
}

/// Where one changes one's password.
#[derive(Template)]
#[template(path = "pages/password.html")]
pub struct PasswordPage {
    pub frame: Frame,
    pub email: String,
    /// What is allowed.
    pub rules: Vec<String>,
    /// Whether nothing else can be done before.
    pub must_change: bool,
    pub current_error: Option<String>,
    pub new_error: Option<String>,
    pub problem: Option<String>,
}
