#![doc = include_str!("../README.md")]
//!
//! # The crate
//!
//! The modules from top to bottom; each names only modules below it. `docs/ARCHITECTURE.md` is the
//! map.

pub mod cli;

pub mod app;
pub mod config;
pub mod server;

pub mod api;
pub mod web;

pub mod auth;

pub mod store;

pub mod models;

pub mod clock;
pub mod error;
pub mod random;

#[cfg(any(fuzzing, test))]
pub mod fuzzing;
