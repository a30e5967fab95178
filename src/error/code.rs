//! What a program tells failures apart by.

use std::fmt;

use serde::{Serialize, Serializer};

/// Makes the list of codes an enum, so that each of them stands in one place.
macro_rules! codes {
    ($($code:ident $name:literal: $meaning:literal;)*) => {
        /// The reason of a failure, as it stands in the member `code` of an error. Texts are for
        /// people, and all but the classic ones may change; these names stay.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Code {
            $(#[doc = $meaning] $code,)*
        }

        impl Code {
            /// All of them, in the order of the statuses that they come with.
            pub const ALL: &[Self] = &[$(Self::$code),*];

            /// Its name, as it is sent.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$code => $name,)*
                }
            }

            /// What it tells, in words.
            pub const fn meaning(self) -> &'static str {
                match self {
                    $(Self::$code => $meaning,)*
                }
            }
        }
    };
}

codes! {
    InvalidValue "invalid_value": "a member of the body or the query has a value that it cannot have";
    WrongFormat "wrong_format": "the body is not what this route reads";
    SentTwice "sent_twice": "a cookie, header or form field that must be there once is there twice";
    PathNotCanonical "path_not_canonical": "the path has encoded, empty or dot segments";
    EmailMissing "email_missing": "`email` is missing or empty";
    PasswordMissing "password_missing": "`password` is missing or empty";
    CurrentPasswordMissing "current_password_missing": "`current_password` is missing or empty";
    NewPasswordMissing "new_password_missing": "`new_password` is missing or empty";
    EmailInvalid "email_invalid": "`email` is no address";
    PasswordTooShort "password_too_short": "the new password has too few characters";
    PasswordTooLong "password_too_long": "the new password has too many bytes";
    PasswordTooCommon "password_too_common": "the new password is one of the most common ones, or one that the operator refuses";
    PasswordGuessable "password_guessable": "the new password is made of the e-mail address or the name of the service";
    PasswordUnchanged "password_unchanged": "the new password is the current one";
    CredentialsContradict "credentials_contradict": "cookie and bearer token belong to different users";
    SessionsUnsupported "sessions_unsupported": "this kind of authentication keeps no sessions, so there is no login";
    SessionRequired "session_required": "the request carries no credentials: log in first";
    SessionInvalid "session_invalid": "the session, token or credentials are unknown, wrong or have ended: log in again";
    LoginFailed "login_failed": "wrong e-mail address or password";
    WrongPassword "wrong_password": "the password that came along is wrong";
    UserUnknown "user_unknown": "nobody has this e-mail address (with `LOGIN_ERRORS=detailed` only)";
    Forbidden "forbidden": "this user may not do this";
    CrossSite "cross_site": "a page of another site made the browser send this";
    FreshLoginRequired "fresh_login_required": "give the password once more: by `reauth`, or as `current_password`";
    PasswordChangeRequired "password_change_required": "the password must be changed before anything else";
    NotFound "not_found": "there is no such thing";
    MethodNotAllowed "method_not_allowed": "`Allow` lists the methods that there are";
    BodyTimeout "body_timeout": "the body did not arrive in time";
    EmailTaken "email_taken": "another user has this e-mail address";
    SessionTaken "session_taken": "another session has this id";
    LastAdmin "last_admin": "the last enabled admin must stay";
    BackupRunning "backup_running": "a backup is being made already";
    BodyTooLarge "body_too_large": "the body is too large";
    UriTooLong "uri_too_long": "the URI is too long";
    UnsupportedMediaType "unsupported_media_type": "the body is of a kind that this route does not read";
    Throttled "throttled": "too many mistakes: come again after `Retry-After` seconds";
    HeaderTooLarge "header_too_large": "the header is too large";
    InternalError "internal_error": "a defect in the service, which its log tells more of";
    Busy "busy": "too many passwords wait to be hashed: come again after `Retry-After` seconds";
    NotReady "not_ready": "the service cannot do all that it is there for; the text names each reason";
    Unavailable "unavailable": "something that the service relies on fails: come again after `Retry-After` seconds";
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}
