//! What the pages remember from one request to the next: in a cookie that is sealed, and ends with the
//! browser. Nothing in it lets anybody in.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::time::Duration;

use actix_session::{Session, SessionExt as _};
use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::step::Step;
use super::view::Notice;
use crate::clock::Timestamp;
use crate::models::UserId;

/// The members of the state.
const WAY_BACK: &str = "way_back";
const NOTICE: &str = "notice";
const HALF_DONE: &str = "half_done";

/// How long what was asked for waits for the password.
const PATIENCE: Duration = Duration::from_mins(15);

/// The state of the pages.
pub struct State(Session);

/// What was asked for and is done when its user has given the password once more.
#[derive(Serialize, Deserialize)]
struct HalfDone {
    by: UserId,
    at: Timestamp,
    step: Step,
}

impl State {
    /// The state that came with a request.
    pub fn of(request: &HttpRequest) -> Self {
        Self(request.get_session())
    }

    /// Remembers where to go after the login.
    pub fn set_way_back(&self, to: Option<&str>) {
        self.set(WAY_BACK, to);
    }

    /// Where to go after the login.
    pub fn way_back(&self) -> Option<String> {
        self.get(WAY_BACK)
    }

    /// Keeps what the next page is to tell.
    pub fn tell(&self, notice: &Notice) {
        self.set(NOTICE, Some(notice));
    }

    /// What this page is to tell.
    pub fn take_notice(&self) -> Option<Notice> {
        self.get(NOTICE).inspect(|_: &Notice| drop(self.0.remove(NOTICE)))
    }

    /// Keeps what is to be done when this user has given his password once more.
    pub fn begin(&self, step: Step, by: UserId, at: Timestamp) {
        self.set(HALF_DONE, Some(&HalfDone { by, at, step }));
    }

    /// What this user has asked for not long ago, and is to give his password for.
    pub fn half_done(&self, by: UserId, now: Timestamp) -> Option<Step> {
        let half_done: HalfDone = self.get(HALF_DONE)?;
        let is_his = half_done.by == by && now.since(half_done.at) < PATIENCE;
        is_his.then_some(half_done.step)
    }

    /// It is done, or given up.
    pub fn end(&self) {
        self.0.remove(HALF_DONE);
    }

    /// Forgets everything.
    pub fn forget(&self) {
        self.0.clear();
    }

    fn get<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        self.0.get(name).ok().flatten()
    }

    fn set(&self, name: &str, value: Option<impl Serialize>) {
        match value {
            Some(value) => self.0.insert(name, value).unwrap_or_else(|error| {
                log::warn!("the pages forget {name}: {error}");
            }),
            None if self.0.contains_key(name) => drop(self.0.remove(name)),
            None => {}
        }
    }
}

impl FromRequest for State {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self::of(request)))
    }
}
