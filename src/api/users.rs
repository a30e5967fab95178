//! Users: list, create, read, update, delete.

use actix_web::{HttpRequest, HttpResponse, web};

use super::body::{Body, Fields};
use super::view::UserView;
use crate::auth::Auth;
use crate::auth::accounts::{Accounts, NewUser, UserPatch};
use crate::auth::guard::{Admin, Caller};
use crate::error::{Error, Result};
use crate::models::{Role, User, UserId};

/// Everybody, in creation order. For admins.
pub async fn list(_: Admin, accounts: web::Data<Accounts>) -> Result<HttpResponse> {
    let users = accounts.users.all().await?;
    let views: Vec<UserView<'_>> = users.iter().map(|user| UserView::from(user.as_ref())).collect();
    Ok(HttpResponse::Ok().json(views))
}

/// Makes a user. For admins.
pub async fn create(
    Admin(caller): Admin,
    request: HttpRequest,
    accounts: web::Data<Accounts>,
    auth: web::Data<dyn Auth>,
    body: Body,
) -> Result<HttpResponse> {
    let fields = body.json().await?;
    let refused = |error: Error| error.prefixed("Can't create User: ");
    let text = |name| fields.text(name).map_err(refused);
    text("email")?;
    let email = fields.required("email")?;
    text("password")?;
    let password = fields.required("password")?;
    let (first_name, last_name) = (text("first_name")?, text("last_name")?);
    let new = NewUser { email, password, first_name, last_name, role: Role::User };
    let user = accounts.prepare(new).await.map_err(refused)?;
    caller.again(auth.as_ref(), &request).await?.must_be_admin()?;
    let user = accounts.users.insert(user).await.map_err(refused)?;
    Ok(HttpResponse::Created().json(UserView::from(user.as_ref())))
}

/// The current user. For users; without roles there is none.
pub async fn me(caller: Caller) -> Result<HttpResponse> {
    Ok(shown(caller.user().ok_or_else(Error::not_found)?))
}

/// A user. For himself and admins.
pub async fn read(
    caller: Caller,
    accounts: web::Data<Accounts>,
    id: web::Path<String>,
) -> Result<HttpResponse> {
    let id = touchable(&caller, &id)?;
    let user = accounts.users.get(id).await?.ok_or_else(Error::not_found)?;
    Ok(shown(&user))
}

/// Changes a user. Names are for himself and admins, `role` and `disabled` for admins.
pub async fn update(
    caller: Caller,
    request: HttpRequest,
    accounts: web::Data<Accounts>,
    auth: web::Data<dyn Auth>,
    id: web::Path<String>,
    body: Body,
) -> Result<HttpResponse> {
    let id = existing(&caller, &accounts, &id).await?;
    let fields = body.json().await?;
    let caller = caller.again(auth.as_ref(), &request).await?;
    caller.may_touch(Some(id))?;
    let patch = patch(&fields, &caller)?;
    let locked_out = patch.disabled == Some(true);
    let user = accounts.update(id, patch).await?.ok_or_else(Error::not_found)?;
    if locked_out {
        forget_sessions(auth.as_ref(), id).await;
    }
    Ok(shown(&user))
}

/// Removes a user. For himself and admins.
pub async fn delete(
    caller: Caller,
    accounts: web::Data<Accounts>,
    auth: web::Data<dyn Auth>,
    id: web::Path<String>,
) -> Result<HttpResponse> {
    let id = existing(&caller, &accounts, &id).await?;
    if !accounts.users.remove(id).await? {
        return Err(Error::not_found());
    }
    forget_sessions(auth.as_ref(), id).await;
    Ok(HttpResponse::Ok().json(serde_json::json!({})))
}

fn shown(user: &User) -> HttpResponse {
    HttpResponse::Ok().json(UserView::from(user))
}

/// The id in a path, if the caller may touch it: 403 if not, 404 for what is no id.
fn touchable(caller: &Caller, id: &str) -> Result<UserId> {
    let id = id.parse().ok();
    caller.may_touch(id)?;
    id.ok_or_else(Error::not_found)
}

/// The same for a change: 404 for an id that nobody has, whatever the body is.
async fn existing(caller: &Caller, accounts: &Accounts, id: &str) -> Result<UserId> {
    let id = touchable(caller, id)?;
    accounts.users.get(id).await?.map(|user| user.id).ok_or_else(Error::not_found)
}

fn patch(fields: &Fields, caller: &Caller) -> Result<UserPatch> {
    let for_admins = fields.has("role") || fields.has("disabled");
    if for_admins && !caller.is_admin() {
        return Err(Error::Forbidden);
    }
    Ok(UserPatch {
        first_name: fields.text("first_name")?,
        last_name: fields.text("last_name")?,
        role: fields.role()?,
        disabled: fields.boolean("disabled")?,
    })
}

/// The sessions of a user who may not come in any more have ended already, with his record; this
/// only clears them away.
async fn forget_sessions(auth: &dyn Auth, id: UserId) {
    if let Err(error) = auth.destroy_all(id, None).await {
        log::warn!("user {id}: his ended sessions stay in the store for now: {error}");
    }
}
