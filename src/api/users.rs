//! Users: list, create, read, update, delete.

use std::sync::Arc;

use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, web};

use super::auth_session::answer_with;
use super::body::{Body, CURRENT_PASSWORD, Fields, proof};
use super::openapi::bodies::{FreshProof, NewUser as NewUserBody, Nothing, UserChange};
use super::openapi::parameters::{ById, Page};
use super::openapi::refusals::{
    BODY, FORM, FRESH, LAST_ADMIN, MAY_LACK, NEW_PASSWORD, NEW_USER, NOT_FOR_ALL, VALUES,
};
use super::sessions::ended_answer;
use super::view::UserView;
use crate::acts::Call;
use crate::auth::accounts::{Accounts, NewUser, UserPatch};
use crate::auth::guard::{Admin, Caller};
use crate::error::{Code, Error, Result};
use crate::models::{Role, User};

/// The most users in one answer.
const PAGE: usize = 1000;

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Everybody, in creation order, by pages of `limit` from after the user `after`; or who has the
/// address `email`. `Link` tells where the next page is (RFC 8288). For admins.
#[utoipa::path(
    get, path = "/api/v1/users", tag = "users", operation_id = "listUsers",
    summary = "Everybody", params(Page),
    description = "In the order in which they were made, or who has an address. For admins.",
    responses((status = 200, description = "The users", body = Vec<UserView<'static>>, headers(
        ("Link" = String, description = "Where the next page is (RFC 8288), if there is one")))),
    extensions(("x-codes" = json!([NOT_FOR_ALL, VALUES]))),
)]
pub async fn list(
    _: Admin,
    request: HttpRequest,
    accounts: web::Data<Accounts>,
) -> Result<HttpResponse> {
    let query = Fields::from_query(&request, &["limit", "after", "email"])?;
    let limit = query.number("limit", 1..=PAGE)?.unwrap_or(PAGE);
    let after = query.text("after")?.map(|id| id.parse().map_err(|_| nobody_there()));
    let after = after.transpose()?;
    let (mut users, mut answer) = (Vec::new(), HttpResponse::Ok());
    if let Some(email) = query.text("email")? {
        users.extend(accounts.users.search(&email).await?);
    } else {
        // One more than asked for tells whether there is a next page.
        users = accounts.users.page(after, limit + 1).await?.ok_or_else(nobody_there)?;
        if users.len() > limit {
            users.truncate(limit);
            let last = users[limit - 1].id;
            let next = format!("</api/v1/users?limit={limit}&after={last}>; rel=\"next\"");
            answer.insert_header((header::LINK, next));
        }
    }
    let views: Vec<UserView<'_>> = users.iter().map(|user| UserView::from(user.as_ref())).collect();
    Ok(answer.json(views))
}

fn nobody_there() -> Error {
    Error::bad(Code::InvalidValue, "after must be the id of a user who is there")
}

/// Makes a user. For admins.
#[utoipa::path(
    post, path = "/api/v1/users", tag = "users", operation_id = "createUser",
    summary = "Make a user", request_body = NewUserBody, description = "For admins.",
    responses((status = 201, description = "The new user", body = UserView<'static>)),
    extensions(("x-codes" = json!([NOT_FOR_ALL, BODY, NEW_USER, NEW_PASSWORD]))),
)]
pub async fn create(_: Admin, mut call: Call, body: Body) -> Result<HttpResponse> {
    let fields = body.json().await?;
    let refused = |error: Error| error.prefixed("Can't create User: ");
    let text = |name| fields.text(name).map_err(refused);
    text("email")?;
    let email = fields.required("email")?;
    text("password")?;
    let password = fields.required("password")?;
    let (first_name, last_name) = (text("first_name")?, text("last_name")?);
    let must_change = fields.boolean("must_change").map_err(refused)?.unwrap_or(false);
    let role = Role::User;
    let new = NewUser { email, password, first_name, last_name, role, must_change };
    let user = call.create_user(new).await.map_err(refused)?;
    Ok(HttpResponse::Created().json(UserView::from(user.as_ref())))
}

