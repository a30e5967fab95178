use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{Certificate, CertificateParams, KeyPair};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};

use super::client::Client;
use super::process::{Program, Server};

/// A certificate for 127.0.0.1 that signs itself, and its key, in files.
pub struct Pair {
    pub cert: PathBuf,
    pub key: PathBuf,
    certificate: CertificateDer<'static>,
}

impl Pair {
    /// A new one beside the data directory of a program.
    pub fn of(program: &Program, name: &str) -> Self {
        Self::with(program, name, |_| {})
    }

    /// The same with something changed in the certificate.
    pub fn with(
        program: &Program,
        name: &str,
        change: impl FnOnce(&mut CertificateParams),
    ) -> Self {
        Self::of_key(program, name, &KeyPair::generate().unwrap(), change)
    }

    /// The same with this key.
    pub fn of_key(
        program: &Program,
        name: &str,
        key: &KeyPair,
        change: impl FnOnce(&mut CertificateParams),
    ) -> Self {
        let mut params = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
        change(&mut params);
        let certificate = params.self_signed(key).unwrap();
        Self::write(program.folder(), name, &certificate, key)
    }

    fn write(folder: &Path, name: &str, certificate: &Certificate, key: &KeyPair) -> Self {
        let (cert_file, key_file) =
            (folder.join(format!("{name}.pem")), folder.join(format!("{name}.key")));
        fs::write(&cert_file, certificate.pem()).unwrap();
        fs::write(&key_file, key.serialize_pem()).unwrap();
        fs::set_permissions(&key_file, fs::Permissions::from_mode(0o600)).unwrap();
        Self { cert: cert_file, key: key_file, certificate: certificate.der().clone() }
    }

    /// Puts the files of this pair in the place of those of another.
    pub fn replace(&self, other: &Self) {
        fs::copy(&self.cert, &other.cert).unwrap();
        fs::copy(&self.key, &other.key).unwrap();
    }

    /// A client of this server who trusts this certificate and no other.
    pub fn client(&self, server: &Server) -> Client {
        Client::over_tls(server.address, self.trust(ring::default_provider(), rustls::ALL_VERSIONS))
    }

    /// The settings of such a client, with what it can and the versions it speaks.
    pub fn trust(
        &self,
        provider: CryptoProvider,
        versions: &[&'static SupportedProtocolVersion],
    ) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone()).unwrap();
        ClientConfig::builder_with_provider(Arc::new(provider))
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth()
    }
}

impl Program {
    /// With this certificate and its key.
    pub fn with_tls(self, pair: &Pair) -> Self {
        self.set_os("TLS_CERT", pair.cert.as_os_str()).set_os("TLS_KEY", pair.key.as_os_str())
    }

    /// With a new certificate.
    pub fn over_tls(self) -> (Self, Pair) {
        let pair = Pair::of(&self, "server");
        (self.with_tls(&pair), pair)
    }
}

/// A first message of a client that knows nothing of TLS 1.3: its version and its suites.
pub fn hello(version: u16, suites: &[u16]) -> Vec<u8> {
    let with_length =
        |bytes: &[u8]| [&u16::try_from(bytes.len()).unwrap().to_be_bytes()[..], bytes].concat();
    let suites: Vec<u8> = suites.iter().flat_map(|suite| suite.to_be_bytes()).collect();
    let extensions = [
        &[0, 10, 0, 6, 0, 4, 0, 0x1d, 0, 0x17][..], // groups: X25519, P-256
        &[0, 11, 0, 2, 1, 0],                       // points: uncompressed
        &[0, 13, 0, 6, 0, 4, 4, 3, 4, 1],           // signatures: ECDSA and RSA with SHA-256
    ]
    .concat();
    let body = [
        &version.to_be_bytes()[..],
        &[7; 32], // what ought to be random
        &[0],     // no session
        &with_length(&suites),
        &[1, 0], // no compression
        &with_length(&extensions),
    ]
    .concat();
    let message = [&[1, 0][..], &with_length(&body)].concat();
    [&[0x16, 3, 1][..], &with_length(&message)].concat()
}
