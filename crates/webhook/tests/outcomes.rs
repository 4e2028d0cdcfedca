//! What does an attempt come to, against receivers that misbehave?

#![expect(
    clippy::unwrap_used,
    reason = "a test target: an assumption that fails is a test that fails"
)]

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use wayfare_event::DeliveryId;
use wayfare_executor::delivery::{NotSentReason, Outcome, UnknownReason};
use wayfare_journey::definition::{Auth, DeliveryMode, Method, Secret};
use wayfare_webhook::{Attempted, Client, Outgoing, Policy, Secrets, Unready};

const BODY: &[u8] = br#"{"plan":"pro"}"#;
const NOW_EPOCH_SECONDS: i64 = 784_111_777;

/// What a receiver does with a connection.
#[derive(Clone, Debug)]
enum Does {
    /// Closes it without reading.
    ClosesUnread,
    /// Reads the request and closes it.
    Closes,
    /// Reads the request and resets it.
    Resets,
    /// Reads the request and says nothing.
    NeverAnswers,
    /// Reads requests and answers each with this.
    Answers(String),
    /// Answers with this, and keeps the connection without a further word.
    StallsAfter(String),
    /// Answers with a body that does not end.
    Floods,
}

struct Server {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    requests: Arc<AtomicUsize>,
}

impl Server {
    async fn that(does: Does) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let server = Self {
            address: listener.local_addr().unwrap(),
            connections: Arc::default(),
            requests: Arc::default(),
        };
        let connections = Arc::clone(&server.connections);
        let requests = Arc::clone(&server.requests);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                connections.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(converse(stream, does.clone(), Arc::clone(&requests)));
            }
        });
        server
    }

    fn url(&self, scheme: &str) -> String {
        format!("{scheme}://{}/hook", self.address)
    }

    fn counts(&self) -> (usize, usize) {
        let count = |counter: &AtomicUsize| counter.load(Ordering::SeqCst);
        (count(&self.connections), count(&self.requests))
    }
}

async fn converse(mut stream: TcpStream, does: Does, requests: Arc<AtomicUsize>) {
    if matches!(does, Does::ClosesUnread) {
        return;
    }
    while read_request(&mut stream).await {
        requests.fetch_add(1, Ordering::SeqCst);
        match &does {
            Does::ClosesUnread | Does::Closes => return,
            Does::Resets => return stream.set_zero_linger().unwrap(),
            Does::NeverAnswers => {}
            Does::Answers(answer) | Does::StallsAfter(answer) => {
                if stream.write_all(answer.as_bytes()).await.is_err() {
                    return;
                }
            }
            Does::Floods => {
                let head = "HTTP/1.1 200 OK\r\ncontent-length: 1073741824\r\n\r\n";
                let mut sent = stream.write_all(head.as_bytes()).await;
                while sent.is_ok() {
                    sent = stream.write_all(&[b'x'; 8_192]).await;
                }
                return;
            }
        }
    }
}

/// Reads up to the end of the one body these tests send; false when the other side is gone.
async fn read_request(stream: &mut TcpStream) -> bool {
    let mut bytes = Vec::new();
    while !bytes.ends_with(BODY) {
        match stream.read_buf(&mut bytes).await {
            Ok(0) | Err(_) => return false,
            Ok(_) => {}
        }
    }
    true
}

fn policy(port: u16) -> Policy {
    Policy {
        allow_networks: vec!["127.0.0.0/8".parse().unwrap()],
        allow_http: vec!["127.0.0.1".to_owned(), "localhost".to_owned()],
        allow_ports: vec![port],
        ..Policy::default()
    }
}

fn client(port: u16) -> Client {
    Client::new(policy(port), Arc::new(Secrets::stand_ins()))
}

fn outgoing(url: String) -> Outgoing {
    Outgoing {
        delivery: DeliveryId::from_bytes([7; 16]),
        method: Method::Post,
        url,
        headers: Vec::new(),
        auth: None,
        sign: Vec::new(),
        body: Some(BODY.to_vec()),
        mode: DeliveryMode::AtMostOnce,
        timeout_us: 10_000_000,
    }
}

