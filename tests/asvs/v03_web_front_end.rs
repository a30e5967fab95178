//! Web front end.

pub mod cookie;
pub mod cross_site;
pub mod headers;

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
        requirement("3.2.2", 1, "Text shown as text")
            .not_applicable("no page and no script is served"),
        requirement("3.2.3", 3, "No DOM clobbering")
            .not_applicable("no page and no script is served"),
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
            ("a page loads its stylesheet and nothing else", headers::a_page_loads_its_stylesheet),
        ]),
        requirement("3.4.4", 2, "nosniff on all responses").tested(&[
            ("every answer has it", headers::nothing_is_to_be_guessed),
            (
                "what is answered before a request is understood has no body",
                headers::what_is_answered_to_no_request_has_no_body,
            ),
        ]),
        requirement("3.4.5", 2, "Referrer policy")
            .tested(&[("no address is passed on", headers::no_address_is_passed_on)]),
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
        ]),
        requirement("3.5.2", 1, "No sensitive call without preflight").tested(&[
            ("what forms can send is no JSON", cross_site::what_forms_can_send_is_no_json),
            ("a preflight opens nothing", cross_site::a_preflight_opens_nothing),
            (
                "routes without a body look at the origin",
                cross_site::every_change_from_elsewhere_is_refused,
            ),
        ]),
        requirement("3.5.3", 1, "Unsafe effects only by unsafe methods")
            .tested(&[("safe methods change nothing", cross_site::safe_methods_change_nothing)]),
        requirement("3.5.4", 2, "One application per host name")
            .operators("docs/CONTROLS.md#browsers", &[]),
        requirement("3.5.5", 2, "Messages between windows are checked for origin and form")
            .not_applicable("no script is served"),
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
            .not_applicable("no page is served"),
        requirement("3.7.1", 2, "Only client technologies that are still supported")
            .not_applicable("no page is served"),
        requirement("3.7.2", 2, "Redirect only to listed hosts").tested(&[
            ("nothing that a client says redirects", headers::nothing_redirects),
            ("a proxy's browser goes to the login alone", headers::redirects_lead_to_the_login),
        ]),
        requirement("3.7.3", 3, "A user is warned before he is sent to another host")
            .not_applicable("the only redirect is to the login page, which the operator names"),
        requirement("3.7.4", 3, "HSTS preload").operators(
            "docs/CONTROLS.md#browsers",
            &[(
                "a year, with subdomains, is what the list asks for",
                headers::browsers_stay_with_https,
            )],
        ),
        requirement("3.7.5", 3, "A browser that lacks a needed feature is told or refused")
            .not_applicable("no page is served"),
    ],
};
