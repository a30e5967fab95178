//! The pages: what several chapters ask of what people see in a browser.

use std::collections::BTreeSet;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sessiond::models::Role;

use crate::files;
use crate::harness::{ADMIN, ADMIN_PASSWORD, Answer, Browser, InProcess, NO_SESSION, PASSWORD};

const BOB: &str = "bob@example.com";
const WRONG: &str = "wrong password 3";
/// What would be markup, a template or a script if it were not a text.
const HOSTILE: &str = "<script>alert(1)</script>\"'><img src=x onerror=y>{{ 7*7 }}{% x %}";

/// Every page there is, as each sort of visitor sees it.
fn pages() -> Vec<Answer> {
    let server = InProcess::with(&["--login-throttle", "off"]);
    let id = server.add_user(BOB, Role::User).id;
    let user = format!("/admin/users/{id}");
    let (nobody, bob) = (Browser::at(&server), Browser::of(&server, BOB, PASSWORD));
    let admin = Browser::of_admin(&server);
    let password = format!("{user}/password");
    let mut pages = vec![
        nobody.open("/login"),
        nobody.log_in(ADMIN, WRONG),
        nobody.submit("/login", &[]),
        nobody.open("/nothing"),
        nobody.submit("/account", &[]),
        bob.open("/admin"),
        admin.send(server.post("/account").header("Origin", "https://evil.example")),
        admin.submit("/account", &[("first_name", &"x".repeat(257))]),
        admin.submit("/account/password", &[]),
        admin.submit("/admin/users/new", &[]),
        admin.submit(&password, &[]),
        admin.open("/admin/users?after=x"),
    ];
    for path in [
        "/account",
        "/account/password",
        "/login",
        "/logout",
        "/admin",
        "/admin/users",
        "/admin/users/new",
        &user,
        &password,
        "/admin/nothing",
    ] {
        pages.push(admin.open(path));
    }
    server.advance(Duration::from_mins(15));
    admin.submit("/account/sessions/end-others", &[]).leads_to("/login/confirm");
    pages.push(admin.open("/login/confirm"));
    for page in &pages {
        page.assert_page(page.status);
    }
    let headings: BTreeSet<&str> = pages.iter().map(Answer::heading).collect();
    assert!(headings.len() > 14, "{headings:?}");
    pages
}

/// The tags of the fields of passwords on these pages.
fn password_fields(pages: &[Answer]) -> Vec<&str> {
    let tags = pages.iter().flat_map(|page| page.body.split('<').skip(1));
    let tags = tags.map(|tag| tag.split('>').next().unwrap());
    tags.filter(|tag| tag.starts_with("input") && tag.contains("password\"")).collect()
}

/// The one script, and the templates.
fn script() -> String {
    files::read("templates/pages.js")
}

fn templates() -> Vec<(String, String)> {
    let names = std::fs::read_dir(format!("{}/templates/pages", env!("CARGO_MANIFEST_DIR")));
    let names = names.unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let with_text = |name: String| (name.clone(), files::read(&format!("templates/pages/{name}")));
    names.map(with_text).collect()
}

pub fn a_page_has_its_policy() {
    for page in pages() {
        let [policy] = page.headers("content-security-policy")[..] else { panic!("{page:?}") };
        for rule in ["default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"] {
            assert!(policy.split("; ").any(|said| said == rule), "{policy}");
        }
        assert!(!policy.contains("unsafe") && !policy.contains('*'), "{policy}");
    }
}

pub fn only_its_own_origin_is_told_an_address() {
    for page in pages() {
        assert_eq!(page.headers("referrer-policy"), ["no-referrer"]);
        // What stands in the page counts for what is sent from it.
        let own = "<meta name=\"referrer\" content=\"same-origin\">";
        assert_eq!(page.body.matches(own).count(), 1, "{}", page.body);
    }
}

pub fn no_page_is_kept() {
    for page in pages() {
        assert_eq!(page.headers("cache-control"), ["no-store"]);
        for name in ["etag", "last-modified", "expires", "age"] {
            assert_eq!(page.header(name), None, "{page:?}");
        }
    }
}

