//! Every page, filled; for the tests and to look at.

use std::time::Duration;

use askama::Template as _;

use super::super::*;
use crate::clock::Timestamp;

const STORE: &str = "That could not be stored. Please try again.";

/// A text and what a form says is wrong with it.
pub struct Said<'t> {
    /// Stands wherever somebody else may say what stands there.
    pub text: &'t str,
    /// Whether there are errors.
    pub wrong: bool,
}

impl Said<'_> {
    fn own(&self, usual: &str) -> String {
        if self.text.is_empty() { usual.to_owned() } else { self.text.to_owned() }
    }

    /// The same for what the service says itself, which is never long.
    fn short(&self, usual: &str) -> String {
        if self.text.len() > 100 { usual.to_owned() } else { self.own(usual) }
    }

    fn error(&self, usual: &str) -> Option<String> {
        self.wrong.then(|| self.own(usual))
    }

    fn field(&self, usual: &str, error: &str) -> Field {
        Field { value: self.own(usual), error: self.error(error) }
    }

    fn frame(&self, is_admin: bool) -> Frame {
        let notice = Notice { good: !self.wrong, text: self.own("The session has ended.") };
        let who = Who { name: self.own("Ada Lovelace"), is_admin };
        Frame { who: Some(who), notice: Some(notice) }
    }

    fn user(&self, name: &str, disabled: bool) -> UserRow {
        UserRow {
            id: self.own("6f0b3c2e-58a4-4c1e-9d70-0f6d2f1c7a11"),
            email: self.own(&format!("{name}@example.com")),
            name: if disabled { String::new() } else { self.own("Ada Lovelace") },
            role: self.short(if disabled { "user" } else { "admin" }),
            disabled,
            must_change: disabled,
            created: ago(self, 90_000_000),
        }
    }

    fn sessions(&self) -> Vec<SessionRow> {
        let session = |agent: &str, address: Option<&str>, minutes: u64| SessionRow {
            id: self.own("0b5a4f9e-7a0c-4c39-8d43-1a2b3c4d5e6f"),
            device: if self.text.is_empty() { device(Some(agent)) } else { self.text.to_owned() },
            agent: self.own(agent),
            address: address.map(|it| self.own(it)),
            created: ago(self, minutes * 180),
            last_seen: ago(self, minutes * 60),
            remembered: minutes == 300,
            current: minutes == 0,
        };
        let firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
        let safari = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 \
                      (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1";
        vec![
            session(firefox, Some("192.0.2.17"), 0),
            session(safari, Some("2001:db8:85a3:1234:5678:8a2e:370:7334"), 300),
            session("curl/8.14.1", None, 4000),
        ]
    }
}

fn ago(said: &Said<'_>, seconds: u64) -> When {
    let at = Timestamp::from_millis(1_500_000_000_000);
    let when = When::of(at, at.plus(Duration::from_secs(seconds)));
    let When { relative, exact, machine } = when;
    When { relative: said.short(&relative), exact: said.own(&exact), machine: said.own(&machine) }
}

fn rules(said: &Said<'_>) -> Vec<String> {
    let rules = ["has at least 8 characters", "is none of the most common ones"];
    rules.map(|rule| said.own(rule)).into()
}

/// Each page by its name.
pub fn pages(said: &Said<'_>) -> Vec<(&'static str, String)> {
    let mut pages = login_pages(said);
    pages.extend(account_pages(said));
    pages.extend(admin_pages(said));
    pages.extend(user_pages(said));
    pages.into_iter().map(|(name, page)| (name, page.unwrap())).collect()
}

