//! One user, as an admin sees and changes him.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, Scope, web};

use super::users::row;
use crate::api::{Body, get};
use crate::auth::accounts::UserPatch;
use crate::auth::guard::Admin;
use crate::error::{Error, Result};
use crate::models::User;
use crate::web::pages::answer::{page, page_about, see_other};
use crate::web::pages::login::forget_session;
use crate::web::pages::step::Step;
use crate::web::pages::view::{Notice, SetPasswordPage, UserPage};
use crate::web::pages::visit::Visit;
use crate::web::pages::{at, words};

/// Adds the routes to those under `/admin`.
pub fn routes(scope: Scope) -> Scope {
    let scope = at(scope, "/users/{id}", "GET, HEAD", |page| page.route(get().to(show)));
    let scope = at(scope, "/users/{id}/role", "GET, HEAD, POST", |page| {
        page.route(get().to(back)).route(web::post().to(set_role))
    });
    let scope = at(scope, "/users/{id}/disable", "GET, HEAD, POST", |page| {
        page.route(get().to(back)).route(web::post().to(disable))
    });
    let scope = at(scope, "/users/{id}/enable", "GET, HEAD, POST", |page| {
        page.route(get().to(back)).route(web::post().to(enable))
    });
    let scope = at(scope, "/users/{id}/password", "GET, HEAD, POST", |page| {
        page.route(get().to(show_password)).route(web::post().to(set_password))
    });
    let scope = at(scope, "/users/{id}/sessions/end", "GET, HEAD, POST", |page| {
        page.route(get().to(back)).route(web::post().to(end_sessions))
    });
    at(scope, "/users/{id}/sessions/{session}/end", "GET, HEAD, POST", |page| {
        page.route(get().to(back_from_session)).route(web::post().to(end_session))
    })
}

fn page_of(user: &User) -> String {
    format!("/admin/users/{}", user.id)
}

/// Who looks at where a form was sent to finds the page that it stands on.
async fn back(_: Admin, visit: Visit, id: web::Path<String>) -> Result<HttpResponse> {
    Ok(see_other(&page_of(&*visit.call.subject(&id).await?)))
}

async fn back_from_session(
    _: Admin,
    visit: Visit,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse> {
    Ok(see_other(&page_of(&*visit.call.subject(&path.0).await?)))
}

async fn show(_: Admin, visit: Visit, id: web::Path<String>) -> Result<HttpResponse> {
    let user = visit.call.subject(&id).await?;
    let sessions = visit.sessions_of(&user).await?;
    let himself = visit.call.is_himself(user.id);
    let (frame, user) = (visit.frame(), row(&user, visit.now()));
    Ok(page(StatusCode::OK, &UserPage { frame, user, himself, sessions, problem: None }))
}

async fn set_role(
    _: Admin,
    mut visit: Visit,
    id: web::Path<String>,
    body: Body,
) -> Result<HttpResponse> {
    let user = visit.call.subject(&id).await?;
    let fields = body.any().await?;
    let Some(role) = fields.role()? else { return Ok(see_other(&page_of(&user))) };
    Step::SetRole(user.id, role).take(&mut visit).await
}

async fn disable(_: Admin, visit: Visit, id: web::Path<String>) -> Result<HttpResponse> {
    set_disabled(visit, &id, true).await
}

async fn enable(_: Admin, visit: Visit, id: web::Path<String>) -> Result<HttpResponse> {
    set_disabled(visit, &id, false).await
}

async fn set_disabled(mut visit: Visit, id: &str, disabled: bool) -> Result<HttpResponse> {
    let user = visit.call.subject(id).await?;
    let patch = UserPatch { disabled: Some(disabled), ..UserPatch::default() };
    let notice = match visit.call.update_user(user.id, patch, None).await {
        Ok(_) if disabled => {
            let email = user.email.as_str();
            Notice::good(format!("{email} is disabled. All sessions of this user have ended."))
        }
        Ok(_) => Notice::good(format!("{} can log in again.", user.email.as_str())),
        Err(error @ Error::Conflict(_)) => Notice::bad(words::of(&error)),
        Err(error) => return Err(error),
    };
    visit.state.tell(&notice);
    Ok(see_other(&page_of(&user)))
}

async fn show_password(_: Admin, mut visit: Visit, id: web::Path<String>) -> Result<HttpResponse> {
    let user = visit.call.subject(&id).await?;
    if visit.call.is_himself(user.id) {
        return Ok(see_other("/account/password"));
    }
    if !visit.call.needs_no_proof().await? {
        return Step::OpenPasswordForm(user.id).take(&mut visit).await;
    }
    Ok(page(StatusCode::OK, &form(&visit, &user, true)))
}

fn form(visit: &Visit, user: &Arc<User>, must_change: bool) -> SetPasswordPage {
    SetPasswordPage {
        frame: visit.frame(),
        id: user.id.to_string(),
        email: user.email.as_str().to_owned(),
        rules: words::password_rules(),
        error: None,
        must_change,
        problem: None,
    }
}

async fn set_password(
    _: Admin,
    mut visit: Visit,
    id: web::Path<String>,
    body: Body,
) -> Result<HttpResponse> {
    let user = visit.call.subject(&id).await?;
    let fields = body.any().await?;
    let must_change = fields.flag("must_change")?.unwrap_or(false);
    let set = match fields.required("password") {
        Ok(password) => visit.call.set_password(&user, password, must_change, None).await,
        Err(missing) => Err(missing),
    };
    let error = match set {
        Ok(_) => {
            let email = user.email.as_str();
            let text =
                format!("{email} has another password. All sessions of this user have ended.");
            visit.state.tell(&Notice::good(text));
            return Ok(see_other(&page_of(&user)));
        }
        // It is not kept meanwhile: it is typed once more.
        Err(Error::FreshLoginRequired) => {
            return Step::OpenPasswordForm(user.id).take(&mut visit).await;
        }
        Err(error) => words::of_a_form(error)?,
    };
    let mut view = form(&visit, &user, must_change);
    let at_the_form = matches!(error, Error::TooManyAttempts(_) | Error::Busy);
    let place = if at_the_form { &mut view.problem } else { &mut view.error };
    *place = Some(words::of(&error));
    Ok(page_about(&error, &view))
}

async fn end_session(
    _: Admin,
    visit: Visit,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse> {
    let (id, session) = path.into_inner();
    let user = visit.call.subject(&id).await?;
    let (notice, own) = match visit.call.end_session(&user, &session).await {
        Ok(own) => (Notice::good("The session has ended."), own),
        Err(Error::NotFound(_)) => (Notice::bad("This session had ended already."), false),
        Err(error) => return Err(error),
    };
    visit.state.tell(&notice);
    let mut answer = see_other(&page_of(&user));
    if own {
        forget_session(visit.call.auth.as_ref(), &mut answer);
    }
    Ok(answer)
}

async fn end_sessions(_: Admin, mut visit: Visit, id: web::Path<String>) -> Result<HttpResponse> {
    let user = visit.call.subject(&id).await?;
    Step::EndSessions(user.id).take(&mut visit).await
}
