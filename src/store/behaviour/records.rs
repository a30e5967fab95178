//! Users and sessions to put into a store under test, and a way to wait for what it answers.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake};
use std::thread::{self, Thread};
use std::time::Duration;

use crate::clock::Timestamp;
use crate::models::{
    Client, Email, Lifetime, PasswordHash, Role, SessionHash, SessionId, User, UserId, UserSession,
};
use crate::random::SystemRandom;

/// When the records here were made.
pub const START: Timestamp = Timestamp::from_millis(1_700_000_000_000);

/// `seconds` after [`START`].
pub fn after(seconds: u64) -> Timestamp {
    START.plus(Duration::from_secs(seconds))
}

/// The user `<name>@example.com`, with a new id and a hash that no password has.
pub fn user(name: &str) -> User {
    let id = UserId::generate(&SystemRandom).expect("there is randomness");
    User::new(id, email(name), PasswordHash::of_nobody(4), START)
}

/// The same as an admin.
pub fn admin(name: &str) -> User {
    User { role: Role::Admin, ..user(name) }
}

/// The address `<name>@example.com`.
pub fn email(name: &str) -> Email {
    Email::new(&format!("{name}@example.com")).expect("a name makes an address")
}

/// A new hash.
pub fn hash() -> SessionHash {
    SessionId::generate(&SystemRandom).expect("there is randomness").hash()
}

/// A session of `user` that ends `seconds` after [`START`], if ever.
pub fn session(user: &User, seconds: Option<u64>) -> UserSession {
    let lifetime = Lifetime { absolute: seconds.map(Duration::from_secs), idle: None };
    UserSession::new(hash(), user, Client::default(), lifetime, START, &SystemRandom)
        .expect("there is randomness")
}

/// Waits for a future. A store need not have a runtime, so this is none: it is quicker made.
pub fn run<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Arc::new(Unpark(thread::current())).into();
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return value;
        }
        thread::park();
    }
}
