//! Which requests does each receiver believe, and for how long does it remember? Asked without a wire,
//! so that the time can be told.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use wayfare_example_receiver::ledger::{Ledger, Taken};
use wayfare_example_receiver::signature::Secrets;

use crate::running::{Language, all, examples, store};
use crate::sign::{NEW, OLD, Request, STRANGE, signature};

/// What a receiver answers to these questions.
fn ask(language: Language, directory: &Path, questions: &[Value]) -> Vec<String> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/receivers");
    let (program, script, example) = match language {
        Language::Rust => return ask_rust(directory, questions),
        Language::Python => ("python3", "pure.py", "receiver-python"),
        Language::Node => ("node", "pure.mjs", "receiver-node"),
    };
    let mut command = Command::new(program);
    if language == Language::Python {
        command.arg("-B");
    }
    command.arg(here.join(script)).arg(examples().join(example));
    command.arg(store(directory));
    let mut process = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("these tests need `{program}` on the PATH: {error}"));
    let lines: String = questions.iter().map(|it| format!("{it}\n")).collect();
    let mut stdin = process.stdin.take().unwrap();
    stdin.write_all(lines.as_bytes()).unwrap();
    drop(stdin);
    let output = process.wait_with_output().unwrap();
    assert!(output.status.success(), "{program}: {}", output.status);
    let answers = String::from_utf8(output.stdout).unwrap();
    answers.lines().map(str::to_owned).collect()
}

fn ask_rust(directory: &Path, questions: &[Value]) -> Vec<String> {
    let mut ledger = Ledger::open(&store(directory), 0).unwrap();
    let answers = questions.iter().map(|question| {
        let text = |name: &str| question[name].as_str().unwrap();
        let now = question["now"].as_u64().unwrap();
        let body = BASE64_STANDARD.decode(text("body")).unwrap();
        if question.get("secrets").is_none() {
            let body = String::from_utf8(body).unwrap();
            let taken = ledger.take(text("id"), &body, now).unwrap();
            return match taken {
                Taken::Now | Taken::Before => "204",
                Taken::Altered => "422",
            };
        }
        let headers = question["headers"].as_object().unwrap().iter();
        let headers: HeaderMap = headers
            .map(|(name, value)| -> (HeaderName, HeaderValue) {
                let value = value.as_str().unwrap();
                (name.parse().unwrap(), value.parse().unwrap())
            })
            .collect();
        let Ok(secrets) = Secrets::parse(text("secrets")) else {
            return "refused";
        };
        let verdict = secrets.verify(&headers, &body, now);
        if verdict.is_ok() { "taken" } else { "refused" }
    });
    answers.map(str::to_owned).collect()
}

fn is_it_true(request: &Request, secrets: &str, now: i64) -> Value {
    let headers = request.headers.iter().cloned();
    let headers = headers.map(|(name, value)| (name, Value::from(value)));
    json!({
        "secrets": secrets,
        "headers": Value::Object(headers.collect()),
        "body": BASE64_STANDARD.encode(&request.body),
        "now": now,
    })
}

/// Every receiver judges these requests so.
fn check(table: &[(&str, Value, bool)]) {
    let questions: Vec<Value> = table
        .iter()
        .map(|(_, question, _)| question.clone())
        .collect();
    for language in all() {
        let directory = tempfile::tempdir().unwrap();
        let answers = ask(language, directory.path(), &questions);
        assert_eq!(answers.len(), table.len(), "{language:?}");
        for ((name, _, expected), answer) in table.iter().zip(answers) {
            let expected = if *expected { "taken" } else { "refused" };
            assert_eq!(answer, expected, "{language:?}: {name}");
        }
    }
}

