#![doc = include_str!("../README.md")]
//!
//! # The crate
//!
//! What a program begins with that has the service inside is [`Config`], [`Service`] and
//! [`CurrentUser`]. Three programs to begin from are in `examples/`:
//!
//! - `guard_your_app`: an application gets a login and a guarded route.
//! - `own_auth`: a kind of authentication of one's own, an [`auth::Auth`], in the service.
//! - `own_store`: a store of sessions of one's own, a [`store::SessionStore`], held to the suite of
//!   what stores promise ([`store::behaviour`]).
//!
//! The modules from top to bottom; each names only modules below it. `docs/ARCHITECTURE.md` is the
//! map.

pub mod cli;

pub mod app;
pub mod config;
pub mod server;

pub mod api;
pub mod web;

pub mod acts;

pub mod auth;

pub mod store;

pub mod models;

pub mod clock;
pub mod error;
pub mod random;

#[cfg(any(fuzzing, test))]
pub mod fuzzing;

pub use app::Service;
pub use auth::guard::{Admin, Caller, CurrentUser};
pub use config::Config;
pub use error::Error;
