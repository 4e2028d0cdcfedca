//! What does our own `consent` event say? It was read with the event; here its category is found.

use wayfare_event::{ConsentStatement, Rejection, RejectionCode};

use super::{Dialect, Said, Tense};
use crate::Config;

/// The statement of a `consent` event. One about nothing we know is refused: its sender means it to
/// count.
pub(super) fn said(config: &Config, statement: &ConsentStatement) -> Result<Said, Rejection> {
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
