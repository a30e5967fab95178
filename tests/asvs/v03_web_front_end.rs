//! Web front end.

pub mod cookie;
pub mod cross_site;
pub mod headers;

use crate::pages;
use crate::registry::{Chapter, requirement};

pub const CHAPTER: Chapter = Chapter {
    title: "V3 Web front end",
    rows: &[
        requirement("3.1.1", 3, "Which browser features are relied on").documented(
            "docs/CONTROLS.md#features-of-browsers",
            &[(
                "every header that a browser understands is named",
                headers::the_features_are_documented,
            )],
        ),
        requirement("3.2.1", 1, "Responses cannot be rendered in a wrong context").tested(&[
            (
                "whatever a browser asks for, it is JSON and no page",
                headers::every_answer_is_json_and_no_page,
            ),
            ("every answer forbids to guess and to load", headers::nothing_is_to_be_guessed),
            (
                "what is answered before a request is understood has no body",
                headers::what_is_answered_to_no_request_has_no_body,
            ),
        ]),
        requirement("3.2.2", 1, "Text shown as text").tested(&[
            ("what people wrote is shown as they wrote it", pages::a_text_stays_a_text),
            ("the script writes text alone", pages::the_script_writes_text_and_nothing_else),
        ]),
        requirement("3.2.3", 3, "No DOM clobbering").tested(&[(
            "the script goes by no name that a page could give",
            pages::the_script_goes_by_no_names,
        )]),
        requirement("3.3.1", 1, "Secure; __Host- or __Secure- name").tested(&[(
            "over https every cookie is Secure and has a prefix",
            cookie::over_https_it_is_secure_and_has_a_prefix,
        )]),
        requirement("3.3.2", 2, "SameSite fits the purpose")
            .tested(&[("SameSite is Lax, whatever is set", cookie::same_site_is_lax_always)]),
        requirement("3.3.3", 2, "__Host- unless shared").tested(&[
            ("it is __Host- by default", cookie::over_https_it_is_secure_and_has_a_prefix),
            ("only a shared cookie has a domain", cookie::only_a_shared_cookie_has_a_domain),
        ]),
        requirement("3.3.4", 2, "HttpOnly, and the value travels only in Set-Cookie")
            .tested(&[("no script and no body sees the id", cookie::no_script_sees_the_id)]),
        requirement("3.3.5", 3, "Name and value <= 4096 bytes").tested(&[(
            "the longest name and domain stay below",
            cookie::it_is_never_larger_than_browsers_take,
        )]),
        requirement("3.4.1", 1, "HSTS, one year, subdomains from L2")
            .tested(&[("over https every answer says so", headers::browsers_stay_with_https)]),
        requirement("3.4.2", 1, "CORS origin fixed or from a list").tested(&[(
            "answers are opened to listed origins alone",
            cross_site::answers_are_opened_to_listed_origins_alone,
        )]),
        requirement("3.4.3", 2, "CSP with object-src/base-uri none").tested(&[
            (
                "the policy of every answer forbids everything",
                headers::the_policy_forbids_everything,
            ),
            ("the documentation loads its stylesheet alone", headers::a_page_loads_its_stylesheet),
            (
                "a page loads what is from here, and runs nothing in it",
                pages::a_page_has_its_policy,
            ),
        ]),
        requirement("3.4.4", 2, "nosniff on all responses").tested(&[
            ("every answer has it", headers::nothing_is_to_be_guessed),
            (
                "what is answered before a request is understood has no body",
                headers::what_is_answered_to_no_request_has_no_body,
            ),
        ]),
        requirement("3.4.5", 2, "Referrer policy").tested(&[
            ("no address is passed on", headers::no_address_is_passed_on),
            (
                "a page tells it to its own origin alone",
                pages::only_its_own_origin_is_told_an_address,
            ),
        ]),
        requirement("3.4.6", 2, "frame-ancestors on all responses").tested(&[(
            "the policy of every answer forbids frames",
            headers::the_policy_forbids_everything,
        )]),
        requirement("3.4.7", 3, "CSP reporting location")
            .open("nothing is loaded that could be reported"),
        requirement("3.4.8", 3, "COOP on documents")
            .tested(&[("every answer keeps its window to itself", headers::no_window_is_shared)]),
        requirement("3.5.1", 1, "Cross-site requests are recognized").tested(&[
            (
                "every change from elsewhere is refused",
                cross_site::every_change_from_elsewhere_is_refused,
            ),
            ("a login from elsewhere is refused", cross_site::a_login_from_elsewhere_is_refused),
            ("Basic credentials are no excuse", cross_site::basic_credentials_are_no_excuse),
            (
                "so is a form of a page that another site sends",
                pages::a_form_from_elsewhere_is_refused,
            ),
        ]),
        requirement("3.5.2", 1, "No sensitive call without preflight").tested(&[
            ("what forms can send is no JSON", cross_site::what_forms_can_send_is_no_json),
            ("a preflight opens nothing", cross_site::a_preflight_opens_nothing),
            (
                "routes without a body look at the origin",
                cross_site::every_change_from_elsewhere_is_refused,
            ),
            ("and so do the forms of the pages", pages::a_form_from_elsewhere_is_refused),
        ]),
        requirement("3.5.3", 1, "Unsafe effects only by unsafe methods").tested(&[
            ("safe methods change nothing", cross_site::safe_methods_change_nothing),
            (
                "forms that change something are posted",
                pages::forms_that_change_something_are_posted,
            ),
        ]),
        requirement("3.5.4", 2, "One application per host name")
            .operators("docs/CONTROLS.md#browsers", &[]),
        requirement("3.5.5", 2, "Messages between windows are checked for origin and form").tested(
            &[(
                "the script sends and hears no messages",
                pages::the_script_sends_and_hears_no_messages,
            )],
        ),
        requirement("3.5.6", 3, "No JSONP")
            .tested(&[("a callback changes nothing", headers::a_callback_changes_nothing)]),
        requirement("3.5.7", 3, "No private data in script responses").tested(&[
            (
                "every answer is JSON, not to be guessed at",
                headers::every_answer_is_json_and_no_page,
            ),
            ("and not for other origins", headers::nothing_is_embedded_elsewhere),
        ]),
        requirement("3.5.8", 3, "Authenticated resources cannot be embedded").tested(&[(
            "every answer is for this origin alone",
            headers::nothing_is_embedded_elsewhere,
        )]),
        requirement("3.6.1", 3, "Scripts from elsewhere are pinned by their hashes")
            .tested(&[("there are none", pages::nothing_is_loaded_from_elsewhere)]),
        requirement("3.7.1", 2, "Only client technologies that are still supported").tested(&[(
            "it is HTML and nothing that needs a plug-in",
            pages::it_is_html_and_nothing_that_needs_a_plug_in,
        )]),
        requirement("3.7.2", 2, "Redirect only to listed hosts").tested(&[
            ("nothing that a client says redirects", headers::nothing_redirects),
            ("a proxy's browser goes to the login alone", headers::redirects_lead_to_the_login),
            ("a login leads to listed hosts alone", pages::a_login_leads_to_listed_hosts_alone),
        ]),
        requirement("3.7.3", 3, "A user is warned before he is sent to another host").tested(&[(
            "the login names the host that it leads to",
            pages::another_host_is_named_before,
        )]),
        requirement("3.7.4", 3, "HSTS preload").operators(
            "docs/CONTROLS.md#browsers",
            &[(
                "a year, with subdomains, is what the list asks for",
                headers::browsers_stay_with_https,
            )],
        ),
        requirement("3.7.5", 3, "A browser that lacks a needed feature is told or refused").tested(
            &[(
                "none is needed: without a script nothing is missing",
                pages::without_a_script_nothing_is_missing,
            )],
        ),
    ],
};
