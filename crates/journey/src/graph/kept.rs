//! What does an instance keep of the events it met? The leaves that something ahead can read.

use std::sync::Arc;

use wayfare_event::Map;

use crate::expression::Key;

/// The leaves of events that something ahead can read: an instance keeps those only.
#[derive(Clone, Debug, Default)]
pub struct Kept {
    pub(crate) trigger: Vec<Vec<Key>>,
    pub(crate) named: Vec<(Arc<str>, Vec<Vec<Key>>)>,
}

impl Kept {
    /// What is kept of the event that started an instance.
    #[must_use]
    pub fn trigger(&self, event: &Map) -> Map {
        prune(
            event,
            &self.trigger.iter().map(Vec::as_slice).collect::<Vec<_>>(),
        )
    }

    /// The first leaf that is kept here and was not kept by `other`.
    #[must_use]
    pub fn beyond(&self, other: &Self) -> Option<String> {
        let covered =
            |held: &[Vec<Key>], wanted: &Vec<Key>| held.iter().any(|path| wanted.starts_with(path));
        let trigger = self.trigger.iter().find(|it| !covered(&other.trigger, it));
        if let Some(path) = trigger {
            return Some(written("trigger", path));
        }
        self.named.iter().find_map(|(name, paths)| {
            let held = other.named.iter().find(|(held, _)| held == name);
            let held = held.map(|(_, paths)| paths.as_slice()).unwrap_or_default();
            let missing = paths.iter().find(|it| !covered(held, it));
            missing.map(|path| written(name, path))
        })
    }

    /// The names that waits give to events.
    pub fn names(&self) -> impl Iterator<Item = &Arc<str>> {
        self.named.iter().map(|(name, _)| name)
    }

    /// What is kept of an event that a wait names.
    #[must_use]
    pub fn named(&self, name: &str, event: &Map) -> Map {
        let paths = self.named.iter().find(|(held, _)| **held == *name);
        let paths = paths.map(|(_, paths)| paths.iter().map(Vec::as_slice).collect::<Vec<_>>());
        prune(event, &paths.unwrap_or_default())
    }
}

fn written(root: &str, path: &[Key]) -> String {
    path.iter().fold(root.to_owned(), |written, key| match key {
        Key::Name(name) => format!("{written}.{name}"),
        Key::Index(place) => format!("{written}[{place}]"),
    })
}

/// The parts of a map that these paths reach; a path that ends keeps everything below it.
fn prune(map: &Map, paths: &[&[Key]]) -> Map {
    if paths.iter().any(|path| !matches!(path, [Key::Name(_), ..])) {
        return map.clone();
    }
    let below = |name: &Arc<str>| -> Vec<&[Key]> {
        let of = |path: &&[Key]| matches!(path, [Key::Name(first), ..] if first == name);
        let rest = paths.iter().copied().filter(of);
        rest.filter_map(|path| path.split_first().map(|(_, rest)| rest))
            .collect()
    };
    map.iter()
        .filter_map(|(name, value)| {
            let below = below(name);
            if below.is_empty() {
                return None;
            }
            let kept = value
                .as_map()
                .map_or_else(|| value.clone(), |inner| prune(inner, &below).into());
            Some((name.clone(), kept))
        })
        .collect()
}
