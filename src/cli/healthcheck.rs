use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, ToSocketAddrs as _};
use std::time::Duration;

use super::{Failure, Outcome};
use crate::config::Config;

/// How long the server may take to answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// Asks the server on this machine for its status.
pub fn healthcheck(config: &Config) -> Outcome {
    let name = format!("{}:{}", config.api_host, config.api_port);
    ask(config).map_err(|what| Failure::of(format!("{name}: {what}")))
}

fn ask(config: &Config) -> Result<(), String> {
    let mut addresses =
        (config.api_host.as_str(), config.api_port).to_socket_addrs().map_err(|e| e.to_string())?;
    let address = reachable(addresses.next().ok_or("has no address")?);
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE).map_err(|e| e.to_string())?;
    let request =
        format!("GET /api/v1/status HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    let mut answer = [0; 12];
    stream
        .set_read_timeout(Some(PATIENCE))
        .and_then(|()| stream.write_all(request.as_bytes()))
        .and_then(|()| stream.read_exact(&mut answer))
        .map_err(|cause| format!("no answer: {cause}"))?;
    let answer = String::from_utf8_lossy(&answer);
    if answer == "HTTP/1.1 200" { Ok(()) } else { Err(format!("answered '{answer}'")) }
}

/// A server that listens everywhere is asked on the loopback address.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    match address {
        SocketAddr::V4(v4) if v4.ip().is_unspecified() => {
            address.set_ip(Ipv4Addr::LOCALHOST.into());
        }
        SocketAddr::V6(v6) if v6.ip().is_unspecified() => {
            address.set_ip(Ipv6Addr::LOCALHOST.into());
        }
        _ => {}
    }
    address
}
