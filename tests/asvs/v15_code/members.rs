//! What a request may set, of which type, and how often.

use serde_json::{Value, json};

use crate::files;
use crate::harness::{ADMIN, ADMIN_PASSWORD, InProcess, PASSWORD, block_on};

/// What answers JSON is made of views and of values that stand where they are answered.
pub fn records_are_not_answers() {
    for (path, text) in files::sources().into_iter().filter(|(path, _)| path.starts_with("api/")) {
        for record in ["json(user)", "json(&user)", "json(session)", "json(users)", "json(&*"] {
            assert!(!text.contains(record), "{path}: {record}");
        }
    }
    let view = files::read("src/api/view.rs");
    let (_, view) = view.split_once("pub struct UserView").unwrap();
    let (view, _) = view.split_once("\n}").unwrap();
    assert!(!view.contains("flatten") && !view.contains("User,"), "{view}");
}

pub fn get(server: &InProcess, session: &str, path: &str) -> Value {
    server.get(path).session(session).send().json()
}

pub fn nothing_is_assigned_en_masse() {
    let server = InProcess::with(&[]);
    let admin = server.admin();
    let id = "3ea61b0b-4c46-4e76-9b2e-5f9b2b1d4c11";
    let overreaching = json!({
        "email": "bob@example.com", "password": PASSWORD, "id": id, "role": "admin",
        "disabled": true, "credential_version": 7, "created_at": "2001-01-01T00:00:00.000Z",
        "password_hash": "$2b$04$x", "role_since": "2001-01-01T00:00:00.000Z", "is_admin": true,
    });
    let bob = server.post("/api/v1/users").session(&admin).json(&overreaching).send();
    assert_eq!(bob.status, 201);
    let bob = bob.json();
    assert_eq!((&bob["role"], &bob["disabled"]), (&json!("user"), &json!(false)));
    assert_ne!(bob["id"], id);
    assert_eq!(bob["created_at"], bob["updated_at"]);
    let path = format!("/api/v1/users/{}", bob["id"].as_str().unwrap());
    let hash = || {
        let id = bob["id"].as_str().unwrap().parse().unwrap();
        let user = block_on(server.service.accounts().users.get(id)).unwrap().unwrap();
        (user.password_hash.clone(), user.credential_version)
    };
    let before = hash();
    let change = json!({
        "first_name": "Bob", "id": id, "email": "eve@example.com", "password": "another one 3",
        "password_hash": "x", "credential_version": 9, "must_change": true, "updated_at": "2001",
    });
    for who in [admin.clone(), server.log_in("bob@example.com", PASSWORD)] {
        assert_eq!(server.put(&path).session(&who).json(&change).send().status, 200);
        let mut now = get(&server, &admin, &path);
        now["updated_at"] = bob["updated_at"].clone();
        let mut expected = bob.clone();
        expected["first_name"] = json!("Bob");
        assert_eq!(now, expected);
        assert!(hash() == before);
    }
}

pub fn what_is_for_admins_is_refused() {
    let server = InProcess::with(&[]);
    let admin = server.admin();
    let bob = json!({ "email": "bob@example.com", "password": PASSWORD });
    let bob = server.post("/api/v1/users").session(&admin).json(&bob).send().json();
    let path = format!("/api/v1/users/{}", bob["id"].as_str().unwrap());
    let session = server.log_in("bob@example.com", PASSWORD);
    for change in [
        json!({ "role": "admin" }),
        json!({ "first_name": "Bob", "role": "admin", "current_password": PASSWORD }),
        json!({ "disabled": false }),
        json!({ "role": null }),
    ] {
        let answer = server.put(&path).session(&session).json(&change).send();
        answer.assert_error(403, "Forbidden");
        assert_eq!(get(&server, &admin, &path), bob, "{change}");
    }
}

