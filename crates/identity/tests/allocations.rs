//! Does it take memory to find whose an event is that brings nothing new? Most events are like that.
#![expect(clippy::unwrap_used, reason = "a broken fixture should fail its test")]

use wayfare_event::{Event, IdKey, Identifier, ProfileId, Timestamp};
use wayfare_identity::{Config, Links, Named, Trust, attribute, extract, link, resolve, settled};

fn named(json: &str) -> Named {
    extract(&Config::default(), &Event::parse(json, None).unwrap()).unwrap()
}

fn hear(links: &mut Links, named: &Named, trust: Trust, at_us: i64) {
    let at = Timestamp::from_micros(at_us);
    for change in link(&Config::default(), links, named, trust, at) {
        links.apply(&change);
    }
}

#[test]
fn an_event_of_somebody_known_that_brings_nothing_new_takes_none() {
    let config = Config::default();
    let whole = named(
        r#"{"type":"identify","userId":"u","anonymousId":"b","traits":{"email":"u@x.example"}}"#,
    );
    let page = named(r#"{"type":"page","userId":"u","anonymousId":"b"}"#);
    let browser = named(r#"{"type":"page","anonymousId":"b"}"#);
    let stranger = named(r#"{"type":"page","anonymousId":"nobody-yet"}"#);
    let mut links = Links::new();
    for at_us in [0, 100] {
        for named in [&whole, &browser, &stranger] {
            hear(&mut links, named, Trust::Verified, at_us);
        }
    }
    for event in [&whole, &page, &browser, &stranger] {
        let mut found = None;
        let taken = allocation_counter::measure(|| {
            let at = Timestamp::from_micros(50);
            let changes = link(&config, &links, event, Trust::Verified, at);
            let lead = settled(&config, &links, event.identifiers());
            let id = |lead: &Identifier| {
                ProfileId::derive(&IdKey::STATELESS, 1, lead.namespace.as_str(), &lead.value)
            };
            found = lead.filter(|_| changes.is_empty()).map(id);
        });
        assert_eq!(taken.count_total, 0, "{event:?}");
        let partition = resolve(&config, &IdKey::STATELESS, &links);
        let profile = attribute(&config, &partition, event.identifiers());
        assert_eq!(found, profile.map(|it| it.id), "{event:?}");
        assert!(found.is_some(), "{event:?}");
    }
}
