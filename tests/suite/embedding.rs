//! A program that has the service inside, with something of its own in it.

use std::sync::Arc;

use actix_web::dev::ServiceResponse;
use actix_web::http::StatusCode;
use actix_web::test::{TestRequest, call_service, init_service, read_body};
use actix_web::{App, HttpRequest, web};
use async_trait::async_trait;
use sessiond::auth::Auth;
use sessiond::auth::accounts::Accounts;
use sessiond::config::FirstAdmin;
use sessiond::error::Result;
use sessiond::models::{User, UserSession};
use sessiond::store::memory::MemoryTable;
use sessiond::store::{SessionStore, UserStore};
use sessiond::{Config, CurrentUser, Service};

use crate::harness::{ADMIN, ADMIN_PASSWORD, TempDir};

fn config(directory: &TempDir, flags: &[&str]) -> Config {
    let data = directory.data().display().to_string();
    let flags = [&["--unsafe-fast-hash", "1", "--data-dir", &data], flags].concat();
    Config::from_arguments(&flags).unwrap()
}

async fn with_admin(service: Service) -> Service {
    let first = FirstAdmin { email: ADMIN.parse().unwrap(), password: ADMIN_PASSWORD.to_owned() };
    assert!(service.create_first_admin(first).await.unwrap());
    service
}

async fn mine(user: CurrentUser) -> String {
    user.email.to_string()
}

/// The answer of a program that has the service inside, and routes of its own.
async fn answer(service: &Service, request: TestRequest) -> ServiceResponse {
    let guarded = web::scope("/mine").wrap(service.guard()).route("", web::get().to(mine));
    let forgotten = web::resource("/forgotten").to(mine);
    let app = App::new().configure(service.routes()).service(guarded).service(forgotten);
    call_service(&init_service(app).await, request.to_request()).await.map_into_boxed_body()
}

/// Logs the admin in; the cookie.
async fn log_in(service: &Service) -> String {
    let form = [("email", ADMIN), ("password", ADMIN_PASSWORD)];
    let login = TestRequest::post().uri("/api/v1/auth_session/login").set_form(form);
    let answer = answer(service, login).await;
    assert_eq!(answer.status(), StatusCode::OK);
    let cookie = answer.response().cookies().next().unwrap();
    format!("{}={}", cookie.name(), cookie.value())
}

fn get(path: &str, header: (&str, &str)) -> TestRequest {
    TestRequest::get().uri(path).insert_header(header)
}

/// Knows the admin by a header.
struct ByHeader(Arc<Accounts>);

#[async_trait(?Send)]
impl Auth for ByHeader {
    async fn current_user(&self, request: &HttpRequest) -> Result<Option<Arc<User>>> {
        match self.authorization_header(request)? {
            Some(b"Open sesame") => self.0.users.search(ADMIN).await,
            _ => Ok(None),
        }
    }
}

#[actix_web::test]
async fn a_kind_of_ones_own_is_asked_by_the_api_and_by_the_guard() {
    let directory = TempDir::new();
    let config = config(&directory, &[]);
    let kind = |accounts: &Arc<_>| Arc::new(ByHeader(Arc::clone(accounts))) as _;
    let service = with_admin(Service::builder(&config).auth(kind).open().unwrap()).await;
    for path in ["/mine", "/api/v1/users/me"] {
        for (header, status) in [
            (("Authorization", "Open sesame"), StatusCode::OK),
            (("Authorization", "Open barley"), StatusCode::FORBIDDEN),
            (("Accept", "*/*"), StatusCode::UNAUTHORIZED),
        ] {
            let answer = answer(&service, get(path, header)).await;
            assert_eq!(answer.status(), status, "{path} {header:?}");
        }
    }
    let login = TestRequest::post().uri("/api/v1/auth_session/login");
    assert_eq!(answer(&service, login).await.status(), StatusCode::BAD_REQUEST);
    service.close().await.unwrap();
}

#[actix_web::test]
async fn sessions_are_kept_in_a_store_of_ones_own_by_every_kind_that_keeps_any() {
    for kind in ["session_auth", "session_exp_auth", "session_db_auth"] {
        let directory = TempDir::new();
        let config = config(&directory, &["--auth-type", kind]);
        let store = Arc::new(MemoryTable::<UserSession>::default());
        let service = Service::builder(&config).sessions(Arc::clone(&store) as _).open().unwrap();
        let service = with_admin(service).await;
        let cookie = log_in(&service).await;
        assert_eq!(SessionStore::count(&*store).await.unwrap(), 1, "{kind}");
        assert_eq!(service.session_count().await.unwrap(), 1, "{kind}");
        assert_eq!(
            read_body(answer(&service, get("/mine", ("Cookie", &cookie))).await).await,
            ADMIN
        );
        store.clear().await.unwrap();
        let ended = answer(&service, get("/mine", ("Cookie", &cookie))).await;
        assert_eq!(ended.status(), StatusCode::FORBIDDEN, "{kind}");
        service.close().await.unwrap();
        let kept = std::fs::read_to_string(directory.data().join("UserSession.json"));
        assert!(kept.is_err() || kept.unwrap().trim() == "{}", "{kind}: none in the files");
    }
}

#[actix_web::test]
async fn users_are_kept_in_a_store_of_ones_own() {
    let directory = TempDir::new();
    let config = config(&directory, &[]);
    let store = Arc::new(MemoryTable::<User>::default());
    let service = Service::builder(&config).users(Arc::clone(&store) as _).open().unwrap();
    let service = with_admin(service).await;
    assert!(UserStore::search(&*store, ADMIN).await.unwrap().is_some());
    let cookie = log_in(&service).await;
    assert_eq!(read_body(answer(&service, get("/mine", ("Cookie", &cookie))).await).await, ADMIN);
    service.close().await.unwrap();
    let kept = std::fs::read_to_string(directory.data().join("User.json"));
    assert!(kept.is_err() || kept.unwrap().trim() == "{}", "none in the files");
}

#[actix_web::test]
async fn a_handler_that_asks_for_the_user_is_shut_where_there_is_none() {
    let directory = TempDir::new();
    let service = with_admin(Service::open(&config(&directory, &[])).unwrap()).await;
    let cookie = log_in(&service).await;
    let forgotten = answer(&service, get("/forgotten", ("Cookie", &cookie))).await;
    assert_eq!(forgotten.status(), StatusCode::UNAUTHORIZED, "there is no guard before it");
    service.close().await.unwrap();

    let directory = TempDir::new();
    let service = Service::open(&config(&directory, &["--auth-type", "none"])).unwrap();
    let nobody = answer(&service, get("/mine", ("Cookie", &cookie))).await;
    assert_eq!(nobody.status(), StatusCode::UNAUTHORIZED, "there is nobody");
    service.close().await.unwrap();
}

#[actix_web::test]
async fn the_first_admin_of_the_settings_is_made_once_and_his_file_may_go_then() {
    let directory = TempDir::new();
    let file = directory.path().join("password");
    std::fs::write(&file, ADMIN_PASSWORD).unwrap();
    let flags = ["--admin-email", ADMIN, "--admin-password-file", file.to_str().unwrap()];
    let config = config(&directory, &flags);
    let service = Service::open(&config).unwrap();
    assert_eq!(service.ensure_first_admin(&config).await, Ok(true));
    log_in(&service).await;
    std::fs::remove_file(&file).unwrap();
    assert_eq!(service.ensure_first_admin(&config).await, Ok(false));
    service.close().await.unwrap();
}
