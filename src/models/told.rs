use std::fmt;
use std::sync::OnceLock;

use bytes::Bytes;

/// What is told of a record, put into bytes once. It lives as long as the record: a copy, which is
/// made to be changed, begins without.
#[derive(Default)]
pub struct Told(OnceLock<Bytes>);

impl Told {
    /// What is told, which is put into bytes by `tell` when it has not been told before.
    pub(super) fn once(&self, tell: impl FnOnce() -> Vec<u8>) -> Bytes {
        self.0.get_or_init(|| tell().into_boxed_slice().into()).clone()
    }
}

impl Clone for Told {
    fn clone(&self) -> Self {
        Self::default()
    }
}

/// It follows from the record, and makes no difference.
impl PartialEq for Told {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl fmt::Debug for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Told")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_told_once_and_a_copy_begins_anew() {
        let told = Told::default();
        let first = told.once(|| b"first".to_vec());
        assert_eq!(first, "first");
        assert_eq!(told.once(|| unreachable!("it has been told")), "first");
        assert_eq!(told.clone().once(|| b"second".to_vec()), "second");
    }
}
