//! What has gone wrong, in words for people, and at which field.

use std::time::Duration;

use super::view::Field;
use crate::error::{Code, Error, Result};
use crate::models::{MIN_CHARACTERS, Role};

/// What a new password must keep to, to be read before one is chosen.
pub fn password_rules() -> Vec<String> {
    vec![
        format!("At least {MIN_CHARACTERS} characters. Longer is better: a few words make a good one."),
        "Not one of the most common ones, nor made of the e-mail address or of the name of this service.".into(),
        "Any characters, blanks too. There is no need for digits or signs, nor to change it now and then.".into(),
    ]
}

/// What an error says.
pub fn of(error: &Error) -> String {
    let told: &str = match error.code() {
        Code::EmailMissing => "Please enter an e-mail address.",
        Code::EmailInvalid => "This is no e-mail address.",
        Code::EmailTaken => "Another user has this e-mail address.",
        Code::PasswordMissing | Code::NewPasswordMissing | Code::CurrentPasswordMissing => {
            "Please enter a password."
        }
        Code::PasswordTooShort => {
            return format!("Too short: at least {MIN_CHARACTERS} characters.");
        }
        Code::PasswordTooCommon => "This is one of the most common passwords. Choose another.",
        Code::PasswordGuessable => {
            "Everybody could guess this: it is made of the e-mail address or the name of this service."
        }
        Code::PasswordUnchanged => "This is the current password. Choose another.",
        Code::LoginFailed => "Wrong e-mail address or password.",
        Code::WrongPassword => "This is not the password.",
        Code::UserUnknown => "Nobody has this e-mail address.",
        Code::Throttled => return throttled(error),
        Code::Busy => "Too many people are logging in right now. Please try again in a moment.",
        Code::LastAdmin => "The last administrator who is not disabled must stay one.",
        Code::SentTwice => "Something was sent twice. Open the page again, and send it once.",
        _ => return sentence(&error.public_text()),
    };
    told.into()
}

fn throttled(error: &Error) -> String {
    let Error::TooManyAttempts(wait) = error else { return sentence(&error.public_text()) };
    format!("Too many wrong attempts. Please wait {}, and try again.", span(*wait))
}

fn span(wait: Duration) -> String {
    let seconds = wait.as_millis().div_ceil(1000).max(1);
    match (seconds, seconds.div_ceil(60)) {
        (1, _) => "a second".into(),
        (..90, _) => format!("{seconds} seconds"),
        (_, minutes) => format!("{minutes} minutes"),
    }
}

/// A text that stands for itself.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    let end = if text.ends_with('.') { "" } else { "." };
    format!("{first}{}{end}", letters.as_str())
}

/// What a role is called.
pub fn role(role: Role) -> &'static str {
    match role {
        Role::Admin => "an administrator",
        Role::User => "a user",
    }
}

/// Puts what is wrong with a name at its field; what is about neither is given back.
pub fn at_a_name(error: &Error, first: &mut Field, last: &mut Field) -> Result<(), String> {
    let told = error.public_text();
    let fields = [("first_name", first), ("last_name", last)];
    let named =
        fields.into_iter().find_map(|(name, field)| Some((told.strip_prefix(name)?, field)));
    let (rest, field) = named.ok_or_else(|| of(error))?;
    field.error = Some(sentence(&format!("it{rest}")));
    Ok(())
}

/// An error that the page of a form can tell, so that what was typed stays; any other is passed on.
pub fn of_a_form(error: Error) -> Result<Error> {
    match error {
        Error::BadRequest(_)
        | Error::Conflict(_)
        | Error::WrongPassword
        | Error::TooManyAttempts(_)
        | Error::Busy => Ok(error),
        Error::Unauthorized(_) | Error::NotFound(_)
            if matches!(
                error.code(),
                Code::LoginFailed | Code::WrongPassword | Code::UserUnknown
            ) =>
        {
            Ok(error)
        }
        other => Err(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_words_of_its_own_becomes_a_sentence() {
        let told = |text: &'static str| of(&Error::bad(Code::InvalidValue, text));
        assert_eq!(
            told("role must be \"admin\" or \"user\""),
            "Role must be \"admin\" or \"user\"."
        );
        assert_eq!(told(""), ".");
    }

    #[test]
    fn how_long_to_wait_is_told_in_whole_seconds_or_minutes() {
        for (milliseconds, told) in [
            (0, "a second"),
            (1_001, "2 seconds"),
            (89_000, "89 seconds"),
            (90_000, "2 minutes"),
            (121_000, "3 minutes"),
        ] {
            assert_eq!(span(Duration::from_millis(milliseconds)), told);
        }
    }
}