async fn attempt(server: &Server, outgoing: &Outgoing) -> Attempted {
    let client = client(server.address.port());
    let addresses = client.resolve(&outgoing.url).await.unwrap();
    assert_eq!(addresses, [server.address]);
    client
        .attempt(outgoing, &addresses, NOW_EPOCH_SECONDS)
        .await
}

/// The outcome in both modes, and the last attempt.
async fn check(does: Does, timeout_us: i64, expected: Outcome) -> Attempted {
    let mut last = None;
    for mode in [DeliveryMode::AtLeastOnce, DeliveryMode::AtMostOnce] {
        let server = Server::that(does.clone()).await;
        let sent = Outgoing {
            mode,
            timeout_us,
            ..outgoing(server.url("http"))
        };
        let attempted = attempt(&server, &sent).await;
        assert_eq!(attempted.outcome, expected, "{does:?} {attempted:?}");
        let (connections, requests) = server.counts();
        assert!(connections <= 1 && requests <= 1, "{does:?} was repeated");
        last = Some(attempted);
    }
    last.unwrap()
}

const fn answered(status: u16) -> Outcome {
    Outcome::Answered {
        status,
        retry_after_s: None,
    }
}

fn answer(status: &str, headers: &str) -> Does {
    Does::Answers(format!(
        "HTTP/1.1 {status}\r\n{headers}content-length: 2\r\n\r\nok"
    ))
}

const PATIENT_US: i64 = 10_000_000;
const HASTY_US: i64 = 300_000;

#[tokio::test]
async fn the_status_line_decides() {
    for (status, code) in [
        ("200 OK", 200),
        ("202 Accepted", 202),
        ("400 Bad Request", 400),
        ("404 Not Found", 404),
        ("500 Oops", 500),
    ] {
        let attempted = check(answer(status, ""), PATIENT_US, answered(code)).await;
        assert_eq!(
            (attempted.reply.as_deref(), attempted.note),
            (Some("ok"), None)
        );
    }
    let empty = Does::Answers("HTTP/1.1 204 No Content\r\n\r\n".to_owned());
    let attempted = check(empty, PATIENT_US, answered(204)).await;
    assert_eq!(attempted.reply, None);
    let interim = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n";
    check(Does::Answers(interim.to_owned()), PATIENT_US, answered(204)).await;
}

#[tokio::test]
async fn redirects_are_answers_and_are_not_followed() {
    for status in [301, 302, 303, 307, 308] {
        for location in ["/elsewhere", "http://169.254.169.254/"] {
            let does = answer(
                &format!("{status} Moved"),
                &format!("location: {location}\r\n"),
            );
            check(does, PATIENT_US, answered(status)).await;
        }
    }
}

#[tokio::test]
async fn retry_after_is_read_as_seconds_or_as_a_date() {
    for (status, text, seconds) in [
        (429, "120", 120),
        (503, "0", 0),
        (503, "Sun, 06 Nov 1994 08:50:37 GMT", 60),
        (503, "Sun, 06 Nov 1994 08:00:00 GMT", 0),
        // That it is there says that the request was not taken, whatever it says.
        (429, "soon", 0),
        (429, "-5", 0),
        (503, "99999999999999999999", u32::MAX),
    ] {
        let expected = Outcome::Answered {
            status,
            retry_after_s: Some(seconds),
        };
        let does = answer(
            &format!("{status} Busy"),
            &format!("retry-after: {text}\r\n"),
        );
        check(does, PATIENT_US, expected).await;
    }
    check(answer("503 Busy", ""), PATIENT_US, answered(503)).await;
}

