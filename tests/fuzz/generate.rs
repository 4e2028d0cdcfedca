//! Which bytes does an entry point get? Those that are kept, changed a little or a lot: by chance
//! that is counted, so that the same number always makes the same bytes.

use std::path::{Path, PathBuf};

/// Bytes of what is made.
const BYTES_MAX: usize = 64 * 1024;
/// Changes that are made to one input.
const CHANGES_MAX: usize = 6;

/// Words that mean something to somebody who reads the bytes.
const WORDS: &[(&str, &[&str])] = &[
    (
        "event",
        &[
            "\"type\":\"",
            "track",
            "identify",
            "page",
            "screen",
            "group",
            "alias",
            "consent",
            "\"userId\":",
            "\"previousId\":",
            "\"groupId\":",
            "\"traits\":{",
            "\"context\":{",
            "\"timestamp\":\"",
            "\"validUntil\":\"unlimited\"",
            "2026-01-26T10:12:45.123456Z",
            "9999-12-31",
            "[+02:00]",
            "\"historical\":true",
            "null",
            "1e400",
            "-0",
            "\\u0000",
            "\\ud83d",
            "[[[[[[[[",
            "]]]]",
            "{\"a\":",
            "}",
            ",",
        ],
    ),
    (
        "journey",
        &[
            "\n  ",
            "\n    then: ",
            "\n  - ",
            ": ",
            "{ ",
            " }",
            "[",
            "]",
            "&a ",
            "*a",
            "!!binary ",
            "|\n",
            ">-\n",
            "# ",
            "---\n",
            "...\n",
            "%YAML 1.2\n",
            "<<: ",
            "\u{feff}",
            "\t",
            "'",
            "\"",
            "trigger:",
            "blocks:",
            "decide:",
            "split:",
            "wait:",
            "until:",
            "update:",
            "webhook:",
            "exit:",
            "when:",
            "else:",
            "migrate:",
            "schedule:",
            "3d",
            "0s",
            "99999999999999999999",
        ],
    ),
    (
        "expression",
        &[
            "profile.",
            "properties.",
            "event.",
            "trigger.",
            "change.",
            "entry.at",
            "now",
            "order.",
            "consent.marketing",
            "account.",
            "&&",
            "||",
            "??",
            "!",
            "==",
            "!=",
            "<=",
            ">",
            "+",
            "-",
            "*",
            "/",
            "%",
            "?",
            ":",
            " in ",
            "[",
            "]",
            "(",
            ")",
            ".exists(x, ",
            ".all(x, ",
            ".size()",
            ".contains(",
            ".matches('",
            "duration('1h')",
            "timestamp('",
            "count('",
            "last('",
            "0.1",
            "1e400",
            "9223372036854775807",
            "'\\''",
            "true",
            "null",
        ],
    ),
    (
        "template",
        &[
            "{",
            "}",
            "{{",
            "}}",
            "{profile.path}",
            "{profile.query}",
            "{profile.host}",
            "{profile.plan}",
            "{profile.line}",
            "{profile.home}",
            "{profile.gone ?? 'x'}",
            "https://",
            "/",
            "?",
            "&",
            "=",
            "#",
            "@",
            ":",
            "..",
            "%2e",
            "%",
            "\n",
            "\": \"",
            "[",
            "]",
            "'",
        ],
    ),
    (
        "frame",
        &[
            "\0\0\0\0",
            "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
            "\x01",
            "\x02\0\0\0\0\0\0\0\x01",
            "\x7f",
        ],
    ),
    (
        "record",
        &[
            "\0\u{1}", "\0", "\u{1}", "\u{7f}", "null", "{}", "[]", "user_id", "at", "owner",
        ],
    ),
];

/// The inputs that are kept for a target, in the order of their names.
pub(crate) fn kept(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    let entries = std::fs::read_dir(directory.join(target)).expect("each target has a corpus");
    let mut files: Vec<_> = entries
        .map(|entry| {
            let path = entry.expect("a directory can be read").path();
            let bytes = std::fs::read(&path).expect("what is kept can be read");
            (path, bytes)
        })
        .collect();
    files.sort();
    files
}

/// The bytes of this number for a target, made of what is kept for it.
pub(crate) fn made(target: &str, kept: &[(PathBuf, Vec<u8>)], number: u64) -> Vec<u8> {
    let mut chance = Chance(number);
    let mut bytes = chance.one_of(kept).map_or_else(Vec::new, |it| it.1.clone());
    for _ in 0..=chance.below(CHANGES_MAX) {
        change(&mut chance, target, kept, &mut bytes);
    }
    bytes.truncate(BYTES_MAX);
    bytes
}

/// Makes one change.
fn change(chance: &mut Chance, target: &str, kept: &[(PathBuf, Vec<u8>)], bytes: &mut Vec<u8>) {
    let place = chance.below(bytes.len() + 1);
    // Mostly little is changed, now and then much.
    let most = [1, 4, 16, 64, bytes.len()];
    let most = chance.one_of(&most).copied().unwrap_or_default().max(1);
    let end = (place + 1 + chance.below(most)).min(bytes.len());
    match chance.below(10) {
        0 => bytes
            .iter_mut()
            .skip(place)
            .take(1)
            .for_each(|it| *it ^= 1 << chance.below(8)),
        1 => bytes
            .iter_mut()
            .skip(place)
            .take(1)
            .for_each(|it| *it = chance.byte()),
        2 => drop(bytes.drain(place..end.max(place))),
        3 => bytes.truncate(place),
        4 => {
            let again = bytes.get(place..end).unwrap_or_default().to_vec();
            let to = chance.below(bytes.len() + 1);
            bytes.splice(to..to, again);
        }
        5 => {
            let other = chance.one_of(kept).map_or(&[][..], |(_, other)| other);
            let from = chance.below(other.len() + 1);
            bytes.splice(
                place..end.max(place),
                other.iter().skip(from).take(most).copied(),
            );
        }
        6 => {
            let other = chance.one_of(kept).map_or(&[][..], |(_, other)| other);
            let from = chance.below(other.len() + 1);
            bytes.truncate(place);
            bytes.extend(other.iter().skip(from));
        }
        7 => lines(chance, bytes),
        _ => {
            let words = WORDS.iter().find(|(name, _)| *name == target);
            let word = words.and_then(|(_, words)| chance.one_of(words));
            let over = if chance.below(2) == 0 {
                place
            } else {
                end.max(place)
            };
            bytes.splice(place..over, word.copied().unwrap_or_default().bytes());
        }
    }
}

/// Puts one line in the place of another, or behind it.
fn lines(chance: &mut Chance, bytes: &mut Vec<u8>) {
    let mut lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
    let line = chance.one_of(&lines).copied().unwrap_or_default();
    let place = chance.below(lines.len() + 1);
    let over = (place + chance.below(2)).min(lines.len());
    lines.splice(place..over, [line]);
    *bytes = lines.concat();
}

/// Numbers that look like chance and are not: splitmix64, whose state only counts.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`; 0 when there is none.
    fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end).unwrap_or(u64::MAX);
        let number = self.next().checked_rem(end).unwrap_or_default();
        usize::try_from(number).unwrap_or_default()
    }

    fn byte(&mut self) -> u8 {
        u8::try_from(self.below(256)).unwrap_or_default()
    }

    fn one_of<'a, T>(&mut self, all: &'a [T]) -> Option<&'a T> {
        let place = self.below(all.len());
        all.get(place)
    }
}
