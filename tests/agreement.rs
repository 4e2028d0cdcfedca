//! Do a schema and the reader of the same files agree? Every key of an example is misspelt, left
//! out and given another shape, every word is replaced: what one refuses, the other refuses, and at
//! each place both know the same keys and words.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};
use wayfare_journey::diagnostic::{Code, Diagnostic};

use crate::schema;

/// A key and a word that no file has.
const NONSENSE: &str = "zzzzzzzzzz";
/// What a checker says of something that is not there.
const MISSING: [Code; 5] = [
    Code::MissingKey,
    Code::BlockKind,
    Code::MissingConsent,
    Code::NoTimeout,
    Code::NoMissing,
];

/// What reads a file, and tells every problem in it.
pub(crate) type Reader<'a> = &'a dyn Fn(&str) -> Vec<Diagnostic>;

/// The steps from the root of a file to a value in it.
type Path = Vec<Step>;

#[derive(Clone, PartialEq)]
enum Step {
    /// A key the schema names.
    Key(String),
    /// A key the author chose.
    Name(String),
    /// An item of a list.
    Item(usize),
}

/// A value of an example, and every part of the schema that speaks of it.
struct Place<'a> {
    path: Path,
    schemas: Vec<&'a Value>,
    value: &'a Value,
}

/// Asserts that schema and reader agree about every place of the examples, and that the examples
/// have every key of the schema.
pub(crate) fn check(schema: &Value, examples: &[&str], reader: Reader<'_>) {
    let mut known: BTreeMap<String, [BTreeSet<String>; 2]> = BTreeMap::new();
    let mut named = Vec::new();
    let wholes: Vec<Value> = examples
        .iter()
        .map(|example| schema::json(example))
        .collect();
    for (whole, example) in wholes.iter().zip(examples) {
        assert_eq!(problems(schema, whole), Vec::<String>::new(), "{example}");
        assert_eq!(reader(&whole.to_string()), [], "{example}");
        let mut places = Vec::new();
        walk(schema, (Path::new(), vec![schema]), whole, &mut places);
        for place in &places {
            shapes(schema, whole, place, reader);
            words(schema, whole, place, reader);
            let Value::Object(fields) = place.value else {
                continue;
            };
            named.extend(fields.keys().flat_map(|key| parts(place, key)));
            let keys = keys_of(place);
            if !keys.is_empty() {
                for key in fields.keys() {
                    one_key(schema, whole, (place, key), reader);
                }
                let wrong = with(whole, &place.path, &mut |value| {
                    value[NONSENSE] = Value::from(NONSENSE);
                });
                assert!(!problems(schema, &wrong).is_empty(), "{wrong}");
                let [schemas, readers] = known.entry(shown(&place.path)).or_default();
                schemas.extend(keys);
                readers.extend(known_keys(&reader(&wrong.to_string()), &wrong));
            }
        }
    }
    for (place, [schemas, readers]) in known {
        assert_eq!(schemas, readers, "what is known at {place}");
    }
    every_key_is_named(schema, &named);
}

/// What the schema says of a key at a place, each alternative.
fn parts<'a>(place: &Place<'a>, key: &str) -> Vec<&'a Value> {
    let named = place.schemas.iter();
    named.filter_map(|it| it["properties"].get(key)).collect()
}

fn every_key_is_named(schema: &Value, named: &[&Value]) {
    let keys = schema["properties"].as_object().into_iter().flatten();
    for (key, part) in keys {
        let is_named = named.iter().any(|it| std::ptr::eq(*it, part));
        assert!(is_named, "no example has `{key}`: {part}");
    }
    let below = schema.as_object().into_iter().flatten();
    let below = below.flat_map(|(keyword, part)| match (keyword.as_str(), part) {
        ("properties" | "$defs", Value::Object(parts)) => parts.values().collect(),
        (_, Value::Array(parts)) => parts.iter().collect(),
        (_, part) => vec![part],
    });
    below.for_each(|part| every_key_is_named(part, named));
}

fn problems(schema: &Value, value: &Value) -> Vec<String> {
    schema::problems(schema, schema, value)
}

