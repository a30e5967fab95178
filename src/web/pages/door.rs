//! The door of the pages: whom the guard does not let in is sent to log in, and whatever goes wrong
//! behind it becomes a page.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::middleware::Next;
use actix_web::{HttpMessage as _, HttpRequest, HttpResponse, ResponseError as _, web};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::answer::{like, page, see_other};
use super::view::{Frame, TroublePage};
use super::visit::who;
use super::words;
use crate::auth::audit::X_REQUEST_ID;
use crate::auth::guard::{GuardRules, admit, record_refused, seen_through};
use crate::auth::{Auth, OPEN_PAGES};
use crate::error::{Code, Error};

/// The middleware: for `middleware::from_fn`.
pub async fn door<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let (auth, rules) = (data::<dyn Auth>(&request)?, data::<GuardRules>(&request)?);
    match admit(auth.as_ref(), &rules, request.request(), OPEN_PAGES).await {
        Ok(caller) => {
            if let Some(caller) = caller {
                request.extensions_mut().insert(caller);
            }
        }
        Err(refused) => {
            let told = refused.error_response();
            let answer = answer_to(&refused, request.request(), &told);
            return Ok(request.into_response(answer));
        }
    }
    let changes_nothing = request.method().is_safe();
    let response = seen_through(changes_nothing, next.call(request)).await?;
    let error = response.response().error().and_then(actix_web::Error::as_error::<Error>);
    // A page that asks for the password once more is no refusal: the wrong one has its line already.
    if error.is_some() && response.status() == StatusCode::FORBIDDEN {
        record_refused(auth.as_ref(), &response).await;
    }
    let answer = error.map(|error| answer_to(error, response.request(), response.response()));
    Ok(match answer {
        Some(answer) => response.into_response(answer),
        None => response.map_into_boxed_body(),
    })
}

fn data<T: ?Sized + 'static>(request: &ServiceRequest) -> Result<web::Data<T>, Error> {
    let data = request.app_data::<web::Data<T>>().cloned();
    data.ok_or_else(|| Error::Internal("the pages lack application data".into()))
}

/// What a browser is answered instead of this error, which was `told` in JSON.
fn answer_to<B>(error: &Error, request: &HttpRequest, told: &HttpResponse<B>) -> HttpResponse {
    let reads = request.method().is_safe();
    match error.code() {
        Code::SessionRequired | Code::SessionInvalid if reads => see_other(&login_for(request)),
        Code::PasswordChangeRequired => see_other("/account/password"),
        _ => {
            let mut answer = page(told.status(), &trouble(error, request));
            like(told, &mut answer);
            answer
        }
    }
}

/// The page to log in, from which one comes back to what was asked for.
fn login_for(request: &HttpRequest) -> String {
    let asked = request.uri().path_and_query().map_or("/account", |asked| asked.as_str());
    let back = utf8_percent_encode(asked, NON_ALPHANUMERIC);
    format!("/login?return_to={back}")
}

/// The page that tells what has gone wrong, and what to do.
fn trouble(error: &Error, request: &HttpRequest) -> TroublePage {
    let path = request.path().to_owned();
    let (title, text, go) = match error.code() {
        Code::SessionRequired | Code::SessionInvalid => (
            "You are not logged in any more",
            "So nothing of what you have just sent was done. Log in, and send it again.".into(),
            (login_for(request), "Log in"),
        ),
        Code::CrossSite => (
            "This was sent by another site",
            "So nothing was done. If it was you who meant it, do it here.".into(),
            (path, "Open the page"),
        ),
        Code::NotFound => (
            "There is no such page",
            "It may have been moved or removed, or the address has a mistake.".into(),
            ("/account".into(), "My account"),
        ),
        Code::Forbidden => (
            "This is not for you",
            "Only administrators may see and do this.".into(),
            ("/account".into(), "My account"),
        ),
        Code::MethodNotAllowed => (
            "This is not done so",
            "Open the page, and use what is on it.".into(),
            (path, "Open the page"),
        ),
        Code::InternalError | Code::Unavailable => {
            let id = request.headers().get(X_REQUEST_ID).and_then(|id| id.to_str().ok());
            let text = "Please try again in a moment. If it stays so, tell the operator";
            let named = id.map_or_else(String::new, |id| format!(": the log has it as {id}"));
            ("Something does not work here", format!("{text}{named}."), (path, "Try again"))
        }
        _ => ("This did not work", words::of(error), (path, "Back")),
    };
    let frame = Frame { who: who(request), notice: None };
    TroublePage { frame, title: title.into(), text, go: (go.0, go.1.into()) }
}

/// What answers where there is nothing: a page for a browser, JSON for a program. Who looks what is here
/// at all finds his account.
pub async fn nothing_here(request: HttpRequest) -> HttpResponse {
    let error = Error::not_found();
    let told = error.error_response();
    if request.path().starts_with("/api/") || !crate::api::wants_page(&request) {
        return told;
    }
    if request.path() == "/" && request.method().is_safe() {
        return see_other("/account");
    }
    page(told.status(), &trouble(&error, &request))
}
