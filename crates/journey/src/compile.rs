//! How does a definition become a graph? Names are resolved, expressions and templates are read,
//! blocks are joined; every problem is reported at once. Not here: whether the graph makes sense
//! (`check`).

mod block;
mod fields;
mod names;
mod outline;
mod personal;
mod place;
mod webhook;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use wayfare_event::ConsentAction;

use crate::check::near_miss::NameUse;
use crate::definition::{self, BlockKind, Definition, Text};
use crate::diagnostic::{Code, Diagnostic, Severity, Span, nearest};
use crate::expression::{Expression, ExpressionError, Names};
use crate::graph::{
    Again, BlockId, Entry, EventMatch, ExitRule, Graph, Heard, Node, Trigger, TriggerOn,
};
use crate::known::Known;
use crate::parse::fields::Problems;
use crate::{Version, check, duration, parse, yaml};
use fields::Fields;
use place::Laid;

/// How old an event may be, unless written: 72 hours (SP 2).
const LATENESS_US: i64 = 3 * duration::DAY_US;
/// The longest duration an author may write: how long an instance lives.
const DURATION_US_MAX: i64 = 400 * duration::DAY_US;
/// Problems of a file up to which the nearest block is looked for.
const GUESSED_MAX: usize = 100;
/// Reasons of exits that only the engine gives (SP 32).
const OWN_REASONS: [&str; 2] = ["limit", "life_over"];

/// A graph, and what its author should look at all the same.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// The graph.
    pub graph: Graph,
    /// Warnings, in the order they stand.
    pub warnings: Vec<Diagnostic>,
    /// The names it reads that nothing declares, for [`near_misses`](crate::near_misses).
    pub names: Vec<NameUse>,
}

/// Reads, compiles and checks one journey file.
///
/// # Errors
///
/// Every problem in the file, in the order they stand.
pub fn compile(source: &str, known: &Known<'_>) -> Result<Compiled, Vec<Diagnostic>> {
    let root = yaml::read(source).map_err(|problem| vec![*problem])?;
    let mut shape = Problems::default();
    let definition = parse::definition(&root, &mut shape);
    let mut problems = shape.0;
    let sorted = |mut problems: Vec<Diagnostic>| {
        problems.sort_by_key(|problem| problem.span);
        problems
    };
    let Some(definition) = definition else {
        return Err(sorted(problems));
    };
    let mut compiler = Compiler::new(source, known, &definition, &root);
    // A file whose shape is broken still has its expressions read; its ways would only mislead.
    let is_sound = problems.is_empty();
    let graph = compiler.graph(&definition, Version::of(&root), is_sound);
    problems.append(&mut compiler.problems);
    if let Some(graph) = graph.as_ref().filter(|_| is_sound) {
        problems.append(&mut check::outcomes(graph, &definition));
        problems.append(&mut check::advice::advice(&root));
    }
    let is_error = |it: &Diagnostic| it.code.severity() == Severity::Error;
    match graph {
        Some(graph) if !problems.iter().any(is_error) => Ok(Compiled {
            graph,
            warnings: sorted(problems),
            names: compiler.fields.names,
        }),
        _ => Err(sorted(problems)),
    }
}

/// One file, while it is compiled.
struct Compiler<'a> {
    source: &'a str,
    known: &'a Known<'a>,
    /// Block names and their places.
    places: BTreeMap<&'a str, usize>,
    by_consent: Option<ConsentAction>,
    /// Every `as:` name of the file.
    named: BTreeSet<&'a str>,
    fields: Fields<'a>,
    problems: Vec<Diagnostic>,
}

impl<'a> Compiler<'a> {
    fn new(
        source: &'a str,
        known: &'a Known<'a>,
        definition: &'a Definition,
        root: &'a yaml::Node,
    ) -> Self {
        let keys = outline::block_keys(root).into_iter().enumerate();
        let mut named = BTreeSet::new();
        outline::event_names(root, &mut named);
        Self {
            source,
            known,
            places: keys.map(|(place, key)| (key, place)).collect(),
            named,
            fields: Fields::new(known.types, definition),
            by_consent: match &definition.trigger.on {
                definition::TriggerOn::Events(_) => None,
                definition::TriggerOn::Consent { action, .. } => Some(*action),
            },
            problems: Vec::new(),
        }
    }

