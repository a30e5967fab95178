//! Sessions that give way to others, or get another hash.

use std::collections::HashSet;
use std::time::Duration;

use super::records::{after, hash, run, session, user};
use super::sessions::{begun, found, insert_all, touch};
use super::{assert_refused, at_once};
use crate::error::Result;
use crate::models::{Lifetime, Lifetimes, UserSession};
use crate::store::{Record as _, Room, SessionStore};

/// Room that is made by ending this session.
fn replacing(session: &UserSession) -> Room {
    Room { replaced: Some(session.hash), ..Room::default() }
}

/// Room for so many sessions.
fn at_most(count: usize) -> Room {
    Room { at_most: Some(count), ..Room::default() }
}

/// Gives a session another hash.
async fn renew(store: &dyn SessionStore, session: &UserSession) -> Result<Option<UserSession>> {
    let hash = hash();
    let change = move |old: &UserSession| UserSession { hash, ..old.clone() };
    let renewed = store.replace(&session.hash, Box::new(change)).await?;
    Ok(renewed.map(|renewed| UserSession::clone(&renewed)))
}

pub async fn a_session_ends_in_the_step_that_replaces_it(store: &dyn SessionStore) -> Result<()> {
    let bob = user("bob");
    let (old, new, third) = (session(&bob, None), session(&bob, None), session(&bob, None));
    store.insert(old.clone(), Room::default()).await?;
    store.insert(new.clone(), replacing(&old)).await?;
    assert_eq!(found(store, &[old.clone(), new.clone()]).await?, [false, true]);
    assert_eq!(store.count().await?, 1);

    store.insert(third.clone(), replacing(&old)).await?;
    assert_eq!(found(store, &[new, third]).await?, [true, true], "nothing there to replace");
    Ok(())
}

pub async fn an_insert_that_is_refused_ends_nothing(store: &dyn SessionStore) -> Result<()> {
    let sessions = insert_all(store, &user("bob"), &[None, None]).await?;
    let again = store.insert(sessions[0].clone(), replacing(&sessions[1])).await;
    assert_refused(again, UserSession::TAKEN);
    assert_eq!(found(store, &sessions).await?, [true, true]);
    Ok(())
}

pub async fn the_oldest_session_gives_way_to_one_too_many(store: &dyn SessionStore) -> Result<()> {
    let (bob, eve) = (user("bob"), user("eve"));
    let hers = insert_all(store, &eve, &[None, None, None]).await?;
    // The second is the oldest, though it came later.
    let his = [begun(&bob, 2), begun(&bob, 1), begun(&bob, 3), begun(&bob, 4)];
    for session in &his {
        store.insert(session.clone(), at_most(3)).await?;
    }
    assert_eq!(found(store, &his).await?, [true, false, true, true]);
    let two = [begun(&bob, 5), begun(&bob, 6)];
    store.insert(two[0].clone(), Room { at_most: Some(3), ..replacing(&his[3]) }).await?;
    assert_eq!(found(store, &his).await?, [true, false, true, false], "one left, one came");
    store.insert(two[1].clone(), at_most(1)).await?;
    assert_eq!(store.of_user(bob.id).await?.len(), 1);
    assert_eq!(found(store, &two).await?, [false, true]);
    assert_eq!(found(store, &hers).await?, [true, true, true]);
    Ok(())
}

pub async fn what_is_dead_takes_no_room(store: &dyn SessionStore) -> Result<()> {
    let mut bob = user("bob");
    let under_another_password = session(&bob, None);
    bob.credential_version += 1;
    let (expired, old) = (session(&bob, Some(10)), session(&bob, None));
    let all = [under_another_password, expired, old];
    for session in &all {
        store.insert(session.clone(), Room::default()).await?;
    }
    store.insert(begun(&bob, 10), at_most(2)).await?;
    assert_eq!(found(store, &all).await?, [false, false, true]);
    // By the lifetimes in force as well; it goes though there would be room.
    let plain = Lifetime { absolute: Some(Duration::from_secs(10)), idle: None };
    let in_force = Lifetimes { plain, ..Lifetimes::default() };
    store.insert(begun(&bob, 15), Room { in_force, ..at_most(3) }).await?;
    assert_eq!(found(store, &all).await?, [false, false, false]);
    assert_eq!(store.of_user(bob.id).await?.len(), 2);
    Ok(())
}

