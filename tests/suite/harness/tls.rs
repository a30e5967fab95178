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
        let mut params = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        Self::write(program.folder(), name, &certificate, &key)
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
