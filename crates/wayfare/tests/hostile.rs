//! Does a file that was written to do harm end as a problem, in little memory and in bounded time?
//! A property of the process: it runs under a limit of its memory and is ended when it hangs.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test target: an assumption that fails is a test that fails"
)]

use std::fmt::Write as _;
use std::process::Command;

const SOUND: &str = include_str!("../../../journeys/plan-upgrade.yaml");
const CONDITION: &str = "properties.currentPlan != properties.previousPlan";
const HEAD: &str = "journey: long\ndescription: d\ntrigger: { event: A }\nblocks:\n";

/// Checks a file of these bytes; the codes told, in the order of their first.
fn check(name: &str, bytes: &[u8], format: &str) -> String {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("a.yaml"), bytes).unwrap();
    // 200 MB of memory; a run that hangs ends with status 124.
    let limited =
        "ulimit -v 204800 && exec timeout 120 \"$0\" check --ignore-secrets --format \"$1\" .";
    let output = Command::new("sh")
        .args(["-c", limited, env!("CARGO_BIN_EXE_wayfare"), format])
        .current_dir(directory.path())
        .output()
        .unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    let failed = String::from_utf8_lossy(&output.stderr);
    let code = output.status.code();
    assert!(matches!(code, Some(0 | 1)), "{name}: {code:?}, {failed}");
    assert!(!told.is_empty() && failed.is_empty(), "{name}: {failed}");
    told
}

/// The codes told about a file, each once.
fn codes(name: &str, bytes: &[u8]) -> Vec<String> {
    let told: serde_json::Value = serde_json::from_str(&check(name, bytes, "json")).unwrap();
    let told = told["diagnostics"].as_array().unwrap().iter();
    let mut codes: Vec<String> = Vec::new();
    for code in told.map(|it| it["code"].as_str().unwrap()) {
        if !codes.iter().any(|held| held == code) {
            codes.push(code.to_owned());
        }
    }
    codes
}

fn refused(name: &str, text: impl AsRef<[u8]>, expected: &[&str]) {
    assert_eq!(codes(name, text.as_ref()), expected, "{name}");
}

fn with(condition: &str) -> String {
    assert!(SOUND.contains(CONDITION));
    SOUND.replace(CONDITION, condition)
}

/// `count` pieces, each made of its number.
fn many(count: usize, piece: impl Fn(usize) -> String) -> String {
    (0..count).map(piece).collect()
}

#[test]
fn what_explodes_or_nests_is_refused() {
    let mut bomb = String::from("journey: bomb\na0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let before = vec![format!("*a{}", level - 1); 9].join(", ");
        writeln!(bomb, "a{level}: &a{level} [{before}]").unwrap();
    }
    refused("aliases", bomb, &["J0103"]);
    let merges = format!(
        "a: &a {{ x: 1 }}\nb: {{ <<: [{}] }}\n",
        "*a,".repeat(50_000)
    );
    refused("merges", merges, &["J0103"]);
    refused("lists", format!("a: {}", "[".repeat(500_000)), &["J0103"]);
    refused(
        "mappings",
        format!("a: {}", "{a: ".repeat(200_000)),
        &["J0103"],
    );
    let steps = many(1_400, |depth| format!("{}a:\n", " ".repeat(depth)));
    refused("steps", steps, &["J0103"]);
    refused(
        "items",
        format!("a: [{}]", "1,".repeat(101_000)),
        &["J0103"],
    );
    refused(
        "keys",
        many(51_000, |key| format!("k{key}: 1\n")),
        &["J0103"],
    );
    refused("anchors", "&a ".repeat(300_000), &["J0103"]);
    refused("tags", "!a ".repeat(300_000), &["J0103"]);
    refused("documents", "---\na: 1\n".repeat(50_000), &["J0103"]);
}

#[test]
fn what_is_large_is_refused_before_it_is_read() {
    refused(
        "ten",
        format!("# {}\n{SOUND}", "x".repeat(10_000_000)),
        &["J0103"],
    );
    refused("hundred", vec![b'x'; 100_000_000], &["J0103"]);
    refused("no text", vec![0xff; 2_000_000], &["J0103"]);
}

