//! An operation as it is shown.

use serde_json::Value;
use utoipa::openapi::path::{Operation as Described, ParameterIn};
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{Content, RefOr, Required, Response, Schema};

use super::prose::{self, Prose};
use super::schema::{Kind, Member, Schemas, kind, text, value};

/// What is shown of it.
pub struct Operation {
    /// Its name, which is its place on the page, too.
    pub id: String,
    /// The method.
    pub method: &'static str,
    /// The path.
    pub path: String,
    /// What it does, in a line.
    pub summary: String,
    /// What there is to know.
    pub about: Prose,
    /// Whether it needs no credentials.
    pub is_open: bool,
    /// Parameters of the path, the query and the header.
    pub parameters: Vec<Parameter>,
    /// The body that it takes.
    pub body: Option<Body>,
    /// What comes back.
    pub answers: Vec<Answer>,
    /// A command that asks for it.
    pub curl: String,
}

/// A parameter.
pub struct Parameter {
    /// `path`, `query` or `header`.
    pub place: &'static str,
    /// What it is.
    pub member: Member,
    /// What it is when it is left out.
    pub default: String,
}

/// A body that is taken.
pub struct Body {
    /// Whether it must be there.
    pub required: bool,
    /// Its types.
    pub media_types: Vec<String>,
    /// Its members.
    pub members: Vec<Member>,
}

/// An answer.
pub struct Answer {
    /// Its status.
    pub status: String,
    /// What it says; not of a failure, which has codes.
    pub about: Prose,
    /// Headers that matter.
    pub headers: Vec<(String, Prose)>,
    /// What is in its body.
    pub kind: Kind,
    /// An example of that.
    pub example: Option<String>,
    /// Codes that it may have.
    pub codes: Vec<String>,
}

impl Operation {
    /// What is shown of an operation.
    pub fn new(
        method: &'static str,
        path: &str,
        operation: &Described,
        schemas: &Schemas<'_>,
    ) -> Self {
        let nobody = SecurityRequirement::default();
        let is_open = operation.security.as_ref().is_some_and(|ways| ways.contains(&nobody));
        let (body, example) = body(operation, schemas).unzip();
        let answers = operation.responses.responses.iter().filter_map(|(status, answer)| {
            Some(Answer::new(status, schemas.answer(answer)?, schemas))
        });
        let answers: Vec<Answer> = answers.collect();
        let mut headers = answers.iter().flat_map(|answer| &answer.headers);
        let sets_cookie = headers.any(|(name, _)| name == "Set-Cookie");
        Self {
            id: operation.operation_id.clone().unwrap_or_default(),
            method,
            path: path.to_owned(),
            summary: operation.summary.clone().unwrap_or_default(),
            about: prose::line(operation.description.as_deref().unwrap_or_default()),
            is_open,
            parameters: parameters(operation),
            body,
            curl: curl(method, path, is_open, sets_cookie, example.flatten()),
            answers,
        }
    }
}

/// The body that an operation takes, and an example of it if it must be there.
fn body(operation: &Described, schemas: &Schemas<'_>) -> Option<(Body, Option<String>)> {
    let RefOr::T(body) = operation.request_body.as_ref()? else { return None };
    let required = body.required == Some(Required::True);
    let json = body.content.get("application/json").and_then(schema);
    let example = json.filter(|_| required).map(|schema| schemas.example(schema));
    let members = json.map(|schema| schemas.members(schema)).unwrap_or_default();
    let media_types = body.content.keys().cloned().collect();
    Some((Body { required, media_types, members }, example))
}

fn schema(content: &RefOr<Content>) -> Option<&RefOr<Schema>> {
    match content {
        RefOr::T(content) => content.schema.as_ref(),
        RefOr::Ref(_) => None,
    }
}

fn parameters(operation: &Described) -> Vec<Parameter> {
    let parameters =
        operation.parameters.iter().flatten().filter_map(|parameter| match parameter {
            RefOr::T(parameter) => Some(parameter),
            RefOr::Ref(_) => None,
        });
    let shown = parameters.map(|parameter| {
        let schema = parameter.schema.as_ref().map(value).unwrap_or_default();
        Parameter {
            place: match parameter.parameter_in {
                ParameterIn::Path => "path",
                ParameterIn::Header => "header",
                _ => "query",
            },
            default: text(&schema["default"]),
            member: Member {
                name: parameter.name.clone(),
                kind: kind(&schema),
                required: parameter.required == Required::True,
                about: prose::line(parameter.description.as_deref().unwrap_or_default()),
            },
        }
    });
    shown.collect()
}

impl Answer {
    fn new(status: &str, answer: &Response, schemas: &Schemas<'_>) -> Self {
        let codes = answer.extensions.as_ref().and_then(|extensions| extensions.get("x-codes"));
        let codes = codes.and_then(Value::as_array).into_iter().flatten().map(text).collect();
        let schema = answer.content.get("application/json").and_then(schema);
        let is_told = status.starts_with('2');
        let headers = answer.headers.iter().filter_map(|(name, header)| match header {
            RefOr::T(header) => Some((name.clone(), prose::line(header.description.as_deref()?))),
            RefOr::Ref(_) => None,
        });
        Self {
            status: status.to_owned(),
            about: if is_told || status == "302" {
                prose::line(&answer.description)
            } else {
                Vec::new()
            },
            headers: headers.collect(),
            kind: schema.map(|schema| kind(&value(schema))).unwrap_or_default(),
            example: schema.filter(|_| is_told).map(|schema| schemas.example(schema)),
            codes,
        }
    }
}

/// A command for a shell in which `URL` and, if the path names them, `ID` and `SESSION` are set.
fn curl(
    method: &str,
    path: &str,
    is_open: bool,
    sets_cookie: bool,
    body: Option<String>,
) -> String {
    let mut command = String::from("curl");
    if !is_open {
        command.push_str(" -b jar");
    }
    if sets_cookie {
        command.push_str(" -c jar");
    }
    let by_default = if body.is_some() { "POST" } else { "GET" };
    if method != by_default {
        command += &[" -X ", method].concat();
    }
    if let Some(body) = body {
        command += &[" --json '", &body, "' \\\n "].concat();
    }
    let me = path.contains("/password") || path.contains("/sessions");
    let path = path.replace("{id}", if me { "me" } else { "$ID" }).replace("{session}", "$SESSION");
    command + &format!(" \"$URL{path}\"")
}
