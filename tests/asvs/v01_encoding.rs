//! Encoding and sanitization.

mod build;
mod input;
mod output;

use crate::pages;
use crate::registry::{Chapter, requirement};

pub const CHAPTER: Chapter = Chapter {
    title: "V1 Encoding and sanitization",
    rows: &[
        requirement("1.1.1", 2, "Decode each input once, before validation and before use").tested(
            &[
                (
                    "what is encoded twice is decoded once",
                    input::what_is_encoded_twice_is_decoded_once,
                ),
                (
                    "guard and router see one path, or nobody does",
                    input::guard_and_router_see_one_path,
                ),
            ],
        ),
        requirement("1.1.2", 2, "Escape at the last moment, by the serializer").tested(&[
            ("any text comes back as it was sent, and is kept so", output::any_text_comes_back),
            ("any text stays within its line of the log", output::any_text_stays_within_its_line),
            ("no JSON is put together by hand", build::no_json_by_hand),
        ]),
        requirement("1.2.1", 1, "Output cannot change response or header structure").tested(&[(
            "nothing that is sent adds a header or comes back in one",
            output::nothing_that_is_sent_adds_a_header,
        )]),
        requirement("1.2.2", 1, "URLs we build encode their parts, safe schemes only").tested(&[(
            "no URL is built: answers hold ids, which need no encoding",
            output::no_url_is_built,
        )]),
        requirement("1.2.3", 1, "No JSON injection")
            .tested(&[("JSON in a text stays text", output::json_in_a_text_stays_text)]),
        requirement("1.2.4", 1, "No injection into the data store").tested(&[
            (
                "a look-up compares, and understands no patterns",
                input::a_lookup_understands_no_patterns,
            ),
            (
                "what is written is one record, also after a restart",
                output::a_record_stays_one_record,
            ),
        ]),
        requirement("1.2.5", 1, "No OS command injection")
            .tested(&[("the program starts no other", build::no_processes)]),
        requirement("1.2.6", 2, "No LDAP injection").not_applicable("there is no LDAP"),
        requirement("1.2.7", 2, "No XPath injection")
            .not_applicable("there is no XML and no XPath"),
        requirement("1.2.8", 2, "LaTeX is run without dangerous features")
            .not_applicable("there is no LaTeX"),
        requirement("1.2.9", 2, "Escape patterns that become regular expressions").tested(&[(
            "in the list of open paths every character but a last star means itself",
            input::open_paths_are_no_patterns,
        )]),
        requirement("1.2.10", 3, "No formulas in exported CSV")
            .not_applicable("nothing is exported as CSV"),
        requirement("1.3.1", 1, "Rich text from an editor is cleaned by a library")
            .not_applicable("nothing takes HTML"),
        requirement("1.3.2", 1, "No dynamic execution of code")
            .not_applicable("a compiled program without a script engine"),
        requirement("1.3.3", 2, "Clean data for dangerous contexts and cap its length").tested(&[
            ("what is kept of an agent is clean and short", input::an_agent_is_clean_and_short),
            ("what is logged of a path is short", output::what_is_logged_is_short),
        ]),
        requirement("1.3.4", 2, "SVG from users is cleaned")
            .not_applicable("nothing takes or shows images"),
        requirement(
            "1.3.5",
            2,
            "Template-like content from users (Markdown, style sheets) is cleaned",
        )
        .not_applicable("nothing renders text of users"),
        requirement("1.3.6", 2, "No SSRF").tested(&[(
            "nothing that is built in asks other servers",
            build::nothing_asks_other_servers,
        )]),
        requirement("1.3.7", 2, "No template injection")
            .tested(&[("what people wrote is no template", pages::a_text_stays_a_text)]),
        requirement("1.3.8", 2, "JNDI look-ups are restricted").not_applicable("there is no Java"),
        requirement("1.3.9", 2, "No injection into memcache")
            .not_applicable("there is no memcache"),
        requirement("1.3.10", 2, "Format strings are not from users")
            .not_applicable("format strings are fixed when the program is compiled"),
        requirement("1.3.11", 2, "No mail header injection")
            .tested(&[("an address holds no line end", input::an_address_holds_no_line_end)]),
        requirement("1.3.12", 3, "No exponential regex")
            .tested(&[("no engine that backtracks is built in", build::no_engine_backtracks)]),
        requirement("1.4.1", 2, "Memory safety")
            .tested(&[("unsafe code does not compile", build::unsafe_code_does_not_compile)]),
        requirement("1.4.2", 2, "No integer overflow").tested(&[
            ("releases check for overflow", build::releases_check_for_overflow),
            ("the longest lifetimes and the last moments add up", input::extreme_times_add_up),
        ]),
        requirement("1.4.3", 2, "Resources are released").tested(&[(
            "requests that are broken off leave no file descriptor behind",
            input::broken_off_requests_leave_nothing,
        )]),
        requirement("1.5.1", 1, "XML parsers are restricted").not_applicable("nothing parses XML"),
        requirement("1.5.2", 2, "Safe deserialization").tested(&[
            ("hostile bodies are refused", input::hostile_bodies_are_refused),
            ("hostile files are refused and left alone", input::hostile_files_are_refused),
        ]),
        requirement("1.5.3", 3, "Parsers of one format agree").tested(&[
            ("there is one parser of each format", build::one_parser_of_each_format),
            ("what is there twice is refused", input::what_is_there_twice_is_refused),
        ]),
    ],
};
