use std::cell::RefCell;
use std::collections::BTreeMap;

use super::client::{Answer, Client, Request};
use super::{ADMIN, ADMIN_PASSWORD};

/// What a browser accepts that wants a page.
pub const PAGE: &str = "text/html,application/xhtml+xml,*/*;q=0.8";
/// The name of the session cookie over plain http.
const SESSION: &str = "_my_session_id";
/// The name of the cookie of the pages over plain http.
const STATE: &str = "sessiond_pages";

/// Somebody with a browser: it keeps cookies, and says where a form was on.
pub struct Browser<'c> {
    client: &'c Client,
    cookies: RefCell<BTreeMap<String, String>>,
    agent: Option<&'static str>,
}

impl<'c> Browser<'c> {
    /// One without cookies.
    pub fn at(client: &'c Client) -> Self {
        Self { client, cookies: RefCell::default(), agent: None }
    }

    /// One in which the first admin has logged in on the page.
    pub fn of_admin(client: &'c Client) -> Self {
        Self::of(client, ADMIN, ADMIN_PASSWORD)
    }

    /// One in which somebody has logged in on the page.
    pub fn of(client: &'c Client, email: &str, password: &str) -> Self {
        let browser = Self::at(client);
        browser.log_in(email, password).leads_to("/account");
        browser
    }

    /// One that calls itself so.
    pub fn calling_itself(client: &'c Client, agent: &'static str) -> Self {
        Self { agent: Some(agent), ..Self::at(client) }
    }

    /// Opens a page.
    pub fn open(&self, path: &str) -> Answer {
        self.send(self.client.get(path))
    }

    /// Sends a form from a page of the service.
    pub fn submit(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.send(self.form(path).form(fields))
    }

    /// A form of a page of the service, without its fields.
    pub fn form(&self, path: &str) -> Request {
        let here = format!("http://{}", self.client.address);
        self.client.post(path).header("Origin", &here).header("Sec-Fetch-Site", "same-origin")
    }

    /// Sends the form of the login.
    pub fn log_in(&self, email: &str, password: &str) -> Answer {
        self.submit("/login", &[("email", email), ("password", password)])
    }

    /// Goes where the answer leads.
    #[track_caller]
    pub fn follow(&self, answer: &Answer) -> Answer {
        self.open(answer.location().unwrap_or_else(|| panic!("it leads nowhere: {answer:?}")))
    }

