//! Starts the real program on a free port with a data directory of its own, and speaks HTTP to it.

mod browser;
mod client;
mod in_process;
mod process;
mod stream;
mod tls;
// A disk whose operations a test decides, which the tests of the store have as well.
#[path = "../store/harness/watched_files.rs"]
mod watched_files;

pub use browser::{Browser, PAGE};
pub use client::{Answer, Client, Connection, Request};
pub use in_process::{InProcess, START, block_on};
pub use process::{Program, Server, TempDir, run, run_with_input, shell};
pub use tls::{Pair, hello};
pub use watched_files::{Fate, WatchedFiles};

/// The first admin of every server that is started here.
pub const ADMIN: &str = "admin@example.com";
/// His password.
pub const ADMIN_PASSWORD: &str = "correct horse 1";
/// A password for other users.
pub const PASSWORD: &str = "battery staple 2";

/// Every kind of authentication.
pub const KINDS: [&str; 6] =
    ["none", "auth", "basic_auth", "session_auth", "session_exp_auth", "session_db_auth"];
/// Those in which somebody can be known.
pub const KNOWING_KINDS: [&str; 4] =
    ["basic_auth", "session_auth", "session_exp_auth", "session_db_auth"];
/// Those that keep sessions.
pub const SESSION_KINDS: [&str; 3] = ["session_auth", "session_exp_auth", "session_db_auth"];
/// An id of the right form that no user has.
pub const NOBODY: &str = "00000000-0000-4000-8000-000000000000";
/// What has the form of a session id and is none.
pub const NO_SESSION: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