#[tokio::test]
async fn without_a_status_line_nothing_is_known() {
    let connection = Outcome::Unknown(UnknownReason::Connection);
    check(Does::ClosesUnread, PATIENT_US, connection).await;
    check(Does::Closes, PATIENT_US, connection).await;
    check(Does::Resets, PATIENT_US, connection).await;

    let timeout = Outcome::Unknown(UnknownReason::Timeout);
    check(Does::NeverAnswers, HASTY_US, timeout).await;
    check(
        Does::StallsAfter("HTTP/1.1 2".to_owned()),
        HASTY_US,
        timeout,
    )
    .await;

    let many_headers = format!("HTTP/1.1 200 OK\r\n{}\r\n", "x: y\r\n".repeat(10_000));
    let long_header = format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "y".repeat(1 << 20));
    for garbage in [
        "220 mail.example ESMTP\r\n",
        "hello\r\n\r\n",
        "HTTP/1.1 200 \u{1b}[31m\r\n\r\n",
        &many_headers,
        &long_header,
    ] {
        let expected = Outcome::Unknown(UnknownReason::Garbage);
        check(Does::Answers(garbage.to_owned()), PATIENT_US, expected).await;
    }
}

#[tokio::test]
async fn trouble_with_the_body_is_a_note() {
    let attempted = check(Does::Floods, PATIENT_US, answered(200)).await;
    assert_eq!(attempted.reply.map(|reply| reply.len()), Some(4_096));
    assert_eq!(attempted.note, None);

    let partial = "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\npart";
    let attempted = check(
        Does::StallsAfter(partial.to_owned()),
        HASTY_US,
        answered(200),
    )
    .await;
    assert_eq!(attempted.reply.as_deref(), Some("part"));
    assert_eq!(
        attempted.note.as_deref(),
        Some("the reply did not end in time")
    );
}

