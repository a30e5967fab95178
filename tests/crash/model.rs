//! What a client knows of the records: what was answered, and what may have come of requests that
//! were not.
//!
//! Each request has a span of logical time, from before it is sent until after it was answered, and
//! is open when it was not. One that ended before another began came first; of others either may
//! have. After a crash all is quiet, so what is read then is *pinned*: it is as it is, and every
//! later crash must leave it so.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

/// From when to when something was done; open when no answer came.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    pub began: u64,
    pub ended: Option<u64>,
}

impl Span {
    /// Whether this was answered before `other` began.
    fn is_before(&self, other: &Self) -> bool {
        self.ended.is_some_and(|ended| ended < other.began)
    }
}

/// Logical time.
#[derive(Default)]
pub struct Time(AtomicU64);

impl Time {
    pub fn tick(&self) -> u64 {
        self.0.fetch_add(1, Ordering::SeqCst)
    }
}

/// A value that many may write at once.
#[derive(Debug)]
pub struct Register<V> {
    /// What it was when all was last quiet; more than one while nobody could look, and none while
    /// there was nobody who had one.
    pinned: Vec<V>,
    writes: Vec<(Span, V)>,
}

impl<V: Clone + PartialEq> Register<V> {
    pub fn new(pinned: V) -> Self {
        Self { pinned: vec![pinned], writes: Vec::new() }
    }

    /// One that has no value before it is written.
    pub fn unset() -> Self {
        Self { pinned: Vec::new(), writes: Vec::new() }
    }

    /// A write that is about to be asked for.
    pub fn begin(&mut self, began: u64, value: V) {
        self.writes.push((Span { began, ended: None }, value));
    }

    /// How the write that began then was answered: with success, or refused and so not done.
    pub fn end(&mut self, began: u64, done: Option<u64>) {
        match done {
            None => {
                let write = self.writes.iter().position(|(span, _)| span.began == began);
                let (span, _) = self.writes.remove(write.expect("it has begun"));
                assert_eq!(span.ended, None, "what was refused has been seen");
            }
            Some(ended) => {
                let write = self.writes.iter_mut().find(|(span, _)| span.began == began);
                write.expect("it has begun").0.ended = Some(ended);
            }
        }
    }

    /// Somebody has read this value: from here on it must not be taken back.
    pub fn seen(&mut self, value: &V, now: u64) {
        let open = |(span, written): &&mut (Span, V)| span.ended.is_none() && written == value;
        if let Some((span, _)) = self.writes.iter_mut().find(open) {
            span.ended = Some(now);
        }
    }

    /// Every value that may be read when all is quiet.
    pub fn possible(&self) -> Vec<V> {
        let answered = || self.writes.iter().filter(|(span, _)| span.ended.is_some());
        let pinned = self.pinned.iter().filter(|_| answered().next().is_none());
        let open_or_last = self.writes.iter().filter(|(span, _)| {
            span.ended.is_none() || !answered().any(|(later, _)| span.is_before(later))
        });
        pinned.chain(open_or_last.map(|(_, value)| value)).cloned().collect()
    }

    /// This was read when all was quiet.
    pub fn pin(&mut self, value: V) {
        *self = Self::new(value);
    }

    /// All is quiet, and nobody can read it.
    pub fn settle(&mut self) {
        *self = Self { pinned: self.possible(), writes: Vec::new() };
    }
}

/// A user as administrators see him.
#[derive(Clone, PartialEq, Eq)]
pub struct Record {
    pub first_name: String,
    pub disabled: bool,
}

impl fmt::Debug for Record {
    /// The beginning of the name, which no other has.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.first_name.split('-').next().unwrap_or_default();
        write!(f, "{number}{}", if self.disabled { ", disabled" } else { "" })
    }
}

/// A session whose id a client was given.
#[derive(Debug)]
pub struct Session {
    pub id: String,
    /// The request that gave the id; afterwards, when it was last seen alive with all quiet.
    pub born: Span,
}