#[test]
fn what_is_no_yaml_is_told_as_such() {
    refused("twice", "a: 1\n".repeat(200_000), &["J0102"]);
    refused("tabs", SOUND.replace("  event:", "\tevent:"), &["J0101"]);
    refused(
        "nul",
        format!("{SOUND}{}", "\0".repeat(100_000)),
        &["J0101"],
    );
    refused("quotes", "\"".repeat(999_999), &["J0101"]);
    refused("dashes", "- ".repeat(300_000), &["J0103"]);
    refused("utf-8", b"a: \xc3\x28", &["J0101"]);
    let wide: Vec<u8> = SOUND.encode_utf16().flat_map(u16::to_le_bytes).collect();
    refused(
        "utf-16",
        [b"\xff\xfe".as_slice(), &wide].concat(),
        &["J0101"],
    );
    refused("exponent", "a: 1e999999999\n", &["J0101"]);
    refused("empty", "", &["J0104"]);
}

#[test]
fn texts_that_look_odd_are_texts() {
    refused("mark", format!("\u{feff}{SOUND}"), &[]);
    refused("line ends", SOUND.replace('\n', "\r\n"), &[]);
    for title in [
        "\u{1f469}\u{200d}\u{1f680}\u{1f3fd}",
        "\u{202e}dedargpu nalP",
        "\u{5d0}\u{5d1} \u{61f}",
        "Z\u{30d}\u{30e}\u{304}\u{342}\u{351}a\u{316}lgo",
        "\u{200b}\u{2060}\u{ad}",
        "no",
        "${jndi:ldap://x} <script>",
    ] {
        let quoted = serde_json::to_string(title).unwrap();
        refused(
            title,
            SOUND.replace("title: Plan Upgraded", &format!("title: {quoted}")),
            &[],
        );
        let name = serde_json::to_string(&format!("properties[\"{title}\"] == 1")).unwrap();
        refused(title, with(&name), &[]);
        let told = codes(
            title,
            with(&format!("'{}'", title.replace('\'', "''"))).as_bytes(),
        );
        let expected = if title == "no" { "J0302" } else { "J0301" };
        assert_eq!(told, [expected], "{title}");
    }
}

#[test]
fn expressions_and_templates_are_bounded() {
    refused(
        "brackets",
        with(&format!("'{}'", "(".repeat(900_000))),
        &["J0301"],
    );
    refused(
        "operators",
        with(&format!("'{}a'", "a && ".repeat(1_000))),
        &["J0301"],
    );
    refused(
        "minus",
        with(&format!("'{}1 == 1'", "-".repeat(4_000))),
        &["J0301"],
    );
    let pattern = "'profile.a.matches(\"((((((x{9}){9}){9}){9}){9}){9}){9}\")'";
    refused("pattern", with(pattern), &["J0301"]);
    let payload = |text: &str| SOUND.replace("\"{now}\"", &format!("'{text}'"));
    refused(
        "placeholders",
        payload(&"{now}".repeat(150_000)),
        &["J0303"],
    );
    refused("wrong", payload(&"{a}".repeat(900)), &["J0302"]);
    refused("open", payload(&"{".repeat(399_999)), &["J0303"]);
    refused("braces", payload(&"{{".repeat(200_000)), &[]);
}

#[test]
fn thousands_of_problems_are_told_in_bounded_time() {
    let arms = many(2_000, |_| "      - { when: true, then: b }\n".to_owned());
    let arms = format!("{HEAD}  a:\n    decide:\n{arms}      - else: b\n  b: {{ exit: c }}\n");
    assert!(check("arms", arms.as_bytes(), "text").contains("[J0407]"));
    refused("arms", arms, &["J0407"]);
    let name = "b".repeat(40);
    let lost = many(1_500, |block| {
        format!("  {name}{block}: {{ wait: 1h, then: {name}x{block} }}\n")
    });
    refused("lost", format!("{HEAD}{lost}"), &["J0401"]);
    let keys = many(3_000, |key| format!("{name}{key}: 1\n"));
    refused(
        "unknown",
        format!("{HEAD}  a: {{ exit: b }}\n{keys}"),
        &["J0201"],
    );
    let near = many(2_000, |value| {
        format!("        k{value}: '{{profile.{name}{value}x}}'\n")
    });
    let hook = "method: POST, url: 'https://a.example/b', consent: essential";
    let hook = hook.replace(", ", "\n      ");
    let near = format!("{HEAD}  a:\n    webhook:\n      {hook}\n      payload:\n{near}")
        .replace("event: A }", "event: A, where: properties.a == 1 }");
    refused("near", near, &[]);
}