pub async fn logins_at_once_keep_to_the_limit(store: &dyn SessionStore) -> Result<()> {
    let bob = user("bob");
    let logins: Result<Vec<_>> = at_once(8, |_| {
        (0..4).try_for_each(|_| run(store.insert(session(&bob, None), at_most(5))).map(drop))
    })
    .into_iter()
    .collect();
    logins?;
    assert_eq!(store.of_user(bob.id).await?.len(), 5);
    Ok(())
}

pub async fn a_session_gets_another_hash_and_keeps_all_else(
    store: &dyn SessionStore,
) -> Result<()> {
    let bob = user("bob");
    let old = insert_all(store, &bob, &[Some(10)]).await?.remove(0);
    touch(store, &old, 3).await?;
    let new = renew(store, &old).await?.expect("a session that is there gets another hash");
    assert_eq!(found(store, &[old.clone(), new.clone()]).await?, [false, true]);
    assert_eq!(new.last_seen_at.get(), after(3));
    assert_eq!(UserSession { hash: old.hash, last_seen_at: old.last_seen_at.clone(), ..new }, old);
    assert_eq!(store.of_user(bob.id).await?.len(), 1);
    Ok(())
}

pub async fn one_of_many_changes_of_a_hash_wins(store: &dyn SessionStore) -> Result<()> {
    let old = insert_all(store, &user("bob"), &[None]).await?.remove(0);
    let ends: Result<Vec<_>> = at_once(8, |number| match number {
        0..4 => run(renew(store, &old)).map(|renewed| renewed.is_some()),
        _ => run(store.remove(&old.hash)),
    })
    .into_iter()
    .collect();
    assert_eq!(ends?.into_iter().filter(|won| *won).count(), 1);
    assert!(store.of_user(old.user_id).await?.len() <= 1);
    assert_eq!(found(store, &[old]).await?, [false]);
    Ok(())
}

pub async fn a_session_that_has_ended_is_not_replaced(store: &dyn SessionStore) -> Result<()> {
    let old = insert_all(store, &user("bob"), &[None]).await?.remove(0);
    store.remove(&old.hash).await?;
    assert_eq!(renew(store, &old).await?, None);
    assert_eq!(store.count().await?, 0);
    Ok(())
}

pub async fn a_replacement_never_overwrites(store: &dyn SessionStore) -> Result<()> {
    let sessions = insert_all(store, &user("bob"), &[None, None]).await?;
    let taken = sessions[1].hash;
    let change = move |old: &UserSession| UserSession { hash: taken, ..old.clone() };
    let replaced = store.replace(&sessions[0].hash, Box::new(change)).await;
    assert_refused(replaced, UserSession::TAKEN);
    assert_eq!(found(store, &sessions).await?, [true, true]);
    assert_eq!(store.get(&taken).await?.as_deref(), Some(&sessions[1]));
    Ok(())
}

pub async fn the_sessions_of_others_give_way_to_new_ones_in_one_step(
    store: &dyn SessionStore,
) -> Result<()> {
    let (bob, eve) = (user("bob"), user("eve"));
    let kept = insert_all(store, &bob, &[None]).await?;
    let ended = insert_all(store, &eve, &[None, None]).await?;
    // One of those that would end is among the new ones, and keeps its place.
    let new = vec![begun(&eve, 1), ended[0].clone()];
    let all_but_bob = HashSet::from([bob.id]);
    store.replace_all_but(all_but_bob.clone(), new.clone()).await?;
    assert_eq!(found(store, &kept).await?, [true]);
    assert_eq!(found(store, &ended).await?, [true, false]);
    let of_eve = store.of_user(eve.id).await?;
    let hashes: Vec<_> = of_eve.iter().map(|session| session.hash).collect();
    assert_eq!(hashes, [ended[0].hash, new[0].hash]);
    // A session that is kept, or one that is there twice, is a refusal, and nothing has changed.
    for taken in [vec![kept[0].clone()], vec![new[0].clone(), new[0].clone()]] {
        let refused = store.replace_all_but(all_but_bob.clone(), taken).await;
        assert_refused(refused, UserSession::TAKEN);
        assert_eq!(store.count().await?, 3);
    }
    store.replace_all_but(HashSet::new(), Vec::new()).await?;
    assert_eq!(store.count().await?, 0);
    Ok(())
}
