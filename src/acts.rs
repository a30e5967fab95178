//! What can be asked for, by whoever asks: the API and the pages.
//!
//! Each act looks once more at who asks, does what it says or refuses it, and tells the security
//! log. How it was asked for, and how it is answered, is no matter here.

mod call;
mod fresh;
mod login;
mod passwords;
mod sessions;
mod users;

pub use call::Call;
pub use login::{Credentials, InUse, LoggedIn, LoginErrors, log_in, log_out, must_have_sessions};
pub use sessions::Which;
