//! What does `consent:` say? The built-in categories stay; a category that is named here is changed
//! where it is built in, and added where it is not. One with a dot in its name is part of another
//! and takes from the nearest that is configured what it does not say itself (2.2.2).

use std::collections::BTreeMap;
use std::sync::Arc;

use wayfare_consent::{Binding, Category, Channel, Class, Config, Jurisdiction, Strength};
use wayfare_event::ConsentAction;
use wayfare_journey::definition::Text;
use wayfare_journey::diagnostic::{Code, Diagnostic, Span};
use wayfare_journey::duration::DAY_US;
use wayfare_journey::fields::{Fields, Problems};
use wayfare_journey::yaml::{Entry, Node};

use super::parts::{entries, micros, name};
use super::sources;

const CLASSES: [(&str, Class); 4] = [
    (Class::Essential.as_str(), Class::Essential),
    (Class::Consent.as_str(), Class::Consent),
    (
        Class::LegitimateInterest.as_str(),
        Class::LegitimateInterest,
    ),
    (Class::NoticeOnly.as_str(), Class::NoticeOnly),
];
const BOUND: [(&str, Bound); 2] = [("profile", Bound::Profile), ("address", Bound::Address)];
const CHANNELS: [(&str, Channel); 2] = [("email", Channel::Email), ("phone", Channel::Phone)];
const STRENGTHS: [(&str, Strength); 2] =
    [("any", Strength::Any), ("confirmed", Strength::Confirmed)];
const ACTIONS: [(&str, ConsentAction); 2] = [
    ("accept", ConsentAction::Accept),
    ("decline", ConsentAction::Decline),
];
/// The longest time an acceptance may be configured to last, and a refusal to keep one from asking
/// again: ten years.
const AGE_US_MAX: i64 = 3_660 * DAY_US;

/// `binding:` as written; the channel stands beside it.
#[derive(Clone, Copy)]
enum Bound {
    Profile,
    Address,
}

pub(super) fn consent(node: &Node, problems: &mut Problems) -> Config {
    let built_in = Config::default();
    let Some(mut fields) = problems.fields(node, "`consent`") else {
        return built_in;
    };
    let place = fields.get("jurisdiction");
    let place = place.and_then(|node| default_place(node, problems));
    let written = fields.get("categories").map_or(&[][..], |node| {
        entries(node, "a mapping of categories", problems)
    });
    let dialects = sources::dialects(&mut fields, problems);
    fields.finish(problems);
    let mut categories = built_in.categories().clone();
    let mut written: Vec<&Entry> = written.iter().collect();
    // A whole comes before its parts.
    written.sort_by_key(|entry| entry.key.matches('.').count());
    for entry in &written {
        let name = entry.key.as_str();
        let above = wayfare_consent::parents(name);
        let mut known = std::iter::once(name).chain(above);
        let taken = known.find_map(|name| categories.get(name)).cloned();
        let category = category(entry, taken.as_ref(), problems);
        categories.insert(Arc::from(name), category);
    }
    sources::check((&categories, dialects), &written, problems);
    Config::new(categories, place.unwrap_or(Jurisdiction::UNKNOWN)).with_dialects(dialects)
}

fn default_place(node: &Node, problems: &mut Problems) -> Option<Jurisdiction> {
    let mut fields = problems.fields(node, "`jurisdiction`")?;
    let default = fields.text("default", problems);
    fields.finish(problems);
    let default = default?;
    if default.value != "unknown" {
        place(&default.value, default.span, problems);
    }
    Some(Jurisdiction::named(&default.value))
}

/// A category, with what it is taken from: the built-in one of its name, or what it is part of. Even
/// where something is wrong with it, it is there: journeys may name it.
fn category(entry: &Entry, taken: Option<&Category>, problems: &mut Problems) -> Category {
    category_name(entry, problems);
    let silent = || Category::new(Class::Consent, Binding::Profile);
    let mut category = taken.cloned().unwrap_or_else(silent);
    let Some(mut fields) = problems.fields(&entry.value, "a category") else {
        return category;
    };
    let class = match taken {
        Some(_) => fields.get("class"),
        None => fields.need("class", problems),
    };
    let class = class.and_then(|node| problems.word(node, &CLASSES));
    category.class = class.unwrap_or(category.class);
    let taken = taken.map(|category| category.binding);
    let binding = binding(&mut fields, taken, problems);
    category.binding = binding.unwrap_or(category.binding);
    let default = fields.get("default");
    let default = default.and_then(|node| problems.word(node, &ACTIONS));
    category.default = default.or(category.default);
    if let Some(node) = fields.get("by_jurisdiction") {
        category.by_jurisdiction = by_place(node, problems);
    }
    let strength = fields.get("strength");
    let strength = strength.and_then(|node| problems.word(node, &STRENGTHS));
    category.strength = strength.unwrap_or(category.strength);
    let max_age = fields.get("max_age");
    let max_age = max_age.and_then(|node| micros(node, DAY_US..=AGE_US_MAX, problems));
    category.max_age_us = max_age.or(category.max_age_us);
    let again = fields.get("ask_again_after");
    let again = again.and_then(|node| micros(node, DAY_US..=AGE_US_MAX, problems));
    category.ask_again_after_us = again.or(category.ask_again_after_us);
    category.hears = sources::hears(&mut fields, problems);
    fields.finish(problems);
    category
}

