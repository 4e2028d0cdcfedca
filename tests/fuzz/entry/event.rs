//! Is every text an event within its limits, or refused with a code? And does an event say the same
//! when it is written out and read again?

use std::fmt::Write as _;

use wayfare_event::limits::{
    EVENT_BYTES_MAX, GROUP_ID_BYTES_MAX, IDENTIFIER_BYTES_MAX, JSON_DEPTH_MAX,
    MESSAGE_ID_BYTES_MAX, NAME_BYTES_MAX, TRAIT_BYTES_MAX, TRAITS_MAX,
};
use wayfare_event::{ConsentStatement, Event, EventKind, Map, RejectionCode, Timestamp, Value};

pub(super) fn read(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let fallbacks = EventKind::ALL.map(Some).into_iter().chain([None]);
    for fallback in fallbacks {
        match Event::parse(&text, fallback) {
            Ok(event) => {
                assert!(text.len() <= EVENT_BYTES_MAX, "{} bytes", text.len());
                is_within_limits(&event);
                says_the_same_again(&event);
            }
            Err(rejection) => {
                let code = rejection.code;
                assert!(!code.as_str().is_empty() && !rejection.message.is_empty());
                let is_large = text.len() > EVENT_BYTES_MAX;
                assert_eq!(code == RejectionCode::TooLarge, is_large, "{rejection}");
            }
        }
    }
    if let Ok(value) = Value::parse(&text) {
        assert!(depth(&value) <= JSON_DEPTH_MAX + 1);
        let written = value.to_string();
        assert_eq!(Value::parse(&written).as_ref(), Ok(&value), "{written}");
        is_json(&written);
    }
}

fn is_within_limits(event: &Event) {
    let check = |field: &str, text: Option<&str>, bytes_max: usize| {
        let bytes = text.map_or(0, str::len);
        assert!(bytes <= bytes_max, "`{field}` has {bytes} bytes");
    };
    check("name", Some(&event.name), NAME_BYTES_MAX);
    for (field, text, bytes_max) in [
        ("messageId", &event.message_id, MESSAGE_ID_BYTES_MAX),
        ("userId", &event.user_id, IDENTIFIER_BYTES_MAX),
        ("anonymousId", &event.anonymous_id, IDENTIFIER_BYTES_MAX),
        ("previousId", &event.previous_id, IDENTIFIER_BYTES_MAX),
        ("groupId", &event.group_id, GROUP_ID_BYTES_MAX),
    ] {
        check(field, text.as_deref(), bytes_max);
    }
    assert!(event.traits.len() <= TRAITS_MAX);
    for (name, value) in event.traits.iter() {
        check(name, Some(&value.to_string()), TRAIT_BYTES_MAX);
    }
    for map in [&event.properties, &event.traits, &event.context] {
        assert!(depth(&Value::from(map.clone())) <= JSON_DEPTH_MAX);
    }
    for (_, at) in times(event) {
        assert!(at >= Timestamp::EPOCH, "{at}");
    }
    assert_eq!(event.consent.is_some(), event.kind == EventKind::Consent);
    assert!(event.kind != EventKind::Track || !event.name.is_empty());
    assert!(event.kind != EventKind::Group || event.group_id.is_some());
    assert!(event.kind != EventKind::Alias || event.previous_id.is_some());
    for (field, text) in event.consent.iter().flat_map(said) {
        check(field, text, NAME_BYTES_MAX);
    }
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) => 1,
        Value::List(items) => 1 + items.iter().map(depth).max().unwrap_or_default(),
        Value::Map(map) => {
            1 + map
                .iter()
                .map(|(_, it)| depth(it))
                .max()
                .unwrap_or_default()
        }
    }
}

fn says_the_same_again(event: &Event) {
    let text = written(event);
    let again = match Value::parse(&text) {
        Ok(Value::Map(map)) => Event::from_map(&map, None),
        other => panic!("{text} is read as {other:?}"),
    };
    assert_eq!(again.as_ref(), Ok(event), "{text}");
}

/// Another reader takes it for JSON too.
pub(super) fn is_json(text: &str) {
    let read = serde_json::from_str::<serde::de::IgnoredAny>(text);
    assert!(read.is_ok(), "{text} is no JSON");
}

fn times(event: &Event) -> impl Iterator<Item = (&'static str, Timestamp)> {
    let times = [
        ("timestamp", event.timestamp),
        ("originalTimestamp", event.original_timestamp),
        ("sentAt", event.sent_at),
        (
            "validUntil",
            event.consent.as_ref().and_then(|it| it.valid_until),
        ),
    ];
    times
        .into_iter()
        .filter_map(|(field, at)| Some((field, at?)))
}

fn said(consent: &ConsentStatement) -> [(&'static str, Option<&str>); 9] {
    [
        ("category", Some(&consent.category)),
        ("action", Some(consent.action.as_str())),
        ("email", consent.email.as_deref()),
        ("phone", consent.phone.as_deref()),
        ("channel", consent.channel.as_deref()),
        ("source", consent.source.as_deref()),
        ("method", consent.method.as_deref()),
        ("notice", consent.notice.as_deref()),
        ("regulation", consent.regulation.as_deref()),
    ]
}

/// The event as its source could have sent it.
fn written(event: &Event) -> String {
    let mut map = Map::new();
    let mut put = |field: &str, text: Option<&str>| {
        if let Some(text) = text {
            map.insert(field, text.into());
        }
    };
    put("type", Some(event.kind.as_str()));
    match event.kind {
        EventKind::Track => put("event", Some(&event.name)),
        EventKind::Page | EventKind::Screen => put("name", Some(&event.name)),
        EventKind::Identify | EventKind::Group | EventKind::Alias | EventKind::Consent => {}
    }
    put("messageId", event.message_id.as_deref());
    put("userId", event.user_id.as_deref());
    put("anonymousId", event.anonymous_id.as_deref());
    put("previousId", event.previous_id.as_deref());
    put("groupId", event.group_id.as_deref());
    for (field, at) in times(event) {
        put(field, Some(&at.to_string()));
    }
    for (field, text) in event.consent.iter().flat_map(said) {
        put(field, text);
    }
    map.insert("historical", event.historical.into());
    map.insert("properties", event.properties.clone().into());
    map.insert("traits", event.traits.clone().into());
    map.insert("context", event.context.clone().into());
    let mut text = String::new();
    write!(text, "{map}").expect("a text takes what is written to it");
    text
}