/// Left out or misspelt, a key that one of both needs is needed by the other.
fn one_key(schema: &Value, whole: &Value, (place, key): (&Place<'_>, &str), reader: Reader<'_>) {
    let without = with(whole, &place.path, &mut |value| {
        value.as_object_mut().unwrap().remove(key);
    });
    let said = reader(&without.to_string());
    let refused = problems(schema, &without);
    let at = format!(
        "without `{key}` at {}: {refused:?} {said:?}",
        shown(&place.path)
    );
    assert!(refused.is_empty() || !said.is_empty(), "{at}");
    let is_missed = said.iter().any(|problem| MISSING.contains(&problem.code));
    assert!(!is_missed || !refused.is_empty(), "{at}");
    let misspelt = with(whole, &place.path, &mut |value| {
        let fields = value.as_object_mut().unwrap();
        let field = fields.remove(key).unwrap();
        fields.insert(format!("{key}q"), field);
    });
    assert!(!problems(schema, &misspelt).is_empty(), "{misspelt}");
    assert!(!reader(&misspelt.to_string()).is_empty(), "{misspelt}");
}

/// A value of another shape is refused by both or by none.
fn shapes(schema: &Value, whole: &Value, place: &Place<'_>, reader: Reader<'_>) {
    if place.path.is_empty() {
        return;
    }
    let other = [
        Value::from(1),
        Value::from(vec![Value::from(1)]),
        Value::from(NONSENSE),
    ];
    for shape in other {
        let wrong = with(whole, &place.path, &mut |value| *value = shape.clone());
        let said = reader(&wrong.to_string());
        let refused = problems(schema, &wrong);
        let at = format!("{shape} at {}: {refused:?} {said:?}", shown(&place.path));
        assert!(refused.is_empty() || !said.is_empty(), "{at}");
        let is_shape = said.iter().any(|problem| problem.code == Code::WrongShape);
        assert!(!is_shape || !refused.is_empty(), "{at}");
    }
}

/// Where only some words may stand, both know the same ones.
fn words(schema: &Value, whole: &Value, place: &Place<'_>, reader: Reader<'_>) {
    let takes_text = |schema: &&&Value| schema["type"] == "string";
    let listed = place.schemas.iter().filter_map(|it| it["enum"].as_array());
    let words: BTreeSet<String> = listed
        .flatten()
        .filter_map(|word| word.as_str().map(str::to_owned))
        .collect();
    if words.is_empty() || place.schemas.iter().any(|it| takes_text(&it)) {
        return;
    }
    let wrong = with(whole, &place.path, &mut |value| {
        *value = Value::from(NONSENSE);
    });
    assert!(!problems(schema, &wrong).is_empty(), "{wrong}");
    let said = reader(&wrong.to_string());
    let lists = said
        .iter()
        .filter_map(|problem| problem.message.split_once("is none of: "));
    let told: BTreeSet<String> = lists
        .flat_map(|(_, list)| list.split(", "))
        .map(str::to_owned)
        .collect();
    // Some readers refuse a word and list none.
    assert!(!said.is_empty(), "{wrong}");
    if !told.is_empty() {
        assert_eq!(words, told, "words at {}", shown(&place.path));
    }
}

/// The keys a reader lists where it finds one it does not know.
fn known_keys(said: &[Diagnostic], wrong: &Value) -> BTreeSet<String> {
    let listed = said.iter().filter_map(|problem| {
        if !problem.message.contains(&format!("`{NONSENSE}`")) {
            return None;
        }
        let hint = problem.hint.as_deref().unwrap_or_default();
        let keys: Vec<String> = match hint.strip_prefix("known here: ") {
            Some(keys) => keys.split(", ").map(str::to_owned).collect(),
            None => {
                let (_, expected) = problem.message.split_once("expected ")?;
                let words = expected.split('`').skip(1).step_by(2);
                words.map(str::to_owned).collect()
            }
        };
        Some(keys)
    });
    let keys: BTreeSet<String> = listed.flatten().collect();
    assert!(!keys.is_empty(), "{wrong}: {said:?}");
    keys
}

/// The keys that may stand at a place; none where others may, too.
fn keys_of(place: &Place<'_>) -> BTreeSet<String> {
    let is_open = |schema: &Value| {
        schema["properties"].is_object() && schema["additionalProperties"] != false
    };
    if place.schemas.iter().any(|it| is_open(it)) {
        return BTreeSet::new();
    }
    let named = place
        .schemas
        .iter()
        .filter_map(|it| it["properties"].as_object());
    named.flat_map(Map::keys).cloned().collect()
}

/// A copy of a file with one value changed.
fn with(whole: &Value, path: &[Step], change: &mut dyn FnMut(&mut Value)) -> Value {
    let mut copy = whole.clone();
    let place = path.iter().fold(&mut copy, |value, step| match step {
        Step::Key(key) | Step::Name(key) => &mut value[key],
        Step::Item(index) => &mut value[index],
    });
    change(place);
    copy
}

fn shown(path: &[Step]) -> String {
    let steps = path.iter().map(|step| match step {
        Step::Key(key) => format!(".{key}"),
        Step::Name(_) => ".*".to_owned(),
        Step::Item(_) => "[]".to_owned(),
    });
    format!("${}", steps.collect::<String>())
}

/// Every value of a file, with the parts of the schema that speak of it.
fn walk<'a>(
    root: &'a Value,
    (path, schemas): (Path, Vec<&'a Value>),
    value: &'a Value,
    places: &mut Vec<Place<'a>>,
) {
    let mut flat = Vec::new();
    for schema in schemas {
        expand(root, schema, &mut flat);
    }
    let children: Vec<(Step, Vec<&Value>, &Value)> = match value {
        Value::Object(fields) => fields
            .iter()
            .map(|(key, child)| {
                let named = flat.iter().filter_map(|it| it["properties"].get(key));
                let named: Vec<&Value> = named.collect();
                let open = flat.iter().filter_map(|it| it.get("additionalProperties"));
                let open: Vec<&Value> = open.filter(|it| it.is_object()).collect();
                if named.is_empty() {
                    (Step::Name(key.clone()), open, child)
                } else {
                    (Step::Key(key.clone()), named, child)
                }
            })
            .collect(),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .map(|(index, child)| {
                let items = flat.iter().filter_map(|it| it.get("items"));
                (Step::Item(index), items.collect(), child)
            })
            .collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    };
    places.push(Place {
        path: path.clone(),
        schemas: flat,
        value,
    });
    for (step, schemas, child) in children {
        // What the schema leaves open has no places of its own.
        if !schemas.is_empty() {
            let mut path = path.clone();
            path.push(step);
            walk(root, (path, schemas), child, places);
        }
    }
}

/// A schema, what it refers to, and its alternatives.
fn expand<'a>(root: &'a Value, schema: &'a Value, flat: &mut Vec<&'a Value>) {
    if let Some(pointer) = schema["$ref"].as_str() {
        let pointer = pointer.strip_prefix('#').unwrap();
        expand(root, root.pointer(pointer).unwrap(), flat);
    }
    for alternative in schema["oneOf"].as_array().into_iter().flatten() {
        expand(root, alternative, flat);
    }
    flat.push(schema);
}
