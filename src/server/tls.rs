//! TLS: the certificate and its key, and the handshake.

use std::fs::File;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use actix_web::rt::net::TcpStream;
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::crypto::ring;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, Error, RootCertStore, ServerConfig};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::clock::{Clock as _, SystemClock, Timestamp};
use crate::config::Config;

/// The most bytes of a PEM file.
const MAX_PEM: u64 = 1024 * 1024;
/// The bits of a file's mode by which its group may read or write it.
const GROUP: u32 = 0o060;
/// The same for everybody else.
const OTHERS: u32 = 0o006;

/// The certificate and the key that are in force, and where they come from.
pub struct Tls {
    cert: PathBuf,
    key: PathBuf,
    in_force: RwLock<Arc<ServerConfig>>,
}

impl Tls {
    /// What the settings ask for, if they ask for TLS. The error is one line that names a setting,
    /// its value and what is wrong.
    pub fn open(config: &Config) -> Result<Option<Self>, String> {
        let Some((cert, key)) = config.tls() else { return Ok(None) };
        let in_force = RwLock::new(read(cert, key)?);
        Ok(Some(Self { cert: cert.to_owned(), key: key.to_owned(), in_force }))
    }

    /// Reads both files anew, for the handshakes to come. A bad pair leaves the old one in force.
    pub fn reload(&self) {
        match read(&self.cert, &self.key) {
            Ok(pair) => {
                *self.in_force.write().unwrap_or_else(PoisonError::into_inner) = pair;
                log::info!("TLS_CERT='{}': read anew", self.cert.display());
                self.warn_of_risks();
            }
            Err(why) => log::error!("{why}; what was read before stays in force"),
        }
    }

    /// Says what is allowed and could be better.
    pub fn warn_of_risks(&self) {
        let mode = self.key.metadata().map_or(0, |key| key.permissions().mode());
        if mode & GROUP != 0 {
            log::warn!("TLS_KEY='{}': its group may read or write it", self.key.display());
        }
    }

    /// Does the handshake, which gets as long as `limit`.
    pub async fn accept(
        &self,
        stream: TcpStream,
        limit: Duration,
    ) -> io::Result<TlsStream<TcpStream>> {
        let pair = Arc::clone(&self.in_force.read().unwrap_or_else(PoisonError::into_inner));
        let done = timeout(limit, TlsAcceptor::from(pair).accept(stream)).await;
        let done = done.unwrap_or_else(|too_late| Err(too_late.into()));
        done.inspect_err(|cause| log::debug!("no handshake: {cause}"))
    }
}

/// Reads a pair and holds that it is one.
fn read(cert: &Path, key: &Path) -> Result<Arc<ServerConfig>, String> {
    let bad_key = |what: String| format!("TLS_KEY='{}': {what}", key.display());
    let chain =
        read_chain(cert).map_err(|what| format!("TLS_CERT='{}': {what}", cert.display()))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("the provider has suites for TLS 1.2 and 1.3")
        .with_no_client_auth()
        .with_single_cert(chain, read_key(key).map_err(bad_key)?)
        .map_err(|error| match error {
            Error::InconsistentKeys(_) => "is not the key of the certificate in TLS_CERT".into(),
            _ => "must be RSA of 2048 to 4096 bits, P-256, P-384 or Ed25519".into(),
        })
        .map_err(bad_key)?;
    // The strongest suite that both know, whatever the client would rather have (ASVS 12.1.2).
    config.ignore_client_order = true;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// The certificates in a file, of which the first is the service's own and good today.
fn read_chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let file = open(path)?;
    let chain = read_pem(file, "certificate")?;
    let own = ParsedCertificate::try_from(&chain[0])
        .map_err(|_| "its first certificate is not one of X.509, version 3")?;
    let now = SystemClock::new().now().since(Timestamp::from_millis(0));
    let (nobody, now) = (RootCertStore::empty(), UnixTime::since_unix_epoch(now));
    // Nobody is trusted here, so this always fails; but dates are looked at first.
    match verify_server_cert_signed_by_trust_anchor(&own, &nobody, &[], now, &[]) {
        Err(Error::InvalidCertificate(CertificateError::ExpiredContext { not_after, .. })) => {
            Err(format!("has expired at {}", moment(not_after)))
        }
        Err(Error::InvalidCertificate(CertificateError::NotValidYetContext {
            not_before, ..
        })) => Err(format!("is not valid before {}", moment(not_before))),
        _ => Ok(chain),
    }
}

fn moment(time: UnixTime) -> Timestamp {
    Timestamp::from_millis(0).plus(Duration::from_secs(time.as_secs()))
}

/// The key in a file that is closed to those whom it does not concern (ASVS 13.3.2).
fn read_key(path: &Path) -> Result<PrivateKeyDer<'static>, String> {
    let file = open(path)?;
    let mode = file.metadata().map_err(|cause| cause.to_string())?.permissions().mode();
    if mode & OTHERS != 0 {
        return Err(format!("has mode {:o}: must be closed to others", mode & 0o7777));
    }
    read_pem(file, "private key without a passphrase").map(|mut keys| keys.swap_remove(0))
}

/// Opens a regular file of a size that makes sense; anything else could go on for ever.
fn open(path: &Path) -> Result<File, String> {
    let found = path.metadata().map_err(|cause| cause.to_string())?;
    if !found.is_file() {
        Err("is no regular file".into())
    } else if found.len() > MAX_PEM {
        Err(format!("must have at most {MAX_PEM} bytes"))
    } else {
        File::open(path).map_err(|cause| cause.to_string())
    }
}

/// All sections of a kind, at least one.
fn read_pem<T: PemObject>(file: File, kind: &str) -> Result<Vec<T>, String> {
    match T::pem_reader_iter(file).collect::<Result<Vec<_>, _>>() {
        Ok(sections) if sections.is_empty() => Err(format!("must be PEM with a {kind}: has none")),
        Ok(sections) => Ok(sections),
        Err(pem::Error::Io(cause)) => Err(cause.to_string()),
        Err(_) => Err(format!("must be PEM with a {kind}: is damaged")),
    }
}
