//! The ceiling: the user that a guarded GET answers, from a bare actix-web handler that asks nobody.

use std::io;

use actix_web::{App, HttpResponse, HttpServer, web};
use user::USER;

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
