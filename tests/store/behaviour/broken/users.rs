use std::sync::Arc;

use async_trait::async_trait;
use sessiond::error::Result;
use sessiond::models::{Role, User, UserId};
use sessiond::store::behaviour::USER_STORE;
use sessiond::store::memory::MemoryTable;
use sessiond::store::{LookUp, UserChange, UserStore};

use super::{assert_named, broken};

/// Each fault, and a promise that it breaks.
const FAULTS: [(Fault, &str); 7] = [
    (Fault::CaseCounts, "a user is found by id and by address in any case"),
    (Fault::InsertIsLost, "an insert never overwrites"),
    (Fault::ListInSteps, "all of a list are inserted or none"),
    (Fault::PanicPasses, "an update that panics is refused and takes no later one along"),
    (Fault::LastAdminGoes, "the last enabled admin stays"),
    (Fault::ByAddress, "all are told in the order of their creation"),
    (Fault::PageBeginsAnew, "a page goes on after a user who is there"),
];

#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    Nothing,
    CaseCounts,
    InsertIsLost,
    ListInSteps,
    PanicPasses,
    LastAdminGoes,
    ByAddress,
    PageBeginsAnew,
}

struct Broken {
    fault: Fault,
    sound: MemoryTable<User>,
}

impl Broken {
    fn has(&self, fault: Fault) -> bool {
        self.fault == fault
    }
}

fn said_of(fault: Fault) -> Vec<String> {
    broken(USER_STORE, |promise| promise.check(&Broken { fault, sound: MemoryTable::default() }))
}

#[test]
fn each_broken_store_of_users_is_found() {
    for (fault, promise) in FAULTS {
        assert_named(&format!("{fault:?}"), &said_of(fault), promise);
    }
    assert_eq!(said_of(Fault::Nothing), [""; 0], "without a fault it is a store");
}

#[async_trait]
impl UserStore for Broken {
    async fn insert(&self, user: User) -> Result<Arc<User>> {
        let inserted = self.sound.insert(user.clone()).await;
        if self.has(Fault::InsertIsLost) { Ok(Arc::new(user)) } else { inserted }
    }

    async fn insert_all(&self, users: Vec<User>) -> Result<()> {
        if !self.has(Fault::ListInSteps) {
            return self.sound.insert_all(users).await;
        }
        for user in users {
            self.sound.insert(user).await?;
        }
        Ok(())
    }

    async fn update(&self, id: UserId, change: UserChange) -> Result<Option<Arc<User>>> {
        if let (true, Some(stored)) = (self.has(Fault::PanicPasses), self.get(id).await?) {
            let changed = change(&stored)?;
            return self.sound.update(id, Box::new(|_| Ok(changed))).await;
        }
        self.sound.update(id, change).await
    }

    async fn remove(&self, id: UserId) -> Result<bool> {
        if self.has(Fault::LastAdminGoes) {
            // Somebody else is an admin for as long as it takes.
            let other = crate::harness::records::admin("other");
            let other = self.sound.insert(other).await?;
            let removed = self.sound.remove(id).await;
            let demoted = |user: &User| Ok(User { role: Role::User, ..user.clone() });
            let _ = self.sound.update(other.id, Box::new(demoted)).await;
            let _ = self.sound.remove(other.id).await;
            return removed;
        }
        self.sound.remove(id).await
    }

    fn get(&self, id: UserId) -> LookUp<'_, User> {
        self.sound.get(id)
    }

    async fn search(&self, email: &str) -> Result<Option<Arc<User>>> {
        let found = self.sound.search(email).await?;
        Ok(found.filter(|user| !self.has(Fault::CaseCounts) || user.email.as_str() == email))
    }

    async fn count(&self) -> Result<usize> {
        UserStore::count(&self.sound).await
    }

    async fn all(&self) -> Result<Vec<Arc<User>>> {
        let mut all = self.sound.all().await?;
        if self.has(Fault::ByAddress) {
            all.sort_by(|a, b| a.email.as_str().cmp(b.email.as_str()));
        }
        Ok(all)
    }

    async fn page(&self, after: Option<UserId>, limit: usize) -> Result<Option<Vec<Arc<User>>>> {
        let page = self.sound.page(after, limit).await?;
        match page {
            None if self.has(Fault::PageBeginsAnew) => self.sound.page(None, limit).await,
            page => Ok(page),
        }
    }
}
