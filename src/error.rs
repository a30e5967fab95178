//! What can go wrong, and how it is told to a client.

mod code;

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;

pub use code::Code;

/// The result of anything that can go wrong in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A text for the client.
type Text = Cow<'static, str>;

/// What a client is told: a code for programs and a text for people.
#[derive(Debug)]
pub struct Message {
    code: Code,
    text: Text,
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl<T: Into<Text>> From<(Code, T)> for Message {
    fn from((code, text): (Code, T)) -> Self {
        Self { code, text: text.into() }
    }
}

/// Seconds after which a client that was turned away with 503 may try again.
const RETRY_AFTER_SECONDS: u32 = 1;

/// Everything a request can fail with; each variant is named after its answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// 400: the request is malformed or breaks a rule, which the text names.
    #[error("{0}")]
    BadRequest(Message),
    /// 401: nobody is speaking, or a login failed.
    #[error("{0}")]
    Unauthorized(Message),
    /// 403: whoever is speaking may not do this.
    #[error("Forbidden")]
    Forbidden,
    /// 403: the credentials are no good.
    #[error("Forbidden")]
    SessionInvalid,
    /// 403: another site made the browser act.
    #[error("Forbidden")]
    CrossSite,
    /// 403: this needs a proof of who is speaking that is not too old (ASVS 7.5.3).
    #[error("Fresh login required")]
    FreshLoginRequired,
    /// 403: whoever is speaking must change his password before anything else.
    #[error("Password change required")]
    PasswordChangeRequired,
    /// 403: the current password that came along is wrong.
    #[error("wrong password")]
    WrongPassword,
    /// 404: there is no such thing.
    #[error("{0}")]
    NotFound(Message),
    /// 405: there is such a thing, but not with this method; the text lists the methods it has.
    #[error("Method not allowed")]
    MethodNotAllowed(&'static str),
    /// 408: the body did not arrive in time.
    #[error("Request body took too long")]
    Timeout,
    /// 409: the change contradicts what is stored.
    #[error("{0}")]
    Conflict(Message),
    /// 413: the body is larger than allowed.
    #[error("{0}")]
    TooLarge(Text),
    /// 414: the request target is longer than allowed.
    #[error("{0}")]
    UriTooLong(Text),
    /// 415: the body is of a kind that this route does not read.
    #[error("{0}")]
    UnsupportedMediaType(Text),
    /// 429: too many wrong passwords; there may be another attempt after this time.
    #[error("Too many attempts, try again later")]
    TooManyAttempts(Duration),
    /// 431: the header is larger than allowed.
    #[error("{0}")]
    HeaderTooLarge(Text),
    /// 500: a defect in this program. The text goes to the log, not to the client.
    #[error("{0}")]
    Internal(String),
    /// 503: more password hashing is waiting than the queue holds.
    #[error("Busy, try again")]
    Busy,
    /// 503: the service cannot do all that it is there for. The text names each reason.
    #[error("{0}")]
    NotReady(String),
    /// 503: something the service relies on fails. The text goes to the log.
    #[error("{0}")]
    Unavailable(String),
}

impl Error {
    /// 400 with its reason.
    pub fn bad(code: Code, text: impl Into<Text>) -> Self {
        Self::BadRequest((code, text).into())
    }

    /// 401 for a request that carries no credentials.
    pub fn unauthorized() -> Self {
        Self::Unauthorized((Code::SessionRequired, "Unauthorized").into())
    }

    /// 404 with the usual text.
    pub fn not_found() -> Self {
        Self::NotFound((Code::NotFound, "Not found").into())
    }

