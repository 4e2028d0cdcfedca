//! Which identifiers does an event name? Not here: what they have to do with each other (`link`).

use wayfare_event::{
    Event, EventKind, Identifier, Map, Namespace, Rejection, RejectionCode, Value,
};

use crate::limits::IDENTIFIERS_PER_EVENT_MAX;
use crate::{Class, Config, normalise};

const PUSH_TOKEN: &str = "push_token";
const AD_ID: &str = "ad_id";

/// The identifiers of one event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    identifiers: Vec<Identifier>,
    previous: Option<Identifier>,
    unusable: Vec<&'static str>,
}

impl Named {
    /// One identifier by itself, for finding the profile it is in without an event.
    #[must_use]
    pub fn just(identifier: Identifier) -> Self {
        Self {
            identifiers: vec![identifier],
            previous: None,
            unusable: Vec::new(),
        }
    }

    /// What the event names, best rank first, each once; never empty.
    #[must_use]
    pub fn identifiers(&self) -> &[Identifier] {
        &self.identifiers
    }

    /// The others, when some are left out; nothing when nobody is left.
    #[must_use]
    pub fn without(&self, is_out: impl Fn(&Identifier) -> bool) -> Option<Self> {
        let identifiers = self.identifiers.iter().filter(|it| !is_out(it)).cloned();
        let identifiers: Vec<Identifier> = identifiers.collect();
        let previous = self.previous.clone().filter(|it| !is_out(it));
        (!identifiers.is_empty()).then_some(Self {
            identifiers,
            previous,
            unusable: Vec::new(),
        })
    }

    /// The fields of the event that hold a value which names nobody: a placeholder, something blocked,
    /// or no address.
    #[must_use]
    pub fn unusable(&self) -> &[&'static str] {
        &self.unusable
    }

    /// The one of them that only `previousId` names.
    #[must_use]
    pub const fn previous(&self) -> Option<&Identifier> {
        self.previous.as_ref()
    }
}

/// Whom an event is about, by every name it gives (2.1.2).
///
/// `userId` and `anonymousId`; `email` and `phone` of an identify's `traits`, else of
/// `context.traits` (SP 8), and of a consent event; `context.device.id` on iOS and Android; the
/// `previousId` of an alias, unless it is the `userId` itself. Where the namespaces are configured:
/// `context.device.token` as `push_token`, `context.device.advertisingId` as `ad_id` where
/// `adTrackingEnabled` is true, and `context.externalIds` by their `type`. Properties tell of somebody
/// else, unless a namespace says otherwise; so do the traits of a group, always. Values that are
/// nobody's are skipped. Of more than [`IDENTIFIERS_PER_EVENT_MAX`] the first count, in this order.
///
/// # Errors
///
/// When nothing usable is left: [`RejectionCode::NoProfile`] of a group event, which then tells of an
/// account without a person, else [`RejectionCode::NoIdentifier`] (SP 8).
pub fn extract(config: &Config, event: &Event) -> Result<Named, Rejection> {
    let mut found = Found {
        config,
        identifiers: Vec::new(),
        unusable: Vec::new(),
    };
    found.add(Namespace::USER_ID, "userId", event.user_id.as_deref());
    found.add(
        Namespace::ANONYMOUS_ID,
        "anonymousId",
        event.anonymous_id.as_deref(),
    );
    found.add_addresses(event);
    found.add_device(&event.context);
    let previous = found.add_previous(event);
    found.add_properties(event);
    found.add_external(&event.context);
    found.into_named(event.kind, previous)
}

struct Found<'a> {
    config: &'a Config,
    identifiers: Vec<Identifier>,
    /// Fields that hold a value which is nobody's.
    unusable: Vec<&'static str>,
}

