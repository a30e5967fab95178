//! What every store of sessions does.

use std::collections::HashSet;
use std::time::Duration;

use sessiond::models::{Lifetime, Lifetimes, SessionId, User, UserSession};
use sessiond::random::SystemRandom;
use sessiond::store::{Room, SessionStore};

use super::at_once;
use crate::harness::records::{START, after, refusal, run, session, user};

super::on_every_store! { UserSession:
    a_session_is_found_by_its_hash,
    an_insert_never_overwrites,
    a_session_ends_in_the_step_that_replaces_it,
    an_insert_that_is_refused_ends_nothing,
    use_is_noted_at_once_and_time_never_goes_back,
    use_brings_no_session_back,
    a_session_is_ended_by_one_caller,
    all_sessions_of_a_user_end_but_one,
    a_login_at_the_same_time_is_ended_too_or_comes_after,
    what_is_expired_goes_in_bounded_steps,
    a_session_in_use_is_not_expired,
    sessions_of_a_user_are_told_oldest_first,
    the_oldest_session_gives_way_to_one_too_many,
    what_is_dead_takes_no_room,
    logins_at_once_keep_to_the_limit,
    a_session_gets_another_hash_and_keeps_all_else,
    one_of_many_changes_of_a_hash_wins,
    a_session_that_has_ended_is_not_replaced,
    a_replacement_never_overwrites,
    everybodys_sessions_end_at_once,
    the_sessions_of_others_give_way_to_new_ones_in_one_step,
}

/// Room that is made by ending this session.
fn replacing(session: &UserSession) -> Room {
    Room { replaced: Some(session.hash), ..Room::default() }
}

/// Room for so many sessions.
fn at_most(count: usize) -> Room {
    Room { at_most: Some(count), ..Room::default() }
}

/// What is found of `sessions`, one by one.
async fn found(store: &dyn SessionStore, sessions: &[UserSession]) -> Vec<bool> {
    let mut found = Vec::new();
    for session in sessions {
        found.push(store.get(&session.hash).await.unwrap().is_some());
    }
    found
}

/// Sessions of `user` with these lifetimes, in the store.
async fn insert_all(
    store: &dyn SessionStore,
    user: &User,
    seconds: &[Option<u64>],
) -> Vec<UserSession> {
    let sessions: Vec<_> = seconds.iter().map(|seconds| session(user, *seconds)).collect();
    for session in &sessions {
        store.insert(session.clone(), Room::default()).await.unwrap();
    }
    sessions
}

async fn a_session_is_found_by_its_hash(store: &dyn SessionStore) {
    let login = session(&user("bob"), Some(1));
    assert_eq!(*store.insert(login.clone(), Room::default()).await.unwrap(), login);
    assert_eq!(*store.get(&login.hash).await.unwrap().unwrap(), login);
    assert_eq!(store.get(&session(&user("bob"), None).hash).await.unwrap(), None);
    assert_eq!(store.count().await.unwrap(), 1);
}

async fn an_insert_never_overwrites(store: &dyn SessionStore) {
    let login = session(&user("bob"), None);
    store.insert(login.clone(), Room::default()).await.unwrap();
    let forged = UserSession { hash: login.hash, ..session(&user("eve"), None) };
    assert_eq!(
        refusal(store.insert(forged.clone(), Room::default()).await),
        "409 session exists already"
    );
    let replacing = store.insert(forged, replacing(&login)).await;
    assert_eq!(refusal(replacing), "409 session exists already");
    assert_eq!(*store.get(&login.hash).await.unwrap().unwrap(), login);
}

async fn a_session_ends_in_the_step_that_replaces_it(store: &dyn SessionStore) {
    let bob = user("bob");
    let (old, new, third) = (session(&bob, None), session(&bob, None), session(&bob, None));
    store.insert(old.clone(), Room::default()).await.unwrap();
    store.insert(new.clone(), replacing(&old)).await.unwrap();
    assert_eq!(found(store, &[old.clone(), new.clone()]).await, [false, true]);
    assert_eq!(store.count().await.unwrap(), 1);

    store.insert(third.clone(), replacing(&old)).await.unwrap();
    assert_eq!(found(store, &[new, third]).await, [true, true], "nothing there to replace");
}

async fn an_insert_that_is_refused_ends_nothing(store: &dyn SessionStore) {
    let sessions = insert_all(store, &user("bob"), &[None, None]).await;
    let again = store.insert(sessions[0].clone(), replacing(&sessions[1])).await;
    assert_eq!(refusal(again), "409 session exists already");
    assert_eq!(found(store, &sessions).await, [true, true]);
}

