//! The only source of randomness.

use std::io;

/// Fills buffers with bytes that nobody can guess.
pub trait Random: Send + Sync {
    /// Fills `bytes`, or fails; never leaves them guessable on success.
    fn fill(&self, bytes: &mut [u8]) -> io::Result<()>;
}

/// The operating system's cryptographic random number generator (ASVS 11.5.1).
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&self, bytes: &mut [u8]) -> io::Result<()> {
        getrandom::fill(bytes).map_err(|cause| io::Error::other(cause.to_string()))
    }
}

/// `N` random bytes.
pub fn bytes<const N: usize>(random: &dyn Random) -> crate::error::Result<[u8; N]> {
    let mut bytes = [0; N];
    random
        .fill(&mut bytes)
        .map_err(|cause| crate::error::Error::unavailable("randomness", cause))?;
    Ok(bytes)
}