/// What somebody calls himself, searches for and asks for is shown as he wrote it.
pub fn a_text_stays_a_text() {
    let server = InProcess::with(&[]);
    let admin = Browser::calling_itself(&server, "<script>{{ 7*7 }}");
    admin.log_in(ADMIN, ADMIN_PASSWORD);
    admin.submit("/account", &[("first_name", HOSTILE), ("last_name", HOSTILE)]);
    let search: String =
        percent_encoding::utf8_percent_encode(HOSTILE, percent_encoding::NON_ALPHANUMERIC)
            .to_string();
    let wrong = admin.log_in(HOSTILE, WRONG);
    let pages = ["/account", "/admin", "/admin/users", &format!("/admin/users?email={search}")]
        .map(|path| admin.open(path));
    for page in pages.iter().chain([&wrong]) {
        for markup in ["<script>", "<img src=x", "onerror=y>", "\"'>"] {
            assert!(!page.body.contains(markup), "{markup}: {}", page.body);
        }
        assert!(page.body.contains("{{ 7*7 }}"), "no template of its own: {}", page.body);
        assert!(!page.body.contains("49</"), "{}", page.body);
    }
    assert_eq!(pages[0].value_of("first_name").as_deref(), Some(HOSTILE));
    assert_eq!(wrong.value_of("email").as_deref(), Some(HOSTILE));
    for (name, template) in templates() {
        assert!(!template.contains("|safe") && !template.contains("| safe"), "{name}");
        assert!(!template.contains("escape none"), "{name}");
    }
    for (name, source) in files::sources() {
        assert!(
            !source.contains("escape = \"none\"") && !source.contains("MarkupDisplay"),
            "{name}"
        );
    }
}

pub fn the_script_writes_text_and_nothing_else() {
    let script = script();
    for way in ["innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval", "Function("] {
        assert!(!script.contains(way), "{way}");
    }
    assert!(script.contains("textContent"));
    for page in pages() {
        assert_eq!(page.body.matches("<script").count(), 1, "{}", page.body);
    }
}

/// Nothing on a page can take the place of what the script means: it goes by no name.
pub fn the_script_goes_by_no_names() {
    let script = script();
    let globals = script.split(|c: char| !(c.is_alphanumeric() || ".\"_".contains(c)));
    let of_document: BTreeSet<&str> = globals
        .filter(|word| word.starts_with("document.") || word.starts_with("window."))
        .collect();
    assert_eq!(of_document, ["document.createElement", "document.querySelectorAll"].into());
    assert!(!script.contains("getElementById") && !script.contains("globalThis"));
    // And no name is from a user: names and ids stand in the templates.
    for (name, template) in templates().into_iter().filter(|(name, _)| name != "parts.html") {
        assert!(!template.contains("id=\"{{") && !template.contains("name=\"{{"), "{name}");
    }
}

pub fn the_script_sends_and_hears_no_messages() {
    let script = script();
    for way in ["postMessage", "\"message\"", "onmessage", "fetch", "XMLHttpRequest", "WebSocket"] {
        assert!(!script.contains(way), "{way}");
    }
    let listens: Vec<&str> = script.split("addEventListener(\"").skip(1).collect();
    let listens = listens.iter().map(|rest| rest.split('"').next().unwrap());
    assert_eq!(listens.collect::<Vec<_>>(), ["click", "submit"]);
}

pub fn the_script_merges_no_objects() {
    let script = script();
    for way in ["__proto__", "prototype", "Object.", "JSON", "Object.assign", "...", "]="] {
        assert!(!script.contains(way), "{way}");
    }
}

pub fn nothing_is_loaded_from_elsewhere() {
    for page in pages() {
        let loads = page.body.split(['<', '>']).filter(|tag| {
            ["link ", "script ", "img ", "iframe ", "object "].iter().any(|of| tag.starts_with(of))
        });
        for tag in loads {
            let (_, address) =
                tag.split_once("href=\"").or_else(|| tag.split_once("src=\"")).unwrap();
            assert!(address.starts_with("/login/"), "{tag}");
        }
    }
    let css = files::read("templates/pages.css");
    assert!(!css.contains("@import") && !css.contains("url("));
}

