//! The answers of a request that is refused: made for each operation from the groups it names, and
//! written once where they are always the same.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use utoipa::openapi::extensions::Extensions;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::{ContentBuilder, OpenApi, Ref, RefOr, Response, ResponseBuilder};

use super::refusals::{ANY, BESIDE_THE_API, GUARDED, OF_THE_API, Refusal, UNSAFE, X_CODES};
use super::{headers, taken};
use crate::auth::OPEN_PATHS;
use crate::error::Code;

/// The codes that come with a status.
type Codes = BTreeSet<&'static str>;

/// Answers that are the same for all operations that have them: name, status, codes.
const SHARED: &[(&str, u16, &[Code])] = &[
    ("NoCredentials", 401, &[Code::SessionRequired, Code::SessionInvalid]),
    ("NotFound", 404, &[Code::NotFound]),
    // Of no operation: it is what a method is answered that a path does not have.
    ("MethodNotAllowed", 405, &[Code::MethodNotAllowed]),
    ("BodyTimeout", 408, &[Code::BodyTimeout]),
    ("BodyTooLarge", 413, &[Code::BodyTooLarge]),
    ("UriTooLong", 414, &[Code::UriTooLong]),
    ("UnsupportedMediaType", 415, &[Code::UnsupportedMediaType]),
    ("Throttled", 429, &[Code::Throttled]),
    ("HeaderTooLarge", 431, &[Code::HeaderTooLarge]),
    ("InternalError", 500, &[Code::InternalError]),
    ("Unavailable", 503, &[Code::Busy, Code::Unavailable]),
];

/// Adds the answers of requests that are refused.
pub fn complete(api: &mut OpenApi) {
    let components = api.components.get_or_insert_default();
    for (name, status, codes) in SHARED {
        let codes = codes.iter().map(|code| code.name()).collect();
        components.responses.insert((*name).to_owned(), answer(*status, &codes).into());
    }
    for (path, item) in &mut api.paths.paths {
        for (is_safe, operation) in operations(item) {
            add_refusals(operation, path, is_safe);
            taken::complete(operation);
        }
    }
}

/// The operations of a path, each with whether it changes nothing.
pub fn operations(item: &mut PathItem) -> impl Iterator<Item = (bool, &mut Operation)> {
    let PathItem { get, put, post, delete, .. } = item;
    let all = [(true, get), (false, put), (false, post), (false, delete)];
    all.into_iter().filter_map(|(is_safe, operation)| Some((is_safe, operation.as_mut()?)))
}

fn add_refusals(operation: &mut Operation, path: &str, is_safe: bool) {
    let mut codes: BTreeMap<u16, Codes> = named(operation);
    let mut add = |group: &[Refusal]| {
        for (status, code) in group {
            codes.entry(*status).or_default().insert(code.name());
        }
    };
    add(ANY);
    let is_of_the_api = path.starts_with("/api/");
    add(if is_of_the_api { OF_THE_API } else { BESIDE_THE_API });
    // `verify` wants credentials, too, and says itself how it refuses whoever has none.
    if is_of_the_api && !OPEN_PATHS.contains(&path) {
        add(GUARDED);
    }
    if !is_safe {
        add(UNSAFE);
    }
    for (status, codes) in codes {
        let answer = shared(status, &codes).unwrap_or_else(|| answer(status, &codes).into());
        operation.responses.responses.insert(status.to_string(), answer);
    }
}

/// Takes the groups that an operation names.
fn named(operation: &mut Operation) -> BTreeMap<u16, Codes> {
    let mut codes: BTreeMap<u16, Codes> = BTreeMap::new();
    let extensions = operation.extensions.take().unwrap_or_default();
    let groups = extensions.get(X_CODES).and_then(Value::as_array).into_iter().flatten();
    for refusal in groups.filter_map(Value::as_array).flatten() {
        let status = refusal[0].as_u64().and_then(|status| status.try_into().ok());
        let status = status.expect("a refusal has a status");
        let name = refusal[1].as_str().expect("a refusal has a code");
        codes.entry(status).or_default().insert(code(name).name());
    }
    codes
}

fn code(name: &str) -> Code {
    *Code::ALL.iter().find(|code| code.name() == name).expect("it is the name of a code")
}

fn shared(status: u16, codes: &Codes) -> Option<RefOr<Response>> {
    let same = |shared: &[Code]| shared.iter().map(|code| code.name()).collect::<Codes>() == *codes;
    let (name, ..) = SHARED.iter().find(|(_, at, shared)| *at == status && same(shared))?;
    Some(Ref::from_response_name(*name).into())
}

/// The answer with this status, which has one of these codes.
fn answer(status: u16, codes: &Codes) -> Response {
    // As the list has them: what goes together stands together.
    let listed = Code::ALL.iter().filter(|code| codes.contains(code.name()));
    let lines: Vec<String> =
        listed.clone().map(|code| format!("- `{}`: {}", code.name(), code.meaning())).collect();
    let names: Vec<&str> = listed.map(|code| code.name()).collect();
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Error"))).build();
    let answer = ResponseBuilder::new()
        .description(lines.join("\n"))
        .content("application/json", content)
        .extensions(Some(Extensions::from_iter([(X_CODES, json!(names))])));
    match headers::of_refusal(status) {
        Some(name) => answer.header_ref(name, headers::named(name)),
        None => answer,
    }
    .build()
}
