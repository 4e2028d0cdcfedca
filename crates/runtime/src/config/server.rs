//! What does `server:` say? Where it listens, and who may speak to it. Not here: listening.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};

use wayfare_journey::definition::Secret;
use wayfare_journey::diagnostic::{Code, Diagnostic};
use wayfare_journey::fields::{Fields, Problems};
use wayfare_journey::yaml::Node;

use super::parts::{invalid, items, name, secret};

const KINDS: [(&str, KeyKind); 2] = [("browser", KeyKind::Browser), ("server", KeyKind::Server)];
const SCOPES: [(&str, Scope); 3] = [
    (Scope::Read.as_str(), Scope::Read),
    (Scope::Operate.as_str(), Scope::Operate),
    (Scope::Admin.as_str(), Scope::Admin),
];

/// The HTTP server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Who may send events.
    pub keys: Vec<WriteKey>,
    /// Who may look inside and operate.
    pub admin: Vec<AdminToken>,
    /// The key of the links with which somebody unsubscribes; without one there are none.
    pub unsubscribe: Option<Secret>,
}

impl Default for Server {
    /// On loopback, port 8080; no keys, no tokens.
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            keys: Vec::new(),
            admin: Vec::new(),
            unsubscribe: None,
        }
    }
}

/// A key that events are sent with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WriteKey {
    /// Its name in records and logs.
    pub id: String,
    /// How far what it sends is trusted.
    pub kind: KeyKind,
    /// The key.
    pub key: Secret,
}

/// How far what a key sends is trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyKind {
    /// Anybody can read it: claims are unverified.
    Browser,
    /// It is kept on a server.
    Server,
}

/// A token for the admin API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdminToken {
    /// Its name in records and logs.
    pub id: String,
    /// The token.
    pub token: Secret,
    /// What it may do.
    pub scopes: BTreeSet<Scope>,
}

/// What an admin token may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Look.
    Read,
    /// Pause, resume, stop, resend, resolve.
    Operate,
    /// Merge, detach, erase.
    Admin,
}

impl Scope {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Operate => "operate",
            Self::Admin => "admin",
        }
    }
}

pub(super) fn server(node: &Node, problems: &mut Problems) -> Server {
    let mut server = Server::default();
    let Some(mut fields) = problems.fields(node, "`server`") else {
        return server;
    };
    if let Some(node) = fields.get("listen") {
        server.listen = listen(node, problems).unwrap_or(server.listen);
    }
    let mut ids = BTreeSet::new();
    if let Some(node) = fields.get("keys") {
        let keys = items(node, "a list of keys", problems).iter();
        server.keys = keys
            .filter_map(|node| write_key(node, &mut ids, problems))
            .collect();
    }
    if let Some(node) = fields.get("admin") {
        let tokens = items(node, "a list of tokens", problems).iter();
        server.admin = tokens
            .filter_map(|node| admin_token(node, &mut ids, problems))
            .collect();
    }
    if let Some(node) = fields.get("unsubscribe") {
        server.unsubscribe = unsubscribe(node, problems);
    }
    fields.finish(problems);
    server
}

fn unsubscribe(node: &Node, problems: &mut Problems) -> Option<Secret> {
    let mut fields = problems.fields(node, "`unsubscribe`")?;
    let key = fields.need("key", problems);
    let key = key.and_then(|node| secret(node, problems));
    fields.finish(problems);
    key
}

fn listen(node: &Node, problems: &mut Problems) -> Option<SocketAddr> {
    let text = problems.text(node)?;
    let address = text.value.parse().ok();
    if address.is_none() {
        let message = format!("`{}` is not an address to listen on", text.value);
        problems.push(
            Diagnostic::new(Code::InvalidValue, node.span, message)
                .hint("write an address and a port, such as `127.0.0.1:8080` or `[::]:8080`"),
        );
    }
    address
}

fn write_key(node: &Node, ids: &mut BTreeSet<String>, problems: &mut Problems) -> Option<WriteKey> {
    let mut fields = problems.fields(node, "a write key")?;
    let id = id(&mut fields, ids, problems);
    let kind = fields.need("kind", problems);
    let kind = kind.and_then(|node| problems.word(node, &KINDS));
    let key = fields.need("key", problems);
    let key = key.and_then(|node| secret(node, problems));
    fields.finish(problems);
    Some(WriteKey {
        id: id?,
        kind: kind?,
        key: key?,
    })
}

fn admin_token(
    node: &Node,
    ids: &mut BTreeSet<String>,
    problems: &mut Problems,
) -> Option<AdminToken> {
    let mut fields = problems.fields(node, "an admin token")?;
    let id = id(&mut fields, ids, problems);
    let token = fields.need("token", problems);
    let token = token.and_then(|node| secret(node, problems));
    let scopes = fields.need("scopes", problems).map(|node| {
        let words = items(node, "a list of scopes", problems).iter();
        let scopes: BTreeSet<Scope> = words
            .filter_map(|node| problems.word(node, &SCOPES))
            .collect();
        scopes
    });
    fields.finish(problems);
    Some(AdminToken {
        id: id?,
        token: token?,
        scopes: scopes?,
    })
}

/// Who used a key is recorded by its id, so that no two have the same.
fn id(
    fields: &mut Fields<'_>,
    ids: &mut BTreeSet<String>,
    problems: &mut Problems,
) -> Option<String> {
    let node = fields.need("id", problems)?;
    let text = problems.text(node)?;
    name(&text, problems);
    if !ids.insert(text.value.clone()) {
        let message = format!("id `{}` is used twice, rename one of them", text.value);
        invalid(node, message, problems);
    }
    Some(text.value)
}
