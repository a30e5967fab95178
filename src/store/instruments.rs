//! What a durable store counts and times of its own work, for whoever watches it.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;

/// Seconds that a sync takes: from a cache that does not lose power to a disk that is in trouble.
const SYNC_SECONDS: [f64; 12] =
    [0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 5.0];
/// Seconds that a fold takes: from a few records to millions.
const FOLD_SECONDS: [f64; 11] = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0];

/// The instruments of one class. Clones show the same.
#[derive(Clone, Debug)]
pub struct Instruments {
    /// Bytes in the journal.
    pub journal_length: Gauge,
    /// Seconds that each sync of the journal took, failed ones included.
    pub sync_duration: Histogram,
    /// Seconds that each fold took, failed ones included.
    pub fold_duration: Histogram,
    /// Batches of changes that could not be written.
    pub write_errors: Counter,
    /// Folds that failed.
    pub fold_errors: Counter,
}

impl Default for Instruments {
    fn default() -> Self {
        Self {
            journal_length: Gauge::default(),
            sync_duration: Histogram::new(SYNC_SECONDS),
            fold_duration: Histogram::new(FOLD_SECONDS),
            write_errors: Counter::default(),
            fold_errors: Counter::default(),
        }
    }
}
