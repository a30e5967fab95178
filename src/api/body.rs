//! Request bodies: bounded in size and time, of a kind that is said, and taken as they are.

mod fields;
mod form;
#[cfg(any(fuzzing, test))]
pub mod fuzzing;

use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use actix_web::mime::{self, Mime};
use actix_web::web::{Bytes, BytesMut};
use actix_web::{FromRequest, HttpMessage as _, HttpRequest, web};
use futures_util::StreamExt as _;
use futures_util::future::{Ready, ready};

use crate::acts::Call;
use crate::error::{Code, Error, Result};

pub use fields::Fields;

/// The member of a body that holds the password of whoever is speaking.
pub const CURRENT_PASSWORD: &str = "current_password";
/// The most bytes of a body.
const MAX_BYTES: usize = 64 * 1024;

/// How long a body may take to arrive.
#[derive(Clone, Copy, Debug)]
pub struct BodyTimeout(pub Duration);

/// A body that has not been read yet.
pub struct Body {
    request: HttpRequest,
    payload: Payload,
}

impl FromRequest for Body {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        ready(Ok(Self { request: request.clone(), payload: payload.take() }))
    }
}

impl Body {
    /// Reads a JSON object, sent as `application/json` or `application/*+json`; anything else is
    /// 400 "Wrong format".
    pub async fn json(self) -> Result<Fields> {
        if !self.mime()?.is_some_and(|mime| is_json(&mime)) {
            return Err(wrong_format());
        }
        Fields::from_json(&self.read().await?)
    }

    /// Reads a form, a multipart form or a JSON object. No body is one without fields; another
    /// kind of body is 415.
    pub async fn any(self) -> Result<Fields> {
        match self.mime()? {
            None => Ok(Fields::default()),
            Some(mime) if is_json(&mime) => self.json().await,
            Some(mime) if mime.essence_str() == mime::APPLICATION_WWW_FORM_URLENCODED => {
                Fields::from_form(&self.read().await?)
            }
            Some(mime) if mime.essence_str() == mime::MULTIPART_FORM_DATA => self.multipart().await,
            Some(_) => Err(Error::UnsupportedMediaType(
                "body must be a form, multipart/form-data or application/json".into(),
            )),
        }
    }

    fn mime(&self) -> Result<Option<Mime>> {
        if self.request.headers().get_all(CONTENT_TYPE).count() > 1 {
            return Err(Error::bad(Code::SentTwice, "Content-Type must not be sent twice"));
        }
        Ok(self.request.mime_type().unwrap_or(Some(mime::APPLICATION_OCTET_STREAM)))
    }

    async fn read(mut self) -> Result<Bytes> {
        let announced = self.request.headers().get(CONTENT_LENGTH);
        let announced = announced.and_then(|length| length.to_str().ok()?.parse().ok());
        if announced.is_some_and(|length: usize| length > MAX_BYTES) {
            return Err(too_large());
        }
        let limit = self.request.app_data::<web::Data<BodyTimeout>>().map(|timeout| timeout.0);
        let read = read_bounded(&mut self.payload);
        tokio::time::timeout(limit.unwrap_or(Duration::from_secs(10)), read)
            .await
            .unwrap_or(Err(Error::Timeout))
    }

    async fn multipart(self) -> Result<Fields> {
        let headers = self.request.headers().clone();
        Fields::from_multipart(&headers, self.read().await?).await
    }
}

async fn read_bounded(payload: &mut Payload) -> Result<Bytes> {
    let mut body = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| Error::bad(Code::WrongFormat, "body was cut off"))?;
        if body.len() + chunk.len() > MAX_BYTES {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// 413, naming the limit.
fn too_large() -> Error {
    Error::TooLarge(format!("body must have at most {MAX_BYTES} bytes").into())
}

fn wrong_format() -> Error {
    Error::bad(Code::WrongFormat, "Wrong format")
}

/// The current password in a body, for a route that needs a fresh proof and no body but for that. It
/// is read only if it is needed.
pub async fn proof(call: &Call, body: Body) -> Result<Option<String>> {
    if call.needs_no_proof().await? { Ok(None) } else { body.any().await?.text(CURRENT_PASSWORD) }
}

fn is_json(mime: &Mime) -> bool {
    let json = mime.subtype() == mime::JSON || mime.suffix() == Some(mime::JSON);
    mime.type_() == mime::APPLICATION && json
}
