//! Every setting: its flag, its variable, its default, and what it may be.

mod blocked_passwords;
mod check;
mod line;
mod parts;
mod values;

use std::ffi::OsStr;
use std::net::SocketAddr;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{ArgAction, Args, CommandFactory as _, Parser};

use blocked_passwords::BlockedPasswords;
pub use check::FirstAdmin;
pub use line::one_line;
pub use values::{AuthType, LogFormat, Maybe, PublicUrl};
use values::{Domain, OriginList, Seconds, Secret, Threads};

use crate::acts::LoginErrors;
use crate::auth::cookie::SessionCookie;
use crate::auth::guard::InvalidStatus;
use crate::auth::proxies::Proxies;
use crate::auth::redirects::{AllowedRedirects, LoginUrl};
use crate::models::Email;

/// Seconds after which a session ends, unless something else is set.
const SESSION_DURATION: Seconds = Seconds(86_400);
/// Seconds without use after which a session ends, unless something else is set.
const SESSION_IDLE_TIMEOUT: Seconds = Seconds(3_600);
/// bcrypt's cost under `UNSAFE_FAST_HASH`.
const FAST_COST: u32 = 4;

/// The settings of a service. Each can be given as a flag or as a variable.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Settings")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch that an operator knows by its name"
)]
pub struct Config {
    /// Address to listen on
    #[arg(long, env, global = true, default_value = "127.0.0.1", value_parser = not_empty)]
    pub api_host: String,
    /// Port to listen on; 0 takes a free one
    #[arg(long, env, global = true, default_value = "5000", value_parser = port)]
    pub api_port: u16,
    /// Address and port that health and metrics are asked for at [default: those above, from this machine alone]
    #[arg(long, env, global = true, default_value = "", hide_default_value = true, value_parser = values::socket_address)]
    pub metrics_addr: Maybe<SocketAddr>,
    /// Folder of the records; made when it is missing
    #[arg(long, env, global = true, default_value = "data", value_parser = path)]
    pub data_dir: PathBuf,
    /// Folder that backups of a running server go to; made when it is missing [default: DATA_DIR with .backups at its end]
    #[arg(long, env, global = true, default_value = "", hide_default_value = true)]
    backup_dir: Maybe<PathBuf>,
    /// Kind of authentication: none, auth, basic_auth, session_auth, session_exp_auth, session_db_auth
    #[arg(long, env, global = true, default_value = "session_db_auth")]
    pub auth_type: AuthType,
    /// Where clients find the service; https makes the cookie Secure and prefixes its name
    #[arg(long, env, global = true, default_value = "", hide_default_value = true)]
    pub public_url: Maybe<PublicUrl>,
    /// PEM file of the certificate, the service's own first, for TLS without a proxy
    #[arg(long, env, global = true, default_value = "", hide_default_value = true)]
    tls_cert: Maybe<PathBuf>,
    /// PEM file of the certificate's private key; closed to others
    #[arg(long, env, global = true, default_value = "", hide_default_value = true)]
    tls_key: Maybe<PathBuf>,
    /// Name of the session cookie
    #[arg(long, env, global = true, default_value = SessionCookie::DEFAULT_NAME, value_parser = values::cookie_name)]
    pub session_name: String,
    /// Seconds a session lives from its creation; 0: no such limit [default: 86400]
    #[arg(long, env, global = true, value_parser = values::lifetime)]
    session_duration: Option<Seconds>,
    /// Seconds a session lives without being used; 0: no such limit [default: 3600]
    #[arg(long, env, global = true, value_parser = values::lifetime)]
    session_idle_timeout: Option<Seconds>,
    /// Sessions a user may have; one more login ends the oldest
    #[arg(long, env, global = true, default_value = "25", value_parser = values::number::<1, 10_000>)]
    sessions_per_user: u64,
    /// Seconds for which a login counts as fresh, as passwords, roles and deletions need it
    #[arg(long, env, global = true, default_value = "900", value_parser = values::seconds::<{ values::MAX_SECONDS }>)]
    pub reauth_window: Duration,
    /// Domain whose hosts share the session cookie; needs an https PUBLIC_URL
    #[arg(long, env, global = true, default_value = "", hide_default_value = true)]
    cookie_domain: Maybe<Domain>,
    /// Status for credentials that are no good: 403, or 401
    #[arg(long, env, global = true, default_value = "403", value_parser = values::invalid_status)]
    invalid_status: InvalidStatus,
    /// What a failed login tells: uniform, or detailed
    #[arg(long, env, global = true, default_value = "uniform", value_parser = values::login_errors)]
    pub login_errors: LoginErrors,
    /// Refuse to look at more passwords after too many wrong ones: on, or off
    #[arg(long, env, global = true, action = ArgAction::Set, default_value = "on", value_parser = values::switch)]
    pub login_throttle: bool,
    /// Mistakes per minute that a person may make
    #[arg(long, env, global = true, default_value = "12", value_parser = values::attempts)]
    login_attempts: NonZeroU32,
    /// Proxies whose X-Forwarded-* and X-Original-* count: addresses or networks, separated by commas
    #[arg(long, env, global = true, default_value = "", hide_default_value = true)]
    pub trusted_proxies: Proxies,
    /// Page where one logs in, to which a proxy may send browsers [default: /login, at PUBLIC_URL if there is one]
    #[arg(long, env, global = true, default_value = "", hide_default_value = true)]
    login_url: Maybe<LoginUrl>,
    /// Hosts that a login may lead back to, separated by commas; that of PUBLIC_URL is one
    #[arg(long, env, global = true, default_value = "", hide_default_value = true)]
    allowed_redirects: AllowedRedirects,
    /// File of passwords that are refused, one a line
    #[arg(long, env, global = true, default_value = "", hide_default_value = true)]
    password_blocklist: Maybe<BlockedPasswords>,
    /// Origins whose pages may call the API, separated by commas, or *
    #[arg(long, env, global = true, default_value = "", hide_default_value = true)]
    cors_origins: OriginList,
    /// Show the documentation of the API, at /docs and /api/v1/openapi.json: on, or off
    #[arg(long, env, global = true, action = ArgAction::Set, default_value = "on", value_parser = values::switch)]
    pub docs: bool,
    /// Pages for people, at /login, /account and /admin: on, or off
    #[arg(long, env, global = true, action = ArgAction::Set, default_value = "on", value_parser = values::switch)]
    pub pages: bool,
    /// Seals what the pages remember, in the place of a key in the data directory; only as a variable, since
    /// everybody sees a command line
    #[arg(skip = Secret(std::env::var("PAGES_KEY").unwrap_or_default()))]
    pages_key: Secret,
    /// Cost of password hashes, 10 to 15: each step doubles the time
    #[arg(long, env, global = true, default_value = "12", value_parser = values::number::<10, 15>)]
    bcrypt_cost: u64,
    /// Hash at cost 4, for tests and benches only: 1, or 0
    #[arg(long, env, global = true, action = ArgAction::Set, default_value = "0", value_parser = values::switch)]
    pub unsafe_fast_hash: bool,
    /// Threads that hash passwords [default: half the cores]
    #[arg(long, env, global = true, default_value = "", hide_default_value = true)]
    hash_lanes: Maybe<Threads>,
    /// Passwords that may wait to be hashed; more are answered 503
    #[arg(long, env, global = true, default_value = "64", value_parser = values::number::<1, 65_536>)]
    hash_queue: u64,
    /// Threads that answer requests [default: the cores]
    #[arg(long, env, global = true, default_value = "", hide_default_value = true)]
    workers: Maybe<Threads>,
    /// Seconds an idle connection is kept
    #[arg(long, env, global = true, default_value = "75", value_parser = values::seconds::<3_600>)]
    pub keep_alive: Duration,
    /// Seconds the head of a request may take to arrive
    #[arg(long, env, global = true, default_value = "5", value_parser = values::seconds::<300>)]
    pub head_timeout: Duration,
    /// Seconds the body of a request may take to arrive
    #[arg(long, env, global = true, default_value = "10", value_parser = values::seconds::<300>)]
    pub body_timeout: Duration,
    /// Seconds that requests in flight get to finish at a stop
    #[arg(long, env, global = true, default_value = "10", value_parser = values::seconds::<300>)]
    pub shutdown_timeout: Duration,
    /// How the log is written: text, or json (an object a line)
    #[arg(long, env, global = true, default_value = "text")]
    pub log_format: LogFormat,
    /// What is logged: error, warn, info, debug or trace, also per module
    #[arg(long, env, global = true, default_value = "info,actix_server=warn,actix_http=off")]
    pub rust_log: String,
    /// File the security log is appended to as JSON lines; SIGHUP opens it anew
    #[arg(long, env, global = true, default_value = "", hide_default_value = true)]
    audit_file: Maybe<PathBuf>,
    /// First admin, made when there are no users yet
    #[arg(long, env, global = true, default_value = "", hide_default_value = true)]
    admin_email: Maybe<Email>,
    /// File that holds the first admin's password
    #[arg(long, env, global = true, default_value = "", hide_default_value = true)]
    admin_password_file: Maybe<PathBuf>,
    /// The first admin's password; only as a variable, since everybody sees a command line
    #[arg(skip = Secret(std::env::var("ADMIN_PASSWORD").unwrap_or_default()))]
    admin_password: Secret,
}

