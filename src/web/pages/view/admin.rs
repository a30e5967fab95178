//! Administration.

use askama::Template;

use super::{Field, Frame, SessionRow, When, first_wrong};

/// The figures that an operator looks for.
pub struct Figures {
    /// How many users there are.
    pub users: usize,
    /// How many sessions there are.
    pub sessions: usize,
    /// Logins of the last hour.
    pub logins: u64,
    /// Logins of the last hour that were refused.
    pub failures: u64,
    /// What does not work.
    pub trouble: Option<String>,
    /// The version of the service.
    pub version: &'static str,
}

impl Figures {
    /// What is shown, and what it is called.
    fn shown(&self) -> [(&'static str, String); 4] {
        let counted = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        [
            ("Users", grouped(counted(self.users))),
            ("Live sessions", grouped(counted(self.sessions))),
            ("Logins in the last hour", grouped(self.logins)),
            ("Failed logins in the last hour", grouped(self.failures)),
        ]
    }
}

/// A number with a comma after every three digits, counted from the end.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The front page of the administration.
#[derive(Template)]
#[template(path = "pages/admin.html")]
pub struct AdminPage {
    /// What is around it.
    pub frame: Frame,
    /// What it shows.
    pub figures: Figures,
}

/// A user in a table.
pub struct UserRow {
    /// His id.
    pub id: String,
    /// His e-mail address.
    pub email: String,
    /// His name; may be empty.
    pub name: String,
    /// His role: `admin` or `user`.
    pub role: String,
    /// Whether he cannot log in.
    pub disabled: bool,
    /// Whether he must change his password first.
    pub must_change: bool,
    /// When he was created.
    pub created: When,
}

/// A page of the users.
#[derive(Template)]
#[template(path = "pages/users.html")]
pub struct UsersPage {
    /// What is around it.
    pub frame: Frame,
    /// What their e-mail addresses have in them; empty for all.
    pub search: String,
    /// They.
    pub users: Vec<UserRow>,
    /// Where those that follow are.
    pub next: Option<String>,
    /// Where the first ones are, if these are others.
    pub first: Option<String>,
    /// What went wrong.
    pub problem: Option<String>,
}

/// Lets an admin create a user.
#[derive(Default, Template)]
#[template(path = "pages/new_user.html")]
pub struct NewUserPage {
    /// What is around it.
    pub frame: Frame,
    /// The e-mail address.
    pub email: Field,
    /// The first name.
    pub first_name: Field,
    /// The last name.
    pub last_name: Field,
    /// What is wrong with the password.
    pub password_error: Option<String>,
    /// Whether the password must be changed at the first login.
    pub must_change: bool,
    /// What a password must keep to, a sentence each.
    pub rules: Vec<String>,
    /// What else went wrong.
    pub problem: Option<String>,
}

impl NewUserPage {
    fn focus(&self) -> &str {
        first_wrong(&[
            ("email", &self.email.error),
            ("first_name", &self.first_name.error),
            ("last_name", &self.last_name.error),
            ("password", &self.password_error),
        ])
    }
}

/// A user, as an admin sees him.
#[derive(Template)]
#[template(path = "pages/user.html")]
pub struct UserPage {
    /// What is around it.
    pub frame: Frame,
    /// The user.
    pub user: UserRow,
    /// Whether the admin looks at himself.
    pub himself: bool,
    /// The user's sessions.
    pub sessions: Vec<SessionRow>,
    /// What went wrong.
    pub problem: Option<String>,
}

impl UserPage {
    fn sessions_path(&self) -> String {
        format!("/admin/users/{}/sessions", self.user.id)
    }
}

/// Lets an admin set a user's password.
#[derive(Template)]
#[template(path = "pages/set_password.html")]
pub struct SetPasswordPage {
    /// What is around it.
    pub frame: Frame,
    /// The user's id.
    pub id: String,
    /// The user's e-mail address.
    pub email: String,
    /// What a password must keep to, a sentence each.
    pub rules: Vec<String>,
    /// What is wrong with the password.
    pub error: Option<String>,
    /// Whether it must be changed at the next login.
    pub must_change: bool,
    /// What else went wrong.
    pub problem: Option<String>,
}

impl SetPasswordPage {
    fn focus(&self) -> &str {
        first_wrong(&[("password", &self.error)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_stand_in_threes() {
        for (number, expected) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (123_456, "123,456"),
            (u64::MAX, "18,446,744,073,709,551,615"),
        ] {
            assert_eq!(grouped(number), expected);
        }
    }
}
