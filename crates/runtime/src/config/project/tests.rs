//! Is a directory of journeys one project, with every problem told by file?

use tempfile::TempDir;

use super::*;

const JOURNEY: &str = "\
journey: ID
description: Greet somebody.
trigger: { event: Signup Completed }
entry: { again: once }
blocks:
  greet:
    webhook:
      method: POST
      url: https://crm.example.com/leads
      consent: marketing
      payload: { email: \"{profile.email}\" }
";

fn directory(files: &[(&str, &str)]) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(directory.path().join(name), text).unwrap();
    }
    directory
}

fn journey(id: &str) -> String {
    JOURNEY.replace("ID", id)
}

/// For each file with problems its name, and its problems' codes and underlined texts.
fn problems(files: &[(&str, &str)]) -> Vec<(String, Vec<(Code, String)>)> {
    let directory = directory(files);
    let error = load_directory(directory.path(), None).unwrap_err();
    let ProjectError::Problems { problems, .. } = error else {
        panic!("{error}")
    };
    let told = problems.into_iter().map(|problem| {
        let name = problem
            .path
            .file_name()
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned();
        let source = problem.source;
        let diagnostics = problem.diagnostics.into_iter();
        let told = diagnostics.map(|it| (it.code, source.get(it.span.range()).unwrap().to_owned()));
        (name, told.collect())
    });
    told.collect()
}

#[test]
fn journeys_and_their_configuration_are_one_project() {
    let config = "webhooks: { allow_ports: [8443] }\nstate: { directory: data }\n";
    let journey_b = journey("b").replace("crm.example.com", "crm.example.com:8443");
    let directory = directory(&[
        ("z.yaml", &journey("a")),
        ("b.yaml", &journey_b),
        ("b.test.yaml", "no: journey"),
        ("wayfare.yaml", config),
        ("events.ndjson", "{}"),
    ]);
    let project = load_directory(directory.path(), None).unwrap();
    let ids: Vec<&str> = project.graphs.iter().map(|graph| &**graph.id()).collect();
    assert_eq!(ids, ["a", "b"]);
    assert_eq!(project.files, 3);
    assert_eq!(project.warnings, []);
    let state = project.settings.state.directory.unwrap();
    assert_eq!(state, directory.path().join("data"));
}

#[test]
fn another_configuration_replaces_the_one_beside_the_journeys() {
    let directory = directory(&[
        ("a.yaml", &journey("a")),
        ("wayfare.yaml", "nonsense: 1\n"),
        ("other", "webhooks: { allow_http: [localhost] }\n"),
    ]);
    let other = directory.path().join("other");
    let project = load_directory(directory.path(), Some(&other)).unwrap();
    assert_eq!(project.settings.webhooks.allow_http, ["localhost"]);
}

#[test]
fn every_problem_of_every_file_is_told() {
    let told = problems(&[
        ("a.yaml", &journey("a").replace("webhook:", "webhok:")),
        ("b.yaml", "journey: b\ntriger: { event: X }\n"),
        ("c.yaml", &journey("c")),
        ("wayfare.yaml", "webhooks: { allow_ports: [x] }\n"),
    ]);
    let files: Vec<&str> = told.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(files, ["wayfare.yaml", "a.yaml", "b.yaml"]);
    assert_eq!(told[0].1, [(Code::WrongShape, "x".to_owned())]);
}

#[test]
fn journeys_are_checked_against_what_can_be_read_of_a_broken_configuration() {
    let config = "consent: { categories: { news: { class: consent } } }\n";
    let told = problems(&[
        ("a.yaml", &journey("a").replace("marketing", "news")),
        ("wayfare.yaml", config),
    ]);
    let expected = [(Code::MissingKey, "class".to_owned())];
    assert_eq!(told, [("wayfare.yaml".to_owned(), expected.to_vec())]);
}

