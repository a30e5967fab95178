//! Clients that make, change and delete users, log them in and out, and note what was answered.

use std::ops::Range;
use std::sync::mpsc::Sender;
use std::sync::{Mutex, MutexGuard};

use serde_json::{Value, json};

use crate::harness::{Answer, Client, Request};
use crate::model::{Record, Session, Slot, Span, Time};
use crate::tools::Chance;

const LOGIN: &str = "/api/v1/auth_session/login";
const LOGOUT: &str = "/api/v1/auth_session/logout";
const REFRESH: &str = "/api/v1/auth_session/refresh";
const ME: &str = "/api/v1/users/me";
const USERS: &str = "/api/v1/users";

/// More than this many sessions nobody gets: some are ended first.
const SESSIONS: usize = 4;

/// What all clients together know.
pub struct World {
    pub slots: Vec<Mutex<Slot>>,
    pub time: Time,
    /// Sessions that have ended, and must never work again.
    pub dead: Mutex<Vec<String>>,
}

impl World {
    pub fn new(slots: usize) -> Self {
        let slot = |number| Mutex::new(Slot::new(format!("u{number}@example.com")));
        let slots = (0..slots).map(slot).collect();
        Self { slots, time: Time::default(), dead: Mutex::default() }
    }

    pub fn slot(&self, number: usize) -> MutexGuard<'_, Slot> {
        self.slots[number].lock().unwrap()
    }

    /// Something has ended these sessions.
    fn bury(&self, ended: Vec<String>) {
        self.dead.lock().unwrap().extend(ended);
    }
}

/// A name that no other has, and as long as a name may be, so that a journal is soon worth folding.
fn name(number: u64) -> String {
    let number = format!("{number}-");
    let rest = 256 - number.len();
    number + &"\u{1d11e}".repeat(rest)
}

/// Whether a user is shown like this.
pub fn shown(user: &Value) -> Record {
    let first_name = user["first_name"].as_str().unwrap_or_default().to_owned();
    Record { first_name, disabled: user["disabled"].as_bool().unwrap() }
}

/// Reads the list of users over and over until the server is gone; what is read stays.
pub fn read(world: &World, client: &Client, admin: &str) {
    loop {
        let Some(answer) = client.get(USERS).bearer(admin).try_send() else { return };
        let now = world.time.tick();
        let list = answer.json();
        for user in list.as_array().unwrap() {
            let number = user["email"].as_str().unwrap().trim_start_matches('u');
            let Ok(number) = number.split('@').next().unwrap().parse() else { continue };
            world.slot(number).record.seen(&Some(shown(user)), now);
        }
    }
}

/// One client.
pub struct Worker<'w> {
    pub world: &'w World,
    pub client: Client,
    pub admin: &'w str,
    pub chance: Chance,
    /// Users whom only this client changes, one request after the other.
    pub own: Range<usize>,
    /// Users whom all change at once.
    pub shared: Range<usize>,
    /// Told of each answer.
    pub answered: Sender<()>,
}

