//! The kinds of authentication as functions, for programs that have the service inside.

use std::sync::Arc;

use actix_web::test::{TestRequest, call_service, init_service};
use actix_web::{App, HttpRequest, web};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sessiond::app::{Service, World};
use sessiond::auth::guard::Caller;
use sessiond::auth::{Auth, Login, OPEN_PATHS};
use sessiond::clock::{ManualClock, Timestamp};
use sessiond::config::{Config, FirstAdmin};
use sessiond::models::{SessionId, User};

use crate::harness::{ADMIN, ADMIN_PASSWORD, KINDS, NO_SESSION, PASSWORD, SESSION_KINDS, TempDir};

/// What a test of one kind works on.
struct Kind {
    name: &'static str,
    auth: Arc<dyn Auth>,
    admin: Arc<User>,
    service: Service,
    _directory: TempDir,
}

async fn kind(name: &'static str) -> Kind {
    let directory = TempDir::new();
    let clock = Arc::new(ManualClock::at(Timestamp::from_millis(1_500_000_000_000)));
    let data = directory.data().display().to_string();
    let flags = ["--auth-type", name, "--unsafe-fast-hash", "1", "--data-dir", &data];
    let config = Config::from_arguments(&flags).unwrap();
    let service = Service::open_in(&config, &World { clock, ..World::default() }).unwrap();
    let first = FirstAdmin { email: ADMIN.parse().unwrap(), password: ADMIN_PASSWORD.to_owned() };
    service.create_first_admin(first).await.unwrap();
    let auth = Arc::clone(service.auth());
    let admin = service.accounts().users.search(ADMIN).await.unwrap().unwrap();
    Kind { name, auth, admin, service, _directory: directory }
}

impl Kind {
    async fn session(&self) -> SessionId {
        let session = self.auth.create_session(&self.admin, Login::default()).await.unwrap();
        session.expect("this kind keeps sessions").id
    }

    async fn knows(&self, request: &HttpRequest) -> bool {
        let user = self.auth.current_user(request).await.unwrap();
        assert!(user.as_ref().is_none_or(|user| user.id == self.admin.id), "{}", self.name);
        user.is_some()
    }
}

fn with(header: &str, value: impl AsRef<[u8]>) -> HttpRequest {
    TestRequest::default().insert_header((header, value.as_ref())).to_http_request()
}

fn with_session(id: &str) -> HttpRequest {
    with("Cookie", format!("_my_session_id={id}"))
}

fn unknown() -> SessionId {
    SessionId::parse(NO_SESSION.as_bytes()).unwrap()
}

#[actix_web::test]
async fn every_kind_but_none_requires_somebody_where_the_list_does_not_open() {
    for name in KINDS {
        let kind = kind(name).await;
        for (path, open, required) in [
            ("/api/v1/users", OPEN_PATHS, true),
            ("/api/v1/status/", OPEN_PATHS, false),
            ("/api/v1/status", &[], true),
            ("/api/v1/stats", &["/api/v1/stat*"], false),
            ("/api/v1/stats", &["/api/*/stats"], true),
            ("", OPEN_PATHS, true),
        ] {
            let expected = required && name != "none";
            assert_eq!(kind.auth.require_auth(path, open), expected, "{name} {path:?} {open:?}");
        }
        kind.service.close().await.unwrap();
    }
}

#[actix_web::test]
async fn every_kind_reads_the_header_and_the_cookie() {
    for name in KINDS {
        let kind = kind(name).await;
        let bare = TestRequest::default().to_http_request();
        assert_eq!(kind.auth.authorization_header(&bare).unwrap(), None);
        assert_eq!(kind.auth.session_cookie(&bare).unwrap(), None);
        let request = with("Authorization", "Test");
        assert_eq!(kind.auth.authorization_header(&request).unwrap(), Some(&b"Test"[..]));
        let request = with("Cookie", "a=b; _my_session_id=c; _my_session=d");
        assert_eq!(kind.auth.session_cookie(&request).unwrap(), Some(&b"c"[..]));
        assert_eq!(kind.auth.session_cookie(&with("Cookie", "a=b")).unwrap(), None);
        kind.service.close().await.unwrap();
    }
}

