//! Does `wayfare.yaml` mean what it says, and is what it must not say told where it stands?

use wayfare_consent::{Binding, Channel, Class, Strength};
use wayfare_event::ConsentAction;
use wayfare_journey::definition::Secret;
use wayfare_journey::diagnostic::Code;
use wayfare_journey::duration::DAY_US;

use super::*;

const WHOLE: &str = r#"
consent:
  jurisdiction: { default: unknown }
  categories:
    marketing: { class: consent, binding: address, channel: email, by_jurisdiction: { US: accept }, strength: any, max_age: 730d }
identity:
  namespaces:                        # rank is the order; these are the defaults
    - { name: user_id, class: anchor }
    - { name: email, class: address, limit: 5 }
    - { name: phone, class: address, limit: 5 }
    - { name: device_id, class: device, limit: 5 }
    - { name: anonymous_id, class: session, limit: 20, window: 7d }
  blocked: [qa@example.com]
  phone_region: DE
webhooks:
  allow_networks: [127.0.0.0/8]      # addresses beyond the public internet
  allow_http: [localhost]
  allow_ports: [8443]
  hosts: { billing.example.com: { in_flight: 8, rate: 20/s } }   # `host` or `host:port`; no rate by default
server:
  listen: 127.0.0.1:8080
  keys: [{ id: web, kind: browser, key: { env: WAYFARE_BROWSER_KEY } }]
  admin: [{ id: ops, token: { env: WAYFARE_ADMIN_TOKEN }, scopes: [read, operate, admin] }]
state: { directory: .wayfare, cache_mb: 1024, history: 30d, message_ids: 7d }
types: { profile: { plan: text, visits: number }, events: { Plan Upgraded: { currentPlan: text } } }
"#;

#[test]
fn everything_that_can_be_said_is_read() {
    let settings = read(WHOLE).unwrap();
    assert_eq!(
        settings.identity.namespaces(),
        wayfare_identity::Config::default().namespaces()
    );
    assert_eq!(settings.identity.phone_region().unwrap().as_str(), "DE");
    let marketing = settings.consent.category("marketing").unwrap();
    assert_eq!(marketing.by_jurisdiction["US"], ConsentAction::Accept);
    assert_eq!(marketing.max_age_us, Some(730 * DAY_US));
    assert_eq!(marketing.strength, Strength::Any);
    assert_eq!(settings.consent.names().count(), 5);
    assert_eq!(
        settings.webhooks.allow_networks,
        ["127.0.0.0/8".parse().unwrap()]
    );
    assert_eq!(settings.webhooks.allow_http, ["localhost"]);
    assert_eq!(settings.webhooks.allow_ports, [8443]);
    let billing = settings.host("Billing.example.com", 443);
    assert_eq!(billing.rate, "20/s".parse().ok());
    let key = Secret::Env("WAYFARE_BROWSER_KEY".to_owned());
    assert_eq!(settings.server.keys[0].key, key);
    assert_eq!(settings.server.keys[0].kind, KeyKind::Browser);
    assert_eq!(settings.server.admin[0].scopes.len(), 3);
    assert_eq!(settings.state.directory.unwrap().to_str(), Some(".wayfare"));
    assert_eq!(settings.state.cache_mb, Some(1024));
    assert_eq!(settings.types.profile["visits"], ValueType::Number);
    assert_eq!(
        settings.types.events["Plan Upgraded"]["currentPlan"],
        ValueType::Text
    );
}

#[test]
fn what_is_not_said_is_as_shipped() {
    let empty = [
        "",
        "# nothing yet\n",
        "{}\n",
        "consent:\nwebhooks:\nserver:\n",
        "consent: {categories: }\n",
    ];
    for text in empty {
        assert_eq!(read(text), Ok(Settings::default()), "{text}");
    }
    let history = read("state: { history: 60d }\n").unwrap().state;
    assert_eq!(
        (history.history_us, history.message_ids_us),
        (60 * DAY_US, 7 * DAY_US)
    );
}

