//! The JSON API: every route at one glance.

mod auth_session;
mod backup;
mod body;
mod cors;
mod index;
mod openapi;
mod passwords;
mod sessions;
mod users;
mod verify;
mod view;

#[cfg(any(fuzzing, test))]
pub use body::fuzzing;

use std::cell::Cell;
use std::rc::Rc;

use actix_web::guard as on;
use actix_web::http::Method;
use actix_web::{Resource, Scope, web};

use crate::auth::guard::Guard;
use crate::error::{Error, Result};

pub use auth_session::CLEAR_SITE_DATA;
pub use body::{Body, BodyTimeout, Fields};
pub use openapi::Document;
pub use openapi::bodies::Status;
pub use verify::wants_page;

/// Adds the API under `/api/v1`, guarded. It needs as application data: `dyn Auth`, `GuardRules`,
/// `Proxies`, `Redirects`, `Accounts`, `Backups`, `LoginErrors` and `BodyTimeout`; `app::Service` provides them,
/// and a `Document` where it is to be shown.
pub fn configure(config: &mut web::ServiceConfig, guard: Guard) {
    let origins = Rc::new(guard.rules.origins.clone());
    let scope = ["", "/"].into_iter().fold(web::scope("/api/v1"), routes);
    let scope = scope.default_service(web::to(not_found)).wrap(guard);
    config.service(scope.wrap_fn(move |request, next| cors::cors(&origins, request, next)));
}

/// All routes, with `end` at the end of each path. They are tried one after the other, so what is
/// asked most comes first; and fixed paths are cheaper to match than patterns, which is why those
/// with a slash at the end are routes of their own.
fn routes(scope: Scope, end: &str) -> Scope {
    let at = |path: &str, methods| {
        let route = Route::new(format!("/api/v1{path}"));
        resource(&format!("{path}{end}"), methods).app_data(route)
    };
    scope
        .service(
            at("/users/me", "GET, HEAD")
                .route(get().to(users::me))
                .route(web::put().to(not_found))
                .route(web::delete().to(not_found)),
        )
        .service(at("/status", "GET, HEAD").route(get().to(index::status)))
        .service(at("/unauthorized", "GET, HEAD").route(get().to(index::unauthorized)))
        .service(at("/forbidden", "GET, HEAD").route(get().to(index::forbidden)))
        .service(at("/stats", "GET, HEAD").route(get().to(index::stats)))
        .service(
            at("/users", "GET, HEAD, POST")
                .route(get().to(users::list))
                .route(web::post().to(users::create)),
        )
        .service(
            at("/users/{id}", "GET, HEAD, PUT, DELETE")
                .route(get().to(users::read))
                .route(web::put().to(users::update))
                .route(web::delete().to(users::delete)),
        )
        .service(at("/users/{id}/password", "PUT").route(web::put().to(passwords::change)))
        .service(
            at("/users/{id}/sessions", "GET, HEAD, DELETE")
                .route(get().to(sessions::list))
                .route(web::delete().to(sessions::end_all)),
        )
        .service(
            at("/users/{id}/sessions/{session}", "DELETE").route(web::delete().to(sessions::end)),
        )
        .service(at("/sessions", "DELETE").route(web::delete().to(sessions::end_everybodys)))
        .service(at("/admin/backup", "POST").route(web::post().to(backup::create)))
        .service(at("/auth_session/verify", "GET, HEAD").route(get().to(verify::verify)))
        .service(at("/auth_session", "GET, HEAD").route(get().to(auth_session::read)))
        .service(at("/auth_session/refresh", "POST").route(web::post().to(auth_session::refresh)))
        .service(at("/auth_session/reauth", "POST").route(web::post().to(auth_session::reauth)))
        .service(at("/auth_session/login", "POST").route(web::post().to(auth_session::login)))
        .service(at("/auth_session/logout", "DELETE").route(web::delete().to(auth_session::logout)))
        .service(
            at("/openapi.json", "GET, HEAD")
                .guard(openapi::is_shown())
                .route(get().to(openapi::read)),
        )
}

/// A route, for whoever has to do with a request that has come to it: `request.app_data::<Route>()`.
pub struct Route {
    /// Its pattern.
    pub pattern: String,
    /// The number that a worker knows it by, once it has one.
    pub number: Cell<Option<usize>>,
}

impl Route {
    /// One that no worker knows yet.
    pub const fn new(pattern: String) -> Self {
        Self { pattern, number: Cell::new(None) }
    }
}

/// A resource that tells which methods it has when it is asked with another.
pub fn resource(path: &str, methods: &'static str) -> Resource {
    let refuse = move || async move { Err::<&str, _>(Error::MethodNotAllowed(methods)) };
    web::resource(path).default_service(web::to(refuse))
}

/// GET, and HEAD like it.
pub fn get() -> actix_web::Route {
    web::route().guard(get_or_head())
}

fn get_or_head() -> impl on::Guard {
    on::fn_guard(|request| matches!(request.head().method, Method::GET | Method::HEAD))
}

/// What answers where there is nothing.
pub async fn not_found() -> Result<&'static str> {
    Err(Error::not_found())
}
