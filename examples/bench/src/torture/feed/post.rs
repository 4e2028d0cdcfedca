//! How does one client post to the server? Over a connection it keeps, and with a clear answer or none.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// How long a client waits for an answer.
const ANSWER_MAX: Duration = Duration::from_secs(10);

/// A client and its connection.
#[derive(Debug)]
pub(super) struct Client {
    server: SocketAddr,
    connection: Option<BufReader<TcpStream>>,
}

/// What came of a request.
#[derive(Debug)]
pub(super) enum Posted {
    /// It was answered: the status, and the body.
    Answered(u16, String),
    /// There was no whole answer: the server may have taken it or not.
    Unclear,
    /// Nobody listened.
    NotSent,
}

impl Client {
    pub(super) const fn of(server: SocketAddr) -> Self {
        Self {
            server,
            connection: None,
        }
    }

    /// Posts.
    pub(super) fn post(&mut self, path: &str, body: &str) -> Posted {
        let Some(mut connection) = self.connection.take().or_else(|| self.connect().ok()) else {
            return Posted::NotSent;
        };
        let length = body.len();
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: torture\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        let written = connection.get_mut().write_all(request.as_bytes());
        match written.and_then(|()| read(&mut connection)) {
            Ok((status, body)) => {
                self.connection = Some(connection);
                Posted::Answered(status, body)
            }
            Err(_) => Posted::Unclear,
        }
    }

    fn connect(&self) -> std::io::Result<BufReader<TcpStream>> {
        let stream = TcpStream::connect(self.server)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(ANSWER_MAX))?;
        Ok(BufReader::new(stream))
    }
}

fn read(connection: &mut BufReader<TcpStream>) -> std::io::Result<(u16, String)> {
    let torn = || std::io::Error::from(std::io::ErrorKind::UnexpectedEof);
    let mut line = String::new();
    connection.read_line(&mut line)?;
    let status = line.split(' ').nth(1).and_then(|word| word.parse().ok());
    let status = status.ok_or_else(torn)?;
    let mut length = 0;
    loop {
        line.clear();
        connection.read_line(&mut line)?;
        if !line.ends_with('\n') {
            return Err(torn());
        }
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            break;
        };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.parse().map_err(|_| torn())?;
        }
    }
    let mut body = vec![0; length];
    connection.read_exact(&mut body)?;
    let body = String::from_utf8_lossy(&body).into_owned();
    Ok((status, body))
}
