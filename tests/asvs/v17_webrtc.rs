//! WebRTC.

use crate::registry::{Chapter, requirement};

pub const CHAPTER: Chapter = Chapter {
    title: "V17 WebRTC",
    rows: &[
        requirement("17.1.1", 2, "A relay reaches no internal addresses")
            .not_applicable("no WebRTC: no relay, no media, no signalling"),
        requirement("17.1.2", 3, "A relay cannot be exhausted by many ports")
            .not_applicable("no WebRTC: no relay, no media, no signalling"),
        requirement("17.2.1", 2, "The DTLS key is private")
            .not_applicable("no WebRTC: no relay, no media, no signalling"),
        requirement("17.2.2", 2, "Strong DTLS suites and profiles")
            .not_applicable("no WebRTC: no relay, no media, no signalling"),
        requirement("17.2.3", 2, "Media packets are authenticated")
            .not_applicable("no WebRTC: no relay, no media, no signalling"),
        requirement("17.2.4", 2, "Malformed media packets do not stop the server")
            .not_applicable("no WebRTC: no relay, no media, no signalling"),
        requirement("17.2.5", 3, "A flood of media packets does not stop the server")
            .not_applicable("no WebRTC: no relay, no media, no signalling"),
        requirement("17.2.6", 3, "No race at the DTLS greeting")
            .not_applicable("no WebRTC: no relay, no media, no signalling"),
        requirement("17.2.7", 3, "A flood does not stop recording")
            .not_applicable("no WebRTC: no relay, no media, no signalling"),
        requirement("17.2.8", 3, "The DTLS certificate fits the announced fingerprint")
            .not_applicable("no WebRTC: no relay, no media, no signalling"),
        requirement("17.3.1", 2, "A flood of signals does not stop the server")
            .not_applicable("no WebRTC: no relay, no media, no signalling"),
        requirement("17.3.2", 2, "Malformed signals do not stop the server")
            .not_applicable("no WebRTC: no relay, no media, no signalling"),
    ],
};
