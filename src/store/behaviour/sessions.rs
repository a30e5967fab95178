//! Sessions that come, are used and end.

use std::time::Duration;

use super::records::{START, after, run, session, user};
use super::{assert_refused, at_once};
use crate::error::Result;
use crate::models::{Lifetime, Lifetimes, User, UserSession};
use crate::store::{Record as _, Room, SessionStore};

/// What is found of `sessions`, one by one.
pub async fn found(store: &dyn SessionStore, sessions: &[UserSession]) -> Result<Vec<bool>> {
    let mut found = Vec::new();
    for session in sessions {
        found.push(store.get(&session.hash).await?.is_some());
    }
    Ok(found)
}

/// Sessions of `user` with these lifetimes, in the store.
pub async fn insert_all(
    store: &dyn SessionStore,
    user: &User,
    seconds: &[Option<u64>],
) -> Result<Vec<UserSession>> {
    let sessions: Vec<_> = seconds.iter().map(|seconds| session(user, *seconds)).collect();
    for session in &sessions {
        store.insert(session.clone(), Room::default()).await?;
    }
    Ok(sessions)
}

/// The session of a user that began so many seconds after [`START`].
pub fn begun(user: &User, seconds: u64) -> UserSession {
    UserSession { created_at: after(seconds), ..session(user, None) }
}

/// Notes that a session is in use, as it is stored.
pub async fn touch(store: &dyn SessionStore, used: &UserSession, seconds: u64) -> Result<()> {
    let stored = store.get(&used.hash).await?;
    store.touch(stored.as_deref().expect("a session that is used is there"), after(seconds));
    Ok(())
}

pub async fn a_session_is_found_by_its_hash(store: &dyn SessionStore) -> Result<()> {
    let login = session(&user("bob"), Some(1));
    assert_eq!(*store.insert(login.clone(), Room::default()).await?, login);
    assert_eq!(store.get(&login.hash).await?.as_deref(), Some(&login));
    assert_eq!(store.get(&session(&user("bob"), None).hash).await?, None);
    assert_eq!(store.count().await?, 1);
    Ok(())
}

pub async fn an_insert_never_overwrites(store: &dyn SessionStore) -> Result<()> {
    let login = session(&user("bob"), None);
    store.insert(login.clone(), Room::default()).await?;
    let forged = UserSession { hash: login.hash, ..session(&user("eve"), None) };
    let replacing = Room { replaced: Some(login.hash), ..Room::default() };
    for room in [Room::default(), replacing] {
        assert_refused(store.insert(forged.clone(), room).await, UserSession::TAKEN);
        assert_eq!(store.get(&login.hash).await?.as_deref(), Some(&login));
    }
    Ok(())
}

pub async fn use_is_noted_at_once_and_time_never_goes_back(store: &dyn SessionStore) -> Result<()> {
    let login = store.insert(session(&user("bob"), None), Room::default()).await?;
    for (now, seen) in [(1, 1), (59, 59), (60, 60), (10, 60), (3_600, 3_600), (0, 3_600)] {
        touch(store, &login, now).await?;
        let stored = store.get(&login.hash).await?.expect("a session in use is there");
        assert_eq!(stored.last_seen_at.get(), after(seen), "used at {now}");
        assert_eq!(stored.created_at, START);
    }
    assert_eq!(store.count().await?, 1);
    Ok(())
}

pub async fn use_brings_no_session_back(store: &dyn SessionStore) -> Result<()> {
    let bob = user("bob");
    let login = store.insert(session(&bob, None), Room::default()).await?;
    assert!(store.remove(&login.hash).await?);
    store.touch(&login, after(3_600));
    let unknown = session(&bob, None);
    store.touch(&unknown, after(3_600));
    // What was handed in before is decided before this.
    assert!(!store.remove(&login.hash).await?, "it had ended");
    assert_eq!(found(store, &[UserSession::clone(&login), unknown]).await?, [false, false]);
    assert_eq!(store.count().await?, 0);
    Ok(())
}

pub async fn a_session_is_ended_by_one_caller(store: &dyn SessionStore) -> Result<()> {
    let login = store.insert(session(&user("bob"), None), Room::default()).await?;
    let ended: Result<Vec<_>> = at_once(8, |_| {
        store.touch(&login, after(60));
        run(store.remove(&login.hash))
    })
    .into_iter()
    .collect();
    assert_eq!(ended?.into_iter().filter(|ended| *ended).count(), 1);
    assert!(!store.remove(&login.hash).await?, "it had ended");
    assert_eq!(store.get(&login.hash).await?, None);
    assert_eq!(store.of_user(login.user_id).await?, []);
    Ok(())
}

