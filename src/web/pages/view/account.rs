//! One's own account.

use askama::Template;

use super::{Field, Frame, When, first_wrong};

/// A session in a table.
pub struct SessionRow {
    /// Its public id.
    pub id: String,
    /// The device in words.
    pub device: String,
    /// All that the device says of itself.
    pub agent: String,
    /// From where it was begun.
    pub address: Option<String>,
    /// When it was begun.
    pub created: When,
    /// When it was last used.
    pub last_seen: When,
    /// Whether it outlives the browser.
    pub remembered: bool,
    /// Whether the page is shown to it.
    pub current: bool,
}

/// Shows somebody himself.
#[derive(Template)]
#[template(path = "pages/account.html")]
pub struct AccountPage {
    /// What is around it.
    pub frame: Frame,
    /// His e-mail address.
    pub email: String,
    /// His role.
    pub role: String,
    /// His first name.
    pub first_name: Field,
    /// His last name.
    pub last_name: Field,
    /// His sessions.
    pub sessions: Vec<SessionRow>,
    /// What went wrong.
    pub problem: Option<String>,
}

impl AccountPage {
    fn focus(&self) -> &str {
        let names = [&self.first_name.error, &self.last_name.error];
        first_wrong(&[("first_name", names[0]), ("last_name", names[1])])
    }

    fn has_others(&self) -> bool {
        self.sessions.iter().any(|session| !session.current)
    }
}

/// Lets somebody change his password.
#[derive(Template)]
#[template(path = "pages/password.html")]
pub struct PasswordPage {
    /// What is around it.
    pub frame: Frame,
    /// Whose password it is.
    pub email: String,
    /// What a new password must keep to, a sentence each.
    pub rules: Vec<String>,
    /// Whether nothing else can be done before.
    pub must_change: bool,
    /// What is wrong with the password so far.
    pub current_error: Option<String>,
    /// What is wrong with the new one.
    pub new_error: Option<String>,
    /// What else went wrong.
    pub problem: Option<String>,
}

impl PasswordPage {
    fn focus(&self) -> &str {
        first_wrong(&[("current_password", &self.current_error), ("new_password", &self.new_error)])
    }
}