pub fn it_is_html_and_nothing_that_needs_a_plug_in() {
    for page in pages() {
        for old in ["<object", "<embed", "<applet", "<frame", "<font", "<marquee", "http-equiv"] {
            assert!(!page.body.contains(old), "{old}: {}", page.body);
        }
    }
}

/// Everything is a form and a link; a browser that runs nothing has a button for all of it.
pub fn without_a_script_nothing_is_missing() {
    for page in pages() {
        assert!(!page.body.contains("<noscript") && !page.body.contains("javascript:"));
        for form in page.body.split("<form ").skip(1) {
            let form = form.split("</form>").next().unwrap();
            assert!(form.contains("action=\"/") && form.contains("<button"), "{form}");
        }
    }
}

/// Who is led to another host after the login is told which one before.
pub fn another_host_is_named_before() {
    let server = InProcess::with(&["--allowed-redirects", "app.example.com"]);
    let browser = Browser::at(&server);
    let page = browser.open("/login?return_to=https://app.example.com/x");
    assert!(page.body.contains("You go on to <strong>app.example.com</strong>."));
    browser.log_in(ADMIN, ADMIN_PASSWORD).leads_to("https://app.example.com/x");
    let page = browser.open("/login?return_to=https://app.example.com/x");
    assert!(page.body.contains("You go on to <strong>app.example.com</strong>."));
}

pub fn a_login_leads_to_listed_hosts_alone() {
    let server = InProcess::with(&["--allowed-redirects", "app.example.com"]);
    for (asked, leads) in [
        ("https://app.example.com/", "https://app.example.com/"),
        ("https://evil.example/", "/account"),
        ("//evil.example/", "/account"),
        ("/%5Cevil.example/", "/account"),
        ("https://app.example.com.evil.example/", "/account"),
        ("javascript:alert(1)", "/account"),
    ] {
        let browser = Browser::at(&server);
        browser.open(&format!("/login?return_to={asked}"));
        browser.log_in(ADMIN, ADMIN_PASSWORD).leads_to(leads);
    }
}

pub fn passwords_are_hidden_as_they_are_typed() {
    let pages = pages();
    let fields = password_fields(&pages);
    assert!(fields.len() > 6, "{fields:?}");
    for field in fields {
        assert!(field.contains(" type=\"password\""), "{field}");
        assert!(!field.contains(" value="), "none is sent back: {field}");
    }
    // Whoever types one may look at it, and it is hidden again before it is sent.
    assert!(script().contains("input.type = shown ? \"text\" : \"password\""));
    assert!(script().contains("addEventListener(\"submit\", () => show(false))"));
}

pub fn password_managers_fill_them_in() {
    let pages = pages();
    for field in password_fields(&pages) {
        let says = |what: &str| field.contains(&format!("autocomplete=\"{what}\""));
        assert!(says("current-password") || says("new-password"), "{field}");
        for hindrance in ["maxlength", "onpaste", "readonly", "autocomplete=\"off\""] {
            assert!(!field.contains(hindrance), "{field}");
        }
    }
    let login = &pages[0];
    assert!(login.field("email").unwrap().contains("autocomplete=\"username\""));
    assert!(login.field("password").unwrap().contains("autocomplete=\"current-password\""));
    assert!(!script().contains("paste"));
    let server = InProcess::with(&[]);
    let change = server.get("/.well-known/change-password").send();
    assert_eq!(change.location(), Some("/account/password"));
}

pub fn every_page_behind_the_login_has_the_logout() {
    let server = InProcess::with(&[]);
    let admin = Browser::of_admin(&server);
    for path in [
        "/account",
        "/account/password",
        "/admin",
        "/admin/users",
        "/admin/users/new",
        "/admin/nothing",
    ] {
        let page = admin.open(path);
        let (_, form) = page
            .body
            .split_once("<form method=\"post\" action=\"/logout\" class=\"who\">")
            .unwrap();
        assert!(
            form.split("</form>")
                .next()
                .unwrap()
                .contains("<button class=\"plain\">Log out</button>"),
            "{path}"
        );
    }
    let left = admin.submit("/logout", &[]);
    left.leads_to("/login");
    admin.open("/account").leads_to("/login?return_to=%2Faccount");
}

