//! What does every expression mean? One line of `conditions.jsonl` for each question: first those
//! where engines differ (`C-…`), then every sentence of the language. A row says what the expression
//! holds or gives, or the words it is refused with; `asks` are the registers and categories that its
//! evaluation asked for. What a row does not say stands at its line. Not there: how long a trait has
//! had a value (C-08) and what a written null does to a trait (C-09), which are no questions to an
//! expression: `wayfare-runtime`'s conformance tests ask them of journeys.
#![expect(
    clippy::unwrap_used,
    reason = "a test target: an assumption that fails is a test that fails"
)]

use std::cell::RefCell;
use std::sync::Arc;

use wayfare_event::{Map, Timestamp, Value};
use wayfare_journey::expression::{Changes, Expression, Names, Scope, Seen};

/// A row, and the line it stands in for what it does not say.
#[derive(Clone, Copy)]
struct Row<'a> {
    row: &'a Value,
    line: &'a Value,
}

impl<'a> Row<'a> {
    fn get(self, key: &str) -> Option<&'a Value> {
        self.row.get(key).or_else(|| self.line.get(key))
    }

    fn map(self, key: &str) -> Option<&'a Map> {
        self.get(key).and_then(Value::as_map)
    }

    fn names(self) -> Names {
        let is = |key: &str| self.get("names").and_then(|it| it.get(key)) == Some(&true.into());
        let texts = |key: &str| -> Vec<Arc<str>> {
            let Some(Value::List(items)) = self.get("names").and_then(|it| it.get(key)) else {
                return Vec::new();
            };
            let texts = items.iter().map(|it| it.as_text().unwrap().into());
            texts.collect()
        };
        Names {
            event: is("event"),
            trigger: is("trigger"),
            change: if is("change") {
                Changes::Choice
            } else {
                Changes::None
            },
            delivery: is("delivery"),
            named: texts("named"),
            categories: texts("categories"),
            ..Names::default()
        }
    }

    fn seen(self, event: &str) -> Option<Seen> {
        let seen = self.get("seen")?.get(event)?;
        let at = |value: &Value| value.as_text().unwrap().parse().unwrap();
        Some(match seen.get("count") {
            Some(count) => Seen {
                count: count.to_string().parse().unwrap(),
                first: at(seen.get("first").unwrap()),
                last: at(seen.get("last").unwrap()),
            },
            None => Seen {
                count: 1,
                first: at(seen),
                last: at(seen),
            },
        })
    }

    /// What the expression gives, and what it asked for.
    fn evaluated(self, expression: &Expression) -> (bool, Value, Vec<String>) {
        let asked = RefCell::new(Vec::new());
        let choice = |category: &str| -> &'static str {
            asked.borrow_mut().push(category.to_owned());
            let choice = self.get("consent").and_then(|it| it.get(category));
            choice.map_or("unknown", |_| "accept")
        };
        let seen = |event: &str| {
            asked.borrow_mut().push(event.to_owned());
            self.seen(event)
        };
        let empty = Map::new();
        let named: Vec<(Arc<str>, Map)> = self.map("named").map_or_else(Vec::new, |named| {
            let named = named.iter();
            named
                .map(|(name, event)| (name.clone(), event.as_map().unwrap().clone()))
                .collect()
        });
        let now = self.get("now").and_then(Value::as_text);
        let scope = Scope {
            event: self.map("event"),
            trigger: self.map("trigger"),
            change: self.map("change"),
            delivery: self.map("delivery"),
            profile: self.map("profile").unwrap_or(&empty),
            account: self.map("account"),
            journey: self.map("journey").unwrap_or(&empty),
            entry: self.map("entry"),
            named: &named,
            choice: &choice,
            may_ask: &|_| true,
            seen: &seen,
            now: now
                .unwrap_or("2026-01-26T10:00:00Z")
                .parse::<Timestamp>()
                .unwrap(),
        };
        let value = expression.value(&scope).into_owned();
        let asked = asked.take();
        (expression.holds(&scope), value, asked)
    }
}

/// What is wrong with a row, if something is.
fn fault(row: Row<'_>) -> Option<String> {
    let source = row.get("when").and_then(Value::as_text).unwrap();
    let read = Expression::parse(source, &row.names());
    if let Some(words) = row.get("refused") {
        let Err(error) = read else {
            return Some("is not refused".to_owned());
        };
        let hint = error.hint.clone().unwrap_or_default();
        let said = format!("{error} {hint}");
        let expected = words.as_text().unwrap_or_default();
        return (!said.contains(expected)).then_some(said);
    }
    let expression = match read {
        Ok(expression) => expression,
        Err(error) => return Some(error.to_string()),
    };
    let (holds, value, asked) = row.evaluated(&expression);
    if let Some(Value::List(asks)) = row.get("asks") {
        let asks: Vec<_> = asks.iter().map(|it| it.as_text().unwrap()).collect();
        if asked != asks {
            return Some(format!("asked for {asked:?}"));
        }
    }
    if holds != (value == Value::Bool(true)) {
        return Some(format!("holds {holds}, gives {value}"));
    }
    let expected = row.row.get("holds").or_else(|| row.row.get("value"));
    (value != *expected.unwrap()).then(|| format!("gives {value}"))
}

#[test]
fn conditions_mean_what_the_cases_say() {
    let (mut rows, mut faults) = (0, Vec::new());
    for line in include_str!("conditions.jsonl").lines() {
        let line = Value::parse(line).unwrap();
        let case = line.get("case").and_then(Value::as_text).unwrap();
        let Some(Value::List(items)) = line.get("rows") else {
            panic!("{case} has no rows")
        };
        for row in items {
            rows += 1;
            if let Some(fault) = fault(Row { row, line: &line }) {
                faults.push(format!("{case}: {row}: {fault}"));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(rows > 600, "{rows} rows");
}