impl Found<'_> {
    fn add(&mut self, namespace: &str, field: &'static str, raw: Option<&str>) {
        let Some(raw) = raw else { return };
        match normalise(self.config, &namespace.into(), raw) {
            Some(value) => {
                self.push(Identifier::new(namespace, &value));
            }
            None => self.unusable.push(field),
        }
    }

    /// Takes an identifier in, as long as there is room: whether it did.
    fn push(&mut self, identifier: Identifier) -> bool {
        let has_room = self.identifiers.len() < IDENTIFIERS_PER_EVENT_MAX;
        let is_new = has_room && !self.identifiers.contains(&identifier);
        if is_new {
            self.identifiers.push(identifier);
        }
        is_new
    }

    fn add_addresses(&mut self, event: &Event) {
        let own = (event.kind == EventKind::Identify).then_some(&event.traits);
        let context = event.context.get("traits").and_then(Value::as_map);
        let consent = event.consent.as_ref();
        for (namespace, said) in [
            (Namespace::EMAIL, consent.and_then(|it| it.email.as_deref())),
            (Namespace::PHONE, consent.and_then(|it| it.phone.as_deref())),
        ] {
            self.add(namespace, namespace, said);
            let known = own
                .and_then(|traits| traits.get(namespace))
                .or_else(|| context?.get(namespace));
            self.add(namespace, namespace, text(known).as_deref());
        }
    }

    fn add_device(&mut self, context: &Map) {
        let Some(device) = context.get("device").and_then(Value::as_map) else {
            return;
        };
        let id = mobile_device(device);
        self.add(Namespace::DEVICE_ID, "context.device.id", id.as_deref());
        if self.takes(PUSH_TOKEN) {
            let token = text(device.get("token"));
            self.add(PUSH_TOKEN, "context.device.token", token.as_deref());
        }
        // Who turned tracking off is not recognised by it (T16).
        if self.takes(AD_ID) && device.get("adTrackingEnabled") == Some(&Value::Bool(true)) {
            let id = text(device.get("advertisingId"));
            self.add(AD_ID, "context.device.advertisingId", id.as_deref());
        }
    }

    /// The properties that a namespace says are about the person themselves (SP 8).
    fn add_properties(&mut self, event: &Event) {
        for rule in self
            .config
            .namespaces()
            .iter()
            .filter(|it| it.from_properties && it.class != Class::Anchor)
        {
            let said = text(event.properties.get(rule.name.as_str()));
            self.add(rule.name.as_str(), "properties", said.as_deref());
        }
    }

    /// Ids of other systems: with all four parts, and about a person rather than an account (T17). None
    /// makes an event be about another anchor.
    fn add_external(&mut self, context: &Map) {
        let Some(Value::List(listed)) = context.get("externalIds") else {
            return;
        };
        for entry in listed.iter().filter_map(Value::as_map) {
            let part = |name| entry.get(name).and_then(Value::as_text);
            let (Some(namespace), Some(collection), Some(_)) =
                (part("type"), part("collection"), part("encoding"))
            else {
                continue;
            };
            let rule = self.config.rule(&namespace.into());
            let is_person = collection != "accounts";
            let is_taken = rule.is_some_and(|rule| rule.class != Class::Anchor) && is_person;
            if is_taken {
                let id = text(entry.get("id"));
                self.add(namespace, "context.externalIds", id.as_deref());
            }
        }
    }

    fn takes(&self, namespace: &str) -> bool {
        self.config.rule(&namespace.into()).is_some()
    }

    /// An alias says that a former id is this user. Where it repeats the event's own id it says
    /// nothing.
    fn add_previous(&mut self, event: &Event) -> Option<Identifier> {
        let raw = event
            .previous_id
            .as_deref()
            .filter(|_| event.kind == EventKind::Alias)?;
        let Some(value) = normalise(self.config, &Namespace::ANONYMOUS_ID.into(), raw) else {
            self.unusable.push("previousId");
            return None;
        };
        let previous = Identifier::new(Namespace::ANONYMOUS_ID, &value);
        let same_user = Identifier::new(Namespace::USER_ID, &value);
        if self.identifiers.contains(&same_user) || self.identifiers.contains(&previous) {
            return None;
        }
        self.push(previous.clone()).then_some(previous)
    }

    fn into_named(
        mut self,
        kind: EventKind,
        previous: Option<Identifier>,
    ) -> Result<Named, Rejection> {
        if self.identifiers.is_empty() {
            let message = match self.unusable.as_slice() {
                [] => "the event names nobody, send a `userId` or an `anonymousId`".to_owned(),
                fields => format!(
                    "`{}` holds no usable value, send a `userId` or an `anonymousId` that is \
                     neither blocked nor a placeholder such as `undefined`",
                    fields.join("`, `")
                ),
            };
            let code = if kind == EventKind::Group {
                RejectionCode::NoProfile
            } else {
                RejectionCode::NoIdentifier
            };
            return Err(Rejection::new(code, message));
        }
        let config = self.config;
        self.identifiers
            .sort_by(|left, right| config.order(left).cmp(&config.order(right)));
        Ok(Named {
            identifiers: self.identifiers,
            previous,
            unusable: self.unusable,
        })
    }
}

