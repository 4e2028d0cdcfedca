//! Where does a request go, whatever a profile holds? Values are encoded, and lead nowhere else.
#![expect(clippy::panic, reason = "a broken fixture should fail its test")]

use std::sync::Arc;

use proptest::prelude::*;
use url::Url;
use wayfare_event::{Map, Timestamp, Value};
use wayfare_journey::expression::Scope;
use wayfare_journey::{Block, Graph, Known, Unfit, compile};

fn graph(trigger: &str, url: &str) -> Graph {
    let text = format!(
        "journey: j\ndescription: d\ntrigger: {trigger}\nentry: {{ again: once }}\nblocks:\n  send:\n    \
         webhook:\n      method: PUT\n      consent: {{ basis: contract, because: b }}\n      \
         url: {url}\n      payload: {{}}\n"
    );
    let categories: [Arc<str>; 1] = ["marketing".into()];
    let known = Known {
        categories: &categories,
        vet: &|_| Ok(()),
        ..Known::default()
    };
    compile(&text, &known)
        .unwrap_or_else(|problems| panic!("{text}\n{problems:?}"))
        .graph
}

fn render(
    graph: &Graph,
    change: Option<&Map>,
    profile: &Map,
    account: &Map,
) -> Result<String, Unfit> {
    let Block::Webhook(webhook) = graph.block(graph.start()) else {
        panic!("a webhook")
    };
    let empty = Map::new();
    let rendered = webhook.render(&Scope {
        event: None,
        trigger: None,
        change,
        delivery: None,
        profile,
        account: Some(account),
        journey: &empty,
        entry: None,
        named: &[],
        choice: &|_| "unknown",
        may_ask: &|_| true,
        seen: &|_| None,
        now: Timestamp::from_micros(0),
    });
    rendered
        .map(|rendered| rendered.url)
        .map_err(|error| error.found)
}

fn map(entries: &[(&str, &str)]) -> Map {
    let mut map = Map::new();
    for (key, text) in entries {
        map.insert(key, Value::from(*text));
    }
    map
}

const BY_EVENT: &str = "{ event: A }";

#[test]
fn a_bare_name_is_short_for_one_place() {
    let profile = map(&[
        ("email", "p@x.example"),
        ("profileId", "usr_1"),
        ("accountId", "wrong"),
        ("plan", "pro"),
    ]);
    let account = map(&[("accountId", "acc_1"), ("plan", "wrong")]);
    let change = map(&[("address", "c@x.example")]);
    let by_consent = "{ consent: { category: marketing, action: decline } }";
    let check = |trigger: &str, change: &Map, name: &str, expected: &str| {
        let graph = graph(trigger, &format!("https://x.example/{{{name}}}"));
        let url = render(&graph, Some(change), &profile, &account);
        assert_eq!(url, Ok(format!("https://x.example/{expected}")), "{name}");
    };
    check(BY_EVENT, &change, "accountId", "acc_1");
    check(BY_EVENT, &change, "profileId", "usr_1");
    check(BY_EVENT, &change, "plan", "pro");
    check(BY_EVENT, &change, "email", "p%40x.example");
    check(by_consent, &change, "email", "c%40x.example");
    check(by_consent, &map(&[]), "email", "p%40x.example");
    check(by_consent, &change, "plan", "pro");
}

#[test]
fn a_base_from_the_environment_leaves_the_path_to_the_template() {
    let graph = graph(
        BY_EVENT,
        "{ base: { env: BILLING }, path: \"/accounts/{accountId}?p={plan}\" }",
    );
    let (profile, account) = (map(&[("plan", "a b")]), map(&[("accountId", "acc/1")]));
    let url = render(&graph, None, &profile, &account);
    assert_eq!(url, Ok("/accounts/acc%2F1?p=a%20b".to_owned()));
    assert_eq!(graph.secrets().count(), 1);
}

fn a_value() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), "[./\\\\%2eE?#@:\0\r\n ]{0,6}"]
}

proptest! {
    #[test]
    fn host_port_and_depth_are_the_templates_whatever_the_values(
        one in a_value(),
        two in a_value(),
    ) {
        let graph = graph(BY_EVENT, "https://x.example:8443/a/{one}/.{one}?q={two}&r=1");
        let profile = map(&[("one", &one), ("two", &two)]);
        match render(&graph, None, &profile, &Map::new()) {
            Ok(rendered) => {
                let url = Url::parse(&rendered).unwrap();
                prop_assert_eq!(url.as_str(), &rendered);
                prop_assert_eq!(url.host_str(), Some("x.example"));
                prop_assert_eq!(url.port(), Some(8443));
                prop_assert_eq!(url.path_segments().unwrap().count(), 3);
                prop_assert_eq!(url.username(), "");
                prop_assert_eq!(url.fragment(), None);
                let pairs: Vec<_> = url.query_pairs().into_owned().collect();
                prop_assert_eq!(pairs, [("q".to_owned(), two), ("r".to_owned(), "1".to_owned())]);
            }
            Err(Unfit::Empty) => prop_assert_eq!(one, ""),
            Err(Unfit::Dots) => prop_assert!(one == "." || one == ".."),
            Err(Unfit::Control) => prop_assert!(one.contains(char::is_control)),
            Err(Unfit::TooLarge) => prop_assert!(one.len() + two.len() > 200),
            Err(other) => prop_assert!(false, "{other:?}"),
        }
    }
}
