//! What can be done to a store.

use proptest::option::of;
use proptest::prelude::*;
use sessiond::models::{Role, User};

use crate::harness::records::email;
use crate::harness::simulated_disk::POWER_LOSSES;

/// Names of which addresses are made: few, so that they meet.
pub const NAMES: [&str; 6] = ["ann", "ANN", "bob", "eve", "Eve", "kim"];

/// Users and sessions are named by their place among all that ever were made.
#[derive(Clone, Debug)]
pub enum Action {
    Insert { user: NewUser, id_of: Option<usize> },
    InsertAll { list: Vec<NewUser> },
    Update { who: usize, change: Change },
    RemoveUser { who: usize },
    Login(Login),
    Renew { login: usize },
    LogoutEverybody,
    Touch { login: usize },
    Logout { login: usize },
    LogoutAll { who: usize, except: Option<usize> },
    Expire { limit: usize },
    Wait { seconds: u64 },
    Restart,
    Crash { power_loss: usize },
}

#[derive(Clone, Debug)]
pub struct Login {
    pub who: usize,
    pub seconds: Option<u64>,
    pub idle: Option<u64>,
    pub replaced: Option<usize>,
    pub at_most: Option<usize>,
}

#[derive(Clone, Debug)]
pub struct NewUser {
    pub name: &'static str,
    pub is_admin: bool,
}

#[derive(Clone, Debug)]
pub enum Change {
    Name(String),
    Email(&'static str),
    Role(Role),
    Disabled(bool),
}

impl Change {
    pub fn applied(&self, user: &User) -> User {
        let mut user = user.clone();
        match self {
            Self::Name(name) => user.last_name = Some(name.clone()),
            Self::Email(name) => user.email = email(name),
            Self::Role(role) => user.role = *role,
            Self::Disabled(disabled) => user.set_disabled(*disabled),
        }
        user
    }
}

/// A number that names one of all that ever were, taken modulo how many there are.
const ANY: std::ops::Range<usize> = 0..1_000;

fn name() -> impl Strategy<Value = &'static str> + Clone {
    prop::sample::select(&NAMES[..])
}

fn role() -> impl Strategy<Value = Role> + Clone {
    prop::sample::select(&[Role::Admin, Role::User][..])
}

fn new_user() -> impl Strategy<Value = NewUser> + Clone {
    (name(), any::<bool>()).prop_map(|(name, is_admin)| NewUser { name, is_admin })
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        ".{0,40}".prop_map(Change::Name),
        name().prop_map(Change::Email),
        role().prop_map(Change::Role),
        any::<bool>().prop_map(Change::Disabled),
    ]
}

pub fn actions() -> impl Strategy<Value = Vec<Action>> {
    let login = (ANY, of(1..300_u64), of(1..300_u64), of(ANY), of(1..4_usize));
    let action = prop_oneof![
        4 => (new_user(), of(ANY)).prop_map(|(user, id_of)| Action::Insert { user, id_of }),
        1 => prop::collection::vec(new_user(), 0..4).prop_map(|list| Action::InsertAll { list }),
        4 => (ANY, change()).prop_map(|(who, change)| Action::Update { who, change }),
        2 => ANY.prop_map(|who| Action::RemoveUser { who }),
        6 => login.prop_map(|(who, seconds, idle, replaced, at_most)| {
            Action::Login(Login { who, seconds, idle, replaced, at_most })
        }),
        2 => ANY.prop_map(|login| Action::Renew { login }),
        1 => Just(Action::LogoutEverybody),
        5 => ANY.prop_map(|login| Action::Touch { login }),
        2 => ANY.prop_map(|login| Action::Logout { login }),
        1 => (ANY, of(ANY)).prop_map(|(who, except)| Action::LogoutAll { who, except }),
        2 => (0..4_usize).prop_map(|limit| Action::Expire { limit }),
        3 => (0..90_u64).prop_map(|seconds| Action::Wait { seconds }),
        1 => Just(Action::Restart),
        2 => (0..POWER_LOSSES.len()).prop_map(|power_loss| Action::Crash { power_loss }),
    ];
    prop::collection::vec(action, 1..80)
}
