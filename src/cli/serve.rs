use std::sync::Arc;

use super::{Failure, Outcome, keep_security_log};
use crate::app::Service;
use crate::auth::audit::{self, About, Event, Trace};
use crate::config::Config;
use crate::error::Error;
use crate::server::{Bound, Signals, Tls};

pub async fn serve(config: &Config) -> Outcome {
    // A bad setting shows before anything is touched.
    Tls::open(config).map_err(Failure::usage)?;
    if is_new(config) {
        config.first_admin().map_err(Failure::usage)?;
    }
    keep_security_log(config)?;
    if config.unsafe_fast_hash {
        log::warn!("UNSAFE_FAST_HASH=1: password hashes are weak; for tests and benches only");
    }
    if !config.login_throttle {
        log::warn!("LOGIN_THROTTLE=off: passwords can be guessed as fast as they can be hashed");
    }
    let service = Arc::new(Service::open(config)?);
    let signals = Signals::listen()?;
    // Nothing has been written yet: when the address is taken, all files stay as they are.
    let bound = service.bind(config).map_err(Failure::of)?;
    let ended = run(config, &service, bound, signals).await;
    let closed = service.close().await;
    ended?;
    closed.map_err(Failure::from)
}

async fn run(config: &Config, service: &Arc<Service>, bound: Bound, signals: Signals) -> Outcome {
    ensure_first_admin(config, service).await?;
    let users = service.accounts().users.count().await?;
    let sessions = service.session_count().await?;
    audit::record(Event::Started, &Trace::default(), &About::default());
    log::info!("data in {}, users: {users}, sessions: {sessions}", config.data_dir.display());
    bound.run(signals, Arc::clone(service).sweep()).await.map_err(Failure::of)
}

/// Whether there can be no users yet.
fn is_new(config: &Config) -> bool {
    let missing = |file: &str| !config.data_dir.join(file).exists();
    missing("User.json") && missing("User.journal") && missing("User.journal.folding")
}

async fn ensure_first_admin(config: &Config, service: &Service) -> Outcome {
    if service.accounts().users.count().await? > 0 {
        return Ok(());
    }
    match config.first_admin().map_err(Failure::usage)? {
        Some(admin) => {
            let email = admin.email.clone();
            let created = service.create_first_admin(admin).await;
            created.map_err(|error: Error| Failure::of(format!("first admin {email}: {error}")))?;
            log::info!("made the first admin, {email}");
        }
        None => log::warn!(
            "no users yet: set ADMIN_EMAIL and ADMIN_PASSWORD, or stop and run: sessiond user add --role admin you@example.com"
        ),
    }
    Ok(())
}
