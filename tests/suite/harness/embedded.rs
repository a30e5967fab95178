use std::sync::Arc;

use actix_web::App;
use actix_web::http::StatusCode;
use actix_web::test::{TestRequest, call_service, init_service};
use sessiond::app::{Service, World};
use sessiond::clock::ManualClock;
use sessiond::config::Config;

use super::{ADMIN, ADMIN_PASSWORD, TempDir};

/// The service in this process, with a clock that a test moves.
pub struct Embedded(pub Service);

impl Embedded {
    /// Opens the service in a data directory, with these flags and the first admin.
    pub async fn open(directory: &TempDir, clock: &Arc<ManualClock>, flags: &[&str]) -> Self {
        let data = directory.data().display().to_string();
        let always = ["--unsafe-fast-hash", "1", "--data-dir", &data];
        let config = Config::from_arguments(&[&always, flags].concat()).unwrap();
        let world = World { clock: Arc::clone(clock) as _, ..World::default() };
        let service = Service::open_in(&config, &world).unwrap();
        let (email, password) = (ADMIN.parse().unwrap(), ADMIN_PASSWORD.to_owned());
        let admin = sessiond::config::FirstAdmin { email, password };
        service.create_first_admin(admin).await.unwrap();
        Self(service)
    }

    /// Logs in and returns the session id.
    pub async fn log_in(&self, email: &str, password: &str) -> String {
        let form = [("email", email), ("password", password)];
        let login = TestRequest::post().uri("/api/v1/auth_session/login").set_form(form);
        let app = init_service(App::new().configure(self.0.routes())).await;
        let answer = call_service(&app, login.to_request()).await;
        assert_eq!(answer.status(), StatusCode::OK);
        let cookie = answer.response().cookies().next().expect("a login sets the cookie");
        cookie.value().to_owned()
    }

    /// How a session's question for its user is answered.
    pub async fn me(&self, session: &str) -> StatusCode {
        let cookie = ("Cookie", format!("_my_session_id={session}"));
        let request = TestRequest::get().uri("/api/v1/users/me").insert_header(cookie);
        let app = init_service(App::new().configure(self.0.routes())).await;
        call_service(&app, request.to_request()).await.status()
    }

    /// Ends the service.
    pub async fn close(self) {
        self.0.close().await.unwrap();
    }
}
