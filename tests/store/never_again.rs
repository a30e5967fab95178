//! Logins, uses, logouts, changes of passwords, disabled and deleted users in any order, over folds,
//! failing disks and crashes in the middle: a session that has ended never works again, and what was
//! answered stays.

use std::collections::HashSet;
use std::path::Path;
use std::sync::{Arc, Mutex};

use proptest::prelude::*;
use sessiond::error::{Error, Result};
use sessiond::models::{SessionHash, SessionId, User, UserId, UserSession};
use sessiond::random::SystemRandom;
use sessiond::store::json::JsonTable;
use sessiond::store::load::Loaded;
use sessiond::store::{Record, Room, SessionStore, UserStore};

use crate::harness::records::{admin, after, run, session, user};
use crate::harness::simulated_disk::{POWER_LOSSES, SimulatedDisk};
use crate::harness::watched_files::{Fate, WatchedFiles};

/// Bytes of a journal that is folded: small, so that there are many folds.
const FOLD_AT: u64 = 1_500;
/// Users besides the admin who stays.
const NAMES: [&str; 3] = ["ann", "bob", "eve"];

/// Users and sessions are named by a number, taken modulo how many there are.
#[derive(Clone, Debug)]
enum Step {
    Make {
        who: usize,
    },
    Login {
        who: usize,
    },
    Touch {
        login: usize,
    },
    Logout {
        login: usize,
    },
    /// By a session, which goes on under another hash.
    Password {
        login: usize,
    },
    Disable {
        who: usize,
        disabled: bool,
    },
    Delete {
        who: usize,
    },
    /// The operations on files after the next `skipped` ones fail, `length` of them.
    Fault {
        skipped: usize,
        length: usize,
        fate: Fate,
    },
    /// So do all, until the power is back.
    PowerFails {
        skipped: usize,
        torn: bool,
    },
    PowerIsBack {
        power_loss: usize,
    },
}

/// Names one of all that ever were.
const ANY: std::ops::Range<usize> = 0..1_000;

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let fate = || any::<bool>().prop_map(|torn| if torn { Fate::Torn } else { Fate::Failed });
    let step = prop_oneof![
        4 => ANY.prop_map(|who| Step::Make { who }),
        8 => ANY.prop_map(|who| Step::Login { who }),
        4 => ANY.prop_map(|login| Step::Touch { login }),
        4 => ANY.prop_map(|login| Step::Logout { login }),
        3 => ANY.prop_map(|login| Step::Password { login }),
        2 => (ANY, any::<bool>()).prop_map(|(who, disabled)| Step::Disable { who, disabled }),
        1 => ANY.prop_map(|who| Step::Delete { who }),
        2 => (0..6_usize, 1..4_usize, fate())
            .prop_map(|(skipped, length, fate)| Step::Fault { skipped, length, fate }),
        2 => (0..8_usize, any::<bool>())
            .prop_map(|(skipped, torn)| Step::PowerFails { skipped, torn }),
        3 => (0..POWER_LOSSES.len()).prop_map(|power_loss| Step::PowerIsBack { power_loss }),
    ];
    prop::collection::vec(step, 1..70)
}

/// Which operations fail from here on, and how.
#[derive(Default)]
struct Plan {
    skipped: usize,
    length: usize,
    torn: bool,
}

impl Plan {
    fn next(&mut self) -> Fate {
        if self.skipped > 0 {
            self.skipped -= 1;
        } else if self.length > 0 {
            self.length -= 1;
            return if self.torn { Fate::Torn } else { Fate::Failed };
        }
        Fate::Done
    }
}

struct Stage {
    disk: SimulatedDisk,
    plan: Arc<Mutex<Plan>>,
    users: JsonTable<User>,
    sessions: JsonTable<UserSession>,
    /// Everybody there ever was, and every session that was handed out, with its user.
    people: Vec<UserId>,
    logins: Vec<UserSession>,
    /// Sessions that ended.
    dead: HashSet<SessionHash>,
    /// Sessions that something should have ended which failed: until the next start they work, and
    /// then either may be.
    open: HashSet<SessionHash>,
    /// Users of whom a change failed that may still be on the disk, where the next change of a user
    /// would find and remove it: sessions that they begin till then are open as well.
    unsure: HashSet<UserId>,
}

