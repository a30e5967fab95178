//! The schemas of what is told: of errors, from the codes themselves; and of records, which have no
//! members but those that are listed. And the ways to show who one is.

use utoipa::openapi::schema::{AdditionalProperties, AllOf, Components, ObjectBuilder, Schema};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Object, OpenApi, Ref, RefOr, Type};

use super::bodies::TAKEN;
use crate::error::Code;

/// The members of an error.
const ERROR: &str = "error";
const CODE: &str = "code";

/// Completes the components.
pub fn complete(api: &mut OpenApi, cookie: &str) {
    let components = api.components.get_or_insert_default();
    describe_errors(components);
    let names: Vec<String> = components.schemas.keys().cloned().collect();
    for name in &names {
        flatten(components, name);
    }
    for name in names.iter().filter(|name| !TAKEN.contains(&name.as_str())) {
        if let Some(RefOr::T(Schema::Object(object))) = components.schemas.get_mut(name) {
            close(object);
        }
    }
    add_credentials(components, cookie);
}

/// Members that are not listed are not there.
fn close(object: &mut Object) {
    let is_object = object.schema_type == Type::Object.into();
    if is_object && object.additional_properties.is_none() {
        object.additional_properties = Some(Box::new(AdditionalProperties::FreeForm(false)));
    }
}

/// Makes one object of an object that contains the members of another one.
fn flatten(components: &mut Components, name: &str) {
    let Some(RefOr::T(Schema::AllOf(AllOf { items, description, .. }))) =
        components.schemas.get(name)
    else {
        return;
    };
    let mut whole = ObjectBuilder::new().description(description.clone()).build();
    for item in items {
        let part = match item {
            RefOr::T(part) => Some(part),
            RefOr::Ref(part) => named(components, part),
        };
        let Some(Schema::Object(part)) = part else { continue };
        whole.properties.extend(part.properties.clone());
        whole.required.extend(part.required.clone());
    }
    components.schemas.insert(name.to_owned(), Schema::Object(whole).into());
}

fn named<'c>(components: &'c Components, part: &Ref) -> Option<&'c Schema> {
    let name = part.ref_location.rsplit('/').next()?;
    match components.schemas.get(name)? {
        RefOr::T(schema) => Some(schema),
        RefOr::Ref(_) => None,
    }
}

fn describe_errors(components: &mut Components) {
    let meanings = Code::ALL.iter().map(|code| format!("- `{}`: {}", code.name(), code.meaning()));
    let meanings = meanings.collect::<Vec<_>>().join("\n");
    let code = ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some(format!("The reason of a failure, for programs.\n\n{meanings}")))
        .enum_values(Some(Code::ALL.iter().map(|code| code.name())));
    let text = ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some("The reason, for people. All but the classic ones may change."));
    let error = ObjectBuilder::new()
        .description(Some("A failure."))
        .property(ERROR, text)
        .required(ERROR)
        .property(CODE, Ref::from_schema_name("ErrorCode"))
        .required(CODE)
        .examples([serde_json::json!({ "error": "Unauthorized", "code": "session_required" })]);
    let schemas = &mut components.schemas;
    schemas.insert("Error".to_owned(), Schema::from(error.build()).into());
    schemas.insert("ErrorCode".to_owned(), Schema::from(code.build()).into());
}

fn add_credentials(components: &mut Components, cookie: &str) {
    let session = "The cookie that a login sets. Not where `AUTH_TYPE` is `basic_auth`.";
    let session = ApiKey::Cookie(ApiKeyValue::with_description(cookie, session));
    let bearer = "The value of the session cookie: `Authorization: Bearer <value>`.";
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(bearer));
    let basic = "E-mail address and password (RFC 7617), where `AUTH_TYPE` is `basic_auth`.";
    let basic = HttpBuilder::new().scheme(HttpAuthScheme::Basic).description(Some(basic));
    components.add_security_scheme("session", SecurityScheme::ApiKey(session));
    components.add_security_scheme("bearer", SecurityScheme::Http(bearer.build()));
    components.add_security_scheme("basic", SecurityScheme::Http(basic.build()));
}
