//! Sessions as their owners and admins see and end them (ASVS 7.4.5, 7.5.2).

use actix_web::{HttpResponse, web};
use serde_json::json;

use super::auth_session::farewell;
use super::body::{Body, Fields, proof};
use super::openapi::bodies::{FreshProof, Nothing};
use super::openapi::parameters::{All, SessionOf, Somebody};
use super::openapi::refusals::{BODY, FORM, FRESH, MAY_LACK, NOT_FOR_ALL};
use super::view::SessionView;
use crate::acts::{Call, Which};
use crate::auth::guard::Admin;
use crate::error::{Error, Result};

/// The live sessions of a user, oldest first. For himself and admins.
#[utoipa::path(
    get, path = "/api/v1/users/{id}/sessions", tag = "sessions", operation_id = "listSessions",
    summary = "The live sessions of a user", params(Somebody),
    description = "Oldest first. For himself and admins.",
    responses((status = 200, description = "The sessions", body = Vec<SessionView<'static>>)),
    extensions(("x-codes" = json!([NOT_FOR_ALL, MAY_LACK]))),
)]
pub async fn list(call: Call, id: web::Path<String>) -> Result<HttpResponse> {
    let user = call.subject(&id).await?;
    let found = call.sessions_of(&user).await?;
    let in_force = call.auth.sessions().ok_or_else(Error::not_found)?.lifetimes;
    let views =
        found.iter().map(|(session, is_current)| SessionView::new(session, in_force, *is_current));
    Ok(HttpResponse::Ok().json(views.collect::<Vec<_>>()))
}

/// Ends one session of a user, by its public id. For himself and admins.
#[utoipa::path(
    delete, path = "/api/v1/users/{id}/sessions/{session}", tag = "sessions",
    operation_id = "endSession", summary = "End a session", params(SessionOf),
    description = "By its public id. For himself and admins.",
    responses((status = 200, description = "It has ended", body = Nothing,
        headers(
            ("Set-Cookie" = String, description = "The cookie, expired, if its session ends"),
            ("Clear-Site-Data" = String, description = "What a browser is to forget with it"),
        ))),
    extensions(("x-codes" = json!([NOT_FOR_ALL, MAY_LACK]))),
)]
pub async fn end(call: Call, path: web::Path<(String, String)>) -> Result<HttpResponse> {
    let user = call.subject(&path.0).await?;
    let own = call.end_session(&user, &path.1).await?;
    Ok(ended_answer(&call, own))
}

/// Ends all sessions of a user but the one that asks; that one too with `?all=true`. For himself
/// and admins.
#[utoipa::path(
    delete, path = "/api/v1/users/{id}/sessions", tag = "sessions", operation_id = "endSessions",
    summary = "End the sessions of a user", params(Somebody, All),
    description = "All but the one in use; with `all=true` that one too. For himself and admins. \
        Needs a fresh login, or the password.",
    request_body = Option<FreshProof>,
    responses((status = 200, description = "They have ended", body = Nothing,
        headers(
            ("Set-Cookie" = String, description = "The cookie, expired, if its session ends"),
            ("Clear-Site-Data" = String, description = "What a browser is to forget with it"),
        ))),
    extensions(("x-codes" = json!([NOT_FOR_ALL, MAY_LACK, FRESH, BODY, FORM]))),
)]
pub async fn end_all(mut call: Call, id: web::Path<String>, body: Body) -> Result<HttpResponse> {
    let all = Fields::from_query(&call.request, &["all"])?.flag_of_query("all")?.unwrap_or(false);
    let user = call.subject(&id).await?;
    let proof = proof(&call, body).await?;
    let which = if all { Which::All } else { Which::AllOthers };
    let own = call.end_sessions(&user, which, proof).await?;
    Ok(ended_answer(&call, own))
}

/// Ends everybody's sessions, that of the admin who asks among them.
#[utoipa::path(
    delete, path = "/api/v1/sessions", tag = "sessions", operation_id = "endEverybodysSessions",
    summary = "End everybody's sessions",
    description = "The one in use among them. For admins. Needs a fresh login, or the password.",
    request_body = Option<FreshProof>,
    responses((status = 200, description = "They have ended", body = Nothing,
        headers(
            ("Set-Cookie" = String, description = "The cookie, expired, if its session ends"),
            ("Clear-Site-Data" = String, description = "What a browser is to forget with it"),
        ))),
    extensions(("x-codes" = json!([NOT_FOR_ALL, MAY_LACK, FRESH, BODY, FORM]))),
)]
pub async fn end_everybodys(_: Admin, mut call: Call, body: Body) -> Result<HttpResponse> {
    let proof = proof(&call, body).await?;
    call.end_everybodys_sessions(proof).await?;
    Ok(ended_answer(&call, true))
}

/// The answer to an act that has ended sessions, the caller's `own` perhaps.
pub fn ended_answer(call: &Call, own: bool) -> HttpResponse {
    if own && call.auth.sessions().is_some() {
        farewell(call.auth.as_ref())
    } else {
        HttpResponse::Ok().json(json!({}))
    }
}
