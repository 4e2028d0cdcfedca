//! What can a receiver do to whoever sends to it, and a value to its own request? Nothing beyond
//! its one reply: rows B6 to B26 of `runtime/tests/guard`, each over a real connection.

#![expect(
    clippy::unwrap_used,
    reason = "a test target: an assumption that fails is a test that fails"
)]

use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::timeout;
use wayfare_event::DeliveryId;
use wayfare_executor::delivery::{NotSentReason, Outcome, UnknownReason};
use wayfare_journey::definition::{Auth, DeliveryMode, Method, Secret};
use wayfare_webhook::{Attempted, Client, Outgoing, Policy, Secrets};

const BODY: &str = r#"{"plan":"pro"}"#;
/// How long an attempt may take before the test gives up; none is meant to come near it.
const PATIENCE: Duration = Duration::from_secs(60);
const PATIENT_US: i64 = 10_000_000;
const HASTY_US: i64 = 300_000;

/// What a receiver does once it has read a request.
#[derive(Clone, Debug)]
enum Then {
    /// Sends this and closes.
    Says(Vec<u8>),
    /// Sends the first once, and the second for ever.
    Repeats(&'static str, &'static str),
    /// Sends this, and then a byte now and again.
    Drips(&'static str),
}

/// A receiver, what it was sent, and how much it could say.
struct Receiver {
    address: SocketAddr,
    requests: mpsc::UnboundedReceiver<String>,
    connections: Arc<AtomicUsize>,
    said_bytes: Arc<AtomicUsize>,
}

impl Receiver {
    /// A receiver that reads at most this many bytes of a request, and then does this.
    async fn that(read_bytes_max: usize, then: Then) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let (told, requests) = mpsc::unbounded_channel();
        let receiver = Self {
            address: listener.local_addr().unwrap(),
            requests,
            connections: Arc::default(),
            said_bytes: Arc::default(),
        };
        let connections = Arc::clone(&receiver.connections);
        let said_bytes = Arc::clone(&receiver.said_bytes);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                connections.fetch_add(1, Ordering::SeqCst);
                let (told, then, said) = (told.clone(), then.clone(), Arc::clone(&said_bytes));
                tokio::spawn(async move {
                    let request = read(&mut stream, read_bytes_max).await;
                    // The test may be over.
                    let _heard = told.send(request).is_ok();
                    say(&mut stream, then, &said).await;
                });
            }
        });
        receiver
    }

    async fn that_says(reply: impl Into<Vec<u8>>) -> Self {
        Self::that(usize::MAX, Then::Says(reply.into())).await
    }

    fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

/// A request up to the end of its body, or its first bytes.
async fn read(stream: &mut TcpStream, bytes_max: usize) -> String {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes);
        let length = text.split("content-length: ").nth(1).unwrap_or("0");
        let length: usize = length.split("\r\n").next().unwrap().parse().unwrap_or(0);
        let is_whole = text
            .find("\r\n\r\n")
            .is_some_and(|at| bytes.len() >= at + 4 + length);
        if is_whole || bytes.len() >= bytes_max || stream.read_buf(&mut bytes).await.unwrap() == 0 {
            return String::from_utf8_lossy(&bytes).into_owned();
        }
    }
}

async fn say(stream: &mut TcpStream, then: Then, said: &AtomicUsize) {
    let (first, again, pause) = match then {
        Then::Says(reply) => return drop(stream.write_all(&reply).await),
        Then::Repeats(first, again) => (first, again, None),
        Then::Drips(first) => (first, "x", Some(Duration::from_millis(20))),
    };
    let mut sent = stream.write_all(first.as_bytes()).await;
    let block = again.repeat(if pause.is_some() { 1 } else { 1_000 });
    let mut beat = pause.map(tokio::time::interval);
    while sent.is_ok() {
        if let Some(beat) = &mut beat {
            beat.tick().await;
        }
        sent = stream.write_all(block.as_bytes()).await;
        said.fetch_add(block.len(), Ordering::SeqCst);
    }
}

fn outgoing(url: String) -> Outgoing {
    Outgoing {
        delivery: DeliveryId::from_bytes([7; 16]),
        method: Method::Post,
        url,
        headers: Vec::new(),
        auth: None,
        sign: Vec::new(),
        body: Some(BODY.as_bytes().to_vec()),
        mode: DeliveryMode::AtMostOnce,
        timeout_us: PATIENT_US,
    }
}

fn client(receiver: &Receiver, secret: &'static str) -> Client {
    let policy = Policy {
        allow_networks: vec!["127.0.0.0/8".parse().unwrap()],
        allow_http: vec!["127.0.0.1".to_owned()],
        allow_ports: vec![receiver.address.port()],
        ..Policy::default()
    };
    Client::new(
        policy,
        Arc::new(Secrets::new(Box::new(|_| Some(secret.to_owned())))),
    )
}

