//! Journeys that several stories are about.

/// One walk for each person, ever.
pub(crate) const GREET: &str = r#"
journey: greet
description: Greet somebody an hour after the first visit.
trigger: { event: Visited, where: properties.really != false }
entry: { again: once }
blocks:
  hour: { wait: 1h, then: greet }
  greet:
    webhook:
      method: POST
      url: https://mail.example.com/greetings
      consent: { basis: contract, because: it is a test }
      identity: any
      payload: { to: "{profile.profileId}" }
"#;
