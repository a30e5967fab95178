//! What a client, an operator and an embedder observe. One file per behaviour; tests are named as
//! sentences, speak HTTP to the real program and share no data directory.

mod harness;

mod architecture;
mod basic_memory;
mod bearer;
mod commands;
mod cookies;
mod cors;
mod csrf;
mod first_start;
mod session_life;
mod settings;
mod status;
