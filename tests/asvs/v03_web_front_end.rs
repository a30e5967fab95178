//! Web front end.

use crate::registry::{Chapter, requirement};

pub const CHAPTER: Chapter = Chapter {
    title: "V3 Web front end",
    rows: &[
        requirement("3.1.1", 3, "Which browser features are relied on")
            .unwritten("D: cookies, SameSite, __Host-, Fetch Metadata, HSTS; test: D"),
        requirement("3.2.1", 1, "Responses cannot be rendered in a wrong context")
            .unwritten("Y; test: B hdr.nosniff, hdr.csp; I: CSP sandbox or attachment on errors"),
        requirement("3.2.2", 1, "Text shown as text")
            .unwritten("C: admin UI; test: C: no HTML in the default build"),
        requirement("3.2.3", 3, "No DOM clobbering")
            .not_applicable("no page and no script is served"),
        requirement("3.3.1", 1, "Secure; __Host- or __Secure- name")
            .unwritten("Y; test: B cookie.secure-and-prefix on TLS"),
        requirement("3.3.2", 2, "SameSite fits the purpose").unwritten(
            "Y: Lax default, Strict option, None refused by config; test: B cookie.attributes; \
             I config",
        ),
        requirement("3.3.3", 2, "__Host- unless shared")
            .unwritten("Y; test: B cookie.secure-and-prefix"),
        requirement("3.3.4", 2, "HttpOnly, and the value travels only in Set-Cookie")
            .unwritten("Y; test: B cookie.attributes, cookie.one-per-response, global.no-leaks"),
        requirement("3.3.5", 3, "Name and value <= 4096 bytes")
            .unwritten("Y; test: B cookie.attributes; I: config refuses long names"),
        requirement("3.4.1", 1, "HSTS, one year, subdomains from L2")
            .unwritten("Y on TLS only; test: B hdr.hsts (both directions)"),
        requirement("3.4.2", 1, "CORS origin fixed or from a list").unwritten(
            "Y: off by default, exact list; test: B cors.reflection; I: null, suffix, case, \
             port variants",
        ),
        requirement("3.4.3", 2, "CSP with object-src/base-uri none").unwritten(
            "Y: default-src 'none'; base-uri 'none'; frame-ancestors 'none'; test: B hdr.csp",
        ),
        requirement("3.4.4", 2, "nosniff on all responses")
            .unwritten("Y; test: B hdr.nosniff, hdr.protocol-errors"),
        requirement("3.4.5", 2, "Referrer policy").unwritten("Y; test: B hdr.referrer-policy"),
        requirement("3.4.6", 2, "frame-ancestors on all responses").unwritten("Y; test: B hdr.csp"),
        requirement("3.4.7", 3, "CSP reporting location")
            .open("nothing is loaded that could be reported"),
        requirement("3.4.8", 3, "COOP on documents")
            .unwritten("C: HTML; cheap to send always; test: B header present when HTML is served"),
        requirement("3.5.1", 1, "Cross-site requests are recognized").unwritten(
            "Y: Fetch Metadata, Origin, custom header or token; test: B \
             csrf.cross-site-signals, csrf.login",
        ),
        requirement("3.5.2", 1, "No sensitive call without preflight")
            .unwritten("Y; test: B csrf.simple-content-types"),
        requirement("3.5.3", 1, "Unsafe effects only by unsafe methods")
            .unwritten("Y; test: B logout.safe-methods, method.override, login.method"),
        requirement("3.5.4", 2, "One application per host name")
            .operators("docs/CONTROLS.md#browsers", &[]),
        requirement("3.5.5", 2, "Messages between windows are checked for origin and form")
            .not_applicable("no script is served"),
        requirement("3.5.6", 3, "No JSONP")
            .unwritten("Y; test: B: ?callback=x changes nothing (part of hdr.content-type)"),
        requirement("3.5.7", 3, "No private data in script responses")
            .unwritten("Y; test: B hdr.content-type, hdr.corp"),
        requirement("3.5.8", 3, "Authenticated resources cannot be embedded")
            .unwritten("Y; test: B hdr.corp; I: Sec-Fetch-Dest: image with a cookie refused"),
        requirement("3.6.1", 3, "Scripts from elsewhere are pinned by their hashes")
            .not_applicable("no page is served"),
        requirement("3.7.1", 2, "Only client technologies that are still supported")
            .not_applicable("no page is served"),
        requirement("3.7.2", 2, "Redirect only to listed hosts").unwritten(
            "Y: no redirects at all; test: B path.unauthenticated-variants (Location checked)",
        ),
        requirement("3.7.3", 3, "A user is warned before he is sent to another host")
            .not_applicable("nothing redirects"),
        requirement("3.7.4", 3, "HSTS preload").unwritten("O; test: D"),
        requirement("3.7.5", 3, "A browser that lacks a needed feature is told or refused")
            .not_applicable("no page is served"),
    ],
};
