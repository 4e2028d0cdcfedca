//! Are the shipped journeys what the checker takes?

use std::path::Path;

#[test]
fn every_shipped_journey_can_be_read_and_is_named_like_its_file() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .join("journeys");
    let mut names = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.to_str().unwrap();
        if !name.ends_with(".yaml") || name.ends_with(".test.yaml") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let definition = wayfare_journey::parse(&text).unwrap();
        assert_eq!(
            path.file_stem().unwrap().to_str().unwrap(),
            definition.id.value
        );
        names.push(definition.id.value);
    }
    names.sort();
    assert_eq!(
        names,
        [
            "ab-offer",
            "billing-alarm",
            "cart-recovery",
            "cart-recovery-restart",
            "churn-risk",
            "consent-revocation",
            "dunning",
            "onboarding",
            "plan-upgrade",
            "renewal-reminder",
            "review-request",
            "seat-limit",
            "signup-lead",
            "trial-ending",
            "win-back"
        ]
    );
}