/// Checks a category's name: names, with dots between them.
fn category_name(entry: &Entry, problems: &mut Problems) {
    let whole = entry.key.as_str();
    let of_parts = whole.split('.').all(|part| !part.is_empty());
    let text = Text {
        value: if of_parts {
            whole.replace('.', "_")
        } else {
            whole.to_owned()
        },
        span: entry.key_span,
    };
    name(&text, problems);
}

fn binding(
    fields: &mut Fields<'_>,
    taken: Option<Binding>,
    problems: &mut Problems,
) -> Option<Binding> {
    let bound = fields.get("binding");
    let channel = fields.entry("channel");
    if bound.is_none() && channel.is_none() {
        if taken.is_none() {
            let message = "a category needs `binding:`";
            problems.push(
                Diagnostic::new(Code::MissingKey, fields.place(), message)
                    .hint("write `binding: profile`, or `binding: address` with a `channel:`"),
            );
        }
        return taken;
    }
    let bound = match bound {
        Some(node) => problems.word(node, &BOUND)?,
        None => Bound::Address,
    };
    match (bound, channel, taken) {
        (Bound::Profile, None, _) => Some(Binding::Profile),
        (Bound::Profile, Some(channel), _) => {
            let message = "a category that is bound to the profile has no channel";
            problems.push(
                Diagnostic::new(Code::InvalidValue, channel.key_span, message)
                    .hint("leave it out, or write `binding: address`"),
            );
            Some(Binding::Profile)
        }
        (Bound::Address, Some(channel), _) => problems
            .word(&channel.value, &CHANNELS)
            .map(Binding::Address),
        (Bound::Address, None, Some(Binding::Address(channel))) => Some(Binding::Address(channel)),
        (Bound::Address, None, Some(Binding::Profile) | None) => {
            let message = "a category that is bound to an address needs `channel:`";
            problems.push(
                Diagnostic::new(Code::MissingKey, fields.place(), message)
                    .hint("write `channel: email` or `channel: phone`"),
            );
            None
        }
    }
}

fn by_place(node: &Node, problems: &mut Problems) -> BTreeMap<String, ConsentAction> {
    let mut places = BTreeMap::new();
    for entry in entries(node, "a mapping of places, such as `US: accept`", problems) {
        place(&entry.key, entry.key_span, problems);
        if let Some(action) = problems.word(&entry.value, &ACTIONS) {
            places.insert(entry.key.to_ascii_uppercase(), action);
        }
    }
    places
}

/// Checks a place: an ISO 3166 country, or a part of one. What people write for several countries,
/// or for another code, would never match a profile.
fn place(text: &str, span: Span, problems: &mut Problems) {
    let hint = match text.to_ascii_uppercase().as_str() {
        "EU" | "EEA" => Some("name its countries one by one: `DE`, `FR`, …"),
        "UK" => Some("write `GB`"),
        _ => None,
    };
    if let Some(hint) = hint {
        let message = format!("`{text}` is no country");
        problems.push(Diagnostic::new(Code::InvalidValue, span, message).hint(hint));
        return;
    }
    let (country, part) = text.split_once('-').unwrap_or((text, "A"));
    let is_country = country.len() == 2 && country.bytes().all(|it| it.is_ascii_alphabetic());
    let is_part =
        (1..=3).contains(&part.len()) && part.bytes().all(|it| it.is_ascii_alphanumeric());
    if !is_country || !is_part {
        let message = format!("`{text}` is not a place");
        problems.push(
            Diagnostic::new(Code::InvalidValue, span, message)
                .hint("write an ISO 3166 code such as `DE` or `US-CA`"),
        );
    }
}
