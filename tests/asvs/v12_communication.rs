//! Secure communication.

use crate::registry::{Chapter, requirement};

pub const CHAPTER: Chapter = Chapter {
    title: "V12 Secure communication",
    rows: &[
        requirement("12.1.1", 1, "TLS 1.2 and 1.3 only, newest preferred")
            .unwritten("Y; test: B tls.versions"),
        requirement("12.1.2", 2, "Good suites, strongest first, forward secrecy")
            .unwritten("Y; test: B: handshake with a CBC/RSA-only client fails"),
        requirement("12.1.3", 2, "Client certificates verified").unwritten(
            "C: mTLS; test: I: wrong CA, expired, wrong usage; fails closed when the CA file is \
             unreadable (Caddy CVE-2026-27586)",
        ),
        requirement("12.1.4", 3, "Revocation, OCSP stapling")
            .unwritten("O; test: D; I: stapled file is sent"),
        requirement("12.1.5", 3, "Encrypted Client Hello")
            .unwritten("O: not offered by the server library; document; test: D"),
        requirement("12.2.1", 1, "TLS for all outside HTTP, no fallback").unwritten(
            "Y: plain http only on loopback unless forced by a flag with a long name; test: B \
             tls.no-plain-http; I: start with public bind and no TLS refused",
        ),
        requirement("12.2.2", 1, "Public certificates outside").unwritten("O; test: D"),
        requirement("12.3.1", 2, "Encrypted protocols everywhere, metrics included")
            .unwritten("O + Y for our listener of metrics; test: I"),
        requirement("12.3.2", 2, "Our TLS clients validate").unwritten(
            "C: outbound; test: I: wrong host refused (lettre RUSTSEC-2026-0141 is the warning)",
        ),
        requirement("12.3.3", 2, "Internal HTTP encrypted")
            .unwritten("O: proxy to service; test: D"),
        requirement("12.3.4", 2, "Trust only named internal CAs").unwritten("C; test: I"),
        requirement("12.3.5", 3, "Strong service identity")
            .unwritten("C: mTLS between proxy and service; test: I"),
    ],
};