    /// 409 with its reason.
    pub fn conflict(reason: (Code, &'static str)) -> Self {
        Self::Conflict(reason.into())
    }

    /// 503 because `what` failed with `cause`.
    pub fn unavailable(what: &str, cause: impl fmt::Display) -> Self {
        Self::Unavailable(format!("{what}: {cause}"))
    }

    /// The same error with `prefix` before a text that is meant for the client.
    #[must_use]
    pub fn prefixed(self, prefix: &str) -> Self {
        let with = |Message { code, text }| Message::from((code, format!("{prefix}{text}")));
        match self {
            Self::BadRequest(message) => Self::BadRequest(with(message)),
            Self::Conflict(message) => Self::Conflict(with(message)),
            other => other,
        }
    }

    /// What the client is told: the text, or a general one where the text is for the log.
    pub fn public_text(&self) -> Text {
        match self {
            Self::Internal(_) => "Internal server error".into(),
            Self::Unavailable(_) => "Service unavailable".into(),
            other => other.to_string().into(),
        }
    }

    /// What a program is told.
    pub const fn code(&self) -> Code {
        match self {
            Self::BadRequest(message)
            | Self::Unauthorized(message)
            | Self::NotFound(message)
            | Self::Conflict(message) => message.code,
            Self::Forbidden => Code::Forbidden,
            Self::SessionInvalid => Code::SessionInvalid,
            Self::CrossSite => Code::CrossSite,
            Self::FreshLoginRequired => Code::FreshLoginRequired,
            Self::PasswordChangeRequired => Code::PasswordChangeRequired,
            Self::WrongPassword => Code::WrongPassword,
            Self::MethodNotAllowed(_) => Code::MethodNotAllowed,
            Self::Timeout => Code::BodyTimeout,
            Self::TooLarge(_) => Code::BodyTooLarge,
            Self::UriTooLong(_) => Code::UriTooLong,
            Self::UnsupportedMediaType(_) => Code::UnsupportedMediaType,
            Self::TooManyAttempts(_) => Code::Throttled,
            Self::HeaderTooLarge(_) => Code::HeaderTooLarge,
            Self::Internal(_) => Code::InternalError,
            Self::Busy => Code::Busy,
            Self::NotReady(_) => Code::NotReady,
            Self::Unavailable(_) => Code::Unavailable,
        }
    }

    /// The body of its answer.
    pub fn body(&self) -> impl Serialize {
        ErrorBody { error: self.public_text(), code: self.code().name() }
    }
}

/// An error on the wire.
#[derive(Serialize)]
struct ErrorBody {
    error: Text,
    code: &'static str,
}

impl ResponseError for Error {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::BadRequest(_) => StatusCode::BAD_REQUEST,
            Self::Unauthorized(_) => StatusCode::UNAUTHORIZED,
            Self::Forbidden
            | Self::SessionInvalid
            | Self::CrossSite
            | Self::FreshLoginRequired
            | Self::PasswordChangeRequired
            | Self::WrongPassword => StatusCode::FORBIDDEN,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::Timeout => StatusCode::REQUEST_TIMEOUT,
            Self::Conflict(_) => StatusCode::CONFLICT,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UriTooLong(_) => StatusCode::URI_TOO_LONG,
            Self::UnsupportedMediaType(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooManyAttempts(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::HeaderTooLarge(_) => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Busy | Self::NotReady(_) | Self::Unavailable(_) => {
                StatusCode::SERVICE_UNAVAILABLE
            }
        }
    }

    fn error_response(&self) -> HttpResponse {
        if let Self::Internal(cause) | Self::Unavailable(cause) = self {
            log::error!("{cause}");
        }
        let mut answer = HttpResponse::build(self.status_code());
        match self {
            Self::MethodNotAllowed(allowed) => {
                answer.insert_header((header::ALLOW, *allowed));
            }
            Self::Busy | Self::NotReady(_) | Self::Unavailable(_) => {
                answer.insert_header((header::RETRY_AFTER, RETRY_AFTER_SECONDS));
            }
            Self::TooManyAttempts(wait) => {
                let seconds = wait.as_millis().div_ceil(1000).max(1);
                answer.insert_header((header::RETRY_AFTER, seconds.to_string()));
            }
            // The rest of the body may still be on its way: it must not be read as a request.
            Self::Timeout | Self::TooLarge(_) => {
                answer.force_close();
            }
            _ => {}
        }
        answer.json(self.body())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::body::MessageBody as _;

    #[test]
    fn a_cause_is_for_the_log_and_not_for_the_client() {
        let answer = Error::unavailable("User.journal", "disk is full").error_response();
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(answer.headers().get(header::RETRY_AFTER).unwrap(), "1");
        let body = answer.into_body().try_into_bytes().unwrap();
        assert_eq!(body, r#"{"error":"Service unavailable","code":"unavailable"}"#);
    }
}
