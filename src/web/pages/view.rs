//! What the pages show: each a template and what it is filled with. Nothing here knows of HTTP.

mod account;
mod admin;
mod device;
mod login;
mod when;

use serde::{Deserialize, Serialize};

use crate::web::asset::Asset;

pub use account::{AccountPage, PasswordPage, SessionRow};
pub use admin::{AdminPage, Figures, NewUserPage, SetPasswordPage, UserPage, UserRow, UsersPage};
pub use device::device;
pub use login::{ConfirmPage, LoggedInPage, LoginPage, LogoutPage, TroublePage};
pub use when::When;

/// The stylesheet of the pages.
static STYLESHEET: Asset = Asset::new(
    "/login/",
    "css",
    "text/css; charset=utf-8",
    include_str!("../../../templates/pages.css"),
);
/// Shows a password to who types it, if he wants to see it.
static SCRIPT: Asset = Asset::new(
    "/login/",
    "js",
    "text/javascript; charset=utf-8",
    include_str!("../../../templates/pages.js"),
);
/// What stands beside the title.
static ICON: Asset =
    Asset::new("/login/", "svg", "image/svg+xml", include_str!("../../../templates/icon.svg"));

/// All that the pages load.
pub static ASSETS: [&Asset; 3] = [&STYLESHEET, &SCRIPT, &ICON];

/// What every page has around it.
#[derive(Default)]
pub struct Frame {
    /// Who is logged in.
    pub who: Option<Who>,
    /// What came of what was done before.
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
    /// How he is called.
    pub name: String,
    /// Whether there is an administration for him.
    pub is_admin: bool,
}

/// What came of what was done before.
#[derive(Serialize, Deserialize)]
pub struct Notice {
    /// Whether it was done.
    pub good: bool,
    /// The sentence.
    pub text: String,
}

/// A field of a form: what was typed, and what is wrong with it.
#[derive(Default)]
pub struct Field {
    /// What was typed.
    pub value: String,
    /// What is wrong with it.
    pub error: Option<String>,
}
