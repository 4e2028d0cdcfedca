//! How are problems told to code scanners and editors? As SARIF 2.1.0, the OASIS standard: one run,
//! a rule for each code that was told, a result for each problem.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};
use wayfare_journey::diagnostic::{Code, Diagnostic, Span};
use wayfare_runtime::config::Problem;

use super::source::Source;
use super::{shown, word};
use crate::codes;

/// The problems as one log.
pub(crate) fn sarif(files: &[Problem]) -> String {
    let told = files.iter().flat_map(|file| &file.diagnostics);
    let told: BTreeSet<Code> = told.map(|diagnostic| diagnostic.code).collect();
    let rules: Vec<Code> = told.into_iter().collect();
    let results = files.iter().flat_map(|file| {
        let source = Source::new(&file.source);
        let path = uri(&file.path);
        let told = file.diagnostics.iter();
        let all: Vec<Value> = told
            .map(|diagnostic| result((&path, &source), diagnostic, &rules))
            .collect();
        all
    });
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "wayfare",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules.iter().map(|code| rule(*code)).collect::<Vec<_>>(),
            } },
            "columnKind": "unicodeCodePoints",
            "results": results.collect::<Vec<_>>(),
        }],
    });
    log.to_string()
}

fn rule(code: Code) -> Value {
    let page = codes::page(code);
    json!({
        "id": code.as_str(),
        "shortDescription": { "text": code.meaning() },
        "help": { "text": codes::plain(page), "markdown": page },
        "defaultConfiguration": { "level": word(code.severity()) },
    })
}

fn result(file: (&str, &Source<'_>), diagnostic: &Diagnostic, rules: &[Code]) -> Value {
    let message = [Some(&diagnostic.message), diagnostic.hint.as_ref()];
    let message: Vec<&str> = message.into_iter().flatten().map(String::as_str).collect();
    let mut result = json!({
        "ruleId": diagnostic.code.as_str(),
        "ruleIndex": rules.iter().position(|code| *code == diagnostic.code),
        "level": word(diagnostic.code.severity()),
        "message": { "text": message.join("\n") },
        "locations": [{ "physicalLocation": location(file, diagnostic.span) }],
    });
    if let (Some((span, text)), Some(result)) = (&diagnostic.related, result.as_object_mut()) {
        let related = json!([{
            "physicalLocation": location(file, *span),
            "message": { "text": text },
        }]);
        result.insert("relatedLocations".to_owned(), related);
    }
    result
}

fn location((uri, source): (&str, &Source<'_>), span: Span) -> Value {
    let place = source.place(span);
    json!({
        "artifactLocation": { "uri": uri },
        "region": {
            "startLine": place.line,
            "startColumn": place.column,
            "endLine": place.end_line,
            "endColumn": place.end_column,
        },
    })
}

/// A path as a URI: relative to where the program runs unless it is absolute.
fn uri(path: &Path) -> String {
    let shown = shown(path);
    let mut uri = if path.is_absolute() {
        "file://".to_owned()
    } else {
        String::new()
    };
    for byte in shown.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            uri.push('%');
            for nibble in [byte >> 4, byte & 15] {
                let digit = char::from_digit(u32::from(nibble), 16).unwrap_or('0');
                uri.push(digit.to_ascii_uppercase());
            }
        }
    }
    uri
}
