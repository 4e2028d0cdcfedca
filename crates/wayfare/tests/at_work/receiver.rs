//! What came over the wire, byte for byte? A receiver that shares no code with the program's own.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc;
use std::time::Duration;

/// One request, as it came.
#[derive(Debug)]
pub(crate) struct Arrived {
    /// Method and path.
    pub(crate) line: String,
    /// Names in lower case, and values.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
    answer: mpsc::Sender<u16>,
}

impl Arrived {
    /// The one value of a header.
    pub(crate) fn header(&self, name: &str) -> &str {
        let mut named = self.headers.iter().filter(|(held, _)| held == name);
        let value = named.next().map_or("", |(_, value)| value);
        assert!(named.next().is_none(), "`{name}` came twice");
        value
    }

    /// Lets it be answered with this status.
    pub(crate) fn answer(&self, status: u16) {
        self.answer.send(status).unwrap();
    }
}

/// How long a request may be on its way before the test gives up.
const PATIENCE: Duration = Duration::from_secs(60);

/// The next request.
pub(crate) fn next(inbox: &mpsc::Receiver<Arrived>) -> Arrived {
    inbox.recv_timeout(PATIENCE).unwrap()
}

/// Listens on a free port and hands over each request; it is answered when the test says so.
pub(crate) fn listen() -> (SocketAddr, mpsc::Receiver<Arrived>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let (arrived, inbox) = mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.unwrap());
            let (answer, answered) = mpsc::channel();
            let (line, headers) = head(&mut stream);
            let mut request = Arrived {
                line,
                headers,
                body: String::new(),
                answer,
            };
            let length = request.header("content-length").parse().unwrap_or(0);
            stream
                .by_ref()
                .take(length)
                .read_to_string(&mut request.body)
                .unwrap();
            // The test may be over.
            if arrived.send(request).is_err() {
                return;
            }
            let Ok(status) = answered.recv() else {
                continue;
            };
            let text = format!(
                "HTTP/1.1 {status} As Told\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            );
            stream.get_mut().write_all(text.as_bytes()).unwrap();
        }
    });
    (address, inbox)
}

fn head(stream: &mut impl std::io::BufRead) -> (String, Vec<(String, String)>) {
    let mut lines = stream.lines().map(Result::unwrap);
    let line = lines.next().unwrap();
    let line = line.strip_suffix(" HTTP/1.1").unwrap().to_owned();
    let headers = lines.take_while(|line| !line.is_empty()).map(|line| {
        let (name, value) = line.split_once(':').unwrap();
        (name.to_ascii_lowercase(), value.trim().to_owned())
    });
    (line, headers.collect())
}