async fn use_is_noted_at_once_and_time_never_goes_back(store: &dyn SessionStore) {
    let login = store.insert(session(&user("bob"), None), Room::default()).await.unwrap();
    for (now, seen) in [(1, 1), (59, 59), (60, 60), (10, 60), (3_600, 3_600), (0, 3_600)] {
        let stored = store.get(&login.hash).await.unwrap().unwrap();
        store.touch(&stored, after(now));
        let stored = store.get(&login.hash).await.unwrap().unwrap();
        assert_eq!(stored.last_seen_at.get(), after(seen), "used at {now}");
        assert_eq!(stored.created_at, START);
    }
    assert_eq!(store.count().await.unwrap(), 1);
}

async fn use_brings_no_session_back(store: &dyn SessionStore) {
    let bob = user("bob");
    let login = store.insert(session(&bob, None), Room::default()).await.unwrap();
    assert!(store.remove(&login.hash).await.unwrap());
    store.touch(&login, after(3_600));
    let unknown = session(&bob, None);
    store.touch(&unknown, after(3_600));
    // What was handed in before is decided before this.
    assert!(!store.remove(&login.hash).await.unwrap());
    assert_eq!(found(store, &[UserSession::clone(&login), unknown]).await, [false, false]);
    assert_eq!(store.count().await.unwrap(), 0);
}

async fn a_session_is_ended_by_one_caller(store: &dyn SessionStore) {
    let login = store.insert(session(&user("bob"), None), Room::default()).await.unwrap();
    let ended = at_once(8, |_| {
        store.touch(&login, after(60));
        run(store.remove(&login.hash)).unwrap()
    });
    assert_eq!(ended.into_iter().filter(|ended| *ended).count(), 1);
    assert!(!store.remove(&login.hash).await.unwrap());
    assert_eq!(store.get(&login.hash).await.unwrap(), None);
    assert_eq!(store.of_user(login.user_id).await.unwrap(), []);
}

async fn all_sessions_of_a_user_end_but_one(store: &dyn SessionStore) {
    let (bob, eve) = (user("bob"), user("eve"));
    let hers = insert_all(store, &eve, &[None]).await;
    let his = insert_all(store, &bob, &[None, None, None]).await;
    assert_eq!(store.remove_all(bob.id, Some(his[1].hash)).await.unwrap(), 2);
    assert_eq!(found(store, &his).await, [false, true, false]);
    assert_eq!(store.remove_all(bob.id, Some(hers[0].hash)).await.unwrap(), 1);
    assert_eq!(found(store, &his).await, [false, false, false]);
    assert_eq!(store.remove_all(bob.id, None).await.unwrap(), 0);
    assert_eq!(found(store, &hers).await, [true]);
    assert_eq!(store.count().await.unwrap(), 1);
}

async fn a_login_at_the_same_time_is_ended_too_or_comes_after(store: &dyn SessionStore) {
    let bob = user("bob");
    for _ in 0..16 {
        let logins: Vec<_> = (0..4).map(|_| session(&bob, None)).collect();
        let ended = at_once(5, |number| match logins.get(number) {
            Some(login) => run(store.insert(login.clone(), Room::default())).map(|_| 0).unwrap(),
            None => run(store.remove_all(bob.id, None)).unwrap(),
        });
        let left = store.of_user(bob.id).await.unwrap().len();
        assert_eq!(ended.iter().sum::<usize>() + left, 4);
        assert_eq!(store.count().await.unwrap(), left);
        assert_eq!(store.remove_all(bob.id, None).await.unwrap(), left);
    }
}

async fn what_is_expired_goes_in_bounded_steps(store: &dyn SessionStore) {
    let lifetimes = [Some(10), None, Some(5), Some(11), Some(9), Some(10)];
    let sessions = insert_all(store, &user("bob"), &lifetimes).await;
    assert_eq!(store.remove_expired(Lifetimes::default(), after(4), 100).await.unwrap(), 0);
    assert_eq!(store.remove_expired(Lifetimes::default(), after(10), 0).await.unwrap(), 0);
    assert_eq!(store.count().await.unwrap(), 6);
    assert_eq!(store.remove_expired(Lifetimes::default(), after(10), 3).await.unwrap(), 3);
    assert_eq!(store.remove_expired(Lifetimes::default(), after(10), 3).await.unwrap(), 1);
    assert_eq!(store.remove_expired(Lifetimes::default(), after(10), 3).await.unwrap(), 0);
    assert_eq!(found(store, &sessions).await, [false, true, false, true, false, false]);
}

