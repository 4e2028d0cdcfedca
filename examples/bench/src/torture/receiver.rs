//! What comes over the wire? A receiver that treats requests as a seed says and records each: who it
//! was, whether all of it came, and what was answered. It shares nothing with the program's own.

mod behaviour;

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::evidence::{Answer, Kind, Request};
use super::pace::{Pace, pause};
use crate::chance::Chance;

pub(super) use behaviour::Behaviour;

/// How long a stalled connection is held at most: longer than any sender waits.
const STALL_MAX: Duration = Duration::from_secs(20);
/// Connections between two spells in which nobody listens, on average.
const CONNECTIONS_A_SPELL: u64 = 500;
/// The longest such spell.
const SPELL_MAX: Duration = Duration::from_millis(300);
/// What a slow receiver takes.
const SLOW: Duration = Duration::from_millis(300);

/// How requests are treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manner {
    /// Each as the seed says, and now and then nobody listens.
    Unkind,
    /// All alike.
    Always(Behaviour),
}

/// What was recorded.
#[derive(Debug, Default)]
pub(super) struct Record {
    /// Requests, in the order in which their heads were there.
    pub(super) requests: Vec<Request>,
    /// Ids that came.
    ids: BTreeSet<String>,
    /// How many requests were treated how.
    pub(super) treated: BTreeMap<Behaviour, u64>,
}

/// The receiver, listening on one port for each kind.
#[derive(Debug)]
pub(super) struct Receiver {
    pace: Pace,
    record: Mutex<Record>,
    manner: Mutex<Manner>,
    /// Connections that ended before a head was whole.
    pub(super) torn: AtomicU64,
    /// Spells in which nobody listened.
    pub(super) spells: AtomicU64,
    /// Requests under their first id, less those expected: what the load goes by.
    pub(super) owed: AtomicI64,
    stopped: AtomicBool,
}

impl Receiver {
    /// Listens; the ports by kind.
    pub(super) fn listen(
        pace: Pace,
        (kinds, manner): (&[Kind], Manner),
        chance: &mut Chance,
    ) -> anyhow::Result<(Arc<Self>, BTreeMap<Kind, u16>)> {
        let receiver = Arc::new(Self {
            pace,
            record: Mutex::default(),
            manner: Mutex::new(manner),
            torn: AtomicU64::new(0),
            spells: AtomicU64::new(0),
            owed: AtomicI64::new(0),
            stopped: AtomicBool::new(false),
        });
        let mut ports = BTreeMap::new();
        for (number, kind) in (0..).zip(kinds.iter().copied()) {
            let listener = TcpListener::bind(("127.0.0.1", 0))?;
            let address = listener.local_addr()?;
            ports.insert(kind, address.port());
            let (receiver, chance) = (receiver.clone(), chance.split(number));
            std::thread::spawn(move || receiver.accept(kind, (listener, address), chance));
        }
        Ok((receiver, ports))
    }

    /// From now on requests are treated so.
    pub(super) fn treat(&self, manner: Manner) {
        *self.manner.lock().unwrap_or_else(PoisonError::into_inner) = manner;
    }

    /// What was recorded so far.
    pub(super) fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the record; nothing is recorded any more.
    pub(super) fn close(&self) -> Record {
        self.stopped.store(true, Ordering::Release);
        std::mem::take(&mut *self.record())
    }

    fn manner(&self) -> Manner {
        *self.manner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn accept(
        self: &Arc<Self>,
        kind: Kind,
        (listener, address): (TcpListener, SocketAddr),
        mut chance: Chance,
    ) {
        let mut listening = Some(listener);
        while !self.stopped.load(Ordering::Acquire) {
            let Some(listener) = listening.take() else {
                // The port is ours: whoever has it for a moment was given it by chance.
                listening = TcpListener::bind(address).ok();
                if listening.is_none() {
                    pause(SPELL_MAX / 10);
                }
                continue;
            };
            if let Ok((stream, _)) = listener.accept() {
                let (receiver, chance) = (self.clone(), chance.split(0));
                std::thread::spawn(move || receiver.serve(kind, &stream, chance));
            }
            if self.manner() == Manner::Unkind && chance.below(CONNECTIONS_A_SPELL) == 0 {
                drop(listener);
                self.spells.fetch_add(1, Ordering::Relaxed);
                pause(chance.up_to(SPELL_MAX));
            } else {
                listening = Some(listener);
            }
        }
    }

    /// Takes the requests of a connection until one of them ends it.
    fn serve(&self, kind: Kind, stream: &TcpStream, mut chance: Chance) {
        let mut reader = BufReader::new(stream);
        // Without it an answer in pieces would wait for the pieces.
        if stream.set_nodelay(true).is_err() || stream.set_read_timeout(Some(STALL_MAX)).is_err() {
            return;
        }
        while let Some((request, length)) = self.head(kind, &mut reader) {
            let behaviour = match self.manner() {
                Manner::Unkind => Behaviour::drawn(&mut chance),
                Manner::Always(behaviour) => behaviour,
            };
            let place = self.note(request, behaviour);
            let connection = Connection {
                receiver: self,
                place,
                stream,
            };
            if connection
                .treat(behaviour, &mut reader, length)
                .unwrap_or(false)
            {
                continue;
            }
            return;
        }
    }

    /// The next head, and how long its body is; nothing when none came whole.
    fn head(&self, kind: Kind, reader: &mut BufReader<&TcpStream>) -> Option<(Request, usize)> {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return None;
        }
        let mut request = Request {
            id: String::new(),
            key: String::new(),
            kind,
            line: line.trim_end().trim_end_matches(" HTTP/1.1").to_owned(),
            body: None,
            at_ms: 0,
            answer: Answer::Nothing,
        };
        let mut length = 0;
        loop {
            line.clear();
            if reader.read_line(&mut line).unwrap_or(0) == 0 || !line.ends_with('\n') {
                self.torn.fetch_add(1, Ordering::Relaxed);
                return None;
            }
            let Some((name, value)) = line.trim_end().split_once(": ") else {
                request.at_ms = self.pace.ms();
                return Some((request, length));
            };
            match name.to_ascii_lowercase().as_str() {
                "webhook-id" => value.clone_into(&mut request.id),
                "idempotency-key" => value.clone_into(&mut request.key),
                "content-length" => length = value.parse().unwrap_or(0),
                _ => {}
            }
        }
    }

