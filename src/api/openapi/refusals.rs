//! How requests are refused, in groups that go together. A handler names its groups in its
//! annotation; `answers` makes the answers of the document from them.

use crate::error::Code;

/// A status and the code that comes with it.
pub type Refusal = (u16, Code);

/// The member of an operation that lists its groups, until they have become answers; and of an
/// answer that lists its codes.
pub const X_CODES: &str = "x-codes";

/// Any request.
pub const ANY: &[Refusal] = &[
    (400, Code::PathNotCanonical),
    (414, Code::UriTooLong),
    (431, Code::HeaderTooLarge),
    (500, Code::InternalError),
    (503, Code::Unavailable),
];

/// A request of the API, where credentials are looked at also when none are needed.
pub const OF_THE_API: &[Refusal] = &[(400, Code::SentTwice)];

/// What is beside the API is for whoever keeps the service going; nobody else finds it.
pub const BESIDE_THE_API: &[Refusal] = &[(404, Code::NotFound)];

/// A request that needs somebody who is known.
pub const GUARDED: &[Refusal] = &[
    (400, Code::CredentialsContradict),
    (401, Code::SessionRequired),
    (401, Code::SessionInvalid),
    (403, Code::SessionInvalid),
    (403, Code::PasswordChangeRequired),
    (429, Code::Throttled),
    (503, Code::Busy),
];

/// A request that may change something.
pub const UNSAFE: &[Refusal] = &[(403, Code::CrossSite)];

/// Only admins may do this, or only admins and the user himself.
pub const NOT_FOR_ALL: &[Refusal] = &[(403, Code::Forbidden)];

/// What a path names need not be there.
pub const MAY_LACK: &[Refusal] = &[(404, Code::NotFound)];

/// A member of the query or the body has a type or a range.
pub const VALUES: &[Refusal] = &[(400, Code::InvalidValue)];

/// A body is read, in JSON.
pub const BODY: &[Refusal] = &[
    (400, Code::WrongFormat),
    (400, Code::InvalidValue),
    (408, Code::BodyTimeout),
    (413, Code::BodyTooLarge),
];

/// A body may be a form as well.
pub const FORM: &[Refusal] = &[(415, Code::UnsupportedMediaType)];

/// A password is looked at.
pub const PASSWORD: &[Refusal] = &[(429, Code::Throttled), (503, Code::Busy)];

/// A login must be fresh, or the password come along.
pub const FRESH: &[Refusal] = &[
    (403, Code::FreshLoginRequired),
    (403, Code::WrongPassword),
    (429, Code::Throttled),
    (503, Code::Busy),
];

/// A password is chosen.
pub const NEW_PASSWORD: &[Refusal] = &[
    (400, Code::PasswordTooShort),
    (400, Code::PasswordTooLong),
    (400, Code::PasswordTooCommon),
    (400, Code::PasswordGuessable),
    (503, Code::Busy),
];

/// A login fails.
pub const LOGIN: &[Refusal] = &[
    (400, Code::SessionsUnsupported),
    (400, Code::CredentialsContradict),
    (400, Code::EmailMissing),
    (400, Code::PasswordMissing),
    (401, Code::LoginFailed),
    (401, Code::WrongPassword),
    (404, Code::UserUnknown),
];

/// The password is given once more.
pub const REAUTH: &[Refusal] = &[(400, Code::PasswordMissing), (401, Code::WrongPassword)];

/// A user is made.
pub const NEW_USER: &[Refusal] = &[
    (400, Code::EmailMissing),
    (400, Code::EmailInvalid),
    (400, Code::PasswordMissing),
    (409, Code::EmailTaken),
];

/// A password is changed.
pub const PASSWORD_CHANGE: &[Refusal] = &[
    (400, Code::CurrentPasswordMissing),
    (400, Code::NewPasswordMissing),
    (400, Code::PasswordUnchanged),
];

/// An admin may be the last one.
pub const LAST_ADMIN: &[Refusal] = &[(409, Code::LastAdmin)];

/// A backup is being made already.
pub const BACKUP: &[Refusal] = &[(409, Code::BackupRunning)];

/// A reverse proxy asks.
pub const VERIFY: &[Refusal] = &[
    (400, Code::CredentialsContradict),
    (401, Code::SessionRequired),
    (401, Code::SessionInvalid),
    (403, Code::Forbidden),
    (403, Code::PasswordChangeRequired),
    (429, Code::Throttled),
    (503, Code::Busy),
];

/// What a 401 looks like.
pub const UNAUTHORIZED: &[Refusal] = &[(401, Code::SessionRequired)];
