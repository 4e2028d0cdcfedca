//! How does a definition become a graph? Names are resolved, expressions and templates are read,
//! blocks are joined; every problem is reported at once. Not here: whether the graph makes sense
//! (`check`).

mod block;
mod fields;
mod names;
mod outline;
mod personal;
mod place;
mod trigger;
mod wait;
mod webhook;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::check::near_miss::NameUse;
use crate::definition::{self, BlockKind, Definition, Migrate as Written, Text, Whole};
use crate::diagnostic::{Code, Diagnostic, Severity, Span, nearest};
use crate::expression::{Changes, Expression, ExpressionError, Names};
use crate::graph::{BlockId, Graph, Migrate, Node};
use crate::known::Known;
use crate::parse::fields::Problems;
use crate::{Version, check, duration, parse, yaml};
use fields::Fields;
use place::Laid;

/// How long an instance lives, unless written.
const LIFE_US: i64 = 400 * duration::DAY_US;
/// The longest life an author may write.
const LIFE_US_MAX: i64 = 3_650 * duration::DAY_US;
/// How often an instance may come to one block, unless written (SP 10).
const VISITS: u32 = 1_000;
/// The most visits an author may write.
const VISITS_MAX: u32 = 100_000;
/// Problems of a file up to which the nearest block is looked for.
const GUESSED_MAX: usize = 100;

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

/// What kind of thing starts a journey: it decides what expressions may name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Start {
    Event,
    Consent,
    Trait,
    Schedule,
    Date,
    Delivery,
}

impl Start {
    const fn of(on: &definition::TriggerOn) -> Self {
        match on {
            definition::TriggerOn::Events(_) => Self::Event,
            definition::TriggerOn::Consent { .. } => Self::Consent,
            definition::TriggerOn::Trait { .. } => Self::Trait,
            definition::TriggerOn::Schedule { .. } => Self::Schedule,
            definition::TriggerOn::Date { .. } => Self::Date,
            definition::TriggerOn::Delivery { .. } => Self::Delivery,
        }
    }

    /// Why there is no `event`.
    const fn no_event(self) -> &'static str {
        match self {
            Self::Event => "",
            Self::Consent => "a change of consent starts this journey",
            Self::Trait => "a change of a trait starts this journey",
            Self::Schedule => "a schedule starts this journey",
            Self::Date => "a date starts this journey",
            Self::Delivery => "a delivery starts this journey",
        }
    }

    const fn changes(self) -> Changes {
        match self {
            Self::Consent => Changes::Choice,
            Self::Trait => Changes::Trait,
            Self::Event | Self::Schedule | Self::Date | Self::Delivery => Changes::None,
        }
    }
}

/// One file, while it is compiled.
struct Compiler<'a> {
    source: &'a str,
    known: &'a Known<'a>,
    /// The journey's id.
    journey: &'a str,
    /// Block names and their places.
    places: BTreeMap<&'a str, usize>,
    /// What starts the journey.
    start: Start,
    /// How long an instance lives: no wait is longer.
    life_us: i64,
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
            journey: &definition.id.value,
            places: keys.map(|(place, key)| (key, place)).collect(),
            named,
            fields: Fields::new(known.types, definition),
            start: Start::of(&definition.trigger.on),
            life_us: LIFE_US,
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
        let life = definition.life.as_ref();
        let life_us = life.map_or(Some(LIFE_US), |life| self.duration(life, LIFE_US_MAX));
        self.life_us = life_us.unwrap_or(LIFE_US_MAX);
        let visits_max = self.visits(definition.visits);
        let migrate = definition.migrate.as_ref().map(|it| self.migrate(it));
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
            life_us: life_us?,
            visits_max: visits_max?,
            migrate: match migrate {
                None => None,
                Some(migrate) => Some(migrate?),
            },
        };
        names::keep(&mut graph);
        Some(graph)
    }

    /// What expressions may name in a block.
    fn names(&self, named: Vec<Arc<str>>) -> Names {
        Names {
            event: self.start == Start::Event,
            trigger: self.start == Start::Event,
            no_event: self.start.no_event(),
            change: self.start.changes(),
            delivery: self.start == Start::Delivery,
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

    /// A duration that may count backwards: `-3d`.
    fn offset(&mut self, text: &Text) -> Option<i64> {
        let (sign, rest) = match text.value.strip_prefix('-') {
            Some(rest) => (-1, rest),
            None => (1, text.value.strip_prefix('+').unwrap_or(&text.value)),
        };
        let unsigned = Text {
            value: rest.to_owned(),
            span: text.span,
        };
        self.duration(&unsigned, LIFE_US_MAX).map(|us| sign * us)
    }

    fn visits(&mut self, visits: Option<Whole>) -> Option<u32> {
        let Some(visits) = visits else {
            return Some(VISITS);
        };
        let limit = u32::try_from(visits.value).ok();
        let limit = limit.filter(|limit| (1..=VISITS_MAX).contains(limit));
        if limit.is_none() {
            let message = format!("visits are a whole number from 1 to {VISITS_MAX}");
            self.problems
                .push(Diagnostic::new(Code::InvalidValue, visits.span, message));
        }
        limit
    }

    fn migrate(&mut self, migrate: &Written) -> Option<Migrate> {
        let mut versions = Vec::new();
        for text in migrate.from.iter().flatten() {
            match text.value.parse::<Version>() {
                Ok(version) => versions.push(version),
                Err(error) => {
                    let problem = Diagnostic::new(Code::InvalidValue, text.span, error.to_string());
                    let hint = "`wayfare journeys` lists them; `from: any` takes all";
                    self.problems.push(problem.hint(hint));
                }
            }
        }
        let mut map = BTreeMap::new();
        for (old, new) in &migrate.map {
            self.successor(new)?;
            map.insert(old.value.as_str().into(), new.value.as_str().into());
        }
        Some(Migrate {
            from: migrate.from.as_ref().map(|_| versions),
            map,
        })
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
        BlockKind::Split(split) => {
            let arms = split.arms.iter();
            found.extend(arms.map(|arm| (arm.then.value.as_str(), None)));
        }
        BlockKind::UntilDate(until) => {
            let missing = until.missing.as_ref();
            found.extend(missing.map(|missing| (missing.value.as_str(), None)));
        }
        BlockKind::Pause(_)
        | BlockKind::UntilTime(_)
        | BlockKind::Update(_)
        | BlockKind::Webhook(_)
        | BlockKind::Exit(_) => {}
    }
    found
}
