use std::fs::File;
use std::io::{self, BufRead as _, BufReader};
use std::str::FromStr;

use crate::models::Blocklist;

/// Passwords that are refused, read from the file that is named.
#[derive(Clone, Debug, Default)]
pub struct BlockedPasswords(pub Blocklist);

impl FromStr for BlockedPasswords {
    type Err = String;

    fn from_str(path: &str) -> Result<Self, String> {
        let unreadable = |cause: io::Error| format!("must be a readable file: {cause}");
        // Anything else could go on for ever.
        if !std::fs::metadata(path).map_err(unreadable)?.is_file() {
            return Err("must be a readable file: is no regular file".into());
        }
        let lines = BufReader::new(File::open(path).map_err(unreadable)?).split(b'\n');
        let lines = lines.collect::<io::Result<Vec<_>>>().map_err(unreadable)?;
        // What is no UTF-8 is no password of anybody here.
        let passwords = lines.into_iter().filter_map(|line| String::from_utf8(line).ok());
        let passwords = passwords.map(|line| line.trim_end_matches('\r').to_owned());
        Ok(Self(Blocklist::new(passwords)))
    }
}
