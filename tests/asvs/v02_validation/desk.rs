//! Where values are handed in.

use serde_json::{Value, json};

use crate::harness::{ADMIN, ADMIN_PASSWORD, Answer, InProcess, PASSWORD, Request};

/// A service, and an admin who asks it.
pub struct Desk {
    pub server: InProcess,
    pub admin: String,
}

impl Desk {
    pub fn new() -> Self {
        Self::with(&[])
    }

    pub fn with(flags: &[&str]) -> Self {
        let server = InProcess::with(&[&["--login-throttle", "off"], flags].concat());
        let admin = server.admin();
        Self { server, admin }
    }

    /// Makes a user of whom this member is to be set so, and deletes him again.
    pub fn new_user(&self, member: &str, value: &Value) -> Answer {
        let mut new = json!({ "email": "bob@example.com", "password": PASSWORD });
        new[member] = value.clone();
        let answer = self.server.post("/api/v1/users").session(&self.admin).json(&new).send();
        if answer.status == 201 {
            let path = format!("/api/v1/users/{}", answer.json()["id"].as_str().unwrap());
            self.server.delete(&path).session(&self.admin).send().assert_is(200, "{}");
        }
        answer
    }

    /// Changes the admin himself.
    pub fn change(&self, body: &Value) -> Answer {
        let me = self.server.get("/api/v1/users/me").session(&self.admin).send().json();
        let path = format!("/api/v1/users/{}", me["id"].as_str().unwrap());
        self.server.put(&path).session(&self.admin).json(body).send()
    }

    /// The admin's login with something more in its body.
    pub fn login(&self, member: &str, value: &Value) -> Answer {
        let mut body = json!({ "email": ADMIN, "password": ADMIN_PASSWORD });
        body[member] = value.clone();
        self.server.post("/api/v1/auth_session/login").json(&body).send()
    }

    pub fn get(&self, path: &str) -> Request {
        self.server.get(path).session(&self.admin)
    }
}
