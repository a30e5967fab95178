//! The signals, and a graceful stop.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use actix_server::ServerHandle;
use actix_web::rt;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::in_flight::InFlight;
use crate::auth::audit::{self, About, Event, Trace};

/// What a request that is on its way at a stop gets to arrive, on a connection that is open.
const LAST_CALL: Duration = Duration::from_millis(50);
/// SIGXFSZ, sent to who writes beyond the limit of file sizes, on Linux and the BSDs alike.
const FILE_TOO_LARGE: i32 = 25;

/// The signals that ask to stop, SIGTERM and SIGINT, the one that asks to read files anew, SIGHUP,
/// and the one that asks for a backup, SIGUSR1.
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
    user1: Signal,
}

impl Signals {
    /// From here on a write beyond the limit of file sizes (`ulimit -f`) fails, as one to a full
    /// disk does, and no longer ends the process.
    pub fn survive_file_size_limit() -> io::Result<()> {
        // What has been listened to once keeps its handler.
        signal(SignalKind::from_raw(FILE_TOO_LARGE)).map(drop)
    }

    /// From here on a signal no longer ends the process by itself.
    pub fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
            user1: signal(SignalKind::user_defined1())?,
        })
    }

    /// Waits until a stop is asked for; reads files anew and makes backups meanwhile, as often as
    /// that is asked for.
    async fn stop(&mut self, reload: impl Fn(), back_up: impl Fn()) {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return,
                _ = self.interrupt.recv() => return,
                _ = self.hangup.recv() => reload(),
                _ = self.user1.recv() => back_up(),
            }
        }
    }
}

/// Waits until a stop is asked for, and then until what is in flight has been answered.
pub async fn stop(
    mut signals: Signals,
    reload: impl Fn(),
    back_up: impl Fn(),
    server: ServerHandle,
    in_flight: Arc<InFlight>,
    timeout: Duration,
) {
    signals.stop(reload, back_up).await;
    log::info!("stopping");
    audit::record(Event::Stopped, &Trace::default(), &About::default());
    server.pause().await;
    in_flight.close();
    let finished = async {
        loop {
            in_flight.finished().await;
            rt::time::sleep(LAST_CALL).await;
            // What came meanwhile, on a connection that was open, is answered as well.
            if in_flight.count() == 0 {
                return;
            }
        }
    };
    tokio::select! {
        () = finished => {}
        () = rt::time::sleep(timeout) => log::warn!("stopped with requests unanswered"),
        () = signals.stop(|| {}, || {}) => {}
    }
    server.stop(false).await;
}
