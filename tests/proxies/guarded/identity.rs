//! What the application is told of who is speaking.

use super::*;

behind_each![
    the_application_is_told_who_it_is,
    what_a_client_says_of_himself_is_not_heard,
    nobody_can_have_his_name_left_out,
];

fn the_application_is_told_who_it_is(proxy: Proxy) {
    let Some(site) = Site::behind(proxy) else { return };
    let admin = site.admin();
    let user = user_of(&site, &admin);
    // A name of its own he has not got.
    for request in [site.get("/app/").session(&admin), site.get("/app/").bearer(&admin)] {
        assert_eq!(request.send().body, "the app");
        assert_eq!(told(&site.one_request()), identity(&user, ADMIN));
    }
    let named = site.client().put(&format!("/api/v1/users/{}", user["id"].as_str().unwrap()));
    let named =
        named.session(&admin).json(&json!({ "first_name": "Zoë", "last_name": "O'Neil, 王" }));
    assert_eq!(named.send().status, 200);
    site.get("/app/").session(&admin).send();
    assert_eq!(told(&site.one_request()), identity(&user, "Zoë O'Neil, 王"));
    let (bob, _) = bob(&site);
    site.get("/app/").session(&bob).send();
    assert_eq!(told(&site.one_request()), identity(&user_of(&site, &bob), "bob@example.com"));
}

/// The same name in all the ways in which somebody might read it so.
fn spellings(name: &str) -> [String; 8] {
    let (first, second) = name.split_once('-').unwrap();
    [
        name.to_owned(),
        name.to_lowercase(),
        name.to_uppercase(),
        format!("{first}_{second}"),
        format!("{first}_{second}").to_lowercase(),
        format!("{first}_{second}").to_uppercase(),
        format!("{first}.{second}"),
        format!("{}-{}", first.to_lowercase(), second.to_uppercase()),
    ]
}

fn what_a_client_says_of_himself_is_not_heard(proxy: Proxy) {
    let Some(site) = Site::behind(proxy) else { return };
    let (bob, _) = bob(&site);
    let expected = identity(&user_of(&site, &bob), "bob@example.com");
    let names = ["Remote-User", "Remote-Email", "Remote-Name", "Remote-Role", "Remote-Id"];
    for name in names.into_iter().chain(["Remote-Groups"]) {
        for spelling in spellings(name) {
            let request = site.get("/app/").session(&bob);
            let request = request.header(&spelling, "admin").header(&spelling, "");
            let answer = request.header(&spelling, ADMIN).send();
            // Some spellings are no header at all.
            assert!([200, 400].contains(&answer.status), "{spelling}: {answer:?}");
            let received = site.app.received();
            assert_eq!(received.len(), usize::from(answer.status == 200), "{spelling}");
            for request in received {
                assert_eq!(told(&request), expected, "{spelling}");
            }
            let anonymous = site.get("/app/").header(&spelling, ADMIN).send();
            assert!([400, 401].contains(&anonymous.status), "{spelling}: {anonymous:?}");
            site.assert_unheard();
        }
    }
}

fn nobody_can_have_his_name_left_out(proxy: Proxy) {
    let Some(site) = Site::behind(proxy) else { return };
    let (bob, _) = bob(&site);
    let expected = identity(&user_of(&site, &bob), "bob@example.com");
    // What is listed here goes no further than the next hop.
    for (listed, more) in [
        ("Remote-User", ""),
        ("close, Remote-Role, Remote-Id", ""),
        ("Upgrade, Remote-Name", "Upgrade: x\r\n"),
        ("cookie", ""),
    ] {
        let head = format!(
            "GET /app/ HTTP/1.1\r\nHost: {}\r\nConnection: {listed}\r\nConnection: close\r\n{more}\
             Cookie: _my_session_id={bob}\r\n\r\n",
            site.address
        );
        let mut connection = site.client().connect();
        connection.write(head);
        let status = connection.finish().status;
        let received = site.app.received();
        assert_eq!(received.len(), usize::from(status == 200), "{listed}");
        for request in received {
            assert_eq!(told(&request), expected, "{listed}");
        }
    }
}