    fn note(&self, request: Request, behaviour: Behaviour) -> usize {
        let mut record = self.record();
        *record.treated.entry(behaviour).or_default() += 1;
        if record.ids.insert(request.id.clone()) {
            self.owed.fetch_sub(1, Ordering::Relaxed);
        }
        record.requests.push(request);
        record.requests.len() - 1
    }
}

/// One request under way.
struct Connection<'a> {
    receiver: &'a Receiver,
    /// The request's place in the record.
    place: usize,
    stream: &'a TcpStream,
}

impl Connection<'_> {
    /// Treats the request; whether another one may come.
    fn treat(
        &self,
        behaviour: Behaviour,
        reader: &mut BufReader<&TcpStream>,
        length: usize,
    ) -> std::io::Result<bool> {
        match behaviour {
            Behaviour::ResetUnread => return self.reset(),
            Behaviour::Half => {
                reader.read_exact(&mut vec![0; length / 2])?;
                return Ok(false);
            }
            Behaviour::Prompt
            | Behaviour::Slow
            | Behaviour::Stall
            | Behaviour::ResetRead
            | Behaviour::Status(..)
            | Behaviour::Garbage
            | Behaviour::BodyStalls
            | Behaviour::Pieces
            | Behaviour::HalfStatus => self.body(reader, length)?,
        }
        match behaviour {
            Behaviour::ResetRead => self.reset(),
            Behaviour::Prompt => self.status(204, false),
            Behaviour::Slow => {
                pause(SLOW);
                self.status(204, false)
            }
            Behaviour::Status(status, retry_after) => self.status(status, retry_after),
            Behaviour::Garbage => {
                self.write("SSH-2.0-OpenSSH_9.6\r\n")?;
                Ok(false)
            }
            Behaviour::BodyStalls => {
                self.write("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf")?;
                self.answered(200, false);
                wait(reader)
            }
            Behaviour::Pieces => {
                for piece in ["HTTP/1.1 2", "04 No Content\r\n", "X-Slow: yes\r\n"] {
                    self.write(piece)?;
                    pause(SLOW);
                }
                self.write("\r\n")?;
                self.answered(204, false);
                Ok(true)
            }
            Behaviour::HalfStatus => {
                self.write("HTTP/1.1 20")?;
                wait(reader)
            }
            Behaviour::Stall | Behaviour::Half | Behaviour::ResetUnread => wait(reader),
        }
    }

    fn body(&self, reader: &mut BufReader<&TcpStream>, length: usize) -> std::io::Result<()> {
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let mut hasher = DefaultHasher::new();
        body.hash(&mut hasher);
        self.change(|request| request.body = Some(hasher.finish()));
        Ok(())
    }

    fn status(&self, status: u16, retry_after: bool) -> std::io::Result<bool> {
        let retry = if retry_after {
            "Retry-After: 1\r\n"
        } else {
            ""
        };
        let place = if status == 302 {
            "Location: /elsewhere\r\n"
        } else {
            ""
        };
        let length = if status == 204 {
            ""
        } else {
            "Content-Length: 0\r\n"
        };
        self.write(&format!(
            "HTTP/1.1 {status} As Told\r\n{retry}{place}{length}\r\n"
        ))?;
        self.answered(status, retry_after);
        Ok(true)
    }

    fn reset(&self) -> std::io::Result<bool> {
        rustix::net::sockopt::set_socket_linger(self.stream, Some(Duration::ZERO))?;
        Ok(false)
    }

    fn write(&self, text: &str) -> std::io::Result<()> {
        let mut stream = self.stream;
        stream.write_all(text.as_bytes())
    }

    fn answered(&self, status: u16, retry_after: bool) {
        let at_ms = self.receiver.pace.ms();
        self.change(|request| {
            request.answer = Answer::Status {
                status,
                retry_after,
                at_ms,
            };
        });
    }

    fn change(&self, change: impl FnOnce(&mut Request)) {
        if let Some(request) = self.receiver.record().requests.get_mut(self.place) {
            change(request);
        }
    }
}

/// Waits until the other side has had enough; nothing more may come.
fn wait(reader: &mut BufReader<&TcpStream>) -> std::io::Result<bool> {
    reader.read_exact(&mut [0])?;
    Ok(false)
}