    /// Sends a request with the cookies that there are, and keeps those that come. Whatever is a
    /// page must be one of ours.
    pub fn send(&self, request: Request) -> Answer {
        let pairs: Vec<_> =
            self.cookies.borrow().iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = request.header("Accept", PAGE);
        let request =
            self.agent.into_iter().fold(request, |r, agent| r.header("User-Agent", agent));
        let request = if pairs.is_empty() { request } else { request.cookie(&pairs.join("; ")) };
        let answer = request.send();
        for cookie in answer.headers("set-cookie") {
            let (pair, rest) = cookie.split_once(';').unwrap_or((cookie, ""));
            let (name, value) = pair.split_once('=').unwrap();
            let mut cookies = self.cookies.borrow_mut();
            if rest.contains("Max-Age=0") {
                cookies.remove(name);
            } else {
                cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        if answer.header("content-type").is_some_and(|kind| kind.starts_with("text/html")) {
            answer.assert_page(answer.status);
        }
        answer
    }

    /// The id of the session that it is logged in with.
    pub fn session(&self) -> Option<String> {
        self.cookies.borrow().get(SESSION).cloned()
    }

    /// What the pages keep in it.
    pub fn state(&self) -> Option<String> {
        self.cookies.borrow().get(STATE).cloned()
    }

    /// Takes another session.
    pub fn set_session(&self, id: &str) {
        self.cookies.borrow_mut().insert(SESSION.to_owned(), id.to_owned());
    }

    /// Takes another state of the pages.
    pub fn set_state(&self, state: &str) {
        self.cookies.borrow_mut().insert(STATE.to_owned(), state.to_owned());
    }

    /// Forgets all cookies but that of the session.
    pub fn forget_state(&self) {
        self.cookies.borrow_mut().remove(STATE);
    }
}

impl Answer {
    /// Where it leads.
    pub fn location(&self) -> Option<&str> {
        self.header("location")
    }

    /// Holds that this sends a browser on with GET, to there.
    #[track_caller]
    pub fn leads_to(&self, path: &str) {
        assert_eq!((self.status, self.location()), (303, Some(path)), "{self:?}");
    }

    /// Holds that this is a page with this status, as pages are: nothing but what comes from here is
    /// loaded or run, and nothing is kept.
    #[track_caller]
    pub fn assert_page(&self, status: u16) {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.headers("content-type"), ["text/html; charset=utf-8"], "{self:?}");
        assert_eq!(self.headers("cache-control"), ["no-store"], "{self:?}");
        assert_eq!(self.headers("x-content-type-options"), ["nosniff"], "{self:?}");
        assert_eq!(self.headers("referrer-policy"), ["no-referrer"], "{self:?}");
        assert!(self.body.contains("<meta name=\"referrer\" content=\"same-origin\">"), "{self:?}");
        let [policy] = self.headers("content-security-policy")[..] else { panic!("{self:?}") };
        let (before, forms) = policy.split_once("form-action ").unwrap();
        let (forms, after) = forms.split_once(';').unwrap();
        assert_eq!(
            before,
            "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
        );
        assert!(forms == "'self'" || forms.starts_with("'self' http"), "{policy}");
        assert_eq!(after, " base-uri 'none'; frame-ancestors 'none'");
        for inline in ["<style", " style=", "onclick", "onload", "javascript:", "<script>"] {
            assert!(!self.body.contains(inline), "{inline} in {self:?}");
        }
        assert!(self.body.starts_with("<!doctype html>\n<html lang=\"en\">"), "{}", self.body);
    }

    /// The one heading of a page, without what stands beside it.
    #[track_caller]
    pub fn heading(&self) -> &str {
        let heading = self.between("<h1>", "</h1>");
        let heading = heading.unwrap_or_else(|| panic!("no heading: {self:?}"));
        heading.split(" <").next().unwrap_or(heading)
    }

    /// What a page tells, so that a screen reader says it at once; and whether it is good.
    pub fn notice(&self) -> Option<(bool, String)> {
        let text = |start: &str| {
            let (_, rest) = self.body.split_once(&format!("<div class=\"notice {start}"))?;
            Some(as_read(rest.split_once("<p>")?.1.split_once("</p>")?.0))
        };
        let good = text("good\" role=\"status\" aria-live=\"polite\">");
        good.map(|text| (true, text)).or_else(|| Some((false, text("bad\" role=\"alert\"")?)))
    }

    /// Holds that a page tells this.
    #[track_caller]
    pub fn tells(&self, text: &str) {
        assert_eq!(self.notice().map(|(_, told)| told).as_deref(), Some(text), "{}", self.body);
    }

    /// What is wrong with a field, as it stands beside it and is named by it.
    pub fn error_at(&self, name: &str) -> Option<String> {
        let text = self.between(&format!("<p class=\"error\" id=\"{name}-error\">"), "</p>")?;
        let field = self.field(name)?;
        assert!(field.contains("aria-invalid=\"true\""), "{field}");
        assert!(field.contains(&format!("aria-describedby=\"{name}-error")), "{field}");
        Some(as_read(text))
    }

    /// All errors that stand at fields.
    pub fn errors_at_fields(&self) -> usize {
        self.body.matches("<p class=\"error\"").count()
    }

    /// What a field is filled with.
    pub fn value_of(&self, name: &str) -> Option<String> {
        let field = self.field(name)?;
        let value = field.split_once(" value=\"")?.1;
        value.split('"').next().map(as_read)
    }

    /// Whether a box is ticked.
    #[track_caller]
    pub fn is_ticked(&self, name: &str) -> bool {
        self.field(name).unwrap_or_else(|| panic!("no {name}: {}", self.body)).contains(" checked")
    }

    /// The tag of a field that is sent under this name.
    pub fn field(&self, name: &str) -> Option<&str> {
        let (before, _) = self.body.split_once(&format!(" name=\"{name}\""))?;
        let tag = &self.body[before.rfind('<')?..];
        tag.split('>').next()
    }

    /// The first text between these two.
    pub fn between(&self, start: &str, end: &str) -> Option<&str> {
        Some(self.body.split_once(start)?.1.split_once(end)?.0)
    }
}

/// A text of a page, as people read it.
fn as_read(text: &str) -> String {
    let signs = [("&#60;", "<"), ("&#62;", ">"), ("&#34;", "\""), ("&#39;", "'"), ("&#38;", "&")];
    signs.into_iter().fold(text.to_owned(), |text, (code, sign)| text.replace(code, sign))
}
