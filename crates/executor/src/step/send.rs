//! How does an instance end? In one decision; at a webhook block the last questions are asked
//! first: is the person known, does the last condition hold, may we, is everything there (SP 22).

use wayfare_consent::{Binding, Question, SuppressionKind};
use wayfare_event::{Identifier, InstanceId, TargetId, Value};
use wayfare_journey::definition::Method;
use wayfare_journey::{Consent, Rendered, Webhook};

use super::judge::Ground;
use super::who::{self, Live, Who};
use super::work::{NotYet, Work};
use super::{erase, erased};
use crate::catalog::Sending;
use crate::change::Change;
use crate::record::{ConsentAsked, Decision, DecisionOutcome, Permission, Request, Terms};

/// The decision of an instance at its block, still without what a request needs.
pub(crate) fn decision(
    work: &Work<'_>,
    who: &Who,
    live: &Live,
    outcome: DecisionOutcome,
) -> Decision {
    Decision {
        id: live.id.decision(),
        at: work.at,
        journey: live.instance.journey.clone(),
        version: live.instance.version,
        block: live.instance.block.clone(),
        profile: who.id,
        owner: live.owner.clone(),
        key: live.instance.key.clone(),
        outcome,
        reason: None,
        consent: None,
        request: None,
        terms: None,
        turn: work.turn(),
        request_hash: None,
        hops: live.instance.hops.max(work.hops),
    }
}

/// Ends an instance.
pub(crate) fn decide(work: &mut Work<'_>, decision: Decision, reason: Option<String>) {
    let walk = InstanceId::from_bytes(*decision.id.as_bytes());
    let owner = decision.owner.clone();
    let is_owed = decision.terms.is_some();
    work.make(Change::Decided(Box::new(Decision { reason, ..decision })));
    if !is_owed {
        erase::over(work, &owner, walk);
    }
}

/// Takes the terminal decision of a webhook block.
pub(crate) fn webhook(
    work: &mut Work<'_>,
    ground: &Ground<'_>,
    live: &Live,
    webhook: &Webhook,
) -> Result<(), NotYet> {
    let who = &*ground.who;
    let end = |work: &Work<'_>, outcome| decision(work, who, live, outcome);
    if !who.is_known_for(webhook) {
        let decision = end(work, DecisionOutcome::Unresolved);
        decide(work, decision, None);
        return Ok(());
    }
    if let Some(when) = &webhook.when
        && !ground.holds(work, when, None)
    {
        let decision = end(work, DecisionOutcome::Declined);
        decide(work, decision, Some(when.source().to_owned()));
        return Ok(());
    }
    let asked = asked(work, ground, &webhook.consent);
    let permission = permission(work, who, asked)?;
    if !permission.verdict.allowed {
        let reason = permission.verdict.reason.as_str().to_owned();
        let mut decision = end(work, DecisionOutcome::Suppressed);
        decision.consent = Some(permission);
        decide(work, decision, Some(reason));
        return Ok(());
    }
    let rendered = ground.with_scope(work, None, |scope| webhook.render(scope));
    match rendered {
        Err(error) => {
            let mut decision = end(work, DecisionOutcome::RenderFailed);
            decision.consent = Some(permission);
            decide(work, decision, Some(error.to_string()));
        }
        Ok(rendered) => {
            let outcome = if live.instance.holdout {
                DecisionOutcome::Holdout
            } else {
                DecisionOutcome::Webhook
            };
            let mut decision = end(work, outcome);
            decision.consent = Some(permission);
            let request = request(webhook, rendered);
            decision.terms = match work.catalog.sending {
                Sending::Dry => None,
                Sending::Owed if live.instance.holdout => None,
                Sending::Owed => Some(terms(webhook, &request, who)),
            };
            decision.request_hash = Some(request.hash());
            decision.request = Some(request);
            decide(work, decision, None);
        }
    }
    Ok(())
}

/// What is rendered, with what it proves itself by.
pub(crate) fn request(webhook: &Webhook, rendered: Rendered) -> Request {
    Request {
        method: rendered.method,
        base: rendered.base,
        url: rendered.url,
        headers: rendered.headers,
        auth: webhook.auth.clone(),
        sign: webhook.sign.clone(),
        body: rendered.body.map(|body| body.to_string()),
    }
}

