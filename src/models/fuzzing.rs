//! What e-mail addresses and password hashes promise, whatever text they are read from.

use super::{Email, Password, PasswordHash};

/// Any text as an e-mail address and as a stored password hash. An address that is taken has one
/// spelling apart from case, and fits into Basic credentials. What is no hash is nobody's password,
/// and what is one is of a bounded cost.
pub fn email_and_hash(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        hold_email(text);
        hold_hash(text);
    }
}

fn hold_email(text: &str) {
    let stored = serde_json::Value::from(text);
    let Ok(email) = Email::new(text) else {
        assert!(serde_json::from_value::<Email>(stored).is_err());
        return;
    };
    assert_eq!(email.as_str(), text);
    assert_eq!(serde_json::from_value::<Email>(stored).expect("as above"), email);
    assert!(text.is_ascii() && text.len() <= 254 && text.matches('@').count() == 1);
    assert!(!text.contains([':', ' ', '"']) && !text.contains(char::is_control));
    let key = email.key();
    assert!(!key.contains(char::is_uppercase));
    for other in [text.to_ascii_uppercase(), key.clone()] {
        let other = Email::new(&other).expect("case makes no difference");
        assert_eq!(other.key(), key);
    }
}

fn hold_hash(text: &str) {
    let hash: PasswordHash = serde_json::from_value(text.into()).expect("any text can be stored");
    assert_eq!(format!("{hash:?}"), "PasswordHash");
    let Some(cost) = hash.cost() else {
        assert!(hash.is_outdated(12) && !hash.verify(&Password::sent(String::new())));
        return;
    };
    assert!((4..=15).contains(&cost));
    // A form of plain bcrypt, and two with a name and a cost of one or two digits.
    assert!(text.is_ascii() && [60, 82, 83, 84].contains(&text.len()), "{text}");
    // Each further cost takes twice as long.
    if cost == 4 {
        assert!(!hash.verify(&Password::sent("nobody's".into())), "{text}");
    }
}