/// For those who want the settings and no commands.
#[derive(Parser)]
#[command(name = "sessiond")]
struct Settings {
    #[command(flatten)]
    config: Config,
}

impl Config {
    /// Reads the settings from the variables alone, and checks them. The error is one line.
    pub fn from_environment() -> Result<Self, String> {
        Self::from_arguments(&[])
    }

    /// Reads the settings from flags, like `["--api-port", "0"]`, and what they leave out from the
    /// variables; and checks them. The error is one line.
    pub fn from_arguments(arguments: &[&str]) -> Result<Self, String> {
        Self::check_variables()?;
        let line = std::iter::once(&"sessiond").chain(arguments);
        let read = Settings::try_parse_from(line).map_err(|error| one_line(&error))?;
        read.config.check()?;
        Ok(read.config)
    }

    /// Checks that every variable is text. The parser does too, but does not say which one is not.
    pub fn check_variables() -> Result<(), String> {
        let settings = Settings::command();
        let named = settings.get_arguments().filter_map(|setting| setting.get_env()?.to_str());
        let is_text = |name: &&str| std::env::var_os(name).is_none_or(|v| v.to_str().is_some());
        match named.chain(["ADMIN_PASSWORD", "PAGES_KEY"]).find(|name| !is_text(name)) {
            Some(name) => Err(format!("{name}: must be text in UTF-8")),
            None => Ok(()),
        }
    }

