//! Whether the service can do all that it is there for.

use std::borrow::Cow;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join;
use prometheus_client::metrics::gauge::Gauge;
use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::app::Stores;
use crate::auth::accounts::Accounts;
use crate::clock::{Clock, Timestamp};
use crate::error::{Error, Result};
use crate::store::Record;
use crate::store::json::JsonTable;

/// How long a writer gets to tell that it can write.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long an outcome is told again, so that it costs nothing to ask often.
const FRESH: Duration = Duration::from_secs(1);

/// Finds out whether the stores take changes and the hashing lanes do their work.
pub struct Readiness {
    stores: Arc<Stores>,
    accounts: Arc<Accounts>,
    clock: Arc<dyn Clock>,
    /// Held while it is found out anew, so that all who ask meanwhile share what comes of it.
    last: Mutex<Outcome>,
    /// 1 if the last outcome was good, else 0.
    ready: Gauge,
}

/// What was found, and when.
struct Outcome {
    at: Timestamp,
    found: Found,
}

/// What is wrong; nothing if all is well.
type Found = Vec<Reason>;

/// Why the service is not ready.
#[derive(PartialEq)]
struct Reason {
    /// As it is told to who asks: without paths.
    told: String,
    /// More, for the log.
    cause: String,
}

impl Reason {
    fn of(told: impl Into<String>) -> Self {
        Self { told: told.into(), cause: String::new() }
    }
}

impl Readiness {
    /// Of these stores and lanes.
    pub fn new(stores: Arc<Stores>, accounts: Arc<Accounts>, clock: Arc<dyn Clock>) -> Self {
        let ready = Gauge::default();
        // A start has read everything and found that it may write.
        ready.set(1);
        // Nothing has been found yet: the first question is never answered from here.
        let never = Outcome { at: Timestamp::from_millis(i64::MIN), found: Found::new() };
        Self { stores, accounts, clock, last: Mutex::new(never), ready }
    }

    /// 503 with each reason why the service is not ready.
    pub async fn ask(&self) -> Result<()> {
        let mut last = self.last.lock().await;
        if self.clock.now().since(last.at) >= FRESH {
            let found = self.find().await;
            if found != last.found {
                tell(&found);
            }
            self.ready.set(i64::from(found.is_empty()));
            *last = Outcome { at: self.clock.now(), found };
        }
        if last.found.is_empty() {
            return Ok(());
        }
        let reasons: Vec<&str> = last.found.iter().map(|reason| reason.told.as_str()).collect();
        Err(Error::NotReady(format!("not ready: {}", reasons.join("; "))))
    }

    /// 1 if the last outcome was good, else 0; 1 also before there was one.
    pub fn gauge(&self) -> &Gauge {
        &self.ready
    }

    async fn find(&self) -> Found {
        let (users, sessions) =
            join(trouble_of(&self.stores.users), trouble_of(&self.stores.sessions)).await;
        let lanes = self.accounts.hasher.lanes().trouble().map(Reason::of);
        [users, sessions, lanes].into_iter().flatten().collect()
    }
}

/// Tells the log of a change for better or worse.
fn tell(found: &Found) {
    if found.is_empty() {
        log::info!("ready again");
    }
    for Reason { told, cause } in found {
        log::error!("not ready: {told}{}{cause}", if cause.is_empty() { "" } else { ": " });
    }
}

/// What keeps the changes of a class from being written.
async fn trouble_of<R: Record>(table: &JsonTable<R>) -> Option<Reason> {
    let class = R::CLASS;
    match timeout(PATIENCE, table.probe()).await {
        Ok(Ok(Ok(()))) => None,
        Ok(Ok(Err(cause))) => {
            let told = format!("changes of {class} cannot be written: {}", told_of(&cause));
            Some(Reason { told, cause: cause.to_string() })
        }
        Ok(Err(_)) => Some(Reason::of(format!("the writer of {class} has ended"))),
        Err(_) => Some(Reason::of(format!("the writer of {class} does not answer"))),
    }
}

/// What is wrong with the files of a class, in words without paths. A cause of the system's own has
/// none; what others say stays in the log.
fn told_of(cause: &io::Error) -> Cow<'static, str> {
    use io::ErrorKind::{
        InvalidData, NotFound, PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull,
    };
    let told = match cause.kind() {
        InvalidData => "the journal was removed, renamed, replaced or damaged",
        NotFound => "the data directory is gone",
        PermissionDenied => "the data directory may not be written to",
        ReadOnlyFilesystem => "the disk is read-only",
        StorageFull | QuotaExceeded => "no space is left on the disk",
        _ if cause.raw_os_error().is_some() => return cause.to_string().into(),
        _ => "the log has the cause",
    };
    told.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_told_in_words_that_hold_no_path() {
        for (kind, told) in [
            (io::ErrorKind::StorageFull, "no space is left on the disk"),
            (io::ErrorKind::ReadOnlyFilesystem, "the disk is read-only"),
            (io::ErrorKind::PermissionDenied, "the data directory may not be written to"),
            (io::ErrorKind::NotFound, "the data directory is gone"),
            (io::ErrorKind::Other, "the log has the cause"),
        ] {
            assert_eq!(told_of(&io::Error::new(kind, "data/User.journal: broken")), told);
        }
        let failing = io::Error::from_raw_os_error(5); // EIO
        assert_eq!(told_of(&failing), failing.to_string());
    }
}
