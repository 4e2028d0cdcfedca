//! What did the source say? [`Event::parse`] is the only way from bytes to an [`Event`], and the
//! last place where a shape can be wrong. Not here: whose event it is (`identity`).

use std::sync::Arc;

use crate::limits::{
    EVENT_BYTES_MAX, GROUP_ID_BYTES_MAX, IDENTIFIER_BYTES_MAX, MESSAGE_ID_BYTES_MAX,
    NAME_BYTES_MAX, TRAIT_BYTES_MAX, TRAITS_MAX,
};
use crate::{Map, Rejection, RejectionCode, Timestamp, Value, import};

/// Something that happened, in the shape Segment's and RudderStack's SDKs send it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Which of the calls it is.
    pub kind: EventKind,
    /// The event's name for `track`, the page's for `page` and `screen`, else empty.
    pub name: Arc<str>,
    /// What a second copy is known by; without one, an event is never a copy.
    pub message_id: Option<Arc<str>>,
    /// `userId`, as text.
    pub user_id: Option<Arc<str>>,
    /// `anonymousId`, as text.
    pub anonymous_id: Option<Arc<str>>,
    /// `previousId` of an alias.
    pub previous_id: Option<Arc<str>>,
    /// `groupId`: an account, never an identifier of a person.
    pub group_id: Option<Arc<str>>,
    /// `properties` of track, page and screen.
    pub properties: Map,
    /// `traits` of identify and group, but for `$set_once`.
    pub traits: Map,
    /// `traits.$set_once`: what is kept only where nothing was told before.
    pub set_once: Map,
    /// `context`, kept whole.
    pub context: Map,
    /// When it happened by the source's clock: `timestamp`.
    pub timestamp: Option<Timestamp>,
    /// When it happened by the source's clock, as RudderStack's SDKs call it.
    pub original_timestamp: Option<Timestamp>,
    /// When the source sent it, by the same clock.
    pub sent_at: Option<Timestamp>,
    /// Whether the sender marked it as history: it starts nothing.
    pub historical: bool,
    /// What was said about consent; present exactly when `kind` is [`EventKind::Consent`].
    pub consent: Option<ConsentStatement>,
}

/// The calls of the tracking protocol, and ours for consent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventKind {
    /// Somebody did something.
    Track,
    /// Somebody is known by these identifiers and has these traits.
    Identify,
    /// Somebody saw a page.
    Page,
    /// Somebody saw a screen.
    Screen,
    /// Somebody belongs to an account.
    Group,
    /// Two identifiers are one person.
    Alias,
    /// Somebody accepted or declined a category.
    Consent,
}

/// The trait under which an SDK sends what is kept only where nothing was told before.
const SET_ONCE: &str = "$set_once";

impl EventKind {
    /// Every kind, in the order of the enum.
    pub const ALL: [Self; 7] = [
        Self::Track,
        Self::Identify,
        Self::Page,
        Self::Screen,
        Self::Group,
        Self::Alias,
        Self::Consent,
    ];

    /// The word for it in JSON, YAML and paths.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Track => "track",
            Self::Identify => "identify",
            Self::Page => "page",
            Self::Screen => "screen",
            Self::Group => "group",
            Self::Alias => "alias",
            Self::Consent => "consent",
        }
    }

    /// The kind of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// What somebody said about one category.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsentStatement {
    /// What the consent is for.
    pub category: Arc<str>,
    /// What was said.
    pub action: ConsentAction,
    /// The address it was said about: `email`.
    pub email: Option<Arc<str>>,
    /// The address it was said about: `phone`.
    pub phone: Option<Arc<str>>,
    /// Where messages it covers go, when narrower than all.
    pub channel: Option<Arc<str>>,
    /// When an acceptance begins to count; at once, without one.
    pub valid_from: Option<Timestamp>,
    /// When an acceptance ends; never, without one.
    pub valid_until: Option<Timestamp>,
    /// Where it was collected, such as `preference-center` or `import`.
    pub source: Option<Arc<str>>,
    /// How it was given, such as `form` or `one_click`.
    pub method: Option<Arc<str>>,
    /// What the person was shown.
    pub notice: Option<Arc<str>>,
    /// The law it was collected under.
    pub regulation: Option<Arc<str>>,
}

/// Accept or decline. Aliases are read, these two are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConsentAction {
    /// Yes.
    Accept,
    /// No.
    Decline,
}

