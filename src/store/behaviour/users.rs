//! Users, what is unique among them, and the admin who stays.

use super::records::{admin, after, email, run, user};
use super::{assert_refused, at_once};
use crate::error::{Code, Error, Result};
use crate::models::{Role, User, UserId};
use crate::store::{Record as _, UserStore};

const TAKEN: (Code, &str) = User::TAKEN;
const LAST: (Code, &str) = User::LAST;

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

/// Whose address this is.
async fn holder(store: &dyn UserStore, address: &str) -> Result<Option<UserId>> {
    Ok(store.search(address).await?.map(|user| user.id))
}

pub async fn a_user_is_found_by_id_and_by_address_in_any_case(store: &dyn UserStore) -> Result<()> {
    let bob = user("Bob");
    assert_eq!(*store.insert(bob.clone()).await?, bob);
    assert_eq!(store.get(bob.id).await?.as_deref(), Some(&bob));
    for address in ["Bob@example.com", "bob@example.com", "BOB@EXAMPLE.COM"] {
        assert_eq!(store.search(address).await?.as_deref(), Some(&bob), "{address}");
    }
    for address in ["", "bob", "ob@example.com", " bob@example.com", "bob@example.com\0"] {
        assert_eq!(store.search(address).await?, None, "{address:?}");
    }
    assert_eq!(store.get(user("bob").id).await?, None);
    assert_eq!(store.count().await?, 1);
    Ok(())
}

pub async fn an_insert_never_overwrites(store: &dyn UserStore) -> Result<()> {
    let bob = user("bob");
    store.insert(bob.clone()).await?;
    let other = User { id: bob.id, ..user("eve") };
    assert_refused(store.insert(other).await, TAKEN);
    assert_eq!(store.get(bob.id).await?.as_deref(), Some(&bob));
    assert_eq!(store.search("eve@example.com").await?, None);
    assert_eq!(store.count().await?, 1);
    Ok(())
}

pub async fn an_address_belongs_to_one_user_whatever_its_case(store: &dyn UserStore) -> Result<()> {
    let (bob, eve) = (user("bob"), user("eve"));
    store.insert(bob.clone()).await?;
    store.insert(eve.clone()).await?;
    assert_refused(store.insert(user("BOB")).await, TAKEN);
    assert_refused(update(store, eve.id, |eve| eve.email = email("boB")).await, TAKEN);
    assert_eq!(store.get(eve.id).await?.as_deref(), Some(&eve));
    assert_eq!(holder(store, "bob@example.com").await?, Some(bob.id));

    let own = update(store, bob.id, |bob| bob.email = email("BOB")).await?;
    let own = own.map(|own| own.email);
    assert_eq!(own, Some(email("BOB")), "one's own address may change its case");
    Ok(())
}

pub async fn an_address_that_was_given_up_is_free_again(store: &dyn UserStore) -> Result<()> {
    let (bob, eve) = (user("bob"), user("eve"));
    store.insert(bob.clone()).await?;
    update(store, bob.id, |bob| bob.email = email("robert")).await?;
    assert_eq!(store.search("bob@example.com").await?, None);
    let second = store.insert(user("bob")).await?;
    assert_refused(update(store, bob.id, |bob| bob.email = email("bob")).await, TAKEN);

    assert!(store.remove(second.id).await?);
    assert_eq!(store.search("bob@example.com").await?, None);
    store.insert(eve.clone()).await?;
    update(store, eve.id, |eve| eve.email = email("bob")).await?;
    assert_eq!(holder(store, "bob@example.com").await?, Some(eve.id));
    Ok(())
}

pub async fn of_many_who_want_one_address_at_once_one_gets_it(store: &dyn UserStore) -> Result<()> {
    let inserted = at_once(8, |_| run(store.insert(user("bob"))));
    let (won, lost): (Vec<_>, Vec<_>) = inserted.into_iter().partition(Result::is_ok);
    assert_eq!((won.len(), lost.len()), (1, 7));
    for refused in lost {
        assert_refused(refused, TAKEN);
    }
    let won: Result<Vec<_>> = won.into_iter().collect();
    assert_eq!(store.all().await?, won?);
    Ok(())
}

