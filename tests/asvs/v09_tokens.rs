//! Self-contained tokens.

use crate::registry::{Chapter, requirement};

pub const CHAPTER: Chapter = Chapter {
    title: "V9 Self-contained tokens",
    rows: &[
        requirement("9.1.1", 1, "Signature or MAC is checked before the content counts")
            .not_applicable("session ids are references: they carry nothing"),
        requirement("9.1.2", 1, "Only listed algorithms, and never none")
            .not_applicable("session ids are references: they carry nothing"),
        requirement("9.1.3", 1, "Keys come from configured sources, not from the token")
            .not_applicable("session ids are references: they carry nothing"),
        requirement("9.2.1", 1, "The time span in a token is kept to")
            .not_applicable("session ids are references: they carry nothing"),
        requirement("9.2.2", 2, "A token is of the kind that the purpose needs")
            .not_applicable("session ids are references: they carry nothing"),
        requirement("9.2.3", 2, "A token is meant for this service")
            .not_applicable("session ids are references: they carry nothing"),
        requirement("9.2.4", 2, "Tokens for several services name theirs")
            .not_applicable("session ids are references: they carry nothing"),
    ],
};