#[tokio::test]
async fn a_reply_is_kept_as_inert_text_without_secrets() {
    let token = "stand-in-for-env-CRM_TOKEN";
    let body = format!("\u{1b}[2J<b>{token}</b>\r\n\u{9b}é");
    let reply = format!(
        "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let server = Server::that(Does::Answers(reply)).await;
    let sent = Outgoing {
        auth: Some(Auth::Bearer(Secret::Env("CRM_TOKEN".to_owned()))),
        ..outgoing(server.url("http"))
    };
    let attempted = attempt(&server, &sent).await;
    assert_eq!(
        attempted.reply.as_deref(),
        Some("\u{fffd}[2J<b>[redacted]</b>\u{fffd}\n\u{fffd}é")
    );
}

#[tokio::test]
async fn an_echoed_basic_credential_is_redacted() {
    // `ops:stand-in-for-env-P` in base64.
    let body = "b3BzOnN0YW5kLWluLWZvci1lbnYtUA==";
    let reply = format!(
        "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let server = Server::that(Does::Answers(reply)).await;
    let sent = Outgoing {
        auth: Some(Auth::Basic {
            username: "ops".to_owned(),
            password: Secret::Env("P".to_owned()),
        }),
        ..outgoing(server.url("http"))
    };
    let attempted = attempt(&server, &sent).await;
    assert_eq!(attempted.reply.as_deref(), Some("[redacted]"));
}

#[tokio::test]
async fn what_provably_never_left_is_not_sent() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    for (mode, scheme) in [
        (DeliveryMode::AtMostOnce, "http"),
        (DeliveryMode::AtLeastOnce, "http"),
        (DeliveryMode::AtMostOnce, "https"),
    ] {
        let sent = Outgoing {
            mode,
            ..outgoing(format!("{scheme}://{address}/hook"))
        };
        let attempted = client(address.port()).attempt(&sent, &[address], 0).await;
        let expected = Outcome::NotSent(NotSentReason::Refused);
        assert_eq!(attempted.outcome, expected, "{attempted:?}");
    }
}

#[tokio::test]
async fn a_receiver_that_cannot_prove_who_it_is_gets_nothing() {
    let unencrypted = Does::Answers("HTTP/1.1 400 Bad Request\r\n\r\n".to_owned());
    for (does, timeout_us, reason) in [
        (Does::ClosesUnread, PATIENT_US, NotSentReason::Tls),
        (Does::NeverAnswers, HASTY_US, NotSentReason::ConnectTimeout),
        (unencrypted, HASTY_US, NotSentReason::ConnectTimeout),
    ] {
        let server = Server::that(does.clone()).await;
        let sent = Outgoing {
            timeout_us,
            ..outgoing(server.url("https"))
        };
        let attempted = attempt(&server, &sent).await;
        assert_eq!(
            attempted.outcome,
            Outcome::NotSent(reason),
            "{does:?} {attempted:?}"
        );
        assert_eq!(server.counts().1, 0);
    }
}

#[tokio::test]
async fn a_missing_secret_is_not_sent() {
    let server = Server::that(answer("200 OK", "")).await;
    let secrets = Secrets::new(Box::new(|reference| match reference {
        Secret::Env(name) if name == "BROKEN" => Some("two\nlines".to_owned()),
        Secret::Env(_) | Secret::File(_) => None,
    }));
    let client = Client::new(policy(server.address.port()), Arc::new(secrets));
    for name in ["MISSING", "BROKEN"] {
        let sent = Outgoing {
            auth: Some(Auth::Bearer(Secret::Env(name.to_owned()))),
            ..outgoing(server.url("http"))
        };
        let attempted = client.attempt(&sent, &[server.address], 0).await;
        assert_eq!(attempted.outcome, Outcome::NotSent(NotSentReason::Secret));
        assert!(attempted.note.unwrap().contains(name));
    }
    assert_eq!(server.counts(), (0, 0));
}

#[tokio::test]
async fn only_the_vetted_addresses_are_dialled() {
    let server = Server::that(answer("200 OK", "")).await;
    let port = server.address.port();
    let client = client(port);
    // The name would lead elsewhere: it is never looked up again.
    let sent = outgoing(format!("http://good.example:{port}/hook"));
    let attempted = client.attempt(&sent, &[server.address], 0).await;
    assert_eq!(attempted.outcome, answered(200));

    // An address in the URL, which no resolver sees, that is not among them.
    let other = SocketAddr::from(([127, 0, 0, 2], port));
    let attempted = client
        .attempt(&outgoing(server.url("http")), &[other], 0)
        .await;
    assert_eq!(
        attempted.outcome,
        Outcome::NotSent(NotSentReason::NotDialled)
    );
    assert_eq!(server.counts(), (1, 1));
}

#[tokio::test]
async fn resolving_vets_and_a_failed_lookup_is_not_a_refusal() {
    let client = client(8_080);
    let localhost = client.resolve("http://localhost:8080/").await;
    let localhost = match localhost {
        Ok(addresses) => addresses.contains(&SocketAddr::from(([127, 0, 0, 1], 8_080))),
        // Where it has an IPv6 address too, that one is not allowed here.
        Err(Unready::Policy(refusal)) => refusal.to_string().contains("`::1`"),
        Err(Unready::Dns { .. }) => false,
    };
    assert!(localhost);
    for refused in [
        "https://10.0.0.1/",
        "http://good.example/",
        "https://user@good.example/",
    ] {
        let refusal = client.resolve(refused).await;
        assert!(matches!(refusal, Err(Unready::Policy(_))), "{refused}");
    }
    // Longer than a label can be: no resolver asks anybody for it.
    let unknown = format!("https://{}.example/", "a".repeat(64));
    match client.resolve(&unknown).await {
        Err(Unready::Dns { host, .. }) => assert!(unknown.contains(&host)),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn at_most_once_never_uses_a_connection_twice() {
    for (mode, is_reused) in [
        (DeliveryMode::AtMostOnce, false),
        (DeliveryMode::AtLeastOnce, true),
    ] {
        let server = Server::that(answer("200 OK", "")).await;
        let client = client(server.address.port());
        let sent = Outgoing {
            mode,
            ..outgoing(server.url("http"))
        };
        for _ in 0..20 {
            let attempted = client.attempt(&sent, &[server.address], 0).await;
            assert_eq!(attempted.outcome, answered(200));
        }
        let (connections, requests) = server.counts();
        assert_eq!((connections < 20, requests), (is_reused, 20), "{mode:?}");
    }
}
