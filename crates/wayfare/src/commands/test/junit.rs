//! How do results look to build servers? JUnit XML: a suite for each file, an error for each that
//! is broken.

use wayfare_runtime::config::Problem;
use wayfare_runtime::trial::Tried;

use super::Results;
use crate::diagnostics;

/// Everything, as one document.
pub(super) fn junit(results: &Results) -> String {
    let broken = results.broken.len();
    let mut lines = vec![
        r#"<?xml version="1.0" encoding="UTF-8"?>"#.to_owned(),
        format!(
            r#"<testsuites name="wayfare" tests="{}" failures="{}" errors="{broken}">"#,
            results.cases.len() + broken,
            results.failed(),
        ),
    ];
    for file in results.cases.chunk_by(|one, next| one.path == next.path) {
        suite(&mut lines, file);
    }
    for problem in &results.broken {
        unreadable(&mut lines, problem);
    }
    lines.push("</testsuites>".to_owned());
    lines.join("\n")
}

fn suite(lines: &mut Vec<String>, file: &[Tried]) {
    let failed = file.iter().filter(|it| !it.passed()).count();
    let path = file.first().map(|it| it.path.display().to_string());
    let path = escaped(&path.unwrap_or_default());
    lines.push(format!(
        r#"  <testsuite name="{path}" tests="{}" failures="{failed}" errors="0">"#,
        file.len()
    ));
    for tried in file {
        case(lines, tried, &path);
    }
    lines.push("  </testsuite>".to_owned());
}

fn case(lines: &mut Vec<String>, tried: &Tried, path: &str) {
    let (journey, name) = (escaped(&tried.journey), escaped(&tried.name));
    let head = format!(
        r#"    <testcase classname="{journey}" name="{name}" file="{path}" line="{}""#,
        tried.line
    );
    if tried.passed() {
        lines.push(format!("{head}/>"));
        return;
    }
    let told: Vec<String> = tried.mismatches.iter().map(ToString::to_string).collect();
    let first = told.first().and_then(|it| it.lines().next());
    let first = escaped(first.unwrap_or_default());
    let story = tried.story.iter().map(|line| format!("  {line}"));
    let body = told.iter().cloned().chain(["what happened".to_owned()]);
    let body: Vec<String> = body.chain(story).collect();
    lines.push(format!("{head}>"));
    lines.push(format!(
        r#"      <failure message="{first}">{}</failure>"#,
        content(&body.join("\n"))
    ));
    lines.push("    </testcase>".to_owned());
}

fn unreadable(lines: &mut Vec<String>, problem: &Problem) {
    let path = escaped(&problem.path.display().to_string());
    let first = problem.diagnostics.first();
    let first = first.map_or_else(String::new, |it| escaped(&it.message));
    let drawn = diagnostics::draw(std::slice::from_ref(problem), false);
    lines.push(format!(
        r#"  <testsuite name="{path}" tests="1" failures="0" errors="1">"#
    ));
    lines.push(format!(
        r#"    <testcase classname="{path}" name="the file can be read">"#
    ));
    lines.push(format!(
        r#"      <error message="{first}">{}</error>"#,
        content(&drawn)
    ));
    lines.push("    </testcase>".to_owned());
    lines.push("  </testsuite>".to_owned());
}

/// Text between tags, where lines may stay lines.
fn content(text: &str) -> String {
    escaped(text).replace("&#10;", "\n")
}

/// Text that stands in XML as itself; characters that XML cannot hold become U+FFFD.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // In an attribute white space would be read as spaces.
            '\t' => out.push_str("&#9;"),
            '\n' => out.push_str("&#10;"),
            '\r' => out.push_str("&#13;"),
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            _ => out.push(character),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn what_xml_cannot_hold_is_escaped_or_replaced() {
        let check = |text: &str, expected: &str| assert_eq!(escaped(text), expected);
        check(
            "a < b && c > \"d\"",
            "a &lt; b &amp;&amp; c &gt; &quot;d&quot;",
        );
        check("]]>", "]]&gt;");
        check("one\ntwo\t\r", "one&#10;two&#9;&#13;");
        check("\u{1}\u{0}\u{ffff}x", "\u{fffd}\u{fffd}\u{fffd}x");
        check("grüße 🦀", "grüße 🦀");
    }
}
