//! Who operates? Admin tokens with their scopes, compared in constant time; on loopback without any,
//! whoever uses this machine.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::http::header::{AUTHORIZATION, HOST};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, StatusCode};
use wayfare_runtime::config::Scope;
use wayfare_webhook::SecretValue;

use super::auth::basic;
use super::problem::Problem;

/// Who gives orders where no tokens are configured.
const LOOPBACK: &str = "loopback";

/// Who may speak to the admin API.
#[derive(Debug)]
pub(crate) enum Tokens {
    /// Whoever has one of these.
    Of(Vec<Token>),
    /// Whoever uses this machine: no tokens, and only loopback is listened on.
    Loopback,
    /// Nobody: no tokens, and other machines reach the address.
    Nobody,
}

/// A token, hashed.
#[derive(Debug)]
pub(crate) struct Token {
    hash: blake3::Hash,
    id: Arc<str>,
    scopes: BTreeSet<Scope>,
}

impl Token {
    /// A token, the name it is recorded by, and what it may do.
    pub(crate) fn new(id: &str, token: &SecretValue, scopes: BTreeSet<Scope>) -> Self {
        Self {
            hash: blake3::hash(token.as_bytes()),
            id: id.into(),
            scopes,
        }
    }
}

impl Tokens {
    /// These tokens, for a server that listens here.
    pub(crate) fn new(tokens: Vec<Token>, address: SocketAddr) -> Self {
        if !tokens.is_empty() {
            Self::Of(tokens)
        } else if address.ip().is_loopback() {
            Self::Loopback
        } else {
            Self::Nobody
        }
    }

    /// Who sends a request that needs this scope.
    pub(super) fn operator(&self, headers: &HeaderMap, scope: Scope) -> Result<Arc<str>, Problem> {
        if basic(headers).is_some() {
            return Err(forbidden(
                "a write key sends events and gives no orders; those need an admin token: \
                 `Authorization: Bearer TOKEN`",
            ));
        }
        match self {
            Self::Of(tokens) => of(tokens, headers, scope),
            // A page in a browser here can send requests too, under the name it came from.
            Self::Loopback if names_loopback(headers) => Ok(LOOPBACK.into()),
            Self::Loopback => Err(forbidden(
                "without admin tokens, ask for this machine by its own name: 127.0.0.1 or localhost",
            )),
            Self::Nobody => Err(forbidden(
                "other machines reach this address and no admin tokens are configured; add \
                 `server: {admin: [...]}` to `wayfare.yaml`, or listen on 127.0.0.1",
            )),
        }
    }
}

fn of(tokens: &[Token], headers: &HeaderMap, scope: Scope) -> Result<Arc<str>, Problem> {
    let sent = bearer(headers).map(|token| blake3::hash(token.as_bytes()));
    // Hashes compare in constant time, and every token is compared.
    let found = |found, token: &'_ Token| {
        if sent == Some(token.hash) {
            Some((token.id.clone(), token.scopes.contains(&scope)))
        } else {
            found
        }
    };
    match tokens.iter().fold(None, found) {
        Some((id, true)) => Ok(id),
        Some((id, false)) => Err(forbidden(&format!(
            "token `{id}` has no scope `{}`; another one may have, or `wayfare.yaml` gives it",
            scope.as_str()
        ))),
        None => {
            let detail = "send a configured admin token: `Authorization: Bearer TOKEN`";
            let problem = Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", detail);
            Err(problem.challenging("Bearer"))
        }
    }
}

fn forbidden(detail: &str) -> Problem {
    Problem::new(StatusCode::FORBIDDEN, "forbidden", detail)
}

/// The token in `Authorization: Bearer TOKEN`.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    let is_bearer = scheme.eq_ignore_ascii_case("bearer");
    Some(token.trim()).filter(|token| is_bearer && !token.is_empty())
}

/// Whether a request is for this machine by a name that only this machine has.
fn names_loopback(headers: &HeaderMap) -> bool {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let Some(authority) = host.and_then(|host| host.parse::<Authority>().ok()) else {
        return false;
    };
    let host = authority.host().trim_matches(['[', ']']);
    let address = host.parse::<IpAddr>();
    host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|it| it.is_loopback())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use axum::http::header::HeaderName;

    use super::*;

    const HERE: SocketAddr = SocketAddr::new(IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 80);
    const ANYWHERE: SocketAddr = SocketAddr::new(IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED), 80);

    /// Who it is, or the code of the refusal.
    fn asked(tokens: &Tokens, (name, value): (HeaderName, &str), scope: Scope) -> String {
        let mut headers = HeaderMap::new();
        headers.insert(name, HeaderValue::from_str(value).unwrap());
        match tokens.operator(&headers, scope) {
            Ok(who) => who.to_string(),
            Err(problem) => problem.code().to_owned(),
        }
    }

    #[test]
    fn a_token_names_who_it_is_and_does_what_its_scopes_say() {
        let token = |id, text: &str, scopes: &[Scope]| {
            let text = SecretValue::new(text.to_owned());
            Token::new(id, &text, scopes.iter().copied().collect())
        };
        let ops = token("ops", "t0ken", &[Scope::Read, Scope::Operate]);
        let wall = token("wall", "screen", &[Scope::Read]);
        for address in [HERE, ANYWHERE] {
            let ops = token("ops", "t0ken", &[Scope::Read, Scope::Operate]);
            assert!(matches!(Tokens::new(vec![ops], address), Tokens::Of(_)));
        }
        let tokens = Tokens::new(vec![ops, wall], ANYWHERE);
        let check = |value: &str, scope, expected: &str| {
            assert_eq!(asked(&tokens, (AUTHORIZATION, value), scope), expected);
        };
        check("Bearer t0ken", Scope::Operate, "ops");
        check("bearer  t0ken", Scope::Read, "ops");
        check("Bearer t0ken", Scope::Admin, "forbidden");
        check("Bearer screen", Scope::Read, "wall");
        check("Bearer screen", Scope::Operate, "forbidden");
        check("Bearer t0ke", Scope::Read, "unauthorized");
        check("Bearer ", Scope::Read, "unauthorized");
        check("Basic t0ken", Scope::Read, "unauthorized");
        check("t0ken", Scope::Read, "unauthorized");
    }

    #[test]
    fn without_tokens_only_this_machine_asks_and_only_by_its_own_name() {
        let check = |address, host: &str, expected: &str| {
            let tokens = Tokens::new(Vec::new(), address);
            assert_eq!(
                asked(&tokens, (HOST, host), Scope::Operate),
                expected,
                "{host}"
            );
        };
        check(HERE, "127.0.0.1:8080", "loopback");
        check(HERE, "127.9.9.9", "loopback");
        check(HERE, "[::1]:8080", "loopback");
        check(HERE, "LocalHost:8080", "loopback");
        check(HERE, "rebound.example:8080", "forbidden");
        check(HERE, "localhost.example", "forbidden");
        check(HERE, "10.0.0.1", "forbidden");
        check(ANYWHERE, "127.0.0.1", "forbidden");
    }
}
