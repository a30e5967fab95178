use crate::models::{Password, Work};

/// How many settings of Argon2id and scrypt may be among the hashes of a store: each is work that
/// every refused attempt has to do.
pub const MAX_KINDS: usize = 4;

/// The work that every refused attempt is, whatever it was compared with, so that its time does
/// not tell who exists (ASVS 6.3.8): that of each hash in the store, and no more often than once.
///
/// bcrypt and PBKDF2 do the same again and again, so what is done at a low cost counts for a
/// higher one. The others are done each by itself.
#[derive(Clone, Debug, Default)]
pub struct Toll {
    /// The highest cost.
    bcrypt: Option<u32>,
    /// The most HMACs.
    pbkdf2: u32,
    kinds: Vec<Work>,
}

impl Toll {
    /// The toll where there are hashes of these works.
    pub fn of(works: impl IntoIterator<Item = Work>) -> Self {
        let mut toll = Self::default();
        works.into_iter().for_each(|work| toll.add(work));
        toll
    }

    /// Adds a hash of this work.
    pub fn add(&mut self, work: Work) {
        match work {
            Work::Bcrypt(cost) => self.bcrypt = self.bcrypt.max(Some(cost)),
            Work::Pbkdf2(hmacs) => self.pbkdf2 = self.pbkdf2.max(hmacs),
            kind if self.kinds.contains(&kind) => {}
            kind => self.kinds.push(kind),
        }
    }

    /// How many settings of Argon2id and scrypt are in it.
    pub fn kinds(&self) -> usize {
        self.kinds.len()
    }

    /// Leaves no more settings of those in it than there may be. Users of others stand out.
    pub fn bound(&mut self) {
        self.kinds.truncate(MAX_KINDS);
    }

    /// Does what is left of it when `done` has been done.
    pub fn pay_rest(&self, done: Option<Work>, password: &Password) {
        if let Some(highest) = self.bcrypt {
            match done {
                // 2^n + 2^n + 2^(n+1) + … = 2^highest
                Some(Work::Bcrypt(cost)) => {
                    (cost..highest).for_each(|step| Work::Bcrypt(step).spend(password));
                }
                _ => Work::Bcrypt(highest).spend(password),
            }
        }
        let hmacs = if let Some(Work::Pbkdf2(hmacs)) = done { hmacs } else { 0 };
        if self.pbkdf2 > hmacs {
            Work::Pbkdf2(self.pbkdf2 - hmacs).spend(password);
        }
        for kind in self.kinds.iter().filter(|kind| Some(**kind) != done) {
            kind.spend(password);
        }
    }
}
