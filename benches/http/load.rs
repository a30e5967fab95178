//! What a row asks, and wrk, which asks it on 16 connections from a core of its own.

use std::fs;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use crate::figures::figure;
use crate::process::cpu;
use crate::server::Server;

const CONNECTIONS: &str = "16";
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/http/wrk.lua");

/// A request that is asked for again and again, and the status that must come of it.
pub struct Load {
    pub name: String,
    pub server: Rc<Server>,
    pub path: String,
    pub header: Option<(&'static str, String)>,
    /// A file of session ids to ask with in turn.
    pub ids: Option<PathBuf>,
    pub status: u16,
}

/// What came of it in one round. Times are in microseconds.
pub struct Round {
    pub cpu: f64,
    pub per_second: f64,
    pub p50: f64,
    pub p99: f64,
}

impl Load {
    /// The current user, asked for by somebody whom the server knows.
    pub fn of(name: impl Into<String>, server: &Rc<Server>) -> Self {
        let (server, path) = (Rc::clone(server), "/api/v1/users/me".to_owned());
        Self { name: name.into(), server, path, header: None, ids: None, status: 200 }
    }

    /// With a header.
    pub fn with(self, name: &'static str, value: impl Into<String>) -> Self {
        Self { header: Some((name, value.into())), ..self }
    }

    /// With this session in the cookie.
    pub fn session(self, id: &str) -> Self {
        self.with("Cookie", format!("_my_session_id={id}"))
    }

    /// Shall be answered with another status.
    pub fn refused(self, status: u16) -> Self {
        Self { status, ..self }
    }

    /// Asks for so long.
    pub fn round(&self, time: Duration) -> Round {
        match &self.ids {
            Some(ids) => self.use_each(&fs::read_to_string(ids).unwrap()),
            None => self.probe(),
        }
        let before = cpu(self.server.process);
        let [requests, time, p50, p99] = self.wrk(time);
        let cpu = cpu(self.server.process).saturating_sub(before).as_secs_f64() * 1e6;
        Round { cpu: cpu / requests, per_second: requests / time * 1e6, p50, p99 }
    }

    /// wrk tells refusals from others, but not the status.
    fn probe(&self) {
        let request = self.server.get(&self.path);
        let request = match &self.header {
            Some((name, value)) => request.header(name, value),
            None => request,
        };
        let answer = request.send();
        assert_eq!(answer.status, self.status, "{}: {answer:?}", self.name);
    }

    /// The first use of a session in a minute is a write, however many there are, and belongs to no
    /// round.
    fn use_each(&self, ids: &str) {
        let mut connection = self.server.connect();
        for id in ids.lines() {
            connection.write(self.server.question(id));
            assert_eq!(connection.answer().unwrap().status, self.status, "{}", self.name);
        }
    }

    /// Requests, the time in all, p50 and p99.
    #[expect(clippy::disallowed_methods, reason = "this is no service")]
    fn wrk(&self, time: Duration) -> [f64; 4] {
        let mut wrk = std::process::Command::new("wrk");
        wrk.args(["--threads", "1", "--connections", CONNECTIONS, "--script", SCRIPT]);
        wrk.arg("--duration").arg(format!("{}s", time.as_secs()));
        if let Some((name, value)) = &self.header {
            wrk.arg("--header").arg(format!("{name}: {value}"));
        }
        wrk.arg(format!("http://{}{}", self.server.address, self.path));
        wrk.arg("--").args(&self.ids);
        let output = wrk.output().unwrap();
        let output = String::from_utf8(output.stdout).unwrap();
        let told: Option<Vec<usize>> = output
            .lines()
            .last()
            .and_then(|line| line.split(' ').map(|word| word.parse().ok()).collect());
        let Some(&[requests, refused, failed, time, p50, p99]) = told.as_deref() else {
            panic!("wrk tells something else: {output}");
        };
        let expected = if self.status < 400 { 0 } else { requests };
        assert!(requests > 0 && failed == 0 && refused == expected, "{}: {output}", self.name);
        [requests, time, p50, p99].map(figure)
    }
}