pub fn a_logout_on_the_page_empties_the_browser() {
    let server = InProcess::with(&[]);
    let admin = Browser::of_admin(&server);
    let left = admin.submit("/logout", &[]);
    assert_eq!(left.headers("clear-site-data"), ["\"cache\", \"storage\""]);
    assert_eq!(admin.session(), None);
}

pub fn people_see_and_end_their_sessions() {
    let server = InProcess::with(&[]);
    let (here, there) = (Browser::of_admin(&server), Browser::of_admin(&server));
    let page = here.open("/account");
    let form =
        page.between("<form method=\"post\" action=\"/account/sessions/", "/end\">").unwrap();
    assert!(!page.body.contains(&there.session().unwrap()), "no usable id");
    here.submit(&format!("/account/sessions/{form}/end"), &[]).leads_to("/account");
    there.open("/account").leads_to("/login?return_to=%2Faccount");
}

pub fn what_matters_most_needs_the_password_on_pages_too() {
    let server = InProcess::with(&[]);
    let id = server.add_user(BOB, Role::User).id;
    let admin = Browser::of_admin(&server);
    let bob = Browser::of(&server, BOB, PASSWORD);
    server.advance(Duration::from_mins(15));
    let user = format!("/admin/users/{id}");
    let role: &[(&str, &str)] = &[("role", "admin")];
    let password: &[(&str, &str)] = &[("password", "another one 7")];
    for (form, fields) in [
        ("/account/sessions/end-others".to_owned(), &[][..]),
        (format!("{user}/role"), role),
        (format!("{user}/sessions/end"), &[]),
        (format!("{user}/password"), password),
    ] {
        admin.submit(&form, fields).leads_to("/login/confirm");
        admin.submit("/login/confirm", &[("password", WRONG)]).assert_page(403);
    }
    // Nothing of it was done, but for what is asked for with the password itself.
    assert_eq!((bob.open("/account").status, bob.open("/admin").status), (200, 403));
    let wrong = [("current_password", WRONG), ("new_password", "another one 7")];
    admin.submit("/account/password", &wrong).assert_page(403);
}

/// Where a form would have a token, browsers say where it comes from.
pub fn a_form_from_elsewhere_is_refused() {
    let server = InProcess::with(&[]);
    let admin = Browser::of_admin(&server);
    for path in [
        "/account",
        "/account/password",
        "/account/sessions/end-others",
        "/admin/users/new",
        "/login/confirm",
        "/logout",
        "/login",
    ] {
        for (name, value) in [("Origin", "https://evil.example"), ("Sec-Fetch-Site", "cross-site")]
        {
            let page =
                admin.send(server.post(path).header(name, value).form(&[("first_name", "x")]));
            page.assert_page(403);
            assert_eq!(page.heading(), "This was sent by another site", "{path}");
        }
    }
    assert_eq!(admin.open("/account").value_of("first_name").as_deref(), Some(""));
}

pub fn forms_that_change_something_are_posted() {
    for page in pages() {
        for form in page.body.split("<form ").skip(1) {
            let tag = form.split('>').next().unwrap();
            let searches = tag.contains("role=\"search\"") && tag.contains("method=\"get\"");
            assert!(searches || tag.contains("method=\"post\""), "{tag}");
        }
    }
    // Whoever is led to such an address by a link does nothing with it.
    let server = InProcess::with(&[]);
    let id = server.add_user(BOB, Role::User).id;
    let (admin, bob) = (Browser::of_admin(&server), Browser::of(&server, BOB, PASSWORD));
    for form in ["disable", "role?role=admin", "sessions/end", "password?password=another+one+7"] {
        admin.open(&format!("/admin/users/{id}/{form}"));
    }
    for path in ["/logout", "/account?first_name=x", "/account/sessions/end-others"] {
        admin.open(path);
    }
    assert_eq!((bob.open("/account").status, bob.open("/admin").status), (200, 403));
    assert_eq!(admin.open("/account").value_of("first_name").as_deref(), Some(""));
}

