//! What every store promises, as a suite that any store can be held to: those of this crate, and
//! one of your own. Call it in a test of your store.
//!
//! ```
//! use sessiond::models::UserSession;
//! use sessiond::store::behaviour::SESSION_STORE;
//! use sessiond::store::memory::MemoryTable;
//!
//! for promise in SESSION_STORE {
//!     promise.check(&MemoryTable::<UserSession>::default()); // in its place, your store
//! }
//! ```
//!
//! What a store does when its disk or its network fails is for its own tests.

pub mod records;
mod replacing;
mod sessions;
mod users;

use std::any::Any;
use std::fmt::{self, Debug};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Barrier;
use std::thread;

use tokio::runtime::Handle;

use super::{SessionStore, UserStore};
use crate::error::{Code, Error, Result};
use records::run;

/// Something that a store promises. Its `Display` is the promise as a sentence.
pub struct Promise<S: ?Sized> {
    name: &'static str,
    keep: fn(&S) -> Result<()>,
}

impl<S: ?Sized> Promise<S> {
    /// Holds a store that is new and empty to this promise. Panics when the store breaks it, and
    /// names the promise.
    ///
    /// A store that needs a tokio runtime finds the one that the caller has entered
    /// (`Runtime::enter`); it must have threads of its own, since the caller's waits.
    pub fn check(&self, store: &S) {
        let broken = match catch_unwind(AssertUnwindSafe(|| (self.keep)(store))) {
            Ok(Ok(())) => return,
            Ok(Err(error)) => error.to_string(),
            Err(panic) => said(panic.as_ref()).to_owned(),
        };
        panic!("the store breaks a promise: {self}: {broken}");
    }
}

impl<S: ?Sized> fmt::Display for Promise<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name.replace('_', " "))
    }
}

impl<S: ?Sized> Debug for Promise<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Promise({})", self.name)
    }
}

/// What somebody said who panicked.
fn said(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref().copied()).unwrap_or_default()
}

macro_rules! promises {
    ($($module:ident::{$($name:ident),+ $(,)?})+) => {
        &[$($(Promise {
            name: stringify!($name),
            keep: |store| run($module::$name(store)),
        }),+),+]
    };
}

/// What every store of sessions promises.
pub static SESSION_STORE: &[Promise<dyn SessionStore>] = promises! {
    sessions::{
        a_session_is_found_by_its_hash,
        an_insert_never_overwrites,
        use_is_noted_at_once_and_time_never_goes_back,
        use_brings_no_session_back,
        a_session_is_ended_by_one_caller,
        all_sessions_of_a_user_end_but_one,
        a_login_at_the_same_time_is_ended_too_or_comes_after,
        what_is_expired_goes_in_bounded_steps,
        what_is_expired_by_the_lifetimes_in_force_goes_too,
        a_session_in_use_is_not_expired,
        sessions_of_a_user_are_told_oldest_first,
        everybodys_sessions_end_at_once,
    }
    replacing::{
        a_session_ends_in_the_step_that_replaces_it,
        an_insert_that_is_refused_ends_nothing,
        the_oldest_session_gives_way_to_one_too_many,
        what_is_dead_takes_no_room,
        logins_at_once_keep_to_the_limit,
        a_session_gets_another_hash_and_keeps_all_else,
        one_of_many_changes_of_a_hash_wins,
        a_session_that_has_ended_is_not_replaced,
        a_replacement_never_overwrites,
        the_sessions_of_others_give_way_to_new_ones_in_one_step,
    }
};

/// What every store of users promises.
pub static USER_STORE: &[Promise<dyn UserStore>] = promises! {
    users::{
        a_user_is_found_by_id_and_by_address_in_any_case,
        an_insert_never_overwrites,
        an_address_belongs_to_one_user_whatever_its_case,
        an_address_that_was_given_up_is_free_again,
        of_many_who_want_one_address_at_once_one_gets_it,
        all_of_a_list_are_inserted_or_none,
        a_list_that_holds_one_id_twice_is_refused,
        an_update_is_one_step,
        an_update_that_is_refused_changes_nothing,
        an_update_that_panics_is_refused_and_takes_no_later_one_along,
        updates_at_once_all_count,
        an_unknown_user_is_neither_updated_nor_removed,
        a_user_is_removed_once,
        the_last_enabled_admin_stays,
        a_disabled_admin_does_not_count_as_one,
        of_two_admins_who_demote_each_other_one_stays,
        all_are_told_in_the_order_of_their_creation,
        a_page_goes_on_after_a_user_who_is_there,
    }
};

/// Does something `count` times at once, each in a thread of its own.
fn at_once<T: Send>(count: usize, act: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let (barrier, runtime) = (Barrier::new(count), Handle::try_current().ok());
    let act = &|number| {
        let _entered = runtime.as_ref().map(Handle::enter);
        barrier.wait();
        act(number)
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..count).map(|number| scope.spawn(move || act(number))).collect();
        let ended = threads.into_iter().map(thread::ScopedJoinHandle::join);
        ended.map(|ended| ended.unwrap_or_else(|panic| resume_unwind(panic))).collect()
    })
}

/// Holds that a change was refused with 409 for this reason.
#[track_caller]
fn assert_refused<T: Debug>(outcome: Result<T>, reason: (Code, &str)) {
    match outcome {
        Err(error @ Error::Conflict(..)) => {
            assert_eq!((error.code(), error.to_string().as_str()), reason);
        }
        other => panic!("409 '{}' was to be the answer, and it is {other:?}", reason.1),
    }
}
