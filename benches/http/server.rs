//! The servers that are measured: the program, and those beside it. Each is a process on the
//! servers' core, killed when its value goes away.

use std::any::Any;
use std::io::{BufRead as _, BufReader};
use std::ops::Deref;
use std::path::Path;
use std::process::{Child, Stdio};

use crate::harness::{Client, Program};
use crate::process::SERVER_CORE;

/// The workspace of those beside the program.
const PEERS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/peers");

/// What starts another program on the servers' core.
const PINNED: [&str; 3] = ["taskset", "--cpu-list", SERVER_CORE];

/// A server that answers.
pub struct Server {
    pub process: u32,
    client: Client,
    _running: Box<dyn Any>,
}

impl Server {
    /// Starts the program.
    pub fn of(program: Program) -> Self {
        Self::start(program.within(&PINNED))
    }

    /// The same with its log in the file `log` beside the data directory.
    pub fn logging(program: Program) -> Self {
        let log = program.folder().join("log").display().to_string();
        let to_file = ["sh", "-c", r#"log=$1; shift; exec "$@" 2>"$log""#, "sh", &log];
        Self::start(program.within(&[&to_file[..], &PINNED].concat()))
    }

    /// Whether it logs or not, it is asked until it answers.
    fn start(program: Program) -> Self {
        let server = program.start_silent();
        let client = Client::at(server.address);
        assert_eq!(client.get("/api/v1/status").send().status, 200);
        Self { process: server.process(), client, _running: Box::new(server) }
    }

    /// Who the owner of a session is, asked on a connection that stays open.
    pub fn question(&self, session: &str) -> String {
        let host = self.address;
        format!(
            "GET /api/v1/users/me HTTP/1.1\r\nHost: {host}\r\nCookie: _my_session_id={session}\r\n\r\n"
        )
    }

    /// Starts one of those beside the program.
    pub fn beside(name: &str) -> Self {
        let path = Path::new(PEERS).join("target/release").join(name);
        assert!(path.exists(), "{name} is not built: `just bench-http` builds it");
        let mut running = Killed(spawn(&path));
        let mut line = String::new();
        BufReader::new(running.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim_end().strip_prefix("listening on http://");
        let address = address.unwrap_or_else(|| panic!("{name} does not start: {line:?}"));
        let client = Client::at(address.parse().unwrap());
        Self { process: running.0.id(), client, _running: Box::new(running) }
    }
}

impl Deref for Server {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

#[expect(clippy::disallowed_methods, reason = "this is no service")]
fn spawn(path: &Path) -> Child {
    let mut command = std::process::Command::new(PINNED[0]);
    command.args(&PINNED[1..]).arg(path).stdin(Stdio::null()).stdout(Stdio::piped());
    command.spawn().unwrap()
}

struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
