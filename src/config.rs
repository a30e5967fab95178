//! Every setting: its flag, its variable, its default, and what it may be.

mod blocked_passwords;
mod check;
mod line;
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

use crate::api::LoginErrors;
use crate::auth::cookie::SessionCookie;
use crate::auth::guard::{GuardRules, InvalidStatus};
use crate::auth::origins::Origins;
use crate::auth::proxies::Proxies;
use crate::models::{Email, Lifetime, PasswordRules};

/// Seconds after which a session ends, unless something else is set.
const SESSION_DURATION: Seconds = Seconds(86_400);
/// Seconds without use after which a session ends, unless something else is set.
const SESSION_IDLE_TIMEOUT: Seconds = Seconds(3_600);
/// bcrypt's cost under `UNSAFE_FAST_HASH`.
const FAST_COST: u32 = 4;

/// The settings of a service. Each can be given as a flag or as a variable.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Settings")]
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
    /// Proxies whose X-Forwarded-For counts: addresses or networks, separated by commas
    #[arg(long, env, global = true, default_value = "", hide_default_value = true)]
    pub trusted_proxies: Proxies,
    /// File of passwords that are refused, one a line
    #[arg(long, env, global = true, default_value = "", hide_default_value = true)]
    password_blocklist: Maybe<BlockedPasswords>,
    /// Origins whose pages may call the API, separated by commas, or *
    #[arg(long, env, global = true, default_value = "", hide_default_value = true)]
    cors_origins: OriginList,
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
        match named.chain(["ADMIN_PASSWORD"]).find(|name| !is_text(name)) {
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

    /// Where the security log is appended to, if it is.
    pub fn audit_file(&self) -> Option<&Path> {
        self.audit_file.0.as_deref()
    }

    /// The session cookie.
    pub fn cookie(&self) -> SessionCookie {
        let domain = self.cookie_domain.0.as_ref().map(|domain| domain.0.as_str());
        SessionCookie::new(&self.session_name, self.is_https(), domain)
    }

    /// What the guard goes by.
    pub fn guard_rules(&self) -> GuardRules {
        let OriginList { listed, any } = self.cors_origins.clone();
        let own = self.public_url.0.as_ref().map(PublicUrl::origin);
        GuardRules {
            invalid_status: self.invalid_status,
            origins: Origins { own, https: self.is_https(), listed, any },
            reauth_window: self.reauth_window,
        }
    }

    /// How many mistakes a minute the throttle lets a person make; none when it is off.
    pub fn login_attempts(&self) -> Option<NonZeroU32> {
        self.login_throttle.then_some(self.login_attempts)
    }

    /// How many sessions a user may have.
    pub fn sessions_per_user(&self) -> usize {
        usize::try_from(self.sessions_per_user).unwrap_or(usize::MAX)
    }

    /// What new passwords must keep to.
    pub fn password_rules(&self) -> PasswordRules {
        let host = self.public_url.0.as_ref().map(PublicUrl::host);
        let context =
            host.into_iter().flat_map(|host| [host].into_iter().chain(host.split(['.', '-'])));
        let refused = self.password_blocklist.0.clone().unwrap_or_default();
        PasswordRules { context: context.map(str::to_owned).collect(), refused: refused.0 }
    }

    /// How long a session lives that is not remembered.
    pub fn lifetime(&self) -> Lifetime {
        Lifetime {
            absolute: self.session_duration.unwrap_or(SESSION_DURATION).limit(),
            idle: self.session_idle_timeout.unwrap_or(SESSION_IDLE_TIMEOUT).limit(),
        }
    }

    /// The cost of new password hashes.
    pub fn hash_cost(&self) -> u32 {
        if self.unsafe_fast_hash {
            FAST_COST
        } else {
            u32::try_from(self.bcrypt_cost).unwrap_or(15)
        }
    }

    /// Threads that hash, and passwords that may wait for them.
    pub fn hash_lanes(&self) -> (usize, usize) {
        let lanes = self.hash_lanes.0.map_or_else(|| (cores() / 2).max(1), |lanes| lanes.0.get());
        (lanes, usize::try_from(self.hash_queue).unwrap_or(usize::MAX))
    }

    /// Threads that answer requests.
    pub fn workers(&self) -> usize {
        self.workers.0.map_or_else(cores, |workers| workers.0.get())
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
