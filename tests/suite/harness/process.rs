use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;

use super::client::{Client, Request};
use super::{ADMIN, ADMIN_PASSWORD, PASSWORD};

/// A folder that goes away with this value.
pub struct TempDir(PathBuf);

impl TempDir {
    pub fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::SeqCst);
        let path =
            std::env::temp_dir().join(format!("sessiond-test-{}-{count}", std::process::id()));
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The data directory in it, which the program makes.
    pub fn data(&self) -> PathBuf {
        self.0.join("data")
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[expect(clippy::disallowed_methods, reason = "tests start the program")]
fn command(program: &str) -> Command {
    let mut command = Command::new(program);
    command.env_clear();
    command
}

/// The path of the program.
const SESSIOND: &str = env!("CARGO_BIN_EXE_sessiond");

/// The program with these variables and nothing else in its environment.
fn sessiond(variables: &BTreeMap<String, OsString>) -> Command {
    with_variables(command(SESSIOND), variables)
}

fn with_variables(mut command: Command, variables: &BTreeMap<String, OsString>) -> Command {
    command.envs(variables).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs a command of the program to its end.
pub fn run(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    run_with_input(arguments, variables, "")
}

/// The same with something on its standard input.
pub fn run_with_input(arguments: &[&str], variables: &[(&str, &str)], input: &str) -> Output {
    let variables = variables.iter().map(|(k, v)| ((*k).to_owned(), v.into())).collect();
    run_to_end(sessiond(&variables).args(arguments), input)
}

fn run_to_end(command: &mut Command, input: &str) -> Output {
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    // A program that does not read its input is free to end before it is written.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

/// Runs a script by `sh` in a folder, which is also where `curl` has its settings.
pub fn shell(script: &str, folder: &Path) -> Output {
    let mut shell = command("sh");
    shell.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("CURL_HOME", folder);
    run_to_end(shell.args(["-euc", script]).current_dir(folder).stdout(Stdio::piped()), "")
}

/// How a server is to be started.
#[derive(Clone)]
pub struct Program {
    directory: Arc<TempDir>,
    variables: BTreeMap<String, OsString>,
    around: Vec<String>,
}

impl Program {
    /// A server of this kind: fast hashes, a free port, a fresh data directory, a first admin.
    pub fn of(auth_type: &str) -> Self {
        let directory = Arc::new(TempDir::new());
        let data = directory.data().display().to_string();
        let program = Self { directory, variables: BTreeMap::new(), around: Vec::new() };
        program
            .set("AUTH_TYPE", auth_type)
            .set("API_PORT", "0")
            .set("DATA_DIR", &data)
            .set("UNSAFE_FAST_HASH", "1")
            .set("ADMIN_EMAIL", ADMIN)
            .set("ADMIN_PASSWORD", ADMIN_PASSWORD)
    }

    /// With a variable.
    pub fn set(self, name: &str, value: &str) -> Self {
        self.set_os(name, OsStr::new(value))
    }

    /// With a variable that need not be text.
    pub fn set_os(mut self, name: &str, value: &OsStr) -> Self {
        self.variables.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Without a variable.
    pub fn unset(mut self, name: &str) -> Self {
        self.variables.remove(name);
        self
    }

    /// Started by another program, which gets these arguments and then ours, and becomes ours in
    /// the end: `sh -c 'ulimit -n 64; exec "$@"' sh`, say. Nothing for none.
    pub fn within<S: AsRef<str>>(mut self, around: &[S]) -> Self {
        self.around = around.iter().map(|argument| argument.as_ref().to_owned()).collect();
        self
    }

    /// The data directory.
    pub fn data(&self) -> PathBuf {
        self.directory.data()
    }

    /// Runs a command of the program to its end, on the same data directory.
    pub fn run(&self, arguments: &[&str], input: &str) -> Output {
        run_to_end(self.command().args(arguments), input)
    }

    /// Starts it, or a command of it, and waits for nothing.
    pub fn spawn(&self, arguments: &[&str]) -> Child {
        self.command().args(arguments).spawn().unwrap()
    }

    fn command(&self) -> Command {
        let Some((first, rest)) = self.around.split_first() else {
            return sessiond(&self.variables);
        };
        let mut around = command(first);
        // Others are found where they are installed.
        around.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        around.args(rest).arg(SESSIOND);
        with_variables(around, &self.variables)
    }

    /// Starts it, and returns when it answers.
    pub fn start(self) -> Server {
        self.try_start().unwrap_or_else(|(status, log)| panic!("not started: {status} {log:?}"))
    }

    /// Starts it; when it ends instead of answering, returns its exit status and its whole log.
    pub fn try_start(self) -> Result<Server, (ExitStatus, Vec<String>)> {
        let mut child = self.spawn(&[]);
        let log = Arc::new(Log::default());
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let (mut address, mut ready) = (None, false);
        for line in lines.by_ref() {
            let line = line.unwrap();
            let listening = line.split_once("listening on ").map_or("", |(_, rest)| rest);
            if let Some((_, rest)) = listening.split_once("://") {
                let end = rest.find(|c: char| !(c.is_ascii_digit() || ".:[]".contains(c)));
                address = rest[..end.unwrap_or(rest.len())].parse().ok();
            }
            ready = line.contains("data in ");
            log.push(line);
            if ready {
                break;
            }
        }
        let Some(address) = address.filter(|_| ready) else {
            return Err((child.wait().unwrap(), log.lines()));
        };
        let reader = Some(log.follow(lines));
        Ok(Server { program: self, child, client: Client::at(address), log, reader })
    }

    /// Starts one whose log does not tell where it listens, and returns when it does.
    pub fn start_silent(self) -> Server {
        // Other servers listen on 127.0.0.1, so that nobody takes the port meanwhile.
        let free = TcpListener::bind("127.45.6.7:0").unwrap().local_addr().unwrap();
        let (host, port) = (free.ip().to_string(), free.port().to_string());
        let program = self.set("API_HOST", &host).set("API_PORT", &port);
        let mut child = program.spawn(&[]);
        while TcpStream::connect(free).is_err() {
            assert!(child.try_wait().unwrap().is_none(), "it has ended");
            std::thread::yield_now();
        }
        let log = Arc::new(Log::default());
        let reader = Some(log.follow(BufReader::new(child.stderr.take().unwrap()).lines()));
        Server { program, child, client: Client::at(free), log, reader }
    }

    /// Its kind of authentication.
    pub fn auth_type(&self) -> &str {
        self.variables["AUTH_TYPE"].to_str().unwrap()
    }

    /// The folder around the data directory, for other files of a test.
    pub fn folder(&self) -> &Path {
        self.directory.path()
    }
}

/// The lines that a program has logged.
#[derive(Default)]
struct Log {
    lines: Mutex<(Vec<String>, bool)>,
    changed: Condvar,
}

impl Log {
    /// Takes all lines that are still to come, on a thread of its own.
    fn follow(
        self: &Arc<Self>,
        lines: impl Iterator<Item = std::io::Result<String>> + Send + 'static,
    ) -> JoinHandle<()> {
        let log = Arc::clone(self);
        std::thread::spawn(move || {
            lines.map_while(Result::ok).for_each(|line| log.push(line));
            log.end();
        })
    }

    fn push(&self, line: String) {
        self.lines.lock().unwrap().0.push(line);
        self.changed.notify_all();
    }

    fn end(&self) {
        self.lines.lock().unwrap().1 = true;
        self.changed.notify_all();
    }

    fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap().0.clone()
    }

    /// The first line that holds `text`, as soon as it is there.
    fn wait_for(&self, text: &str) -> String {
        let mut lines = self.lines.lock().unwrap();
        loop {
            if let Some(line) = lines.0.iter().find(|line| line.contains(text)) {
                return line.clone();
            }
            assert!(!lines.1, "ended without {text:?}: {:?}", lines.0);
            lines = self.changed.wait(lines).unwrap();
        }
    }
}

/// A running server; killed when this value goes away.
pub struct Server {
    program: Program,
    child: Child,
    client: Client,
    log: Arc<Log>,
    reader: Option<JoinHandle<()>>,
}

impl Server {
    /// A server of this kind.
    pub fn of(auth_type: &str) -> Self {
        Program::of(auth_type).start()
    }

    /// The request with what shows that it is the first admin's, in the kind of this server.
    pub fn by_admin(&self, request: Request) -> Request {
        match self.program.auth_type() {
            "none" => request,
            "basic_auth" => request.basic(ADMIN, ADMIN_PASSWORD),
            _ => request.session(&self.admin()),
        }
    }

    /// Makes a plain user with [`PASSWORD`] (as the admin) and returns the id.
    pub fn add_user(&self, email: &str) -> String {
        let body = serde_json::json!({ "email": email, "password": PASSWORD });
        let answer = self.by_admin(self.post("/api/v1/users")).json(&body).send();
        assert_eq!(answer.status, 201, "{}", answer.body);
        answer.json()["id"].as_str().unwrap().to_owned()
    }

    /// The data directory.
    pub fn data(&self) -> PathBuf {
        self.program.data()
    }

    /// What the server has logged so far.
    pub fn log(&self) -> Vec<String> {
        self.log.lines()
    }

    /// The first line of the log that holds `text`, as soon as it is there.
    pub fn wait_for(&self, text: &str) -> String {
        self.log.wait_for(text)
    }

    /// Where health and metrics are asked for, if that is a place of its own.
    pub fn monitoring_address(&self) -> Option<SocketAddr> {
        let log = self.log();
        let told = log.iter().find_map(|line| line.split_once("health and metrics on "))?.1;
        Some(told.split_once("://").unwrap().1.parse().unwrap())
    }

    /// Asks the server to stop (SIGTERM), waits until it has, and returns how to start it again,
    /// with its exit status and its whole log.
    pub fn stop(self) -> (Program, ExitStatus, Vec<String>) {
        self.signal("TERM");
        self.ended()
    }

    /// Waits until the server has ended, and returns the same.
    pub fn ended(mut self) -> (Program, ExitStatus, Vec<String>) {
        let status = self.child.wait().unwrap();
        self.reader.take().unwrap().join().unwrap();
        let log = self.log();
        (self.again(), status, log)
    }

    /// Kills the server (SIGKILL) and returns how to start it again.
    pub fn kill(mut self) -> Program {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.again()
    }

    /// Sends a signal by its name.
    pub fn signal(&self, name: &str) {
        let pid = self.process().to_string();
        let status = command("/bin/kill").args(["-s", name, &pid]).status().unwrap();
        assert!(status.success());
    }

    /// The id of its process.
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// How this server was started: to run a command beside it, or to start it again.
    pub fn program(&self) -> &Program {
        &self.program
    }

    fn again(&self) -> Program {
        self.program.clone()
    }
}

impl Deref for Server {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