/// Sends this once; a second connection would be a second request.
async fn send(receiver: &Receiver, sent: &Outgoing, secret: &'static str) -> Attempted {
    let client = client(receiver, secret);
    let addresses = client.resolve(&sent.url).await.unwrap();
    let attempt = client.attempt(sent, &addresses, 0);
    let attempted = timeout(PATIENCE, attempt).await.unwrap();
    assert!(
        receiver.connections() <= 1,
        "it was repeated: {attempted:?}"
    );
    attempted
}

const fn answered(status: u16) -> Outcome {
    Outcome::Answered {
        status,
        retry_after_s: None,
    }
}

fn key() -> Secret {
    Secret::Env("KEY".to_owned())
}

#[tokio::test]
async fn a_redirect_leads_nowhere_and_takes_no_key_along() {
    let mut elsewhere = Receiver::that_says("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    let other = format!("http://{}/", elsewhere.address);
    for status in [301, 302, 303, 307, 308] {
        for to in [
            other.as_str(),
            "http://169.254.169.254/latest/meta-data/",
            "https://good.example/",
            "//good.example/",
            "/elsewhere",
            "?again",
        ] {
            let reply =
                format!("HTTP/1.1 {status} Moved\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n");
            let mut receiver = Receiver::that_says(reply).await;
            let sent = Outgoing {
                auth: Some(Auth::Header {
                    name: "X-Api-Key".to_owned(),
                    value: key(),
                }),
                ..outgoing(receiver.url())
            };
            let attempted = send(&receiver, &sent, "the-key").await;
            assert_eq!(attempted.outcome, answered(status), "{status} {to}");
            let request = receiver.requests.recv().await.unwrap();
            assert!(request.contains("x-api-key: the-key\r\n"), "{request}");
        }
    }
    assert_eq!(elsewhere.connections(), 0);
    assert!(elsewhere.requests.try_recv().is_err());
}

#[tokio::test]
async fn a_reply_without_end_is_read_to_its_sixteenth_kibibyte() {
    for head in [
        "HTTP/1.1 200 OK\r\ncontent-length: 1073741824\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n40000000\r\n",
        "HTTP/1.1 200 OK\r\n\r\n",
    ] {
        let receiver = Receiver::that(usize::MAX, Then::Repeats(head, "0123456789")).await;
        let attempted = send(&receiver, &outgoing(receiver.url()), "-").await;
        assert_eq!(attempted.outcome, answered(200), "{head}");
        assert_eq!(attempted.reply.map(|reply| reply.len()), Some(4_096));
        assert_eq!(attempted.note, None);
        // What the connection itself can hold, and nothing near what was announced.
        assert!(receiver.said_bytes.load(Ordering::SeqCst) < 64 << 20);
    }
}

#[tokio::test]
async fn a_packed_reply_is_not_unpacked() {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packed.write_all(&vec![b'x'; 1 << 20]).unwrap();
    let packed = packed.finish().unwrap();
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n",
        packed.len()
    );
    let mut receiver = Receiver::that_says([head.as_bytes(), &packed].concat()).await;
    let attempted = send(&receiver, &outgoing(receiver.url()), "-").await;
    assert_eq!(attempted.outcome, answered(200));
    let shown = String::from_utf8_lossy(&packed).replace(|c: char| c.is_control(), "\u{fffd}");
    let kept = attempted.reply.unwrap().replace(['\n', '\t'], "\u{fffd}");
    assert_eq!(kept, shown);
    let request = receiver.requests.recv().await.unwrap();
    assert!(
        request.contains("accept-encoding: identity\r\n"),
        "{request}"
    );
}

#[tokio::test]
async fn a_reply_that_drips_ends_with_the_attempts_time() {
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n";
    let receiver = Receiver::that(usize::MAX, Then::Drips(head)).await;
    let sent = Outgoing {
        timeout_us: HASTY_US,
        ..outgoing(receiver.url())
    };
    let attempted = send(&receiver, &sent, "-").await;
    assert_eq!(attempted.outcome, answered(200));
    let note = "the reply did not end in time";
    assert_eq!(attempted.note.as_deref(), Some(note));
    let reply = attempted.reply.unwrap();
    assert!(
        !reply.is_empty() && reply.chars().all(|c| c == 'x'),
        "{reply}"
    );
}

#[tokio::test]
async fn interim_answers_without_end_are_no_answer() {
    for interim in [
        "HTTP/1.1 100 Continue\r\n\r\n",
        "HTTP/1.1 102 Processing\r\n\r\n",
        "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n",
    ] {
        let receiver = Receiver::that(usize::MAX, Then::Repeats("", interim)).await;
        let sent = Outgoing {
            timeout_us: HASTY_US,
            ..outgoing(receiver.url())
        };
        let attempted = send(&receiver, &sent, "-").await;
        let expected = Outcome::Unknown(UnknownReason::Timeout);
        assert_eq!(attempted.outcome, expected, "{interim}");
    }
}

