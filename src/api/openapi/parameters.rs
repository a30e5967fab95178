//! Parameters of paths and queries.
#![expect(dead_code, reason = "they are read by name, and documented here")]
#![expect(unused_qualifications, reason = "what the macro makes of `inline`")]

use serde_json::json;
use utoipa::openapi::schema::{KnownFormat, Object, ObjectBuilder, OneOfBuilder, Schema};
use utoipa::openapi::{SchemaFormat, Type};
use utoipa::{IntoParams, ToSchema};

/// A word that says yes or no.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
pub enum Flag {
    True,
    False,
    On,
    Off,
    Yes,
    No,
    #[schema(rename = "1")]
    One,
    #[schema(rename = "0")]
    Zero,
}

fn uuid() -> Object {
    let format = SchemaFormat::KnownFormat(KnownFormat::Uuid);
    ObjectBuilder::new().schema_type(Type::String).format(Some(format)).build()
}

/// The id of a user, or `me`.
fn somebody() -> Schema {
    let me = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(["me"]));
    OneOfBuilder::new().item(me).item(uuid()).examples([json!("me")]).build().into()
}

/// A user, by his id.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub struct ById {
    /// The id of a user.
    #[param(value_type = Uuid)]
    id: String,
}

/// A user, by his id or as whoever is speaking.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub struct Somebody {
    /// The id of a user, or `me` for whoever is speaking.
    #[param(schema_with = somebody)]
    id: String,
}

/// A session of a user.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub struct SessionOf {
    /// The id of a user, or `me` for whoever is speaking.
    #[param(schema_with = somebody)]
    id: String,
    /// The public id of a session, as the list of sessions tells it.
    #[param(value_type = Uuid)]
    session: String,
}

/// Which users.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Page {
    /// How many at most.
    #[param(minimum = 1, maximum = 1000, default = 1000)]
    limit: Option<u16>,
    /// Only users that were made after this one.
    #[param(value_type = Option<Uuid>)]
    after: Option<String>,
    /// Only the user with this e-mail address, in upper or lower case. The other two do not count
    /// then.
    email: Option<String>,
}

/// Which sessions.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct All {
    /// Whether the session in use ends too.
    #[param(inline, default = "false")]
    all: Option<Flag>,
}

/// What a reverse proxy wants to know.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Verify {
    /// The role that the user must have; admins have both.
    #[param(inline)]
    role: Option<super::bodies::Role>,
    /// Whether this counts as a use of the session.
    #[param(inline, default = "true")]
    touch: Option<Flag>,
    /// Whether a browser that wants a page is sent to log in, in place of a 401.
    #[param(inline, default = "false")]
    redirect: Option<Flag>,
}
