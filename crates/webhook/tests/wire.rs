//! What does a receiver see, and what is shown of it beforehand?

#![expect(
    clippy::unwrap_used,
    reason = "a test target: an assumption that fails is a test that fails"
)]

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio::sync::mpsc;
use wayfare_event::DeliveryId;
use wayfare_executor::delivery::Outcome;
use wayfare_journey::definition::{Auth, DeliveryMode, Method, Secret};
use wayfare_webhook::{
    Answers, AnswersParseError, Client, Outgoing, Policy, Received, Receiver, Secrets,
    shown_headers,
};

const ID: &str = "whd_07070707070707070707070707070707";

async fn receiver(answers: &str) -> (Receiver, mpsc::UnboundedReceiver<Received>) {
    let (told, received) = mpsc::unbounded_channel();
    let told = move |request| told.send(request).unwrap();
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let receiver = Receiver::bind(any, (answers.parse().unwrap(), None), told).await;
    (receiver.unwrap(), received)
}

fn outgoing(url: &str) -> Outgoing {
    Outgoing {
        delivery: DeliveryId::from_bytes([7; 16]),
        method: Method::Post,
        url: url.to_owned(),
        headers: vec![("X-Source".to_owned(), "wayfare".to_owned())],
        auth: None,
        sign: Vec::new(),
        body: Some(b"{\"n\":1.10}".to_vec()),
        mode: DeliveryMode::AtMostOnce,
        timeout_us: 10_000_000,
    }
}

fn rehearsal(receiver: &Receiver) -> Client {
    let policy = Policy {
        allow_ports: vec![8443],
        ..Policy::default()
    };
    Client::to_receiver(
        receiver.local_addr(),
        policy,
        Arc::new(Secrets::stand_ins()),
    )
}

async fn seen(sent: &Outgoing) -> Received {
    let (receiver, mut received) = receiver("200").await;
    let client = rehearsal(&receiver);
    let addresses = client.resolve(&sent.url).await.unwrap();
    let attempted = client.attempt(sent, &addresses, 1_700_000_000).await;
    assert!(
        matches!(attempted.outcome, Outcome::Answered { status: 200, .. }),
        "{attempted:?}"
    );
    receiver.shutdown().await;
    received.recv().await.unwrap()
}

fn header<'a>(received: &'a Received, name: &str) -> Option<&'a str> {
    let mut found = received.headers.iter().filter(|(known, _)| known == name);
    let value = found.next().map(|(_, value)| value.as_str());
    assert_eq!(found.next(), None, "{name} came twice");
    value
}

#[tokio::test]
async fn a_receiver_sees_the_request_as_its_author_wrote_it() {
    let received = seen(&outgoing(
        "https://billing.example.com:8443/a%20b/c?x=1&y=%2F",
    ))
    .await;
    assert_eq!(received.method, "POST");
    assert_eq!(received.path, "/a%20b/c?x=1&y=%2F");
    assert_eq!(received.host, "billing.example.com:8443");
    assert_eq!(received.body, b"{\"n\":1.10}");

    let received = seen(&Outgoing {
        method: Method::Delete,
        body: None,
        ..outgoing("https://crm.example.com/users/7")
    })
    .await;
    assert_eq!(
        (received.method.as_str(), received.host.as_str()),
        ("DELETE", "crm.example.com")
    );
    assert_eq!(received.body, b"");
    assert_eq!(header(&received, "content-type"), None);
}

#[tokio::test]
async fn every_attempt_says_which_delivery_it_belongs_to() {
    let received = seen(&outgoing("https://good.example/")).await;
    let quoted = format!("\"{ID}\"");
    let agent = concat!("Wayfare/", env!("CARGO_PKG_VERSION"));
    for (name, expected) in [
        ("webhook-id", ID),
        ("webhook-timestamp", "1700000000"),
        ("idempotency-key", &quoted),
        ("content-type", "application/json"),
        ("user-agent", agent),
        ("accept-encoding", "identity"),
        ("content-length", "10"),
        ("x-source", "wayfare"),
    ] {
        assert_eq!(header(&received, name), Some(expected), "{name}");
    }
    assert_eq!(received.webhook_id.as_deref(), Some(ID));
}