pub fn no_address_of_a_page_holds_a_secret() {
    let server = InProcess::with(&[]);
    let admin = Browser::of_admin(&server);
    let session = admin.session().unwrap();
    for page in pages() {
        for address in
            page.body.split("href=\"").skip(1).chain(page.body.split("action=\"").skip(1))
        {
            let address = address.split('"').next().unwrap();
            assert!(!address.contains("password=") && !address.contains("session="), "{address}");
        }
    }
    for path in ["/account", "/admin"] {
        assert!(!admin.open(path).body.contains(&session), "{path}");
    }
    // A password in an address logs nobody in.
    let browser = Browser::at(&server);
    browser.open("/login?email=admin%40example.com&password=correct+horse+1");
    assert_eq!(browser.session(), None);
}

/// Two cookies: one is a random id, the other is sealed. Nothing else is kept in the browser.
pub fn what_the_pages_keep_tells_nothing() {
    let server = InProcess::with(&[]);
    let admin = Browser::of_admin(&server);
    let saved = admin.submit("/account", &[("first_name", "Zaphod")]);
    let [state] = saved.headers("set-cookie")[..] else { panic!("{saved:?}") };
    assert!(state.starts_with("sessiond_pages=") && state.contains("HttpOnly"), "{state}");
    assert!(!state.contains("Max-Age") && !state.contains("Expires"), "it ends with the browser");
    let sealed = sealed(&admin.state().unwrap());
    let text = String::from_utf8_lossy(&sealed).into_owned();
    assert!(!text.contains("saved") && !text.contains("notice"), "{text}");
    for way in ["localStorage", "sessionStorage", "indexedDB", "document.cookie", "caches"] {
        assert!(!script().contains(way), "{way}");
    }
}

/// The bytes of the sealed cookie.
fn sealed(state: &str) -> Vec<u8> {
    let text = percent_encoding::percent_decode_str(state).decode_utf8().unwrap();
    STANDARD.decode(text.as_ref()).expect("a sealed value is base64")
}

/// Whether somebody with this state comes back to where it says.
fn reads(server: &InProcess, state: &str) -> bool {
    let browser = Browser::at(server);
    browser.set_state(state);
    browser.log_in(ADMIN, ADMIN_PASSWORD).location() == Some("/admin")
}

pub fn a_changed_state_is_none() {
    let server = InProcess::with(&[]);
    let browser = Browser::at(&server);
    browser.open("/login?return_to=/admin");
    let state = browser.state().unwrap();
    assert!(reads(&server, &state));
    let whole = sealed(&state);
    for at in 0..whole.len() {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        let text = STANDARD.encode(&changed);
        let encoded =
            percent_encoding::utf8_percent_encode(&text, percent_encoding::NON_ALPHANUMERIC);
        assert!(!reads(&server, &encoded.to_string()), "byte {at}");
    }
    // Nor is it taken from another service, which has another key.
    assert!(!reads(&InProcess::with(&[]), &state));
    // Nor under another name, nor as it would be in plain text.
    for plain in ["{\"way_back\":\"/admin\"}", "%7B%22way_back%22%3A%22%5C%22%2Fadmin%5C%22%22%7D"]
    {
        assert!(!reads(&server, plain));
    }
}

pub fn no_nonce_is_used_twice() {
    let server = InProcess::with(&[]);
    let mut nonces = BTreeSet::new();
    for _ in 0..500 {
        let browser = Browser::at(&server);
        browser.open("/login?return_to=/admin");
        nonces.insert(sealed(&browser.state().unwrap())[..12].to_vec());
    }
    assert_eq!(nonces.len(), 500);
}

/// The page tells who is logged in, and what has ended opens nothing, whatever the browser keeps.
pub fn the_login_page_tells_who_is_logged_in() {
    let server = InProcess::with(&[]);
    let browser = Browser::of_admin(&server);
    let page = browser.open("/login");
    assert_eq!(page.heading(), "You are logged in");
    assert!(page.body.contains("action=\"/logout\""));
    browser.set_session(NO_SESSION);
    assert_eq!(browser.open("/login").heading(), "Log in");
    browser.open("/account").leads_to("/login?return_to=%2Faccount");
    // A login puts another in its place.
    browser.log_in(ADMIN, ADMIN_PASSWORD).leads_to("/account");
    assert_ne!(browser.session().as_deref(), Some(NO_SESSION));
}