async fn a_session_in_use_is_not_expired(store: &dyn SessionStore) {
    let idle = |idle_timeout| UserSession { idle_timeout, ..session(&user("bob"), None) };
    let used = store.insert(idle(Some(10)), Room::default()).await.unwrap();
    let unused = store.insert(idle(Some(10)), Room::default()).await.unwrap();
    store.touch(&used, after(5));
    assert_eq!(store.remove_expired(Lifetimes::default(), after(14), 100).await.unwrap(), 1);
    assert_eq!(store.get(&unused.hash).await.unwrap(), None);
    assert_eq!(store.remove_expired(Lifetimes::default(), after(15), 100).await.unwrap(), 1);
    assert_eq!(store.count().await.unwrap(), 0);
}

async fn sessions_of_a_user_are_told_oldest_first(store: &dyn SessionStore) {
    let (bob, eve) = (user("bob"), user("eve"));
    let mut his = Vec::new();
    for _ in 0..5 {
        his.extend(insert_all(store, &bob, &[None]).await);
        insert_all(store, &eve, &[None]).await;
    }
    store.touch(&store.get(&his[0].hash).await.unwrap().unwrap(), after(60));
    assert!(store.remove(&his[2].hash).await.unwrap());
    let order: Vec<_> = store.of_user(bob.id).await.unwrap().iter().map(|s| s.hash).collect();
    assert_eq!(order, [his[0].hash, his[1].hash, his[3].hash, his[4].hash]);
    assert_eq!(store.of_user(user("nobody").id).await.unwrap(), []);
}

/// The session of a user that began so many seconds after [`START`].
fn begun(user: &User, seconds: u64) -> UserSession {
    UserSession { created_at: after(seconds), ..session(user, None) }
}

async fn the_oldest_session_gives_way_to_one_too_many(store: &dyn SessionStore) {
    let (bob, eve) = (user("bob"), user("eve"));
    let hers = insert_all(store, &eve, &[None, None, None]).await;
    // The second is the oldest, though it came later.
    let his = [begun(&bob, 2), begun(&bob, 1), begun(&bob, 3), begun(&bob, 4)];
    for session in &his {
        store.insert(session.clone(), at_most(3)).await.unwrap();
    }
    assert_eq!(found(store, &his).await, [true, false, true, true]);
    let two = [begun(&bob, 5), begun(&bob, 6)];
    store.insert(two[0].clone(), Room { at_most: Some(3), ..replacing(&his[3]) }).await.unwrap();
    assert_eq!(found(store, &his).await, [true, false, true, false], "one left, one came");
    store.insert(two[1].clone(), at_most(1)).await.unwrap();
    assert_eq!(store.of_user(bob.id).await.unwrap().len(), 1);
    assert_eq!(found(store, &two).await, [false, true]);
    assert_eq!(found(store, &hers).await, [true, true, true]);
}

async fn what_is_dead_takes_no_room(store: &dyn SessionStore) {
    let mut bob = user("bob");
    let under_another_password = session(&bob, None);
    bob.credential_version += 1;
    let (expired, old) = (session(&bob, Some(10)), session(&bob, None));
    let all = [under_another_password, expired, old];
    for session in &all {
        store.insert(session.clone(), Room::default()).await.unwrap();
    }
    store.insert(begun(&bob, 10), at_most(2)).await.unwrap();
    assert_eq!(found(store, &all).await, [false, false, true]);
    // By the lifetimes in force as well.
    let plain = Lifetime { absolute: Some(Duration::from_secs(10)), idle: None };
    let in_force = Lifetimes { plain, ..Lifetimes::default() };
    store.insert(begun(&bob, 15), Room { in_force, ..at_most(2) }).await.unwrap();
    assert_eq!(found(store, &all).await, [false, false, false]);
    assert_eq!(store.of_user(bob.id).await.unwrap().len(), 2);
}

async fn logins_at_once_keep_to_the_limit(store: &dyn SessionStore) {
    let bob = user("bob");
    at_once(8, |_| {
        for _ in 0..4 {
            run(store.insert(session(&bob, None), at_most(5))).unwrap();
        }
    });
    assert_eq!(store.of_user(bob.id).await.unwrap().len(), 5);
}