pub async fn all_of_a_list_are_inserted_or_none(store: &dyn UserStore) -> Result<()> {
    let bob = user("bob");
    store.insert(bob.clone()).await?;
    let with_his_id = User { id: bob.id, ..user("eve") };
    for refused in [user("BOB"), with_his_id, user("ANN")] {
        let list = vec![user("ann"), refused, user("zoe")];
        assert_refused(store.insert_all(list).await, TAKEN);
        assert_eq!(store.count().await?, 1);
        assert_eq!(store.search("ann@example.com").await?, None);
    }
    let list = vec![user("ann"), user("zoe")];
    store.insert_all(list.clone()).await?;
    let all = store.all().await?;
    assert_eq!(all.iter().map(|user| User::clone(user)).collect::<Vec<_>>()[1..], list);
    store.insert_all(vec![]).await?;
    assert_eq!(store.count().await?, 3);
    Ok(())
}

pub async fn a_list_that_holds_one_id_twice_is_refused(store: &dyn UserStore) -> Result<()> {
    let ann = user("ann");
    let second = User { id: ann.id, ..user("zoe") };
    assert_refused(store.insert_all(vec![ann, second]).await, TAKEN);
    assert_eq!(store.count().await?, 0);
    Ok(())
}

pub async fn an_update_is_one_step(store: &dyn UserStore) -> Result<()> {
    let bob = user("bob");
    store.insert(bob.clone()).await?;
    let changed = update(store, bob.id, |bob| {
        bob.email = email("robert");
        bob.last_name = Some("Dylan".into());
        bob.role = Role::Admin;
        bob.updated_at = after(1);
    });
    let changed = changed.await?.expect("a user who is there is changed");
    assert_eq!(changed.last_name.as_deref(), Some("Dylan"));
    assert_eq!(store.get(bob.id).await?.as_deref(), Some(&changed));
    assert_eq!(store.search("robert@example.com").await?.as_deref(), Some(&changed));
    assert_eq!(store.search("bob@example.com").await?, None);
    Ok(())
}

pub async fn an_update_that_is_refused_changes_nothing(store: &dyn UserStore) -> Result<()> {
    let bob = user("bob");
    store.insert(bob.clone()).await?;
    let refused = store.update(bob.id, Box::new(|_| Err(Error::Forbidden))).await;
    assert!(matches!(refused, Err(Error::Forbidden)), "{refused:?}");
    assert_eq!(store.get(bob.id).await?.as_deref(), Some(&bob));
    Ok(())
}

pub async fn an_update_that_panics_is_refused_and_takes_no_later_one_along(
    store: &dyn UserStore,
) -> Result<()> {
    let bob = store.insert(user("bob")).await?;
    let defect = update(store, bob.id, |_| panic!("on purpose")).await;
    assert!(matches!(defect, Err(Error::Internal(_))), "{defect:?}");
    assert_eq!(store.get(bob.id).await?, Some(bob.clone()));
    let changed = update(store, bob.id, |user| user.role = Role::Admin).await?;
    assert_eq!(changed.map(|changed| changed.role), Some(Role::Admin));
    Ok(())
}

pub async fn updates_at_once_all_count(store: &dyn UserStore) -> Result<()> {
    let bob = user("bob");
    store.insert(bob.clone()).await?;
    let changed = at_once(16, |_| run(update(store, bob.id, |bob| bob.credential_version += 1)));
    assert!(changed.iter().all(Result::is_ok), "{changed:?}");
    let stored = store.get(bob.id).await?;
    assert_eq!(stored.map(|bob| bob.credential_version), Some(16));
    Ok(())
}

pub async fn an_unknown_user_is_neither_updated_nor_removed(store: &dyn UserStore) -> Result<()> {
    let nobody = user("bob").id;
    assert_eq!(update(store, nobody, |_| panic!("there is nobody")).await?, None);
    assert!(!store.remove(nobody).await?);
    assert_eq!(store.count().await?, 0);
    Ok(())
}

