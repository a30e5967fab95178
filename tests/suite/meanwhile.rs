//! Hashing a password takes its time, and what happens meanwhile counts: who has lost his rights or
//! his session by then does nothing with them.

use std::io;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use sessiond::app::{Service, World};
use sessiond::auth::Login;
use sessiond::auth::accounts::UserPatch;
use sessiond::models::{Password, PasswordHash, Role, User, UserId};
use sessiond::random::{Random, SystemRandom};

use crate::harness::{ADMIN, ADMIN_PASSWORD, InProcess, PASSWORD, block_on};

const BOB: &str = "bob@example.com";
const NEW: &str = "another one 3";

/// Does something once, while a password is being hashed: when its salt is drawn.
#[derive(Default)]
struct Meanwhile(Mutex<Option<Box<dyn FnOnce() + Send>>>);

impl Random for Meanwhile {
    fn fill(&self, bytes: &mut [u8]) -> io::Result<()> {
        let hashing = std::thread::current().name().is_some_and(|name| name.starts_with("hash"));
        let act = if hashing { self.0.lock().unwrap().take() } else { None };
        if let Some(act) = act {
            act();
        }
        SystemRandom.fill(bytes)
    }
}

/// A server with two admins. The second one, bob, has a hash that is renewed when he proves who he
/// is.
struct Cast {
    server: InProcess,
    meanwhile: Arc<Meanwhile>,
    admin: Arc<User>,
    bob: UserId,
    session: String,
}

impl Cast {
    fn new() -> Self {
        let meanwhile = Arc::new(Meanwhile::default());
        let random: Arc<dyn Random> = Arc::clone(&meanwhile) as _;
        let server = InProcess::in_world(&[], World { random, ..World::default() });
        let (accounts, auth) = (server.service.accounts(), server.service.auth());
        let bob = server.add_user(BOB, Role::Admin).id;
        let (admin, session) = block_on(async {
            let costly = PasswordHash::new(&Password::sent(PASSWORD.into()), 5, &SystemRandom);
            let user = accounts.set_password(bob, costly.unwrap(), false).await.unwrap().unwrap();
            let session = auth.create_session(&user, Login::default()).await.unwrap().unwrap();
            let admin = accounts.users.search(ADMIN).await.unwrap().unwrap();
            (admin, session.id.reveal().to_owned())
        });
        Self { server, meanwhile, admin, bob, session }
    }

    /// When the next password is hashed, this is done to bob first.
    fn then(&self, act: impl FnOnce(&Service, UserId) + Send + 'static) {
        let (service, bob) = (Arc::clone(&self.server.service), self.bob);
        *self.meanwhile.0.lock().unwrap() = Some(Box::new(move || act(&service, bob)));
    }

    fn ask(&self, method: &str, path: &str, body: &Value) -> u16 {
        self.server.request(method, path).session(&self.session).json(body).send().status
    }

    /// Holds that something was lost, and that nothing else has changed.
    fn assert_untouched(&self) {
        assert!(self.meanwhile.0.lock().unwrap().is_none(), "nothing was hashed");
        let users = block_on(self.server.service.accounts().users.all()).unwrap();
        assert_eq!(users.len(), 2);
        assert_eq!(users[0], self.admin);
    }
}

fn demote(service: &Service, user: UserId) {
    let patch = UserPatch { role: Some(Role::User), ..UserPatch::default() };
    block_on(service.accounts().update(user, patch)).unwrap().unwrap();
}

fn disable(service: &Service, user: UserId) {
    let patch = UserPatch { disabled: Some(true), ..UserPatch::default() };
    block_on(service.accounts().update(user, patch)).unwrap().unwrap();
}

fn end_sessions(service: &Service, user: UserId) {
    let sessions = service.auth().sessions().unwrap();
    assert_eq!(block_on(sessions.end_all(user, None)).unwrap(), 1);
}

/// The ways in which somebody ceases to be an admin who is logged in.
const LOSSES: [fn(&Service, UserId); 3] = [demote, disable, end_sessions];

#[test]
fn what_is_lost_while_the_proof_is_verified_cannot_be_used() {
    let proof = json!({ "current_password": PASSWORD, "role": "user", "new_password": NEW });
    for (loss, lose) in LOSSES.into_iter().enumerate() {
        for number in 0..5 {
            let cast = Cast::new();
            // Not fresh any more: the current password is verified.
            cast.server.advance(std::time::Duration::from_mins(15));
            let admin_session = cast.server.admin();
            let admin = format!("/api/v1/users/{}", cast.admin.id);
            let (method, path) = [
                ("PUT", admin.clone()),
                ("PUT", format!("{admin}/password")),
                ("DELETE", admin.clone()),
                ("DELETE", format!("{admin}/sessions")),
                ("DELETE", "/api/v1/sessions".to_owned()),
            ][number]
                .clone();
            cast.then(lose);
            assert_eq!(cast.ask(method, &path, &proof), 403, "loss {loss}: {method} {path}");
            cast.assert_untouched();
            let me = cast.server.get("/api/v1/users/me").session(&admin_session).send();
            assert_eq!(me.status, 200, "loss {loss}: {method} {path}");
        }
    }
}

#[test]
fn what_is_lost_while_a_new_password_is_hashed_cannot_be_used() {
    for (loss, lose) in LOSSES.into_iter().enumerate() {
        let cast = Cast::new();
        cast.then(lose);
        let new = json!({ "email": "new@example.com", "password": PASSWORD });
        assert_eq!(cast.ask("POST", "/api/v1/users", &new), 403, "loss {loss}");
        cast.assert_untouched();

        let cast = Cast::new();
        cast.then(lose);
        let path = format!("/api/v1/users/{}/password", cast.admin.id);
        assert_eq!(cast.ask("PUT", &path, &json!({ "new_password": NEW })), 403, "loss {loss}");
        cast.assert_untouched();
    }
}

#[test]
fn a_session_that_ends_while_its_password_is_changed_changes_nothing() {
    for lose in [disable, end_sessions] {
        let cast = Cast::new();
        cast.then(lose);
        let body = json!({ "current_password": PASSWORD, "new_password": NEW });
        let answer = cast.server.put("/api/v1/users/me/password").session(&cast.session);
        let answer = answer.json(&body).send();
        assert_eq!((answer.status, answer.header("set-cookie")), (403, None));
        cast.assert_untouched();
        assert_eq!(cast.server.login(&[("email", BOB), ("password", NEW)]).send().status, 401);
    }
}

#[test]
fn a_password_that_is_replaced_while_it_is_verified_lets_nobody_in() {
    let cast = Cast::new();
    let another = PasswordHash::new(&Password::sent(NEW.into()), 4, &SystemRandom).unwrap();
    cast.then(|service, bob| {
        block_on(service.accounts().set_password(bob, another, false)).unwrap().unwrap();
    });
    let login = |password| cast.server.login(&[("email", BOB), ("password", password)]).send();
    login(PASSWORD).assert_error(401, "wrong email or password");
    assert_eq!(login(PASSWORD).status, 401);
    assert_eq!(login(NEW).status, 200, "it has not been put back");
    cast.server.log_in(ADMIN, ADMIN_PASSWORD);
}
