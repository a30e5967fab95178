//! A peer: actix-identity over actix-session, whose session is an encrypted cookie. All is as it
//! comes, but that the cookie is sent over plain http.

use std::io;

use actix_identity::{Identity, IdentityMiddleware};
use actix_session::{SessionMiddleware, storage::CookieSessionStore};
use actix_web::cookie::Key;
use actix_web::{App, HttpMessage as _, HttpRequest, HttpResponse, HttpServer, web};
use user::USER;

/// Lets everybody in, as the one user.
async fn log_in(request: HttpRequest) -> HttpResponse {
    match Identity::login(&request.extensions(), USER.id.to_owned()) {
        Ok(_) => HttpResponse::Ok().finish(),
        Err(error) => HttpResponse::from_error(error),
    }
}

async fn me(caller: Identity) -> HttpResponse {
    match caller.id() {
        Ok(id) if id == USER.id => HttpResponse::Ok().json(USER),
        _ => HttpResponse::Forbidden().finish(),
    }
}

#[actix_web::main]
async fn main() -> io::Result<()> {
    let key = Key::generate();
    let application = move || {
        let sessions = SessionMiddleware::builder(CookieSessionStore::default(), key.clone());
        App::new()
            .wrap(IdentityMiddleware::default())
            .wrap(sessions.cookie_secure(false).build())
            .route("/login", web::post().to(log_in))
            .route("/api/v1/users/me", web::get().to(me))
    };
    let server = HttpServer::new(application).workers(1).bind("127.0.0.1:0")?;
    println!("listening on http://{}", server.addrs()[0]);
    server.run().await
}
