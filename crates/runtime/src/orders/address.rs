//! Which address is meant, and what goes to it? Not here: what its suppression does
//! (`wayfare_consent`).

use std::sync::Arc;

use wayfare_consent::SuppressionKind;
use wayfare_event::{Identifier, Namespace};
use wayfare_executor::record::{Erased, Person, Suppressed};
use wayfare_executor::{Action, Key, Row};

use super::people::{self, Known};
use super::{OrderError, refused, unknown};
use crate::engine::Engine;

/// Nothing goes to an address any more.
pub(super) fn suppress(
    engine: &mut Engine,
    text: &str,
    kind: SuppressionKind,
) -> Result<Action, OrderError> {
    let address = address(engine, text)?;
    if let Some(held) = held(engine, &address)?
        && (held.kind == kind || held.kind.refuses_all())
    {
        return refused(&format!(
            "nothing goes to `{}` already, since {} ({}: {})",
            address.value,
            held.at,
            held.kind.as_str(),
            held.reason
        ));
    }
    if let Known::Erased(Erased {
        suppressed: true, ..
    }) = people::known(engine.store(), &address)?
    {
        return refused(&format!(
            "nothing goes to `{}` already: its person was erased and is kept out",
            address.value
        ));
    }
    Ok(Action::Suppress { address, kind })
}

/// What was said decides about an address again.
pub(super) fn unsuppress(engine: &mut Engine, text: &str) -> Result<Action, OrderError> {
    let address = address(engine, text)?;
    if held(engine, &address)?.is_none() {
        return refused(&format!("`{}` is not suppressed", address.value));
    }
    Ok(Action::Unsuppress(address))
}

fn held(engine: &mut Engine, address: &Identifier) -> Result<Option<Suppressed>, OrderError> {
    Ok(match engine.row(&Key::Person(address.clone()))? {
        Some(Row::Person(Person { record, .. })) => record.suppressed.clone(),
        Some(_) | None => None,
    })
}

/// An address as somebody writes it, with or without its namespace before it.
fn address(engine: &Engine, text: &str) -> Result<Identifier, OrderError> {
    let guessed = if text.contains('@') {
        Namespace::EMAIL
    } else {
        Namespace::PHONE
    };
    let named = [Namespace::EMAIL, Namespace::PHONE].into_iter();
    let mut named = named.filter_map(|it| Some((it, text.strip_prefix(it)?.strip_prefix(':')?)));
    let (namespace, value) = named.next().unwrap_or((guessed, text));
    let config = &engine.catalog().identity;
    let value: Option<Arc<str>> =
        wayfare_identity::normalise(config, &namespace.into(), value).map(|value| (*value).into());
    match value {
        Some(value) => Ok(Identifier::new(namespace, &value)),
        None => unknown(&format!(
            "`{text}` is no address: write an e-mail address, or a phone number such as \
             `+4930123456`"
        )),
    }
}