pub async fn a_user_is_removed_once(store: &dyn UserStore) -> Result<()> {
    let bob = user("bob");
    store.insert(bob.clone()).await?;
    let removed: Result<Vec<_>> = at_once(8, |_| run(store.remove(bob.id))).into_iter().collect();
    assert_eq!(removed?.into_iter().filter(|removed| *removed).count(), 1);
    assert_eq!(store.get(bob.id).await?, None);
    assert_eq!(store.search("bob@example.com").await?, None);
    assert_eq!(store.count().await?, 0);
    Ok(())
}

pub async fn the_last_enabled_admin_stays(store: &dyn UserStore) -> Result<()> {
    let root = admin("root");
    store.insert(root.clone()).await?;
    store.insert(user("bob")).await?;
    assert_refused(store.remove(root.id).await, LAST);
    assert_refused(update(store, root.id, |root| root.role = Role::User).await, LAST);
    assert_refused(update(store, root.id, |root| root.set_disabled(true)).await, LAST);
    assert_eq!(store.get(root.id).await?.as_deref(), Some(&root));

    update(store, root.id, |root| root.first_name = Some("Ruth".into())).await?;
    let second = store.insert(admin("second")).await?;
    assert!(store.remove(root.id).await?, "with another admin there it may go");
    assert_refused(store.remove(second.id).await, LAST);
    Ok(())
}

pub async fn a_disabled_admin_does_not_count_as_one(store: &dyn UserStore) -> Result<()> {
    let (root, second) = (admin("root"), admin("second"));
    store.insert_all(vec![root.clone(), second.clone()]).await?;
    update(store, second.id, |second| second.set_disabled(true)).await?;
    assert_refused(store.remove(root.id).await, LAST);
    assert!(store.remove(second.id).await?, "a disabled one may go");
    assert_refused(store.remove(root.id).await, LAST);
    Ok(())
}

pub async fn of_two_admins_who_demote_each_other_one_stays(store: &dyn UserStore) -> Result<()> {
    let admins = [admin("root"), admin("second")];
    store.insert_all(admins.to_vec()).await?;
    for _ in 0..16 {
        let demoted = at_once(2, |number| {
            run(update(store, admins[number].id, |admin| admin.role = Role::User))
        });
        let (refused, done): (Vec<_>, Vec<_>) = demoted.into_iter().partition(Result::is_err);
        assert_eq!((refused.len(), done.len()), (1, 1));
        for refused in refused {
            assert_refused(refused, LAST);
        }
        for admin in &admins {
            update(store, admin.id, |admin| admin.role = Role::Admin).await?;
        }
    }
    Ok(())
}

pub async fn all_are_told_in_the_order_of_their_creation(store: &dyn UserStore) -> Result<()> {
    let users: Vec<User> = ["zoe", "ann", "bob", "eve"].map(user).into();
    for user in &users {
        store.insert(user.clone()).await?;
    }
    update(store, users[0].id, |zoe| zoe.first_name = Some("Zoe".into())).await?;
    store.remove(users[2].id).await?;
    let bob = store.insert(user("bob")).await?;
    let order: Vec<_> = store.all().await?.iter().map(|user| user.id).collect();
    assert_eq!(order, [users[0].id, users[1].id, users[3].id, bob.id]);
    Ok(())
}

pub async fn a_page_goes_on_after_a_user_who_is_there(store: &dyn UserStore) -> Result<()> {
    let users: Vec<User> = ["zoe", "ann", "bob"].map(user).into();
    store.insert_all(users.clone()).await?;
    let page = async |after: Option<&User>, limit| -> Result<Option<Vec<UserId>>> {
        let page = store.page(after.map(|user| user.id), limit).await?;
        Ok(page.map(|page| page.iter().map(|user| user.id).collect()))
    };
    let [zoe, ann, bob] = [users[0].id, users[1].id, users[2].id];
    assert_eq!(page(None, 2).await?, Some(vec![zoe, ann]));
    assert_eq!(page(Some(&users[1]), 2).await?, Some(vec![bob]));
    assert_eq!(page(Some(&users[2]), 2).await?, Some(vec![]));
    assert_eq!(page(None, 0).await?, Some(vec![]));
    store.remove(ann).await?;
    assert_eq!(page(Some(&users[0]), 2).await?, Some(vec![bob]));
    assert_eq!(page(Some(&users[1]), 2).await?, None, "nobody knows where he was");
    Ok(())
}
