//! Does the program that embeds the executor alone do what it says? Its printed lines.

use std::process::Command;

const EXPECTED: &str = r#"
2026-01-26T10:05:00Z user_id:ann entered remind
2026-01-26T10:06:00Z user_id:ben entered remind
2026-01-26T10:07:00Z user_id:cam entered remind
2026-01-26T10:20:00Z user_id:ben decided: exit (bought)
2026-01-26T10:20:00Z rejected: no_identifier
2026-01-26T10:35:00Z user_id:ann decided: webhook (granted)
2026-01-26T10:35:00Z delivery armed
2026-01-26T10:35:00Z POST https://mail.example.com/reminders {"to":"ann@example.com","cart":7,"at":"2026-01-26T10:35:00Z"}
2026-01-26T10:35:00Z delivery planned
2026-01-26T10:35:00.919Z delivery armed
2026-01-26T10:35:00.919Z POST https://mail.example.com/reminders {"to":"ann@example.com","cart":7,"at":"2026-01-26T10:35:00Z"}
2026-01-26T10:35:00.919Z delivery delivered
2026-01-26T10:37:00Z user_id:cam decided: suppressed (silent)
2026-01-26T11:00:00Z rows kept: decisions 3, deliveries 1, entries 3, identifiers 5, message ids 7
"#;

#[test]
fn one_request_is_sent_and_everything_else_is_said() {
    let output = Command::new(env!("CARGO_BIN_EXE_wayfare-example-executor"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let printed = String::from_utf8(output.stdout).unwrap();
    assert_eq!(printed.trim(), EXPECTED.trim());
}