    /// The graph of a file whose shape is sound. The ways through it are checked even when parts of
    /// it cannot be read.
    fn graph(
        &mut self,
        definition: &'a Definition,
        version: Version,
        is_sound: bool,
    ) -> Option<Graph> {
        let named = names::at_blocks(definition, &self.named, |block| {
            is_sound && self.places.contains_key(block)
        });
        let trigger = self.trigger(&definition.trigger);
        let entry = self.entry(&definition.entry);
        let exits: Vec<_> = definition
            .exits
            .iter()
            .map(|exit| self.exit(exit))
            .collect();
        let start = definition.start.as_ref();
        let start = start.map_or_else(|| Some(BlockId::at(0)), |start| self.successor(start));
        let blocks: Vec<Option<Node>> = definition
            .blocks
            .iter()
            .map(|block| {
                let named = named.get(block.key.value.as_str());
                self.block(block, named.cloned().unwrap_or_default())
            })
            .collect();
        if !is_sound {
            return None;
        }
        if let (Some(start), Some(outline)) = (start, self.outline(definition, &blocks)) {
            let mut found = check::ways(&outline, start, definition);
            self.problems.append(&mut found);
        }
        let blocks = block::joined(blocks.into_iter().collect::<Option<_>>()?);
        let mut graph = Graph {
            id: definition.id.value.as_str().into(),
            title: definition
                .title
                .as_ref()
                .map(|title| title.value.as_str().into()),
            version,
            source: self.source.into(),
            trigger: trigger?,
            entry: entry?,
            exits: exits.into_iter().collect::<Option<_>>()?,
            start: start?,
            blocks,
            kept: crate::graph::Kept::default(),
            registers: Vec::new(),
        };
        names::keep(&mut graph);
        Some(graph)
    }

    fn trigger(&mut self, trigger: &definition::Trigger) -> Option<Trigger> {
        let names = self.names(Vec::new());
        let condition = self.optional(trigger.condition.as_ref(), &names);
        let on = match &trigger.on {
            definition::TriggerOn::Events(events) => {
                TriggerOn::Events(events.iter().map(event).collect())
            }
            definition::TriggerOn::Consent { category, action } => TriggerOn::Consent {
                category: self.category(category)?,
                action: *action,
            },
        };
        Some(Trigger {
            on,
            condition: condition?,
        })
    }

    fn entry(&mut self, entry: &definition::Entry) -> Option<Entry> {
        let again = match &entry.again {
            None => Some(Again::AfterExit),
            Some(text) => match text.value.as_str() {
                "once" => Some(Again::Once),
                "after_exit" => Some(Again::AfterExit),
                "always" => Some(Again::Always),
                _ => self.duration(text, DURATION_US_MAX).map(Again::Every),
            },
        };
        let names = self.names(Vec::new());
        let key = self.optional(entry.key.as_ref(), &names);
        if let (Some(Some(key)), Some(text)) = (&key, &entry.key)
            && key.as_path().is_none()
        {
            let message = "a key is a path, such as `properties.orderId`";
            self.problems
                .push(Diagnostic::new(Code::InvalidValue, text.span, message));
        }
        let lateness = entry.lateness.as_ref();
        let lateness_us = lateness.map_or(Some(LATENESS_US), |text| {
            self.duration(text, self.known.lateness_us_max)
        });
        Some(Entry {
            again: again?,
            key: key?,
            lateness_us: lateness_us?,
        })
    }

    fn exit(&mut self, exit: &definition::Exit) -> Option<ExitRule> {
        let on = self.heard(&exit.on, Vec::new());
        let reason = match (&exit.reason, &exit.on) {
            (Some(reason), _) => self.reason(reason),
            (None, definition::Heard::Event { event, .. }) => {
                Some(event.name.as_deref().unwrap_or(event.kind.as_str()).into())
            }
            (None, definition::Heard::When(condition)) => Some(condition.value.as_str().into()),
        };
        Some(ExitRule {
            on: on?,
            reason: reason?,
        })
    }

    /// Why an instance ends, in the author's words.
    fn reason(&mut self, reason: &Text) -> Option<Arc<str>> {
        if OWN_REASONS.contains(&reason.value.as_str()) {
            let message = format!("`{}` is a reason of the engine's own", reason.value);
            self.problems
                .push(Diagnostic::new(Code::InvalidValue, reason.span, message));
            return None;
        }
        Some(reason.value.as_str().into())
    }

    /// What a wait or an exit reacts to; in its `where`, `event` is the event being judged.
    fn heard(&mut self, heard: &definition::Heard, named: Vec<Arc<str>>) -> Option<Heard> {
        let names = self.names(named);
        match heard {
            definition::Heard::Event {
                event: name,
                condition,
                any_key,
            } => {
                let judging = Names {
                    event: true,
                    ..names
                };
                self.fields.judged = Some(name.clone());
                let condition = self.optional(condition.as_ref(), &judging);
                self.fields.judged = None;
                Some(Heard::Event {
                    event: event(name),
                    condition: condition?,
                    any_key: *any_key,
                })
            }
            definition::Heard::When(condition) => {
                let expression = self.expression(condition, &names)?;
                let reads_now =
                    |path: &&crate::expression::Path| path.root == crate::expression::Root::Now;
                if expression.paths().iter().any(reads_now) {
                    let message = "only looking again and again could tell when this holds";
                    self.problems.push(
                        Diagnostic::new(Code::PolledCondition, condition.span, message)
                            .hint("wait for a duration, and judge `now` in a `decide` after it"),
                    );
                    return None;
                }
                Some(Heard::When(expression))
            }
        }
    }

