use sha2::Sha256;
use zeroize::Zeroizing;

use super::{Password, PasswordHash};

/// Costs of bcrypt hashes that are computed: 2^cost rounds.
const BCRYPT_COSTS: std::ops::RangeInclusive<u32> = 4..=15;
/// The most HMACs of a PBKDF2 hash.
const MAX_HMACS: u32 = 4_000_000;
/// The most memory of an Argon2id hash, in KiB, and the most KiB that it may pass over in all.
const MAX_ARGON2_KIB: u32 = 256 * 1024;
const MAX_ARGON2_KIB_PASSED: u32 = 1024 * 1024;
const MAX_ARGON2_LANES: u32 = 16;
/// The most memory of a scrypt hash, in bytes, and the most bytes that it may fill in all.
const MAX_SCRYPT_BYTES: u64 = 128 << 20;
const MAX_SCRYPT_BYTES_FILLED: u64 = 512 << 20;

/// What is computed to verify a password against a hash. Two hashes of the same work take the same
/// time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// bcrypt, by its cost.
    Bcrypt(u32),
    /// PBKDF2 with HMAC-SHA-256 (RFC 8018), by the number of HMACs.
    Pbkdf2(u32),
    /// Argon2id, version 19 (RFC 9106).
    Argon2id {
        /// Memory, in KiB.
        memory: u32,
        /// Passes over it.
        passes: u32,
        /// Lanes, which are computed one after another here.
        lanes: u32,
    },
    /// scrypt (RFC 7914).
    Scrypt {
        /// The logarithm of N to the base of 2.
        log_n: u8,
        /// r.
        block_size: u32,
        /// p; computed one after another here.
        parallelism: u32,
    },
}

impl Work {
    /// Whether this is done at all: a record that somebody has edited must take neither a core nor
    /// the memory away. The error names the bounds.
    pub(super) fn check(self) -> Result<(), String> {
        let (fits, bounds) = match self {
            Self::Bcrypt(cost) => {
                (BCRYPT_COSTS.contains(&cost), "bcrypt must have a cost of 4 to 15")
            }
            Self::Pbkdf2(hmacs) => (
                (1..=MAX_HMACS).contains(&hmacs),
                "PBKDF2 must have 1 to 4000000 rounds, for each 32 bytes of output",
            ),
            Self::Argon2id { memory, passes, lanes } => (
                (1..=MAX_ARGON2_LANES).contains(&lanes)
                    && (8 * lanes..=MAX_ARGON2_KIB).contains(&memory)
                    && (1..=MAX_ARGON2_KIB_PASSED / memory).contains(&passes),
                "argon2id must have p of 1 to 16, m of 8*p to 262144, and m*t of at most 1048576",
            ),
            Self::Scrypt { log_n, block_size, parallelism } => (
                log_n > 0
                    && scrypt::Params::new(log_n, block_size, parallelism).is_ok()
                    && scrypt_bytes(log_n, block_size) <= MAX_SCRYPT_BYTES
                    && scrypt_bytes(log_n, block_size).saturating_mul(parallelism.into())
                        <= MAX_SCRYPT_BYTES_FILLED,
                "scrypt must have N of 2 or more, N*r of at most 1048576 and N*r*p of at most 4194304",
            ),
        };
        if fits { Ok(()) } else { Err(bounds.into()) }
    }

    /// Does the work for nothing, so that it has been done.
    pub fn spend(self, password: &Password) {
        if let Self::Bcrypt(cost) = self {
            PasswordHash::of_nobody(cost).verify(password);
        } else {
            self.derive(password.bytes(), &[0; 16], &mut Zeroizing::new([0; 32])[..]);
        }
    }

    /// Fills `key` with what this makes of a password. `self` is within its bounds, and not bcrypt.
    pub(super) fn derive(self, password: &[u8], salt: &[u8], key: &mut [u8]) {
        const CHECKED: &str = "the bounds are those of the algorithm or tighter";
        match self {
            Self::Bcrypt(_) => unreachable!("bcrypt derives no key"),
            Self::Pbkdf2(rounds) => pbkdf2::pbkdf2_hmac::<Sha256>(password, salt, rounds, key),
            Self::Argon2id { memory, passes, lanes } => {
                let params = argon2::Params::new(memory, passes, lanes, None).expect(CHECKED);
                let mut blocks = vec![argon2::Block::default(); params.block_count()];
                argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params)
                    .hash_password_into_with_memory(password, salt, key, &mut blocks)
                    .expect(CHECKED);
            }
            Self::Scrypt { log_n, block_size, parallelism } => {
                let params = scrypt::Params::new(log_n, block_size, parallelism).expect(CHECKED);
                scrypt::scrypt(password, salt, &params, key).expect(CHECKED);
            }
        }
    }
}

/// The memory that scrypt takes.
fn scrypt_bytes(log_n: u8, block_size: u32) -> u64 {
    let n = 1_u64.checked_shl(log_n.into()).unwrap_or(u64::MAX);
    n.saturating_mul(128).saturating_mul(block_size.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn derived(work: Work, password: &str, salt: &str, length: usize) -> String {
        let mut key = vec![0; length];
        work.derive(password.as_bytes(), salt.as_bytes(), &mut key);
        key.iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"))
    }

    /// RFC 7914, 11: PBKDF2-HMAC-SHA-256.
    #[test]
    fn pbkdf2_is_that_of_the_rfc() {
        assert_eq!(
            derived(Work::Pbkdf2(1), "passwd", "salt", 64),
            "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc\
             49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783"
        );
        // The inputs of RFC 6070 with SHA-256.
        assert_eq!(
            derived(Work::Pbkdf2(4096), "password", "salt", 32),
            "c5e478d59288c841aa530db6845c4c8d962893a001ce4e11a4963873aa98134a"
        );
        let (password, salt) = ("passwordPASSWORDpassword", "saltSALTsaltSALTsaltSALTsaltSALTsalt");
        assert_eq!(
            derived(Work::Pbkdf2(4096), password, salt, 40),
            "348c89dbcbd32b2f32d814b8116e84cf2b17347ebc1800181c4e2a1fb8dd53e1c635518c7dac47e9"
        );
    }

    /// RFC 7914, 12.
    #[test]
    fn scrypt_is_that_of_the_rfc() {
        let work = |log_n, block_size, parallelism| Work::Scrypt { log_n, block_size, parallelism };
        assert_eq!(
            derived(work(4, 1, 1), "", "", 64),
            "77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442\
             fcd0069ded0948f8326a753a0fc81f17e8d3e0fb2e0d3628cf35e20c38d18906"
        );
        assert_eq!(
            derived(work(10, 8, 16), "password", "NaCl", 64),
            "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162\
             2eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640"
        );
    }
}