impl ConsentAction {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Decline => "decline",
        }
    }

    /// The action this word or one of its aliases means.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        match word {
            "accept" | "agree" | "opt_in" | "grant" => Some(Self::Accept),
            "decline" | "reject" | "deny" | "opt_out" | "revoke" | "withdraw" => {
                Some(Self::Decline)
            }
            _ => None,
        }
    }
}

impl Event {
    /// Reads one event from JSON text.
    ///
    /// `fallback` is the kind to assume when the text has no `type`, as on `POST /v1/track`.
    /// Unknown fields are ignored; `null` is the same as an absent field.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong with the text, see [`RejectionCode`].
    ///
    /// ```
    /// use wayfare_event::Event;
    /// let line = r#"{"type":"track","userId":"u1","event":"Signup Completed"}"#;
    /// let event = Event::parse(line, None)?;
    /// assert_eq!(&*event.name, "Signup Completed");
    /// # Ok::<(), wayfare_event::Rejection>(())
    /// ```
    pub fn parse(text: &str, fallback: Option<EventKind>) -> Result<Self, Rejection> {
        if text.len() > EVENT_BYTES_MAX {
            let message = format!(
                "the event has {} bytes, at most {EVENT_BYTES_MAX} are taken",
                text.len()
            );
            return Err(Rejection::new(RejectionCode::TooLarge, message));
        }
        let value = Value::parse(text).map_err(|why| {
            Rejection::new(
                RejectionCode::InvalidJson,
                format!("the line is not JSON: {why}"),
            )
        })?;
        let Value::Map(map) = value else {
            let message = "an event is a JSON object, such as {\"type\":\"track\",…}";
            return Err(Rejection::new(RejectionCode::InvalidJson, message));
        };
        Self::from_map(&map, fallback)
    }

    /// Reads one event from a JSON object that was read already, such as an item of a batch.
    ///
    /// # Errors
    ///
    /// As [`Event::parse`].
    pub fn from_map(map: &Map, fallback: Option<EventKind>) -> Result<Self, Rejection> {
        let fields = Fields(map);
        let kind = fields.kind(fallback)?;
        let mut traits = fields.object("traits")?;
        let set_once = Fields(&traits).object(SET_ONCE)?;
        if traits.get(SET_ONCE).is_some() {
            let others = traits.iter().filter(|(name, _)| &***name != SET_ONCE);
            traits = others
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect();
        }
        check_traits(&traits)?;
        check_traits(&set_once)?;
        let event = Self {
            kind,
            name: fields.name(kind)?,
            message_id: fields.text("messageId", MESSAGE_ID_BYTES_MAX)?,
            user_id: fields.id("userId", IDENTIFIER_BYTES_MAX)?,
            anonymous_id: fields.id("anonymousId", IDENTIFIER_BYTES_MAX)?,
            previous_id: fields.id("previousId", IDENTIFIER_BYTES_MAX)?,
            group_id: fields.id("groupId", GROUP_ID_BYTES_MAX)?,
            properties: fields.object("properties")?,
            traits,
            set_once,
            context: fields.object("context")?,
            timestamp: fields.time("timestamp")?,
            original_timestamp: fields.time("originalTimestamp")?,
            sent_at: fields.time("sentAt")?,
            historical: fields.flag("historical")?,
            consent: (kind == EventKind::Consent)
                .then(|| fields.consent())
                .transpose()?,
        };
        if kind == EventKind::Group && event.group_id.is_none() {
            let message = "a group event names its account in `groupId`";
            return Err(Rejection::new(RejectionCode::NoGroupId, message));
        }
        import::check(&event)?;
        if kind == EventKind::Alias && event.previous_id.is_none() {
            let message = "an alias names the former id in `previousId`";
            return Err(Rejection::new(RejectionCode::NoPreviousId, message));
        }
        Ok(event)
    }

    /// When it happened by the source's clock, whichever field says so.
    #[must_use]
    pub fn told_at(&self) -> Option<Timestamp> {
        self.timestamp.or(self.original_timestamp)
    }
}

