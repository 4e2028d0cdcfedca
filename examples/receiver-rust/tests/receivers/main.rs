//! Do the example receivers do what their pages promise? Each is started as its user starts it and asked
//! over the wire: what it believes, second copies, restarts, and a disk that is full.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test target: an assumption that fails is a test that fails"
)]

mod pure;
mod running;
mod sign;

use std::process::Command;

use running::{Language, Running, all, said_instead_of_starting, store};
use sign::{NEW, OLD, Request, STRANGE, now};

#[test]
fn what_is_signed_is_taken_and_nothing_else() {
    for language in all() {
        let directory = tempfile::tempdir().unwrap();
        let receiver = Running::start(language, &[NEW, OLD], directory.path());
        let check = |request: &Request, expected: u16| {
            assert_eq!(
                receiver.status(request),
                expected,
                "{language:?}: {request:?}"
            );
        };
        let right = |id: &str| Request::signed(&[NEW], id, format!("{{\"id\":\"{id}\"}}"));
        let at = |offset: i64, id: &str| {
            Request::signed_at(&(now() + offset).to_string(), &[NEW], id, "{}")
        };
        check(&right("new"), 204);
        check(&Request::signed(&[OLD], "old", r#"{"id":"old"}"#), 204);
        check(
            &Request::signed(&[NEW, OLD], "both", r#"{"id":"both"}"#),
            204,
        );
        check(&right("case").named(str::to_uppercase), 204);
        check(&Request::signed(&[NEW], "empty", ""), 204);

        check(&Request::signed(&[STRANGE], "strange", "{}"), 401);
        check(&at(-3_600, "recorded"), 401);
        check(&at(3_600, "ahead"), 401);
        check(
            &right("svix").named(|name| name.replace("webhook-", "svix-")),
            401,
        );
        for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
            check(&right("part").with(name, |_| String::new()), 401);
        }
        let mut altered = right("altered");
        altered.body[2] ^= 1;
        check(&altered, 401);
        check(
            &right("another").with("webhook-id", |_| "some".to_owned()),
            401,
        );
        check(&Request::signed(&[NEW], "binary", [0xff, 0xfe]), 400);

        // Neither is signed: one secret stands for one method and one path.
        let mut elsewhere = right("elsewhere");
        elsewhere.path = "/webhook/2".to_owned();
        check(&elsewhere, 404);
        for method in ["PUT", "DELETE", "GET"] {
            let mut request = right("method");
            request.method = method.to_owned();
            let status = receiver.status(&request);
            assert!(
                [405, 501].contains(&status),
                "{language:?} {method}: {status}"
            );
        }

        let effects = language.effects(directory.path());
        let expected = ["new", "old", "both", "case"].map(|id| format!("{{\"id\":\"{id}\"}}"));
        assert_eq!(effects[..4], expected, "{language:?}");
        assert_eq!(effects[4..], [""], "{language:?}");
        let said = receiver.said();
        assert_eq!(
            said.matches("not verified").count(),
            9,
            "{language:?}: {said}"
        );
    }
}

#[test]
fn a_second_copy_has_no_second_effect_also_after_a_crash() {
    for language in all() {
        let directory = tempfile::tempdir().unwrap();
        let receiver = Running::start(language, &[NEW], directory.path());
        let check = |receiver: &Running, id: &str| {
            let copy = Request::signed(&[NEW], id, format!("{{\"of\":\"{id}\"}}"));
            assert_eq!(receiver.status(&copy), 204, "{language:?}");
        };
        check(&receiver, "msg_1");
        check(&receiver, "msg_1");
        drop(receiver);
        // A repeat is signed again, at its own time, and the secret may have been rotated since.
        let receiver = Running::start(language, &[OLD, NEW], directory.path());
        check(&receiver, "msg_1");
        check(&receiver, "msg_2");
        drop(receiver);
        let receiver = Running::start(language, &[OLD, NEW], directory.path());
        check(&receiver, "msg_2");
        check(&receiver, "msg_1");
        let effects = language.effects(directory.path());
        assert_eq!(
            effects,
            [r#"{"of":"msg_1"}"#, r#"{"of":"msg_2"}"#],
            "{language:?}"
        );
    }
}

#[test]
fn copies_at_one_moment_have_one_effect() {
    const COPIES: usize = 12;
    for language in all() {
        let directory = tempfile::tempdir().unwrap();
        let receiver = Running::start(language, &[NEW], directory.path());
        std::thread::scope(|scope| {
            for copy in 0..COPIES {
                let request = Request::signed(&[NEW], &format!("msg_{}", copy % 2), "{}");
                let receiver = &receiver;
                scope.spawn(move || assert_eq!(receiver.status(&request), 204, "{language:?}"));
            }
        });
        assert_eq!(
            language.effects(directory.path()),
            ["{}", "{}"],
            "{language:?}"
        );
    }
}

#[test]
fn an_id_that_comes_with_another_body_is_refused_and_noted() {
    for language in all() {
        let directory = tempfile::tempdir().unwrap();
        let send = |body: &str| {
            let receiver = Running::start(language, &[NEW], directory.path());
            let request = Request::signed(&[NEW], "msg_1", body);
            (receiver.status(&request), receiver.said())
        };
        assert_eq!(send(r#"{"a":1}"#), (204, String::new()), "{language:?}");
        let (status, said) = send(r#"{"a":2}"#);
        assert_eq!(status, 422, "{language:?}");
        assert_eq!(
            said, "msg_1: came before with another body\n",
            "{language:?}"
        );
        assert_eq!(send(r#"{"a":1}"#), (204, said), "{language:?}");
        assert_eq!(
            language.effects(directory.path()),
            [r#"{"a":1}"#],
            "{language:?}"
        );
    }
}

/// The same receiver where no file may grow beyond 64 KiB: its disk is full.
fn on_a_full_disk(receiver: &Command) -> Command {
    let mut shell = Command::new("bash");
    // Without the trap the signal ends a program that does not expect it.
    let script = "trap '' XFSZ; ulimit -f 64; exec \"$0\" \"$@\"";
    shell.args(["-c", script]).arg(receiver.get_program());
    shell.args(receiver.get_args());
    for (name, value) in receiver.get_envs() {
        shell.env(name, value.unwrap());
    }
    shell
}

#[test]
fn what_cannot_be_kept_is_put_off_and_taken_when_it_comes_again() {
    for language in all() {
        let directory = tempfile::tempdir().unwrap();
        let large = format!("\"{}\"", "x".repeat(100_000));
        let send = |receiver: &Running, id: &str, body: &str| {
            receiver.ask(&Request::signed(&[NEW], id, body)).unwrap()
        };
        let command = language.command(NEW, directory.path());
        let receiver = Running::of(on_a_full_disk(&command), directory.path());
        assert_eq!(send(&receiver, "msg_1", "1").status, 204, "{language:?}");
        for _attempt in 0..2 {
            let answer = send(&receiver, "msg_2", &large);
            assert_eq!(answer.status, 503, "{language:?}");
            assert_eq!(answer.retry_after.as_deref(), Some("5"), "{language:?}");
        }
        // What is small enough is still taken, behind what was written in vain.
        assert_eq!(send(&receiver, "msg_3", "3").status, 204, "{language:?}");
        drop(receiver);

        let receiver = Running::start(language, &[NEW], directory.path());
        assert_eq!(send(&receiver, "msg_2", &large).status, 204, "{language:?}");
        assert_eq!(send(&receiver, "msg_3", "3").status, 204, "{language:?}");
        let effects = language.effects(directory.path());
        assert_eq!(effects, ["1", "3", &large], "{language:?}");
    }
}

#[test]
fn a_line_that_a_crash_cut_short_is_written_over() {
    for language in all().filter(|it| *it != Language::Python) {
        let directory = tempfile::tempdir().unwrap();
        let send = |id: &str| {
            let receiver = Running::start(language, &[NEW], directory.path());
            receiver.status(&Request::signed(&[NEW], id, id))
        };
        assert_eq!((send("msg_1"), send("msg_2")), (204, 204), "{language:?}");
        let whole = std::fs::read(store(directory.path())).unwrap();
        std::fs::write(store(directory.path()), &whole[..whole.len() - 7]).unwrap();
        // Its effect was lost with its id, so it is taken again.
        assert_eq!((send("msg_1"), send("msg_2")), (204, 204), "{language:?}");
        let effects = language.effects(directory.path());
        assert_eq!(effects, ["msg_1", "msg_2"], "{language:?}");
    }
}

#[test]
fn a_body_without_an_end_is_not_read() {
    for language in all() {
        let directory = tempfile::tempdir().unwrap();
        let receiver = Running::start(language, &[NEW], directory.path());
        let largest = Request::signed(&[NEW], "msg_1", vec![b' '; 1024 * 1024]);
        assert_eq!(receiver.status(&largest), 204, "{language:?}");
        let larger = Request::signed(&[NEW], "msg_2", vec![b' '; 8 * 1024 * 1024]);
        // Some close the connection while it is still coming.
        if let Ok(answer) = receiver.ask(&larger) {
            assert_eq!(answer.status, 413, "{language:?}");
        }
        assert_eq!(language.effects(directory.path()).len(), 1, "{language:?}");
    }
}

#[test]
fn nothing_starts_without_secrets_that_can_be_keys() {
    let secret = NEW.strip_prefix("whsec_").unwrap();
    let pasted = format!("{NEW} v1,{NEW}");
    let table = [
        ("", "WEBHOOK_SECRETS: there is no secret"),
        (&pasted, "WEBHOOK_SECRETS: secret 2 is not base64"),
    ];
    for language in all() {
        for (secrets, expected) in table {
            let directory = tempfile::tempdir().unwrap();
            let said = said_instead_of_starting(language.command(secrets, directory.path()));
            assert!(said.contains(expected), "{language:?}: {said}");
            assert!(!said.contains(secret), "{language:?}: {said}");
        }
    }
}

#[test]
fn two_processes_do_not_write_one_file() {
    let directory = tempfile::tempdir().unwrap();
    let receiver = Running::start(Language::Rust, &[NEW], directory.path());
    let second = Language::Rust.command(NEW, directory.path());
    let said = said_instead_of_starting(second);
    assert!(said.contains("received"), "{said}");
    let request = Request::signed(&[NEW], "msg_1", "{}");
    assert_eq!(receiver.status(&request), 204);
}
