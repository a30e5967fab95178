//! What every store of users does.

use sessiond::error::{Code, Error, Result};
use sessiond::models::{Role, User, UserId};
use sessiond::store::UserStore;

use super::at_once;
use crate::harness::records::{admin, after, email, refusal, run, user};

const TAKEN: &str = "409 email is already taken";
const LAST: &str = "409 this is the last enabled admin";

super::on_every_store! { User:
    a_user_is_found_by_id_and_by_address_in_any_case,
    an_insert_never_overwrites,
    an_address_belongs_to_one_user_whatever_its_case,
    an_address_that_was_given_up_is_free_again,
    of_many_who_want_one_address_at_once_one_gets_it,
    all_of_a_list_are_inserted_or_none,
    a_list_that_holds_one_id_twice_is_refused,
    an_update_is_one_step,
    an_update_that_is_refused_changes_nothing,
    an_update_that_panics_is_refused_and_takes_no_later_one_along,
    updates_at_once_all_count,
    an_unknown_user_is_neither_updated_nor_removed,
    a_user_is_removed_once,
    the_last_enabled_admin_stays,
    a_disabled_admin_does_not_count_as_one,
    of_two_admins_who_demote_each_other_one_stays,
    all_are_told_in_the_order_of_their_creation,
}

/// Changes a user by `change`.
async fn update(
    store: &dyn UserStore,
    id: UserId,
    change: impl FnOnce(&mut User) + Send + 'static,
) -> Result<Option<User>> {
    let changed = store.update(
        id,
        Box::new(|stored: &User| {
            let mut user = stored.clone();
            change(&mut user);
            Ok(user)
        }),
    );
    Ok(changed.await?.map(|user| User::clone(&user)))
}

async fn a_user_is_found_by_id_and_by_address_in_any_case(store: &dyn UserStore) {
    let bob = user("Bob");
    assert_eq!(*store.insert(bob.clone()).await.unwrap(), bob);
    assert_eq!(*store.get(bob.id).await.unwrap().unwrap(), bob);
    for address in ["Bob@example.com", "bob@example.com", "BOB@EXAMPLE.COM"] {
        assert_eq!(*store.search(address).await.unwrap().unwrap(), bob, "{address}");
    }
    for address in ["", "bob", "ob@example.com", " bob@example.com", "bob@example.com\0"] {
        assert_eq!(store.search(address).await.unwrap(), None, "{address:?}");
    }
    assert_eq!(store.get(user("bob").id).await.unwrap(), None);
    assert_eq!(store.count().await.unwrap(), 1);
}

async fn an_insert_never_overwrites(store: &dyn UserStore) {
    let bob = user("bob");
    store.insert(bob.clone()).await.unwrap();
    let other = User { id: bob.id, ..user("eve") };
    assert_eq!(refusal(store.insert(other).await), TAKEN);
    assert_eq!(*store.get(bob.id).await.unwrap().unwrap(), bob);
    assert_eq!(store.search("eve@example.com").await.unwrap(), None);
    assert_eq!(store.count().await.unwrap(), 1);
}

async fn an_address_belongs_to_one_user_whatever_its_case(store: &dyn UserStore) {
    let (bob, eve) = (user("bob"), user("eve"));
    store.insert(bob.clone()).await.unwrap();
    store.insert(eve.clone()).await.unwrap();
    assert_eq!(refusal(store.insert(user("BOB")).await), TAKEN);
    assert_eq!(refusal(update(store, eve.id, |eve| eve.email = email("boB")).await), TAKEN);
    assert_eq!(*store.get(eve.id).await.unwrap().unwrap(), eve);
    assert_eq!(store.search("bob@example.com").await.unwrap().unwrap().id, bob.id);

    let own = update(store, bob.id, |bob| bob.email = email("BOB")).await.unwrap().unwrap();
    assert_eq!(own.email, email("BOB"), "one's own address may change its case");
}

