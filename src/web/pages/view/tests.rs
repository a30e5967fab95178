//! What all pages have in common, and what is agreed with those who read their forms.

mod samples;
mod tags;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use samples::{Said, pages};
use tags::{Tag, forms, tags};

use super::*;

const RIGHT: Said<'_> = Said { text: "", wrong: false };
const WRONG: Said<'_> = Said { text: "", wrong: true };

fn page<'p>(pages: &'p [(&'static str, String)], name: &str) -> &'p str {
    &pages.iter().find(|(own, _)| *own == name).unwrap().1
}

#[test]
fn what_others_have_written_is_shown_and_never_part_of_a_page() {
    let hostile = r#"</p><script>alert("1")</script> & ' onclick='x' " onfocus="y"#;
    let escaped = hostile.replace('&', "&#38;").replace('<', "&#60;").replace('>', "&#62;");
    let escaped = escaped.replace('"', "&#34;").replace('\'', "&#39;");
    for wrong in [false, true] {
        let plain = pages(&Said { text: "PLAIN", wrong });
        let hostile = pages(&Said { text: hostile, wrong });
        for ((name, plain), (_, hostile)) in plain.iter().zip(&hostile) {
            assert!(plain.contains("PLAIN"), "{name}");
            assert_eq!(hostile, &plain.replace("PLAIN", &escaped), "{name}");
        }
    }
}

#[test]
fn no_page_has_a_script_or_a_style_in_it() {
    for (name, page) in [pages(&RIGHT), pages(&WRONG)].concat() {
        for tag in tags(&page) {
            let inline = |attribute: &str| attribute == "style" || attribute.starts_with("on");
            let inline = tag.attributes.iter().any(|(attribute, _)| inline(attribute));
            assert!(!inline && tag.name != "style", "{name}: {tag:?}");
            if tag.name == "script" {
                assert!(tag.text.is_empty() && tag.get("src") == Some(SCRIPT.path()), "{name}");
            }
        }
    }
}

#[test]
fn a_page_loads_what_is_here_and_nothing_else() {
    for (name, page) in pages(&RIGHT) {
        let loaded = tags(&page).into_iter().filter_map(|tag| match tag.name {
            "link" => tag.get("href"),
            _ => tag.get("src"),
        });
        let loaded: BTreeSet<&str> = loaded.collect();
        assert_eq!(loaded, [&STYLESHEET, &SCRIPT, &ICON].map(Asset::path).into(), "{name}");
    }
    for forbidden in ["url(", "@import", "http"] {
        assert!(!STYLESHEET.text.contains(forbidden), "{forbidden}");
    }
    assert!(STYLESHEET.text.len() < 10 * 1024, "{}", STYLESHEET.text.len());
    let ends = [&STYLESHEET, &SCRIPT, &ICON].map(|it| it.path().split_once('.').unwrap().1);
    assert_eq!(ends, ["css", "js", "svg"]);
}

#[test]
fn each_id_is_there_once_and_what_is_referred_to_is_there() {
    for (name, page) in [pages(&RIGHT), pages(&WRONG)].concat() {
        let tags = tags(&page);
        let ids: Vec<&str> = tags.iter().filter_map(|tag| tag.get("id")).collect();
        let unique: BTreeSet<&str> = ids.iter().copied().collect();
        assert_eq!(ids.len(), unique.len(), "{name}: {ids:?}");
        let links = tags.iter().filter_map(|tag| tag.get("href")?.strip_prefix('#'));
        let lists = ["for", "aria-describedby", "aria-labelledby"];
        let lists = tags.iter().flat_map(|tag| lists.map(|list| tag.get(list).unwrap_or_default()));
        for id in lists.flat_map(str::split_whitespace).chain(links) {
            assert!(unique.contains(id), "{name}: {id}");
        }
    }
}

#[test]
fn every_control_says_what_it_is() {
    for (name, page) in [pages(&RIGHT), pages(&WRONG)].concat() {
        let tags = tags(&page);
        let labels: Vec<&Tag<'_>> = tags.iter().filter(|tag| tag.name == "label").collect();
        for control in tags.iter().filter(|tag| tag.is(&["input", "select"]) && !tag.has("hidden"))
        {
            let label = labels.iter().find(|label| label.get("for") == control.get("id"));
            assert!(label.is_some_and(|it| !it.text.trim().is_empty()), "{name}: {control:?}");
        }
        for control in tags.iter().filter(|tag| tag.is(&["button", "a"])) {
            assert!(!control.text.trim().is_empty(), "{name}: {control:?}");
            // Who says what he sees must be understood (WCAG 2.5.3).
            let label = control.get("aria-label").unwrap_or(control.text);
            assert!(label.starts_with(control.text), "{name}: {control:?}");
        }
    }
}

#[test]
fn an_error_stands_at_its_field_and_the_first_wrong_field_has_the_cursor() {
    let mut fields = 0;
    for (name, page) in pages(&WRONG) {
        let tags = tags(&page);
        let errors = tags.iter().filter(|tag| tag.get("class") == Some("error"));
        let errors: Vec<&str> = errors.filter_map(|tag| tag.get("id")).collect();
        let invalid: Vec<_> = tags.iter().filter(|tag| tag.has("aria-invalid")).collect();
        assert_eq!(errors.len(), invalid.len(), "{name}");
        for (error, field) in errors.iter().zip(&invalid) {
            assert_eq!(*error, format!("{}-error", field.get("id").unwrap()), "{name}");
            let described = field.get("aria-describedby").unwrap();
            assert!(described.split(' ').any(|id| id == *error), "{name}: {field:?}");
        }
        let focus: Vec<_> = tags.iter().filter(|tag| tag.has("autofocus")).collect();
        assert_eq!(focus.len(), usize::from(!invalid.is_empty()), "{name}");
        for (focus, first) in focus.iter().zip(&invalid) {
            assert_eq!(focus.get("id"), first.get("id"), "{name}");
        }
        fields += invalid.len();
    }
    assert_eq!(fields, 14, "every field that can be wrong");
}

#[test]
fn without_an_error_no_field_is_marked() {
    for (name, page) in pages(&RIGHT) {
        let tags = tags(&page);
        assert!(!tags.iter().any(|tag| tag.has("aria-invalid")), "{name}");
        assert!(!tags.iter().any(|tag| tag.get("class") == Some("error")), "{name}");
        let focus: Vec<_> = tags.iter().filter(|tag| tag.has("autofocus")).collect();
        let focus: Vec<_> = focus.iter().filter_map(|tag| tag.get("id")).collect();
        // Where there is but one thing to do.
        let expected: &[&str] =
            if ["login", "confirm"].contains(&name) { &["password"] } else { &[] };
        assert_eq!(focus, expected, "{name}");
    }
}

#[test]
fn a_password_is_asked_for_and_never_shown_or_cut() {
    let pages = [pages(&RIGHT), pages(&WRONG)].concat();
    let mut asked = BTreeSet::new();
    for (name, page) in &pages {
        for tag in tags(page).iter().filter(|tag| tag.get("type") == Some("password")) {
            assert!(!tag.has("value") && !tag.has("maxlength"), "{name}: {tag:?}");
            asked.insert([*name, tag.get("name").unwrap(), tag.get("autocomplete").unwrap()]);
        }
    }
    let expected = [
        ["confirm", "password", "current-password"],
        ["login", "password", "current-password"],
        ["must_change", "current_password", "current-password"],
        ["must_change", "new_password", "new-password"],
        ["new_user", "password", "new-password"],
        ["password", "current_password", "current-password"],
        ["password", "new_password", "new-password"],
        ["set_password", "password", "new-password"],
    ];
    assert_eq!(asked, expected.into());
}

#[test]
fn forms_send_what_they_are_for() {
    let pages = pages(&RIGHT);
    let user = "/admin/users/6f0b3c2e-58a4-4c1e-9d70-0f6d2f1c7a11";
    let session = "0b5a4f9e-7a0c-4c39-8d43-1a2b3c4d5e6f";
    let ended = |at: &str| format!("post {at}/sessions/{session}/end");
    let user_post = |act: &str| format!("post {user}/{act}");
    for (name, expected) in [
        ("login", vec!["post /login email password remember".to_owned()]),
        ("confirm", vec!["post /login/confirm password".to_owned()]),
        (
            "account",
            vec![
                "post /account first_name last_name".to_owned(),
                ended("/account"),
                ended("/account"),
                "post /account/sessions/end-others".to_owned(),
            ],
        ),
        ("password", vec!["post /account/password current_password new_password".to_owned()]),
        ("users", vec!["get /admin/users email".to_owned()]),
        (
            "user",
            vec![
                user_post("role role"),
                user_post("disable"),
                ended(user),
                ended(user),
                user_post("sessions/end"),
            ],
        ),
        ("disabled_user", vec![user_post("role role"), user_post("enable")]),
        (
            "new_user",
            vec![
                "post /admin/users/new email first_name last_name password must_change".to_owned(),
            ],
        ),
        ("set_password", vec![user_post("password password must_change")]),
    ] {
        assert_eq!(forms(page(&pages, name)), expected, "{name}");
    }
}

#[test]
fn a_page_says_its_task_first_and_has_one_headline() {
    for (name, page) in pages(&RIGHT) {
        let tags = tags(&page);
        let title = tags.iter().find(|tag| tag.name == "title").unwrap().text;
        let task = title.strip_suffix(" - sessiond").unwrap();
        let headlines: Vec<&str> =
            tags.iter().filter(|tag| tag.name == "h1").map(|tag| tag.text.trim()).collect();
        assert_eq!(headlines.len(), 1, "{name}");
        assert_eq!(headlines[0].trim_end_matches('?'), task, "{name}");
    }
}

#[test]
fn the_header_has_what_is_open_to_who_is_logged_in() {
    let links = |who: Option<bool>| {
        let who = who.map(|is_admin| Who { name: "Ada".to_owned(), is_admin });
        let page = LogoutPage { frame: Frame { who, notice: None } }.render().unwrap();
        let (header, _) = page.split_once("</header>").unwrap();
        let links =
            tags(header).into_iter().filter_map(|tag| tag.get("action").or(tag.get("href")));
        let own = |link: &&str| !link.starts_with("/login/") && !link.starts_with('#');
        links.filter(own).map(str::to_owned).collect::<Vec<String>>()
    };
    assert!(links(None).is_empty());
    assert_eq!(links(Some(false)), ["/account", "/logout"]);
    assert_eq!(links(Some(true)), ["/account", "/admin", "/logout"]);
}

#[test]
fn what_went_well_is_a_status_and_what_went_wrong_an_alert() {
    for (said, role, other) in [(&RIGHT, "status", "alert"), (&WRONG, "alert", "status")] {
        let pages = pages(said);
        let tags = tags(page(&pages, "account"));
        let roles: Vec<&str> = tags.iter().filter_map(|tag| tag.get("role")).collect();
        assert!(roles.contains(&role) && !roles.contains(&other), "{roles:?}");
    }
}

#[test]
fn this_session_is_marked_and_ended_by_logging_out_alone() {
    let pages = pages(&RIGHT);
    for name in ["account", "user"] {
        let page = page(&pages, name);
        assert_eq!(page.matches("This session<").count(), 1, "{name}");
        let rows: Vec<&str> = page.split("<tr role=\"row\">").skip(2).collect();
        let ends: Vec<bool> = rows.iter().map(|row| row.contains(">End<")).collect();
        assert_eq!(ends, [false, true, true], "{name}");
    }
}

#[test]
fn who_must_change_his_password_is_told_so_and_cannot_turn_away() {
    let pages = pages(&RIGHT);
    let [free, must] = ["password", "must_change"].map(|name| page(&pages, name));
    assert!(free.contains(">Cancel<") && !free.contains("must be changed"));
    assert!(!must.contains(">Cancel<") && must.contains("must be changed"));
    assert!(must.contains("All your other sessions end."));
    let rules = must.find("has at least 8 characters").unwrap();
    assert!(rules < must.find("id=\"new_password\"").unwrap(), "said before it is tried");
}

/// `cargo test --lib -- --ignored every_page` and then a web server there.
#[test]
#[ignore = "to look at: writes them to target/pages"]
fn every_page_can_be_looked_at() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/pages");
    fs::create_dir_all(folder.join("login")).unwrap();
    for asset in [&STYLESHEET, &SCRIPT, &ICON] {
        fs::write(folder.join(&asset.path()[1..]), asset.text).unwrap();
    }
    let long = Said { text: &"W".repeat(300), wrong: true };
    for (said, state) in [(&RIGHT, ""), (&WRONG, "_wrong"), (&long, "_long")] {
        for (name, page) in pages(said) {
            fs::write(folder.join(format!("{name}{state}.html")), page).unwrap();
        }
    }
}
