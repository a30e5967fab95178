//! Administration: the figures an operator looks for, and users.

mod user;
mod users;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, Scope, web};

use super::answer::page;
use super::view::{AdminPage, Figures};
use super::visit::Visit;
use super::{Health, at};
use crate::api::get;
use crate::auth::guard::Admin;
use crate::error::Result;

/// The routes under `/admin`.
pub fn routes() -> Scope {
    let scope = at(web::scope("/admin"), "", "GET, HEAD", |page| page.route(get().to(show)));
    user::routes(users::routes(scope))
}

async fn show(_: Admin, visit: Visit, health: web::Data<Health>) -> Result<HttpResponse> {
    let accounts = &visit.call.accounts;
    let sessions = match visit.call.auth.sessions() {
        Some(sessions) => sessions.store.count().await?,
        None => 0,
    };
    let last_hour = accounts.attempts.last_hour(visit.now());
    let figures = Figures {
        users: accounts.users.count().await?,
        sessions,
        logins: last_hour.succeeded,
        failures: last_hour.failed,
        trouble: health().await.err().map(|error| error.public_text().into_owned()),
        version: env!("CARGO_PKG_VERSION"),
    };
    Ok(page(StatusCode::OK, &AdminPage { frame: visit.frame(), figures }))
}
