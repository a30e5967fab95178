//! The people who call, each made anew for every call.

use std::cell::Cell;
use std::time::Duration;

use serde_json::{Value, json};
use sessiond::auth::accounts::{NewUser, UserPatch};
use sessiond::models::{Role, SessionId, UserId};

use crate::harness::{Answer, InProcess, PASSWORD, Request, block_on};

/// What a change of passwords sets.
pub const NEW_PASSWORD: &str = "staple battery 3";
/// How old a proof is that is not fresh: `REAUTH_WINDOW`.
const WINDOW: Duration = Duration::from_mins(15);

/// Who calls.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Actor {
    Nobody,
    Ended,
    Disabled,
    Deleted,
    MustChange,
    Himself,
    Another,
    Demoted,
    Admin,
    OldProof,
}

impl Actor {
    /// In the order of the matrix, as the documents call them.
    pub const ALL: [(Self, &str); 10] = [
        (Self::Nobody, "nobody"),
        (Self::Ended, "ended"),
        (Self::Disabled, "disabled"),
        (Self::Deleted, "deleted"),
        (Self::MustChange, "must change"),
        (Self::Himself, "himself"),
        (Self::Another, "another"),
        (Self::Demoted, "demoted"),
        (Self::Admin, "admin"),
        (Self::OldProof, "old proof"),
    ];

    /// Whether `{id}` in a path is his own. Where it is not, it is that of a plain user.
    fn asks_for_himself(self) -> bool {
        !matches!(self, Self::Nobody | Self::Another | Self::Demoted | Self::Admin | Self::OldProof)
    }
}

/// A user and a session of his.
pub struct Person {
    pub id: UserId,
    pub email: String,
    pub session: String,
}

/// A service on which everybody is somebody new.
pub struct Stage {
    pub server: InProcess,
    count: Cell<u32>,
}

/// Somebody who is about to call, and the user whom the path names.
pub struct Scene<'s> {
    stage: &'s Stage,
    pub actor: Option<Person>,
    subject: Option<Person>,
}

impl Stage {
    pub fn new() -> Self {
        let server = InProcess::with(&["--login-throttle", "off"]);
        Self { server, count: Cell::new(0) }
    }

    /// An address that nobody has.
    pub fn address(&self) -> String {
        self.count.set(self.count.get() + 1);
        format!("user{}@example.com", self.count.get())
    }

    /// Somebody new, logged in.
    pub fn person(&self, role: Role) -> Person {
        let email = self.address();
        let (password, must_change) = (PASSWORD.to_owned(), false);
        let (first_name, last_name) = (None, None);
        let new =
            NewUser { email: email.clone(), password, first_name, last_name, role, must_change };
        let id = block_on(self.server.service.accounts().create(new)).unwrap().id;
        let session = self.server.log_in(&email, PASSWORD);
        Person { id, email, session }
    }

    /// Changes somebody past the API.
    pub fn change(&self, id: UserId, patch: UserPatch) {
        block_on(self.server.service.accounts().update(id, patch)).unwrap().unwrap();
    }

    /// What is stored of somebody.
    pub fn stored(&self, id: UserId) -> Value {
        let user = block_on(self.server.service.accounts().users.get(id)).unwrap().unwrap();
        serde_json::to_value(user.as_ref()).unwrap()
    }

    /// What is stored of a session.
    pub fn stored_session(&self, id: &str) -> Value {
        let sessions = self.server.service.auth().sessions().unwrap();
        let hash = SessionId::parse(id.as_bytes()).unwrap().hash();
        let session = block_on(sessions.store.get(&hash)).unwrap().unwrap();
        serde_json::to_value(session.as_ref()).unwrap()
    }

