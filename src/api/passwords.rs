//! Changing passwords: one's own, and as an admin that of somebody else.

use std::sync::Arc;

use actix_web::{HttpResponse, web};

use super::auth_session::answer_with;
use super::body::{Body, Fields};
use super::call::Call;
use super::fresh::CURRENT_PASSWORD;
use super::openapi::bodies::PasswordChange;
use super::openapi::parameters::Somebody;
use super::openapi::refusals::{BODY, FRESH, MAY_LACK, NEW_PASSWORD, NOT_FOR_ALL, PASSWORD_CHANGE};
use super::users::forget_sessions;
use super::view::UserView;
use crate::auth::NewSession;
use crate::auth::accounts::Pathway;
use crate::auth::audit::{About, Event};
use crate::auth::session::Renewal;
use crate::error::{Code, Error, Result};
use crate::models::{User, UserSession};

/// Gives a user another password: himself, with the current one (ASVS 6.2.3); or an admin, after
/// which the user must change it unless `must_change` is false. Ends all sessions of the user but
/// the one that asks, which gets a new id.
#[utoipa::path(
    put, path = "/api/v1/users/{id}/password", tag = "users", operation_id = "changePassword",
    summary = "Give a user another password", params(Somebody), request_body = PasswordChange,
    description = "One's own, with the current one; or as an admin that of somebody else, which \
        needs a fresh login, or the password. All sessions of the user end but the one in use.",
    responses((status = 200, description = "The user", body = UserView<'static>,
        headers(("Set-Cookie" = String,
            description = "The session cookie, with a new secret; with one's own password alone")))),
    extensions(("x-codes" = json!([
        NOT_FOR_ALL, MAY_LACK, BODY, PASSWORD_CHANGE, NEW_PASSWORD, FRESH
    ]))),
)]
pub async fn change(mut call: Call, id: web::Path<String>, body: Body) -> Result<HttpResponse> {
    let user = call.subject(&id).await?;
    let fields = body.json().await?;
    // A body takes its time; what counts is who is speaking now.
    call.again().await?;
    call.caller.may_touch(Some(user.id))?;
    let session = call.session().await?;
    let himself = call.is_himself(user.id);
    let user = if himself {
        change_own(&mut call, &user, &fields).await?
    } else {
        set(&mut call, &user, &fields).await?
    };
    let by = About::default().session(session.as_ref().map(|session| session.id));
    call.record(Event::PasswordChanged, Some(user.id), by);
    let session = renewed(&call, session.filter(|_| himself), &user).await;
    let kept = session.as_ref().map(|session| session.session.hash);
    forget_sessions(call.auth.as_ref(), user.id, kept).await;
    Ok(answer_with(call.auth.as_ref(), session.as_ref(), UserView::from(user.as_ref())))
}

async fn change_own(call: &mut Call, user: &User, fields: &Fields) -> Result<Arc<User>> {
    let current = fields.required(CURRENT_PASSWORD)?;
    let new = fields.required("new_password")?;
    // It is his own choice; but of the right type it must be.
    fields.boolean("must_change")?;
    if current == new {
        return Err(Error::bad(
            Code::PasswordUnchanged,
            "new_password must differ from current_password",
        ));
    }
    // A new password that is no good is told before the current one costs a hash.
    call.accounts.password_rules.check(new.clone(), user.email.as_str())?;
    let proved = call.prove(user, current, Pathway::CurrentPassword).await?;
    let hash = call.accounts.hash(new, user).await?;
    // Hashing took a while: a session that was ended meanwhile changes nothing any more.
    call.again().await?;
    call.accounts.change_password(&proved, hash).await
}

/// The session that asked, under a new id and the new password. Without it the user logs in once
/// more: his password has been changed already.
async fn renewed(
    call: &Call,
    session: Option<Arc<UserSession>>,
    user: &User,
) -> Option<NewSession> {
    let (sessions, session) = call.auth.sessions().zip(session)?;
    sessions.renew(&session, user, Renewal::Proved).await.unwrap_or_else(|error| {
        log::warn!("user {}: the session that changed his password ends: {error}", user.id);
        None
    })
}

async fn set(call: &mut Call, user: &User, fields: &Fields) -> Result<Arc<User>> {
    let new = fields.required("new_password")?;
    let must_change = fields.boolean("must_change")?.unwrap_or(true);
    fields.text(CURRENT_PASSWORD)?;
    call.must_be_fresh(fields).await?;
    let hash = call.accounts.hash(new, user).await?;
    // Hashing took a while; what counts is what the caller may do now.
    call.again().await?;
    call.caller.must_be_admin()?;
    let user = call.accounts.set_password(user.id, hash, must_change).await?;
    user.ok_or_else(Error::not_found)
}
