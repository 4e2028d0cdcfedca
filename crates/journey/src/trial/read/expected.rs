//! What must come of a case? Requests, decisions and refusals, each with the parts that are
//! written.

use std::sync::Arc;

use wayfare_event::Timestamp;

use super::{Ground, time};
use crate::definition::Text;
use crate::parse::fields::{Fields, Problems};
use crate::trial::{Expected, Pattern, pattern};
use crate::yaml::{Kind, Node};

const METHODS: [(&str, &str); 3] = [("POST", "POST"), ("PUT", "PUT"), ("DELETE", "DELETE")];
/// What a request without a body has in place of a payload.
const NONE: &str = "none";

/// How the parts of one kind of thing are read.
pub(super) type Read = fn(&mut Parts<'_, '_>);

/// A list of things that must come, in order.
pub(super) fn list(
    node: &Node,
    read: Read,
    (ground, from): (Option<&Ground<'_>>, Option<Timestamp>),
    problems: &mut Problems,
) -> Vec<Expected> {
    let Kind::List(items) = &node.kind else {
        problems.wrong_shape(node, "a list; `[]` means that none may come");
        return Vec::new();
    };
    let mut listed = Vec::new();
    for item in items {
        let Some(fields) = problems.fields(item, "what is expected") else {
            continue;
        };
        let mut parts = Parts {
            fields,
            ground,
            from,
            problems,
            found: Vec::new(),
        };
        read(&mut parts);
        listed.push(parts.finish());
    }
    listed
}

/// One thing that must come, while it is read.
pub(super) struct Parts<'a, 'p> {
    fields: Fields<'a>,
    ground: Option<&'p Ground<'p>>,
    from: Option<Timestamp>,
    problems: &'p mut Problems,
    found: Vec<(&'static str, Pattern)>,
}

pub(super) fn request(parts: &mut Parts<'_, '_>) {
    parts.time();
    parts.place();
    parts.method();
    parts.value("url");
    parts.payload();
    parts.headers();
    parts.value("profile");
    parts.value("key");
}

pub(super) fn decision(parts: &mut Parts<'_, '_>) {
    parts.time();
    parts.place();
    for part in ["outcome", "reason", "profile", "key"] {
        parts.value(part);
    }
}

pub(super) fn refusal(parts: &mut Parts<'_, '_>) {
    parts.time();
    parts.journey();
    for part in ["reason", "messageId", "leaf", "value"] {
        parts.value(part);
    }
}

impl Parts<'_, '_> {
    fn value(&mut self, part: &'static str) {
        let Some(node) = self.fields.get(part) else {
            return;
        };
        let read = pattern::pattern(node, self.problems);
        self.found.extend(read.map(|pattern| (part, pattern)));
    }

    fn time(&mut self) {
        let text = self.fields.text("at", self.problems);
        let at = text.and_then(|text| time(&text, self.from, self.problems));
        let pattern = |at: Timestamp| ("at", Pattern::text(&at.to_string()));
        self.found.extend(at.map(pattern));
    }

    /// The journey, where several run.
    fn journey(&mut self) {
        if let Some(id) = self.name("journey")
            && let Some(ground) = self.ground
        {
            ground.check_journey(&id, self.problems);
        }
    }

    /// The journey and the block.
    fn place(&mut self) {
        self.journey();
        if let Some(block) = self.name("block")
            && let Some(ground) = self.ground
        {
            ground.check_block(&block, self.problems);
        }
    }

    /// A part that names something, exactly.
    fn name(&mut self, part: &'static str) -> Option<Text> {
        let text = self.fields.text(part, self.problems)?;
        self.found.push((part, Pattern::text(&text.value)));
        Some(text)
    }

    fn method(&mut self) {
        let node = self.fields.get("method");
        let word = node.and_then(|node| self.problems.word(node, &METHODS));
        self.found
            .extend(word.map(|word| ("method", Pattern::text(word))));
    }

    fn payload(&mut self) {
        let Some(node) = self.fields.get("payload") else {
            return;
        };
        if node.kind == Kind::Text(NONE.to_owned()) {
            self.found.push(("payload", Pattern::Absent));
        } else {
            self.value("payload");
        }
    }

    /// Headers that must be among those sent; what names mean does not depend on their case.
    fn headers(&mut self) {
        let Some(node) = self.fields.get("headers") else {
            return;
        };
        let Kind::Map(entries) = &node.kind else {
            self.problems
                .wrong_shape(node, "names and values of headers");
            return;
        };
        let parts = pattern::parts(entries, self.problems).unwrap_or_default();
        let lower = |(name, part): (Arc<str>, Pattern)| (name.to_ascii_lowercase().into(), part);
        let parts = parts.into_iter().map(lower).collect();
        self.found.push(("headers", Pattern::Holding(parts)));
    }

    fn finish(self) -> Expected {
        self.fields.finish(self.problems);
        Expected { parts: self.found }
    }
}
