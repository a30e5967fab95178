use crate::models::Work;

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

    /// What is left of it when `done` has been done.
    pub fn rest(&self, done: Option<Work>) -> Vec<Work> {
        let bcrypt = self.bcrypt.map_or(Vec::new(), |highest| match done {
            // 2^n + 2^n + 2^(n+1) + … = 2^highest
            Some(Work::Bcrypt(cost)) => (cost..highest).map(Work::Bcrypt).collect(),
            _ => vec![Work::Bcrypt(highest)],
        });
        let hmacs = if let Some(Work::Pbkdf2(hmacs)) = done { hmacs } else { 0 };
        let pbkdf2 = self.pbkdf2.checked_sub(hmacs).filter(|left| *left > 0).map(Work::Pbkdf2);
        let kinds = self.kinds.iter().copied().filter(|kind| Some(*kind) != done);
        bcrypt.into_iter().chain(pbkdf2).chain(kinds).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_comes_to_the_same_work() {
        let (bcrypt, pbkdf2) = (Work::Bcrypt(6), Work::Pbkdf2(1000));
        let argon2id = |memory| Work::Argon2id { memory, passes: 2, lanes: 1 };
        let scrypt = Work::Scrypt { log_n: 4, block_size: 8, parallelism: 1 };
        let stored = [
            Work::Bcrypt(4),
            bcrypt,
            Work::Pbkdf2(7),
            argon2id(64),
            scrypt,
            pbkdf2,
            argon2id(128),
            argon2id(64),
        ];
        let toll = Toll::of(stored);
        assert_eq!(toll.kinds(), 3);
        let kinds = [argon2id(64), scrypt, argon2id(128)];
        let others = |own: &[Work]| {
            let all = [bcrypt, pbkdf2].into_iter().chain(kinds);
            all.filter(|work| !own.contains(work)).collect::<Vec<_>>()
        };
        assert_eq!(toll.rest(None), others(&[]));
        for done in [bcrypt, pbkdf2].into_iter().chain(kinds) {
            assert_eq!(toll.rest(Some(done)), others(&[done]), "{done:?}");
        }
        // What was saved is made up for.
        let steps = [Work::Bcrypt(4), Work::Bcrypt(5)].into_iter().chain(others(&[bcrypt]));
        assert_eq!(toll.rest(Some(Work::Bcrypt(4))), steps.collect::<Vec<_>>());
        let mut made_up = others(&[]);
        made_up[1] = Work::Pbkdf2(993);
        assert_eq!(toll.rest(Some(Work::Pbkdf2(7))), made_up);
    }

    #[test]
    fn no_record_can_make_every_refusal_costly() {
        let kind = |memory| Work::Argon2id { memory, passes: 1, lanes: 1 };
        let mut toll = Toll::of((8..100).map(kind));
        assert_eq!(toll.kinds(), 92);
        toll.bound();
        assert_eq!(toll.rest(None), (8..12).map(kind).collect::<Vec<_>>());
    }
}
