//! Does every text end in a graph or in problems that point into it? Also one written to do harm.
#![expect(clippy::panic, reason = "a broken fixture should fail its test")]

use std::fmt::Write as _;
use std::sync::Arc;

use proptest::prelude::*;
use wayfare_journey::diagnostic::{Code, Diagnostic};
use wayfare_journey::{Compiled, Known, compile};

const SOUND: &str = include_str!("../../../journeys/plan-upgrade.yaml");
const WAITING: &str = include_str!("../../../journeys/cart-recovery.yaml");

fn compiled(text: &str) -> Result<Compiled, Vec<Diagnostic>> {
    let categories: [Arc<str>; 1] = ["marketing".into()];
    let known = Known {
        categories: &categories,
        vet: &|_| Ok(()),
        ..Known::default()
    };
    compile(text, &known)
}

fn only_code(text: &str) -> Code {
    match compiled(text) {
        Err(mut problems) if problems.len() == 1 => problems.remove(0).code,
        other => panic!("{other:?}"),
    }
}

/// There are problems, in order, and each is about bytes of the text.
fn is_told(text: &str, problems: &[Diagnostic]) -> bool {
    let points = |problem: &Diagnostic| text.get(problem.span.range()).is_some();
    !problems.is_empty()
        && problems.iter().all(points)
        && problems.is_sorted_by_key(|problem| problem.span)
}

#[test]
fn exploding_aliases_are_refused_before_they_explode() {
    let mut bomb = String::from("journey: bomb\na0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let before = vec![format!("*a{}", level - 1); 9].join(", ");
        writeln!(bomb, "a{level}: &a{level} [{before}]").unwrap();
    }
    assert_eq!(only_code(&bomb), Code::HostileYaml);
}

#[test]
fn a_file_has_a_largest_size_and_depth() {
    let large = format!("{SOUND}# {}\n", "x".repeat(10 * 1024 * 1024));
    assert_eq!(only_code(&large), Code::HostileYaml);
    let deep = |depth: usize| {
        let payload = format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
        SOUND.replace("\"{profile.email}\"", &payload)
    };
    assert!(compiled(&deep(20)).is_ok());
    assert_eq!(only_code(&deep(64)), Code::HostileYaml);
    assert_eq!(only_code(&deep(100_000)), Code::HostileYaml);
    let flow = SOUND.replace("\"{profile.email}\"", &"{a: ".repeat(50_000));
    assert!(compiled(&flow).is_err());
}

#[test]
fn tabs_control_characters_and_second_documents_are_refused() {
    let check = |from: &str, to: &str, code: Code| {
        assert!(SOUND.contains(from), "{from}");
        assert_eq!(only_code(&SOUND.replace(from, to)), code, "{to:?}");
    };
    check("  event:", "\tevent:", Code::Yaml);
    check("title: Plan", "title: Plan\0", Code::Yaml);
    check("title: Plan", "title: \u{7}Plan", Code::Yaml);
    check("title: Plan", "---\ntitle: Plan", Code::HostileYaml);
    check("title: Plan", "title: !!binary Plan", Code::HostileYaml);
    check(
        "title: Plan",
        "journey: other\ntitle: Plan",
        Code::DuplicateKey,
    );
}

#[test]
fn a_file_that_says_nothing_is_told_what_it_needs() {
    for text in [
        "",
        "\n",
        "# only words\n",
        "---\n",
        "plan-upgrade",
        "[]",
        "7",
        "{}",
        "\u{feff}",
    ] {
        let problems = compiled(text).unwrap_err();
        assert!(is_told(text, &problems), "{text:?}: {problems:?}");
    }
}

#[test]
fn line_ends_and_a_byte_order_mark_are_layout() {
    let version = |text: &str| compiled(text).unwrap().graph.version();
    let own = version(SOUND);
    assert_eq!(version(&SOUND.replace('\n', "\r\n")), own);
    assert_eq!(version(&format!("\u{feff}{SOUND}")), own);
    let text = SOUND
        .replace('\n', "\r\n")
        .replace("else: not_paid", "else: not_payed");
    let problems = compiled(&text).unwrap_err();
    assert_eq!(text.get(problems[0].span.range()), Some("not_payed"));
    let text = format!(
        "\u{feff}{}",
        SOUND.replace("else: not_paid", "else: not_payed")
    );
    let problems = compiled(&text).unwrap_err();
    assert_eq!(text.get(problems[0].span.range()), Some("not_payed"));
}

#[test]
fn thousands_of_blocks_are_checked_like_three() {
    let mut text = String::from("journey: long\ndescription: d\ntrigger: { event: A }\nblocks:\n");
    let blocks = 2_000;
    for block in 0..blocks {
        let next = block + 1;
        writeln!(
            text,
            "  b{block}:\n    decide:\n      - when: profile.a == {block}"
        )
        .unwrap();
        writeln!(text, "        then: e{block}\n      - else: b{next}").unwrap();
        writeln!(text, "  e{block}:\n    exit: e").unwrap();
    }
    writeln!(text, "  b{blocks}:\n    exit: end").unwrap();
    let graph = compiled(&text).unwrap().graph;
    assert_eq!(graph.blocks().count(), 2 * blocks + 1);
}

#[test]
fn blocks_may_stand_in_any_order() {
    let mut text =
        String::from("journey: long\ndescription: d\ntrigger: { event: A }\nstart: b0\n");
    text.push_str("blocks:\n  b5000:\n    exit: end\n");
    for block in (0..5_000).rev() {
        writeln!(text, "  b{block}:\n    wait: 1h\n    then: b{}", block + 1).unwrap();
    }
    assert!(compiled(&text).is_ok());
}

/// A file with some of its text replaced.
fn damaged(file: &str, at: usize, length: usize, with: &str) -> String {
    let characters: Vec<char> = file.chars().collect();
    let at = at % characters.len();
    let end = (at + length).min(characters.len());
    let before: String = characters.iter().take(at).collect();
    let after: String = characters.iter().skip(end).collect();
    format!("{before}{with}{after}")
}

proptest! {
    #[test]
    fn any_text_ends_in_problems(text in any::<String>()) {
        let problems = compiled(&text).unwrap_err();
        prop_assert!(is_told(&text, &problems), "{problems:?}");
    }

    #[test]
    fn a_damaged_journey_ends_in_a_graph_or_in_problems(
        waits: bool,
        at: usize,
        length in 0_usize..40,
        with in "[ \\n\\t:{}\\[\\]\"'&*!|>#%@a-z0-9.\u{e9}\0-]{0,6}|\\PC{0,4}",
    ) {
        let text = damaged(if waits { WAITING } else { SOUND }, at, length, &with);
        if let Err(problems) = compiled(&text) {
            prop_assert!(is_told(&text, &problems), "{text}\n{problems:?}");
        }
    }
}
