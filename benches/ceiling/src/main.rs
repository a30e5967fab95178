//! The ceiling: the user that a guarded GET answers, from a bare actix-web handler that asks nobody.

use std::io;

use actix_web::{App, HttpResponse, HttpServer, web};
use serde::Serialize;

/// What sessiond tells of a user, ready to be written.
#[derive(Serialize)]
struct User {
    id: &'static str,
    created_at: &'static str,
    updated_at: &'static str,
    email: &'static str,
    first_name: Option<&'static str>,
    last_name: Option<&'static str>,
    role: &'static str,
    disabled: bool,
}

const USER: User = User {
    id: "3ea61b0b-4c46-4e76-9b2e-5f9b2b1d4c11",
    created_at: "2026-01-31T12:00:00.000Z",
    updated_at: "2026-01-31T12:00:00.000Z",
    email: "user.number.0@example.com",
    first_name: Some("Ada"),
    last_name: Some("Lovelace"),
    role: "user",
    disabled: false,
};

async fn me() -> HttpResponse {
    HttpResponse::Ok().json(USER)
}

#[actix_web::main]
async fn main() -> io::Result<()> {
    let server = HttpServer::new(|| App::new().route("/api/v1/users/me", web::get().to(me)));
    let server = server.workers(1).bind("127.0.0.1:0")?;
    println!("listening on http://{}", server.addrs()[0]);
    server.run().await
}