fn check_traits(traits: &Map) -> Result<(), Rejection> {
    if traits.len() > TRAITS_MAX {
        let message = format!("{} traits, at most {TRAITS_MAX} are taken", traits.len());
        return Err(Rejection::new(RejectionCode::TooManyTraits, message));
    }
    for (name, value) in traits.iter() {
        let bytes = value.to_string().len();
        if bytes > TRAIT_BYTES_MAX {
            let message =
                format!("trait `{name}` has {bytes} bytes, at most {TRAIT_BYTES_MAX} are taken");
            return Err(Rejection::new(RejectionCode::TooLong, message));
        }
    }
    Ok(())
}

/// The fields of one event object, read with the errors a sender can act on.
struct Fields<'a>(&'a Map);

impl Fields<'_> {
    fn get(&self, field: &str) -> Option<&Value> {
        self.0.get(field).filter(|value| **value != Value::Null)
    }

    fn wrong_type(field: &str, expected: &str, found: &Value) -> Rejection {
        let found: String = found.to_string().chars().take(64).collect();
        let message = format!("`{field}` must be {expected}, found {found}");
        Rejection::new(RejectionCode::InvalidField, message)
    }

    fn kind(&self, fallback: Option<EventKind>) -> Result<EventKind, Rejection> {
        let known = EventKind::ALL.map(EventKind::as_str).join(", ");
        let unknown = |what: &str| {
            Rejection::new(
                RejectionCode::UnknownType,
                format!("{what}; known are {known}"),
            )
        };
        match (self.get("type"), fallback) {
            (Some(Value::Text(name)), _) => {
                EventKind::named(name).ok_or_else(|| unknown(&format!("unknown type `{name}`")))
            }
            (Some(other), _) => Err(Self::wrong_type("type", "text", other)),
            (None, Some(kind)) => Ok(kind),
            (None, None) => Err(unknown("the event has no `type`")),
        }
    }

    fn text(&self, field: &str, bytes_max: usize) -> Result<Option<Arc<str>>, Rejection> {
        match self.get(field) {
            None => Ok(None),
            Some(Value::Text(text)) => Self::short(field, text.clone(), bytes_max).map(Some),
            Some(other) => Err(Self::wrong_type(field, "text", other)),
        }
    }

    /// A text within its limit.
    fn short(field: &str, text: Arc<str>, bytes_max: usize) -> Result<Arc<str>, Rejection> {
        let bytes = text.len();
        if bytes > bytes_max {
            let message = format!("`{field}` has {bytes} bytes, at most {bytes_max} are taken");
            return Err(Rejection::new(RejectionCode::TooLong, message));
        }
        Ok(text)
    }

    /// An id: text, or a number whose digits are kept.
    fn id(&self, field: &str, bytes_max: usize) -> Result<Option<Arc<str>>, Rejection> {
        match self.get(field) {
            Some(Value::Number(number)) => {
                Self::short(field, number.to_string().into(), bytes_max).map(Some)
            }
            _ => self.text(field, bytes_max),
        }
    }

    fn object(&self, field: &str) -> Result<Map, Rejection> {
        match self.get(field) {
            None => Ok(Map::new()),
            Some(Value::Map(map)) => Ok(map.clone()),
            Some(other) => Err(Self::wrong_type(field, "an object", other)),
        }
    }

    fn flag(&self, field: &str) -> Result<bool, Rejection> {
        match self.get(field) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(other) => Err(Self::wrong_type(field, "true or false", other)),
        }
    }

    /// A time as text. A number is refused: nobody can tell its unit.
    fn time(&self, field: &str) -> Result<Option<Timestamp>, Rejection> {
        let invalid = |message: String| Rejection::new(RejectionCode::InvalidTime, message);
        let read = match self.get(field) {
            None => return Ok(None),
            Some(Value::Text(text)) => text
                .parse::<Timestamp>()
                .map_err(|why| invalid(format!("`{field}`: {why}")))?,
            Some(Value::Number(number)) => {
                return Err(invalid(format!(
                    "`{field}` is the number {number} and says no unit, write RFC 3339 text"
                )));
            }
            Some(other) => return Err(Self::wrong_type(field, "RFC 3339 text", other)),
        };
        if read < Timestamp::EPOCH {
            return Err(invalid(format!("`{field}` is {read}, before 1970")));
        }
        Ok(Some(read))
    }

    fn name(&self, kind: EventKind) -> Result<Arc<str>, Rejection> {
        let field = match kind {
            EventKind::Track => "event",
            EventKind::Page | EventKind::Screen => "name",
            EventKind::Identify | EventKind::Group | EventKind::Alias | EventKind::Consent => {
                return Ok("".into());
            }
        };
        let name = self.text(field, NAME_BYTES_MAX)?.unwrap_or_default();
        if kind == EventKind::Track && name.trim().is_empty() {
            let message = "a track event has its name in `event`";
            return Err(Rejection::new(RejectionCode::NoEventName, message));
        }
        Ok(name)
    }

    fn consent(&self) -> Result<ConsentStatement, Rejection> {
        let invalid = |message: String| Rejection::new(RejectionCode::InvalidConsent, message);
        let category = self
            .text("category", NAME_BYTES_MAX)?
            .filter(|name| !name.is_empty());
        let action = self.text("action", NAME_BYTES_MAX)?.unwrap_or_default();
        let valid_until = match self.get("validUntil") {
            Some(Value::Text(text)) if &**text == "unlimited" => None,
            _ => self.time("validUntil")?,
        };
        let optional = |field: &str| self.text(field, NAME_BYTES_MAX);
        Ok(ConsentStatement {
            category: category
                .ok_or_else(|| invalid("a consent event names its `category`".to_owned()))?,
            action: ConsentAction::named(&action).ok_or_else(|| {
                invalid(format!(
                    "`action` must be `accept` or `decline`, found `{action}`"
                ))
            })?,
            email: optional("email")?,
            phone: optional("phone")?,
            channel: optional("channel")?,
            valid_from: self.time("validFrom")?,
            valid_until,
            source: optional("source")?,
            method: optional("method")?,
            notice: optional("notice")?,
            regulation: optional("regulation")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rejected(line: &str) -> (RejectionCode, String) {
        let rejection = Event::parse(line, None).unwrap_err();
        (rejection.code, rejection.message)
    }

    #[test]
    fn an_event_of_an_existing_sdk_is_taken_as_it_is() {
        let event = Event::parse(
            r#"{"type":"track","messageId":"m1","userId":1841503112918048768,"anonymousId":"a",
                "event":"Plan Upgraded","properties":{"amount":1.10},"context":{"ip":"::1"},
                "integrations":{"All":true},"timestamp":"2026-01-26T11:02:19Z","sentAt":null}"#,
            None,
        )
        .unwrap();
        assert_eq!(event.user_id.as_deref(), Some("1841503112918048768"));
        assert_eq!(event.properties.to_string(), r#"{"amount":1.10}"#);
        assert_eq!(event.told_at().unwrap().to_string(), "2026-01-26T11:02:19Z");
        assert_eq!(event.sent_at, None);
    }

    #[test]
    fn the_type_may_come_from_the_path() {
        let event = Event::parse(r#"{"userId":"u","event":"x"}"#, Some(EventKind::Track)).unwrap();
        assert_eq!(event.kind, EventKind::Track);
    }

    #[test]
    fn consent_is_read_with_its_aliases() {
        let read = |action: &str| {
            let line = format!(
                r#"{{"type":"consent","email":"u@e.example","category":"marketing",
                    "action":"{action}","validUntil":"unlimited"}}"#
            );
            Event::parse(&line, None).map(|event| event.consent.unwrap())
        };
        assert_eq!(read("revoke").unwrap().action, ConsentAction::Decline);
        assert_eq!(read("opt_in").unwrap().action, ConsentAction::Accept);
        assert_eq!(read("accept").unwrap().valid_until, None);
        assert_eq!(
            read("maybe").unwrap_err().code,
            RejectionCode::InvalidConsent
        );
    }

    #[test]
    fn times_of_consent_are_texts_and_never_guessed() {
        let read = |fields: &str| {
            let line = format!(
                r#"{{"type":"consent","email":"u@e.example","category":"marketing",
                    "action":"accept",{fields}}}"#
            );
            Event::parse(&line, None)
        };
        let check = |until: &str, expected: Option<&str>| {
            let found = read(&format!(r#""validUntil":{until}"#)).unwrap();
            let found = found.consent.unwrap().valid_until.map(|at| at.to_string());
            assert_eq!(found.as_deref(), expected, "{until}");
        };
        check(r#""unlimited""#, None);
        check("null", None);
        check(r#""2027-01-26""#, Some("2027-01-26T00:00:00Z"));
        check(
            r#""2027-01-26T10:00:00+01:00""#,
            Some("2027-01-26T09:00:00Z"),
        );
        let refused = |fields: &str, words: &str| {
            let rejection = read(fields).unwrap_err();
            assert_eq!(rejection.code, RejectionCode::InvalidTime, "{fields}");
            assert!(rejection.message.contains(words), "{rejection}");
        };
        for field in ["validUntil", "timestamp", "originalTimestamp", "sentAt"] {
            refused(&format!(r#""{field}":1700000000"#), "says no unit");
            refused(&format!(r#""{field}":1700000000000"#), "says no unit");
            refused(
                &format!(r#""{field}":"1700000000""#),
                "`1700000000` is not a time",
            );
            refused(&format!(r#""{field}":"1700000000000""#), "is not a time");
        }
        refused(r#""validUntil":"for ever""#, "`for ever` is not a time");
    }

    #[test]
    fn what_is_wrong_is_said_with_a_code() {
        let check = |line: &str, code: RejectionCode, words: &str| {
            let (found, message) = rejected(line);
            assert_eq!(found, code, "{line}");
            assert!(message.contains(words), "{message}");
        };
        check("not json", RejectionCode::InvalidJson, "not JSON");
        check("[1]", RejectionCode::InvalidJson, "JSON object");
        check("{}", RejectionCode::UnknownType, "no `type`");
        check(
            r#"{"type":"banana"}"#,
            RejectionCode::UnknownType,
            "`banana`",
        );
        check(
            r#"{"type":"track","userId":"u"}"#,
            RejectionCode::NoEventName,
            "`event`",
        );
        check(
            r#"{"type":"group","userId":"u"}"#,
            RejectionCode::NoGroupId,
            "`groupId`",
        );
        check(
            r#"{"type":"alias","userId":"u"}"#,
            RejectionCode::NoPreviousId,
            "`previousId`",
        );
        check(
            r#"{"type":"identify","userId":["u"]}"#,
            RejectionCode::InvalidField,
            "`userId` must be text",
        );
        check(
            r#"{"type":"identify","userId":"u","timestamp":1700000000}"#,
            RejectionCode::InvalidTime,
            "no unit",
        );
        check(
            r#"{"type":"identify","userId":"u","timestamp":"yesterday"}"#,
            RejectionCode::InvalidTime,
            "`yesterday`",
        );
    }

    #[test]
    fn every_limit_of_an_event_is_reached() {
        let long = "x".repeat(MESSAGE_ID_BYTES_MAX + 1);
        let line = format!(r#"{{"type":"identify","userId":"u","messageId":"{long}"}}"#);
        assert_eq!(rejected(&line).0, RejectionCode::TooLong);

        let name = "x".repeat(NAME_BYTES_MAX + 1);
        let line = format!(r#"{{"type":"track","userId":"u","event":"{name}"}}"#);
        assert_eq!(rejected(&line).0, RejectionCode::TooLong);

        for (field, bytes_max) in [
            ("userId", IDENTIFIER_BYTES_MAX),
            ("groupId", GROUP_ID_BYTES_MAX),
        ] {
            let text = format!("\"{}\"", "x".repeat(bytes_max + 1));
            let number = "1".repeat(bytes_max + 1);
            for id in [text, number] {
                let line = format!(r#"{{"type":"group","groupId":"g","{field}":{id}}}"#);
                assert_eq!(rejected(&line).0, RejectionCode::TooLong, "{field}");
            }
        }

        let traits: Vec<String> = (0..=TRAITS_MAX).map(|n| format!(r#""t{n}":1"#)).collect();
        let line = format!(
            r#"{{"type":"identify","userId":"u","traits":{{{}}}}}"#,
            traits.join(",")
        );
        assert_eq!(rejected(&line).0, RejectionCode::TooManyTraits);

        let big = "x".repeat(TRAIT_BYTES_MAX);
        let line = format!(r#"{{"type":"identify","userId":"u","traits":{{"t":"{big}"}}}}"#);
        assert_eq!(rejected(&line).0, RejectionCode::TooLong);

        let padding = "x".repeat(EVENT_BYTES_MAX);
        let line = format!(r#"{{"type":"track","userId":"u","event":"x","pad":"{padding}"}}"#);
        assert_eq!(rejected(&line).0, RejectionCode::TooLarge);
    }
}
