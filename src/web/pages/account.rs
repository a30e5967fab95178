//! One's own account: the name, and where one is logged in.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, Scope, web};

use super::answer::{page, page_about, see_other};
use super::login::forget_session;
use super::step::Step;
use super::view::{AccountPage, Field, Notice};
use super::visit::Visit;
use super::{at, password, words};
use crate::api::{Body, get};
use crate::auth::accounts::UserPatch;
use crate::error::{Error, Result};

/// The routes under `/account`.
pub fn routes() -> Scope {
    let scope = at(web::scope("/account"), "", "GET, HEAD, POST", |page| {
        page.route(get().to(show)).route(web::post().to(save_name))
    });
    let scope = password::routes(scope);
    let scope = at(scope, "/sessions/end-others", "GET, HEAD, POST", |page| {
        page.route(get().to(back)).route(web::post().to(end_others))
    });
    at(scope, "/sessions/{session}/end", "GET, HEAD, POST", |page| {
        page.route(get().to(back)).route(web::post().to(end))
    })
}

/// Who looks at where a form was sent to finds the page that it stands on.
async fn back() -> HttpResponse {
    see_other("/account")
}

async fn show(visit: Visit) -> Result<HttpResponse> {
    let user = visit.user()?;
    let field =
        |name: &Option<String>| Field { value: name.clone().unwrap_or_default(), error: None };
    let view = view(&visit, field(&user.first_name), field(&user.last_name)).await?;
    Ok(page(StatusCode::OK, &view))
}

async fn view(visit: &Visit, first_name: Field, last_name: Field) -> Result<AccountPage> {
    let user = visit.user()?;
    let sessions = visit.sessions_of(&user).await?;
    Ok(AccountPage {
        frame: visit.frame(),
        email: user.email.as_str().to_owned(),
        role: user.role.to_string(),
        first_name,
        last_name,
        sessions,
        problem: None,
    })
}

async fn save_name(mut visit: Visit, body: Body) -> Result<HttpResponse> {
    let fields = body.any().await?;
    let (first_name, last_name) = (fields.text("first_name")?, fields.text("last_name")?);
    let typed = [&first_name, &last_name].map(|name| name.clone().unwrap_or_default());
    let patch = UserPatch { first_name, last_name, ..UserPatch::default() };
    let id = visit.user()?.id;
    let error = match visit.call.update_user(id, patch, None).await {
        Ok(_) => {
            visit.state.tell(&Notice::good("Your name is saved."));
            return Ok(see_other("/account"));
        }
        Err(error) => words::of_a_form(error)?,
    };
    let [first_name, last_name] = typed.map(|value| Field { value, error: None });
    let mut view = view(&visit, first_name, last_name).await?;
    let name = words::at_a_name(&error, &mut view.first_name, &mut view.last_name);
    view.problem = name.err();
    Ok(page_about(&error, &view))
}

async fn end(visit: Visit, session: web::Path<String>) -> Result<HttpResponse> {
    let user = visit.user()?;
    let own = match visit.call.end_session(&user, &session).await {
        Ok(own) => own,
        Err(Error::NotFound(_)) => {
            visit.state.tell(&Notice::bad("This session had ended already."));
            return Ok(see_other("/account"));
        }
        Err(error) => return Err(error),
    };
    visit.state.tell(&Notice::good(if own {
        "You are logged out."
    } else {
        "The session has ended."
    }));
    let mut answer = see_other(if own { "/login" } else { "/account" });
    if own {
        forget_session(visit.call.auth.as_ref(), &mut answer);
    }
    Ok(answer)
}

async fn end_others(mut visit: Visit) -> Result<HttpResponse> {
    Step::EndOtherSessions.take(&mut visit).await
}
