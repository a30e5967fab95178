//! Answers of the pages.

use actix_web::http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue, LOCATION,
    RETRY_AFTER, WWW_AUTHENTICATE,
};
use actix_web::http::{ConnectionType, StatusCode};
use actix_web::{HttpResponse, ResponseError as _};
use askama::Template;

use super::view::Notice;
use crate::auth::redirects::origin_of;
use crate::auth::{Auth, NewSession, SESSION_CHALLENGE};
use crate::error::Error;

/// What a page may load, and whom its forms may be sent to. A form that is answered by a redirect
/// is sent there too, as browsers see it.
fn policy(form_leads_to: Option<&str>) -> String {
    let target = form_leads_to.and_then(origin_of).map_or_else(String::new, |to| format!(" {to}"));
    format!(
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; \
         form-action 'self'{target}; base-uri 'none'; frame-ancestors 'none'"
    )
}

/// A page.
pub fn page(status: StatusCode, view: &impl Template) -> HttpResponse {
    page_leading_to(None, status, view)
}

/// A page whose form leads to this address in the end.
pub fn page_leading_to(
    address: Option<&str>,
    status: StatusCode,
    view: &impl Template,
) -> HttpResponse {
    let mut answer = HttpResponse::build(status);
    answer.insert_header((CONTENT_TYPE, "text/html; charset=utf-8"));
    answer.insert_header((CONTENT_SECURITY_POLICY, policy(address)));
    answer.insert_header((CACHE_CONTROL, "no-store"));
    if status == StatusCode::UNAUTHORIZED {
        answer.insert_header((WWW_AUTHENTICATE, SESSION_CHALLENGE));
    }
    answer.body(view.render().expect("a page of texts can be written"))
}

/// A page that tells of an error: with its status, and the headers that belong to it.
pub fn page_about(error: &Error, view: &impl Template) -> HttpResponse {
    page_about_leading_to(None, error, view)
}

/// The same, when its form leads to this address in the end.
pub fn page_about_leading_to(
    address: Option<&str>,
    error: &Error,
    view: &impl Template,
) -> HttpResponse {
    let mut answer = page_leading_to(address, error.status_code(), view);
    like(&error.error_response(), &mut answer);
    answer
}

/// Takes over what an answer says of when and how to ask again.
pub fn like<B>(told: &HttpResponse<B>, answer: &mut HttpResponse) {
    for name in [RETRY_AFTER, ALLOW] {
        if let Some(value) = told.headers().get(&name) {
            answer.headers_mut().insert(name, value.clone());
        }
    }
    // The rest of a body may still be on its way.
    if told.head().connection_type() == ConnectionType::Close {
        answer.head_mut().set_connection_type(ConnectionType::Close);
    }
}

/// Sends a browser on with GET, so that nothing is sent twice (POST-redirect-GET).
pub fn see_other(to: &str) -> HttpResponse {
    let to = HeaderValue::from_str(to).unwrap_or(HeaderValue::from_static("/account"));
    HttpResponse::SeeOther().insert_header((LOCATION, to)).finish()
}

/// The same, with the cookie of a session that has been given another id, if it has.
pub fn see_other_with(auth: &dyn Auth, session: Option<&NewSession>, to: &str) -> HttpResponse {
    let mut answer = see_other(to);
    if let Some(session) = session {
        let cookie = auth.cookie().issue(&session.id, session.keep);
        answer.add_cookie(&cookie).expect("a session id stands in a header");
    }
    answer
}

impl Notice {
    /// Something was done.
    pub fn good(text: impl Into<String>) -> Self {
        Self { good: true, text: text.into() }
    }

    /// Something was not.
    pub fn bad(text: impl Into<String>) -> Self {
        Self { good: false, text: text.into() }
    }
}
