//! What does `identity:` say?

use wayfare_event::Namespace;
use wayfare_identity::{Class, Config, NamespaceRule, Provider, Region, limits};
use wayfare_journey::diagnostic::{Code, Diagnostic};
use wayfare_journey::duration::DAY_US;
use wayfare_journey::fields::Problems;
use wayfare_journey::yaml::Node;

use super::parts::{invalid, items, micros, name, whole};

const CLASSES: [(&str, Class); 4] = [
    (Class::Anchor.as_str(), Class::Anchor),
    (Class::Address.as_str(), Class::Address),
    (Class::Device.as_str(), Class::Device),
    (Class::Session.as_str(), Class::Session),
];
const PROVIDERS: [(&str, Provider); 1] = [(Provider::Gmail.as_str(), Provider::Gmail)];
const LIMIT_MAX: i64 = 1_000;
const _: () = assert!(limits::IDENTIFIERS_PER_PROFILE_MAX == 1_000);
/// How far back a window may count: ten years.
const WINDOW_US_MAX: i64 = 3_660 * DAY_US;

pub(super) fn identity(node: &Node, problems: &mut Problems) -> Config {
    let Some(mut fields) = problems.fields(node, "`identity`") else {
        return Config::default();
    };
    let listed = fields.get("namespaces");
    let before = problems.0.len();
    let namespaces = match listed {
        Some(node) => namespaces(node, problems),
        None => Config::default().namespaces().to_vec(),
    };
    let is_sound = problems.0.len() == before;
    let blocked = fields.get("blocked").map_or(&[][..], |node| {
        items(node, "a list of values that identify nobody", problems)
    });
    let blocked: Vec<String> = blocked
        .iter()
        .filter_map(|node| problems.text(node))
        .map(|text| text.value)
        .collect();
    let region = fields.get("phone_region");
    let region = region.and_then(|node| region_of(node, problems));
    fields.finish(problems);
    let fallback = Config::default().namespaces().to_vec();
    Config::new(namespaces, blocked.iter().cloned(), region)
        .or_else(|error| {
            // What is wrong with single entries has been said; without them the whole misleads.
            if is_sound {
                invalid(listed.unwrap_or(node), error.to_string(), problems);
            }
            Config::new(fallback, blocked, region)
        })
        .unwrap_or_default()
}

fn namespaces(node: &Node, problems: &mut Problems) -> Vec<NamespaceRule> {
    let mut rules: Vec<NamespaceRule> = Vec::new();
    for node in items(node, "a list of namespaces", problems) {
        let Some(rule) = namespace(node, problems) else {
            continue;
        };
        if rules.iter().any(|listed| listed.name == rule.name) {
            let message = format!(
                "namespace `{}` is listed twice, keep one of them",
                rule.name
            );
            invalid(node, message, problems);
        }
        rules.push(rule);
    }
    rules
}

fn namespace(node: &Node, problems: &mut Problems) -> Option<NamespaceRule> {
    let mut fields = problems.fields(node, "a namespace")?;
    let text = fields.need_text("name", problems);
    if let Some(text) = &text {
        name(text, problems);
    }
    let class = fields.need("class", problems);
    let class = class.and_then(|node| problems.word(node, &CLASSES));
    let limit_at = fields.entry("limit");
    let limit = limit_at.and_then(|entry| whole(&entry.value, 1..=LIMIT_MAX, problems));
    let window_at = fields.entry("window");
    let window = window_at.and_then(|entry| micros(&entry.value, 1..=WINDOW_US_MAX, problems));
    let properties_at = fields.entry("from_properties");
    let from_properties = properties_at
        .and_then(|entry| problems.word(&entry.value, &[("true", true), ("false", false)]));
    let fold_at = fields.entry("provider_fold");
    let fold = fold_at.and_then(|entry| problems.word(&entry.value, &PROVIDERS));
    fields.finish(problems);
    let is_email = |text: &str| text == Namespace::EMAIL;
    if let Some(entry) = fold_at
        && !text.as_ref().is_some_and(|text| is_email(&text.value))
    {
        let message = "only `email` addresses have a provider that folds them";
        problems.push(
            Diagnostic::new(Code::InvalidValue, entry.key_span, message).hint("leave it out"),
        );
    }
    if let (Some(entry), Some(Class::Anchor)) = (limit_at, class) {
        let message = "an anchor has no limit: a profile has one anchor at most";
        problems.push(
            Diagnostic::new(Code::InvalidValue, entry.key_span, message).hint("leave it out"),
        );
    }
    if let (Some(entry), Some(Class::Anchor)) = (properties_at, class) {
        let message = "an anchor is never read from properties: they tell of somebody else, too";
        problems.push(
            Diagnostic::new(Code::InvalidValue, entry.key_span, message).hint("leave it out"),
        );
    }
    if let (Some(entry), None) = (window_at, limit_at) {
        let message = "a window says within which time `limit:` counts, and there is none";
        problems.push(
            Diagnostic::new(Code::InvalidValue, entry.key_span, message)
                .hint("add a `limit:`, or leave the window out"),
        );
    }
    Some(NamespaceRule {
        name: Namespace::from(text?.value.as_str()),
        class: class?,
        limit: limit.and_then(|limit| usize::try_from(limit).ok()),
        window_us: window,
        from_properties: from_properties.unwrap_or_default(),
        provider_fold: fold,
    })
}

fn region_of(node: &Node, problems: &mut Problems) -> Option<Region> {
    let text = problems.text(node)?;
    let region = Region::named(&text.value);
    if region.is_none() {
        let known = Region::names().collect::<Vec<_>>().join(", ");
        let message = format!("phone numbers of `{}` cannot be read", text.value);
        problems.push(
            Diagnostic::new(Code::InvalidValue, node.span, message)
                .hint(format!("known are: {known}")),
        );
    }
    region
}
