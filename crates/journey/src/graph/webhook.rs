//! What is a webhook block, once it is checked?

use std::sync::Arc;

use crate::definition::{Auth, Basis, DeliveryMode, IdentityNeed, Method, Secret};
use crate::expression::{Expression, Scope};
use crate::render::{Payload, Template};
use crate::url::UrlTemplate;

/// A webhook block.
#[derive(Clone, Debug)]
pub struct Webhook {
    /// The method.
    pub method: Method,
    /// Where the request goes.
    pub url: UrlTemplate,
    /// What allows it.
    pub consent: Consent,
    /// How it authenticates itself.
    pub auth: Option<Auth>,
    /// What its requests are signed with, the newest first; unsigned without.
    pub sign: Vec<Secret>,
    /// The author's headers.
    pub headers: Vec<(Arc<str>, Template)>,
    /// The body; none for a DELETE without one.
    pub payload: Option<Payload>,
    /// The last condition.
    pub when: Option<Expression>,
    /// Whom it may be about.
    pub identity: IdentityNeed,
    /// What its delivery promises.
    pub mode: DeliveryMode,
    /// Time for one attempt, in microseconds.
    pub timeout_us: i64,
    /// Time for all attempts, in microseconds.
    pub window_us: i64,
}

impl Webhook {
    /// Every expression in it: the condition, the URL, headers, the body, the address.
    #[must_use]
    pub fn expressions(&self) -> Vec<&Expression> {
        let mut found: Vec<&Expression> = self.when.iter().chain(self.url.expressions()).collect();
        let headers = self.headers.iter();
        found.extend(headers.flat_map(|(_, value)| value.expressions()));
        if let Some(body) = &self.payload {
            body.expressions(&mut found);
        }
        if let Consent::Category { address, .. } | Consent::Basis { address, .. } = &self.consent {
            found.extend(address);
        }
        found
    }

    /// What it reads of what started the walk, or ended its waits, and is not there, as written; each
    /// once.
    #[must_use]
    pub fn absent(&self, scope: &Scope<'_>) -> Vec<String> {
        let mut absent: Vec<String> = Vec::new();
        for expression in self.expressions() {
            for path in expression.absent(scope) {
                if !absent.contains(&path) {
                    absent.push(path);
                }
            }
        }
        absent
    }
}

/// What allows a webhook.
#[derive(Clone, Debug)]
pub enum Consent {
    /// An allowing verdict for a category.
    Category {
        /// The category.
        category: Arc<str>,
        /// The address, where the author wrote one.
        address: Option<Expression>,
    },
    /// Enforcement: the choice must be decline.
    Declined {
        /// The category.
        category: Arc<str>,
    },
    /// No category applies.
    Basis {
        /// The legal basis.
        basis: Basis,
        /// Why, for the record.
        because: Arc<str>,
        /// Where the request goes, where the author wrote it: nothing does that is suppressed.
        address: Option<Expression>,
    },
}
