//! What a client, an operator and an embedder observe. One file per behaviour; tests are named as
//! sentences, speak HTTP to the real program and share no data directory.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod harness;

mod answers;
mod architecture;
mod auth_functions;
mod basic;
mod basic_memory;
mod bearer;
mod commands;
mod cookies;
mod cors;
mod csrf;
mod first_start;
mod gate;
mod login;
mod logout;
mod paths;
mod restart;
mod session_end;
mod session_life;
mod settings;
mod startup;
mod status;
mod users_read;
mod users_write;
