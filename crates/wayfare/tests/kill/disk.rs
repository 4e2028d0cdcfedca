//! What does a disk that fills up after something was acknowledged take away? Nothing but time.

use std::path::Path;
use std::process::Command;

use crate::program::Answer;
use crate::shop::{Dice, MessageIds, project, stream};
use crate::{Printed, compare, note, run};

/// Blocks that a file may have, of 512 bytes or, in some shells, of 1,024: more than the state
/// behind the log needs to be opened, less than the log comes to.
const BLOCKS_MAX: u32 = 6_000;
/// Bytes that make each event large, so that the log outgrows the limit.
const PAD_BYTES: usize = 6_000;

/// The same command where files may not grow beyond the limit.
fn limited(run: &Command, project: &Path) -> Command {
    let mut shell = Command::new("sh");
    let script = format!("ulimit -f {BLOCKS_MAX}; exec \"$0\" \"$@\"");
    shell.args(["-c", &script]).arg(run.get_program());
    shell.args(run.get_args()).current_dir(project);
    for (name, value) in run.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    shell.stdin(std::process::Stdio::null());
    shell.stdout(std::process::Stdio::piped());
    shell.stderr(std::process::Stdio::piped());
    shell
}

#[test]
fn a_disk_that_is_full_takes_nothing_more_and_loses_nothing_it_took() {
    const SEED: u64 = 0x5EED_0003;
    let lines = stream(&mut Dice(SEED), (1_500, MessageIds::All));
    let pad = "x".repeat(PAD_BYTES);
    let large = |line: &String| line.replacen('{', &format!(r#"{{"pad":"{pad}","#), 1);
    let lines: Vec<String> = lines.iter().map(large).collect();
    let project = project(&lines, &["--dry-run"]);
    let path = project.path();

    // What is printed follows from what is durable; the rest is not told, however often it is tried.
    let mut printed = Printed::new();
    for attempt in 0..2 {
        let full = Answer::of(limited(&run(path, "killed", "events.ndjson"), path));
        assert_eq!(full.status, 2, "{}", full.err);
        for words in [
            "`killed/log/00000000000000000001.log`: File too large",
            "raise the limit and start again",
            "what was acknowledged is kept",
        ] {
            assert!(full.err.contains(words), "no `{words}` in {}", full.err);
        }
        let before = printed.len();
        full.out.lines().for_each(|line| note(&mut printed, line));
        assert_eq!(printed.len() > before, attempt == 0, "{}", full.out);
    }

    // The limit is lifted: it goes on where it was.
    let rest = Answer::of(run(path, "killed", "events.ndjson"));
    assert_eq!(rest.status, 0, "{}", rest.err);
    assert!(!rest.of_kind("decision").is_empty(), "it was over before");
    rest.out.lines().for_each(|line| note(&mut printed, line));

    // Whoever does not know what was taken sends everything again.
    let again = run(path, "killed", "-");
    let again = fed(again, path);
    assert_eq!((again.status, again.out.as_str()), (0, ""), "{}", again.err);
    let count = lines.len();
    let words = format!("{count} taken, {count} of them second copies, 0 lines rejected");
    assert!(again.err.contains(&words), "{}", again.err);
    compare(path, &printed);
}

/// Feeds the events to a run's stdin.
fn fed(mut run: Command, project: &Path) -> Answer {
    let events = std::fs::File::open(project.join("events.ndjson")).unwrap();
    run.stdin(events);
    Answer::of(run)
}
