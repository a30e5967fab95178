//! Routes about the service itself.

use actix_web::{HttpResponse, web};
use serde_json::json;

use super::openapi::bodies::{Stats, Status};
use super::openapi::refusals::{NOT_FOR_ALL, UNAUTHORIZED};
use crate::auth::accounts::Accounts;
use crate::auth::guard::Caller;
use crate::error::{Error, Result};

/// Whether the service is up.
#[utoipa::path(
    get, path = "/api/v1/status", tag = "service", operation_id = "readStatus",
    summary = "Whether the service is up", security(()),
    responses((status = 200, description = "It is", body = Status)),
)]
pub async fn status() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "status": "OK" }))
}

/// What a 401 looks like.
#[utoipa::path(
    get, path = "/api/v1/unauthorized", tag = "service", operation_id = "showUnauthorized",
    summary = "What a 401 looks like", security(()),
    extensions(("x-codes" = json!([UNAUTHORIZED]))),
)]
pub async fn unauthorized() -> Result<HttpResponse> {
    Err(Error::unauthorized())
}

/// What a 403 looks like.
#[utoipa::path(
    get, path = "/api/v1/forbidden", tag = "service", operation_id = "showForbidden",
    summary = "What a 403 looks like", security(()),
    extensions(("x-codes" = json!([NOT_FOR_ALL]))),
)]
pub async fn forbidden() -> Result<HttpResponse> {
    Err(Error::Forbidden)
}

/// How many users there are.
#[utoipa::path(
    get, path = "/api/v1/stats", tag = "service", operation_id = "readStats",
    summary = "How many users there are",
    responses((status = 200, description = "The numbers", body = Stats)),
)]
pub async fn stats(_caller: Caller, accounts: web::Data<Accounts>) -> Result<HttpResponse> {
    Ok(HttpResponse::Ok().json(json!({ "users": accounts.users.count().await? })))
}
