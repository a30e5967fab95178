//! Any changes in any order, with stops and crashes between them, against a model of a few lines.

mod action;
mod reference;

use std::path::Path;
use std::sync::Arc;

use proptest::prelude::*;
use sessiond::models::{Lifetimes, User, UserSession};
use sessiond::store::json::JsonTable;
use sessiond::store::load::Loaded;
use sessiond::store::{Record, Room, SessionStore, UserStore};

use crate::harness::records::{after, refusal, run};
use crate::harness::simulated_disk::{POWER_LOSSES, SimulatedDisk};
use action::{Action, Login, actions};
use reference::Model;

/// Bytes of a journal that is folded: small, so that there are many folds.
const FOLD_AT: u64 = 2_000;

/// Both classes on one disk.
struct Stores {
    disk: SimulatedDisk,
    users: JsonTable<User>,
    sessions: JsonTable<UserSession>,
}

impl Stores {
    fn open(disk: SimulatedDisk) -> Self {
        Self { users: table(&disk), sessions: table(&disk), disk }
    }

    fn restarted(self) -> Self {
        run(self.users.close()).unwrap();
        run(self.sessions.close()).unwrap();
        let names = self.disk.names();
        assert!(names.iter().all(|name| !name.contains("journal")), "left after a stop: {names:?}");
        Self::open(self.disk.clone())
    }

    fn crashed(self, power_loss: usize) -> Self {
        let Self { disk, users, sessions } = self;
        // What nobody waits for is written too before these end.
        drop((users, sessions));
        Self::open(disk.after_power_loss(POWER_LOSSES[power_loss]))
    }
}

fn table<R: Record>(disk: &SimulatedDisk) -> JsonTable<R> {
    let loaded = Loaded::read(disk, Path::new("")).unwrap();
    JsonTable::start_folding_at(FOLD_AT, loaded, Arc::new(disk.clone()))
}

/// Does the same to both; what they answer must be equal.
fn act(action: &Action, stores: &Stores, model: &mut Model) {
    match action {
        Action::Wait { seconds } => model.now += seconds,
        Action::Touch { login } => {
            let ever = model.ever(*login);
            let kept = run(stores.sessions.get(&ever.hash)).unwrap();
            stores.sessions.touch(kept.as_deref().unwrap_or(&ever), after(model.now));
            model.touch(&ever.hash);
        }
        _ => {
            let (found, expected) = change_users(action, &stores.users, model)
                .or_else(|| change_sessions(action, &stores.sessions, model))
                .expect("a change of one or the other");
            assert_eq!(found, expected, "{action:?}");
        }
    }
}

fn change_users(
    action: &Action,
    users: &dyn UserStore,
    model: &mut Model,
) -> Option<(String, String)> {
    Some(match action.clone() {
        Action::Insert { user, id_of } => {
            let user = model.made(&user, id_of);
            (told(run(users.insert(user.clone())).map(|_| true)), model.insert_all(vec![user]))
        }
        Action::InsertAll { list } => {
            let list: Vec<_> = list.iter().map(|user| model.made(user, None)).collect();
            (told(run(users.insert_all(list.clone())).map(|()| true)), model.insert_all(list))
        }
        Action::Update { who, change } => {
            let (id, made) = (model.user_id(who), change.clone());
            let update = move |user: &User| Ok(made.applied(user));
            let updated = run(users.update(id, Box::new(update)));
            (told(updated.map(|user| user.is_some())), model.update(id, &change))
        }
        Action::RemoveUser { who } => {
            let id = model.user_id(who);
            (told(run(users.remove(id))), model.remove_user(id))
        }
        _ => return None,
    })
}

