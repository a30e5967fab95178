//! What a client, an operator and an embedder observe. One file per behaviour; tests are named as
//! sentences, speak HTTP to the real program and share no data directory.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod harness;

mod answers;
mod architecture;
mod at_once;
mod audit_file;
mod auth_functions;
mod backups;
mod basic;
mod basic_memory;
mod bearer;
mod busy;
mod certificates;
mod challenges;
mod clients;
mod commands;
mod cookies;
mod cors;
mod csrf;
mod docs_page;
mod durability_table;
mod emails_and_passwords;
mod error_codes;
mod first_start;
mod flood;
mod framing;
mod fresh;
mod gate;
mod hostile;
mod imports;
mod limits;
mod login;
mod login_answers;
mod logout;
mod logs;
mod meanwhile;
mod my_sessions;
mod openapi;
mod panics;
mod passwords;
mod paths;
mod records;
mod repairs;
mod request_ids;
mod restart;
mod revocation;
mod roles;
mod security_log;
mod session_in_use;
mod session_life;
mod settings;
mod slow;
mod slow_disk;
mod stale_authority;
mod startup;
mod status;
mod stopping;
mod throttle;
mod tls;
mod users_paged;
mod users_read;
mod users_write;
mod verify;
