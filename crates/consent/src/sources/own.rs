//! What does our own `consent` event say? It was read with the event; here its category is found.

use wayfare_event::{ConsentAction, ConsentStatement, Event, Rejection, RejectionCode};

use super::{Dialect, Said, Tense};
use crate::{Binding, Channel, Config};

/// The statement of a `consent` event. One about nothing we know is refused: its sender means it to
/// count.
pub(super) fn said(
    config: &Config,
    event: &Event,
    statement: &ConsentStatement,
) -> Result<Said, Rejection> {
    let spoken = &statement.category;
    // What is said of a whole, or of everything, has that name also where only parts are configured.
    let whole = || config.covered_by(spoken).next().map(|_| spoken);
    let Some(category) = config.called(spoken).or_else(whole) else {
        let known: Vec<&str> = config.names().map(|name| &**name).collect();
        let message = format!(
            "no category `{}` is configured; known are {}, others go into `wayfare.yaml`",
            statement.category,
            known.join(", ")
        );
        return Err(Rejection::new(RejectionCode::InvalidConsent, message));
    };
    if let Some(needed) = missing(config, event, statement, category) {
        let message = format!(
            "`{category}` is about {needed}: send the address it is, or leave the other one out and say \
             whose it is with a `userId`"
        );
        return Err(Rejection::new(RejectionCode::InvalidConsent, message));
    }
    Ok(Said {
        statement: ConsentStatement {
            category: category.clone(),
            ..statement.clone()
        },
        dialect: Dialect::Consent,
        tense: Tense::Decided,
        at: None,
    })
}

/// The field that a statement lacks which gives an address of another channel than its category's: it
/// would count for nothing. A refusal that also says whose it is counts for the person.
fn missing(
    config: &Config,
    event: &Event,
    statement: &ConsentStatement,
    category: &str,
) -> Option<&'static str> {
    let Binding::Address(channel) = config.category(category)?.binding else {
        return None;
    };
    let (own, other, field) = match channel {
        Channel::Email => (&statement.email, &statement.phone, "an `email`"),
        Channel::Phone => (&statement.phone, &statement.email, "a `phone`"),
    };
    let is_named = event.user_id.is_some() || event.anonymous_id.is_some();
    let counts = statement.action == ConsentAction::Decline && is_named;
    (own.is_none() && other.is_some() && !counts).then_some(field)
}