#[test]
fn what_a_configuration_may_allow_is_not_held_against_journeys_when_it_is_illegible() {
    let http = journey("a")
        .replace("https:", "http:")
        .replace("marketing", "news");
    let told = problems(&[
        ("a.yaml", &http),
        ("b.yaml", &http.replace("POST", "PUSH")),
        ("wayfare.yaml", "state: {}\nstate: {}\n"),
    ]);
    let of = |name: &str, code, text: &str| (name.to_owned(), vec![(code, text.to_owned())]);
    let duplicate = (Code::DuplicateJourney, "a".to_owned());
    let method = (Code::InvalidValue, "PUSH".to_owned());
    let expected = [
        of("wayfare.yaml", Code::DuplicateKey, "state"),
        ("b.yaml".to_owned(), vec![duplicate, method]),
    ];
    assert_eq!(told, expected);
}

#[test]
fn the_second_of_two_journeys_with_one_id_names_the_first_file() {
    let directory = directory(&[("a.yaml", &journey("x")), ("b.yaml", &journey("x"))]);
    let error = load_directory(directory.path(), None).unwrap_err();
    let ProjectError::Problems { problems, files: 2 } = error else {
        panic!("{error}")
    };
    let label = problems[0].diagnostics[0].label.clone().unwrap();
    let first = directory.path().join("a.yaml");
    assert_eq!(label, format!("it stands in `{}`", first.display()));
}

#[test]
fn two_journeys_with_one_id_are_told_even_where_one_is_broken() {
    let broken = journey("a").replace("method: POST", "method: GET");
    for second in [journey("a"), broken] {
        let told = problems(&[("a.yaml", &journey("a")), ("b.yaml", &second)]);
        assert_eq!(told[0].0, "b.yaml");
        assert_eq!(told[0].1[0], (Code::DuplicateJourney, "a".to_owned()));
    }
}

#[test]
fn a_warning_is_told_and_keeps_nothing_from_running() {
    let undescribed = journey("a").replace("description: Greet somebody.\n", "");
    let directory = directory(&[("a.yaml", &undescribed)]);
    let project = load_directory(directory.path(), None).unwrap();
    let codes = project.warnings[0].diagnostics.iter().map(|it| it.code);
    assert_eq!(codes.collect::<Vec<_>>(), [Code::NoDescription]);
}

#[test]
fn what_is_not_there_is_told_with_what_to_do() {
    let empty = directory(&[("readme.md", "")]);
    let missing = empty.path().join("journeys");
    let check = |path: &Path, config: Option<&Path>, words: &str| {
        let error = load_directory(path, config).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    };
    check(&missing, None, "/journeys` does not exist");
    check(empty.path(), None, "has no journeys in it");
    check(empty.path(), Some(&missing), "/journeys` does not exist");
}

#[test]
fn files_are_read_alone_with_the_configuration_beside_them() {
    let directory = directory(&[
        ("a.yaml", &journey("a")),
        ("b.yaml", &journey("b")),
        ("b.test.yaml", ""),
        ("wayfare.yaml", "webhooks: { allow_ports: [8443] }\n"),
    ]);
    let paths = |names: &[&str]| -> Vec<PathBuf> {
        names
            .iter()
            .map(|name| directory.path().join(name))
            .collect()
    };
    let check = |names: &[&str], journeys: usize| {
        let project = load(&paths(names), None).unwrap();
        assert_eq!(project.graphs.len(), journeys, "{names:?}");
        assert_eq!(project.settings.webhooks.allow_ports, [8443], "{names:?}");
    };
    check(&["b.yaml"], 1);
    check(&["a.yaml", "b.yaml", "b.test.yaml", "wayfare.yaml"], 2);
    check(&["wayfare.yaml"], 0);
}

#[test]
fn a_file_that_is_no_text_is_a_problem_of_that_file() {
    let directory = directory(&[("a.yaml", &journey("a"))]);
    std::fs::write(directory.path().join("b.yaml"), b"journey: \xff").unwrap();
    let error = load_directory(directory.path(), None).unwrap_err();
    assert!(matches!(error, ProjectError::Problems { problems, files: 2 } if problems.len() == 1));
}

