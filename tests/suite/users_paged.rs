//! The list of users by pages, and one of them by his address.

use std::collections::BTreeSet;
use std::fs;

use serde_json::{Map, Value};

use crate::harness::{ADMIN, Answer, NOBODY, Server};

/// The most users in one answer.
const PAGE: usize = 1000;

/// A server with the first admin and so many users more, in the order of their numbers.
fn server_with(number: usize) -> Server {
    let (program, _, _) = Server::of("none").stop();
    let file = program.data().join("User.json");
    let stored: Map<String, Value> = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    let admin = stored.values().next().unwrap();
    let mut lines = vec![format!("\"{}\": {admin}", admin["id"].as_str().unwrap())];
    for number in 0..number {
        let mut user = admin.clone();
        // Ids that are not in the order of creation.
        let id = format!("{:08x}-0000-4000-8000-000000000001", number * 0x9E37 % 0xFFFF);
        user["id"] = id.clone().into();
        user["email"] = format!("user{number}@example.com").into();
        user["role"] = "user".into();
        lines.push(format!("\"{id}\": {user}"));
    }
    fs::write(file, format!("{{\n{}\n}}\n", lines.join(",\n"))).unwrap();
    program.start()
}

fn get(server: &Server, query: &str) -> Answer {
    server.get(&format!("/api/v1/users{query}")).send()
}

fn emails(answer: &Answer) -> Vec<String> {
    let list = answer.json();
    let email = |user: &Value| user["email"].as_str().unwrap().to_owned();
    list.as_array().unwrap().iter().map(email).collect()
}

/// What a link to the next page says, as a query.
fn next(answer: &Answer) -> Option<String> {
    let link = answer.header("link")?;
    let target = link.strip_prefix("</api/v1/users").unwrap().strip_suffix(">; rel=\"next\"");
    Some(target.unwrap().to_owned())
}

fn all_pages(server: &Server, first: &str) -> Vec<Vec<String>> {
    let mut answer = get(server, first);
    let mut pages = vec![emails(&answer)];
    while let Some(query) = next(&answer) {
        answer = get(server, &query);
        pages.push(emails(&answer));
    }
    pages
}

fn in_order(number: usize) -> Vec<String> {
    let users = (0..number).map(|number| format!("user{number}@example.com"));
    std::iter::once(ADMIN.to_owned()).chain(users).collect()
}

#[test]
fn up_to_a_thousand_users_are_one_array_without_a_link() {
    let server = server_with(PAGE - 1);
    let answer = get(&server, "");
    assert_eq!((emails(&answer), answer.header("link")), (in_order(PAGE - 1), None));
    let head = server.request("HEAD", "/api/v1/users").send();
    assert_eq!((head.status, head.header("link")), (200, None));
}

#[test]
fn more_than_a_thousand_come_by_pages_without_being_asked_for() {
    let server = server_with(2 * PAGE + 5);
    let pages = all_pages(&server, "");
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [PAGE, PAGE, 6]);
    assert_eq!(pages.concat(), in_order(2 * PAGE + 5));
    let head = server.request("HEAD", "/api/v1/users/").send();
    assert!(head.header("link").is_some() && head.body.is_empty());
}

#[test]
fn pages_are_as_long_as_is_asked_and_have_everybody_once_in_order() {
    let server = server_with(11);
    for limit in [1, 2, 5, 11, 12, 13, PAGE] {
        let pages = all_pages(&server, &format!("?limit={limit}"));
        assert_eq!(pages.concat(), in_order(11), "{limit}");
        assert!(pages.iter().all(|page| page.len() <= limit && !page.is_empty()), "{limit}");
        assert_eq!(pages.len(), 12_usize.div_ceil(limit), "{limit}");
    }
}

#[test]
fn a_page_goes_on_after_whoever_is_named_whatever_has_changed_meanwhile() {
    let server = server_with(4);
    let first = get(&server, "?limit=2");
    assert_eq!(emails(&first), [ADMIN, "user0@example.com"]);
    let list = get(&server, "").json();
    let id = |place: usize| list[place]["id"].as_str().unwrap().to_owned();
    assert_eq!(server.delete(&format!("/api/v1/users/{}", id(2))).send().status, 200);
    server.add_user("late@example.com");
    let rest = all_pages(&server, &next(&first).unwrap());
    let expected = ["user2@example.com", "user3@example.com", "late@example.com"];
    assert_eq!(rest.concat(), expected);
    // The last one has nobody after him.
    let latest = get(&server, "?email=late@example.com").json();
    let after = get(&server, &format!("?after={}", latest[0]["id"].as_str().unwrap()));
    assert_eq!((after.body.as_str(), after.header("link")), ("[]", None));
    // Whoever has gone is no place to go on from.
    let gone = get(&server, &format!("?after={}", id(2)));
    gone.assert_error(400, "after must be the id of a user who is there");
}

#[test]
fn one_user_is_found_by_his_address_in_any_case() {
    let server = server_with(3);
    for query in [
        "?email=user1@example.com",
        "?email=USER1%40Example.COM",
        "?limit=1&email=user1@example.com",
    ] {
        let answer = get(&server, query);
        assert_eq!(
            (emails(&answer), answer.header("link")),
            (vec!["user1@example.com".into()], None)
        );
    }
    for query in ["?email=nobody@example.com", "?email=", "?email=user", "?email=%25"] {
        get(&server, query).assert_is(200, "[]");
    }
}

#[test]
fn what_is_no_page_is_refused_with_what_is_allowed() {
    let server = server_with(1);
    for limit in
        ["0", "1001", "-1", "+5", "1.0", "ten", "", " 5", "99999999999999999999999", "%31x"]
    {
        let limit = limit.replace('+', "%2b").replace(' ', "%20");
        let answer = get(&server, &format!("?limit={limit}"));
        answer.assert_error(400, "limit must be a number from 1 to 1000");
    }
    for after in [NOBODY, "", "me", "1", "{}"] {
        let answer = get(&server, &format!("?after={after}"));
        answer.assert_error(400, "after must be the id of a user who is there");
    }
    for query in ["?limit=1&limit=2", "?email=a&email=b"] {
        assert_eq!(get(&server, query).status, 400, "{query}");
    }
    assert_eq!(get(&server, "?limit=%ff").status, 400);
    assert_eq!(emails(&get(&server, "?limit=%31")).len(), 1, "a digit may be encoded");
    for ignored in ["?page=2", "?LIMIT=0", "?x=1&x=2&%ff=%ff", "?", "?&&", "?limits=0"] {
        assert_eq!(emails(&get(&server, ignored)).len(), 2, "{ignored}");
    }
}

#[test]
fn pages_are_for_admins_and_tell_no_more_than_the_list() {
    let server = Server::of("session_db_auth");
    server.add_user("bob@example.com");
    let bob = server.log_in("bob@example.com", crate::harness::PASSWORD);
    for query in ["", "?limit=1", "?email=bob@example.com", "?limit=no"] {
        let path = format!("/api/v1/users{query}");
        assert_eq!(server.get(&path).session(&bob).send().status, 403, "{query}");
        assert_eq!(server.get(&path).send().status, 401, "{query}");
    }
    let page = server.get("/api/v1/users?limit=2").session(&server.admin()).send().json();
    let members: BTreeSet<&String> = page[1].as_object().unwrap().keys().collect();
    assert_eq!(members.len(), 8, "{members:?}");
}
