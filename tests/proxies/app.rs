//! The application behind the proxy.

use std::io::{BufRead, BufReader, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};

use crate::wiretap::Listener;

/// A request as it arrived.
#[derive(Clone, Debug)]
pub struct Received {
    /// The request line and the headers, as they were written.
    pub head: String,
    pub body: Vec<u8>,
}

impl Received {
    /// The names (as they were written) and values of its headers.
    pub fn headers(&self) -> Vec<(&str, &str)> {
        let lines = self.head.lines().skip(1).filter_map(|line| line.split_once(':'));
        lines.map(|(name, value)| (name, value.trim())).collect()
    }

    /// All values of a header, whatever the case of its name.
    pub fn header(&self, name: &str) -> Vec<&str> {
        let headers = self.headers().into_iter();
        headers.filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value).collect()
    }
}

/// Answers every request, and remembers it. A websocket is opened, and then says back whatever it
/// is told.
pub struct App {
    listener: Listener,
    requests: Arc<Mutex<Vec<Received>>>,
}

impl App {
    pub fn start() -> Self {
        let requests = Arc::new(Mutex::new(Vec::new()));
        let listener = Listener::start({
            let requests = Arc::clone(&requests);
            move |stream| serve(stream, &requests)
        });
        Self { listener, requests }
    }

    pub fn address(&self) -> SocketAddr {
        self.listener.address
    }

    /// What has arrived since this was asked the last time.
    pub fn received(&self) -> Vec<Received> {
        std::mem::take(&mut self.requests.lock().unwrap())
    }
}

fn serve(stream: TcpStream, requests: &Mutex<Vec<Received>>) {
    let mut reader = BufReader::new(stream);
    while let Some(request) = read(&mut reader) {
        let upgrade = request.header("upgrade").concat();
        requests.lock().unwrap().push(request);
        if upgrade == "websocket" {
            return echo(reader);
        }
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nthe app";
        if reader.get_mut().write_all(answer).is_err() {
            return;
        }
    }
}

/// The next request; none when the connection ends before it is whole.
pub fn read(reader: &mut impl BufRead) -> Option<Received> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if reader.read_until(b'\n', &mut head).ok()? == 0 {
            return None;
        }
    }
    let head = String::from_utf8(head).unwrap();
    let mut request = Received { head, body: Vec::new() };
    if let [length] = request.header("content-length")[..] {
        request.body = vec![0; length.parse().unwrap()];
        reader.read_exact(&mut request.body).ok()?;
    } else if !request.header("transfer-encoding").is_empty() {
        request.body = chunks(reader)?;
    }
    Some(request)
}

fn chunks(reader: &mut impl BufRead) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let size = usize::from_str_radix(line.trim(), 16).ok()?;
        let mut chunk = vec![0; size + 2];
        reader.read_exact(&mut chunk).ok()?;
        if size == 0 {
            return Some(body);
        }
        body.extend_from_slice(&chunk[..size]);
    }
}

fn echo(mut reader: BufReader<TcpStream>) {
    let opened =
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";
    let _ = reader.get_mut().write_all(opened);
    loop {
        let said = match reader.fill_buf() {
            Ok(said) if !said.is_empty() => said.to_vec(),
            _ => return,
        };
        reader.consume(said.len());
        let _ = reader.get_mut().write_all(&said);
    }
}
