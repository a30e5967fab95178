//! Coming in and going out.

use askama::Template;

use super::{Field, Frame, first_wrong};

/// Asks who it is.
#[derive(Default, Template)]
#[template(path = "pages/login.html")]
pub struct LoginPage {
    /// What is around it.
    pub frame: Frame,
    /// The e-mail address.
    pub email: Field,
    /// What is wrong with the password by itself, as when there is none.
    pub password_error: Option<String>,
    /// Whether to be remembered.
    pub remember: bool,
    /// Why the login was refused.
    pub problem: Option<String>,
    /// The host that is gone back to.
    pub back_to: Option<String>,
}

impl LoginPage {
    /// Where the cursor stands.
    fn focus(&self) -> &str {
        match first_wrong(&[("email", &self.email.error), ("password", &self.password_error)]) {
            "" if self.email.value.is_empty() => "email",
            "" => "password",
            wrong => wrong,
        }
    }

    /// What says more about the password: the cursor mostly stands there when there is a problem.
    fn described(&self) -> &str {
        if self.problem.is_some() { "problem" } else { "" }
    }
}

/// Tells somebody who wants to log in that he is.
#[derive(Template)]
#[template(path = "pages/logged_in.html")]
pub struct LoggedInPage {
    /// What is around it.
    pub frame: Frame,
    /// What he is called.
    pub name: String,
    /// Where he wanted to go.
    pub go_on: String,
    /// The host that this is at, if it is another one.
    pub back_to: Option<String>,
}

/// Asks whether to log out.
#[derive(Template)]
#[template(path = "pages/logout.html")]
pub struct LogoutPage {
    /// What is around it.
    pub frame: Frame,
}

/// Asks for the password again before something is done.
#[derive(Template)]
#[template(path = "pages/confirm.html")]
pub struct ConfirmPage {
    /// What is around it.
    pub frame: Frame,
    /// What is to be done, as in "to end all other sessions".
    pub what: String,
    /// Whose password it is.
    pub email: String,
    /// What is wrong with the password.
    pub error: Option<String>,
    /// Where one goes who does not want to.
    pub cancel: String,
}