fn table<R: Record>(disk: &SimulatedDisk, plan: &Arc<Mutex<Plan>>) -> JsonTable<R> {
    let loaded = Loaded::read(disk, Path::new("")).unwrap();
    let plan = Arc::clone(plan);
    let files = WatchedFiles::new(disk.clone(), move |_| plan.lock().unwrap().next());
    JsonTable::start_folding_at(FOLD_AT, loaded, Arc::new(files))
}

impl Stage {
    fn new() -> Self {
        let (disk, plan) = (SimulatedDisk::default(), Arc::default());
        let (users, sessions) = (table(&disk, &plan), table(&disk, &plan));
        run(UserStore::insert(&users, admin("root"))).unwrap();
        let (people, logins) = (Vec::new(), Vec::new());
        let (dead, open, unsure) = (HashSet::new(), HashSet::new(), HashSet::new());
        Self { disk, plan, users, sessions, people, logins, dead, open, unsure }
    }

    /// What the service asks before it takes a session for one.
    fn works(&self, hash: &SessionHash) -> bool {
        let Some(session) = run(SessionStore::get(&self.sessions, hash)).unwrap() else {
            return false;
        };
        let user = run(UserStore::get(&self.users, session.user_id)).unwrap();
        user.is_some_and(|user| {
            !user.disabled && user.credential_version == session.credential_version
        })
    }

    fn person(&self, number: usize) -> Option<UserId> {
        let count = self.people.len();
        (count > 0).then(|| self.people[number % count])
    }

    fn login(&self, number: usize) -> Option<UserSession> {
        let count = self.logins.len();
        (count > 0).then(|| self.logins[number % count].clone())
    }

    /// Notes how a change of a user ended that ends these sessions of his.
    fn changed<T>(&mut self, id: UserId, sessions: Vec<SessionHash>, result: &Result<T>) {
        if result.is_err() {
            self.unsure.insert(id);
        }
        self.ended(sessions, result);
    }

    /// Notes how something ended that ends these sessions.
    fn ended<T>(&mut self, sessions: Vec<SessionHash>, result: &Result<T>) {
        match result {
            Ok(_) => self.dead.extend(sessions),
            Err(Error::Unavailable(_)) => self.open.extend(sessions),
            Err(other) => panic!("{other}"),
        }
    }

    fn of(&self, user: UserId) -> Vec<SessionHash> {
        let owned = self.logins.iter().filter(|login| login.user_id == user);
        owned.map(|login| login.hash).collect()
    }

    fn act(&mut self, step: &Step) -> Option<()> {
        match *step {
            Step::Make { who } => {
                let new = user(NAMES[who % NAMES.len()]);
                let id = new.id;
                if run(UserStore::insert(&self.users, new)).is_ok() {
                    self.people.push(id);
                    self.unsure.clear();
                }
            }
            Step::Login { who } => self.log_in(self.person(who)?)?,
            // As it was when it was handed out: a request that has been on its way for long.
            Step::Touch { login } => {
                self.sessions.touch(&self.login(login)?, after(60 * self.logins.len() as u64));
            }
            Step::Logout { login } => {
                let hash = self.login(login)?.hash;
                let removed = run(SessionStore::remove(&self.sessions, &hash));
                self.ended(vec![hash], &removed);
            }
            Step::Password { login } => self.change_password(&self.login(login)?)?,
            Step::Disable { who, disabled } => {
                let id = self.person(who)?;
                let before = self.of(id);
                let change = move |stored: &User| {
                    let mut user = stored.clone();
                    user.set_disabled(disabled);
                    Ok(user)
                };
                let changed = run(self.users.update(id, Box::new(change)));
                if disabled {
                    self.changed(id, before, &changed);
                }
            }
            Step::Delete { who } => {
                let id = self.person(who)?;
                let removed = run(UserStore::remove(&self.users, id));
                self.changed(id, self.of(id), &removed);
            }
            Step::Fault { skipped, length, fate } => {
                *self.plan.lock().unwrap() = Plan { skipped, length, torn: fate == Fate::Torn };
            }
            Step::PowerFails { skipped, torn } => {
                *self.plan.lock().unwrap() = Plan { skipped, length: usize::MAX, torn };
            }
            Step::PowerIsBack { power_loss } => self.restart(power_loss),
        }
        Some(())
    }

