//! Does the schema that editors get for `wayfare.yaml` agree with what reads it? Both know the same
//! keys and words, and what a schema can catch both refuse.
#![expect(
    clippy::unwrap_used,
    reason = "a test target: an assumption that fails is a test that fails"
)]

#[path = "../../../tests/agreement.rs"]
mod agreement;
#[path = "../../../tests/schema.rs"]
mod schema;

use serde_json::Value;
use wayfare_journey::diagnostic::Diagnostic;
use wayfare_runtime::config;

const EVERYTHING: &str = r#"
consent:
  jurisdiction: { default: US-CA }
  categories:
    essential: { class: essential }
    marketing:
      class: consent
      binding: address
      channel: email
      default: decline
      by_jurisdiction: { US: accept }
      strength: any
      max_age: 730d
      ask_again_after: 365d
      aliases: [Advertising]
      gpc: true
      tcf: { purposes: [24] }
    marketing.news: { max_age: 90d }
    sms_marketing: { channel: phone }
    analytics: { class: notice_only, binding: profile, aliases: [Analytics, C0002], gpc: false, tcf: { purposes: [1, 7] } }
    personalization: { strength: confirmed, ask_again_after: 30d }
    news:
      class: legitimate_interest
      binding: address
      channel: email
      default: accept
      by_jurisdiction: { de: decline }
      strength: confirmed
      max_age: PT36H
      ask_again_after: 90d
      aliases: [C0009]
      gpc: true
      tcf: { purposes: [2, 3] }
    surveys: { class: consent, binding: profile, ask_again_after: 90d, aliases: , gpc: true, tcf: { purposes: [1] } }
  tcf_vendor: 755
  segment_missing_is_false: true
identity:
  namespaces:
    - { name: user_id, class: anchor }
    - { name: email, class: address, limit: 5, from_properties: true, provider_fold: gmail }
    - { name: device_id, class: device, limit: 5 }
    - { name: anonymous_id, class: session, limit: 20, window: 7d }
  blocked: [qa@example.com]
  phone_region: DE
webhooks:
  allow_networks: [127.0.0.0/8, "::1"]
  allow_http: [localhost]
  allow_ports: [8443]
  hosts: { billing.example.com: { in_flight: 8, rate: 20/s } }
server:
  listen: 127.0.0.1:8080
  keys: [{ id: web, kind: browser, key: { env: WAYFARE_BROWSER_KEY } }]
  admin: [{ id: ops, token: { file: /run/secrets/ops }, scopes: [read, operate, admin] }]
  unsubscribe: { key: { env: WAYFARE_UNSUBSCRIBE_KEY } }
state: { directory: .wayfare, cache_mb: 1024, history: 30d, message_ids: 7d }
types:
  profile: { plan: text, visits: number, since: time }
  account: { seats: number, is_paying: boolean }
  events: { Plan Upgraded: { currentPlan: text, features: list, cart: object } }
"#;

fn config_schema() -> Value {
    serde_json::from_str(config::SCHEMA).unwrap()
}

fn read(text: &str) -> Vec<Diagnostic> {
    config::read(text).err().unwrap_or_default()
}

fn problems(text: &str) -> Vec<String> {
    let schema = config_schema();
    schema::problems(&schema, &schema, &schema::json(text))
}

#[test]
fn schema_and_reader_know_the_same_keys_and_words() {
    agreement::check(&config_schema(), &[EVERYTHING], &read);
}

#[test]
fn what_is_empty_is_as_shipped() {
    for text in [
        "# nothing yet\n",
        "{}\n",
        "consent:\nidentity:\nwebhooks:\nserver:\nstate:\ntypes:\n",
        "consent: { categories: }\nidentity: { namespaces: [{ name: a, class: anchor }], blocked: }\n",
        "types: { profile: , account: , events: { A: } }\n",
    ] {
        assert_eq!(read(text), [], "{text}");
        assert_eq!(problems(text), Vec::<String>::new(), "{text}");
    }
}

#[test]
fn what_a_schema_can_catch_both_refuse() {
    for text in [
        "consent: { jurisdiction: { default: Europe } }",
        "consent: { categories: { News: { class: consent, binding: profile } } }",
        "consent: { categories: { news: { class: consent, binding: address } } }",
        "consent: { categories: { marketing..news: {} } }",
        "consent: { categories: { marketing.news: { default: unknown } } }",
        "consent: { categories: { news: { binding: profile } } }",
        "consent: { categories: { marketing: { binding: profile, channel: email } } }",
        "consent: { categories: { marketing: { default: unknown } } }",
        "consent: { categories: { marketing: { by_jurisdiction: { Germany: accept } } } }",
        "consent: { categories: { marketing: { max_age: ten years } } }",
        "consent: { categories: { marketing: { aliases: [''] } } }",
        "consent: { categories: { marketing: { gpc: 1 } } }",
        "consent: { tcf_vendor: 1, categories: { marketing: { tcf: { purposes: [] } } } }",
        "consent: { tcf_vendor: 1, categories: { marketing: { tcf: { purposes: [0] } } } }",
        "consent: { tcf_vendor: 1, categories: { marketing: { tcf: { purposes: [25] } } } }",
        "consent: { tcf_vendor: 1, categories: { marketing: { tcf: } } }",
        "consent: { tcf_vendor: 0 }",
        "consent: { tcf_vendor: 65536 }",
        "consent: { segment_missing_is_false: no }",
        "server: { unsubscribe: { key: s3cret } }",
        "server: { unsubscribe: }",
        "identity: { namespaces: [{ name: a, class: anchor, limit: 3 }] }",
        "identity: { namespaces: [{ name: a, class: anchor, from_properties: true }] }",
        "identity: { namespaces: [{ name: A b, class: anchor }] }",
        "identity: { namespaces: [{ name: a, class: anchor }, { name: phone, class: address, provider_fold: gmail }] }",
        "identity: { namespaces: [{ name: a, class: anchor }, { name: email, class: address, provider_fold: aol }] }",
        "identity: { phone_region: Germany }",
        "webhooks: { allow_networks: [localhost] }",
        "webhooks: { allow_ports: [0] }",
        "webhooks: { allow_ports: [70000] }",
        "webhooks: { hosts: { a: { in_flight: 1025 } } }",
        "webhooks: { hosts: { a: { in_flight: 1.5 } } }",
        "webhooks: { hosts: { a: { rate: 0/s } } }",
        "webhooks: { hosts: { a: } }",
        "server: { listen: localhost }",
        "server: { keys: [{ id: web, kind: browser, key: s3cret }] }",
        "server: { keys: [{ id: W, kind: browser, key: { env: A } }] }",
        "server: { admin: [{ id: ops, scopes: [read] }] }",
        "state: { directory: '' }",
        "state: { cache_mb: 0 }",
        "state: { history: 1M }",
        "types: { events: { A: { b: string } } }",
        "- consent",
    ] {
        assert!(!read(text).is_empty(), "the reader takes `{text}`");
        assert!(!problems(text).is_empty(), "the schema takes `{text}`");
    }
}