#[tokio::test]
async fn a_header_that_would_be_two_is_not_sent() {
    let receiver = Receiver::that_says("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    for (name, value) in [
        ("X-Name", "a\r\nX-Evil: 1"),
        ("X-Name", "a\nX-Evil: 1"),
        ("X-Name", "a\0"),
        ("X-Name", "a\u{7f}"),
        ("X-Name\r\nX-Evil", "a"),
        ("X Name", "a"),
        ("", "a"),
        (":authority", "a"),
    ] {
        let sent = Outgoing {
            headers: vec![(name.to_owned(), value.to_owned())],
            ..outgoing(receiver.url())
        };
        let attempted = send(&receiver, &sent, "-").await;
        let expected = Outcome::NotSent(NotSentReason::NotDialled);
        assert_eq!(attempted.outcome, expected, "{name:?} {value:?}");
    }
    assert_eq!(receiver.connections(), 0);
}

#[tokio::test]
async fn a_credential_is_utf_8_and_never_two_lines() {
    let basic = || Auth::Basic {
        username: "ops".to_owned(),
        password: key(),
    };
    let by_header = || Auth::Header {
        name: "X-Api-Key".to_owned(),
        value: key(),
    };
    let check = async |auth: Auth, secret: &'static str, expected: Option<&str>| {
        let reply = "HTTP/1.1 204 No Content\r\n\r\n";
        let mut receiver = Receiver::that_says(reply).await;
        let sent = Outgoing {
            auth: Some(auth),
            ..outgoing(receiver.url())
        };
        let attempted = send(&receiver, &sent, secret).await;
        let Some(expected) = expected else {
            let not_sent = Outcome::NotSent(NotSentReason::Secret);
            assert_eq!(attempted.outcome, not_sent, "{secret:?}");
            assert_eq!(receiver.connections(), 0);
            return;
        };
        assert_eq!(attempted.outcome, answered(204), "{secret:?}");
        let request = receiver.requests.recv().await.unwrap();
        assert!(request.contains(expected), "{request}");
    };
    // `ops:pässwort` in UTF-8, then base64 (RFC 7617).
    let utf_8 = "authorization: Basic b3BzOnDDpHNzd29ydA==\r\n";
    check(basic(), "p\u{e4}sswort", Some(utf_8)).await;
    check(
        Auth::Bearer(key()),
        "abc",
        Some("authorization: Bearer abc\r\n"),
    )
    .await;
    for broken in ["two\nlines", "two\r\nX-Evil: 1", "a\0b"] {
        check(Auth::Bearer(key()), broken, None).await;
        check(by_header(), broken, None).await;
    }
}

#[tokio::test]
async fn a_secret_is_redacted_wherever_a_reply_repeats_it() {
    for reply in [
        "HTTP/1.1 200 OK\r\n\r\nyou said s3cret-value in authorization: Bearer s3cret-value",
        "HTTP/1.1 500 s3cret-value\r\n\r\n{\"query\":\"?k=s3cret-value\"}",
        "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\ns3cret-value, and cut short",
        "HTTP/1.1 s3cret-value\r\n\r\n",
    ] {
        let receiver = Receiver::that_says(reply).await;
        let sent = Outgoing {
            auth: Some(Auth::Bearer(key())),
            body: Some(b"{\"note\":\"s3cret-value\"}".to_vec()),
            ..outgoing(format!("{}?k=s3cret-value", receiver.url()))
        };
        let attempted = send(&receiver, &sent, "s3cret-value").await;
        assert!(
            !format!("{attempted:?}").contains("s3cret"),
            "{attempted:?}"
        );
    }
}

#[tokio::test]
async fn a_receiver_that_closes_half_way_saw_one_request() {
    let large = format!("\"{}\"", "x".repeat(200_000));
    for (body, read_bytes_max) in [(BODY, usize::MAX), (&large, usize::MAX), (&large, 100_000)] {
        for mode in [DeliveryMode::AtMostOnce, DeliveryMode::AtLeastOnce] {
            let mut receiver = Receiver::that(read_bytes_max, Then::Says(Vec::new())).await;
            let sent = Outgoing {
                mode,
                body: Some(body.as_bytes().to_vec()),
                ..outgoing(receiver.url())
            };
            let attempted = send(&receiver, &sent, "-").await;
            let expected = Outcome::Unknown(UnknownReason::Connection);
            assert_eq!(attempted.outcome, expected, "{mode:?} {attempted:?}");
            let request = receiver.requests.recv().await.unwrap();
            assert!(request.starts_with("POST /hook HTTP/1.1\r\n"));
            assert!(receiver.requests.try_recv().is_err());
        }
    }
}

#[tokio::test]
async fn a_clock_that_is_off_stops_nothing() {
    for now in [-600, 0, 1_700_000_000 - 600, i64::MAX] {
        let mut receiver = Receiver::that_says("HTTP/1.1 204 No Content\r\n\r\n").await;
        let sent = outgoing(receiver.url());
        let attempt = client(&receiver, "-");
        let attempted = attempt.attempt(&sent, &[receiver.address], now).await;
        assert_eq!(attempted.outcome, answered(204));
        let request = receiver.requests.recv().await.unwrap();
        let said = format!("webhook-timestamp: {now}\r\n");
        assert!(request.contains(&said), "{request}");
    }
}
