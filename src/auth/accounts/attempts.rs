//! How many tried to prove who they are, on which way, and what came of it.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;

use super::{Pathway, Refusal};
use crate::error::{Error, Result};

/// What can come of an attempt.
const OUTCOMES: [&str; 5] = ["succeeded", "failed", "throttled", "busy", "error"];

/// The labels of a count.
#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
pub struct Labels {
    pathway: &'static str,
    outcome: &'static str,
}

/// Counts attempts. Clones show the same.
#[derive(Clone, Debug)]
pub struct Attempts(pub Family<Labels, Counter>);

impl Default for Attempts {
    /// All there can be, none of which has happened: a rate needs a zero to begin with.
    fn default() -> Self {
        let counts = Family::default();
        for pathway in Pathway::ALL.iter().map(|pathway| pathway.name()) {
            for outcome in OUTCOMES {
                drop(counts.get_or_create(&Labels { pathway, outcome }));
            }
        }
        Self(counts)
    }
}

impl Attempts {
    /// Counts one.
    pub fn note<T>(&self, pathway: Pathway, decided: &Result<Result<T, Refusal>>) {
        let outcome = match decided {
            Ok(Ok(_)) => "succeeded",
            Ok(Err(_)) => "failed",
            Err(Error::TooManyAttempts(_)) => "throttled",
            Err(Error::Busy) => "busy",
            Err(_) => "error",
        };
        self.0.get_or_create(&Labels { pathway: pathway.name(), outcome }).inc();
    }
}
