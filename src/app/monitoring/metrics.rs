//! Every number that the service tells, under its one name.

use std::fmt;
use std::sync::Arc;

use prometheus_client::encoding::{EncodeLabelSet, EncodeMetric, MetricEncoder, text};
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::info::Info;
use prometheus_client::metrics::{MetricType, TypedMetric};
use prometheus_client::registry::{Registry, Unit};

use super::{Parts, Readiness};
use crate::app::Stores;
use crate::auth::Auth;
use crate::auth::accounts::Accounts;
use crate::error::{Error, Result};
use crate::models::{User, UserSession};
use crate::server::Traffic;
use crate::store::Record as _;
use crate::store::instruments::Instruments;

/// What all names begin with.
const PREFIX: &str = "sessiond";

/// All numbers, and where those are read that nobody counts.
pub struct Metrics {
    registry: Registry,
    accounts: Arc<Accounts>,
    auth: Arc<dyn Auth>,
    users: Gauge,
    sessions: Gauge,
}

impl Metrics {
    /// Of these parts.
    pub fn of(parts: &Parts<'_>, readiness: &Readiness) -> Self {
        let mut registry = Registry::with_prefix(PREFIX);
        let (auth, kind) = parts.auth;
        let (users, sessions) = (Gauge::default(), Gauge::default());
        let build = [("version", env!("CARGO_PKG_VERSION")), ("auth_type", kind)];
        registry.register("build", "What is running", Info::new(build));
        registry.register("users", "Users that there are", users.clone());
        let help = "Sessions that are kept; what has expired is among them for up to a minute";
        registry.register("sessions", help, sessions.clone());
        let help = "Whether the last question to /readyz found the service ready: 1, or 0";
        registry.register("ready", help, readiness.gauge().clone());
        of_traffic(&mut registry, parts.traffic);
        of_accounts(&mut registry, parts.accounts);
        of_stores(&mut registry, parts.stores);
        let (accounts, auth) = (Arc::clone(parts.accounts), Arc::clone(auth));
        Self { registry, accounts, auth, users, sessions }
    }

    /// All of them as they are now, as OpenMetrics has it. 503 when a store cannot tell how much it
    /// keeps.
    pub async fn text(&self) -> Result<String> {
        self.users.set(whole(self.accounts.users.count().await?));
        let sessions = match self.auth.sessions() {
            Some(sessions) => sessions.store.count().await?,
            None => 0,
        };
        self.sessions.set(whole(sessions));
        let mut written = String::new();
        text::encode(&mut written, &self.registry)
            .map_err(|cause| Error::Internal(format!("metrics: {cause}")))?;
        Ok(written)
    }
}

fn of_traffic(registry: &mut Registry, traffic: &Traffic) {
    let help = "Requests that have been answered, by route, method and status";
    registry.register("requests", help, traffic.requests.clone());
    let help = "Time from the head of a request to its answer";
    registry.register_with_unit("request_duration", help, Unit::Seconds, traffic.duration.clone());
    let counted = traffic.clone();
    let help = "Requests that are being answered";
    registry.register("requests_in_flight", help, Reading(move || counted.in_flight()));
    let help = "Requests with a header of proxies that came from no trusted proxy";
    registry.register("untrusted_forwards", help, traffic.untrusted.clone());
}

fn of_accounts(registry: &mut Registry, accounts: &Arc<Accounts>) {
    let help = "Passwords that were given to log in, by the way they came and what came of them";
    registry.register("logins", help, accounts.attempts.counts.clone());
    let lanes = Arc::clone(accounts);
    let help = "Passwords that are being hashed or wait for it";
    registry.register("hashing_jobs", help, Reading(move || lanes.hasher.lanes().busy()));
    let lanes = Arc::clone(accounts);
    let help = "Passwords that may be hashed or wait for it; more are refused";
    registry.register("hashing_capacity", help, Reading(move || lanes.hasher.lanes().capacity()));
}

fn of_stores(registry: &mut Registry, stores: &Stores) {
    let classes = [
        (User::CLASS, stores.users.instruments()),
        (UserSession::CLASS, stores.sessions.instruments()),
    ];
    let lengths = by_class(classes, |of| of.journal_length.clone());
    registry.register_with_unit("journal", "Length of the journal", Unit::Bytes, lengths);
    let (help, syncs) =
        ("Time that syncs of the journal took", |of: &Instruments| of.sync_duration.clone());
    registry.register_with_unit("sync_duration", help, Unit::Seconds, by_class(classes, syncs));
    let (help, folds) =
        ("Time that folds of the journal into the JSON file took", |of: &Instruments| {
            of.fold_duration.clone()
        });
    registry.register_with_unit("fold_duration", help, Unit::Seconds, by_class(classes, folds));
    let help = "Batches of changes that could not be written";
    registry.register("write_errors", help, by_class(classes, |of| of.write_errors.clone()));
    let help = "Folds that failed; the journal goes on, and it is tried again";
    registry.register("fold_errors", help, by_class(classes, |of| of.fold_errors.clone()));
}

/// The label of a class.
type OfClass = [(&'static str, &'static str); 1];

fn by_class<M>(
    classes: [(&'static str, &Instruments); 2],
    metric: impl Fn(&Instruments) -> M,
) -> ByLabels<OfClass, M> {
    ByLabels(classes.map(|(class, of)| ([("class", class)], metric(of))).into())
}

fn whole(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Metrics that are there from the start, each under its labels.
#[derive(Debug)]
struct ByLabels<L, M>(Vec<(L, M)>);

impl<L: EncodeLabelSet, M: EncodeMetric + TypedMetric> EncodeMetric for ByLabels<L, M> {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|(labels, metric)| metric.encode(encoder.encode_family(labels)?))
    }

    fn metric_type(&self) -> MetricType {
        M::TYPE
    }
}

/// A gauge that is read when it is told.
struct Reading<F>(F);

impl<F: Fn() -> usize> EncodeMetric for Reading<F> {
    fn encode(&self, encoder: MetricEncoder<'_>) -> fmt::Result {
        ConstGauge::new(whole(self.0())).encode(encoder)
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Gauge
    }
}

impl<F> fmt::Debug for Reading<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reading")
    }
}
