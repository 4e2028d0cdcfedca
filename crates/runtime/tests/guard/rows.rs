//! What are the rows, and does every one of them have a case?

use std::collections::BTreeSet;
use std::path::Path;

pub(crate) const ADDRESSES: &str = include_str!("addresses.txt");
pub(crate) const URLS: &str = include_str!("urls.txt");
pub(crate) const ANSWERS: &str = include_str!("answers.txt");
const BEHAVIOURS: &str = include_str!("behaviours.txt");

/// One line of a data file.
#[derive(Debug)]
pub(crate) struct Row {
    /// Its id: `A1`, `U1`, `B1` and so on.
    pub(crate) id: &'static str,
    /// What follows its id.
    pub(crate) text: &'static str,
}

impl Row {
    /// A first word and the rest of the line.
    pub(crate) fn fields(&self) -> [&'static str; 2] {
        self.text.split_once(' ').unwrap().into()
    }
}

/// The rows of a data file; lines that begin with `#` are remarks.
pub(crate) fn rows(file: &'static str) -> impl Iterator<Item = Row> {
    let lines = file.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| {
        let (id, text) = line.split_once(' ').unwrap();
        Row { id, text }
    })
}

#[test]
fn every_row_has_a_case() {
    let files = [ADDRESSES, URLS, ANSWERS, BEHAVIOURS];
    let found: BTreeSet<&str> = files.into_iter().flat_map(rows).map(|row| row.id).collect();
    let series = |letter: char, last: usize| (1..=last).map(move |nth| format!("{letter}{nth}"));
    let all: BTreeSet<String> = series('A', 34)
        .chain(series('U', 29))
        .chain(series('B', 26))
        .collect();
    assert!(found.into_iter().eq(all.iter().map(String::as_str)));
}

#[test]
fn a_row_that_is_tested_elsewhere_names_a_test_that_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for row in rows(BEHAVIOURS) {
        let [file, test] = row.fields();
        if file == "-" {
            continue;
        }
        let source = std::fs::read_to_string(root.join(file)).unwrap();
        let head = format!("fn {test}()");
        let (before, _) = source
            .split_once(&head)
            .unwrap_or_else(|| panic!("{row:?} is not there"));
        let attribute = before.trim_end_matches("async ").trim_end();
        let is_test = attribute.rsplit('\n').next().unwrap().contains("test");
        assert!(is_test, "{row:?} is no test");
    }
}