/// Gives a session another hash.
async fn renew(store: &dyn SessionStore, session: &UserSession) -> Option<UserSession> {
    let hash = SessionId::generate(&SystemRandom).unwrap().hash();
    let change = move |old: &UserSession| UserSession { hash, ..old.clone() };
    let renewed = store.replace(&session.hash, Box::new(change)).await.unwrap();
    renewed.map(|renewed| UserSession::clone(&renewed))
}

async fn a_session_gets_another_hash_and_keeps_all_else(store: &dyn SessionStore) {
    let bob = user("bob");
    let old = insert_all(store, &bob, &[Some(10)]).await.remove(0);
    store.touch(&store.get(&old.hash).await.unwrap().unwrap(), after(3));
    let new = renew(store, &old).await.unwrap();
    assert_eq!(found(store, &[old.clone(), new.clone()]).await, [false, true]);
    assert_eq!(new.last_seen_at.get(), after(3));
    assert_eq!(UserSession { hash: old.hash, last_seen_at: old.last_seen_at.clone(), ..new }, old);
    assert_eq!(store.of_user(bob.id).await.unwrap().len(), 1);
}

async fn one_of_many_changes_of_a_hash_wins(store: &dyn SessionStore) {
    let old = insert_all(store, &user("bob"), &[None]).await.remove(0);
    let ends = at_once(8, |number| match number {
        0..4 => run(renew(store, &old)).is_some(),
        _ => run(store.remove(&old.hash)).unwrap(),
    });
    assert_eq!(ends.into_iter().filter(|won| *won).count(), 1);
    assert!(store.of_user(old.user_id).await.unwrap().len() <= 1);
    assert_eq!(found(store, &[old]).await, [false]);
}

async fn a_session_that_has_ended_is_not_replaced(store: &dyn SessionStore) {
    let old = insert_all(store, &user("bob"), &[None]).await.remove(0);
    store.remove(&old.hash).await.unwrap();
    assert_eq!(renew(store, &old).await, None);
    assert_eq!(store.count().await.unwrap(), 0);
}

async fn a_replacement_never_overwrites(store: &dyn SessionStore) {
    let sessions = insert_all(store, &user("bob"), &[None, None]).await;
    let taken = sessions[1].hash;
    let change = move |old: &UserSession| UserSession { hash: taken, ..old.clone() };
    let replaced = store.replace(&sessions[0].hash, Box::new(change)).await;
    assert_eq!(refusal(replaced), "409 session exists already");
    assert_eq!(found(store, &sessions).await, [true, true]);
}

async fn everybodys_sessions_end_at_once(store: &dyn SessionStore) {
    let mut all = insert_all(store, &user("bob"), &[None, Some(10)]).await;
    all.extend(insert_all(store, &user("eve"), &[None]).await);
    assert_eq!(store.clear().await.unwrap(), 3);
    assert_eq!(found(store, &all).await, [false, false, false]);
    assert_eq!((store.count().await.unwrap(), store.clear().await.unwrap()), (0, 0));
}

async fn the_sessions_of_others_give_way_to_new_ones_in_one_step(store: &dyn SessionStore) {
    let (bob, eve) = (user("bob"), user("eve"));
    let kept = insert_all(store, &bob, &[None]).await;
    let ended = insert_all(store, &eve, &[None, None]).await;
    // One of those that would end is among the new ones, and keeps its place.
    let new = vec![session(&eve, None), ended[0].clone()];
    let all_but_bob = HashSet::from([bob.id]);
    store.replace_all_but(all_but_bob.clone(), new.clone()).await.unwrap();
    assert_eq!(found(store, &kept).await, [true]);
    assert_eq!(found(store, &ended).await, [true, false]);
    let of_eve = store.of_user(eve.id).await.unwrap();
    let hashes: Vec<_> = of_eve.iter().map(|session| session.hash).collect();
    assert_eq!(hashes, [ended[0].hash, new[0].hash]);
    // A session that is kept, or one that is there twice, is a refusal, and nothing has changed.
    for taken in [vec![kept[0].clone()], vec![new[0].clone(), new[0].clone()]] {
        let refused = store.replace_all_but(all_but_bob.clone(), taken).await;
        assert_eq!(refusal(refused), "409 session exists already");
        assert_eq!(store.count().await.unwrap(), 3);
    }
    store.replace_all_but(HashSet::new(), Vec::new()).await.unwrap();
    assert_eq!(store.count().await.unwrap(), 0);
}