    /// Whether clients reach the service over https.
    pub fn is_https(&self) -> bool {
        self.tls().is_some() || self.public_url.0.as_ref().is_some_and(PublicUrl::is_https)
    }

    /// The files of certificate and private key, if the service speaks TLS itself.
    pub fn tls(&self) -> Option<(&Path, &Path)> {
        self.tls_cert.0.as_deref().zip(self.tls_key.0.as_deref())
    }

    /// Where backups of a running server go: beside the records, unless something else is set.
    pub fn backup_dir(&self) -> PathBuf {
        self.backup_dir.0.clone().unwrap_or_else(|| {
            let data =
                std::path::absolute(&self.data_dir).unwrap_or_else(|_| self.data_dir.clone());
            let mut name = data.file_name().unwrap_or(OsStr::new("data")).to_owned();
            name.push(".backups");
            data.with_file_name(name)
        })
    }

    /// What seals the state of the pages, if it is set.
    pub fn pages_key(&self) -> Option<&str> {
        Some(self.pages_key.0.as_str()).filter(|key| !key.is_empty())
    }

    /// Where the security log is appended to, if it is.
    pub fn audit_file(&self) -> Option<&Path> {
        self.audit_file.0.as_deref()
    }
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, NonZeroUsize::get)
}

fn not_empty(text: &str) -> Result<String, String> {
    if text.is_empty() { Err("must not be empty".into()) } else { Ok(text.to_owned()) }
}

fn path(text: &str) -> Result<PathBuf, String> {
    not_empty(text).map(PathBuf::from)
}

fn port(text: &str) -> Result<u16, String> {
    let port = values::number::<0, 65_535>(text)?;
    Ok(u16::try_from(port).unwrap_or_default())
}
