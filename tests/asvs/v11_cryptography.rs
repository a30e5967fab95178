//! Cryptography.

pub mod inventory;
pub mod passwords;
pub mod secrets;
pub mod tls;

use std::fs;

use crate::harness::Program;
use crate::pages;
use crate::registry::{Chapter, requirement};

pub const CHAPTER: Chapter = Chapter {
    title: "V11 Cryptography",
    rows: &[
        requirement("11.1.1", 2, "Key policy and life cycle").documented(
            "docs/CONTROLS.md#keys",
            &[("the keys are those that the sources use", inventory::keys_are_documented)],
        ),
        requirement("11.1.2", 2, "Inventory of keys, algorithms, certificates").documented(
            "docs/CONTROLS.md#algorithms",
            &[
                ("each source that uses cryptography is listed", inventory::uses_are_documented),
                ("the costs are those of the settings", inventory::costs_are_documented),
            ],
        ),
        requirement("11.1.3", 3, "Discovery of cryptography").documented(
            "docs/CONTROLS.md#algorithms",
            &[(
                "each crate of cryptography in the tree is named",
                inventory::libraries_are_documented,
            )],
        ),
        requirement("11.1.4", 3, "Migration plan (post-quantum)").documented(
            "docs/CONTROLS.md#another-algorithm",
            &[(
                "there is no hybrid key exchange as long as it says so",
                inventory::the_plan_is_todays,
            )],
        ),
        requirement("11.2.1", 2, "Validated implementations").tested(&[(
            "what is stored is what the named libraries make",
            passwords::stored_hashes_are_the_libraries,
        )]),
        requirement("11.2.2", 2, "Agility").tested(&[
            ("a login renews a hash of another cost", passwords::another_cost_is_renewed),
            ("a login renews a hash of the classic form", passwords::the_classic_form_is_renewed),
        ]),
        requirement("11.2.3", 2, ">= 128 bits everywhere")
            .tested(&[("salts have 128 bits and ids 256", passwords::salts_and_ids_are_long)]),
        requirement("11.2.4", 3, "Constant time").tested(&[(
            "secrets have no comparison of their own",
            inventory::secrets_are_not_compared,
        )]),
        requirement("11.2.5", 3, "Crypto fails closed").tested(&[
            (
                "a stored text that is no hash is nobody's password",
                passwords::damaged_hashes_refuse,
            ),
            (
                "without randomness nothing secret is made",
                secrets::without_randomness_nothing_is_made,
            ),
        ]),
        requirement("11.3.1", 1, "No weak modes").tested(&[(
            "the state of the pages is sealed with AES-256-GCM, and nothing else encrypts",
            inventory::only_the_state_of_the_pages_is_encrypted,
        )]),
        requirement("11.3.2", 1, "Approved ciphers").tested(&[
            ("TLS has AES-GCM and ChaCha20-Poly1305, and nothing else", tls::ciphers_are_approved),
            (
                "the state of the pages is sealed with AES-256-GCM, and nothing else encrypts",
                inventory::only_the_state_of_the_pages_is_encrypted,
            ),
        ]),
        requirement("11.3.3", 2, "Encrypted data cannot be changed unnoticed")
            .tested(&[("a state of the pages that was changed is none", pages::a_changed_state_is_none)]),
        requirement("11.3.4", 3, "Nonces are never used twice")
            .tested(&[("each state of the pages has its own", pages::no_nonce_is_used_twice)]),
        requirement("11.3.5", 3, "Encrypt, then authenticate").tested(&[
            (
                "the state of the pages is sealed with AES-256-GCM, and nothing else encrypts",
                inventory::only_the_state_of_the_pages_is_encrypted,
            ),
            ("a state of the pages that was changed is none", pages::a_changed_state_is_none),
        ]),
        requirement("11.4.1", 1, "No MD5/SHA-1")
            .tested(&[("SHA-2 is the only general hash", inventory::sha_2_is_the_only_hash)]),
        requirement(
            "11.4.2",
            2,
            "Password KDF with current cost (bcrypt >= 10; Argon2id 19 MiB t=2; ...)",
        )
        .tested(&[
            ("bcrypt has cost 12, and never less than 10", passwords::bcrypt_has_its_cost),
            (
                "a stored hash of absurd cost is not computed",
                passwords::absurd_costs_are_not_computed,
            ),
        ]),
        requirement("11.4.3", 2, "Collision-resistant hashes >= 256 bits").tested(&[(
            "a session is kept under all 256 bits",
            secrets::sessions_are_kept_under_sha_256,
        )]),
        requirement("11.4.4", 2, "Stretched KDF when deriving keys from passwords")
            .not_applicable("no key is derived from a password: `PAGES_KEY` is one already, and is refused when it is short"),
        requirement("11.5.1", 2, "Unguessable values: CSPRNG, >= 128 bits, not UUIDs").tested(&[
            (
                "a session id is what the randomness gave, and all of it",
                secrets::ids_are_the_randomness,
            ),
            ("all randomness is the system's", secrets::randomness_is_the_systems),
        ]),
        requirement("11.5.2", 3, "RNG good under load").tested(&[(
            "ids drawn on many threads at once all differ",
            secrets::ids_differ_under_load,
        )]),
        requirement("11.6.1", 2, "Approved key generation and signatures").operators(
            "docs/CONTROLS.md#keys",
            &[
                (
                    "P-256, P-384 and Ed25519 sign, RSA of 1024 bits does not",
                    tls::keys_are_approved,
                ),
                ("the service makes no key pairs", tls::no_key_pairs_are_made),
            ],
        ),
        requirement("11.6.2", 3, "Approved key exchange").tested(&[(
            "keys are exchanged over X25519, P-256 and P-384, and nothing else",
            tls::exchanges_are_approved,
        )]),
        requirement("11.7.1", 3, "Memory is encrypted while in use")
            .not_applicable("the machine's, and so its operator's"),
        requirement("11.7.2", 3, "Minimal exposure in memory").tested(&[
            ("passwords and ids are wiped, and cannot be printed", secrets::secrets_are_wiped),
            ("the program forbids core dumps", secrets::core_dumps_are_forbidden),
        ]),
    ],
};

fn read(program: &Program, file: &str) -> String {
    fs::read_to_string(program.data().join(file)).unwrap()
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"))
}
