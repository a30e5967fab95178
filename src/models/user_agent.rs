use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use serde::{Deserialize, Deserializer, Serialize};

/// The most bytes of a user agent that are kept.
pub(super) const MAX_BYTES: usize = 256;

/// What a client says it is, as kept with a session. Many say the same, so equal ones share one
/// text in memory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct UserAgent(Arc<str>);

impl UserAgent {
    /// Takes it without control characters and cut to 256 bytes.
    pub fn new(sent: &str) -> Self {
        let end = sent.floor_char_boundary(MAX_BYTES);
        Self::shared(&sent[..end].replace(char::is_control, " "))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn shared(text: &str) -> Self {
        static KNOWN: LazyLock<Mutex<Known>> = LazyLock::new(Mutex::default);
        Self(KNOWN.lock().unwrap_or_else(PoisonError::into_inner).share(text))
    }
}

impl<'de> Deserialize<'de> for UserAgent {
    /// Takes what is stored as it is.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Stored<'t>(#[serde(borrow)] Cow<'t, str>);
        Ok(Self::shared(&Stored::deserialize(deserializer)?.0))
    }
}

/// The texts in use, and some that were.
#[derive(Default)]
struct Known {
    texts: HashSet<Arc<str>>,
    /// At how many texts those that nobody uses any more are forgotten.
    forget_at: usize,
}

impl Known {
    /// Texts that are kept without a look at whether they are in use.
    const FEW: usize = 1024;

    fn share(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.texts.get(text) {
            return Arc::clone(known);
        }
        if self.texts.len() >= self.forget_at {
            self.texts.retain(|text| Arc::strong_count(text) > 1);
            // Twice as many as are in use: looking through them costs each new one the same.
            self.forget_at = (2 * self.texts.len()).max(Self::FEW);
        }
        let new = Arc::<str>::from(text);
        self.texts.insert(Arc::clone(&new));
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_cut_between_characters_and_holds_no_control_characters() {
        let agent = format!("a\r\n{}", "\u{e4}".repeat(200));
        let kept = UserAgent::new(&agent);
        assert!(kept.as_str().starts_with("a  \u{e4}") && kept.as_str().len() <= MAX_BYTES);
    }

    #[test]
    fn equal_ones_share_their_text() {
        let two = ["a browser", "a browser"].map(UserAgent::new);
        assert!(Arc::ptr_eq(&two[0].0, &two[1].0));
        let stored = serde_json::to_string(&two[0]).unwrap();
        assert_eq!(stored, "\"a browser\"");
        let read: UserAgent = serde_json::from_str(&stored).unwrap();
        assert!(Arc::ptr_eq(&two[0].0, &read.0));
    }

    #[test]
    fn those_that_nobody_uses_are_forgotten() {
        let mut known = Known::default();
        let kept = known.share("kept");
        for number in 0..10 * Known::FEW {
            drop(known.share(&number.to_string()));
        }
        assert!(known.texts.len() <= Known::FEW + 1, "{}", known.texts.len());
        assert!(Arc::ptr_eq(&kept, &known.share("kept")));
    }
}