/// The current user. For users; without roles there is none.
#[utoipa::path(
    get, path = "/api/v1/users/me", tag = "users", operation_id = "readMe",
    summary = "Whoever is speaking", description = "With `AUTH_TYPE=none` that is nobody.",
    responses((status = 200, description = "The user", body = UserView<'static>)),
    extensions(("x-codes" = json!([MAY_LACK]))),
)]
pub async fn me(caller: Caller) -> Result<HttpResponse> {
    Ok(told(caller.user().ok_or_else(Error::not_found)?))
}

/// A user. For himself and admins.
#[utoipa::path(
    get, path = "/api/v1/users/{id}", tag = "users", operation_id = "readUser",
    summary = "A user", params(ById), description = "For himself and admins.",
    responses((status = 200, description = "The user", body = UserView<'static>)),
    extensions(("x-codes" = json!([NOT_FOR_ALL, MAY_LACK]))),
)]
pub async fn read(
    caller: Caller,
    accounts: web::Data<Accounts>,
    id: web::Path<String>,
) -> Result<HttpResponse> {
    let id = id.parse().ok();
    caller.may_touch(id)?;
    let id = id.ok_or_else(Error::not_found)?;
    Ok(told(&accounts.users.get(id).await?.ok_or_else(Error::not_found)?))
}

/// A user, in the bytes in which he has been told before.
fn told(user: &Arc<User>) -> HttpResponse {
    let tell = || serde_json::to_vec(&UserView::from(user.as_ref())).expect("a view is JSON");
    HttpResponse::Ok().insert_header((header::CONTENT_TYPE, JSON)).body(user.told(tell))
}

/// Changes a user. Names are for himself and admins, `role` and `disabled` for admins; another
/// role gives the session that did it a new id.
#[utoipa::path(
    put, path = "/api/v1/users/{id}", tag = "users", operation_id = "updateUser",
    summary = "Change a user", params(ById), request_body = UserChange,
    description = "Names are for himself and admins; `role` and `disabled` for admins. Another \
        role needs a fresh login, or the password.",
    responses((status = 200, description = "The user as he is now", body = UserView<'static>,
        headers(("Set-Cookie" = String,
            description = "The session cookie, with a new secret; with another role alone")))),
    extensions(("x-codes" = json!([NOT_FOR_ALL, MAY_LACK, BODY, FRESH, LAST_ADMIN]))),
)]
pub async fn update(mut call: Call, id: web::Path<String>, body: Body) -> Result<HttpResponse> {
    let id = existing(&call, &id).await?.id;
    let fields = body.json().await?;
    // Of the right type, needed or not.
    let proof = fields.text(CURRENT_PASSWORD)?;
    let patch = patch(&fields, &call.caller)?;
    let (user, renewed) = call.update_user(id, patch, proof).await?;
    Ok(answer_with(call.auth.as_ref(), renewed.as_ref(), UserView::from(user.as_ref())))
}

/// Removes a user. For himself and admins.
#[utoipa::path(
    delete, path = "/api/v1/users/{id}", tag = "users", operation_id = "deleteUser",
    summary = "Remove a user", params(ById),
    description = "His sessions end. For himself and admins. Needs a fresh login, or the password.",
    request_body = Option<FreshProof>,
    responses((status = 200, description = "He is gone", body = Nothing,
        headers(
            ("Set-Cookie" = String, description = "The cookie, expired, if its session ends"),
            ("Clear-Site-Data" = String, description = "What a browser is to forget with it"),
        ))),
    extensions(("x-codes" = json!([NOT_FOR_ALL, MAY_LACK, FRESH, BODY, FORM, LAST_ADMIN]))),
)]
pub async fn delete(mut call: Call, id: web::Path<String>, body: Body) -> Result<HttpResponse> {
    let id = existing(&call, &id).await?.id;
    let proof = proof(&call, body).await?;
    call.delete_user(id, proof).await?;
    Ok(ended_answer(&call, call.is_himself(id)))
}

/// The user whom a path names by his id.
async fn existing(call: &Call, id: &str) -> Result<Arc<User>> {
    if id == "me" { Err(Error::not_found()) } else { call.subject(id).await }
}

fn patch(fields: &Fields, caller: &Caller) -> Result<UserPatch> {
    // Who may not change them is refused whatever they are.
    if fields.has("role") || fields.has("disabled") {
        caller.must_be_admin()?;
    }
    Ok(UserPatch {
        first_name: fields.text("first_name")?,
        last_name: fields.text("last_name")?,
        role: fields.role()?,
        disabled: fields.boolean("disabled")?,
    })
}
