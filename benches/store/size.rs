//! Look-ups and durable writes at a size: in the store, and as a client sees them.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use actix_web::dev::ServerHandle;
use actix_web::rt::System;
use futures_util::future::join_all;
use sessiond::app::{Service, Stores, World};
use sessiond::config::Config;
use sessiond::models::SessionId;
use sessiond::store::{Records as _, Room, SessionStore};

use crate::harness::records::run;
use crate::harness::scratch::Scratch;
use crate::{cpu, data};

/// What a size is compared with.
const FEW: usize = 1_000;
const LOOK_UPS: usize = 200_000;
/// Requests, in blocks: how many, and of how many each.
const BLOCKS: usize = 30;
const REQUESTS: usize = 2_000;
/// Callers at once, and how often they all make a session.
const CALLERS: usize = 64;
const ROUNDS: usize = 600;

/// Both sizes take turns, so that what else the machine does counts for both.
pub fn measure(number: usize) {
    let both = [FEW, number].map(Stage::new);
    tell("a session and its user, in the store", number, "ns", 1e9, turns(20, &both, look_ups));
    tell("64 durable sessions at once", number, "us", 1e6, turns(ROUNDS, &both, inserts));
    let servers = both.map(Stage::serve);
    let mut clients = servers.map(Client::of);
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..BLOCKS {
        for (client, times) in clients.iter_mut().zip(&mut times) {
            times.push(client.requests());
        }
    }
    tell("a guarded GET, CPU of the server", number, "ns", 1e9, times.map(median));
    clients.into_iter().for_each(Client::end);
}

fn tell(what: &str, number: usize, unit: &str, scale: f64, [few, many]: [Duration; 2]) {
    let (few, many) = (few.as_secs_f64() * scale, many.as_secs_f64() * scale);
    let ratio = many / few;
    println!(
        "{what:<36}: {few:>6.0} {unit} at {FEW}, {many:>6.0} {unit} at {number}: {ratio:.2} x"
    );
}

fn turns(
    count: usize,
    both: &[Stage; 2],
    act: impl Fn(&Stage, usize) -> Duration,
) -> [Duration; 2] {
    let mut times = [Vec::new(), Vec::new()];
    for turn in 0..count {
        for (stage, times) in both.iter().zip(&mut times) {
            times.push(act(stage, turn));
        }
    }
    times.map(median)
}

/// So many users and sessions, opened.
struct Stage {
    scratch: Scratch,
    known: Vec<SessionId>,
    stores: Stores,
}

impl Stage {
    fn new(number: usize) -> Self {
        let scratch = Scratch::new();
        let known = data::write(scratch.path(), number);
        let stores = Stores::open(scratch.path(), &World::default()).unwrap();
        Self { scratch, known, stores }
    }

    /// The same behind a server.
    fn serve(self) -> Server {
        let Self { scratch, known, stores } = self;
        run(stores.close()).unwrap();
        drop(stores);
        let data = scratch.path().to_str().unwrap().to_owned();
        let flags = ["--data-dir", &data, "--api-port", "0", "--workers", "1"];
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
        Server { known, address, handle, serving, _scratch: scratch }
    }
}

/// Sessions by their ids, and their users, as the guard does it; the time of one.
fn look_ups(stage: &Stage, _: usize) -> Duration {
    let started = Instant::now();
    for id in stage.known.iter().cycle().take(LOOK_UPS) {
        let session = stage.stores.sessions.table().get(&id.hash()).unwrap();
        let user = stage.stores.users.table().get(&session.user_id).unwrap();
        std::hint::black_box(user);
    }
    started.elapsed() / u32::try_from(LOOK_UPS).unwrap()
}

/// A round in which many make a session at once.
fn inserts(stage: &Stage, round: usize) -> Duration {
    let sessions = Arc::clone(&stage.stores.sessions);
    let new = (0..CALLERS).map(|caller| {
        let user = data::user(round * CALLERS + caller);
        sessions.insert(data::session(&user, caller).1, Room::default())
    });
    let new = join_all(new);
    let started = Instant::now();
    assert!(run(new).iter().all(Result::is_ok));
    started.elapsed()
}

struct Server {
    known: Vec<SessionId>,
    address: SocketAddr,
    handle: ServerHandle,
    serving: JoinHandle<()>,
    _scratch: Scratch,
}

/// Somebody who asks one thing after the other, on one connection.
struct Client {
    connection: TcpStream,
    server: Server,
    asked: usize,
}

impl Client {
    fn of(server: Server) -> Self {
        let connection = TcpStream::connect(server.address).unwrap();
        connection.set_nodelay(true).unwrap();
        Self { connection, server, asked: 0 }
    }

    /// What one of a block of requests costs the server.
    fn requests(&mut self) -> Duration {
        let before = cpu::of_others();
        (0..REQUESTS).for_each(|_| self.request());
        cpu::of_others().saturating_sub(before) / u32::try_from(REQUESTS).unwrap()
    }

    fn request(&mut self) {
        let Server { known, address, .. } = &self.server;
        let id = known[self.asked % known.len()].reveal();
        self.asked += 1;
        let request = format!(
            "GET /api/v1/users/me HTTP/1.1\r\nHost: {address}\r\nCookie: _my_session_id={id}\r\n\r\n"
        );
        self.connection.write_all(request.as_bytes()).unwrap();
        let (mut answer, mut length) = ([0; 4096], 0);
        while !answer[..length].ends_with(b"}") {
            let more = self.connection.read(&mut answer[length..]).unwrap();
            assert!(more > 0, "the server has closed the connection");
            length += more;
        }
        assert!(answer.starts_with(b"HTTP/1.1 200 "), "{}", String::from_utf8_lossy(&answer));
    }

    fn end(self) {
        drop(self.connection);
        System::new().block_on(self.server.handle.stop(false));
        self.server.serving.join().unwrap();
    }
}

pub fn median<T: Copy + PartialOrd>(mut values: Vec<T>) -> T {
    values.sort_by(|a, b| a.partial_cmp(b).expect("they are numbers"));
    values[values.len() / 2]
}
