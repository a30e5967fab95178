//! Starts the real program on a free port with a data directory of its own, and speaks HTTP to it.

mod client;
mod in_process;
mod process;

pub use client::{Answer, Client, Connection, Request};
pub use in_process::{InProcess, START, block_on};
pub use process::{Program, Server, TempDir};

/// The first admin of every server that is started here.
pub const ADMIN: &str = "admin@example.com";
/// His password.
pub const ADMIN_PASSWORD: &str = "correct horse 1";
/// A password for other users.
pub const PASSWORD: &str = "battery staple 2";