type Rendered = Vec<(&'static str, askama::Result<String>)>;

fn login_pages(said: &Said<'_>) -> Rendered {
    let login = LoginPage {
        frame: Frame::default(),
        email: said.field("ada@example.com", "E-mail must be an address."),
        password_error: said.error("Please give your password."),
        remember: true,
        problem: said.error("Wrong e-mail or password."),
        back_to: Some(said.own("app.example.com")),
    };
    let logged_in = LoggedInPage {
        frame: said.frame(false),
        name: said.own("Ada Lovelace"),
        go_on: said.own("https://app.example.com/"),
        back_to: Some(said.own("app.example.com")),
    };
    let confirm = ConfirmPage {
        frame: said.frame(false),
        what: said.own("end all other sessions"),
        email: said.own("ada@example.com"),
        error: said.error("That is not your password."),
        cancel: said.own("/account"),
    };
    let trouble = TroublePage {
        frame: said.frame(false),
        title: said.own("There is no such page"),
        text: said.own("Perhaps the address was not copied as a whole."),
        go: (said.own("/account"), said.short("My account")),
    };
    vec![
        ("login", login.render()),
        ("logged_in", logged_in.render()),
        ("logout", LogoutPage { frame: said.frame(true) }.render()),
        ("confirm", confirm.render()),
        ("trouble", trouble.render()),
    ]
}

fn account_pages(said: &Said<'_>) -> Rendered {
    let account = AccountPage {
        frame: said.frame(true),
        email: said.own("ada@example.com"),
        role: said.short("admin"),
        first_name: said.field("Ada", "First name must be shorter."),
        last_name: said.field("Lovelace", "Last name must be shorter."),
        sessions: said.sessions(),
        problem: said.error(STORE),
    };
    let password = |must_change| PasswordPage {
        frame: said.frame(false),
        email: said.own("ada@example.com"),
        rules: rules(said),
        must_change,
        current_error: said.error("That is not your password."),
        new_error: said.error("Password is one of the most common ones, choose another."),
        problem: said.error(STORE),
    };
    vec![
        ("account", account.render()),
        ("password", password(false).render()),
        ("must_change", password(true).render()),
    ]
}

fn admin_pages(said: &Said<'_>) -> Rendered {
    let figures = Figures {
        users: 1_204_311,
        sessions: 311,
        logins: 42,
        failures: 3,
        trouble: said.error("Sessions cannot be stored: no space left on device."),
        version: env!("CARGO_PKG_VERSION"),
    };
    let users = |users: Vec<UserRow>, search: &str| UsersPage {
        frame: said.frame(true),
        search: if search.is_empty() { String::new() } else { said.own(search) },
        users,
        next: Some(said.own("/admin/users?after=6f0b3c2e")),
        first: search.is_empty().then(|| said.own("/admin/users")),
        problem: said.error("That user is gone."),
    };
    let long = "a.very.long.address.that.does.not.fit.on.a.phone.by.any.means";
    let three = [("ada", false), ("bob", true), (long, false)];
    let three = three.map(|(name, disabled)| said.user(name, disabled)).into();
    vec![
        ("admin", AdminPage { frame: said.frame(true), figures }.render()),
        ("users", users(three, "example").render()),
        ("no_users", users(Vec::new(), "nobody").render()),
        ("no_more_users", users(Vec::new(), "").render()),
    ]
}

fn user_pages(said: &Said<'_>) -> Rendered {
    let user = |disabled: bool| UserPage {
        frame: said.frame(true),
        user: said.user("bob", disabled),
        himself: !disabled,
        sessions: if disabled { Vec::new() } else { said.sessions() },
        problem: said.error("The last admin cannot be disabled."),
    };
    let new_user = NewUserPage {
        frame: said.frame(true),
        email: said.field("bob@example.com", "This e-mail address is taken."),
        first_name: said.field("Bob", "First name must be shorter."),
        last_name: said.field("Dylan", "Last name must be shorter."),
        password_error: said.error("Password must have at least 8 characters."),
        must_change: true,
        rules: rules(said),
        problem: said.error(STORE),
    };
    let set_password = SetPasswordPage {
        frame: said.frame(true),
        id: said.own("6f0b3c2e-58a4-4c1e-9d70-0f6d2f1c7a11"),
        email: said.own("bob@example.com"),
        rules: rules(said),
        error: said.error("Password must have at least 8 characters."),
        must_change: true,
        problem: said.error(STORE),
    };
    vec![
        ("user", user(false).render()),
        ("disabled_user", user(true).render()),
        ("new_user", new_user.render()),
        ("set_password", set_password.render()),
    ]
}
