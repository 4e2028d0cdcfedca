//! Which traits and properties does an expression read, and does `types:` of `wayfare.yaml` know
//! them? Not here: what the declared types make impossible (`expression`), names that nothing
//! declares (`check::near_miss`).

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::check::near_miss::{NameUse, Open};
use crate::definition::{BlockKind, Definition, EventName, Heard, TriggerOn};
use crate::diagnostic::{Code, Diagnostic, Span, nearest};
use crate::expression::{Expression, Key, Path, Root};
use crate::types::{Types, ValueType};

/// What is declared of the names that stand behind a root.
type Declared = BTreeMap<String, ValueType>;

/// The names that expressions of one file read.
pub(super) struct Fields<'a> {
    types: Option<&'a Types>,
    /// The events that may have started an instance.
    trigger: &'a [EventName],
    /// The events that waits name with `as:`.
    named: Vec<(&'a str, &'a EventName)>,
    /// The event of the wait or exit whose `where` is read.
    pub(super) judged: Option<EventName>,
    /// The names read so far that nothing declares.
    pub(super) names: Vec<NameUse>,
}

impl<'a> Fields<'a> {
    pub(super) fn new(types: Option<&'a Types>, definition: &'a Definition) -> Self {
        let mut named = Vec::new();
        for block in &definition.blocks {
            let BlockKind::Wait(wait) = &block.kind else {
                continue;
            };
            named.extend(wait.items.iter().filter_map(|item| match &item.on {
                Heard::Event { event, .. } => Some((item.name.as_ref()?.value.as_str(), event)),
                Heard::When(_) => None,
            }));
        }
        Self {
            types,
            trigger: match &definition.trigger.on {
                TriggerOn::Events(events) => events,
                TriggerOn::Consent { .. }
                | TriggerOn::Trait { .. }
                | TriggerOn::Schedule { .. }
                | TriggerOn::Date { .. }
                | TriggerOn::Delivery { .. } => &[],
            },
            named,
            judged: None,
            names: Vec::new(),
        }
    }

    /// Notes the names of an expression and says what is wrong with them. `place` says where in the
    /// file a span of the expression stands.
    pub(super) fn read(
        &mut self,
        expression: &Expression,
        place: &dyn Fn(Span) -> Span,
    ) -> Vec<Diagnostic> {
        let mut problems = Vec::new();
        let Some(types) = self.types else {
            return problems;
        };
        for (path, span) in expression.places() {
            let Some((of, name, rest)) = field(path) else {
                continue;
            };
            let written = expression.source().get(span.range()).unwrap_or_default();
            let here = place(key_span(written, span, name));
            let declared = self.declared(types, path);
            if declared.is_empty() {
                self.names.push(NameUse {
                    of,
                    name: name.clone(),
                    span: here,
                });
            } else {
                problems.extend(undeclared(&declared, name, rest, here));
            }
        }
        let declared = |path: &Path| self.declared_type(types, path);
        let impossible = expression.impossible(&declared).into_iter();
        problems.extend(impossible.map(|it| {
            Diagnostic::new(Code::ImpossibleComparison, place(it.span), it.message)
                .maybe_hint(it.hint)
        }));
        problems
    }

    /// Notes a trait that is written or listened to, and says when it is not declared.
    pub(super) fn name(&mut self, of: Open, name: &Arc<str>, span: Span) -> Option<Diagnostic> {
        let types = self.types?;
        let declared = match of {
            Open::Profile => &types.profile,
            Open::Account => &types.account,
            Open::Property => return None,
        };
        if !declared.is_empty() {
            return undeclared(&[declared], name, &[], span);
        }
        let name = name.clone();
        self.names.push(NameUse { of, name, span });
        None
    }