#[actix_web::test]
async fn nobody_is_the_current_user_of_a_request_without_credentials_that_are_good() {
    for name in KINDS {
        let kind = kind(name).await;
        for request in [
            TestRequest::default().to_http_request(),
            with("Authorization", "Test"),
            with("Authorization", ""),
            with("Authorization", b"\xff"),
            with("Authorization", "Basic"),
            with("Authorization", "Basic Test"),
            with("Authorization", format!("Basic {}", STANDARD.encode(ADMIN))),
            with("Authorization", format!("Basic {}", STANDARD.encode([0xff, b':', 0xff]))),
            with("Authorization", format!("Basic {}", STANDARD.encode(format!("{ADMIN}:x")))),
            with("Authorization", format!("Basic {}", STANDARD.encode("x:x"))),
            with_session(""),
            with_session("junk"),
            with_session(NO_SESSION),
            with_session(&kind.admin.id.to_string()),
        ] {
            assert!(!kind.knows(&request).await, "{name} {request:?}");
            assert!(!kind.auth.destroy_session(&request).await.unwrap(), "{name} {request:?}");
        }
        kind.service.close().await.unwrap();
    }
}

#[actix_web::test]
async fn basic_auth_looks_its_user_up() {
    let kind = kind("basic_auth").await;
    let right = with(
        "Authorization",
        format!("Basic {}", STANDARD.encode(format!("{ADMIN}:{ADMIN_PASSWORD}"))),
    );
    assert!(kind.knows(&right).await);
    let accounts = kind.service.accounts();
    let hash = accounts.hash(PASSWORD.into(), &kind.admin).await.unwrap();
    accounts.set_password(kind.admin.id, hash, false).await.unwrap();
    assert!(!kind.knows(&right).await, "the password is another now");
    kind.service.close().await.unwrap();
}

#[actix_web::test]
async fn kinds_without_sessions_create_none() {
    for name in ["none", "auth", "basic_auth"] {
        let kind = kind(name).await;
        let made = kind.auth.create_session(&kind.admin, Login::default()).await.unwrap();
        assert!(made.is_none() && kind.auth.sessions().is_none(), "{name}");
        assert_eq!(kind.auth.user_id_for_session_id(&unknown()).await.unwrap(), None);
        kind.service.close().await.unwrap();
    }
}

#[actix_web::test]
async fn a_session_belongs_to_its_user_until_it_is_destroyed() {
    for name in SESSION_KINDS {
        let kind = kind(name).await;
        let (first, second, unknown) = (kind.session().await, kind.session().await, unknown());
        assert_ne!(first.reveal(), second.reveal(), "{name}");
        let user_of = async |id| kind.auth.user_id_for_session_id(id).await.unwrap();
        for id in [&first, &second] {
            assert_eq!(user_of(id).await, Some(kind.admin.id), "{name}");
            assert!(kind.knows(&with_session(id.reveal())).await, "{name}");
        }
        assert_eq!(user_of(&unknown).await, None, "{name}");

        let request = with_session(first.reveal());
        assert!(kind.auth.destroy_session(&request).await.unwrap(), "{name}");
        assert!(!kind.auth.destroy_session(&request).await.unwrap(), "{name}");
        assert_eq!(user_of(&first).await, None, "{name}");
        assert!(!kind.knows(&request).await, "{name}");
        assert_eq!(user_of(&second).await, Some(kind.admin.id), "{name}");
        kind.service.close().await.unwrap();
    }
}

#[actix_web::test]
async fn the_guard_before_a_route_of_ones_own_lets_through_whom_it_lets_through_to_the_api() {
    let kind = kind("session_db_auth").await;
    let hello = |caller: Caller| async move { caller.user().unwrap().display_name() };
    let own = web::scope("/hello").wrap(kind.service.guard()).route("", web::to(hello));
    let application = App::new().configure(kind.service.routes()).service(own);
    let application = init_service(application).await;
    let status = async |request: TestRequest| {
        let answer = call_service(&application, request.uri("/hello").to_request()).await;
        answer.status().as_u16()
    };
    let session = kind.session().await;
    let by_session = || {
        TestRequest::post()
            .insert_header(("Cookie", format!("_my_session_id={}", session.reveal())))
    };
    assert_eq!(status(TestRequest::post()).await, 401);
    assert_eq!(status(by_session()).await, 200);
    let foreign = by_session().insert_header(("Origin", "https://evil.example"));
    assert_eq!(status(foreign).await, 403);

    let accounts = kind.service.accounts();
    let hash = accounts.hash(PASSWORD.into(), &kind.admin).await.unwrap();
    let admin = accounts.set_password(kind.admin.id, hash, true).await.unwrap().unwrap();
    assert_eq!(status(by_session()).await, 403);
    let session = kind.auth.create_session(&admin, Login::default()).await.unwrap().unwrap().id;
    let request = with_session(session.reveal());
    assert!(kind.knows(&request).await, "he is known");
    let cookie = ("Cookie", format!("_my_session_id={}", session.reveal()));
    assert_eq!(status(TestRequest::get().insert_header(cookie)).await, 403, "and may not go on");
    kind.service.close().await.unwrap();
}