#[test]
fn published_signatures_are_right() {
    let email = r#"{"email":"test@example.com","username":"test_user"}"#;
    let (first, second) = (
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk",
    );
    #[rustfmt::skip]
    let vectors = [
        (NEW, first, 1_614_265_330, r#"{"test": 2432232314}"#, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
        (OLD, second, 1_649_367_553, email, "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw="),
        (NEW, first, 1_614_265_330, "", "v1,v48jdbgvh29KJz2Qc+ghw8G6vG3nAKnujWBg8oM/62A="),
        (STRANGE, "msg_1", 1_700_000_000, r#"{"a":1}"#, "v1,rkwp5YuvdrMkcu0ZhuMsXoTg44mHAr1Q0+FFgFpXsjY="),
    ];
    let mut table = Vec::new();
    for (secret, id, at, body, expected) in vectors {
        let timestamp = at.to_string();
        let signed = format!("{id}.{timestamp}.{body}");
        assert_eq!(signature(secret, signed.as_bytes()), expected, "{id}");
        let request = Request::signed_at(&timestamp, &[], id, body);
        let mut request = request.named(str::to_owned);
        request.headers[2].1 = expected.to_owned();
        table.push((id, is_it_true(&request, secret, at), true));
        let bare = secret.strip_prefix("whsec_").unwrap();
        table.push((id, is_it_true(&request, bare, at), true));
        request.body.push(b' ');
        table.push((id, is_it_true(&request, secret, at), false));
    }
    check(&table);
}

#[test]
fn each_believes_what_real_receivers_believe() {
    const AT: i64 = 1_700_000_000;
    let of = |timestamp: &str, secrets: &[&str]| {
        Request::signed_at(timestamp, secrets, "msg_1", r#"{"a":1}"#)
    };
    let right = || of(&AT.to_string(), &[NEW]);
    let now = |request: &Request| is_it_true(request, NEW, AT);
    let signatures =
        |change: &dyn Fn(&str) -> String| now(&right().with("webhook-signature", change));
    let mut longer = right();
    longer.body.push(b' ');
    let both = format!("{NEW} {OLD}");
    let other = |name: &str| name.replace("webhook-", "svix-");
    let without = |name: &str| now(&right().with(name, |_| String::new()));
    let bare = NEW.strip_prefix("whsec_").unwrap();
    let dotted = Request::signed_at(&AT.to_string(), &[NEW], "msg.1", "");
    let short = of(&AT.to_string(), &["whsec_MDEyMzQ1Njc4OWFiY2Rl"]);
    let long = of(&AT.to_string(), &[&"MDEy".repeat(22)]);
    #[rustfmt::skip]
    let table = [
        // What was measured with the published libraries.
        ("secret with the prefix", now(&right()), true),
        ("secret without the prefix", is_it_true(&right(), bare, AT), true),
        ("several signatures, one of them right", now(&of(&AT.to_string(), &[OLD, NEW])), true),
        ("an unknown version beside a right v1", signatures(&|it| format!("v2,{} {it}", "x".repeat(44))), true),
        ("295 s old", is_it_true(&right(), NEW, AT + 295), true),
        ("305 s old", is_it_true(&right(), NEW, AT + 305), false),
        ("305 s ahead", is_it_true(&right(), NEW, AT - 305), false),
        ("one byte added to the body", now(&longer), false),
        ("a timestamp in milliseconds", now(&of(&format!("{AT}000"), &[NEW])), false),
        ("a fractional timestamp", now(&of(&format!("{AT}.0"), &[NEW])), false),
        ("svix names", now(&right().named(other)), false),
        ("an empty secret", is_it_true(&right(), "whsec_", AT), false),
        // What their tests add, and what two secrets mean.
        ("no id", without("webhook-id"), false),
        ("no timestamp", without("webhook-timestamp"), false),
        ("no signature", without("webhook-signature"), false),
        ("a timestamp that is no number", now(&of("hello", &[NEW])), false),
        ("a timestamp before 1970", now(&of("-1", &[NEW])), false),
        ("an empty signature", signatures(&|_| "v1,".to_owned()), false),
        ("half a signature", signatures(&|it| it.chars().take(20).collect()), false),
        ("two signatures without a space", signatures(&|it| format!("{it},{it}")), false),
        ("a right signature of another version", signatures(&|it| it.replace("v1", "v2")), false),
        ("only wrong signatures", now(&of(&AT.to_string(), &[OLD, STRANGE])), false),
        ("two secrets, signed with the new one", is_it_true(&right(), &both, AT), true),
        ("two secrets, signed with the old one", is_it_true(&of(&AT.to_string(), &[OLD]), &both, AT), true),
        ("two secrets, signed with neither", is_it_true(&of(&AT.to_string(), &[STRANGE]), &both, AT), false),
        ("a secret with a byte that is not base64", is_it_true(&right(), &format!("{NEW}-"), AT), false),
        ("a secret that is too short", is_it_true(&short, "whsec_MDEyMzQ1Njc4OWFiY2Rl", AT), false),
        ("a secret that is too long", is_it_true(&long, &"MDEy".repeat(22), AT), false),
        ("an id with a dot in it", now(&dotted), false),
    ];
    check(&table);
}

#[test]
fn an_id_is_remembered_for_a_day_and_an_hour() {
    const WHILE: u64 = 25 * 60 * 60;
    let copy = |now: u64, body: &str| {
        let body = BASE64_STANDARD.encode(body);
        json!({ "id": "msg_1", "body": body, "now": 1_000 + now })
    };
    // Each list of copies meets a receiver that was started anew.
    let starts: [&[(Value, &str)]; 3] = [
        &[
            (copy(0, "a"), "204"),
            (copy(1, "a"), "204"),
            (copy(1, "b"), "422"),
        ],
        &[
            (copy(WHILE, "a"), "204"),
            (copy(WHILE, "b"), "422"),
            (copy(WHILE + 1, "b"), "204"),
        ],
        &[(copy(2 * WHILE, "b"), "204"), (copy(2 * WHILE, "a"), "422")],
    ];
    for language in all() {
        let directory = tempfile::tempdir().unwrap();
        for copies in starts {
            let questions: Vec<Value> = copies.iter().map(|(copy, _)| copy.clone()).collect();
            let expected: Vec<&str> = copies.iter().map(|(_, answer)| *answer).collect();
            let answers = ask(language, directory.path(), &questions);
            assert_eq!(answers, expected, "{language:?}");
        }
        assert_eq!(
            language.effects(directory.path()),
            ["a", "b"],
            "{language:?}"
        );
    }
}
