//! Does a JSON value fit a schema? As much of JSON Schema 2020-12 as `docs/output.schema.json` and
//! the schemas that `wayfare schema` prints use; a keyword that is not known here is a problem, so
//! that none is passed over.

use std::collections::BTreeMap;
use std::sync::Mutex;

use regex::Regex;
use serde_json::Value;
use wayfare_journey::yaml::{self, Kind, Node};

/// Keywords that ask nothing of a value.
const TELLING: [&str; 6] = [
    "$schema",
    "$id",
    "title",
    "description",
    "examples",
    "$defs",
];

/// What keeps `value` from fitting `schema`, a part of `root`.
pub(crate) fn problems(root: &Value, schema: &Value, value: &Value) -> Vec<String> {
    let mut problems = Vec::new();
    let Some(keywords) = schema.as_object() else {
        return vec![format!("{schema} is no schema")];
    };
    for (keyword, wanted) in keywords {
        if TELLING.contains(&keyword.as_str()) {
            continue;
        }
        match fits(root, (schema, keyword, wanted), value) {
            Some(inner) => problems.extend(inner),
            None => problems.push(format!("`{keyword}` is not known here")),
        }
    }
    problems
}

/// What keeps a value from what one keyword wants; nothing for a keyword that is not known.
fn fits(
    root: &Value,
    (schema, keyword, wanted): (&Value, &str, &Value),
    value: &Value,
) -> Option<Vec<String>> {
    let unless = |holds: bool| {
        let problem = format!("{value} is not {keyword} {wanted}");
        if holds { Vec::new() } else { vec![problem] }
    };
    let list = || wanted.as_array().map_or(&[][..], Vec::as_slice);
    let count = || usize::try_from(wanted.as_u64().unwrap_or(u64::MAX)).unwrap_or(usize::MAX);
    Some(match keyword {
        "$ref" => {
            let pointer = wanted.as_str()?.strip_prefix('#')?;
            problems(root, root.pointer(pointer)?, value)
        }
        "oneOf" => {
            let fitting = list()
                .iter()
                .filter(|one| problems(root, one, value).is_empty());
            unless(fitting.count() == 1)
        }
        "const" => unless(value == wanted),
        "enum" => unless(list().contains(value)),
        "type" => {
            let mut names = list().iter().chain([wanted]).filter_map(Value::as_str);
            unless(names.any(|name| is_a(value, name)))
        }
        "minimum" => unless(value.as_f64() >= wanted.as_f64()),
        "maximum" => unless(value.as_f64() <= wanted.as_f64()),
        "minItems" => unless(value.as_array().is_none_or(|it| it.len() >= count())),
        "maxItems" => unless(value.as_array().is_none_or(|it| it.len() <= count())),
        "minProperties" => unless(value.as_object().is_none_or(|it| it.len() >= count())),
        "maxLength" => unless(
            value
                .as_str()
                .is_none_or(|it| it.chars().count() <= count()),
        ),
        "propertyNames" => names_problems(root, wanted, value),
        "pattern" => {
            let pattern = wanted.as_str()?;
            unless(value.as_str().is_some_and(|text| matches(pattern, text)))
        }
        "required" => {
            let has = |name: &Value| name.as_str().is_some_and(|name| value.get(name).is_some());
            unless(list().iter().all(has))
        }
        "items" => {
            let items = value.as_array().map_or(&[][..], Vec::as_slice);
            items
                .iter()
                .flat_map(|item| problems(root, wanted, item))
                .collect()
        }
        "properties" => {
            let fields = wanted.as_object()?.iter();
            let inner = fields.filter_map(|(name, part)| Some((part, value.get(name)?)));
            inner
                .flat_map(|(part, value)| problems(root, part, value))
                .collect()
        }
        "patternProperties" => patterned_problems(root, wanted, value),
        "additionalProperties" => others_problems(root, (schema, wanted), value),
        _ => return None,
    })
}

fn names_problems(root: &Value, wanted: &Value, value: &Value) -> Vec<String> {
    let names = value.as_object().into_iter().flat_map(|it| it.keys());
    let names = names.map(|name| Value::from(name.as_str()));
    names
        .flat_map(|name| problems(root, wanted, &name))
        .collect()
}

/// The fields whose names have a pattern.
fn patterned_problems(root: &Value, wanted: &Value, value: &Value) -> Vec<String> {
    let fields = value.as_object().into_iter().flatten();
    let inner = fields.flat_map(|(name, value)| {
        let patterns = wanted.as_object().into_iter().flatten();
        let fitting = patterns.filter(move |(pattern, _)| matches(pattern, name));
        fitting.map(move |(_, part)| (part, value))
    });
    inner
        .flat_map(|(part, value)| problems(root, part, value))
        .collect()
}

/// The fields that neither `properties` nor `patternProperties` names.
fn others_problems(root: &Value, (schema, wanted): (&Value, &Value), value: &Value) -> Vec<String> {
    let named = |name: &String| {
        let properties = schema.get("properties");
        let patterns = schema.get("patternProperties").and_then(Value::as_object);
        let mut patterns = patterns.into_iter().flat_map(|it| it.keys());
        properties.is_some_and(|it| it.get(name).is_some())
            || patterns.any(|pattern| matches(pattern, name))
    };
    let fields = value.as_object().into_iter().flatten();
    let others = fields.filter(|(name, _)| !named(name));
    others
        .flat_map(|(name, field)| match wanted.as_bool() {
            Some(true) => Vec::new(),
            Some(false) => vec![format!("`{name}` is not known here")],
            None => problems(root, wanted, field),
        })
        .collect()
}

/// Whether a text has a pattern; each pattern is read once.
fn matches(pattern: &str, text: &str) -> bool {
    static READ: Mutex<BTreeMap<String, Regex>> = Mutex::new(BTreeMap::new());
    let mut read = READ.lock().unwrap();
    let regex = read.entry(pattern.to_owned());
    let regex = regex.or_insert_with(|| Regex::new(pattern).unwrap());
    regex.is_match(text)
}

fn is_a(value: &Value, name: &str) -> bool {
    match value {
        Value::Null => name == "null",
        Value::Bool(_) => name == "boolean",
        Value::Number(number) => {
            name == "number" || (name == "integer" && (number.is_i64() || number.is_u64()))
        }
        Value::String(_) => name == "string",
        Value::Array(_) => name == "array",
        Value::Object(_) => name == "object",
    }
}

/// A YAML file as JSON.
pub(crate) fn json(text: &str) -> Value {
    fn value(node: &Node) -> Value {
        match &node.kind {
            Kind::Null => Value::Null,
            Kind::Bool(flag) => Value::from(*flag),
            Kind::Number(number) => serde_json::from_str(&number.to_string()).unwrap(),
            Kind::Text(text) => Value::from(text.as_str()),
            Kind::List(items) => items.iter().map(value).collect(),
            Kind::Map(entries) => {
                let fields = entries
                    .iter()
                    .map(|entry| (entry.key.clone(), value(&entry.value)));
                Value::Object(fields.collect())
            }
        }
    }
    value(&yaml::read(text).unwrap())
}