    /// Somebody in the state that makes him this actor, and whom he asks for.
    pub fn scene(&self, actor: Actor) -> Scene<'_> {
        let subject = (!actor.asks_for_himself()).then(|| self.person(Role::User));
        let actor = (actor != Actor::Nobody).then(|| self.actor(actor));
        Scene { stage: self, actor, subject }
    }

    fn actor(&self, actor: Actor) -> Person {
        let is_admin = matches!(actor, Actor::Demoted | Actor::Admin | Actor::OldProof);
        let person = self.person(if is_admin { Role::Admin } else { Role::User });
        let (id, accounts) = (person.id, self.server.service.accounts());
        match actor {
            Actor::Ended => {
                let logout = self.server.delete("/api/v1/auth_session/logout");
                logout.session(&person.session).send().assert_is(200, "{}");
            }
            Actor::Disabled => {
                self.change(id, UserPatch { disabled: Some(true), ..UserPatch::default() });
            }
            Actor::Deleted => assert!(block_on(accounts.users.remove(id)).unwrap()),
            Actor::MustChange => return self.must_change(person),
            Actor::Demoted => {
                // What was proved before is older than his role.
                self.server.advance(Duration::from_millis(1));
                self.change(id, UserPatch { role: Some(Role::User), ..UserPatch::default() });
            }
            Actor::OldProof => self.server.advance(WINDOW),
            Actor::Nobody | Actor::Himself | Actor::Another | Actor::Admin => {}
        }
        person
    }

    /// His password is set by somebody else, and he logs in with it.
    fn must_change(&self, person: Person) -> Person {
        let accounts = self.server.service.accounts();
        block_on(async {
            let user = accounts.users.get(person.id).await.unwrap().unwrap();
            let hash = accounts.hash(PASSWORD.to_owned(), &user).await.unwrap();
            accounts.set_password(person.id, hash, true).await.unwrap().unwrap();
        });
        let session = self.server.log_in(&person.email, PASSWORD);
        Person { session, ..person }
    }
}

impl Scene<'_> {
    /// Whom `{id}` names.
    fn subject(&self) -> &Person {
        self.subject.as_ref().or(self.actor.as_ref()).unwrap()
    }

    /// The call, with all that it needs to succeed, by whoever may make it.
    pub fn call(&self, method: &str, route: &str) -> Answer {
        let request = self.as_actor(method, &self.path(route));
        match self.body(method, route) {
            Some(body) => request.json(&body).send(),
            None => request.send(),
        }
    }

    /// A request with the actor's session.
    pub fn as_actor(&self, method: &str, path: &str) -> Request {
        let request = self.stage.server.request(method, path);
        self.actor.iter().fold(request, |request, actor| request.session(&actor.session))
    }

    /// Where the route is for the user whom it names.
    pub fn path(&self, route: &str) -> String {
        self.page(&format!("/api/v1{route}"))
    }

    /// The same of a page.
    pub fn page(&self, route: &str) -> String {
        let names_somebody = ["{id}", "{session}"].iter().any(|part| route.contains(part));
        if !names_somebody {
            return route.to_owned();
        }
        let path = route.replace("{id}", &self.subject().id.to_string());
        if !route.contains("{session}") {
            return path;
        }
        path.replace("{session}", &self.other_session())
    }

    /// The public id of another session of the user who is named.
    fn other_session(&self) -> String {
        let server = &self.stage.server;
        let login = [("email", self.subject().email.as_str()), ("password", PASSWORD)];
        let Some(session) = server.login(&login).send().session_id() else {
            return crate::harness::NOBODY.to_owned();
        };
        let session = server.get("/api/v1/auth_session").session(&session).send();
        // Who must change his password is not told.
        session.json()["id"].as_str().unwrap_or(crate::harness::NOBODY).to_owned()
    }

    fn body(&self, method: &str, route: &str) -> Option<Value> {
        let email = self.actor.as_ref().map_or("nobody@example.com", |actor| &actor.email);
        let own = self.subject.is_none() || route.starts_with("/users/me");
        Some(match (method, route) {
            ("POST", "/users") => json!({ "email": self.stage.address(), "password": PASSWORD }),
            ("POST", "/auth_session/login") => json!({ "email": email, "password": PASSWORD }),
            ("POST", "/auth_session/reauth") => json!({ "password": PASSWORD }),
            ("PUT", route) if route.ends_with("/password") && own => {
                json!({ "current_password": PASSWORD, "new_password": NEW_PASSWORD })
            }
            ("PUT", route) if route.ends_with("/password") => {
                json!({ "new_password": NEW_PASSWORD })
            }
            ("PUT", _) => json!({ "first_name": "Zoe" }),
            _ => return None,
        })
    }
}
