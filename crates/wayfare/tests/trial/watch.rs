//! Do tests run again when a file changes?

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use crate::{CASE, JOURNEY, edited, scratch, wayfare};

#[test]
fn a_change_of_a_file_runs_the_tests_again() {
    let directory = scratch::directory(&[
        ("journeys/order-care.yaml", JOURNEY),
        ("journeys/order-care.test.yaml", CASE),
    ]);
    let mut command = wayfare(directory.path(), &["--watch"]);
    command.stdout(Stdio::piped()).stderr(Stdio::null());
    let mut running = scratch::Running(command.spawn().unwrap());
    let mut lines = BufReader::new(running.0.stdout.take().unwrap())
        .lines()
        .map(Result::unwrap);
    let mut summary = || lines.find(|line| line.contains(" passed, ")).unwrap();
    assert_eq!(summary(), "1 passed, 0 failed");
    // Each edit changes the length, so that it is seen whatever the file system's clock says.
    let edit = |name: &str, text: &str| {
        // Written beside and moved, as editors do: half a file is never read.
        let path = directory.path().join("journeys").join(name);
        let beside = path.with_extension("new");
        std::fs::write(&beside, text).unwrap();
        std::fs::rename(&beside, &path).unwrap();
    };
    edit("order-care.test.yaml", &edited("paid/o1\n", "paid/o1/x\n"));
    assert_eq!(summary(), "0 passed, 1 failed");
    edit(
        "order-care.yaml",
        &JOURNEY.replace("{entry.key}\n", "{entry.key}/x\n"),
    );
    assert_eq!(summary(), "1 passed, 0 failed");
}
