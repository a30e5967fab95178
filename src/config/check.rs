//! What settings must keep to together.

use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _};
use std::path::{Path, PathBuf};

use super::values::Domain;
use super::{Config, SESSION_DURATION};
use crate::auth::cookie::SessionCookie;
use crate::models::Email;

/// The fewest bytes of a key that nobody can guess.
const SHORTEST_KEY: usize = 32;

/// The first admin, as the settings have him.
pub struct FirstAdmin {
    /// His address.
    pub email: Email,
    /// His password, which keeps the rules.
    pub password: String,
}

/// The one name of a folder, if it is there.
fn folder(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

/// The folder that something is in.
fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

impl Config {
    /// Checks what no setting can know alone. The error is one line that names a setting, its
    /// value and what is allowed.
    pub fn check(&self) -> Result<(), String> {
        self.check_address()?;
        self.check_metrics_addr()?;
        self.check_tls()?;
        self.check_cookie()?;
        self.check_audit_file()?;
        self.check_backup_dir()?;
        self.check_pages_key()?;
        let duration = self.session_duration.unwrap_or(SESSION_DURATION);
        if let Some(idle) = self.session_idle_timeout.filter(|idle| *idle > duration)
            && duration.0 > 0
        {
            return Err(format!(
                "SESSION_IDLE_TIMEOUT='{}': must not exceed SESSION_DURATION, which is {}",
                idle.0, duration.0
            ));
        }
        env_filter::Builder::new()
            .try_parse(&self.rust_log)
            .map_err(|_| format!("RUST_LOG='{}': must be a level (error, warn, info, debug, trace, off), or module=level pairs", self.rust_log))?;
        self.check_first_admin()
    }

    fn check_pages_key(&self) -> Result<(), String> {
        let is_short = |key: &str| key.len() < SHORTEST_KEY;
        if self.pages_key().is_some_and(is_short) {
            let like = "like the output of 'openssl rand -base64 32'";
            return Err(format!("PAGES_KEY: must have at least {SHORTEST_KEY} characters, {like}"));
        }
        Ok(())
    }

    /// The security log must not be written into a file of records.
    fn check_audit_file(&self) -> Result<(), String> {
        let Some(file) = self.audit_file() else { return Ok(()) };
        let beside = folder(parent(file)) == folder(&self.data_dir);
        let name = file.file_name().unwrap_or_default().as_encoded_bytes();
        let is_ours = name.starts_with(b"User") || name == b".lock" || name.starts_with(b"pages.");
        if beside && is_ours {
            let what = "must not be a file that DATA_DIR keeps records in";
            return Err(format!("AUDIT_FILE='{}': {what}", file.display()));
        }
        Ok(())
    }

    /// A copy of the records must not be made among them.
    fn check_backup_dir(&self) -> Result<(), String> {
        let Some(path) = self.backup_dir.0.as_deref() else { return Ok(()) };
        let data = folder(&self.data_dir);
        let what = if folder(path).starts_with(&data) || folder(parent(path)).starts_with(&data) {
            "must not be DATA_DIR or a folder in it"
        } else if path.exists() && !path.is_dir() {
            "must be a folder"
        } else {
            return Ok(());
        };
        Err(format!("BACKUP_DIR='{}': {what}", path.display()))
    }

    fn check_address(&self) -> Result<(), String> {
        let found = (self.api_host.as_str(), self.api_port).to_socket_addrs();
        match found.map(|mut addresses| addresses.next()) {
            Ok(Some(_)) => Ok(()),
            _ => Err(format!(
                "API_HOST='{}': must be an IP address of this machine, or a name that has one",
                self.api_host
            )),
        }
    }

    /// Both cannot listen in one place.
    fn check_metrics_addr(&self) -> Result<(), String> {
        let Some(apart) = self.metrics_addr.0 else { return Ok(()) };
        let found = (self.api_host.as_str(), self.api_port).to_socket_addrs();
        let any = |ip: IpAddr| ip.is_unspecified();
        let same = |at: SocketAddr| at.ip() == apart.ip() || any(at.ip()) || any(apart.ip());
        if apart.port() > 0
            && apart.port() == self.api_port
            && found.is_ok_and(|mut addresses| addresses.any(same))
        {
            return Err(format!("METRICS_ADDR='{apart}': must differ from API_HOST and API_PORT"));
        }
        Ok(())
    }

    fn check_tls(&self) -> Result<(), String> {
        match (&self.tls_cert.0, &self.tls_key.0, &self.public_url.0) {
            (Some(cert), None, _) => {
                Err(format!("TLS_CERT='{}': needs TLS_KEY beside it", cert.display()))
            }
            (None, Some(key), _) => {
                Err(format!("TLS_KEY='{}': needs TLS_CERT beside it", key.display()))
            }
            (Some(_), Some(_), Some(url)) if !url.is_https() => {
                Err(format!("PUBLIC_URL='{}': must be https beside TLS_CERT", url.origin()))
            }
            _ => Ok(()),
        }
    }

    fn check_cookie(&self) -> Result<(), String> {
        let name = &self.session_name;
        if SessionCookie::is_prefixed(name) && !self.is_https() {
            return Err(format!(
                "SESSION_NAME='{name}': needs https: a PUBLIC_URL with it, or TLS_CERT"
            ));
        }
        let Some(Domain(domain)) = &self.cookie_domain.0 else { return Ok(()) };
        let url = self.public_url.0.as_ref().filter(|url| url.is_https());
        let Some(url) = url else {
            return Err(format!("COOKIE_DOMAIN='{domain}': needs a PUBLIC_URL with https"));
        };
        let host = url.host();
        if host != domain && !host.ends_with(&format!(".{domain}")) {
            return Err(format!(
                "COOKIE_DOMAIN='{domain}': must be the domain of PUBLIC_URL, which is on {host}"
            ));
        }
        if name.starts_with("__Host-") {
            return Err(format!(
                "SESSION_NAME='{name}': must not begin with __Host- beside COOKIE_DOMAIN"
            ));
        }
        Ok(())
    }

    fn check_first_admin(&self) -> Result<(), String> {
        let (direct, file) =
            (!self.admin_password.0.is_empty(), self.admin_password_file.0.is_some());
        if direct && file {
            return Err("ADMIN_PASSWORD: must not be set beside ADMIN_PASSWORD_FILE".into());
        }
        let Some(email) = &self.admin_email.0 else {
            return if direct || file {
                Err("ADMIN_EMAIL='': must be set beside ADMIN_PASSWORD or ADMIN_PASSWORD_FILE"
                    .into())
            } else {
                Ok(())
            };
        };
        if direct {
            self.check_password("ADMIN_PASSWORD", &self.admin_password.0, email)
        } else {
            Ok(())
        }
    }

    /// The admin to make when there are no users yet. Only then is the password file read: later
    /// it may be gone.
    pub fn first_admin(&self) -> Result<Option<FirstAdmin>, String> {
        let Some(email) = self.admin_email.0.clone() else { return Ok(None) };
        let password = match &self.admin_password_file.0 {
            Some(file) => self.read_password(file, &email)?,
            None => self.admin_password.0.clone(),
        };
        if password.is_empty() {
            let needed =
                "needs ADMIN_PASSWORD or ADMIN_PASSWORD_FILE beside it, as there are no users yet";
            return Err(format!("ADMIN_EMAIL='{email}': {needed}"));
        }
        Ok(Some(FirstAdmin { email, password }))
    }

    /// The password in a file; the end of its line is none of it.
    fn read_password(&self, file: &Path, email: &Email) -> Result<String, String> {
        let name = format!("ADMIN_PASSWORD_FILE='{}'", file.display());
        let text = std::fs::read_to_string(file).map_err(|cause| format!("{name}: {cause}"))?;
        let line = text.strip_suffix('\n').unwrap_or(&text);
        let password = line.strip_suffix('\r').unwrap_or(line).to_owned();
        self.check_password(&name, &password, email)?;
        Ok(password)
    }

    fn check_password(&self, name: &str, password: &str, email: &Email) -> Result<(), String> {
        let checked = self.password_rules().check(password.to_owned(), email.as_str());
        checked.map(drop).map_err(|error| format!("{name}: {error}"))
    }
}