async fn an_address_that_was_given_up_is_free_again(store: &dyn UserStore) {
    let (bob, eve) = (user("bob"), user("eve"));
    store.insert(bob.clone()).await.unwrap();
    update(store, bob.id, |bob| bob.email = email("robert")).await.unwrap();
    assert_eq!(store.search("bob@example.com").await.unwrap(), None);
    let second = store.insert(user("bob")).await.unwrap();
    assert_eq!(refusal(update(store, bob.id, |bob| bob.email = email("bob")).await), TAKEN);

    assert!(store.remove(second.id).await.unwrap());
    assert_eq!(store.search("bob@example.com").await.unwrap(), None);
    store.insert(eve.clone()).await.unwrap();
    update(store, eve.id, |eve| eve.email = email("bob")).await.unwrap();
    assert_eq!(store.search("bob@example.com").await.unwrap().unwrap().id, eve.id);
}

async fn of_many_who_want_one_address_at_once_one_gets_it(store: &dyn UserStore) {
    let inserted = at_once(8, |_| run(store.insert(user("bob"))));
    let (won, lost): (Vec<_>, Vec<_>) = inserted.into_iter().partition(Result::is_ok);
    assert_eq!((won.len(), lost.len()), (1, 7));
    for refused in lost {
        assert_eq!(refusal(refused), TAKEN);
    }
    let winner = won.into_iter().next().unwrap().unwrap();
    assert_eq!(store.all().await.unwrap(), [winner]);
}

async fn all_of_a_list_are_inserted_or_none(store: &dyn UserStore) {
    let bob = user("bob");
    store.insert(bob.clone()).await.unwrap();
    let with_his_id = User { id: bob.id, ..user("eve") };
    for refused in [user("BOB"), with_his_id, user("ANN")] {
        let list = vec![user("ann"), refused, user("zoe")];
        assert_eq!(refusal(store.insert_all(list).await), TAKEN);
        assert_eq!(store.count().await.unwrap(), 1);
        assert_eq!(store.search("ann@example.com").await.unwrap(), None);
    }
    let list = vec![user("ann"), user("zoe")];
    store.insert_all(list.clone()).await.unwrap();
    let all = store.all().await.unwrap();
    assert_eq!(all.iter().map(|user| User::clone(user)).collect::<Vec<_>>()[1..], list);
    store.insert_all(vec![]).await.unwrap();
    assert_eq!(store.count().await.unwrap(), 3);
}

async fn a_list_that_holds_one_id_twice_is_refused(store: &dyn UserStore) {
    let ann = user("ann");
    let second = User { id: ann.id, ..user("zoe") };
    assert_eq!(refusal(store.insert_all(vec![ann, second]).await), TAKEN);
    assert_eq!(store.count().await.unwrap(), 0);
}

async fn an_update_is_one_step(store: &dyn UserStore) {
    let bob = user("bob");
    store.insert(bob.clone()).await.unwrap();
    let changed = update(store, bob.id, |bob| {
        bob.email = email("robert");
        bob.last_name = Some("Dylan".into());
        bob.role = Role::Admin;
        bob.updated_at = after(1);
    });
    let changed = changed.await.unwrap().unwrap();
    assert_eq!(changed.last_name.as_deref(), Some("Dylan"));
    assert_eq!(*store.get(bob.id).await.unwrap().unwrap(), changed);
    assert_eq!(*store.search("robert@example.com").await.unwrap().unwrap(), changed);
    assert_eq!(store.search("bob@example.com").await.unwrap(), None);
}

async fn an_update_that_is_refused_changes_nothing(store: &dyn UserStore) {
    let bob = user("bob");
    store.insert(bob.clone()).await.unwrap();
    let refused = store.update(bob.id, Box::new(|_| Err(Error::bad(Code::InvalidValue, "not so"))));
    assert_eq!(refusal(refused.await), "400 not so");
    assert_eq!(*store.get(bob.id).await.unwrap().unwrap(), bob);
}

async fn an_update_that_panics_is_refused_and_takes_no_later_one_along(store: &dyn UserStore) {
    let bob = store.insert(user("bob")).await.unwrap();
    let defect = update(store, bob.id, |_| panic!("on purpose")).await;
    assert_eq!(refusal(defect), "500 a change panicked");
    assert_eq!(store.get(bob.id).await.unwrap(), Some(bob.clone()));
    let changed = update(store, bob.id, |user| user.role = Role::Admin).await.unwrap();
    assert_eq!(changed.unwrap().role, Role::Admin);
}

