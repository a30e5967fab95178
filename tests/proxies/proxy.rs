//! The proxies, started with the files that are shipped.

use std::fs;
use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU8, Ordering};

use crate::shipped::{copy, path, replace_line};

/// Which of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proxy {
    Nginx,
    Caddy,
}

/// Where a proxy finds what is behind it.
pub struct Behind {
    pub sessiond: SocketAddr,
    pub app: SocketAddr,
}

/// A running proxy; ended when this value goes away.
pub struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[expect(clippy::disallowed_methods, reason = "tests start programs")]
pub fn command(program: &str) -> Command {
    let mut command = Command::new(program);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// Whether a tool is here. If not, the test says that it is skipped, or has failed if that is not
/// to be.
pub fn can_run(tool: &str, arguments: &[&str]) -> bool {
    let runs = command(tool).args(arguments).status().is_ok_and(|status| status.success());
    if !runs {
        // Not every machine lets somebody trace, whatever is installed.
        let demand = if tool == "strace" { "DEMAND_FAULTS" } else { "DEMAND_PROXIES" };
        let demanded = std::env::var(demand).is_ok_and(|value| value == "1");
        assert!(!demanded, "{tool} does not run here, and {demand}=1");
        let test = std::thread::current().name().unwrap_or_default().to_owned();
        let _ = writeln!(std::io::stderr(), "{test}: SKIPPED, since {tool} does not run here");
    }
    runs
}

/// An address of this computer that nothing else listens at: a port can be kept for a program that
/// is yet to be started only where nobody else looks for one.
pub fn free_address() -> SocketAddr {
    static COUNT: AtomicU8 = AtomicU8::new(1);
    let [.., high, low] = std::process::id().to_be_bytes();
    let ip = Ipv4Addr::new(127, 64 + high % 64, low, COUNT.fetch_add(1, Ordering::SeqCst));
    TcpListener::bind((ip, 0)).unwrap().local_addr().unwrap()
}

impl Proxy {
    pub fn is_here(self) -> bool {
        match self {
            Self::Nginx => can_run("nginx", &["-v"]),
            Self::Caddy => can_run("caddy", &["version"]),
        }
    }

    /// Starts it at an address, with its files in a folder, and returns when it answers. The site's
    /// own files are those of `html` in the folder.
    pub fn start(self, at: SocketAddr, behind: &Behind, folder: &Path) -> Running {
        fs::create_dir(folder.join("html")).unwrap();
        fs::write(folder.join("html/index.html"), "the site").unwrap();
        fs::write(folder.join("html/page.html"), "a page").unwrap();
        let mut child = match self {
            Self::Nginx => nginx(at, behind, folder),
            Self::Caddy => caddy(at, behind, folder),
        };
        while TcpStream::connect(at).is_err() {
            if let Some(status) = child.try_wait().unwrap() {
                let log = fs::read_to_string(folder.join("log")).unwrap();
                panic!("{self:?} has ended: {status}\n{log}");
            }
            std::thread::yield_now();
        }
        Running(child)
    }
}

fn nginx(at: SocketAddr, behind: &Behind, folder: &Path) -> Child {
    let files = folder.join("nginx");
    copy("nginx", &files);
    let upstreams = files.join("conf.d/upstreams.conf");
    let server = |address| format!("server {address};");
    replace_line(&upstreams, "server 127.0.0.1:5000;", &server(behind.sessiond));
    replace_line(&upstreams, "server 127.0.0.1:3000;", &server(behind.app));
    let listen = format!("listen {at};");
    replace_line(&files.join("conf.d/example.conf"), "listen 8080;", &listen);
    let log = fs::File::create(folder.join("log")).unwrap();
    let mut nginx = command("nginx");
    nginx.args(["-e", "stderr", "-p"]).arg(folder).arg("-c").arg(files.join("nginx.conf"));
    // One process, which is ended with certainty.
    nginx.args(["-g", "master_process off;"]);
    nginx.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap()
}

fn caddy(at: SocketAddr, behind: &Behind, folder: &Path) -> Child {
    let file = folder.join("Caddyfile");
    fs::copy(path("caddy/Caddyfile"), &file).unwrap();
    let site = format!(":{} {{\n\tbind {}", at.port(), at.ip());
    replace_line(&file, "{$SITE::8080} {", &site);
    let log = fs::File::create(folder.join("log")).unwrap();
    let mut caddy = command("caddy");
    caddy.args(["run", "--adapter", "caddyfile", "--config"]).arg(file);
    caddy.env("SESSIOND", behind.sessiond.to_string()).env("APP", behind.app.to_string());
    caddy.env("HTML", folder.join("html"));
    // Its own administration listens beside the site, where nobody else does.
    caddy.env("CADDY_ADMIN", format!("{}:{}", at.ip(), at.port() ^ 1));
    caddy.env("HOME", folder).env("XDG_DATA_HOME", folder).env("XDG_CONFIG_HOME", folder);
    caddy.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap()
}
