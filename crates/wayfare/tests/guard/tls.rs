//! Does a receiver that cannot prove who it is get nothing, and does the delivery say why? The
//! certificates beside this file are made for it, signed by an authority that only it trusts.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::version::{TLS12, TLS13};
use rustls::{ServerConfig, ServerConnection, StreamOwned, SupportedProtocolVersion};

use serde_json::Value;

use super::program::Answer;
use super::{ended, project_of, signup};

fn fixture(name: &str) -> PathBuf {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/guard/tls");
    directory.join(name)
}

/// A receiver with this certificate.
fn config(certificate: &str, version: &'static SupportedProtocolVersion) -> Arc<ServerConfig> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let certificate = CertificateDer::from_pem_file(fixture(certificate)).unwrap();
    let key = PrivateKeyDer::from_pem_file(fixture("key.pem")).unwrap();
    let config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[version])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key);
    Arc::new(config.unwrap())
}

/// Gives each connection to this function, until the test is over.
fn listen(serve: impl Fn(TcpStream) + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            serve(stream.unwrap());
        }
    });
    address
}

/// Takes one request: the name it was asked for by, and what it said.
fn take(stream: TcpStream, config: &Arc<ServerConfig>) -> Option<(String, String)> {
    let connection = ServerConnection::new(Arc::clone(config)).unwrap();
    let mut stream = StreamOwned::new(connection, stream);
    let mut request = Vec::new();
    while !request.ends_with(b"}") {
        let mut bytes = [0; 1_024];
        match stream.read(&mut bytes) {
            Ok(0) | Err(_) => return None,
            Ok(read) => request.extend(bytes.iter().take(read)),
        }
    }
    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
    stream.write_all(answer).unwrap();
    let name = stream.conn.server_name().unwrap().to_owned();
    Some((name, String::from_utf8(request).unwrap()))
}

/// A run whose one webhook goes to `localhost` at this address, over https.
fn run(address: SocketAddr) -> Answer {
    let port = address.port();
    let url = format!("https://localhost:{port}/leads");
    let project = project_of(&url, port, "[127.0.0.0/8, '::1']");
    let mut run = signup(&project);
    run.env("SSL_CERT_FILE", fixture("authority.pem"));
    run.env_remove("SSL_CERT_DIR");
    Answer::of(run)
}

#[test]
fn a_receiver_that_proves_who_it_is_gets_the_request() {
    for version in [&TLS12, &TLS13] {
        let (told, taken) = mpsc::channel();
        let config = config("valid.pem", version);
        let address = listen(move |stream| told.send(take(stream, &config)).unwrap());
        assert_eq!(ended(&run(address)), ("delivered".into(), Value::Null));
        let (name, request) = taken.recv().unwrap().unwrap();
        assert_eq!(name, "localhost");
        assert!(request.starts_with("POST /leads HTTP/1.1\r\n"), "{request}");
    }
}

/// The run never got further than the handshake, and each attempt says why.
fn check(answer: &Answer, why: &str) {
    let said = format!("no TLS 1.2 or 1.3 connection that can be trusted: {why}");
    let deliveries = answer.of_kind("delivery");
    let ended = deliveries.iter().filter(|line| line["state"] != "armed");
    let notes: Vec<&str> = ended.map(|line| line["note"].as_str().unwrap()).collect();
    assert!(!notes.is_empty(), "{}", answer.err);
    assert!(
        notes.iter().all(|note| note.starts_with(&said)),
        "{notes:?}"
    );
    let last = deliveries.last().unwrap();
    assert_eq!(last["state"], "expired", "{last}");
}

#[test]
fn a_certificate_that_proves_nothing_gets_no_request() {
    for (certificate, why) in [
        (
            "other-name.pem",
            "invalid peer certificate: certificate not valid for name",
        ),
        (
            "expired.pem",
            "invalid peer certificate: certificate expired",
        ),
        ("self-signed.pem", "invalid peer certificate: UnknownIssuer"),
    ] {
        let (told, taken) = mpsc::channel();
        let config = config(certificate, &TLS13);
        let address = listen(move |stream| told.send(take(stream, &config)).unwrap());
        check(&run(address), why);
        assert!(taken.try_iter().all(|request| request.is_none()));
    }
}

#[test]
fn an_old_receiver_gets_no_request() {
    let hello = |version: u8| {
        let mut hello = vec![0x16, 3, version, 0, 42, 2, 0, 0, 38, 3, version];
        hello.extend([7; 32]);
        // No session, RSA key exchange, no compression.
        hello.extend([0, 0, 0x2f, 0]);
        hello
    };
    let alert = |description: u8| vec![0x15, 3, 1, 0, 2, 2, description];
    for (said, why) in [
        (alert(70), "received fatal alert: ProtocolVersion"),
        (alert(40), "received fatal alert: HandshakeFailure"),
        (
            hello(2),
            "peer is incompatible: ServerDoesNotSupportTls12Or13",
        ),
        (hello(3), "peer misbehaved: SelectedUnofferedCipherSuite"),
    ] {
        let address = listen(move |mut stream| {
            let _hello = stream.read(&mut [0; 4_096]).unwrap();
            stream.write_all(&said).unwrap();
        });
        check(&run(address), why);
    }
}
