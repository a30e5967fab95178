//! Users and sessions to put into a store, and what a test does with futures and refusals.

use std::fmt::Debug;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake};
use std::thread::{self, Thread};
use std::time::Duration;

use actix_web::ResponseError as _;
use sessiond::clock::Timestamp;
use sessiond::error::Result;
use sessiond::models::{
    Client, Email, Lifetime, PasswordHash, Role, SessionId, User, UserId, UserSession,
};
use sessiond::random::SystemRandom;

pub const START: Timestamp = Timestamp::from_millis(1_700_000_000_000);

/// `seconds` after [`START`].
pub fn after(seconds: u64) -> Timestamp {
    START.plus(Duration::from_secs(seconds))
}

/// The user `<name>@example.com`.
pub fn user(name: &str) -> User {
    let id = UserId::generate(&SystemRandom).expect("there is randomness");
    User::new(id, email(name), PasswordHash::of_nobody(4), START)
}

/// The same as an admin.
pub fn admin(name: &str) -> User {
    User { role: Role::Admin, ..user(name) }
}

pub fn email(name: &str) -> Email {
    Email::new(&format!("{name}@example.com")).expect("a name makes an address")
}

/// A session of `user` that ends `seconds` after [`START`], if ever.
pub fn session(user: &User, seconds: Option<u64>) -> UserSession {
    let hash = SessionId::generate(&SystemRandom).expect("there is randomness").hash();
    let lifetime = Lifetime { absolute: seconds.map(Duration::from_secs), idle: None };
    UserSession::new(hash, user, Client::default(), lifetime, START, &SystemRandom)
        .expect("there is randomness")
}

/// Waits for a future. A store needs no runtime, so this is none: it is quicker made.
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

/// How a change was refused: status and text.
pub fn refusal<T: Debug>(result: Result<T>) -> String {
    let error = result.expect_err("should have been refused");
    format!("{} {error}", error.status_code().as_u16())
}
