//! Schemas in words and in examples.

use serde_json::Value;
use utoipa::openapi::security::{ApiKey, SecurityScheme};
use utoipa::openapi::{Components, RefOr, Response, Schema};

use super::prose::{self, Prose};

/// The components of a document.
pub struct Schemas<'d>(pub Option<&'d Components>);

/// What a value is: words, and where its schema is described, if it has a name.
#[derive(Default)]
pub struct Kind {
    /// What stands before the name.
    pub before: String,
    /// The name of its schema.
    pub name: Option<String>,
    /// What stands behind.
    pub behind: String,
}

/// A member of an object, or a parameter.
pub struct Member {
    /// Its name.
    pub name: String,
    /// What its value is.
    pub kind: Kind,
    /// Whether it must be there.
    pub required: bool,
    /// What it means.
    pub about: Prose,
}

impl<'d> Schemas<'d> {
    /// All of them, by name.
    pub fn all(&self) -> impl Iterator<Item = (&'d str, &'d RefOr<Schema>)> {
        let all = self.0.into_iter().flat_map(|components| &components.schemas);
        all.map(|(name, schema)| (name.as_str(), schema))
    }

    fn named(&self, location: &str) -> Option<&'d RefOr<Schema>> {
        self.0?.schemas.get(last(location))
    }

    /// The answer itself, where there is a reference to it.
    pub fn answer(&self, answer: &'d RefOr<Response>) -> Option<&'d Response> {
        match answer {
            RefOr::T(answer) => Some(answer),
            RefOr::Ref(named) => match self.0?.responses.get(last(&named.ref_location))? {
                RefOr::T(answer) => Some(answer),
                RefOr::Ref(_) => None,
            },
        }
    }

    /// What is said of a way to show who one is.
    pub fn credential(&self, name: &str) -> Option<String> {
        match self.0?.security_schemes.get(name)? {
            RefOr::T(SecurityScheme::ApiKey(ApiKey::Cookie(cookie))) => cookie.description.clone(),
            RefOr::T(SecurityScheme::Http(http)) => http.description.clone(),
            _ => None,
        }
    }

    /// The name of the session cookie.
    pub fn cookie(&self) -> String {
        match self.0.and_then(|components| components.security_schemes.get("session")) {
            Some(RefOr::T(SecurityScheme::ApiKey(ApiKey::Cookie(cookie)))) => cookie.name.clone(),
            _ => String::new(),
        }
    }

    /// The codes of failures and their meanings.
    pub fn codes(&self) -> Vec<(String, String)> {
        let about = self.named("ErrorCode").map(about).unwrap_or_default();
        let listed = about.lines().filter_map(|line| line.strip_prefix("- `")?.split_once("`: "));
        listed.map(|(name, meaning)| (name.to_owned(), meaning.to_owned())).collect()
    }

    /// The members of an object, as they are listed.
    pub fn members(&self, schema: &RefOr<Schema>) -> Vec<Member> {
        let schema = self.resolved(schema);
        let Some(RefOr::T(Schema::Object(object))) = schema else { return Vec::new() };
        let member = |(name, schema): (&String, &RefOr<Schema>)| Member {
            name: name.clone(),
            kind: kind(&value(schema)),
            required: object.required.contains(name),
            about: prose::line(&about(schema)),
        };
        object.properties.iter().map(member).collect()
    }

    fn resolved<'s>(&self, schema: &'s RefOr<Schema>) -> Option<&'s RefOr<Schema>>
    where
        'd: 's,
    {
        match schema {
            RefOr::Ref(named) => self.named(&named.ref_location),
            RefOr::T(_) => Some(schema),
        }
    }

    /// An example of it in JSON, with its members in order.
    pub fn example(&self, schema: &RefOr<Schema>) -> String {
        let mut example = String::new();
        self.write_example(schema, 0, &mut example);
        example
    }

    fn write_example(&self, schema: &RefOr<Schema>, depth: usize, to: &mut String) {
        let schema = self.resolved(schema).unwrap_or(schema);
        match schema {
            RefOr::T(Schema::Object(object)) if !object.properties.is_empty() => {
                let shown = object.properties.iter().filter(|(name, member)| {
                    object.required.contains(name) || !value(member)["example"].is_null()
                });
                let indent = "  ".repeat(depth);
                for (at, (name, member)) in shown.enumerate() {
                    to.push_str(if at == 0 { "{\n" } else { ",\n" });
                    *to += &[&indent, "  \"", name, "\": "].concat();
                    self.write_example(member, depth + 1, to);
                }
                *to += &["\n", &indent, "}"].concat();
            }
            RefOr::T(Schema::Array(array)) => {
                to.push('[');
                if let utoipa::openapi::schema::ArrayItems::RefOrSchema(item) = &array.items {
                    self.write_example(item, depth, to);
                }
                to.push(']');
            }
            _ => to.push_str(&example_of(&value(schema)).to_string()),
        }
    }
}

