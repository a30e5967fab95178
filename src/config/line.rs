//! What the parser of settings and commands complains of, in one line.

use clap::error::{ContextKind, ContextValue, ErrorKind};

/// A bad setting or command line in one line: what, its value, and what is allowed.
pub fn one_line(error: &clap::Error) -> String {
    let (argument, value) =
        (context(error, ContextKind::InvalidArg), context(error, ContextKind::InvalidValue));
    match (error.kind(), argument, value) {
        // "--api-port <API_PORT>": the name in angle brackets is that of the variable.
        (ErrorKind::ValueValidation, Some(argument), Some(value)) => {
            let name = argument.rsplit('<').next().unwrap_or_default().trim_end_matches('>');
            let allowed =
                std::error::Error::source(error).map_or_else(String::new, ToString::to_string);
            format!("{name}='{value}': {allowed}")
        }
        (ErrorKind::MissingRequiredArgument, Some(missing), _) => {
            format!("{missing} is missing (see --help)")
        }
        _ => {
            let text = error.to_string();
            let line = text.lines().next().unwrap_or_default();
            format!("{} (see --help)", line.strip_prefix("error: ").unwrap_or(line))
        }
    }
}

fn context(error: &clap::Error, kind: ContextKind) -> Option<String> {
    match error.get(kind)? {
        ContextValue::String(text) => Some(text.clone()),
        ContextValue::Strings(texts) => Some(texts.join(", ")),
        _ => None,
    }
}
