//! API and web service.

use crate::registry::{Chapter, requirement};

pub const CHAPTER: Chapter = Chapter {
    title: "V4 API and web service",
    rows: &[
        requirement("4.1.1", 1, "Content type right on each body")
            .unwritten("Y; test: B hdr.content-type, error.shape"),
        requirement("4.1.2", 2, "No transparent http->https redirect for API")
            .unwritten("Y; test: B tls.no-plain-http"),
        requirement("4.1.3", 2, "Intermediary headers cannot be forged").unwritten(
            "Y; test: B trust.*, throttle.header-spoofing; I: proxy list, PROXY protocol read \
             once per connection",
        ),
        requirement("4.1.4", 3, "Only used methods work")
            .unwritten("Y; test: B method.405-with-allow, login.method"),
        requirement("4.1.5", 3, "Highly sensitive messages are signed one by one").not_applicable(
            "sessions and passwords are the only proofs; TLS protects the transport",
        ),
        requirement("4.2.1", 2, "Unambiguous framing").unwritten(
            "Y (HTTP/1.1 and HTTP/2); test: B http.smuggling; I: HTTP/2 content-length mismatch \
             refused",
        ),
        requirement("4.2.2", 3, "Our Content-Length is right")
            .unwritten("Y; test: B method.head-equals-get; I: proptest bodies"),
        requirement("4.2.3", 3, "No connection headers in HTTP/2")
            .unwritten("Y if h2 on; test: I with raw h2 client"),
        requirement("4.2.4", 3, "No CR/LF in HTTP/2 fields").unwritten("Y if h2 on; test: I"),
        requirement("4.2.5", 3, "We never emit over-long URIs or headers")
            .unwritten("C: outbound calls; test: I"),
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
