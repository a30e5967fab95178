//! A change of a table: decided against what is stored and what is on its way there, checked
//! against the rules that span records, and then applied as one step.

use std::collections::{HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use foldhash::fast::RandomState;
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use super::record::Record;
use super::table::Table;
use crate::error::{Error, Result};
use crate::models::UserId;

/// One step of a change; a line of the journal is a list of these.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", bound = "")]
pub enum Op<R: Record> {
    /// This record is there now, in this form.
    Put(Arc<R>),
    /// The record with this key is not there any more.
    Remove(R::Key),
}

impl<R: Record> Op<R> {
    pub(super) fn key(&self) -> R::Key {
        match self {
            Self::Put(record) => *record.key(),
            Self::Remove(key) => *key,
        }
    }

    fn record(&self) -> Option<&Arc<R>> {
        match self {
            Self::Put(record) => Some(record),
            Self::Remove(_) => None,
        }
    }
}

/// What a writer sees: the table, and over it the changes of the batch in the making. Keys and ids
/// of users are random or digests, so hashing them need not withstand anybody; unique values are
/// what people choose.
pub struct View<'t, R: Record> {
    table: &'t Table<R>,
    changed: HashMap<R::Key, Option<Arc<R>>, RandomState>,
    /// Keys among those, by their users: a long batch is not looked through for each of its changes.
    owned: HashMap<UserId, HashSet<R::Key, RandomState>, RandomState>,
    claimed: HashMap<String, Option<R::Key>>,
    vital: usize,
}

impl<'t, R: Record> View<'t, R> {
    /// The table as it is.
    pub fn of(table: &'t Table<R>) -> Self {
        let vital = table.vital();
        let (changed, owned) = (HashMap::default(), HashMap::default());
        Self { table, changed, owned, claimed: HashMap::new(), vital }
    }

    /// The record with this key.
    pub fn get(&self, key: &R::Key) -> Option<Arc<R>> {
        match self.changed.get(key) {
            Some(record) => record.clone(),
            None => self.table.get(key),
        }
    }

    /// The keys of all records.
    pub fn keys(&self) -> Vec<R::Key> {
        let stored = self.table.iter().map(|record| *record.key());
        let untouched = stored.filter(|key| !self.changed.contains_key(key));
        let changed = self.changed.values().flatten().map(|record| *record.key());
        untouched.chain(changed).collect()
    }

    /// The records of a user.
    pub fn owned_by(&self, user: UserId) -> Vec<Arc<R>> {
        let stored = self.table.owned_by(user);
        let untouched = stored.into_iter().filter(|r| !self.changed.contains_key(r.key()));
        let changed = self.owned.get(&user).into_iter().flatten();
        let changed = changed.filter_map(|key| self.changed.get(key)?.as_ref());
        untouched.chain(changed.filter(|r| r.owner() == Some(user)).cloned()).collect()
    }

    /// Who holds this unique value.
    fn holder(&self, value: &str) -> Option<R::Key> {
        match self.claimed.get(value) {
            Some(holder) => *holder,
            None => self.table.by_unique(value).map(|record| *record.key()),
        }
    }

    /// Takes a change in, or refuses it whole: 409 when a unique value is taken or the last vital
    /// record would go.
    pub fn admit(&mut self, ops: &[Op<R>]) -> Result<()> {
        let mut vital = self.vital;
        let mut claimed = HashMap::new();
        for op in ops {
            let key = op.key();
            vital -= usize::from(self.get(&key).is_some_and(|old| old.is_vital()));
            let Some(record) = op.record() else { continue };
            vital += usize::from(record.is_vital());
            let Some(value) = record.unique() else {
                continue;
            };
            let holder = claimed.get(&value).copied().or_else(|| self.holder(&value));
            if holder.is_some_and(|holder| holder != key) {
                return Err(Error::conflict(R::TAKEN));
            }
            claimed.insert(value, key);
        }
        if vital == 0 && self.vital > 0 {
            return Err(Error::conflict(R::LAST));
        }
        self.vital = vital;
        self.take_in(ops);
        Ok(())
    }

    fn take_in(&mut self, ops: &[Op<R>]) {
        for op in ops {
            let key = op.key();
            if let Some(freed) = self.get(&key).and_then(|old| old.unique()) {
                self.claimed.insert(freed, None);
            }
            if let Some(value) = op.record().and_then(|record| record.unique()) {
                self.claimed.insert(value, Some(key));
            }
            if let Some(owner) = op.record().and_then(|record| record.owner()) {
                self.owned.entry(owner).or_default().insert(key);
            }
            self.changed.insert(key, op.record().cloned());
        }
    }
}

/// A change that waits for its writer.
pub trait Change<R: Record>: Send {
    /// Decides what is to be done; nothing when it is refused or changes nothing.
    fn decide(&mut self, view: &mut View<'_, R>) -> Vec<Op<R>>;
    /// Tells the caller how it ended: as decided, or failed for want of a working disk. True if
    /// he was still there to hear it.
    fn finish(self: Box<Self>, written: Result<()>) -> bool;
}

/// Where a caller waits for the outcome of his change.
pub type Outcome<T> = oneshot::Receiver<Result<T>>;

/// A change from a function that tells what to do and what to answer.
pub fn change<R, T, F>(decide: F) -> (Box<dyn Change<R>>, Outcome<T>)
where
    R: Record,
    T: Send + 'static,
    F: FnOnce(&View<'_, R>) -> Result<(Vec<Op<R>>, T)> + Send + 'static,
{
    let (caller, outcome) = oneshot::channel();
    (Box::new(Waiting { decide: Some(decide), answer: None, caller }), outcome)
}

struct Waiting<F, T> {
    decide: Option<F>,
    answer: Option<Result<T>>,
    caller: oneshot::Sender<Result<T>>,
}

impl<R, T, F> Change<R> for Waiting<F, T>
where
    R: Record,
    T: Send,
    F: FnOnce(&View<'_, R>) -> Result<(Vec<Op<R>>, T)> + Send,
{
    fn decide(&mut self, view: &mut View<'_, R>) -> Vec<Op<R>> {
        let decide = self.decide.take().expect("a change is decided once");
        // A defect in one change must not take the writer along, and with it all later ones.
        let decided = catch_unwind(AssertUnwindSafe(|| decide(view)))
            .unwrap_or_else(|_| Err(Error::Internal("a change panicked".into())));
        let decided = decided.and_then(|(ops, answer)| {
            view.admit(&ops)?;
            Ok((ops, answer))
        });
        let (ops, answer) = match decided {
            Ok((ops, answer)) => (ops, Ok(answer)),
            Err(refused) => (Vec::new(), Err(refused)),
        };
        self.answer = Some(answer);
        ops
    }

    fn finish(self: Box<Self>, written: Result<()>) -> bool {
        let answer = self.answer.unwrap_or_else(|| Err(Error::Unavailable("not decided".into())));
        self.caller.send(written.and(answer)).is_ok()
    }
}
