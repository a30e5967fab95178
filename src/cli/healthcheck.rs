use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, ToSocketAddrs as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, Error, SignatureScheme, StreamOwned,
};

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
    let stream = TcpStream::connect_timeout(&address, PATIENCE).map_err(|e| e.to_string())?;
    let answer = stream
        .set_read_timeout(Some(PATIENCE))
        .and_then(|()| match config.tls() {
            None => status(stream, address),
            Some((cert, _)) => status(StreamOwned::new(client(cert, address)?, stream), address),
        })
        .map_err(|cause| format!("no answer: {cause}"))?;
    let answer = String::from_utf8_lossy(&answer);
    if answer == "HTTP/1.1 200" { Ok(()) } else { Err(format!("answered '{answer}'")) }
}

/// What the answer begins with.
fn status(mut stream: impl Read + Write, address: SocketAddr) -> io::Result<[u8; 12]> {
    let request =
        format!("GET /api/v1/status HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    let mut answer = [0; 12];
    stream.write_all(request.as_bytes())?;
    stream.read_exact(&mut answer)?;
    Ok(answer)
}

/// A client that trusts the first certificate in a file, and no other.
fn client(cert: &Path, address: SocketAddr) -> io::Result<ClientConnection> {
    let own = CertificateDer::from_pem_file(cert).map_err(io::Error::other)?;
    let provider = Arc::new(ring::default_provider());
    let config = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Pinned { own, provider }))
        .with_no_client_auth();
    ClientConnection::new(Arc::new(config), address.ip().into()).map_err(io::Error::other)
}

/// Takes the service's own certificate alone (ASVS 12.3.2). It bears the public name, which is not
/// the one that it is asked under, so it is known by its bytes.
#[derive(Debug)]
struct Pinned {
    own: CertificateDer<'static>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        shown: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if *shown == self.own {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(Error::General("its certificate is not that in TLS_CERT".into()))
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
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