    /// What expressions may name in a block.
    fn names(&self, named: Vec<Arc<str>>) -> Names {
        Names {
            event: self.by_consent.is_none(),
            trigger: self.by_consent.is_none(),
            no_event: "a change of consent starts this journey",
            change: self.by_consent.is_some(),
            named,
            categories: self.known.categories.to_vec(),
        }
    }

    fn expression(&mut self, text: &Text, names: &Names) -> Option<Expression> {
        match Expression::parse(&text.value, names) {
            Ok(expression) => {
                let laid = Laid::new(self.source, text);
                let mut found = self.fields.read(&expression, &|span| laid.place(span));
                self.problems.append(&mut found);
                Some(expression)
            }
            Err(error) => {
                let span = place::within(self.source, text, error.span);
                self.unreadable(&text.value, span, error);
                None
            }
        }
    }

    /// Notes why `source` is no expression. A name that exists elsewhere is no typo.
    fn unreadable(&mut self, source: &str, span: Span, error: ExpressionError) {
        let name = source.get(error.span.range()).unwrap_or_default();
        let problem = if error.code == Code::UnknownName && self.named.contains(name) {
            let message = format!("not every way to this place passes a wait that names `{name}`");
            Diagnostic::new(error.code, span, message)
                .hint("read it in blocks behind that wait only")
        } else {
            Diagnostic::new(error.code, span, error.message).maybe_hint(error.hint)
        };
        self.problems.push(problem);
    }

    /// The inner nothing is an expression that is not written.
    #[expect(
        clippy::option_option,
        reason = "not written and not readable are two things, and both callers tell them apart"
    )]
    fn optional(&mut self, text: Option<&Text>, names: &Names) -> Option<Option<Expression>> {
        match text {
            None => Some(None),
            Some(text) => self.expression(text, names).map(Some),
        }
    }

    fn duration(&mut self, text: &Text, max_us: i64) -> Option<i64> {
        let problem = match duration::parse(&text.value) {
            Ok(micros) if micros > max_us => {
                format!("at most {} may be written here", duration::written(max_us))
            }
            Ok(0) => "this lasts no time at all".to_owned(),
            Ok(micros) => return Some(micros),
            Err(error) => error.to_string(),
        };
        self.problems
            .push(Diagnostic::new(Code::InvalidDuration, text.span, problem));
        None
    }

    fn category(&mut self, text: &Text) -> Option<Arc<str>> {
        let known = self.known.categories;
        if let Some(category) = known.iter().find(|known| ***known == *text.value) {
            return Some(category.clone());
        }
        let message = format!("no category is called `{}`", text.value);
        let names = || known.iter().map(|name| &**name);
        let hint = nearest(&text.value, names()).map_or_else(
            || "configure it in `wayfare.yaml` under `consent: categories:`".to_owned(),
            |near| format!("did you mean `{near}`?"),
        );
        self.problems
            .push(Diagnostic::new(Code::UnknownCategory, text.span, message).hint(hint));
        None
    }

    fn successor(&mut self, text: &Text) -> Option<BlockId> {
        if let Some(block) = self.known_block(text) {
            return Some(block);
        }
        let message = format!("no block is called `{}`", text.value);
        // Whoever has a hundred problems is not helped by guesses that take their time.
        let guesses = self.problems.len() < GUESSED_MAX;
        let near = guesses.then(|| nearest(&text.value, self.places.keys().copied()));
        let hint = near.flatten().map(|near| format!("did you mean `{near}`?"));
        self.problems
            .push(Diagnostic::new(Code::UnknownBlock, text.span, message).maybe_hint(hint));
        None
    }
}

fn event(name: &definition::EventName) -> EventMatch {
    EventMatch {
        kind: name.kind,
        name: name.name.as_deref().map(Arc::from),
    }
}

/// The keys of the successors a block names.
fn successors(block: &definition::Block) -> Vec<(&str, Option<&str>)> {
    let then = block.then.as_ref().map(|then| (then.value.as_str(), None));
    let mut found: Vec<_> = then.into_iter().collect();
    match &block.kind {
        BlockKind::Decide(arms) => {
            found.extend(arms.iter().map(|arm| (arm.then.value.as_str(), None)));
        }
        BlockKind::Wait(wait) => found.extend(wait.items.iter().map(|item| {
            let name = item.name.as_ref().map(|name| name.value.as_str());
            (item.then.value.as_str(), name)
        })),
        BlockKind::Pause(_) | BlockKind::Webhook(_) | BlockKind::Exit(_) => {}
    }
    found
}
