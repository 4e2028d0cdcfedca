//! How is JSON text read into a [`Value`]? Through serde_json, one level at a time, so that every
//! number is met as the text it was written with.

use std::fmt;
use std::sync::Arc;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::limits::JSON_DEPTH_MAX;
use crate::{Map, Number, Value};

impl Value {
    /// The value this JSON text is. A key that comes twice keeps its last value.
    ///
    /// # Errors
    ///
    /// What is wrong, when the text is not JSON or nested deeper than [`JSON_DEPTH_MAX`].
    pub fn parse(text: &str) -> Result<Self, String> {
        let raw: &RawValue = serde_json::from_str(text).map_err(|error| error.to_string())?;
        read(raw, 0)
    }
}

fn read(raw: &RawValue, depth: usize) -> Result<Value, String> {
    let text = raw.get();
    let wrong = |error: serde_json::Error| error.to_string();
    if depth > JSON_DEPTH_MAX {
        return Err(format!("nested deeper than {JSON_DEPTH_MAX} levels"));
    }
    match text.as_bytes().first() {
        Some(b'{') => {
            let Entries(entries) = serde_json::from_str(text).map_err(wrong)?;
            let read_entry = |(key, raw)| Ok((key, read(raw, depth + 1)?));
            entries
                .into_iter()
                .map(read_entry)
                .collect::<Result<Map, _>>()
                .map(Value::Map)
        }
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_str(text).map_err(wrong)?;
            let items = items.into_iter().map(|raw| read(raw, depth + 1));
            items.collect::<Result<_, _>>().map(Value::List)
        }
        Some(b'"') => serde_json::from_str::<Arc<str>>(text)
            .map(Value::Text)
            .map_err(wrong),
        Some(b't') => Ok(Value::Bool(true)),
        Some(b'f') => Ok(Value::Bool(false)),
        Some(b'n') => Ok(Value::Null),
        _ => Number::parse(text)
            .map(Value::Number)
            .ok_or_else(|| format!("`{text}` is no value")),
    }
}

/// The entries of one object, in order, their values unread.
struct Entries<'a>(Vec<(Arc<str>, &'a RawValue)>);

impl<'de> Deserialize<'de> for Entries<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Entries<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries<'de>, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }

        deserializer.deserialize_map(Reader)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_what_is_kept() {
        for text in [
            r#"{"b":1,"a":[1.10,1e3,-0,null,true,false],"long":99999999999999999999998}"#,
            r#""a \"quoted\" text\n""#,
            "[]",
            "{}",
            "{\"\u{e9}\":\"\u{2028}\"}",
        ] {
            assert_eq!(Value::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_key_that_comes_twice_keeps_its_last_value() {
        assert_eq!(
            Value::parse(r#"{"a":1,"b":2,"a":3}"#).unwrap().to_string(),
            r#"{"a":3,"b":2}"#
        );
    }

    #[test]
    fn depth_has_a_limit_that_is_said() {
        let nested = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
        assert!(Value::parse(&nested(JSON_DEPTH_MAX)).is_ok());
        let error = Value::parse(&nested(JSON_DEPTH_MAX + 1)).unwrap_err();
        assert!(error.contains("deeper than 32"), "{error}");
    }

    #[test]
    fn what_is_not_json_is_refused() {
        for text in ["", "{", "[1,]", "nul", "01", "{\"a\":1}x", "'a'", "NaN"] {
            assert!(Value::parse(text).is_err(), "{text}");
        }
    }
}
