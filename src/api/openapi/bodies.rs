//! Bodies of requests and plain answers: what `Fields` are asked for, and what `json!` says.
#![expect(dead_code, reason = "they are read and written by name, and documented here")]

use serde_json::json;
use utoipa::ToSchema;
use utoipa::openapi::schema::{ObjectBuilder, OneOfBuilder, Schema};
use utoipa::openapi::{RefOr, Type};

use super::parameters;

/// What a user may do.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
pub enum Role {
    /// Deal with himself.
    User,
    /// Deal with everybody.
    Admin,
}

const REMEMBER: &str = "Whether to stay logged in for longer, also when the browser is closed.";

/// Words that say yes or no in a form: an empty field says no.
const WORDS: [&str; 9] = ["true", "false", "on", "off", "yes", "no", "1", "0", ""];

/// Yes or no as a form has it.
fn word() -> RefOr<Schema> {
    let word = parameters::text().enum_values(Some(WORDS)).default(Some(json!("false")));
    Schema::from(word.description(Some(REMEMBER)).build()).into()
}

/// Yes or no in JSON: a boolean, 1 or 0, or a word that forms send.
fn flag() -> RefOr<Schema> {
    let number = ObjectBuilder::new().schema_type(Type::Integer);
    let word = parameters::text().enum_values(Some(WORDS));
    let schema = OneOfBuilder::new()
        .description(Some(REMEMBER))
        .item(ObjectBuilder::new().schema_type(Type::Boolean))
        .item(number.enum_values(Some([0, 1])))
        .item(word)
        .item(ObjectBuilder::new().schema_type(Type::Null))
        .default(Some(json!(false)));
    Schema::from(schema.build()).into()
}

/// A role, or null for the one that he has.
fn another_role() -> RefOr<Schema> {
    let schema = OneOfBuilder::new()
        .description(Some("What he may do. Another role needs a fresh login."))
        .item(parameters::role())
        .item(ObjectBuilder::new().schema_type(Type::Null));
    Schema::from(schema.build()).into()
}

/// A login in JSON.
#[derive(ToSchema)]
pub struct Login {
    /// The e-mail address, in upper or lower case.
    #[schema(min_length = 1, example = "admin@example.com")]
    email: String,
    /// The password.
    #[schema(min_length = 1, format = Password, example = "correct horse 1")]
    password: String,
    #[schema(schema_with = flag, required = false)]
    remember: Option<bool>,
}

/// A login as a form.
#[derive(ToSchema)]
pub struct LoginForm {
    /// The e-mail address, in upper or lower case.
    #[schema(min_length = 1, example = "admin@example.com")]
    email: String,
    /// The password.
    #[schema(min_length = 1, format = Password, example = "correct horse 1")]
    password: String,
    #[schema(schema_with = word, required = false)]
    remember: Option<bool>,
}

/// A password, given once more.
#[derive(ToSchema)]
pub struct PasswordProof {
    /// The password of whoever is speaking.
    #[schema(min_length = 1, format = Password, example = "correct horse 1")]
    password: String,
}

/// A password that comes along where a login must be fresh.
#[derive(ToSchema)]
pub struct FreshProof {
    /// The password of whoever is speaking; without it the login must be fresh.
    #[schema(format = Password, nullable = false, example = "correct horse 1")]
    current_password: Option<String>,
}

/// A user to be made.
#[derive(ToSchema)]
pub struct NewUser {
    /// An address in ASCII, which nobody has yet, in upper or lower case.
    #[schema(min_length = 1, max_length = 254, format = Email, example = "bob@example.com")]
    email: String,
    /// At least 8 characters, at most 256 bytes in UTF-8, none that everybody guesses.
    #[schema(min_length = 8, max_length = 256, format = Password, example = "a good one 7")]
    password: String,
    #[schema(max_length = 256, example = "Bob")]
    first_name: Option<String>,
    #[schema(max_length = 256, example = "Dylan")]
    last_name: Option<String>,
    /// Whether he must change the password before anything else.
    #[schema(default = false)]
    must_change: Option<bool>,
}

/// What is to be different about a user; null and what is left out stay.
#[derive(ToSchema)]
pub struct UserChange {
    #[schema(max_length = 256, example = "Robert")]
    first_name: Option<String>,
    #[schema(max_length = 256, example = "Zimmerman")]
    last_name: Option<String>,
    #[schema(schema_with = another_role, required = false)]
    role: Option<Role>,
    /// Whether he is locked out; that ends his sessions.
    disabled: Option<bool>,
    /// The password of whoever is speaking, where the login is not fresh.
    #[schema(format = Password)]
    current_password: Option<String>,
}

/// Another password. Whoever changes his own gives the current one; an admin who sets somebody
/// else's does not, while his login is fresh.
#[derive(ToSchema)]
pub struct PasswordChange {
    /// The password of whoever is speaking.
    #[schema(format = Password, example = "correct horse 1")]
    current_password: Option<String>,
    /// At least 8 characters, at most 256 bytes in UTF-8, none that everybody guesses.
    #[schema(min_length = 8, max_length = 256, format = Password, example = "correct horse 2")]
    new_password: String,
    /// Whether the user must change it before anything else. Of somebody else's password alone.
    #[schema(default = true)]
    must_change: Option<bool>,
}

/// Schemas of what is taken: members that are not known are ignored. Those of what is told have no
/// other members.
pub const TAKEN: [&str; 7] = [
    "Login",
    "LoginForm",
    "PasswordProof",
    "FreshProof",
    "NewUser",
    "UserChange",
    "PasswordChange",
];

/// Nothing to tell: `{}`.
#[derive(ToSchema)]
pub struct Nothing {}

/// The service is up.
#[derive(ToSchema)]
pub struct Status {
    /// Always `OK`.
    #[schema(pattern = "^OK$", example = "OK")]
    status: String,
}

/// How many there are.
#[derive(ToSchema)]
pub struct Stats {
    /// How many users.
    #[schema(example = 3)]
    users: u64,
}
