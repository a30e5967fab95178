//! What every store of users does, whatever it is built on.

use std::collections::HashSet;
use std::future::ready;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::Either;

use super::change::Op;
use super::record::Record;
use super::{LookUp, Records, UserChange, UserStore, answer};
use crate::error::{Error, Result};
use crate::models::{Email, User, UserId};

#[async_trait]
impl<S: Records<User>> UserStore for S {
    async fn insert(&self, user: User) -> Result<Arc<User>> {
        let user = Arc::new(user);
        let inserted = Arc::clone(&user);
        answer(self.submit(move |view| {
            refuse_known(view.get(&user.id).is_some())?;
            Ok((vec![Op::Put(user)], ()))
        }))
        .await?;
        Ok(inserted)
    }

    async fn insert_all(&self, users: Vec<User>) -> Result<()> {
        answer(self.submit(move |view| {
            let mut ids = HashSet::new();
            let known = |user: &User| view.get(&user.id).is_some() || !ids.insert(user.id);
            refuse_known(users.iter().any(known))?;
            Ok((users.into_iter().map(|user| Op::Put(Arc::new(user))).collect(), ()))
        }))
        .await
    }

    async fn update(&self, id: UserId, change: UserChange) -> Result<Option<Arc<User>>> {
        answer(self.submit(move |view| {
            let Some(stored) = view.get(&id) else {
                return Ok((vec![], None));
            };
            let changed = change(&stored)?;
            debug_assert_eq!(changed.id, id, "an id never changes");
            if changed == *stored {
                return Ok((vec![], Some(stored)));
            }
            let changed = Arc::new(changed);
            Ok((vec![Op::Put(Arc::clone(&changed))], Some(changed)))
        }))
        .await
    }

    async fn remove(&self, id: UserId) -> Result<bool> {
        answer(self.submit(move |view| match view.get(&id) {
            Some(_) => Ok((vec![Op::Remove(id)], true)),
            None => Ok((vec![], false)),
        }))
        .await
    }

    fn get(&self, id: UserId) -> LookUp<'_, User> {
        Either::Left(ready(Ok(self.table().get(&id))))
    }

    async fn search(&self, email: &str) -> Result<Option<Arc<User>>> {
        Ok(self.table().by_unique(&Email::key_of(email)))
    }

    async fn count(&self) -> Result<usize> {
        Ok(self.table().count())
    }

    async fn all(&self) -> Result<Vec<Arc<User>>> {
        Ok(self.table().iter().collect())
    }

    async fn page(&self, after: Option<UserId>, limit: usize) -> Result<Option<Vec<Arc<User>>>> {
        let row = after.map(|id| self.table().row(&id));
        if row == Some(None) {
            return Ok(None);
        }
        let page = self.table().page(row.flatten(), limit);
        Ok(Some(page.into_iter().map(|(_, user)| user).collect()))
    }
}

fn refuse_known(known: bool) -> Result<()> {
    if known { Err(Error::conflict(User::TAKEN)) } else { Ok(()) }
}
