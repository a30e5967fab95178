//! What is kept: users and their sessions, and the values they are made of. No I/O, no HTTP.

mod email;
#[cfg(any(fuzzing, test))]
pub mod fuzzing;
mod password;
mod password_rules;
mod token;
mod told;
mod unknown;
mod user;
mod user_agent;
mod user_session;

pub use email::Email;
pub use password::{Password, PasswordHash, Work};
pub use password_rules::{Blocklist, MIN_CHARACTERS, PasswordRules};
pub use token::{SessionHash, SessionId, is_url_safe};
pub use told::Told;

pub use unknown::Unknown;
pub use user::{Role, User, UserId};
pub use user_agent::UserAgent;
pub use user_session::{Client, LastSeen, Lifetime, Lifetimes, UserSession};
