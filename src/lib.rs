//! sessiond: users, logins and sessions.

pub mod clock;
pub mod error;
pub mod models;
pub mod random;
pub mod store;
