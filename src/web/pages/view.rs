//! What the pages show: each a template and what it is filled with. Nothing here knows of HTTP.

mod account;
mod admin;
mod device;
mod login;
#[cfg(test)]
mod tests;
mod when;

use askama::Template;
use serde::{Deserialize, Serialize};

use super::super::asset::Asset;

pub use account::{AccountPage, PasswordPage, SessionRow};
pub use admin::{AdminPage, Figures, NewUserPage, SetPasswordPage, UserPage, UserRow, UsersPage};
pub use device::device;
pub use login::{ConfirmPage, LoggedInPage, LoginPage, LogoutPage};
pub use when::When;

/// The stylesheet of all pages.
static STYLESHEET: Asset =
    Asset::stylesheet("/login", include_str!("../../../templates/pages.css"));
/// What all pages run: it lets a password be seen.
static SCRIPT: Asset = Asset::script("/login", include_str!("../../../templates/pages.js"));
/// The picture that stands for the pages among others.
static ICON: Asset = Asset::picture("/login", include_str!("../../../templates/icon.svg"));

/// All that the pages load.
pub static ASSETS: [&Asset; 3] = [&STYLESHEET, &SCRIPT, &ICON];

/// What every page has around it.
#[derive(Default)]
pub struct Frame {
    /// Who is logged in.
    pub who: Option<Who>,
    /// What came of the last thing that was done.
    pub notice: Option<Notice>,
}

impl Frame {
    fn stylesheet() -> &'static str {
        STYLESHEET.path()
    }

    fn script() -> &'static str {
        SCRIPT.path()
    }

    fn icon() -> &'static str {
        ICON.path()
    }
}

/// Who is logged in.
pub struct Who {
    /// What he is called.
    pub name: String,
    /// Whether the administration is open to him.
    pub is_admin: bool,
}

/// What came of something, said once.
#[derive(Serialize, Deserialize)]
pub struct Notice {
    /// Whether it went well.
    pub good: bool,
    /// What is said.
    pub text: String,
}

/// A text in a form.
#[derive(Default)]
pub struct Field {
    /// What stands in it.
    pub value: String,
    /// What is wrong with it.
    pub error: Option<String>,
}

/// Says what to do where there is nothing else to show.
#[derive(Template)]
#[template(path = "pages/trouble.html")]
pub struct TroublePage {
    /// What is around it.
    pub frame: Frame,
    /// What has happened.
    pub title: String,
    /// What it means, and what to do.
    pub text: String,
    /// Where to go on: the address and what the link says.
    pub go: (String, String),
}

/// The name of the first field with an error: the cursor stands there.
fn first_wrong<'f>(fields: &[(&'f str, &Option<String>)]) -> &'f str {
    fields.iter().find(|(_, error)| error.is_some()).map_or("", |(name, _)| name)
}
