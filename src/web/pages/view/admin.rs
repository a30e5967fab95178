//! Administration.

use askama::Template;

use super::{Field, Frame, SessionRow, When};

/// The front page of the administration.
#[derive(Template)]
#[template(path = "pages/admin.html")]
pub struct AdminPage {
    pub frame: Frame,
    pub figures: Figures,
}

/// What an operator looks for.
pub struct Figures {
    pub users: usize,
    pub sessions: usize,
    /// In the last hour.
    pub logins: u64,
    /// Logins that were refused in the last hour.
    pub failures: u64,
    /// What the service cannot do.
    pub trouble: Option<String>,
    pub version: &'static str,
}

/// A user in a table.
pub struct UserRow {
    pub id: String,
    pub email: String,
    pub name: String,
    pub role: String,
    pub disabled: bool,
    pub must_change: bool,
    pub created: When,
}

/// Users, by pages.
#[derive(Template)]
#[template(path = "pages/users.html")]
pub struct UsersPage {
    pub frame: Frame,
    /// What was looked for.
    pub search: String,
    pub users: Vec<UserRow>,
    /// Where the next page is.
    pub next: Option<String>,
    /// Where the first page is, if this is another one.
    pub first: Option<String>,
    pub problem: Option<String>,
}

/// Where a user is made.
#[derive(Default, Template)]
#[template(path = "pages/new_user.html")]
pub struct NewUserPage {
    pub frame: Frame,
    pub email: Field,
    pub first_name: Field,
    pub last_name: Field,
    pub password_error: Option<String>,
    pub must_change: bool,
    /// What is allowed as a password.
    pub rules: Vec<String>,
    pub problem: Option<String>,
}

/// One user.
#[derive(Template)]
#[template(path = "pages/user.html")]
pub struct UserPage {
    pub frame: Frame,
    pub user: UserRow,
    /// Whether it is the admin who looks at it.
    pub himself: bool,
    pub sessions: Vec<SessionRow>,
}

impl UserPage {
    fn path(&self) -> String {
        format!("/admin/users/{}", self.user.id)
    }
}

/// Where an admin gives a user another password.
#[derive(Template)]
#[template(path = "pages/set_password.html")]
pub struct SetPasswordPage {
    pub frame: Frame,
    pub id: String,
    pub email: String,
    /// What is allowed.
    pub rules: Vec<String>,
    pub error: Option<String>,
    pub must_change: bool,
    pub problem: Option<String>,
}
