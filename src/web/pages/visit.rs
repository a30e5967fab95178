//! A visit: a call that comes from a page.

use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage as _, HttpRequest};
use futures_util::future::{Ready, ready};

use super::state::State;
use super::view::{Frame, SessionRow, When, Who, device};
use crate::acts::Call;
use crate::auth::guard::Caller;
use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::models::{Role, User, UserAgent, UserSession};

/// Who comes, and what there is to answer him with.
pub struct Visit {
    /// What he may do.
    pub call: Call,
    /// What the pages remember of him.
    pub state: State,
}

impl FromRequest for Visit {
    type Error = actix_web::Error;
    type Future = Ready<Result<Self, actix_web::Error>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let call = Call::from_request(request, payload).into_inner();
        ready(call.map(|call| Self { call, state: State::of(request) }))
    }
}

impl Visit {
    /// Who it is; 401 where there is nobody to be.
    pub fn user(&self) -> Result<Arc<User>> {
        self.call.caller.user().cloned().ok_or_else(Error::unauthorized)
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        self.call.accounts.clock.now()
    }

    /// What every page has around it. It tells what there is to tell, once.
    pub fn frame(&self) -> Frame {
        Frame { who: who(&self.call.request), notice: self.state.take_notice() }
    }

    /// The live sessions of a user, as tables show them, that which was used last first.
    pub async fn sessions_of(&self, user: &User) -> Result<Vec<SessionRow>> {
        let now = self.now();
        let mut sessions = self.call.sessions_of(user).await?;
        sessions.sort_by_key(|(session, current)| {
            (!current, std::cmp::Reverse(session.last_seen_at.get()))
        });
        Ok(sessions.iter().map(|(session, current)| row(session, *current, now)).collect())
    }
}

fn row(session: &UserSession, current: bool, now: Timestamp) -> SessionRow {
    let agent = session.user_agent.as_ref().map(UserAgent::as_str);
    SessionRow {
        id: session.id.to_string(),
        device: device(agent),
        agent: agent.unwrap_or_default().to_owned(),
        address: session.client_address.map(|address| address.to_string()),
        created: When::of(session.created_at, now),
        last_seen: When::of(session.last_seen_at.get(), now),
        remembered: session.remembered,
        current,
    }
}

/// Who is logged in, as far as the door has found out.
pub fn who(request: &HttpRequest) -> Option<Who> {
    let caller = request.extensions().get::<Caller>().cloned()?;
    caller.user().map(|user| Who { name: name_of(user), is_admin: user.role == Role::Admin })
}

/// How a user is called: by his name, else by his address.
pub fn name_of(user: &User) -> String {
    let name = user.display_name();
    if name.trim().is_empty() { user.email.as_str().to_owned() } else { name }
}
