//! The key that seals what the pages remember in browsers.
//!
//! Whoever has it can neither log in nor act as somebody else with it; if it is lost, so are a notice and a step
//! that somebody has begun.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha512};
use zeroize::Zeroizing;

use crate::error::Result;
use crate::random::{self, Random};

/// The file in the data directory.
const FILE: &str = "pages.key";
/// How many random bytes are in it, in base64.
const BYTES: usize = 32;
/// The bits of a file's mode by which others than its owner may do anything with it.
const NOT_OWNER: u32 = 0o077;

/// A key that is derived from a secret.
pub fn derived(secret: &str) -> [u8; 64] {
    Sha512::digest(secret).into()
}

/// The key in the data directory; it is made when it is missing. Where a disk takes no file, the
/// pages remember until the service ends. The error is one line.
pub fn in_directory(directory: &Path, random: &dyn Random) -> Result<[u8; 64], String> {
    let path = directory.join(FILE);
    let told = |what: &str| format!("{}: {what}", path.display());
    match read(&path) {
        Ok(secret) if is_key(&secret) => return Ok(derived(secret.trim_end())),
        Ok(_) => return Err(told("is no key; remove it, and another one is made")),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => {}
        Err(cause) => return Err(told(&cause.to_string())),
    }
    let secret =
        Zeroizing::new(random::bytes::<BYTES>(random).map_err(|error| told(&error.to_string()))?);
    let secret = Zeroizing::new(STANDARD.encode(*secret));
    if let Err(cause) = write(&path, &secret) {
        log::warn!("{}", told(&format!("{cause}: what the pages remember ends with this process")));
    }
    Ok(derived(&secret))
}

/// What is in the file, which is for its owner alone from here on.
fn read(path: &Path) -> io::Result<Zeroizing<String>> {
    let mode = fs::metadata(path)?.permissions().mode();
    if mode & NOT_OWNER != 0 {
        fs::set_permissions(path, fs::Permissions::from_mode(mode & !NOT_OWNER))?;
    }
    fs::read_to_string(path).map(Zeroizing::new)
}

fn is_key(text: &str) -> bool {
    STANDARD.decode(text.trim_end()).is_ok_and(|key| key.len() == BYTES)
}

/// Writes a file that is whole or not there: half a key would be none.
fn write(path: &Path, secret: &str) -> io::Result<()> {
    let unfinished = path.with_extension("key.tmp");
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&unfinished)?;
    file.write_all(format!("{secret}\n").as_bytes())?;
    file.sync_all()?;
    fs::rename(&unfinished, path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SystemRandom;

    struct Folder(std::path::PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("sessiond-{name}-{}", std::process::id()));
            fs::create_dir_all(&path).unwrap();
            Self(path)
        }

        fn key(&self) -> Result<[u8; 64], String> {
            in_directory(&self.0, &SystemRandom)
        }

        fn mode(&self) -> u32 {
            fs::metadata(self.0.join(FILE)).unwrap().permissions().mode() & 0o777
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_key_is_made_once_for_its_owner_alone() {
        let (one, other) = (Folder::new("key-one"), Folder::new("key-other"));
        let key = one.key().unwrap();
        assert_eq!(one.key().unwrap(), key);
        assert_ne!(other.key().unwrap(), key);
        assert_eq!(one.mode(), 0o600);
        // A copy may have opened it.
        fs::set_permissions(one.0.join(FILE), fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(one.key().unwrap(), key);
        assert_eq!(one.mode(), 0o600);
    }

    #[test]
    fn what_is_no_key_is_named_and_stays() {
        let folder = Folder::new("key-damaged");
        for damaged in ["", "x", "AAAA\n"] {
            fs::write(folder.0.join(FILE), damaged).unwrap();
            let refused = folder.key().unwrap_err();
            assert!(refused.ends_with("pages.key: is no key; remove it, and another one is made"));
            assert_eq!(fs::read_to_string(folder.0.join(FILE)).unwrap(), damaged);
        }
    }

    #[test]
    fn where_no_file_can_be_made_there_is_a_key_all_the_same() {
        let nowhere = std::env::temp_dir().join("sessiond-key-nowhere/x");
        assert!(in_directory(&nowhere, &SystemRandom).is_ok());
    }

    #[test]
    fn one_secret_makes_one_key() {
        assert_eq!(derived("x"), derived("x"));
        assert_ne!(derived("x"), derived("y"));
    }
}