    /// What is declared of the names behind a path's root: once for each event it may be. Nothing
    /// where one of them is open.
    fn declared(&self, types: &'a Types, path: &Path) -> Vec<&'a Declared> {
        let one = |declared: &'a Declared| match declared.is_empty() {
            true => Vec::new(),
            false => vec![declared],
        };
        let events = |events: &mut dyn Iterator<Item = &EventName>| {
            let declared = events.map(|event| types.events.get(event.name.as_deref()?));
            declared.collect::<Option<Vec<_>>>().unwrap_or_default()
        };
        match &path.root {
            Root::Profile => one(&types.profile),
            Root::Account => one(&types.account),
            Root::Event => match &self.judged {
                Some(judged) => events(&mut [judged].into_iter()),
                None => events(&mut self.trigger.iter()),
            },
            Root::Trigger => events(&mut self.trigger.iter()),
            Root::Named(name) => {
                let named = self.named.iter().filter(|(held, _)| **held == **name);
                events(&mut named.map(|(_, event)| *event))
            }
            Root::Consent
            | Root::Change
            | Root::Delivery
            | Root::Journey
            | Root::Entry
            | Root::Now
            | Root::Local(_) => Vec::new(),
        }
    }

    /// The type of what stands at a path, where it is one for every event it may be of.
    fn declared_type(&self, types: &'a Types, path: &Path) -> Option<ValueType> {
        let (_, name, []) = field(path)? else {
            return None;
        };
        let declared = self.declared(types, path);
        let mut types = declared.iter().map(|declared| declared.get(&**name));
        let first = types.next()??;
        types.all(|it| it == Some(first)).then_some(*first)
    }
}

/// Whose trait or property a path names, the name, and the keys behind it.
fn field(path: &Path) -> Option<(Open, &Arc<str>, &[Key])> {
    let (of, keys) = match (&path.root, path.keys.as_slice()) {
        (Root::Profile, keys) => (Open::Profile, keys),
        (Root::Account, keys) => (Open::Account, keys),
        (Root::Event | Root::Trigger | Root::Named(_), [Key::Name(first), keys @ ..])
            if &**first == "properties" =>
        {
            (Open::Property, keys)
        }
        _ => return None,
    };
    let [Key::Name(name), rest @ ..] = keys else {
        return None;
    };
    let is_fixed = matches!(
        (of, &**name),
        (Open::Profile, "profileId") | (Open::Account, "accountId")
    );
    (!is_fixed).then_some((of, name, rest))
}

/// Where in a path its name stands; the whole path where that cannot be told.
fn key_span(written: &str, whole: Span, name: &str) -> Span {
    let after_root = written.find(['.', '[']).unwrap_or_default();
    let behind = written.get(after_root..).unwrap_or_default();
    let behind_properties = behind.strip_prefix(".properties").unwrap_or(behind);
    let skipped = written.len() - behind_properties.len();
    match behind_properties.find(name) {
        Some(at) => {
            let start = whole.start + skipped + at;
            Span::new(start, start + name.len())
        }
        None => whole,
    }
}

fn undeclared(
    declared: &[&Declared],
    name: &Arc<str>,
    rest: &[Key],
    span: Span,
) -> Option<Diagnostic> {
    let mut types = declared.iter().filter_map(|it| it.get(&**name));
    let Some(first) = types.next() else {
        let known = || declared.iter().flat_map(|it| it.keys().map(String::as_str));
        let message = format!("`types:` in `wayfare.yaml` declares no `{name}`");
        let hint = nearest(name, known()).map_or_else(
            || "declare it there, with its type".to_owned(),
            |near| format!("did you mean `{near}`?"),
        );
        return Some(Diagnostic::new(Code::UndeclaredName, span, message).hint(hint));
    };
    if rest.is_empty() || first.has_parts() || types.any(|it| it.has_parts()) {
        return None;
    }
    let message = format!(
        "`{name}` is declared as {}, which has no parts",
        first.as_str()
    );
    Some(
        Diagnostic::new(Code::UndeclaredName, span, message)
            .hint("declare it as `object` or `list`, or read it whole"),
    )
}
