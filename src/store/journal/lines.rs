//! The lines of a journal, and the checksums that hold them together.

use sha2::{Digest as _, Sha256};

use crate::store::record::Record;

/// Names the format; raised when a reader of this version could not read what is written.
pub const FORMAT: &str = "sessiond journal 1";
/// What stands between the header and the checksum of the journal before.
const AFTER: &str = " after ";
/// Characters of a checksum.
pub const CHECKSUM: usize = 16;

/// The checksum of everything up to here.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Chain([u8; 8]);

impl Chain {
    pub fn start(header: &str) -> Self {
        Self([0; 8]).next(header.as_bytes())
    }

    pub fn next(self, payload: &[u8]) -> Self {
        let digest = Sha256::new().chain_update(self.0).chain_update(payload).finalize();
        let mut cut = [0; 8];
        cut.copy_from_slice(&digest[..8]);
        Self(cut)
    }

    pub fn hex(self) -> String {
        format!("{:016x}", u64::from_be_bytes(self.0))
    }

    fn read(hex: &str) -> Option<Self> {
        Self::written(hex.as_bytes()).filter(|_| hex.len() == CHECKSUM)
    }

    /// The checksum that these bytes begin with, whether or not it is the right one.
    pub fn written(bytes: &[u8]) -> Option<Self> {
        let hex = std::str::from_utf8(bytes.get(..CHECKSUM)?).ok()?;
        let chain = Self(u64::from_str_radix(hex, 16).ok()?.to_be_bytes());
        (chain.hex() == hex).then_some(chain)
    }
}

/// The first line.
pub fn header<R: Record>() -> String {
    format!("{FORMAT} {}", R::CLASS)
}

/// The header of a journal that goes on after nothing.
pub fn plain(header: &str) -> &str {
    header.split_once(AFTER).map_or(header, |(plain, _)| plain)
}

/// The header of a journal that goes on after one that ends with this checksum.
pub fn header_after(header: &str, end: Chain) -> String {
    format!("{}{AFTER}{}", plain(header), end.hex())
}

/// The header in this line, if it is one, and the checksum after which it goes on.
pub fn read_header<R: Record>(line: &[u8]) -> Option<(String, Option<Chain>)> {
    let line = std::str::from_utf8(line).ok()?;
    let after = match line.strip_prefix(&header::<R>())? {
        "" => None,
        rest => Some(rest.strip_prefix(AFTER).and_then(Chain::read)?),
    };
    Some((line.to_owned(), after))
}

/// What a line holds, if it fits its checksum and comes after `chain`.
pub fn verify(chain: Chain, line: &[u8]) -> Result<(Chain, &[u8]), &'static str> {
    let (checksum, payload) = line
        .split_at_checked(CHECKSUM)
        .and_then(|(checksum, rest)| Some((checksum, rest.strip_prefix(b" ")?)))
        .ok_or("is no journal line")?;
    let chain = chain.next(payload);
    if checksum != chain.hex().as_bytes() {
        return Err("does not fit its checksum");
    }
    Ok((chain, payload))
}

/// Writes a line per payload after those that end with this checksum; tells the new end.
pub fn write_lines(mut chain: Chain, payloads: &[Vec<u8>], bytes: &mut Vec<u8>) -> Chain {
    for payload in payloads {
        chain = chain.next(payload);
        bytes.extend_from_slice(chain.hex().as_bytes());
        bytes.push(b' ');
        bytes.extend_from_slice(payload);
        bytes.push(b'\n');
    }
    chain
}

/// A whole journal, of a line per payload.
pub fn content<R: Record>(payloads: &[Vec<u8>]) -> Vec<u8> {
    let header = header::<R>();
    let mut bytes = format!("{header}\n").into_bytes();
    write_lines(Chain::start(&header), payloads, &mut bytes);
    bytes
}
