//! The OpenAPI document (OpenAPI 3.1): what the handlers say of themselves, and what is the same
//! for all of them.

mod answers;
pub mod bodies;
mod headers;
pub mod parameters;
pub mod refusals;
mod taken;
mod told;

use std::sync::OnceLock;

use actix_web::guard::{self, GuardContext};
use actix_web::http::header;
use actix_web::{HttpResponse, web};
use bytes::Bytes;
use utoipa::OpenApi as _;
use utoipa::openapi::OpenApi;

use super::{auth_session, backup, index, passwords, sessions, users, verify};

/// What the paths have in common, in words.
const INTRODUCTION: &str = "Users, logins and durable, revocable sessions over plain HTTP.

Log in once, and send the cookie that the answer sets, or its value as a bearer token. Every path \
answers alike with and without one slash at its end; HEAD works where GET does; members of a body and \
parameters that an operation does not know are ignored. Times are RFC 3339 in UTC with milliseconds. \
`/docs` shows this document to people; it is a page and no operation.

A failure is `{\"error\": \"<text>\", \"code\": \"<code>\"}`. The code is for programs, and stays. The \
text is for people: the classic ones, `Unauthorized`, `Forbidden`, `Not found`, `Method not allowed`, \
`Wrong format`, `email missing`, `password missing`, `no user found for this email`, `wrong password` \
and `Can't create User: ` before a reason, stay as well; all others may change.

A method that a path does not have is answered 405 with `Allow`; since no operation is, it is described \
as the response `MethodNotAllowed`. A path that is not there is 404. Except at open paths, a request \
without credentials is told neither: it is 401.

Every answer has an `X-Request-Id`, by which the log can be searched. For browsers it has \
`Content-Security-Policy`, `Cross-Origin-Opener-Policy`, `Cross-Origin-Resource-Policy`, \
`Referrer-Policy` and `X-Content-Type-Options`; over https `Strict-Transport-Security`; and where \
`CORS_ORIGINS` lists origins `Vary`, with `Access-Control-Allow-Origin`, \
`Access-Control-Allow-Credentials` and `Access-Control-Expose-Headers` for their pages.

By `Origin` and `Sec-Fetch-Site`, which browsers send by themselves, a change is refused that a page of \
another site has set off (`cross_site`). From `TRUSTED_PROXIES`, `X-Forwarded-For` tells who is asking; \
from anybody else it is ignored.";

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "sessiond", description = INTRODUCTION,
        license(name = "MIT License or Apache License 2.0", identifier = "MIT OR Apache-2.0"),
    ),
    servers((url = "/")),
    tags(
        (name = "session", description = "Log in, and what there is to do with the session in use."),
        (name = "sessions", description = "The sessions of a user, as he and admins see and end them."),
        (name = "users", description = "Who may log in."),
        (name = "admin", description = "What keeps the service going."),
        (name = "service", description = "About the service itself.")
    ),
    security(("session" = []), ("bearer" = []), ("basic" = [])),
    paths(
        auth_session::login,
        auth_session::logout,
        auth_session::read,
        auth_session::refresh,
        auth_session::reauth,
        verify::verify,
        sessions::list,
        sessions::end,
        sessions::end_all,
        sessions::end_everybodys,
        users::list,
        users::create,
        users::me,
        users::read,
        users::update,
        users::delete,
        passwords::change,
        backup::create,
        index::status,
        index::stats,
        index::unauthorized,
        index::forbidden,
        read,
    )
)]
struct Api;

/// The document, for a service whose session cookie has this name. It is made when it is first
/// asked for.
pub struct Document {
    cookie: String,
    beside: fn() -> OpenApi,
    made: OnceLock<(OpenApi, Bytes)>,
}

impl Document {
    /// That of a service whose session cookie has this name, and which answers `beside` the API.
    pub fn new(cookie: &str, beside: fn() -> OpenApi) -> Self {
        Self { cookie: cookie.to_owned(), beside, made: OnceLock::new() }
    }

    fn made(&self) -> &(OpenApi, Bytes) {
        self.made.get_or_init(|| {
            let mut api = Api::openapi();
            api.merge((self.beside)());
            answers::complete(&mut api);
            headers::complete(&mut api);
            told::complete(&mut api, &self.cookie);
            let json = serde_json::to_vec(&api).expect("a document is JSON");
            (api, json.into())
        })
    }

    /// The document itself.
    pub fn openapi(&self) -> &OpenApi {
        &self.made().0
    }

    /// The document as it lies in `docs/`, for people who compare.
    pub fn pretty(&self) -> String {
        serde_json::to_string_pretty(self.openapi()).expect("a document is JSON") + "\n"
    }

    /// The document as it is sent.
    pub fn json(&self) -> &Bytes {
        &self.made().1
    }
}

/// Whether a service shows its documentation (`DOCS`).
pub fn is_shown() -> impl guard::Guard {
    guard::fn_guard(|request: &GuardContext<'_>| {
        request.app_data::<web::Data<Document>>().is_some()
    })
}

/// This document.
#[utoipa::path(
    get, path = "/api/v1/openapi.json", tag = "service", operation_id = "readOpenapi",
    summary = "This document", security(()),
    description = "In OpenAPI 3.1, for generators and other programs. `DOCS=off` takes it away.",
    responses((status = 200, description = "The document", body = serde_json::Value)),
)]
pub async fn read(document: web::Data<Document>) -> HttpResponse {
    let json = (header::CONTENT_TYPE, "application/json");
    HttpResponse::Ok().insert_header(json).body(document.json().clone())
}
