//! What every store of sessions does.

use sessiond::models::{Lifetimes, User, UserSession};
use sessiond::store::SessionStore;

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
        store.insert(session.clone(), None).await.unwrap();
    }
    sessions
}

async fn a_session_is_found_by_its_hash(store: &dyn SessionStore) {
    let login = session(&user("bob"), Some(1));
    assert_eq!(*store.insert(login.clone(), None).await.unwrap(), login);
    assert_eq!(*store.get(&login.hash).await.unwrap().unwrap(), login);
    assert_eq!(store.get(&session(&user("bob"), None).hash).await.unwrap(), None);
    assert_eq!(store.count().await.unwrap(), 1);
}

async fn an_insert_never_overwrites(store: &dyn SessionStore) {
    let login = session(&user("bob"), None);
    store.insert(login.clone(), None).await.unwrap();
    let forged = UserSession { hash: login.hash, ..session(&user("eve"), None) };
    assert_eq!(refusal(store.insert(forged.clone(), None).await), "409 session exists already");
    let replacing = store.insert(forged, Some(login.hash)).await;
    assert_eq!(refusal(replacing), "409 session exists already");
    assert_eq!(*store.get(&login.hash).await.unwrap().unwrap(), login);
}

async fn a_session_ends_in_the_step_that_replaces_it(store: &dyn SessionStore) {
    let bob = user("bob");
    let (old, new, third) = (session(&bob, None), session(&bob, None), session(&bob, None));
    store.insert(old.clone(), None).await.unwrap();
    store.insert(new.clone(), Some(old.hash)).await.unwrap();
    assert_eq!(found(store, &[old.clone(), new.clone()]).await, [false, true]);
    assert_eq!(store.count().await.unwrap(), 1);

    store.insert(third.clone(), Some(old.hash)).await.unwrap();
    assert_eq!(found(store, &[new, third]).await, [true, true], "nothing there to replace");
}

async fn an_insert_that_is_refused_ends_nothing(store: &dyn SessionStore) {
    let sessions = insert_all(store, &user("bob"), &[None, None]).await;
    let again = store.insert(sessions[0].clone(), Some(sessions[1].hash)).await;
    assert_eq!(refusal(again), "409 session exists already");
    assert_eq!(found(store, &sessions).await, [true, true]);
}

async fn use_is_noted_at_once_and_time_never_goes_back(store: &dyn SessionStore) {
    let login = store.insert(session(&user("bob"), None), None).await.unwrap();
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
    let login = store.insert(session(&bob, None), None).await.unwrap();
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
    let login = store.insert(session(&user("bob"), None), None).await.unwrap();
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
            Some(login) => run(store.insert(login.clone(), None)).map(|_| 0).unwrap(),
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
    let used = store.insert(idle(Some(10)), None).await.unwrap();
    let unused = store.insert(idle(Some(10)), None).await.unwrap();
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
