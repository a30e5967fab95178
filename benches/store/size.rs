//! Look-ups and durable writes at a size: in the store, and as a client sees them.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use actix_web::rt::System;
use futures_util::future::join_all;
use sessiond::app::{Service, Stores, World};
use sessiond::config::Config;
use sessiond::models::SessionId;
use sessiond::store::{Records as _, Room, SessionStore};

use crate::data;
use crate::harness::records::run;
use crate::harness::scratch::Scratch;

const LOOK_UPS: u32 = 1_000_000;
const REQUESTS: usize = 30_000;
/// Callers at once, and how often they all make a session.
const CALLERS: usize = 64;
const ROUNDS: usize = 400;

pub fn measure(number: usize) {
    let scratch = Scratch::new();
    let known = data::write(scratch.path(), number);
    let stores = Stores::open(scratch.path(), &World::default()).unwrap();
    let look_up = look_ups(&stores, &known).as_secs_f64() * 1e9;
    let insert = inserts(&stores).as_secs_f64() * 1e6;
    run(stores.close()).unwrap();
    drop(stores);
    let request = requests(scratch.path(), &known).as_secs_f64() * 1e6;
    println!(
        "{number:>9} users and sessions: a guarded GET {request:.1} us there and back, {CALLERS} durable sessions at once {insert:.0} us; within the store a session and its user {look_up:.0} ns"
    );
}

/// A session by its id, and its user, as the guard does it.
fn look_ups(stores: &Stores, known: &[SessionId]) -> Duration {
    let started = Instant::now();
    for id in known.iter().cycle().take(LOOK_UPS as usize) {
        let session = stores.sessions.table().get(&id.hash()).unwrap();
        let user = stores.users.table().get(&session.user_id).unwrap();
        std::hint::black_box(user);
    }
    started.elapsed() / LOOK_UPS
}

/// The median of rounds in which many make a session at once.
fn inserts(stores: &Stores) -> Duration {
    let sessions = Arc::clone(&stores.sessions);
    let rounds = (0..ROUNDS).map(|round| {
        let new = (0..CALLERS).map(|caller| {
            let user = data::user(round * CALLERS + caller);
            sessions.insert(data::session(&user, caller).1, Room::default())
        });
        let new = join_all(new);
        let started = Instant::now();
        run(new).into_iter().for_each(|inserted| drop(inserted.unwrap()));
        started.elapsed()
    });
    median(rounds.collect())
}

/// The median of requests, one after the other, on one connection.
fn requests(path: &Path, known: &[SessionId]) -> Duration {
    let flags = ["--data-dir", path.to_str().unwrap(), "--api-port", "0", "--workers", "1"];
    let config = Config::from_arguments(&flags).unwrap();
    let service = Arc::new(Service::open(&config).unwrap());
    let (started, ready) = channel();
    let serving = std::thread::spawn(move || {
        System::new().block_on(async move {
            let bound = service.bind(&config).unwrap();
            let address = bound.addresses()[0];
            let server = bound.into_server();
            started.send((address, server.handle())).unwrap();
            server.await.unwrap();
        });
    });
    let (address, handle) = ready.recv().unwrap();
    let mut connection = TcpStream::connect(address).unwrap();
    connection.set_nodelay(true).unwrap();
    let ids = known.iter().cycle().take(REQUESTS);
    let times = ids.map(|id| request(&mut connection, address, id)).collect();
    drop(connection);
    System::new().block_on(handle.stop(false));
    serving.join().unwrap();
    median(times)
}

fn request(connection: &mut TcpStream, address: SocketAddr, id: &SessionId) -> Duration {
    let (path, name, id) = ("/api/v1/users/me", "_my_session_id", id.reveal());
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nCookie: {name}={id}\r\n\r\n");
    let mut answer = [0; 4096];
    let started = Instant::now();
    connection.write_all(request.as_bytes()).unwrap();
    let length = connection.read(&mut answer).unwrap();
    let time = started.elapsed();
    assert!(answer[..length].starts_with(b"HTTP/1.1 200 ") && answer[..length].ends_with(b"}"));
    time
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}
