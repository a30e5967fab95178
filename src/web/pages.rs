//! Pages for people: login, one's own account, administration. Plain forms and answers; without
//! JavaScript everything works.
//!
//! What is done is done by `acts`, as for the API; how it looks is in `view`.

mod account;
mod admin;
mod answer;
mod confirm;
mod door;
mod login;
mod password;
mod state;
mod step;
mod view;
mod visit;
mod words;

use std::fmt;
use std::sync::Arc;

use actix_session::SessionMiddleware;
use actix_session::config::{BrowserSession, CookieContentSecurity};
use actix_session::storage::CookieSessionStore;
use actix_web::cookie::{Key, SameSite};
use actix_web::dev::HttpServiceFactory;
use actix_web::middleware::from_fn;
use actix_web::{Scope, web};
use futures_util::future::BoxFuture;

pub use door::nothing_here;

use super::READ;
use crate::api::{self, get, resource};
use crate::auth::cookie::SessionCookie;
use crate::error::Result;

/// The name of the cookie that holds the state of the pages, before its prefix.
const COOKIE: &str = "sessiond_pages";
/// Where browsers and password managers look for the page on which a password is changed.
const WELL_KNOWN: &str = "/.well-known/change-password";

/// Tells whether the service can do all that it is there for; 503 with the reasons.
pub type Health = Arc<dyn Fn() -> BoxFuture<'static, Result<()>> + Send + Sync>;

/// The pages of a service.
#[derive(Clone)]
pub struct Pages {
    key: Key,
    https: bool,
    health: web::Data<Health>,
}

impl fmt::Debug for Pages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages").finish_non_exhaustive()
    }
}

impl Pages {
    /// Pages whose short-lived state is sealed with this key, for a service that is reached over
    /// https, or over plain http.
    pub fn new(key: &[u8; 64], https: bool, health: Health) -> Self {
        Self { key: Key::from(key), https, health: web::Data::new(health) }
    }

    /// Adds the pages to an application; nothing for none.
    pub fn configure(pages: Option<Self>, config: &mut web::ServiceConfig) {
        let Some(pages) = pages else { return };
        config.app_data(pages.health.clone());
        for asset in view::ASSETS {
            config.service(
                resource(asset.path(), READ).route(get().to(move || async { asset.answer() })),
            );
        }
        for scope in
            [login::login_routes(), login::logout_routes(), account::routes(), admin::routes()]
        {
            config.service(pages.behind_the_door(scope));
        }
        let change_password = || async { answer::see_other("/account/password") };
        config.service(resource(WELL_KNOWN, READ).route(get().to(change_password)));
    }

    fn behind_the_door(&self, scope: Scope) -> impl HttpServiceFactory + use<> {
        let scope = scope.default_service(web::to(api::not_found));
        scope.wrap(from_fn(door::door)).wrap(self.state())
    }

    /// The sealed cookie. It holds nothing but the state of the pages, and ends with the browser.
    fn state(&self) -> SessionMiddleware<CookieSessionStore> {
        SessionMiddleware::builder(CookieSessionStore::default(), self.key.clone())
            .cookie_name(SessionCookie::new(COOKIE, self.https, None).name().to_owned())
            .cookie_secure(self.https)
            .cookie_http_only(true)
            .cookie_same_site(SameSite::Lax)
            .cookie_content_security(CookieContentSecurity::Private)
            .session_lifecycle(BrowserSession::default())
            .build()
    }
}

/// A page that is reached at this path, with and without a slash at its end.
fn at(
    scope: Scope,
    path: &str,
    methods: &'static str,
    route: impl Fn(actix_web::Resource) -> actix_web::Resource,
) -> Scope {
    let scope = scope.service(route(resource(path, methods)));
    scope.service(route(resource(&format!("{path}/"), methods)))
}
