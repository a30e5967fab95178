//! A kind of authentication of one's own: programs that show a key.
//!
//!     key=$(openssl rand -hex 32); hash=$(printf %s "$key" | sha256sum | cut -c -64)
//!     ADMIN_EMAIL=me@example.com ADMIN_PASSWORD='correct horse 1' API_KEYS="$hash me@example.com" \
//!         cargo run --example own_auth
//!     curl -H "Authorization: Bearer $key" http://127.0.0.1:5000/api/v1/users/me

use std::sync::Arc;

use actix_web::HttpRequest;
use async_trait::async_trait;
use sessiond::auth::{Auth, accounts::Accounts, credentials};
use sessiond::server::{Signals, logging};
use sessiond::{Config, Service, error::Result, models::User};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

struct ApiKeys {
    accounts: Arc<Accounts>,
    /// The SHA-256 of each key in hex, and whose key it is. A key is random, so a fast hash is enough.
    keys: Vec<(String, String)>,
}

#[async_trait(?Send)]
impl Auth for ApiKeys {
    fn challenge(&self) -> &'static str {
        r#"Bearer realm="own_auth""#
    }

    async fn current_user(&self, request: &HttpRequest) -> Result<Option<Arc<User>>> {
        let header = self.authorization_header(request)?;
        let key = header.and_then(|header| credentials::of_scheme(header, "Bearer"));
        let Some(key) = key else { return Ok(None) };
        let hash =
            Sha256::digest(key).iter().fold(String::new(), |hex, b| hex + &format!("{b:02x}"));
        let is_it = |kept: &str| bool::from(kept.as_bytes().ct_eq(hash.as_bytes()));
        let Some((_, email)) = self.keys.iter().find(|(kept, _)| is_it(kept)) else {
            return Ok(None);
        };
        Ok(self.accounts.users.search(email).await?.filter(|user| !user.disabled))
    }
}

#[actix_web::main]
async fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let config = Config::from_environment()?;
    logging::start(config.log_format, &config.rust_log);
    let keys = std::env::var("API_KEYS")?;
    let keys = keys.split(',').map(|key| key.trim().split_once(' '));
    let keys = keys.map(|key| key.map(|(hash, email)| (hash.to_owned(), email.to_owned())));
    let keys = keys.collect::<Option<_>>().ok_or("API_KEYS: must be '<hash> <email>, ...'")?;
    let kind = |accounts: &Arc<_>| Arc::new(ApiKeys { accounts: Arc::clone(accounts), keys }) as _;
    let service = Arc::new(Service::builder(&config).auth(kind).open()?);
    service.ensure_first_admin(&config).await?;
    let server = service.bind(&config)?;
    server.run(Signals::listen()?, || (), Arc::clone(&service).sweep()).await?;
    Ok(service.close().await?)
}