async fn updates_at_once_all_count(store: &dyn UserStore) {
    let bob = user("bob");
    store.insert(bob.clone()).await.unwrap();
    at_once(16, |_| run(update(store, bob.id, |bob| bob.credential_version += 1)).unwrap());
    assert_eq!(store.get(bob.id).await.unwrap().unwrap().credential_version, 16);
}

async fn an_unknown_user_is_neither_updated_nor_removed(store: &dyn UserStore) {
    let nobody = user("bob").id;
    assert_eq!(update(store, nobody, |_| panic!("there is nobody")).await.unwrap(), None);
    assert!(!store.remove(nobody).await.unwrap());
    assert_eq!(store.count().await.unwrap(), 0);
}

async fn a_user_is_removed_once(store: &dyn UserStore) {
    let bob = user("bob");
    store.insert(bob.clone()).await.unwrap();
    let removed = at_once(8, |_| run(store.remove(bob.id)).unwrap());
    assert_eq!(removed.into_iter().filter(|removed| *removed).count(), 1);
    assert_eq!(store.get(bob.id).await.unwrap(), None);
    assert_eq!(store.search("bob@example.com").await.unwrap(), None);
    assert_eq!(store.count().await.unwrap(), 0);
}

async fn the_last_enabled_admin_stays(store: &dyn UserStore) {
    let root = admin("root");
    store.insert(root.clone()).await.unwrap();
    store.insert(user("bob")).await.unwrap();
    assert_eq!(refusal(store.remove(root.id).await), LAST);
    assert_eq!(refusal(update(store, root.id, |root| root.role = Role::User).await), LAST);
    assert_eq!(refusal(update(store, root.id, |root| root.set_disabled(true)).await), LAST);
    assert_eq!(*store.get(root.id).await.unwrap().unwrap(), root);

    update(store, root.id, |root| root.first_name = Some("Ruth".into())).await.unwrap();
    let second = store.insert(admin("second")).await.unwrap();
    assert!(store.remove(root.id).await.unwrap(), "with another admin there it may go");
    assert_eq!(refusal(store.remove(second.id).await), LAST);
}

async fn a_disabled_admin_does_not_count_as_one(store: &dyn UserStore) {
    let (root, second) = (admin("root"), admin("second"));
    store.insert_all(vec![root.clone(), second.clone()]).await.unwrap();
    update(store, second.id, |second| second.set_disabled(true)).await.unwrap();
    assert_eq!(refusal(store.remove(root.id).await), LAST);
    assert!(store.remove(second.id).await.unwrap(), "a disabled one may go");
    assert_eq!(refusal(store.remove(root.id).await), LAST);
}

async fn of_two_admins_who_demote_each_other_one_stays(store: &dyn UserStore) {
    let admins = [admin("root"), admin("second")];
    store.insert_all(admins.to_vec()).await.unwrap();
    for _ in 0..16 {
        let demoted = at_once(2, |number| {
            run(update(store, admins[number].id, |admin| admin.role = Role::User))
        });
        let refused: Vec<_> = demoted.into_iter().filter(Result::is_err).collect();
        assert_eq!(refused.len(), 1);
        assert_eq!(refusal(refused.into_iter().next().unwrap()), LAST);
        for admin in &admins {
            update(store, admin.id, |admin| admin.role = Role::Admin).await.unwrap();
        }
    }
}

async fn all_are_told_in_the_order_of_their_creation(store: &dyn UserStore) {
    let users: Vec<User> = ["zoe", "ann", "bob", "eve"].map(user).into();
    for user in &users {
        store.insert(user.clone()).await.unwrap();
    }
    update(store, users[0].id, |zoe| zoe.first_name = Some("Zoe".into())).await.unwrap();
    store.remove(users[2].id).await.unwrap();
    let bob = store.insert(user("bob")).await.unwrap();
    let order: Vec<_> = store.all().await.unwrap().iter().map(|user| user.id).collect();
    assert_eq!(order, [users[0].id, users[1].id, users[3].id, bob.id]);
}