pub async fn all_sessions_of_a_user_end_but_one(store: &dyn SessionStore) -> Result<()> {
    let (bob, eve) = (user("bob"), user("eve"));
    let hers = insert_all(store, &eve, &[None]).await?;
    let his = insert_all(store, &bob, &[None, None, None]).await?;
    assert_eq!(store.remove_all(bob.id, Some(his[1].hash)).await?, 2);
    assert_eq!(found(store, &his).await?, [false, true, false]);
    assert_eq!(store.remove_all(bob.id, Some(hers[0].hash)).await?, 1);
    assert_eq!(found(store, &his).await?, [false, false, false]);
    assert_eq!(store.remove_all(bob.id, None).await?, 0);
    assert_eq!(found(store, &hers).await?, [true]);
    assert_eq!(store.count().await?, 1);
    Ok(())
}

pub async fn a_login_at_the_same_time_is_ended_too_or_comes_after(
    store: &dyn SessionStore,
) -> Result<()> {
    let bob = user("bob");
    for _ in 0..16 {
        let logins: Vec<_> = (0..4).map(|_| session(&bob, None)).collect();
        let ended: Result<Vec<_>> = at_once(5, |number| match logins.get(number) {
            Some(login) => run(store.insert(login.clone(), Room::default())).map(|_| 0),
            None => run(store.remove_all(bob.id, None)),
        })
        .into_iter()
        .collect();
        let left = store.of_user(bob.id).await?.len();
        assert_eq!(ended?.iter().sum::<usize>() + left, 4);
        assert_eq!(store.count().await?, left);
        assert_eq!(store.remove_all(bob.id, None).await?, left);
    }
    Ok(())
}

pub async fn what_is_expired_goes_in_bounded_steps(store: &dyn SessionStore) -> Result<()> {
    let lifetimes = [Some(10), None, Some(5), Some(11), Some(9), Some(10)];
    let sessions = insert_all(store, &user("bob"), &lifetimes).await?;
    let in_force = Lifetimes::default();
    assert_eq!(store.remove_expired(in_force, after(4), 100).await?, 0);
    assert_eq!(store.remove_expired(in_force, after(10), 0).await?, 0);
    assert_eq!(store.count().await?, 6);
    for removed in [3, 1, 0] {
        assert_eq!(store.remove_expired(in_force, after(10), 3).await?, removed);
    }
    assert_eq!(found(store, &sessions).await?, [false, true, false, true, false, false]);
    Ok(())
}

pub async fn what_is_expired_by_the_lifetimes_in_force_goes_too(
    store: &dyn SessionStore,
) -> Result<()> {
    let bob = user("bob");
    let remembered = UserSession { remembered: true, ..session(&bob, None) };
    let sessions = [session(&bob, None), remembered];
    for session in &sessions {
        store.insert(session.clone(), Room::default()).await?;
    }
    let of = |seconds| Lifetime { absolute: Some(Duration::from_secs(seconds)), idle: None };
    let in_force = Lifetimes { plain: of(10), remembered: of(20) };
    assert_eq!(store.remove_expired(in_force, after(9), 100).await?, 0);
    assert_eq!(store.remove_expired(in_force, after(10), 100).await?, 1);
    assert_eq!(found(store, &sessions).await?, [false, true]);
    assert_eq!(store.remove_expired(in_force, after(20), 100).await?, 1);
    assert_eq!(store.count().await?, 0);
    Ok(())
}

pub async fn a_session_in_use_is_not_expired(store: &dyn SessionStore) -> Result<()> {
    let idle = |idle_timeout| UserSession { idle_timeout, ..session(&user("bob"), None) };
    let used = store.insert(idle(Some(10)), Room::default()).await?;
    let unused = store.insert(idle(Some(10)), Room::default()).await?;
    touch(store, &used, 5).await?;
    assert_eq!(store.remove_expired(Lifetimes::default(), after(14), 100).await?, 1);
    assert_eq!(store.get(&unused.hash).await?, None);
    assert_eq!(store.remove_expired(Lifetimes::default(), after(15), 100).await?, 1);
    assert_eq!(store.count().await?, 0);
    Ok(())
}

pub async fn sessions_of_a_user_are_told_oldest_first(store: &dyn SessionStore) -> Result<()> {
    let (bob, eve) = (user("bob"), user("eve"));
    let his: Vec<_> = (0..5).map(|seconds| begun(&bob, seconds)).collect();
    for session in &his {
        store.insert(session.clone(), Room::default()).await?;
        insert_all(store, &eve, &[None]).await?;
    }
    touch(store, &his[0], 60).await?;
    assert!(store.remove(&his[2].hash).await?);
    let order: Vec<_> = store.of_user(bob.id).await?.iter().map(|s| s.hash).collect();
    assert_eq!(order, [his[0].hash, his[1].hash, his[3].hash, his[4].hash]);
    assert_eq!(store.of_user(user("nobody").id).await?, []);
    Ok(())
}

pub async fn everybodys_sessions_end_at_once(store: &dyn SessionStore) -> Result<()> {
    let mut all = insert_all(store, &user("bob"), &[None, Some(10)]).await?;
    all.extend(insert_all(store, &user("eve"), &[None]).await?);
    assert_eq!(store.clear().await?, 3);
    assert_eq!(found(store, &all).await?, [false, false, false]);
    assert_eq!((store.count().await?, store.clear().await?), (0, 0));
    Ok(())
}
