//! Is a trait or property that is named once a typo of another? Traits and properties are open where
//! nothing declares them, so that only the names beside it can tell. Not here: declared names
//! (`compile`).

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::diagnostic::{Code, Diagnostic, Span, edits};

/// Different names above which nobody wrote them by hand, and none is asked about.
const NAMES_MAX: usize = 1_000;

/// Whose names are open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Open {
    /// Traits of profiles.
    Profile,
    /// Traits of accounts.
    Account,
    /// Properties of events.
    Property,
}

impl Open {
    const fn words(self) -> &'static str {
        match self {
            Self::Profile => "a profile's trait",
            Self::Account => "an account's trait",
            Self::Property => "a property",
        }
    }
}

/// A name that an expression reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameUse {
    /// Whose name it is.
    pub of: Open,
    /// The name.
    pub name: Arc<str>,
    /// Where it stands in its file.
    pub span: Span,
}

/// A warning for each name that is used once in all the files and is nearly another one, with the
/// place of its file in `files`. Of more than a thousand different names none is asked about.
#[must_use]
pub fn near_misses(files: &[&[NameUse]]) -> Vec<(usize, Diagnostic)> {
    let mut uses: BTreeMap<(Open, &str), Vec<(usize, Span)>> = BTreeMap::new();
    for (file, names) in files.iter().enumerate() {
        for used in *names {
            let places = uses.entry((used.of, &*used.name)).or_default();
            places.push((file, used.span));
        }
    }
    let mut found = Vec::new();
    if uses.len() > NAMES_MAX {
        return found;
    }
    for ((of, name), places) in &uses {
        let [(file, span)] = places.as_slice() else {
            continue;
        };
        let place = (*file, *span);
        // Of two names used once, the later one is asked about.
        let is_candidate = |others: &[(usize, Span)]| match others {
            [other] => *other < place,
            _ => true,
        };
        let others = uses.iter().filter(|((whose, other), others)| {
            whose == of && is_near(name, other) && is_candidate(others)
        });
        let nearest = others.min_by_key(|((_, other), _)| edits(name, other));
        if let Some(((_, other), _)) = nearest {
            found.push((*file, warning(*of, name, other, *span)));
        }
    }
    found
}

/// Within two edits, and no more than a third of a name: what is shorter is near to everything. Names
/// that differ in digits alone, such as `street1` and `street2`, are meant.
fn is_near(name: &str, other: &str) -> bool {
    let letters = |name: &str| -> String { name.chars().filter(|c| !c.is_numeric()).collect() };
    let Some(distance) = edits(name, other).filter(|it| *it > 0) else {
        return false;
    };
    let length = name.chars().count().min(other.chars().count());
    distance * 3 <= length && letters(name) != letters(other)
}

fn warning(of: Open, name: &str, other: &str, span: Span) -> Diagnostic {
    let message = format!("`{name}` is used here only, as {}", of.words());
    Diagnostic::new(Code::NearMiss, span, message).hint(format!(
        "did you mean `{other}`? if not, declare both under `types:` in `wayfare.yaml`"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn used(names: &[&str]) -> Vec<NameUse> {
        let named = names.iter().enumerate().map(|(at, name)| NameUse {
            of: Open::Property,
            name: (*name).into(),
            span: Span::new(at, at + 1),
        });
        named.collect()
    }

    #[test]
    fn a_name_used_once_is_asked_about_when_another_is_near() {
        let check = |files: &[&[&str]], expected: &[(usize, usize)]| {
            let names: Vec<Vec<NameUse>> = files.iter().map(|names| used(names)).collect();
            let names: Vec<&[NameUse]> = names.iter().map(Vec::as_slice).collect();
            let found = near_misses(&names);
            let found: Vec<_> = found
                .iter()
                .map(|(file, it)| (*file, it.span.start))
                .collect();
            assert_eq!(found, expected, "{files:?}");
        };
        check(&[&["plan", "plan", "plann"]], &[(0, 2)]);
        check(&[&["plann", "plan", "plan"]], &[(0, 0)]);
        check(&[&["currentPlan"], &["curentPlan"]], &[(1, 0)]);
        check(&[&["currentPlan", "crurentPalns"]], &[]);
        check(&[&["currentPlan", "curentPaln"]], &[(0, 1)]);
        check(&[&["plann", "plann", "plan", "plan"]], &[]);
        check(&[&["street1", "street2"]], &[]);
        check(&[&["id", "ip", "sku", "sum"]], &[]);
        check(&[&["previous", "current"]], &[]);
        check(&[&["total", "Total"]], &[(0, 1)]);
    }

    #[test]
    fn a_trait_is_no_property() {
        let mut names = used(&["plan", "plann"]);
        if let Some(first) = names.first_mut() {
            first.of = Open::Profile;
        }
        assert_eq!(near_misses(&[&names]), []);
    }
}
