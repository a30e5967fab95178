//! The bodies of requests: what takes a form takes all kinds of them.

use utoipa::openapi::path::Operation;
use utoipa::openapi::schema::Schema;
use utoipa::openapi::{Content, ContentBuilder, RefOr, Type};

/// What a body may be beside JSON, where an operation can answer 415.
const FORMS: [&str; 2] = ["application/x-www-form-urlencoded", "multipart/form-data"];

/// Completes the body of an operation.
pub fn complete(operation: &mut Operation) {
    let takes_forms = operation.responses.responses.contains_key("415");
    let Some(RefOr::T(body)) = &mut operation.request_body else { return };
    for content in body.content.values_mut() {
        without_null(content);
    }
    let Some(RefOr::T(json)) = body.content.get("application/json") else { return };
    let same = ContentBuilder::new().schema(json.schema.clone()).build();
    for kind in FORMS.into_iter().filter(|_| takes_forms) {
        body.content.entry(kind.to_owned()).or_insert_with(|| same.clone().into());
    }
}

/// A body that may be left out is no null.
fn without_null(content: &mut RefOr<Content>) {
    let RefOr::T(content) = content else { return };
    let Some(RefOr::T(Schema::OneOf(choices))) = &content.schema else { return };
    let is_null = |choice: &RefOr<Schema>| matches!(choice, RefOr::T(Schema::Object(object)) if object.schema_type == Type::Null.into());
    let mut real = choices.items.iter().filter(|choice| !is_null(choice));
    if let (Some(only), None) = (real.next().cloned(), real.next()) {
        content.schema = Some(only);
    }
}
