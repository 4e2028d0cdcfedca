//! Does the program that embeds the runtime do what it says? One request arrives, whatever was
//! handed in twice.

use std::process::Command;

#[test]
fn the_receiver_gets_exactly_one_request() {
    let output = Command::new(env!("CARGO_BIN_EXE_wayfare-example-runtime"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let printed = String::from_utf8(output.stdout).unwrap();
    let said = |what: &str| -> Vec<&str> {
        let lines = printed.lines().filter_map(|line| line.split_once(": "));
        lines
            .filter(|(about, _)| *about == what)
            .map(|(_, said)| said)
            .collect()
    };
    let check = |what: &str, expected: &[&str]| assert_eq!(said(what), expected, "{printed}");
    check(
        "received",
        &[r#"POST crm.example.com/leads {"email":"ann@example.com","plan":"pro"}"#],
    );
    check(
        "handed in",
        &["durable", "durable", "durable", "rejected: no_identifier"],
    );
    check("second copies", &["1 of 3 events"]);
    let outputs = said("came of it");
    assert_eq!(outputs.first(), Some(&"signup-lead decided: webhook"));
    assert_eq!(
        outputs
            .iter()
            .filter(|it| **it == "delivery delivered")
            .count(),
        1,
        "{printed}"
    );
}