/// The text of a text, the digits of a number.
fn text(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::Text(text) => Some(text.to_string()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::List(_) | Value::Map(_) => None,
    }
}

/// Elsewhere than on phones `device.id` is often a model or a browser, shared by many.
fn mobile_device(device: &Map) -> Option<String> {
    let system = device.get("type")?.as_text()?.to_ascii_lowercase();
    matches!(system.as_str(), "ios" | "android").then(|| text(device.get("id")))?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(json: &str, expected: &[&str]) {
        check_with(&Config::default(), json, expected);
    }

    /// The shipped namespaces, and three more.
    fn wider() -> Config {
        let mut rules = Config::default().namespaces().to_vec();
        rules[1].from_properties = true;
        for name in ["push_token", "ad_id", "crm"] {
            rules.push(crate::NamespaceRule {
                name: name.into(),
                ..rules[3].clone()
            });
        }
        Config::new(rules, [], None).unwrap()
    }

    fn check_with(config: &Config, json: &str, expected: &[&str]) {
        let event = Event::parse(json, None).unwrap();
        let named = extract(config, &event).unwrap();
        let found: Vec<String> = named
            .identifiers()
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(found, expected, "{json}");
    }

    #[test]
    fn identifiers_come_by_rank_and_once() {
        check(
            r#"{"type":"identify","anonymousId":"w","userId":7,"traits":{"email":"A@b.example","phone":"+49 30 123456"},
                "context":{"device":{"type":"iOS","id":"idfv"}}}"#,
            &[
                "user_id:7",
                "email:a@b.example",
                "phone:+4930123456",
                "device_id:idfv",
                "anonymous_id:w",
            ],
        );
        check(
            r#"{"type":"consent","category":"marketing","action":"accept","email":"a@b.example",
                "context":{"traits":{"email":"A@b.example"}}}"#,
            &["email:a@b.example"],
        );
        check(
            r#"{"type":"consent","category":"marketing","action":"accept","email":"b@b.example",
                "context":{"traits":{"email":"a@b.example"}}}"#,
            &["email:a@b.example", "email:b@b.example"],
        );
    }

    #[test]
    fn traits_of_an_identify_cover_those_of_its_context() {
        check(
            r#"{"type":"identify","userId":"u","traits":{"email":"new@b.example"},
                "context":{"traits":{"email":"old@b.example","phone":4930123456}}}"#,
            &["user_id:u", "email:new@b.example"],
        );
        check(
            r#"{"type":"track","event":"E","context":{"traits":{"email":"a@b.example"}}}"#,
            &["email:a@b.example"],
        );
    }

    #[test]
    fn properties_and_traits_of_a_group_identify_nobody() {
        check(
            r#"{"type":"track","event":"Invited","userId":"u","properties":{"email":"x@b.example"}}"#,
            &["user_id:u"],
        );
        check(
            r#"{"type":"group","groupId":"g","userId":"u","traits":{"email":"office@b.example"}}"#,
            &["user_id:u"],
        );
        check(
            r#"{"type":"page","anonymousId":"w","context":{"device":{"type":"browser","id":"firefox"}}}"#,
            &["anonymous_id:w"],
        );
    }

    const PHONE: &str = r#"{"type":"page","userId":"u","context":{"device":{"type":"ios","id":"idfv",
        "token":"t-1","advertisingId":"ad-1","adTrackingEnabled":true}}}"#;

    #[test]
    fn tokens_and_advertising_ids_identify_where_they_are_configured_and_may() {
        check(PHONE, &["user_id:u", "device_id:idfv"]);
        let all = [
            "user_id:u",
            "device_id:idfv",
            "push_token:t-1",
            "ad_id:ad-1",
        ];
        check_with(&wider(), PHONE, &all);
        for said in ["false", "\"true\"", "1", "null"] {
            let off = PHONE.replace("Enabled\":true", &format!("Enabled\":{said}"));
            check_with(&wider(), &off, &all[..3]);
        }
    }

    #[test]
    fn external_ids_identify_with_all_four_parts_and_as_persons() {
        let event = |entry: &str| {
            format!(r#"{{"type":"page","userId":"u","context":{{"externalIds":[{entry}]}}}}"#)
        };
        let whole = r#"{"id":"7","type":"crm","collection":"users","encoding":"none"}"#;
        check_with(&wider(), &event(whole), &["user_id:u", "crm:7"]);
        check(&event(whole), &["user_id:u"]);
        for part in ["id", "type", "collection", "encoding"] {
            let less = whole.replace(&format!("\"{part}\":"), &format!("\"x{part}\":"));
            check_with(&wider(), &event(&less), &["user_id:u"]);
        }
        for (part, other) in [
            ("users", "accounts"),
            ("crm", "user_id"),
            ("crm", "unheard_of"),
        ] {
            check_with(
                &wider(),
                &event(&whole.replace(part, other)),
                &["user_id:u"],
            );
        }
        let many: Vec<String> = (1..20)
            .map(|it| whole.replace('7', &it.to_string()))
            .collect();
        let many = Event::parse(&event(&many.join(",")), None).unwrap();
        let named = extract(&wider(), &many).unwrap();
        assert_eq!(named.identifiers().len(), IDENTIFIERS_PER_EVENT_MAX);
    }

    #[test]
    fn an_event_names_no_more_than_the_cap_and_its_anchor_and_browser_always() {
        let mut rules = wider().namespaces().to_vec();
        let names: Vec<String> = (1..20).map(|it| format!("id_{it}")).collect();
        for name in &names {
            rules.push(crate::NamespaceRule {
                name: name.as_str().into(),
                from_properties: true,
                ..rules[3].clone()
            });
        }
        let config = Config::new(rules, [], None).unwrap();
        let properties: Vec<String> = names.iter().map(|it| format!(r#""{it}":"7""#)).collect();
        let event = format!(
            r#"{{"type":"track","event":"E","userId":"u","anonymousId":"w","properties":{{{}}}}}"#,
            properties.join(",")
        );
        let named = extract(&config, &Event::parse(&event, None).unwrap()).unwrap();
        assert_eq!(named.identifiers().len(), IDENTIFIERS_PER_EVENT_MAX);
        for own in [("user_id", "u"), ("anonymous_id", "w")] {
            let own = Identifier::new(own.0, own.1);
            assert!(named.identifiers().contains(&own), "{own}");
        }
    }

    #[test]
    fn a_property_identifies_where_its_namespace_says_so() {
        let invited = r#"{"type":"track","event":"Invited","userId":"u","properties":{"email":"x@b.example"}}"#;
        check_with(&wider(), invited, &["user_id:u", "email:x@b.example"]);
        check(invited, &["user_id:u"]);
    }

    #[test]
    fn an_alias_names_its_former_id_unless_it_is_the_same() {
        check(
            r#"{"type":"alias","userId":"u","previousId":"w"}"#,
            &["user_id:u", "anonymous_id:w"],
        );
        check(
            r#"{"type":"alias","userId":"u","previousId":"u"}"#,
            &["user_id:u"],
        );
        let both = r#"{"type":"alias","userId":"u","anonymousId":"w","previousId":"w"}"#;
        let named = extract(&Config::default(), &Event::parse(both, None).unwrap()).unwrap();
        assert_eq!(named.previous(), None);
    }

    #[test]
    fn an_event_about_nobody_says_what_to_send() {
        let check = |json: &str, code: RejectionCode, expected: &str| {
            let event = Event::parse(json, None).unwrap();
            let error = extract(&Config::default(), &event).unwrap_err();
            assert_eq!(error.code, code, "{json}");
            assert!(error.message.starts_with(expected), "{error}");
        };
        let (nobody, no_member) = (RejectionCode::NoIdentifier, RejectionCode::NoProfile);
        check(
            r#"{"type":"page","userId":"undefined"}"#,
            nobody,
            "`userId` holds no usable value, send",
        );
        check(r#"{"type":"page"}"#, nobody, "the event names nobody, send");
        check(
            r#"{"type":"group","groupId":"g","traits":{"email":"x@b.example"}}"#,
            no_member,
            "the event names nobody, send",
        );
        check(
            r#"{"type":"group","groupId":"g","userId":"null"}"#,
            no_member,
            "`userId` holds no usable value, send",
        );
    }
}
