//! Parameters of paths and queries.

use serde_json::{Value, json};
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{KnownFormat, Object, ObjectBuilder, OneOfBuilder, Schema};
use utoipa::openapi::{RefOr, Required, SchemaFormat, Type};

/// Words that say yes or no in a query.
const WORDS: [&str; 8] = ["true", "false", "on", "off", "yes", "no", "1", "0"];

/// A text.
pub fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

/// The name of a role.
pub fn role() -> ObjectBuilder {
    text().enum_values(Some(["user", "admin"]))
}

/// A word that says yes or no, or `default`.
fn flag(default: bool) -> ObjectBuilder {
    text().enum_values(Some(WORDS)).default(Some(json!(default.to_string())))
}

fn uuid() -> Object {
    text().format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid))).build()
}

fn in_path(name: &str, what: &str, example: Value, schema: impl Into<Schema>) -> Parameter {
    let parameter = ParameterBuilder::new().name(name).parameter_in(ParameterIn::Path);
    let parameter = parameter.required(Required::True).description(Some(what));
    parameter.example(Some(example)).schema(Some(RefOr::T(schema.into()))).build()
}

fn in_query(name: &str, what: &str, schema: impl Into<Schema>) -> Parameter {
    let parameter = ParameterBuilder::new().name(name).parameter_in(ParameterIn::Query);
    let parameter = parameter.required(Required::False).description(Some(what));
    parameter.schema(Some(RefOr::T(schema.into()))).build()
}

/// A header of a request, which may be any text.
pub fn in_header(name: &str, what: &str) -> Parameter {
    let parameter = ParameterBuilder::new().name(name).parameter_in(ParameterIn::Header);
    let parameter = parameter.required(Required::False).description(Some(what));
    parameter.schema(Some(RefOr::T(text().build().into()))).build()
}

fn somebody() -> Parameter {
    let schema = OneOfBuilder::new().item(text().enum_values(Some(["me"]))).item(uuid()).build();
    in_path("id", "The id of a user, or `me` for whoever is speaking.", json!("me"), schema)
}

/// A user, by his id.
pub struct ById;

impl IntoParams for ById {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let example = json!("6f0b3c2e-8a4d-4c11-9d25-0a7b6f1c2d3e");
        vec![in_path("id", "The id of a user.", example, uuid())]
    }
}

/// A user, by his id or as whoever is speaking.
pub struct Somebody;

impl IntoParams for Somebody {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![somebody()]
    }
}

/// A session of a user.
pub struct SessionOf;

impl IntoParams for SessionOf {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let example = json!("0d9e1f57-3b6c-4f0a-8e21-5c4d7a9b1e60");
        let what = "The public id of a session, as the list of sessions tells it.";
        vec![somebody(), in_path("session", what, example, uuid())]
    }
}

/// Which users.
pub struct Page;

impl IntoParams for Page {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let number = ObjectBuilder::new().schema_type(Type::Integer);
        let limit = number.minimum(Some(1)).maximum(Some(1000)).default(Some(json!(1000)));
        let email = "Only the user with this e-mail address, in upper or lower case. The other two \
                     do not count then.";
        vec![
            in_query("limit", "How many at most.", limit.build()),
            in_query(
                "after",
                "Only users that were made after this one, who must be there.",
                uuid(),
            ),
            in_query("email", email, text().build()),
        ]
    }
}

/// Which sessions.
pub struct All;

impl IntoParams for All {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![in_query("all", "Whether the session in use ends too.", flag(false).build())]
    }
}

/// What a reverse proxy wants to know, and what it tells.
pub struct Verify;

/// What a reverse proxy tells of the request that it asks about: names, and what each is.
const TOLD: [(&str, &str); 7] = [
    ("X-Forwarded-Method", "Its method, as Traefik and Caddy tell it; else that of the question."),
    ("X-Forwarded-Proto", "Its scheme; else that of this service."),
    ("X-Forwarded-Host", "Its host; else `Host`."),
    ("X-Forwarded-Uri", "Its path and query, as Traefik and Caddy tell them."),
    ("X-Original-Method", "Its method, as nginx tells it."),
    ("X-Original-URL", "Its whole address, as nginx tells it."),
    ("X-Original-URI", "Its path and query, as nginx tells them."),
];

impl IntoParams for Verify {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let role = role().default(Some(json!("user"))).build();
        let redirect = "Whether a browser that wants a page (`GET` with `Accept: text/html`) is sent \
                        to log in, where one can, in place of a 401.";
        let asked = [
            in_query("role", "The role that the user must have; admins have both.", role),
            in_query("touch", "Whether this counts as a use of the session.", flag(true).build()),
            in_query("redirect", redirect, flag(false).build()),
        ];
        asked.into_iter().chain(TOLD.map(|(name, what)| in_header(name, what))).collect()
    }
}