fn change_sessions(
    action: &Action,
    sessions: &dyn SessionStore,
    model: &mut Model,
) -> Option<(String, String)> {
    Some(match action.clone() {
        Action::Login(Login { who, seconds, idle, replaced, at_most }) => {
            let login = model.login(who, seconds, idle);
            let replaced = replaced.map(|number| model.hash(number));
            let room = Room { replaced, at_most, ..Room::default() };
            let inserted = run(sessions.insert(login.clone(), room));
            (told(inserted.map(|_| true)), model.insert_session(login, room))
        }
        Action::Renew { login } => {
            let (old, new) = (model.hash(login), model.renewal_of(login));
            let hash = new.hash;
            let change = move |old: &UserSession| UserSession { hash, ..old.clone() };
            let renewed = run(sessions.replace(&old, Box::new(change)));
            (told(renewed.map(|renewed| renewed.is_some())), model.renew(old, hash))
        }
        Action::LogoutEverybody => (told(run(sessions.clear())), model.end(usize::MAX, |_| true)),
        Action::Logout { login } => {
            let hash = model.hash(login);
            (told(run(sessions.remove(&hash))), model.end(1, |session| session.hash == hash))
        }
        Action::LogoutAll { who, except } => {
            let (id, except) = (model.user_id(who), except.map(|number| model.hash(number)));
            let ends = |s: &UserSession| s.user_id == id && Some(s.hash) != except;
            (told(run(sessions.remove_all(id, except))), model.end(usize::MAX, ends))
        }
        Action::Expire { limit } => {
            let now = after(model.now);
            let removed = run(sessions.remove_expired(Lifetimes::default(), now, limit));
            (
                told(removed),
                model.end(limit, |session| session.is_expired(Lifetimes::default(), now)),
            )
        }
        _ => return None,
    })
}

/// An answer or a refusal, as text.
fn told<T: std::fmt::Debug + Into<Count>>(result: sessiond::error::Result<T>) -> String {
    match result {
        Ok(answer) => answer.into().0.to_string(),
        refused => refusal(refused),
    }
}

/// How many; whether is none or one.
struct Count(usize);

impl From<usize> for Count {
    fn from(count: usize) -> Self {
        Self(count)
    }
}

impl From<bool> for Count {
    fn from(whether: bool) -> Self {
        Self(whether.into())
    }
}

/// Checks that readers find what the model holds, and nothing else.
fn agree(stores: &Stores, model: &Model) {
    let users: Vec<User> =
        run(stores.users.all()).unwrap().iter().map(|u| User::clone(u)).collect();
    assert_eq!(users, model.users);
    assert_eq!(run(stores.users.count()).unwrap(), model.users.len());
    for name in action::NAMES {
        let address = format!("{name}@EXAMPLE.com");
        let found = run(stores.users.search(&address)).unwrap();
        let expected = model.users.iter().find(|u| u.email.key() == address.to_ascii_lowercase());
        assert_eq!(found.as_deref(), expected, "{address}");
    }
    assert_eq!(run(stores.sessions.count()).unwrap(), model.sessions.len());
    for id in &model.ever_users {
        assert_eq!(
            run(stores.users.get(*id)).unwrap().as_deref(),
            model.users.iter().find(|user| user.id == *id)
        );
        let found = run(stores.sessions.of_user(*id)).unwrap();
        let expected: Vec<_> = model.sessions.iter().filter(|s| s.user_id == *id).collect();
        assert_eq!(found.iter().map(|session| &**session).collect::<Vec<_>>(), expected);
    }
    for ever in &model.ever_sessions {
        let found = run(stores.sessions.get(&ever.hash)).unwrap();
        let expected = model.sessions.iter().find(|session| session.hash == ever.hash);
        assert_eq!(found.as_deref(), expected);
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 128,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_store_does_what_its_model_does_over_stops_and_crashes(actions in actions()) {
        let mut stores = Stores::open(SimulatedDisk::default());
        let mut model = Model::default();
        for action in &actions {
            match action {
                Action::Restart => stores = stores.restarted(),
                Action::Crash { power_loss } => stores = stores.crashed(*power_loss),
                other => act(other, &stores, &mut model),
            }
            if matches!(action, Action::Restart | Action::Crash { .. }) {
                model.reopened(|hash| run(stores.sessions.get(hash)).unwrap());
            }
            agree(&stores, &model);
        }
    }
}