#[test]
fn a_built_in_category_is_changed_and_another_is_added() {
    let check = |text: &str, name: &str, expected: (Class, Binding)| {
        let settings = read(&format!("consent: {{ categories: {{ {text} }} }}\n")).unwrap();
        let category = settings.consent.category(name).unwrap();
        assert_eq!((category.class, category.binding), expected, "{text}");
    };
    let email = Binding::Address(Channel::Email);
    let phone = Binding::Address(Channel::Phone);
    check(
        "marketing: { default: accept }",
        "marketing",
        (Class::Consent, email),
    );
    check(
        "marketing: { class: notice_only, binding: profile }",
        "marketing",
        (Class::NoticeOnly, Binding::Profile),
    );
    check(
        "analytics: { channel: phone }",
        "analytics",
        (Class::Consent, phone),
    );
    check(
        "marketing: { binding: address }",
        "marketing",
        (Class::Consent, email),
    );
    check(
        "news: { class: legitimate_interest, binding: address, channel: email }",
        "news",
        (Class::LegitimateInterest, email),
    );
    check(
        "ads: { class: consent, binding: profile, by_jurisdiction: { us-ca: decline } }",
        "marketing",
        (Class::Consent, email),
    );
}

/// A file, and for each of its problems the code and what is underlined.
fn check(text: &str, expected: &[(Code, &str)]) {
    let problems = read(text).unwrap_err();
    let found: Vec<(Code, &str)> = problems
        .iter()
        .map(|problem| (problem.code, text.get(problem.span.range()).unwrap()))
        .collect();
    assert_eq!(found, expected, "{text}\n{problems:#?}");
}

#[test]
fn unknown_keys_and_wrong_shapes_are_told_where_they_stand() {
    use Code::{DuplicateKey, MissingKey, UnknownKey, WrongShape};
    check("webhoks: {}\n", &[(UnknownKey, "webhoks")]);
    check(
        "webhooks: { allow_htp: [a] }\n",
        &[(UnknownKey, "allow_htp")],
    );
    check(
        "state: { dir: x }\nserver: 80\n",
        &[(UnknownKey, "dir"), (WrongShape, "80")],
    );
    check("- consent\n", &[(WrongShape, "- consent")]);
    check("state: {}\nstate: {}\n", &[(DuplicateKey, "state")]);
    check(
        "webhooks: { allow_http: localhost }\n",
        &[(WrongShape, "localhost")],
    );
    check("webhooks: { hosts: [a] }\n", &[(WrongShape, "[a]")]);
    check(
        "server: { keys: [{ id: web }] }\n",
        &[(MissingKey, "id"), (MissingKey, "id")],
    );
    check(
        "server: { admin: [{ id: ops, scopes: [read] }] }\n",
        &[(MissingKey, "id")],
    );
    let hint = read("webhoks: {}\n").unwrap_err().remove(0).hint;
    assert_eq!(hint.as_deref(), Some("did you mean `webhooks`?"));
}

#[test]
fn values_that_cannot_be_are_told_where_they_stand() {
    use Code::{InvalidValue, WrongShape};
    check(
        "webhooks: { allow_networks: [10.1.0.0/8] }\n",
        &[(InvalidValue, "10.1.0.0/8")],
    );
    check(
        "webhooks: { allow_http: [\"http://a\"] }\n",
        &[(InvalidValue, "\"http://a\"")],
    );
    check(
        "webhooks: { allow_http: [\"a:80\"] }\n",
        &[(InvalidValue, "\"a:80\"")],
    );
    check(
        "webhooks: { allow_ports: [0, 70000, x] }\n",
        &[
            (InvalidValue, "0"),
            (InvalidValue, "70000"),
            (WrongShape, "x"),
        ],
    );
    check(
        "webhooks: { hosts: { a/b: {} } }\n",
        &[(InvalidValue, "a/b")],
    );
    check(
        "webhooks: { hosts: { a: { in_flight: 0, rate: fast } } }\n",
        &[(InvalidValue, "0"), (InvalidValue, "fast")],
    );
    check(
        "webhooks: { hosts: { a: { in_flight: 1025 } } }\n",
        &[(InvalidValue, "1025")],
    );
}

