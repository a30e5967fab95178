//! The pages as a browser without scripts uses them: forms, answers and cookies.

mod account;
mod admin;
mod confirm;
mod door;
mod log;
mod login;
mod lookup;
mod password;
mod state;
mod user;
