//! Cryptography.

use crate::registry::{Chapter, requirement};

pub const CHAPTER: Chapter = Chapter {
    title: "V11 Cryptography",
    rows: &[
        requirement("11.1.1", 2, "Key policy and life cycle")
            .unwritten("D: pre-hash key, TLS key, cookie key if any; test: D"),
        requirement("11.1.2", 2, "Inventory of keys, algorithms, certificates").unwritten(
            "D; test: D: generated from the crypto module; C: no crypto crate outside it",
        ),
        requirement("11.1.3", 3, "Discovery of cryptography")
            .unwritten("C; test: C: deny-list of crypto crates except the listed ones"),
        requirement("11.1.4", 3, "Migration plan (post-quantum)")
            .unwritten("D: rustls with hybrid key exchange; test: D; B: negotiated group reported"),
        requirement("11.2.1", 2, "Validated implementations")
            .unwritten("Y: ring or aws-lc-rs, RustCrypto; nothing home-made; test: C"),
        requirement("11.2.2", 2, "Agility").unwritten(
            "Y: hash format carries algorithm and cost, re-hash at login; test: I: old cost and \
             old scheme log in and are rewritten",
        ),
        requirement("11.2.3", 2, ">= 128 bits everywhere").unwritten("Y; test: I constants"),
        requirement("11.2.4", 3, "Constant time").unwritten(
            "Y: tokens looked up by hash, MAC and codes by constant-time compare; test: C: no \
             == on secret types (newtype without PartialEq)",
        ),
        requirement("11.2.5", 3, "Crypto fails closed").unwritten(
            "Y; test: I: malformed stored hash denies login and does not panic (bcrypt \
             RUSTSEC-2026-0199)",
        ),
        requirement("11.3.1", 1, "No weak modes").unwritten("Y: no own encryption; test: C"),
        requirement("11.3.2", 1, "Approved ciphers").unwritten("Y: TLS only; test: C/B"),
        requirement("11.3.3", 2, "Encrypted data cannot be changed unnoticed")
            .not_applicable("nothing is encrypted by the service itself"),
        requirement("11.3.4", 3, "Nonces are never used twice")
            .not_applicable("nothing is encrypted by the service itself"),
        requirement("11.3.5", 3, "Encrypt, then authenticate")
            .not_applicable("nothing is encrypted by the service itself"),
        requirement("11.4.1", 1, "No MD5/SHA-1").unwritten("Y; test: C: crates denied"),
        requirement(
            "11.4.2",
            2,
            "Password KDF with current cost (bcrypt >= 10; Argon2id 19 MiB t=2; ...)",
        )
        .unwritten(
            "Y; test: B data.secrets-at-rest; I: cost floor, and ceiling on read (Kratos limits \
             extreme parameters found in stored hashes)",
        ),
        requirement("11.4.3", 2, "Collision-resistant hashes >= 256 bits").unwritten(
            "Y: SHA-256 for tokens and journal checksums that matter for integrity; test: I",
        ),
        requirement("11.4.4", 2, "Stretched KDF when deriving keys from passwords")
            .unwritten("C: encrypted backups; test: I"),
        requirement("11.5.1", 2, "Unguessable values: CSPRNG, >= 128 bits, not UUIDs")
            .unwritten("Y: tokens, reset, invitation, CSRF; test: B cookie.entropy; I seam"),
        requirement("11.5.2", 3, "RNG good under load")
            .unwritten("Y: getrandom per token; test: I: 10^6 tokens on 32 threads, no duplicate"),
        requirement("11.6.1", 2, "Approved key generation and signatures")
            .unwritten("O: TLS keys; self-signed helper uses P-256; test: I"),
        requirement("11.6.2", 3, "Approved key exchange").unwritten("Y: rustls defaults; test: B"),
        requirement("11.7.1", 3, "Memory is encrypted while in use")
            .not_applicable("the machine's, and so its operator's"),
        requirement("11.7.2", 3, "Minimal exposure in memory").unwritten(
            "Y: zeroize passwords and tokens after use; test: C: types are Zeroizing; F: core \
             dump off (RLIMIT_CORE 0)",
        ),
    ],
};
