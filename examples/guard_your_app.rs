//! An actix-web application gets a login, and a route for those who are logged in.
//!
//!     ADMIN_EMAIL=me@example.com ADMIN_PASSWORD='correct horse 1' cargo run --example guard_your_app

use std::sync::Arc;

use actix_web::{App, HttpServer, rt, web};
use sessiond::{Config, CurrentUser, Service};

async fn welcome() -> &'static str {
    "Log in at /api/v1/auth_session/login, then come to /mine.\n"
}

async fn mine(user: CurrentUser) -> String {
    format!("Hello {}\n", user.display_name())
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let config = Config::from_environment()?;
    let service = Arc::new(Service::open(&config)?);
    service.ensure_first_admin(&config).await?;
    rt::spawn(Arc::clone(&service).sweep()); // clears away what has expired
    let doors = Arc::clone(&service);
    let server = HttpServer::new(move || {
        let mine = web::scope("/mine").wrap(doors.guard()).route("", web::get().to(mine));
        App::new().route("/", web::get().to(welcome)).configure(doors.routes()).service(mine)
    });
    let server = server.bind((config.api_host.as_str(), config.api_port))?;
    eprintln!("listening on http://{}", server.addrs()[0]);
    server.run().await?;
    Ok(service.close().await?)
}
