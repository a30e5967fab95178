//! The page that shows the API: made from the OpenAPI document, once, when it is first asked for.

mod operation;
mod prose;
mod schema;

use std::collections::BTreeSet;
use std::sync::OnceLock;

use askama::Template;
use bytes::Bytes;
use utoipa::openapi::{OpenApi, PathItem, RefOr, Schema};

use super::asset::Asset;
use crate::api::Document;
use operation::Operation;
use prose::Prose;
use schema::{Member, Schemas};

/// The stylesheet of the page.
pub static STYLESHEET: Asset = Asset::stylesheet("/docs", include_str!("../../templates/docs.css"));

/// Where a service is reached that nobody has set anything for.
const ADDRESS: &str = "http://127.0.0.1:5000";

/// The page, once it has been made.
pub struct DocsPage {
    address: String,
    made: OnceLock<Bytes>,
}

impl DocsPage {
    /// The page of a service that is reached at this address, if that is known.
    pub fn new(address: Option<String>) -> Self {
        Self { address: address.unwrap_or_else(|| ADDRESS.to_owned()), made: OnceLock::new() }
    }

    /// The page about this document.
    pub fn html(&self, document: &Document) -> Bytes {
        self.made.get_or_init(|| render(document.openapi(), &self.address).into()).clone()
    }
}

#[derive(Template)]
#[template(path = "docs.html")]
struct Page<'d> {
    version: &'d str,
    address: &'d str,
    stylesheet: &'static str,
    introduction: Prose,
    common: Vec<Prose>,
    credentials: Vec<Credential>,
    cookie: String,
    groups: Vec<Group>,
    schemas: Vec<Described>,
    codes: Vec<Code>,
}

/// A way to show who one is.
struct Credential {
    name: String,
    about: Prose,
}

/// The operations with one tag.
struct Group {
    name: String,
    about: Prose,
    operations: Vec<Operation>,
}

/// An object, as it is taken or told.
struct Described {
    name: String,
    about: Prose,
    members: Vec<Member>,
    values: Vec<String>,
    example: Option<String>,
}

/// What a failure may be called.
struct Code {
    name: String,
    meaning: Prose,
    statuses: String,
}

fn render(api: &OpenApi, address: &str) -> String {
    let schemas = Schemas(api.components.as_ref());
    let groups = api.tags.iter().flatten().map(|tag| Group {
        name: tag.name.clone(),
        about: prose::line(tag.description.as_deref().unwrap_or_default()),
        operations: operations(api, &tag.name, &schemas),
    });
    let groups: Vec<Group> = groups.collect();
    let about = api.info.description.as_deref().unwrap_or_default();
    let (introduction, common) = about.split_once("\n\n").unwrap_or((about, ""));
    let page = Page {
        version: &api.info.version,
        address,
        stylesheet: STYLESHEET.path(),
        introduction: prose::line(introduction),
        common: prose::paragraphs(common),
        credentials: credentials(&schemas),
        cookie: schemas.cookie(),
        codes: codes(&schemas, &groups),
        schemas: described(&schemas),
        groups,
    };
    page.render().expect("a page of texts can be written")
}

fn operations(api: &OpenApi, tag: &str, schemas: &Schemas<'_>) -> Vec<Operation> {
    let mut found = Vec::new();
    for (path, item) in &api.paths.paths {
        let PathItem { get, post, put, delete, .. } = item;
        for (method, operation) in [("GET", get), ("POST", post), ("PUT", put), ("DELETE", delete)]
        {
            let Some(operation) = operation else { continue };
            if operation.tags.iter().flatten().any(|own| own == tag) {
                found.push(Operation::new(method, path, operation, schemas));
            }
        }
    }
    found
}

fn credentials(schemas: &Schemas<'_>) -> Vec<Credential> {
    let named = |name: &str| {
        let about = schemas.credential(name)?;
        Some(Credential { name: name.to_owned(), about: prose::line(&about) })
    };
    ["session", "bearer", "basic"].into_iter().filter_map(named).collect()
}

fn described(schemas: &Schemas<'_>) -> Vec<Described> {
    let described = schemas.all().map(|(name, schema)| {
        let is_object =
            matches!(schema, RefOr::T(Schema::Object(object)) if !object.properties.is_empty());
        Described {
            name: name.to_owned(),
            about: prose::line(schema::about(schema).split("\n\n").next().unwrap_or_default()),
            members: schemas.members(schema),
            values: schema::values(schema),
            example: is_object.then(|| schemas.example(schema)),
        }
    });
    described.collect()
}

/// The codes as the schema lists them, each with the statuses it comes with.
fn codes(schemas: &Schemas<'_>, groups: &[Group]) -> Vec<Code> {
    let operations = || groups.iter().flat_map(|group| &group.operations);
    let code = |(name, meaning): (String, String)| {
        let with = operations().flat_map(|operation| &operation.answers);
        let with = with.filter(|answer| answer.codes.contains(&name));
        let statuses: BTreeSet<&str> = with.map(|answer| answer.status.as_str()).collect();
        let statuses = statuses.into_iter().collect::<Vec<_>>().join(", ");
        Code { name, meaning: prose::line(&meaning), statuses }
    };
    schemas.codes().into_iter().map(code).collect()
}
