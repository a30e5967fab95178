//! A session by its id, and a whole GET with and without the guard.

use actix_web::dev::Service as _;
use actix_web::rt::System;
use actix_web::{App, HttpResponse, test, web};
use criterion::{BatchSize, Criterion};
use futures_util::FutureExt as _;
use serde::Serialize;
use sessiond::app::Service;
use sessiond::clock::Timestamp;
use sessiond::config::Config;
use sessiond::models::{Email, Role, SessionId, User, UserId};

use crate::data;
use crate::harness::records::run;
use crate::harness::scratch::Scratch;

const SESSIONS: usize = 10_000;

/// A user as the API tells him.
#[derive(Serialize)]
struct View<'u> {
    id: UserId,
    created_at: Timestamp,
    updated_at: Timestamp,
    email: &'u Email,
    first_name: Option<&'u str>,
    last_name: Option<&'u str>,
    role: Role,
    disabled: bool,
}

/// A handler that asks nobody, so that it is the same with the guard and without.
async fn me(user: web::Data<User>) -> HttpResponse {
    HttpResponse::Ok().json(View {
        id: user.id,
        created_at: user.created_at,
        updated_at: user.updated_at,
        email: &user.email,
        first_name: user.first_name.as_deref(),
        last_name: user.last_name.as_deref(),
        role: user.role,
        disabled: user.disabled,
    })
}

pub fn measure(criterion: &mut Criterion) {
    let scratch = Scratch::new();
    let known = data::write(scratch.path(), SESSIONS);
    let flags = ["--data-dir", scratch.path().to_str().unwrap()];
    let service = Service::open(&Config::from_arguments(&flags).unwrap()).unwrap();
    look_ups(criterion, &service, &known);
    System::new().block_on(gets(criterion, &service, &known));
    run(service.close()).unwrap();
}

fn look_ups(criterion: &mut Criterion, service: &Service, known: &[SessionId]) {
    let mut group = criterion.benchmark_group("session");
    let mut ids = known.iter().cycle();
    group.bench_function("hash", |bench| bench.iter(|| ids.next().unwrap().hash()));
    group.bench_function("look-up", |bench| {
        bench.iter(|| {
            let user = service.auth().user_id_for_session_id(ids.next().unwrap());
            user.now_or_never().expect("it is in memory").unwrap().expect("it lives")
        });
    });
}

async fn gets(criterion: &mut Criterion, service: &Service, known: &[SessionId]) {
    let app = App::new()
        .app_data(web::Data::new(data::user(0)))
        .configure(service.routes())
        .route("/bare/me", web::get().to(me))
        .service(web::scope("/guarded").wrap(service.guard()).route("/me", web::get().to(me)));
    let app = test::init_service(app).await;
    let mut group = criterion.benchmark_group("get");
    let mut ids = known.iter().cycle();
    let paths = [("bare", "/bare/me"), ("guarded", "/guarded/me"), ("API", "/api/v1/users/me")];
    for (name, path) in paths {
        let mut request = || {
            let cookie = format!("_my_session_id={}", ids.next().unwrap().reveal());
            test::TestRequest::get().uri(path).insert_header(("Cookie", cookie)).to_request()
        };
        assert!(app.call(request()).await.unwrap().status().is_success(), "{path}");
        group.bench_function(name, |bench| {
            let answer = |request| app.call(request).now_or_never().expect("it waits for nothing");
            bench.iter_batched(&mut request, answer, BatchSize::SmallInput);
        });
    }
}
