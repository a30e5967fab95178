//! Login, logout, and what stands in the way.

use askama::Template;

use super::{Field, Frame};

/// Where one logs in.
#[derive(Default, Template)]
#[template(path = "pages/login.html")]
pub struct LoginPage {
    pub frame: Frame,
    pub email: Field,
    pub password_error: Option<String>,
    pub remember: bool,
    /// What went wrong that is about no single field.
    pub problem: Option<String>,
    /// The host that one goes back to, if it is another one.
    pub back_to: Option<String>,
}

/// For who is logged in already.
#[derive(Template)]
#[template(path = "pages/logged_in.html")]
pub struct LoggedInPage {
    pub frame: Frame,
    pub name: String,
    /// Where one goes on.
    pub go_on: String,
    /// Its host, if it is another one.
    pub back_to: Option<String>,
}

/// Asks whether to log out.
#[derive(Template)]
#[template(path = "pages/logout.html")]
pub struct LogoutPage {
    pub frame: Frame,
}

/// Asks for the password once more.
#[derive(Template)]
#[template(path = "pages/confirm.html")]
pub struct ConfirmPage {
    pub frame: Frame,
    /// What it is asked for, after "to".
    pub what: String,
    pub email: String,
    pub error: Option<String>,
    /// Where one goes who does not want that.
    pub cancel: String,
}

/// Tells what has gone wrong, and what to do.
#[derive(Template)]
#[template(path = "pages/trouble.html")]
pub struct TroublePage {
    pub frame: Frame,
    pub title: String,
    pub text: String,
    /// The address and the words of the way on.
    pub go: (String, String),
}
