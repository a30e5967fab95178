//! The security log: what happens to accounts and sessions, a line each (ASVS 16.3).
//!
//! The lines go to the log under the target `security`; the server's log also appends them to
//! `AUDIT_FILE`. No line holds a secret: users and sessions are named by their public ids, and
//! what somebody typed is not repeated. `docs/CONTROLS.md` has the inventory.

use std::borrow::Cow;
use std::fmt::{self, Display};
use std::net::IpAddr;

use actix_web::HttpRequest;
use actix_web::http::header::{HeaderName, HeaderValue};
use log::Level::{self, Info, Warn};
use uuid::Uuid;

use crate::models::UserId;

/// The log target of these lines.
pub const TARGET: &str = "security";

/// Holds the id of a request; from the edge on each has one.
pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What can happen. The names follow the OWASP logging vocabulary where it has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A password was right, on any pathway.
    LoginSucceeded,
    /// The same, after wrong ones.
    LoginSucceededAfterFailures,
    /// A password was wrong, or there is no such user, or he may not log in.
    LoginFailed,
    /// An attempt was turned away unexamined.
    Throttled,
    /// A session ended because its owner logged out.
    LoggedOut,
    /// A session was ended from another one, by an admin, or by the login that replaced it.
    SessionRevoked,
    /// A session got a new id.
    SessionRenewed,
    /// A session id was presented that is unknown, or of a session that has ended.
    SessionUnknown,
    /// A user has another password.
    PasswordChanged,
    /// A user has another role.
    RoleChanged,
    /// A user was made.
    UserCreated,
    /// A user was locked out.
    UserDisabled,
    /// A user was let in again.
    UserEnabled,
    /// A user was deleted.
    UserDeleted,
    /// All records were copied.
    BackupMade,
    /// Somebody asked for what is not his to ask for.
    AccessDenied,
    /// Another site tried to act with a user's credentials.
    CrossSiteRefused,
    /// A request was malformed in a way that no honest client's is.
    InputRefused,
    /// The service began to answer.
    Started,
    /// The service was told to stop.
    Stopped,
}

impl Event {
    /// All events, for the inventory in the documents (ASVS 16.1.1).
    pub const ALL: &[Self] = &[
        Self::LoginSucceeded,
        Self::LoginSucceededAfterFailures,
        Self::LoginFailed,
        Self::Throttled,
        Self::LoggedOut,
        Self::SessionRevoked,
        Self::SessionRenewed,
        Self::SessionUnknown,
        Self::PasswordChanged,
        Self::RoleChanged,
        Self::UserCreated,
        Self::UserDisabled,
        Self::UserEnabled,
        Self::UserDeleted,
        Self::BackupMade,
        Self::AccessDenied,
        Self::CrossSiteRefused,
        Self::InputRefused,
        Self::Started,
        Self::Stopped,
    ];

    /// Its name in the log.
    pub const fn name(self) -> &'static str {
        self.described().0
    }

    /// What it tells, in words.
    pub const fn meaning(self) -> &'static str {
        self.described().1
    }

    /// How loud its line is.
    pub const fn level(self) -> Level {
        self.described().2
    }

    const fn described(self) -> (&'static str, &'static str, Level) {
        match self {
            Self::LoginSucceeded => ("authn_login_success", "a password was right", Info),
            Self::LoginSucceededAfterFailures => {
                ("authn_login_successafterfail", "a password was right, after wrong ones", Warn)
            }
            Self::LoginFailed => ("authn_login_fail", "a login was refused", Warn),
            Self::Throttled => ("excess_rate_limit_exceeded", "an attempt was turned away", Warn),
            Self::LoggedOut => ("authn_logout", "a user logged out", Info),
            Self::SessionRevoked => ("authn_token_revoked", "a session was ended", Info),
            Self::SessionRenewed => ("session_renewed", "a session got a new id", Info),
            Self::SessionUnknown => {
                ("authn_token_unknown", "an unknown or ended session was presented", Warn)
            }
            Self::PasswordChanged => ("authn_password_change", "a password was changed", Info),
            Self::RoleChanged => ("authz_change", "a role was changed", Info),
            Self::UserCreated => ("user_created", "a user was made", Info),
            Self::UserDisabled => ("user_disabled", "a user was locked out", Info),
            Self::UserEnabled => ("user_enabled", "a user was let in again", Info),
            Self::UserDeleted => ("user_deleted", "a user was deleted", Info),
            Self::BackupMade => ("backup_made", "all records were copied", Info),
            Self::AccessDenied => ("authz_fail", "a request was not permitted", Warn),
            Self::CrossSiteRefused => ("malicious_csrf", "a cross-site request was refused", Warn),
            Self::InputRefused => {
                ("input_validation_fail", "a malformed request was refused", Warn)
            }
            Self::Started => ("sys_startup", "the service began to answer", Info),
            Self::Stopped => ("sys_shutdown", "the service was told to stop", Info),
        }
    }
}

