//! The password once more, before what matters most; then what was asked for is done.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, Scope, web};

use super::answer::{page, page_about, see_other};
use super::step::Step;
use super::view::{ConfirmPage, Notice};
use super::visit::Visit;
use super::{at, words};
use crate::api::{Body, get};
use crate::error::{Error, Result};
use crate::models::User;

/// Where the password is asked for once more.
pub const PATH: &str = "/login/confirm";

/// Adds the routes to those under `/login`.
pub fn routes(scope: Scope) -> Scope {
    at(scope, "/confirm", "GET, HEAD, POST", |page| {
        page.route(get().to(show)).route(web::post().to(go_on))
    })
}

async fn show(visit: Visit) -> Result<HttpResponse> {
    let user = visit.user()?;
    let Some(step) = visit.state.half_done(user.id, visit.now()) else {
        return Ok(nothing_to_confirm(&visit));
    };
    Ok(page(StatusCode::OK, &view(&visit, &user, &step, None)))
}

async fn go_on(mut visit: Visit, body: Body) -> Result<HttpResponse> {
    let fields = body.any().await?;
    visit.call.again().await?;
    let user = visit.user()?;
    let Some(step) = visit.state.half_done(user.id, visit.now()) else {
        return Ok(nothing_to_confirm(&visit));
    };
    let proved = match fields.required("password") {
        Ok(password) => visit.call.give_proof(&user, password).await,
        Err(missing) => Err(missing),
    };
    if let Err(error) = proved {
        let error = words::of_a_form(error)?;
        return Ok(page_about(&error, &view(&visit, &user, &step, Some(&error))));
    }
    visit.state.end();
    step.take(&mut visit).await
}

fn view(visit: &Visit, user: &Arc<User>, step: &Step, error: Option<&Error>) -> ConfirmPage {
    ConfirmPage {
        frame: visit.frame(),
        what: step.in_words().into(),
        email: user.email.as_str().to_owned(),
        error: error.map(words::of),
        cancel: step.origin(),
    }
}

fn nothing_to_confirm(visit: &Visit) -> HttpResponse {
    let text = "There is nothing left to confirm: it was done already, or asked for too long ago.";
    visit.state.tell(&Notice::bad(text));
    see_other("/account")
}