/// An e-mail address, who has it, and what he has.
pub struct Slot {
    pub email: String,
    /// Who has it now, as far as is known.
    pub id: Option<String>,
    pub record: Register<Option<Record>>,
    pub password: Register<String>,
    /// Sessions that live or may live.
    pub sessions: Vec<Session>,
    /// Logouts, by the session, and what ends all sessions.
    ends: Vec<(Span, Option<String>)>,
    /// Every password that there has been.
    pub passwords: Vec<String>,
}

impl Slot {
    pub fn new(email: String) -> Self {
        Self {
            email,
            id: None,
            record: Register::new(None),
            password: Register::unset(),
            sessions: Vec::new(),
            ends: Vec::new(),
            passwords: Vec::new(),
        }
    }

    /// Something is about to be asked for that ends this session, or all of them.
    pub fn begin_end(&mut self, began: u64, session: Option<&str>) {
        self.ends.push((Span { began, ended: None }, session.map(str::to_owned)));
    }

    /// How it was answered. Returns the sessions that are certainly dead now.
    pub fn end_end(&mut self, began: u64, done: Option<u64>) -> Vec<String> {
        let place = self.ends.iter().position(|(span, _)| span.began == began);
        let place = place.expect("it has begun");
        if done.is_none() {
            self.ends.remove(place);
            return Vec::new();
        }
        self.ends[place].0.ended = done;
        let (end, only) = &self.ends[place];
        let is_over = |session: &mut Session| {
            session.born.is_before(end) && only.as_ref().is_none_or(|only| *only == session.id)
        };
        self.sessions.extract_if(.., is_over).map(|session| session.id).collect()
    }

    /// Whether this session must live; it may be dead if something that ends it was on its way
    /// after it was born.
    pub fn must_live(&self, session: &Session) -> bool {
        !self.ends.iter().any(|(end, only)| {
            let is_older = end.is_before(&session.born) || end.began == session.born.began;
            !is_older && only.as_ref().is_none_or(|only| *only == session.id)
        })
    }

    /// All is quiet, and the sessions that are left have been seen alive.
    pub fn pin_sessions(&mut self, now: u64) {
        self.ends.clear();
        for session in &mut self.sessions {
            session.born = Span { began: now, ended: Some(now) };
        }
    }
}

#[test]
fn a_value_is_the_last_that_was_answered_or_one_that_is_open() {
    let mut name = Register::new("none");
    name.begin(1, "ann");
    assert_eq!(name.possible(), ["none", "ann"], "open: there or not");
    name.end(1, Some(2));
    assert_eq!(name.possible(), ["ann"]);
    name.begin(3, "bob");
    name.begin(4, "eve");
    name.end(3, Some(5));
    name.end(4, Some(6));
    assert_eq!(name.possible(), ["bob", "eve"], "at once: either came last");
    name.begin(7, "kim");
    name.end(7, None);
    assert_eq!(name.possible(), ["bob", "eve"], "refused: never there");
    name.pin("eve");
    name.begin(8, "zoe");
    name.seen(&"zoe", 9);
    assert_eq!(name.possible(), ["zoe"], "what was read is not taken back");
}

#[test]
fn a_session_ends_by_what_was_answered_after_its_birth() {
    let mut slot = Slot::new("u0@example.com".into());
    let session = |id: &str, began, ended| Session {
        id: id.into(),
        born: Span { began, ended: Some(ended) },
    };
    slot.sessions = vec![session("old", 1, 2), session("meanwhile", 4, 6)];
    slot.begin_end(3, None);
    assert!(slot.sessions.iter().all(|session| !slot.must_live(session)), "open: either");
    assert_eq!(slot.end_end(3, Some(5)), ["old"]);
    assert!(!slot.must_live(&slot.sessions[0]), "it was born meanwhile");
    slot.pin_sessions(7);
    assert!(slot.must_live(&slot.sessions[0]));
    slot.begin_end(8, Some("other"));
    assert!(slot.must_live(&slot.sessions[0]), "another one's logout");
    slot.begin_end(9, Some("meanwhile"));
    assert_eq!(slot.end_end(9, None), [""; 0], "refused: it lives");
    assert!(slot.must_live(&slot.sessions[0]));
}
