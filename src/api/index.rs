//! Routes about the service itself.

use actix_web::{HttpResponse, web};
use serde_json::json;

use crate::auth::accounts::Accounts;
use crate::auth::guard::Caller;
use crate::error::{Error, Result};

/// Whether the service is up.
pub async fn status() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "status": "OK" }))
}

/// What a 401 looks like.
pub async fn unauthorized() -> Result<HttpResponse> {
    Err(Error::unauthorized())
}

/// What a 403 looks like.
pub async fn forbidden() -> Result<HttpResponse> {
    Err(Error::Forbidden)
}

/// How many users there are.
pub async fn stats(_caller: Caller, accounts: web::Data<Accounts>) -> Result<HttpResponse> {
    Ok(HttpResponse::Ok().json(json!({ "users": accounts.users.count().await? })))
}