/// The warnings of sound files: for each file its name, codes and underlined texts.
fn warnings(files: &[(&str, &str)], resolves: Resolves<'_>) -> Vec<(String, Code, String)> {
    let directory = directory(files);
    let project = check(&[directory.path().to_owned()], None, resolves).unwrap();
    let mut told = Vec::new();
    for problem in project.warnings {
        let name = problem.path.file_name().unwrap().to_str().unwrap();
        told.extend(problem.diagnostics.iter().map(|it| {
            let underlined = problem.source.get(it.span.range()).unwrap();
            (name.to_owned(), it.code, underlined.to_owned())
        }));
    }
    told
}

#[test]
fn a_name_that_is_nearly_one_of_another_file_is_asked_about() {
    let near = journey("b").replace("profile.email", "profile.emali");
    let files = [("a.yaml", &*journey("a")), ("b.yaml", &*near)];
    let expected = ("b.yaml".to_owned(), Code::NearMiss, "emali".to_owned());
    assert_eq!(warnings(&files, &|_| true), [expected]);
    let config = (
        "wayfare.yaml",
        "types: { profile: { email: text, emali: text } }\n",
    );
    let declared = [files.as_slice(), &[config]].concat();
    assert_eq!(warnings(&declared, &|_| true), []);
    // While a file cannot be read, nobody knows what it names.
    let broken = [files.as_slice(), &[("c.yaml", "journey: c\n")]].concat();
    let found = problems(&broken).into_iter().flat_map(|(_, told)| told);
    assert!(!found.into_iter().any(|(code, _)| code == Code::NearMiss));
}

#[test]
fn declared_types_and_the_memory_of_ids_hold_for_every_journey() {
    let config = "types: { profile: { emial: text } }\nstate: { message_ids: 10d }\n";
    let late = journey("a").replace("again: once", "again: once, lateness: 6d");
    let found = problems(&[("a.yaml", &late), ("wayfare.yaml", config)]);
    let undeclared = (Code::UndeclaredName, "email".to_owned());
    assert_eq!(found, [("a.yaml".to_owned(), vec![undeclared])]);
    // The store keeps seven days, whatever is configured.
    let later = late.replace("6d", "7d").replace("email", "emial");
    let found = problems(&[("a.yaml", &later), ("wayfare.yaml", config)]);
    let too_late = (Code::InvalidDuration, "7d".to_owned());
    assert_eq!(found, [("a.yaml".to_owned(), vec![too_late])]);
}

#[test]
fn a_secret_that_is_not_there_is_underlined_in_every_file() {
    let journey = journey("a").replace(
        "      payload: { email: \"{profile.email}\" }\n",
        "      auth: { basic: { username: u, password: { file: /no/pass } } }\n      \
         payload: { env: DATA, list: [{ env: DATA }] }\n",
    );
    let based = self::journey("b").replace(
        "https://crm.example.com/leads",
        "{ base: { env: NO_BASE }, path: /leads }",
    );
    let config = "server: { keys: [{ id: a, kind: server, key: { env: NO_KEY } }] }\n";
    let files = [
        ("a.yaml", &*journey),
        ("b.yaml", &*based),
        ("wayfare.yaml", config),
    ];
    let found = warnings(&files, &|_| false);
    let told: Vec<(&str, &str)> = found
        .iter()
        .map(|(file, code, underlined)| {
            assert_eq!(*code, Code::UnresolvedSecret);
            (&**file, &**underlined)
        })
        .collect();
    let expected = [
        ("wayfare.yaml", "NO_KEY"),
        ("a.yaml", "/no/pass"),
        ("b.yaml", "NO_BASE"),
    ];
    assert_eq!(told, expected);
    assert_eq!(warnings(&files, &|_| true), []);
}