    fn log_in(&mut self, id: UserId) -> Option<()> {
        let owner = run(UserStore::get(&self.users, id)).unwrap().filter(|user| !user.disabled)?;
        let login = session(&owner, None);
        if run(SessionStore::insert(&self.sessions, login.clone(), Room::default())).is_ok() {
            self.open.extend(self.unsure.contains(&id).then_some(login.hash));
            self.logins.push(login);
        } else {
            // Nobody was given its id.
            assert!(!self.works(&login.hash));
        }
        Some(())
    }

    /// In the order of the service: one record of the user, which ends all sessions; then another
    /// hash for the session that asked; then the old ones are cleared away.
    fn change_password(&mut self, by: &UserSession) -> Option<()> {
        if !self.works(&by.hash) {
            return None;
        }
        let (id, before) = (by.user_id, self.of(by.user_id));
        let change = |stored: &User| {
            let credential_version = stored.credential_version.wrapping_add(1);
            Ok(User { credential_version, ..stored.clone() })
        };
        let changed = run(self.users.update(id, Box::new(change)));
        self.changed(id, before, &changed);
        let credential_version = changed.ok()??.credential_version;
        let hash = SessionId::generate(&SystemRandom).unwrap().hash();
        let renew =
            move |old: &UserSession| UserSession { hash, credential_version, ..old.clone() };
        let renewed = run(self.sessions.replace(&by.hash, Box::new(renew)));
        let renewed = renewed.ok().flatten();
        let kept = renewed.as_ref().map(|session| session.hash);
        self.logins.extend(renewed.map(|session| UserSession::clone(&session)));
        let _ = run(self.sessions.remove_all(id, kept));
        Some(())
    }

    fn restart(&mut self, power_loss: usize) {
        let disk = self.disk.after_power_loss(POWER_LOSSES[power_loss]);
        *self.plan.lock().unwrap() = Plan::default();
        // What the old tables still do happens on a disk that is no more.
        (self.users, self.sessions) = (table(&disk, &self.plan), table(&disk, &self.plan));
        self.disk = disk;
        // From here on what was open is as it was found.
        let found = self.open.iter().filter(|hash| !self.works(hash)).copied();
        self.dead.extend(found.collect::<Vec<_>>());
        self.open.clear();
        self.unsure.clear();
        let people = run(self.users.all()).unwrap();
        self.people.extend(
            people
                .iter()
                .filter(|user| user.email.as_str() != "root@example.com")
                .map(|user| user.id),
        );
    }

    fn check(&self) {
        for login in &self.logins {
            let works = self.works(&login.hash);
            if self.dead.contains(&login.hash) {
                assert!(!works, "an ended session works");
            } else {
                assert!(works || self.open.contains(&login.hash), "a session is lost");
            }
        }
        let users = run(self.users.all()).unwrap();
        assert!(users.iter().any(|user| user.is_enabled_admin()));
        let addresses: HashSet<_> = users.iter().map(|user| user.email.key()).collect();
        assert_eq!(addresses.len(), users.len(), "two users with one address");
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 256,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_session_that_has_ended_never_works_again(steps in steps()) {
        let mut stage = Stage::new();
        for step in &steps {
            let _ = stage.act(step);
            stage.check();
        }
        stage.restart(0);
        stage.check();
    }
}
