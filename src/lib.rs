//! sessiond: users, logins and sessions.

pub mod api;
pub mod app;
pub mod auth;
pub mod cli;
pub mod clock;
pub mod config;
pub mod error;
pub mod models;
pub mod random;
pub mod server;
pub mod store;
