//! Listens, and listens in.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use crate::app::{self, Received};

/// Takes connections on a free port until this value goes away.
pub struct Listener {
    pub address: SocketAddr,
    ends: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Listener {
    /// Each connection is served on a thread of its own.
    pub fn start(serve: impl Fn(TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let ends = Arc::new(AtomicBool::new(false));
        let (has_ended, serve) = (Arc::clone(&ends), Arc::new(serve));
        let thread = std::thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                if has_ended.load(Ordering::SeqCst) {
                    return;
                }
                let serve = Arc::clone(&serve);
                std::thread::spawn(move || serve(stream));
            }
        });
        Self { address, ends, thread: Some(thread) }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::SeqCst);
        // It waits for somebody.
        let _ = TcpStream::connect(self.address);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// Stands between the proxy and the program, passes everything on, and remembers what the proxy has
/// said.
pub struct Wiretap {
    listener: Listener,
    said: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Wiretap {
    /// Before what listens at this address.
    pub fn before(address: SocketAddr) -> Self {
        let said = Arc::new(Mutex::new(Vec::new()));
        let listener = Listener::start({
            let said = Arc::clone(&said);
            move |stream| pass(stream, address, &said)
        });
        Self { listener, said }
    }

    pub fn address(&self) -> SocketAddr {
        self.listener.address
    }

    /// The requests that the proxy has made so far.
    pub fn requests(&self) -> Vec<Received> {
        let said = self.said.lock().unwrap();
        let of_connection = |bytes: &Vec<u8>| {
            let (mut bytes, mut requests) = (&bytes[..], Vec::new());
            while !bytes.is_empty() {
                requests.push(app::read(&mut bytes).expect("a whole request"));
            }
            requests
        };
        said.iter().flat_map(of_connection).collect()
    }
}

fn pass(from: TcpStream, address: SocketAddr, said: &Mutex<Vec<Vec<u8>>>) {
    let Ok(to) = TcpStream::connect(address) else { return };
    let mut answers = (to.try_clone().unwrap(), from.try_clone().unwrap());
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut answers.0, &mut answers.1);
        let _ = answers.1.shutdown(Shutdown::Both);
    });
    let number = {
        let mut said = said.lock().unwrap();
        said.push(Vec::new());
        said.len() - 1
    };
    let (mut from, mut to) = (from, to);
    let mut buffer = [0; 4096];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        said.lock().unwrap()[number].extend_from_slice(&buffer[..length]);
        if to.write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
}