/// From where something was asked for.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    /// The client's address; none for the command line.
    pub client: Option<IpAddr>,
    request_id: Option<HeaderValue>,
    /// On which way, if it was not a request: begins the detail.
    way: Option<&'static str>,
}

impl Trace {
    /// That of a request.
    pub fn of(request: &HttpRequest) -> Self {
        let client = super::client_address(request);
        let request_id = request.headers().get(X_REQUEST_ID).cloned();
        Self { client, request_id, way: None }
    }

    /// That of a command, which whoever holds the data directory gives.
    pub fn command_line() -> Self {
        Self { way: Some("command line"), ..Self::default() }
    }

    /// That of SIGUSR1, which whoever may end the process sends.
    pub fn signal() -> Self {
        Self { way: Some("SIGUSR1"), ..Self::default() }
    }

    fn request_id(&self) -> Option<&str> {
        self.request_id.as_ref().and_then(|id| id.to_str().ok())
    }
}

/// Whom an event is about; what is not said stands as `-`.
#[derive(Clone, Debug, Default)]
pub struct About {
    /// Who did it.
    pub actor: Option<UserId>,
    /// To whom.
    pub subject: Option<UserId>,
    /// With or to which session, by its public id.
    pub session: Option<Uuid>,
    /// What else there is to say; never a secret.
    pub detail: Cow<'static, str>,
}

impl About {
    /// What a user does to himself.
    pub fn himself(user: UserId) -> Self {
        Self { actor: Some(user), subject: Some(user), ..Self::default() }
    }

    /// What somebody does to a user.
    pub fn done_to(subject: UserId, actor: Option<UserId>) -> Self {
        Self { actor, subject: Some(subject), ..Self::default() }
    }

    /// A request that is turned away, and why.
    pub fn refused(request: &HttpRequest, why: impl Display) -> Self {
        let (method, path) = (request.method(), super::path::shown(request.path()));
        Self::default().detail(format!("{why}: {method} {path}"))
    }

    /// With a session, by its public id.
    #[must_use]
    pub fn session(self, session: impl Into<Option<Uuid>>) -> Self {
        Self { session: session.into(), ..self }
    }

    /// With what else there is to say.
    #[must_use]
    pub fn detail(self, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { detail: detail.into(), ..self }
    }
}

/// Writes the line of an event.
pub fn record(event: Event, trace: &Trace, about: &About) {
    log::log!(
        target: TARGET,
        event.level(),
        event = event.name(),
        actor:% = OrDash(about.actor),
        subject:% = OrDash(about.subject),
        session:% = OrDash(about.session),
        client:% = OrDash(trace.client),
        request_id:% = OrDash(trace.request_id()),
        detail:% = OrDash(detail(trace.way, &about.detail));
        "{}", event.meaning()
    );
}

/// What there is to say of the way and beside it.
fn detail(way: Option<&'static str>, more: &str) -> Option<String> {
    let parts = way.into_iter().chain(Some(more).filter(|more| !more.is_empty()));
    let parts: Vec<&str> = parts.collect();
    (!parts.is_empty()).then(|| parts.join(": "))
}

/// A value in a line of the log, or that there is none.
pub struct OrDash<T>(pub Option<T>);

impl<T: Display> Display for OrDash<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(value) => value.fmt(f),
            None => f.write_str("-"),
        }
    }
}
