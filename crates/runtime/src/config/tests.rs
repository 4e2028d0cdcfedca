//! Does `wayfare.yaml` mean what it says, and is what it must not say told where it stands?

use wayfare_consent::{Binding, Channel, Class, Strength};
use wayfare_event::ConsentAction;
use wayfare_journey::ValueType;
use wayfare_journey::definition::Secret;
use wayfare_journey::diagnostic::Code;
use wayfare_journey::duration::DAY_US;

use super::*;

mod consent;

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
  unsubscribe: { key: { env: WAYFARE_UNSUBSCRIBE_KEY } }
state: { directory: .wayfare, cache_mb: 1024, history: 30d, message_ids: 7d }
types: { profile: { plan: text, visits: number }, events: { Plan Upgraded: { currentPlan: text } } }
"#;

#[test]
fn everything_that_can_be_said_is_read() {
    let settings = read(WHOLE).unwrap();
    let standard = wayfare_identity::Config::default().namespaces().to_vec();
    let blocked = ["qa@example.com".to_owned()];
    let region = wayfare_identity::Region::named("DE");
    let identity = wayfare_identity::Config::new(standard, blocked, region).unwrap();
    assert_eq!(settings.identity, identity);
    assert_eq!(settings.consent, consent_of_the_whole());
    let webhooks = Policy {
        allow_networks: vec!["127.0.0.0/8".parse().unwrap()],
        allow_http: vec!["localhost".to_owned()],
        allow_ports: vec![8443],
        own: Vec::new(),
    };
    assert_eq!(settings.webhooks, webhooks);
    let limits = HostLimits {
        in_flight: 8,
        rate: "20/s".parse().ok(),
    };
    let host = "billing.example.com".to_owned();
    assert_eq!(settings.hosts, BTreeMap::from([(host, limits)]));
    assert_eq!(settings.server, server_of_the_whole());
    let state = State {
        directory: Some(".wayfare".into()),
        cache_mb: Some(1024),
        history_us: 30 * DAY_US,
        message_ids_us: 7 * DAY_US,
    };
    assert_eq!(settings.state, state);
    let declared = |name: &str, of| (name.to_owned(), of);
    let upgraded = BTreeMap::from([declared("currentPlan", ValueType::Text)]);
    let types = Types {
        profile: BTreeMap::from([
            declared("plan", ValueType::Text),
            declared("visits", ValueType::Number),
        ]),
        account: BTreeMap::new(),
        events: BTreeMap::from([("Plan Upgraded".to_owned(), upgraded)]),
    };
    assert_eq!(settings.types, types);
}

fn consent_of_the_whole() -> wayfare_consent::Config {
    let standard = wayfare_consent::Config::default();
    let mut categories = standard.categories().clone();
    let marketing = wayfare_consent::Category {
        class: Class::Consent,
        binding: Binding::Address(Channel::Email),
        default: None,
        by_jurisdiction: BTreeMap::from([("US".to_owned(), ConsentAction::Accept)]),
        strength: Strength::Any,
        max_age_us: Some(730 * DAY_US),
        ask_again_after_us: None,
        hears: wayfare_consent::sources::Hears::NAME_ONLY,
    };
    categories.insert("marketing".into(), marketing);
    wayfare_consent::Config::new(categories, wayfare_consent::Jurisdiction::UNKNOWN)
}

fn server_of_the_whole() -> Server {
    let secret = |name: &str| Secret::Env(name.to_owned());
    Server {
        listen: "127.0.0.1:8080".parse().unwrap(),
        keys: vec![WriteKey {
            id: "web".to_owned(),
            kind: KeyKind::Browser,
            key: secret("WAYFARE_BROWSER_KEY"),
        }],
        admin: vec![AdminToken {
            id: "ops".to_owned(),
            token: secret("WAYFARE_ADMIN_TOKEN"),
            scopes: [Scope::Read, Scope::Operate, Scope::Admin].into(),
        }],
        unsubscribe: Some(secret("WAYFARE_UNSUBSCRIBE_KEY")),
    }
}

#[test]
fn journeys_may_name_what_is_configured() {
    let settings = read(WHOLE).unwrap();
    let categories = settings.categories();
    let standard = [
        "analytics",
        "essential",
        "marketing",
        "personalization",
        "sms_marketing",
    ];
    assert!(categories.iter().map(|name| &**name).eq(standard));
    let check = |url: &str, refused_for: Option<&str>| {
        let refusal = settings.vet(url).err();
        assert_eq!(refusal.is_some(), refused_for.is_some(), "{url}");
        let words = refused_for.unwrap_or_default();
        assert!(refusal.unwrap_or_default().contains(words), "{url}");
    };
    check("https://crm.example.com/leads", None);
    check("http://localhost:8443/leads", None);
    check("https://127.0.0.1/leads", None);
    check("http://crm.example.com/", Some("webhooks.allow_http"));
    check("https://crm.example.com:81/", Some("webhooks.allow_ports"));
    check("https://10.0.0.1/", Some("webhooks.allow_networks"));
}

#[test]
fn a_host_is_found_however_it_is_spelled() {
    let hosts = "A.example.com: { in_flight: 1 }, a.example.com:8443: { in_flight: 2 }, \
                 \"::1\": { in_flight: 3 }, \"[0:0::1]:80\": { in_flight: 4 }";
    let settings = read(&format!("webhooks: {{ hosts: {{ {hosts} }} }}\n")).unwrap();
    let check = |host: &str, port: u16, in_flight: usize| {
        let limits = settings.host(host, port);
        assert_eq!(limits.in_flight, in_flight, "{host} {port}");
    };
    check("a.example.com", 443, 1);
    check("a.Example.com", 8443, 2);
    check("::1", 443, 3);
    check("[::1]", 443, 3);
    check("::1", 80, 4);
    check("b.example.com", 443, HostLimits::default().in_flight);
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

#[test]
fn a_part_takes_from_the_nearest_whole_what_it_does_not_say() {
    let text = "consent: { categories: { \
        ads.social.video: { strength: confirmed }, \
        ads.social: { max_age: 30d }, \
        marketing.news: { ask_again_after: 365d }, \
        ads: { class: notice_only, channel: phone } } }\n";
    let settings = read(text).unwrap();
    let category = |name: &str| settings.consent.category(name).unwrap();
    let news = category("marketing.news");
    let marketing = category("marketing");
    assert_eq!(
        (news.class, news.binding),
        (marketing.class, marketing.binding)
    );
    assert_eq!(news.ask_again_after_us, Some(365 * DAY_US));
    assert_eq!(marketing.ask_again_after_us, None);
    let video = category("ads.social.video");
    assert_eq!(video.binding, Binding::Address(Channel::Phone));
    assert_eq!(video.class, Class::NoticeOnly);
    assert_eq!(video.max_age_us, Some(30 * DAY_US));
    assert_eq!(video.strength, Strength::Confirmed);
    assert_eq!(category("ads").max_age_us, None);
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
        "webhooks: { hosts: { A: {}, a: {} } }\n",
        &[(InvalidValue, "a")],
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
    check_namespaces(
        "[{ name: a, class: anchor, from_properties: true }]",
        &[(InvalidValue, "from_properties")],
    );
    check_namespaces(
        "[{ name: a, class: anchor }, { name: b, class: device, provider_fold: gmail }]",
        &[(InvalidValue, "provider_fold")],
    );
    check_namespaces(
        "[{ name: a, class: anchor }, { name: email, class: address, provider_fold: aol }]",
        &[(InvalidValue, "aol")],
    );
    check("identity: { phone_region: ZZ }\n", &[(InvalidValue, "ZZ")]);
}