/// What a schema says of itself.
pub fn about(schema: &RefOr<Schema>) -> String {
    text(&value(schema)["description"])
}

/// The values that there are.
pub fn values(schema: &RefOr<Schema>) -> Vec<String> {
    value(schema)["enum"].as_array().into_iter().flatten().map(text).collect()
}

/// An example of a value that has no members; null if nothing comes to mind.
fn example_of(schema: &Value) -> Value {
    let given =
        [&schema["example"], &schema["examples"][0], &schema["default"], &schema["enum"][0]];
    let given = given.into_iter().find(|given| !given.is_null()).cloned();
    given.unwrap_or_else(|| match schema["type"].as_str() {
        Some("boolean") => Value::Bool(true),
        Some("object") => Value::Object(serde_json::Map::new()),
        _ => Value::Null,
    })
}

/// A schema as JSON.
pub fn value(schema: &RefOr<Schema>) -> Value {
    serde_json::to_value(schema).unwrap_or_default()
}

fn last(location: &str) -> &str {
    location.rsplit('/').next().unwrap_or_default()
}

/// What stands in a text, or a value as it is written.
pub fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// What a value is, in words.
pub fn kind(schema: &Value) -> Kind {
    if let Some(location) = schema["$ref"].as_str() {
        return Kind { name: Some(last(location).to_owned()), ..Kind::default() };
    }
    if schema["type"] == "array" {
        let item = kind(&schema["items"]);
        return Kind { before: format!("array of {}", item.before), ..item };
    }
    let choices = schema["oneOf"].as_array().into_iter().flatten();
    let choices: Vec<String> = choices.map(|choice| kind(choice).before).collect();
    let words = if choices.is_empty() { plain(schema) } else { choices.join(" or ") };
    Kind { before: words, ..Kind::default() }
}

fn plain(schema: &Value) -> String {
    let values: Vec<String> = schema["enum"].as_array().into_iter().flatten().map(word).collect();
    let types = match &schema["type"] {
        Value::Array(types) => types.iter().map(text).collect::<Vec<_>>().join(" or "),
        one => text(one),
    };
    let mut words = if values.is_empty() { types } else { values.join(" | ") };
    let format = text(&schema["format"]);
    if !format.is_empty() && !format.starts_with("int") && format != "password" {
        words = words.replacen("string", &format, 1);
    }
    for (least, most, unit) in
        [("minimum", "maximum", ""), ("minLength", "maxLength", " characters")]
    {
        let bounds = match (text(&schema[least]).as_str(), text(&schema[most]).as_str()) {
            ("" | "0", "") => continue,
            ("1", "") if !unit.is_empty() => ", not empty".to_owned(),
            (least, "") => format!(", at least {least}{unit}"),
            ("" | "0", most) => format!(", at most {most}{unit}"),
            (least, most) => format!(", {least} to {most}{unit}"),
        };
        words.push_str(&bounds);
    }
    words
}

fn word(value: &Value) -> String {
    let word = text(value);
    if word.is_empty() { "(empty)".to_owned() } else { word }
}
