//! The command line.

mod backup;
mod check;
mod export;
mod healthcheck;
pub mod import;
mod serve;
mod user;

#[cfg(any(fuzzing, test))]
pub use import::fuzzing;

use std::fmt::Display;
use std::future::Future;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use actix_web::rt::System;
use clap::Parser;
use clap::error::ErrorKind;

use crate::app::{self, Stores, World};
use crate::auth::accounts::Accounts;
use crate::config::{Config, one_line};
use crate::error::Error;
use crate::server::{Signals, logging};
use crate::store::OpenError;

/// Users, logins and sessions over plain HTTP.
///
/// Without a command: serve. The first admin's password may also be given in the variable
/// ADMIN_PASSWORD, and what seals the pages in PAGES_KEY (never as flags: everybody sees a command line).
#[derive(Parser)]
#[command(name = "sessiond", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    config: Config,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Answer requests (the default)
    Serve,
    /// Add, list and change users while no server runs
    #[command(subcommand)]
    User(user::UserCommand),
    /// Take all records from an export, or users of another program: a JSON list of objects with
    /// email and password_hash, or the classic .db_User.json
    Import {
        /// The file
        file: PathBuf,
    },
    /// Write all records, hashes included, to a file of mode 0600 or to standard output
    Export {
        /// The file; standard output without
        file: Option<PathBuf>,
    },
    /// Copy all records into a folder, while the server runs or not
    Backup {
        /// The folder; new or empty
        folder: PathBuf,
    },
    /// Check settings and data files, and say what is wrong and where
    Check {
        /// Mend the data files: keep what can be read, and the damaged files beside it
        #[arg(long)]
        repair: bool,
    },
    /// Ask the running server whether it is well; for containers
    Healthcheck,
}

/// Why a command ends badly: one line, and its exit status.
struct Failure {
    status: u8,
    line: String,
}

impl Failure {
    /// A bad setting or command line.
    fn usage(line: impl Display) -> Self {
        Self { status: 2, line: line.to_string() }
    }

    /// Anything else.
    fn of(line: impl Display) -> Self {
        Self { status: 1, line: line.to_string() }
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Damaged { .. } => {
                Self::of(format!("{error} ('sessiond check --repair' mends what can be mended)"))
            }
            other => Self::of(other),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::of(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::of(error)
    }
}

type Outcome = Result<(), Failure>;

/// Runs the command that the command line asks for.
pub fn run() -> ExitCode {
    if let Err(line) = Config::check_variables() {
        return report(Err(Failure::usage(line)));
    }
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(asked)
            if matches!(asked.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) =>
        {
            // A reader who closed the pipe has seen enough.
            let _ = write!(io::stdout(), "{asked}");
            return ExitCode::SUCCESS;
        }
        Err(error) => return report(Err(Failure::usage(one_line(&error)))),
    };
    report(cli.config.check().map_err(Failure::usage).and_then(|()| cli.run()))
}

fn report(outcome: Outcome) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let line = failure.line.replace(['\n', '\r'], " ");
            let _ = writeln!(io::stderr(), "sessiond: {line}");
            ExitCode::from(failure.status)
        }
    }
}

impl Cli {
    fn run(self) -> Outcome {
        let config = &self.config;
        let command = self.command.unwrap_or(Command::Serve);
        let filters = if matches!(command, Command::Serve) { &config.rust_log } else { "warn" };
        logging::start(config.log_format, filters);
        forbid_core_dumps();
        System::new().block_on(async move {
            Signals::survive_file_size_limit()?;
            match command {
                Command::Serve => serve::serve(config).await,
                Command::User(command) => user::user(config, command).await,
                Command::Import { file } => import::import(config, &file).await,
                Command::Export { file } => export::export(config, file.as_deref()),
                Command::Backup { folder } => backup::backup(config, &folder),
                Command::Check { repair } => check::check(config, repair),
                Command::Healthcheck => healthcheck::healthcheck(config),
            }
        })
    }
}

/// Keeps what is in memory, passwords among it, out of core dumps (ASVS 11.7.2).
fn forbid_core_dumps() {
    if let Err(cause) = rlimit::setrlimit(rlimit::Resource::CORE, 0, 0) {
        log::warn!("a core dump would hold passwords, and is not forbidden: {cause}");
    }
}

/// Writes a line to standard output.
fn tell(line: &str) -> Outcome {
    writeln!(io::stdout(), "{line}").map_err(Failure::from)
}

/// Whether there can be no users yet.
fn is_new(config: &Config) -> bool {
    let missing = |file: &str| !config.data_dir.join(file).exists();
    missing("User.json") && missing("User.journal") && missing("User.journal.folding")
}

/// From here on what the security log is told goes to `AUDIT_FILE` too, if that is set.
fn keep_security_log(config: &Config) -> Outcome {
    config.audit_file().map_or(Ok(()), logging::append_to).map_err(Failure::usage)
}

/// Does something with the data directory while no server has it, and folds what came of it.
async fn with_data<T, F>(config: &Config, work: impl FnOnce(Data) -> F) -> Result<T, Failure>
where
    F: Future<Output = Result<T, Failure>>,
{
    keep_security_log(config)?;
    let world = World::default();
    let stores = std::sync::Arc::new(Stores::open(&config.data_dir, &world)?);
    let accounts = app::accounts(config, &world, &stores)?;
    let outcome = work(Data { stores: std::sync::Arc::clone(&stores), accounts }).await;
    let closed = stores.close().await;
    let outcome = outcome?;
    closed?;
    Ok(outcome)
}

/// What a command works on.
struct Data {
    stores: std::sync::Arc<Stores>,
    accounts: Accounts,
}
