//! API and web service.

mod framing;
mod http;
mod intermediaries;

use crate::registry::{Chapter, requirement};

pub const CHAPTER: Chapter = Chapter {
    title: "V4 API and web service",
    rows: &[
        requirement("4.1.1", 1, "Content type right on each body").tested(&[(
            "every body is the JSON that it says",
            http::every_body_is_the_json_that_it_says,
        )]),
        requirement("4.1.2", 2, "No transparent http->https redirect for API").tested(&[
            (
                "plain http is not answered where TLS is spoken",
                http::plain_http_gets_no_answer_over_tls,
            ),
            ("nor sent on where a proxy speaks it", http::plain_http_is_not_sent_on),
        ]),
        requirement("4.1.3", 2, "Intermediary headers cannot be forged").tested(&[
            ("nobody claims an address", intermediaries::nobody_claims_an_address),
            (
                "a client cannot forge what a listed proxy adds",
                intermediaries::a_client_cannot_forge_what_the_proxy_adds,
            ),
            ("nobody claims an identity", intermediaries::nobody_claims_an_identity),
            ("nobody escapes the throttle", intermediaries::nobody_escapes_the_throttle),
        ]),
        requirement("4.1.4", 3, "Only used methods work").tested(&[(
            "every other method is 405, and is told which there are",
            http::every_other_method_is_405,
        )]),
        requirement("4.1.5", 3, "Highly sensitive messages are signed one by one").not_applicable(
            "sessions and passwords are the only proofs; TLS protects the transport",
        ),
        requirement("4.2.1", 2, "Unambiguous framing").tested(&[
            (
                "what two readers could read differently is refused",
                framing::what_is_ambiguous_is_refused,
            ),
            (
                "the body of a refused request is never a request",
                framing::a_body_is_never_a_request,
            ),
        ]),
        requirement("4.2.2", 3, "Our Content-Length is right")
            .tested(&[("the length is that of the body", framing::the_length_is_that_of_the_body)]),
        requirement("4.2.3", 3, "No connection headers in HTTP/2")
            .tested(&[("HTTP/2 is not spoken", framing::http_2_is_not_spoken)]),
        requirement("4.2.4", 3, "No CR/LF in HTTP/2 fields")
            .tested(&[("HTTP/2 is not spoken", framing::http_2_is_not_spoken)]),
        requirement("4.2.5", 3, "We never emit over-long URIs or headers")
            .not_applicable("no requests are sent to other services"),
        requirement("4.3.1", 2, "GraphQL queries are bounded in depth and cost")
            .not_applicable("there is no GraphQL"),
        requirement("4.3.2", 2, "GraphQL introspection is off")
            .not_applicable("there is no GraphQL"),
        requirement("4.4.1", 1, "WebSockets go over TLS").not_applicable("there are no WebSockets"),
        requirement("4.4.2", 2, "The origin of a WebSocket handshake is checked")
            .not_applicable("there are no WebSockets"),
        requirement("4.4.3", 2, "WebSocket sessions have tokens of their own where needed")
            .not_applicable("there are no WebSockets"),
        requirement("4.4.4", 2, "WebSocket tokens are handed out in an authenticated session")
            .not_applicable("there are no WebSockets"),
    ],
};