#[tokio::test]
async fn credentials_leave_and_are_shown_redacted() {
    let secret = || Secret::Env("K".to_owned());
    for (auth, name, sent, shown) in [
        (
            Auth::Basic {
                username: "ops".to_owned(),
                password: secret(),
            },
            "Authorization",
            "Basic b3BzOnN0YW5kLWluLWZvci1lbnYtSw==",
            "Basic [redacted]",
        ),
        (
            Auth::Bearer(secret()),
            "Authorization",
            "Bearer stand-in-for-env-K",
            "Bearer [redacted]",
        ),
        (
            Auth::Header {
                name: "X-Api-Key".to_owned(),
                value: secret(),
            },
            "X-Api-Key",
            "stand-in-for-env-K",
            "[redacted]",
        ),
    ] {
        let request = Outgoing {
            auth: Some(auth),
            ..outgoing("https://good.example/")
        };
        let received = seen(&request).await;
        assert_eq!(header(&received, &name.to_lowercase()), Some(sent));
        let headers = shown_headers(&request, 1_700_000_000, &Secrets::stand_ins());
        assert!(
            headers.contains(&(name.to_owned(), shown.to_owned())),
            "{headers:?}"
        );
    }
}

#[tokio::test]
async fn what_is_shown_is_what_leaves_in_the_same_order() {
    let request = outgoing("https://good.example/");
    let shown = shown_headers(&request, 1_700_000_000, &Secrets::stand_ins());
    let names: Vec<&str> = shown.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "webhook-id",
            "webhook-timestamp",
            "Idempotency-Key",
            "Content-Type",
            "User-Agent",
            "X-Source"
        ]
    );
    let received = seen(&request).await;
    let left: Vec<_> = received
        .headers
        .iter()
        .filter(|(name, _)| names.iter().any(|shown| shown.eq_ignore_ascii_case(name)))
        .cloned()
        .collect();
    let shown: Vec<_> = shown
        .into_iter()
        .map(|(name, value)| (name.to_lowercase(), value))
        .collect();
    assert_eq!(left, shown);
}

#[test]
fn a_secret_in_an_authors_header_is_shown_redacted() {
    let secrets = Secrets::new(Box::new(|_| Some("s3cret".to_owned())));
    secrets.resolve(&Secret::Env("K".to_owned())).unwrap();
    let request = Outgoing {
        headers: vec![("X-Note".to_owned(), "it is s3cret".to_owned())],
        ..outgoing("https://good.example/")
    };
    let shown = shown_headers(&request, 0, &secrets);
    assert_eq!(
        shown.last(),
        Some(&("X-Note".to_owned(), "it is [redacted]".to_owned()))
    );
}

#[tokio::test]
async fn a_rehearsal_refuses_what_the_policy_refuses() {
    let (receiver, mut received) = receiver("200").await;
    let client = rehearsal(&receiver);
    for url in [
        "http://good.example/",
        "https://127.0.0.1/",
        "https://good.example:22/",
    ] {
        assert!(client.resolve(url).await.is_err(), "{url}");
    }
    receiver.shutdown().await;
    assert_eq!(received.recv().await, None);
}

#[tokio::test]
async fn a_receiver_answers_as_told_and_counts_copies() {
    let (receiver, mut received) = receiver("200, 503,404").await;
    let client = rehearsal(&receiver);
    for mode in [DeliveryMode::AtMostOnce, DeliveryMode::AtLeastOnce] {
        for (status, copies) in [(200, 1), (503, 2), (404, 3), (404, 4)] {
            let other = mode == DeliveryMode::AtLeastOnce;
            let sent = Outgoing {
                delivery: DeliveryId::from_bytes([u8::from(other); 16]),
                mode,
                ..outgoing("https://good.example/")
            };
            let status = if other { 404 } else { status };
            let attempted = client.attempt(&sent, &[], 0).await;
            let expected = Outcome::Answered {
                status,
                retry_after_s: None,
            };
            assert_eq!(attempted.outcome, expected);
            let request = received.recv().await.unwrap();
            assert_eq!((request.copies, request.status), (copies, status));
        }
    }
    // A connection kept for the next attempt, and one that never said anything.
    let silent = TcpStream::connect(receiver.local_addr()).await.unwrap();
    receiver.shutdown().await;
    drop((client, silent));
}

#[test]
fn answers_are_a_list_of_final_statuses() {
    let answers = |text: &str| text.parse::<Answers>();
    assert!(answers("200").is_ok());
    assert!(answers("429, 503,200").is_ok());
    for text in ["", "ok", "100", "600", "200,,200", "20000"] {
        assert!(
            matches!(answers(text), Err(AnswersParseError::Status(_))),
            "{text}"
        );
    }
    assert_eq!(
        answers(&["200"; 1_001].join(",")),
        Err(AnswersParseError::TooMany)
    );
}
