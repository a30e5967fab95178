//! Headers that mean the same wherever they come: described once, and referred to.

use serde_json::json;
use utoipa::openapi::header::{Header, HeaderBuilder};
use utoipa::openapi::path::{Parameter, PathItem};
use utoipa::openapi::schema::{Components, ObjectBuilder};
use utoipa::openapi::{OpenApi, Ref, RefOr, Response, Type};

use super::answers::operations;
use super::parameters::{in_header, text};

/// The headers of every answer; those that only speak to browsers are named in the introduction.
const OF_ALL: [&str; 2] = ["X-Request-Id", "Cache-Control"];

/// A header by its name.
pub fn named(name: &str) -> Ref {
    Ref::new(format!("#/components/headers/{name}"))
}

/// The header that comes with a status of a request that is refused.
pub const fn of_refusal(status: u16) -> Option<&'static str> {
    match status {
        401 => Some("WWW-Authenticate"),
        405 => Some("Allow"),
        429 | 503 => Some("Retry-After"),
        _ => None,
    }
}

/// Adds what all requests may have, and all answers do.
pub fn complete(api: &mut OpenApi) {
    let components = api.components.get_or_insert_default();
    describe(components);
    components.responses.values_mut().for_each(add_to);
    for item in api.paths.paths.values_mut() {
        add_parameter(item);
        for (_, operation) in operations(item) {
            operation.responses.responses.values_mut().for_each(add_to);
        }
    }
}

fn describe(components: &mut Components) {
    let id = text().pattern(Some("^[A-Za-z0-9._-]{1,64}$"));
    let seconds = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1));
    let nothing_kept = text().enum_values(Some(["no-store"]));
    for (name, schema, what) in [
        ("X-Request-Id", id, "What the log calls the request."),
        ("Cache-Control", nothing_kept, "Nothing of the API is kept."),
        ("WWW-Authenticate", text(), "How to log in (RFC 9110, 11.6.1)."),
        ("Retry-After", seconds, "Seconds after which another attempt makes sense."),
        ("Allow", text().examples([json!("GET, HEAD")]), "The methods that there are."),
    ] {
        components.headers.insert(name.to_owned(), header(schema, what).into());
    }
    components.parameters.insert("X-Request-Id".to_owned(), request_id().into());
}

fn header(schema: ObjectBuilder, what: &str) -> Header {
    HeaderBuilder::new().schema(Some(schema)).description(Some(what)).build()
}

fn request_id() -> Parameter {
    let what = "What the log is to call the request: 1 to 64 letters, digits, `-`, `_` and `.`. The \
                answer has it, too; without one, or with another text, it has a new one.";
    in_header("X-Request-Id", what)
}

/// Adds the headers of every answer to one that is described here.
fn add_to(answer: &mut RefOr<Response>) {
    let RefOr::T(answer) = answer else { return };
    let headers = OF_ALL.map(|name| (name.to_owned(), RefOr::Ref(named(name))));
    answer.headers.extend(headers);
}

/// Adds the header of every request, once for all operations of a path.
fn add_parameter(item: &mut PathItem) {
    let id = RefOr::Ref(Ref::new("#/components/parameters/X-Request-Id"));
    item.parameters.get_or_insert_default().push(id);
}
