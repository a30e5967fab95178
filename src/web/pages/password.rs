//! One's own password.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, Scope, web};

use super::answer::{page_about_leading_to, page_leading_to, see_other_with};
use super::view::{Notice, PasswordPage};
use super::visit::Visit;
use super::{at, words};
use crate::api::{Body, Fields, get};
use crate::auth::NewSession;
use crate::auth::redirects::Redirects;
use crate::error::{Code, Error, Result};

/// Adds the routes to those under `/account`.
pub fn routes(scope: Scope) -> Scope {
    at(scope, "/password", "GET, HEAD, POST", |page| {
        page.route(get().to(show)).route(web::post().to(change))
    })
}

async fn show(visit: Visit, redirects: web::Data<Redirects>) -> Result<HttpResponse> {
    let view = view(&visit)?;
    let back = way_on(&visit, &redirects, view.must_change);
    Ok(page_leading_to(back.as_deref(), StatusCode::OK, &view))
}

/// Where one goes on who had to change his password before.
fn way_on(visit: &Visit, redirects: &Redirects, must_change: bool) -> Option<String> {
    let back = visit.state.way_back().filter(|_| must_change);
    back.and_then(|to| redirects.way_back(&to))
}

fn view(visit: &Visit) -> Result<PasswordPage> {
    let user = visit.user()?;
    Ok(PasswordPage {
        frame: visit.frame(),
        email: user.email.as_str().to_owned(),
        rules: words::password_rules(),
        must_change: user.must_change,
        current_error: None,
        new_error: None,
        problem: None,
    })
}

async fn change(
    mut visit: Visit,
    redirects: web::Data<Redirects>,
    body: Body,
) -> Result<HttpResponse> {
    let fields = body.any().await?;
    let back = way_on(&visit, &redirects, visit.user()?.must_change);
    let error = match changed(&mut visit, &fields).await {
        Ok(session) => {
            visit
                .state
                .tell(&Notice::good("Your password is changed. All other sessions have ended."));
            visit.state.set_way_back(None);
            let to = back.as_deref().unwrap_or("/account");
            return Ok(see_other_with(visit.call.auth.as_ref(), session.as_ref(), to));
        }
        Err(error) => words::of_a_form(error)?,
    };
    let mut view = view(&visit)?;
    let told = Some(words::of(&error));
    match error.code() {
        Code::CurrentPasswordMissing | Code::WrongPassword => view.current_error = told,
        Code::Throttled | Code::Busy => view.problem = told,
        _ => view.new_error = told,
    }
    Ok(page_about_leading_to(back.as_deref(), &error, &view))
}

async fn changed(visit: &mut Visit, fields: &Fields) -> Result<Option<NewSession>, Error> {
    let user = visit.user()?;
    let current = fields.required("current_password")?;
    let new = fields.required("new_password")?;
    let (_, session) = visit.call.change_own_password(&user, current, new).await?;
    Ok(session)
}