impl Worker<'_> {
    /// Goes on until the server is gone.
    pub fn work(mut self) {
        while self.act().is_some() && self.answered.send(()).is_ok() {}
    }

    /// One request; nothing when there was no answer.
    fn act(&mut self) -> Option<()> {
        let is_shared = self.chance.once_in(4);
        let range = if is_shared { self.shared.clone() } else { self.own.clone() };
        let number = range.start + self.chance.below(range.len());
        let Some(id) = self.world.slot(number).id.clone() else { return self.create(number) };
        match self.chance.below(32) {
            0 => self.delete(number, &id),
            1..=3 => self.set_password(number, &id),
            4..=6 => self.log_out(number),
            7..=9 => self.refresh(number),
            10 => self.look_at_the_dead(),
            11..=13 if !is_shared => self.change_own_password(number),
            14..=26 if !is_shared => self.update(number, &id),
            _ => self.log_in(number),
        }
    }

    fn slot(&self, number: usize) -> MutexGuard<'_, Slot> {
        self.world.slot(number)
    }

    /// Whether `answer` is the good one. To a user of one's own nothing else is answered.
    fn is_good(&self, answer: &Answer, good: u16, number: usize) -> bool {
        let refusals = if self.own.contains(&number) { &[][..] } else { &[401, 403, 404, 409] };
        let expected = answer.status == good || refusals.contains(&answer.status);
        assert!(expected, "u{number}: {} {}", answer.status, answer.body);
        answer.status == good
    }

    fn new_password(&self, number: usize) -> (u64, String) {
        let began = self.world.time.tick();
        let password = format!("horse staple {began}");
        let mut slot = self.slot(number);
        slot.password.begin(began, password.clone());
        slot.passwords.push(password.clone());
        (began, password)
    }

    fn by_admin(&self, request: Request) -> Request {
        request.bearer(self.admin)
    }

    fn create(&self, number: usize) -> Option<()> {
        let (began, password) = self.new_password(number);
        let record = Record { first_name: name(began), disabled: false };
        let mut slot = self.slot(number);
        slot.record.begin(began, Some(record.clone()));
        let body = json!({ "email": slot.email, "password": password,
            "first_name": record.first_name, "last_name": name(0) });
        drop(slot);
        let answer = self.by_admin(self.client.post(USERS)).json(&body).try_send()?;
        let done = self.is_good(&answer, 201, number).then(|| self.world.time.tick());
        let mut slot = self.slot(number);
        slot.record.end(began, done);
        slot.password.end(began, done);
        if done.is_some() {
            slot.id = answer.json()["id"].as_str().map(str::to_owned);
        }
        Some(())
    }

    /// Another name, and now and then in or out of the disabled.
    fn update(&mut self, number: usize, id: &str) -> Option<()> {
        let toggles = self.chance.once_in(8);
        let began = self.world.time.tick();
        let mut slot = self.slot(number);
        let before = slot.record.possible().pop().flatten().expect("he is there");
        let disabled = before.disabled != toggles;
        let first_name = name(began);
        let body = json!({ "first_name": first_name, "disabled": disabled });
        slot.record.begin(began, Some(Record { first_name, disabled }));
        if disabled {
            slot.begin_end(began, None);
        }
        drop(slot);
        let request = self.client.put(&format!("{USERS}/{id}"));
        let answer = self.by_admin(request).json(&body).try_send()?;
        assert!(self.is_good(&answer, 200, number));
        let now = self.world.time.tick();
        let mut slot = self.slot(number);
        slot.record.end(began, Some(now));
        if disabled {
            self.world.bury(slot.end_end(began, Some(now)));
        }
        Some(())
    }

    fn delete(&self, number: usize, id: &str) -> Option<()> {
        let began = self.world.time.tick();
        let mut slot = self.slot(number);
        slot.record.begin(began, None);
        slot.begin_end(began, None);
        drop(slot);
        let answer = self.by_admin(self.client.delete(&format!("{USERS}/{id}"))).try_send()?;
        let done = self.is_good(&answer, 200, number).then(|| self.world.time.tick());
        let mut slot = self.slot(number);
        slot.record.end(began, done);
        self.world.bury(slot.end_end(began, done));
        if done.is_some() && slot.id.as_deref() == Some(id) {
            slot.id = None;
        }
        Some(())
    }

    /// As the admin, and without a session of the user's own.
    fn set_password(&self, number: usize, id: &str) -> Option<()> {
        let (began, password) = self.new_password(number);
        self.slot(number).begin_end(began, None);
        let request = self.by_admin(self.client.put(&format!("{USERS}/{id}/password")));
        let body = json!({ "new_password": password, "must_change": false });
        let answer = request.json(&body).try_send()?;
        let done = self.is_good(&answer, 200, number).then(|| self.world.time.tick());
        let mut slot = self.slot(number);
        slot.password.end(began, done);
        self.world.bury(slot.end_end(began, done));
        Some(())
    }

    fn log_in(&mut self, number: usize) -> Option<()> {
        if self.slot(number).sessions.len() >= SESSIONS {
            return self.log_out(number);
        }
        let slot = self.slot(number);
        let (email, password) = (slot.email.clone(), slot.password.possible());
        let is_disabled = slot.record.possible().iter().flatten().any(|record| record.disabled);
        drop(slot);
        // After a crash a disabled user's password may still be one of two.
        if is_disabled || self.own.contains(&number) && password.len() > 1 {
            return Some(());
        }
        let password = self.chance.pick(&password).expect("there is one").clone();
        let began = self.world.time.tick();
        let request = self.client.post(LOGIN).form(&[("email", &email), ("password", &password)]);
        let answer = request.try_send()?;
        if self.is_good(&answer, 200, number) {
            self.born(number, began, &answer);
        }
        Some(())
    }

    /// The session whose id this answer gives.
    fn born(&self, number: usize, began: u64, answer: &Answer) {
        let born = Span { began, ended: Some(self.world.time.tick()) };
        let id = answer.session_id().expect("the answer gives one");
        self.slot(number).sessions.push(Session { id, born });
    }

    /// A session of this user; one of one's own lives.
    fn any_session(&mut self, number: usize) -> Option<String> {
        let slot = self.world.slot(number);
        self.chance.pick(&slot.sessions).map(|session| session.id.clone())
    }

    fn log_out(&mut self, number: usize) -> Option<()> {
        let Some(id) = self.any_session(number) else { return Some(()) };
        let began = self.world.time.tick();
        self.slot(number).begin_end(began, Some(&id));
        let answer = self.client.delete(LOGOUT).session(&id).try_send()?;
        let done = self.is_good(&answer, 200, number).then(|| self.world.time.tick());
        let ended = self.slot(number).end_end(began, done);
        self.world.bury(ended);
        Some(())
    }

    fn refresh(&mut self, number: usize) -> Option<()> {
        let Some(id) = self.any_session(number) else { return Some(()) };
        let began = self.world.time.tick();
        self.slot(number).begin_end(began, Some(&id));
        let answer = self.client.post(REFRESH).session(&id).try_send()?;
        let done = self.is_good(&answer, 200, number).then(|| self.world.time.tick());
        let ended = self.slot(number).end_end(began, done);
        self.world.bury(ended);
        if done.is_some() {
            self.born(number, began, &answer);
        }
        Some(())
    }

    fn change_own_password(&mut self, number: usize) -> Option<()> {
        let Some(id) = self.any_session(number) else { return Some(()) };
        // He is not disabled, so what a crash left open has been seen.
        let current = self.slot(number).password.possible().pop().expect("there is one");
        let (began, password) = self.new_password(number);
        self.slot(number).begin_end(began, None);
        let request = self.client.put(&format!("{ME}/password")).session(&id);
        let body = json!({ "current_password": current, "new_password": password });
        let answer = request.json(&body).try_send()?;
        assert!(self.is_good(&answer, 200, number));
        let now = self.world.time.tick();
        let mut slot = self.slot(number);
        slot.password.end(began, Some(now));
        self.world.bury(slot.end_end(began, Some(now)));
        drop(slot);
        self.born(number, began, &answer);
        Some(())
    }

    fn look_at_the_dead(&mut self) -> Option<()> {
        let id = self.chance.pick(&self.world.dead.lock().unwrap()).cloned();
        let Some(id) = id else { return Some(()) };
        let answer = self.client.get(ME).session(&id).try_send()?;
        assert_eq!(answer.status, 403, "an ended session works: {}", answer.body);
        Some(())
    }
}
