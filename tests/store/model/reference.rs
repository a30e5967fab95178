//! What a store promises, as two lists.

use std::sync::Arc;
use std::time::Duration;

use sessiond::models::{LastSeen, Lifetimes, SessionHash, SessionId, User, UserId, UserSession};
use sessiond::random::SystemRandom;
use sessiond::store::Room;

use super::action::{Change, NewUser};
use crate::harness::records::{admin, after, session, user};

const TAKEN: &str = "409 email is already taken";
const LAST: &str = "409 this is the last enabled admin";

#[derive(Default)]
pub struct Model {
    /// Users and sessions that are there, in creation order.
    pub users: Vec<User>,
    pub sessions: Vec<UserSession>,
    /// All that ever were made, whether or not they are there.
    pub ever_users: Vec<UserId>,
    pub ever_sessions: Vec<UserSession>,
    /// Seconds since the start.
    pub now: u64,
}

impl Model {
    /// A user to insert, with the id of one who is there if so wished. (An id of one who is gone
    /// is never used again.)
    pub fn made(&mut self, new: &NewUser, id_of: Option<usize>) -> User {
        let mut made = if new.is_admin { admin(new.name) } else { user(new.name) };
        match id_of.map(|number| self.user_id(number)) {
            Some(id) if self.users.iter().any(|user| user.id == id) => made.id = id,
            _ => self.ever_users.push(made.id),
        }
        made
    }

    pub fn user_id(&self, number: usize) -> UserId {
        let count = self.ever_users.len();
        if count == 0 { user("nobody").id } else { self.ever_users[number % count] }
    }

    /// A session to insert, of somebody who need not be there.
    pub fn login(&mut self, who: usize, seconds: Option<u64>, idle: Option<u64>) -> UserSession {
        let owner = User { id: self.user_id(who), ..user("owner") };
        let mut login = session(&owner, seconds.map(|seconds| self.now + seconds));
        // No two begin together, so that it is plain which is the oldest.
        let number = Duration::from_millis(self.ever_sessions.len() as u64);
        login.created_at = after(self.now).plus(number);
        login.last_seen_at = LastSeen::at(after(self.now));
        login.idle_timeout = idle;
        self.ever_sessions.push(login.clone());
        login
    }

    pub fn ever(&self, number: usize) -> UserSession {
        let count = self.ever_sessions.len();
        if count == 0 {
            session(&user("x"), None)
        } else {
            self.ever_sessions[number % count].clone()
        }
    }

    pub fn hash(&self, number: usize) -> SessionHash {
        self.ever(number).hash
    }

    pub fn insert_all(&mut self, list: Vec<User>) -> String {
        let mut users = self.users.clone();
        for user in list {
            let same = |other: &User| other.id == user.id || other.email.key() == user.email.key();
            if users.iter().any(same) {
                return TAKEN.into();
            }
            users.push(user);
        }
        self.users = users;
        "1".into()
    }

    pub fn update(&mut self, id: UserId, change: &Change) -> String {
        let Some(place) = self.users.iter().position(|user| user.id == id) else {
            return "0".into();
        };
        let mut users = self.users.clone();
        users[place] = change.applied(&users[place]);
        let key = users[place].email.key();
        if users.iter().filter(|user| user.email.key() == key).count() > 1 {
            return TAKEN.into();
        }
        self.take(users)
    }

    pub fn remove_user(&mut self, id: UserId) -> String {
        let mut users = self.users.clone();
        users.retain(|user| user.id != id);
        if users.len() == self.users.len() { "0".into() } else { self.take(users) }
    }

    /// These are the users now, unless the last admin would go.
    fn take(&mut self, users: Vec<User>) -> String {
        let admins = |users: &[User]| users.iter().any(User::is_enabled_admin);
        if admins(&self.users) && !admins(&users) {
            return LAST.into();
        }
        self.users = users;
        "1".into()
    }

    pub fn insert_session(&mut self, login: UserSession, room: Room) -> String {
        // Its own hash ends nothing: it was not there before.
        self.sessions.retain(|session| Some(session.hash) != room.replaced);
        if let Some(at_most) = room.at_most {
            let is_his = |session: &UserSession| session.user_id == login.user_id;
            let is_dead = |session: &UserSession| {
                session.credential_version != login.credential_version
                    || session.is_expired(Lifetimes::default(), login.created_at)
            };
            self.sessions.retain(|session| !is_his(session) || !is_dead(session));
            let ages = self.sessions.iter().filter(|s| is_his(s));
            let mut ages: Vec<_> = ages.map(|s| (s.created_at, s.hash)).collect();
            ages.sort_by_key(|(created_at, _)| *created_at);
            ages.truncate((ages.len() + 1).saturating_sub(at_most));
            self.sessions.retain(|session| !ages.iter().any(|(_, hash)| *hash == session.hash));
        }
        self.sessions.push(login);
        "1".into()
    }

    /// What a session becomes when it gets another hash.
    pub fn renewal_of(&mut self, number: usize) -> UserSession {
        let hash = SessionId::generate(&SystemRandom).unwrap().hash();
        let renewed = UserSession { hash, ..UserSession::clone(&self.ever(number)) };
        self.ever_sessions.push(renewed.clone());
        renewed
    }

    pub fn renew(&mut self, old: SessionHash, new: SessionHash) -> String {
        let place = self.sessions.iter().position(|session| session.hash == old);
        let Some(place) = place else { return "0".into() };
        let session = self.sessions.remove(place);
        self.sessions.push(UserSession { hash: new, ..session });
        "1".into()
    }

    pub fn touch(&self, hash: &SessionHash) {
        if let Some(session) = self.sessions.iter().find(|session| session.hash == *hash) {
            session.last_seen_at.advance(after(self.now));
        }
    }

    /// Ends up to `limit` sessions, oldest first; tells how many.
    pub fn end(&mut self, limit: usize, ends: impl Fn(&UserSession) -> bool) -> String {
        let mut ended = 0;
        self.sessions.retain(|session| {
            let stays = ended == limit || !ends(session);
            ended += usize::from(!stays);
            stays
        });
        ended.to_string()
    }

    /// After a stop or a crash, the time of the last use may lag by less than a minute.
    pub fn reopened(&mut self, stored: impl Fn(&SessionHash) -> Option<Arc<UserSession>>) {
        for session in &mut self.sessions {
            let Some(stored) = stored(&session.hash) else { continue };
            let (seen, kept) = (session.last_seen_at.get(), stored.last_seen_at.get());
            assert!(kept <= seen, "never used at {kept}");
            assert!(seen.since(kept) < Duration::from_mins(1), "used at {seen}, stored at {kept}");
            session.last_seen_at = LastSeen::at(kept);
        }
    }
}