pub fn types_are_strict() {
    let server = InProcess::with(&[]);
    let admin = server.admin();
    let me = get(&server, &admin, "/api/v1/users/me");
    let path = format!("/api/v1/users/{}", me["id"].as_str().unwrap());
    let others = [json!(1), json!(true), json!([]), json!(["x"]), json!({ "$ne": "" }), json!(0.5)];
    for other in others {
        for (request, member) in [
            (server.post("/api/v1/users"), "email"),
            (server.post("/api/v1/users"), "password"),
            (server.post("/api/v1/auth_session/login"), "email"),
            (server.post("/api/v1/auth_session/login"), "password"),
            (server.put(&path), "first_name"),
            (server.put(&path), "role"),
            (server.put("/api/v1/users/me/password"), "new_password"),
            (server.put("/api/v1/users/me/password"), "current_password"),
        ] {
            let mut body = json!({
                "email": "bob@example.com", "password": PASSWORD,
                "current_password": ADMIN_PASSWORD, "new_password": PASSWORD,
            });
            body[member] = other.clone();
            let answer = request.session(&admin).json(&body).send();
            assert_eq!(answer.status, 400, "{body}");
            assert!(answer.body.contains(member), "{answer:?}");
        }
    }
    for other in [json!("true"), json!(1), json!("on"), json!([])] {
        let answer = server.put(&path).session(&admin).json(&json!({ "disabled": other })).send();
        answer.assert_error(400, "disabled must be true or false");
    }
    for id in ["1", "0x1", "true", "null", "[]", "1e3", &me["id"].as_str().unwrap().to_uppercase()]
    {
        let answer = server.get(&format!("/api/v1/users/{id}")).session(&admin).send();
        assert_eq!(answer.status, 404, "{id}");
    }
    assert_eq!(get(&server, &admin, "/api/v1/users").as_array().unwrap(), &[me]);
}

pub fn nothing_counts_twice() {
    let server = InProcess::with(&[]);
    let id = server.admin();
    let login = || server.post("/api/v1/auth_session/login");
    let json = |body: &str| login().body("application/json", body).send();
    let form = |body: &str| login().body("application/x-www-form-urlencoded", body).send();
    json(r#"{"email":"a@b.c","password":"x","email":"d@e.f"}"#).assert_error(400, "Wrong format");
    json(r#"{"email":"a@b.c","password":"x","\u0065mail":"d@e.f"}"#)
        .assert_error(400, "Wrong format");
    for body in ["email=a&password=x&email=b", "email=a&password=x&%65mail=b", "x=1&x=1"] {
        form(body).assert_error(400, "a form field must not be sent twice");
    }
    let part = |name: &str, value: &str| {
        format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let parts = [part("email", "a"), part("password", "x"), part("email", "b")].concat();
    let multipart = login().body("multipart/form-data; boundary=x", format!("{parts}--x--\r\n"));
    multipart.send().assert_error(400, "a form field must not be sent twice");
    let me = || server.get("/api/v1/users/me");
    for twice in [
        me().session(&id).session(&id),
        me().cookie(&format!("_my_session_id={id}; _my_session_id={id}")),
        me().bearer(&id).bearer(&id),
        me().bearer(&id).basic(ADMIN, ADMIN_PASSWORD),
        login().header("Content-Type", "text/plain").json(&json!({})),
    ] {
        let answer = twice.send();
        assert_eq!(answer.status, 400, "{answer:?}");
        assert!(answer.body.contains("twice"), "{answer:?}");
    }
    let all = server.delete("/api/v1/users/me/sessions?all=true&all=false").session(&id).send();
    all.assert_error(400, "all must not be sent twice");
    assert_eq!(me().session(&id).send().status, 200);
}

pub fn places_are_not_mixed() {
    let server = InProcess::with(&[]);
    let id = server.admin();
    let query = format!("email={ADMIN}&password=correct+horse+1");
    let login = server.post(&format!("/api/v1/auth_session/login?{query}"));
    login.form(&[]).send().assert_error(400, "email missing");
    let user = json!({ "email": "bob@example.com" });
    let create = server.post(&format!("/api/v1/users?password={PASSWORD}").replace(' ', "+"));
    create.session(&id).json(&user).send().assert_error(400, "password missing");
    for request in [
        server.get("/api/v1/users/me").header("X-Session-Id", &id),
        server.get("/api/v1/users/me").header("_my_session_id", &id),
        server.get(&format!("/api/v1/users/me?_my_session_id={id}")),
        server.request("GET", "/api/v1/users/me").form(&[("_my_session_id", &id)]),
    ] {
        request.send().assert_error(401, "Unauthorized");
    }
    // The method is that of the request line, whatever a header or a member says.
    let other =
        server.post("/api/v1/users/me").session(&id).header("X-HTTP-Method-Override", "GET");
    assert_eq!(other.form(&[("_method", "GET")]).send().status, 405);
}
