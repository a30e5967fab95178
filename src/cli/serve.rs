use std::sync::Arc;

use actix_web::rt;

use super::{Failure, Outcome, is_new, keep_security_log};
use crate::app::Service;
use crate::auth::audit::{self, About, Event, Trace};
use crate::config::Config;
use crate::error::Error;
use crate::server::{Bound, Signals, Tls};
use crate::store::backups::{Backup, Backups};

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
    let backups = Arc::clone(service.backups());
    let back_up = move || drop(rt::spawn(back_up(Arc::clone(&backups))));
    bound.run(signals, back_up, Arc::clone(service).sweep()).await.map_err(Failure::of)
}

/// Makes a backup because SIGUSR1 asks for it; the log tells how that ended.
async fn back_up(backups: Arc<Backups>) {
    match backups.make().await {
        Ok(Backup { name, path, contents, .. }) => {
            audit::record(Event::BackupMade, &Trace::signal(), &About::default().detail(name));
            let bytes = contents.bytes;
            log::info!("backup in {}, {bytes} bytes: {contents}", path.display());
        }
        Err(error) => log::error!("no backup: {error}"),
    }
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
