//! Login and logout.

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, Scope, web};

use super::answer::{page, page_about_leading_to, page_leading_to, see_other, see_other_with};
use super::state::State;
use super::view::{Field, Frame, LoggedInPage, LoginPage, LogoutPage, Notice};
use super::visit::name_of;
use super::{at, confirm, words};
use crate::acts::{Credentials, LoggedIn, LoginErrors, log_in, log_out};
use crate::api::{Body, CLEAR_SITE_DATA, Fields, get};
use crate::auth::Auth;
use crate::auth::accounts::Accounts;
use crate::auth::guard::GuardRules;
use crate::auth::redirects::{Redirects, host_of};
use crate::error::{Code, Result};
use crate::models::{Password, User};

/// Where one goes who has come from nowhere.
const HOME: &str = "/account";

/// The routes under `/login`.
pub fn login_routes() -> Scope {
    let scope = at(web::scope("/login"), "", "GET, HEAD, POST", |page| {
        page.route(get().to(show)).route(web::post().to(enter))
    });
    confirm::routes(scope)
}

/// The routes under `/logout`.
pub fn logout_routes() -> Scope {
    at(web::scope("/logout"), "", "GET, HEAD, POST", |page| {
        page.route(get().to(ask)).route(web::post().to(leave))
    })
}

async fn show(
    request: HttpRequest,
    state: State,
    auth: web::Data<dyn Auth>,
    redirects: web::Data<Redirects>,
) -> Result<HttpResponse> {
    let query = Fields::from_query(&request, &["return_to"])?;
    let back = query.text("return_to")?.and_then(|to| redirects.way_back(&to));
    state.set_way_back(back.as_deref());
    if let Some(user) = auth.current_user(&request).await? {
        return Ok(logged_in(&state, back, &user));
    }
    let frame = Frame { who: None, notice: state.take_notice() };
    let back_to = back.as_deref().and_then(host_of);
    let view = LoginPage { frame, back_to, ..LoginPage::default() };
    Ok(page_leading_to(back.as_deref(), StatusCode::OK, &view))
}

fn logged_in(state: &State, back: Option<String>, user: &User) -> HttpResponse {
    let frame = Frame { who: None, notice: state.take_notice() };
    let back_to = back.as_deref().and_then(host_of);
    let go_on = back.unwrap_or_else(|| HOME.into());
    page(StatusCode::OK, &LoggedInPage { frame, name: name_of(user), go_on, back_to })
}

async fn enter(
    request: HttpRequest,
    state: State,
    auth: web::Data<dyn Auth>,
    accounts: web::Data<Accounts>,
    errors: web::Data<LoginErrors>,
    redirects: web::Data<Redirects>,
    body: Body,
) -> Result<HttpResponse> {
    let fields = body.any().await?;
    // What is in the cookie was accepted once; what is allowed may have changed since.
    let back = state.way_back().and_then(|to| redirects.way_back(&to));
    let remember = fields.flag("remember")?.unwrap_or(false);
    let email = Field { value: fields.text("email")?.unwrap_or_default(), error: None };
    let mut typed = LoginPage { email, remember, ..LoginPage::default() };
    let entered = match credentials(&fields, remember) {
        Ok(with) => log_in(&request, auth.as_ref(), &accounts, **errors, with).await,
        Err(missing) => Err(missing),
    };
    let error = match entered {
        Ok(entered) => return Ok(welcome(auth.as_ref(), &state, back.as_deref(), &entered)),
        Err(error) => words::of_a_form(error)?,
    };
    match error.code() {
        Code::EmailMissing => {
            typed.email.error = Some(words::of(&error));
            typed.password_error = fields.required("password").err().map(|error| words::of(&error));
        }
        Code::PasswordMissing => typed.password_error = Some(words::of(&error)),
        _ => typed.problem = Some(words::of(&error)),
    }
    typed.back_to = back.as_deref().and_then(host_of);
    Ok(page_about_leading_to(back.as_deref(), &error, &typed))
}

/// Sends somebody who has logged in to where he came from, but for who must change his password
/// before.
fn welcome(auth: &dyn Auth, state: &State, back: Option<&str>, entered: &LoggedIn) -> HttpResponse {
    state.forget();
    let to = if entered.user.must_change {
        state.set_way_back(back);
        "/account/password"
    } else {
        back.unwrap_or(HOME)
    };
    see_other_with(auth, Some(&entered.session), to)
}

/// What somebody logs in with; else which of it is missing.
fn credentials(fields: &Fields, remember: bool) -> Result<Credentials> {
    let email = fields.required("email")?;
    let password = Password::sent(fields.required("password")?);
    Ok(Credentials { email, password, remember })
}

async fn ask(request: HttpRequest, auth: web::Data<dyn Auth>) -> Result<HttpResponse> {
    if auth.current_user(&request).await?.is_none() {
        return Ok(see_other("/login"));
    }
    Ok(page(StatusCode::OK, &LogoutPage { frame: Frame { who: None, notice: None } }))
}

async fn leave(
    request: HttpRequest,
    state: State,
    auth: web::Data<dyn Auth>,
    rules: web::Data<GuardRules>,
) -> Result<HttpResponse> {
    match log_out(&request, auth.as_ref(), &rules).await {
        Ok(()) => {}
        // It has ended already, which is what was wanted.
        Err(error) if error.code() == Code::SessionInvalid => {}
        Err(error) => return Err(error),
    }
    state.forget();
    state.tell(&Notice::good("You are logged out."));
    let mut answer = see_other("/login");
    forget_session(auth.as_ref(), &mut answer);
    Ok(answer)
}

/// Has a browser forget the session that has ended, and what it has kept of it.
pub fn forget_session(auth: &dyn Auth, answer: &mut HttpResponse) {
    answer.add_cookie(&auth.cookie().expire()).expect("an empty cookie stands in a header");
    let (name, value) = CLEAR_SITE_DATA;
    answer.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_static(value));
}