#[test]
fn keys_state_and_types_that_cannot_be_are_told_where_they_stand() {
    use Code::{InvalidDuration, InvalidName, InvalidValue, LiteralSecret};
    check(
        "server: { listen: localhost }\n",
        &[(InvalidValue, "localhost")],
    );
    check(
        "server: { keys: [{ id: web, kind: browser, key: s3cret }] }\n",
        &[(LiteralSecret, "s3cret")],
    );
    check(
        "server: { keys: [{ id: W, kind: phone, key: { env: A, file: b } }] }\n",
        &[
            (InvalidName, "W"),
            (InvalidValue, "phone"),
            (InvalidValue, "{ env: A, file: b }"),
        ],
    );
    let keys = "{ id: a, kind: server, key: { env: A } }, { id: a, kind: server, key: { env: B } }";
    check(
        &format!("server: {{ keys: [{keys}] }}\n"),
        &[(InvalidValue, "a")],
    );
    check(
        "server: { admin: [{ id: a, token: { env: A }, scopes: [all] }] }\n",
        &[(InvalidValue, "all")],
    );
    check(
        "state: { cache_mb: 0, message_ids: 6d, history: 1M }\n",
        &[
            (InvalidValue, "0"),
            (InvalidDuration, "6d"),
            (InvalidDuration, "1M"),
        ],
    );
    check("state: { directory: '' }\n", &[(InvalidValue, "''")]);
    check(
        "types: { profile: { plan: string } }\n",
        &[(InvalidValue, "string")],
    );
}

#[test]
fn identity_that_cannot_be_is_told_where_it_stands() {
    use Code::{InvalidName, InvalidValue, MissingKey};
    let check_namespaces = |namespaces: &str, expected: &[(Code, &str)]| {
        check(
            &format!("identity: {{ namespaces: {namespaces} }}\n"),
            expected,
        );
    };
    let anchors = "[{ name: a, class: anchor }, { name: b, class: anchor }]";
    check_namespaces(anchors, &[(InvalidValue, anchors)]);
    check_namespaces(
        "[{ name: a, class: session }]",
        &[(InvalidValue, "[{ name: a, class: session }]")],
    );
    check_namespaces(
        "[{ name: a, class: anchor }, { name: a, class: device }]",
        &[(InvalidValue, "{ name: a, class: device }")],
    );
    check_namespaces(
        "[{ name: a, class: anchor, limit: 3 }]",
        &[(InvalidValue, "limit")],
    );
    check_namespaces(
        "[{ name: a, class: anchor }, { name: b, class: device, window: 7d }]",
        &[(InvalidValue, "window")],
    );
    check_namespaces(
        "[{ name: A b, class: ancor }]",
        &[(InvalidName, "A b"), (InvalidValue, "ancor")],
    );
    check_namespaces("[{ class: anchor }]", &[(MissingKey, "class")]);
    check("identity: { phone_region: ZZ }\n", &[(InvalidValue, "ZZ")]);
}

#[test]
fn categories_that_cannot_be_are_told_where_they_stand() {
    use Code::{InvalidDuration, InvalidName, InvalidValue, MissingKey};
    let check_category = |category: &str, expected: &[(Code, &str)]| {
        check(
            &format!("consent: {{ categories: {{ {category} }} }}\n"),
            expected,
        );
    };
    check_category(
        "news: { default: accept }",
        &[(MissingKey, "default"), (MissingKey, "default")],
    );
    check_category(
        "news: { class: consent, binding: address }",
        &[(MissingKey, "class")],
    );
    check_category(
        "marketing: { binding: profile, channel: email }",
        &[(InvalidValue, "channel")],
    );
    check_category("marketing: { class: consnt }", &[(InvalidValue, "consnt")]);
    check_category(
        "marketing: { default: unknown }",
        &[(InvalidValue, "unknown")],
    );
    check_category(
        "marketing: { by_jurisdiction: { Germany: accept } }",
        &[(InvalidValue, "Germany")],
    );
    check_category(
        "marketing: { by_jurisdiction: { EU: decline, uk: decline } }",
        &[(InvalidValue, "EU"), (InvalidValue, "uk")],
    );
    check_category("marketing: { max_age: 0s }", &[(InvalidDuration, "0s")]);
    check_category(
        "News: { class: consent, binding: profile }",
        &[(InvalidName, "News")],
    );
    check(
        "consent: { jurisdiction: { default: Europe } }\n",
        &[(InvalidValue, "Europe")],
    );
}