/// How a request is to be delivered. A PUT or a DELETE has its turn among all requests for what it
/// acts on: what its path names, or the profile's part of a path that is the same for everybody.
pub(crate) fn terms(webhook: &Webhook, request: &Request, who: &Who) -> Terms {
    let target = || {
        let profile = (!webhook.url.names_a_target()).then_some(who.id);
        let (origin, path) = request.target();
        TargetId::derive(&origin, path, profile)
    };
    Terms {
        mode: webhook.mode,
        timeout_us: webhook.timeout_us,
        window_us: webhook.window_us,
        target: match request.method {
            Method::Post => None,
            Method::Put | Method::Delete => Some(target()),
        },
        is_varied: webhook.url.is_varied(),
    }
}

/// What a webhook block asks, with the address it asks about: the one written, else what changed,
/// else the profile's (SP 19).
pub(crate) fn asked(work: &Work<'_>, ground: &Ground<'_>, consent: &Consent) -> ConsentAsked {
    let bound = |category: &str, written: Option<Option<Identifier>>| {
        let binding = work.catalog.consent.category(category)?.binding;
        let Binding::Address(channel) = binding else {
            return None;
        };
        written.unwrap_or_else(|| {
            let own = || ground.who.address(work, channel.namespace());
            ground.about_by(channel).cloned().or_else(own)
        })
    };
    match consent {
        Consent::Category { category, address } => {
            let written = address.as_ref().map(|path| {
                let value = ground.with_scope(work, None, |scope| path.value(scope).into_owned());
                let namespace = match work.catalog.consent.category(category)?.binding {
                    Binding::Address(channel) => channel.namespace(),
                    Binding::Profile => return None,
                };
                who::address(work, namespace, Value::as_text(&value)?)
            });
            ConsentAsked::Category {
                address: bound(category, written),
                category: category.clone(),
            }
        }
        Consent::Declined { category } => ConsentAsked::Declined {
            address: bound(category, None),
            category: category.clone(),
        },
        Consent::Basis {
            basis,
            because,
            address,
        } => ConsentAsked::Basis {
            basis: *basis,
            because: because.clone(),
            address: address.as_ref().and_then(|path| {
                let value = ground.with_scope(work, None, |scope| path.value(scope).into_owned());
                who::any_address(work, value.as_text()?)
            }),
        },
    }
}

/// Why nothing goes to an address, if so: its person was erased and is kept out, or it is suppressed.
fn suppression(
    work: &Work<'_>,
    address: Option<&Identifier>,
) -> Result<Option<SuppressionKind>, NotYet> {
    let Some(address) = address else {
        return Ok(None);
    };
    if erased::keeps_out(work, address)? {
        return Ok(Some(SuppressionKind::Erased));
    }
    let record = work.rows.record(address);
    let suppressed = record.and_then(|record| record.suppressed.as_ref());
    Ok(suppressed.map(|suppressed| suppressed.kind))
}

/// The verdict on what is asked, from the records as they are now.
pub(crate) fn permission(
    work: &Work<'_>,
    who: &Who,
    asked: ConsentAsked,
) -> Result<Permission, NotYet> {
    let (category, address) = match &asked {
        ConsentAsked::Basis { address, .. } => {
            let verdict = wayfare_consent::basis(suppression(work, address.as_ref())?);
            return Ok(Permission { asked, verdict });
        }
        ConsentAsked::Category { category, address }
        | ConsentAsked::Declined { category, address } => (category, address),
    };
    let suppressed = suppression(work, address.as_ref())?;
    let config = &work.catalog.consent;
    let question = Question {
        suppressed,
        jurisdiction: &who.jurisdiction,
        ..Question::new(category, address.as_ref(), work.at)
    };
    let said = who.consent(&work.rows, address.as_ref());
    let linked_at = who.linked_at(work);
    let verdict = match &asked {
        ConsentAsked::Declined { .. } => {
            wayfare_consent::enforcement(config, &question, said, linked_at)
        }
        ConsentAsked::Category { .. } | ConsentAsked::Basis { .. } => {
            wayfare_consent::verdict(config, &question, said, linked_at)
        }
    };
    Ok(Permission { asked, verdict })
}
