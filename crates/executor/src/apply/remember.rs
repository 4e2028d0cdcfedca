//! Which statements of consent are kept? All that can still decide something, or tell what is news. Not
//! here: what they decide (`wayfare_consent`).

use wayfare_consent::Record;
use wayfare_event::ConsentAction;

/// Statements kept of one subject (SP 10: a record is bounded).
const STATEMENTS_MAX: usize = 64;

/// Keeps a statement, and lets go those that cannot decide anything any more: an earlier one of the
/// same source, browser and kind that said the same, for no longer. What another source or browser said
/// last stays, since it tells what is news there (D06). The history has them all.
pub(super) fn remember(held: &mut Vec<Record>, said: &Record) {
    let same = |other: &Record| {
        let key = |it: &Record| {
            let words = (it.source.clone(), it.channel.clone(), it.method.clone());
            let strength = (it.pending, it.unverified, it.valid_from);
            let of = (it.category.clone(), it.action, it.kind, it.browser);
            (of, strength, words)
        };
        key(other) == key(said)
    };
    let outlives = |longer: &Record, shorter: &Record| {
        longer.valid_until.is_none_or(|end| {
            let ends = shorter.valid_until;
            ends.is_some_and(|shorter| shorter <= end)
        })
    };
    let covers = |later: &Record, earlier: &Record| {
        let is_as_good = !later.undated || earlier.undated;
        earlier.said_at() <= later.said_at() && is_as_good && outlives(later, earlier)
    };
    if held
        .iter()
        .any(|other| same(other) && covers(other, said) && other.at != said.at)
    {
        return;
    }
    held.retain(|other| !(same(other) && covers(said, other)));
    held.push(said.clone());
    if held.len() > STATEMENTS_MAX {
        let_go(held);
    }
}

/// One statement too many goes, and nothing is allowed by it that was not: the oldest acceptance, those
/// told with a public key first; else a refusal that a later one repeats.
fn let_go(held: &mut Vec<Record>) {
    let oldest = |may_go: &dyn Fn(&Record) -> bool| {
        let places = held.iter().enumerate().filter(|(_, it)| may_go(it));
        let oldest = places.min_by_key(|(_, it)| (it.said_at(), &it.id));
        oldest.map(|(place, _)| place)
    };
    let accepts = |it: &Record| it.action == ConsentAction::Accept;
    let repeats = |later: &Record, earlier: &Record| {
        let key = |it: &Record| (it.category.clone(), it.kind, it.channel.clone());
        !accepts(later) && key(later) == key(earlier) && later.said_at() > earlier.said_at()
    };
    let is_repeated = |it: &Record| !accepts(it) && held.iter().any(|other| repeats(other, it));
    let place = oldest(&|it| accepts(it) && it.unverified)
        .or_else(|| oldest(&accepts))
        .or_else(|| oldest(&is_repeated));
    if let Some(place) = place {
        held.remove(place);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wayfare_event::Timestamp;

    fn said(action: ConsentAction, at_us: i64, method: &str, unverified: bool) -> Record {
        let at = Timestamp::from_micros(at_us);
        Record {
            unverified,
            method: Some(method.into()),
            ..Record::new("marketing", action, at, &format!("r{at_us}"))
        }
    }

    #[test]
    fn a_flood_of_statements_is_bounded_and_lifts_no_refusal() {
        let mut held = Vec::new();
        remember(&mut held, &said(ConsentAction::Accept, 1, "server", false));
        remember(
            &mut held,
            &said(ConsentAction::Decline, 2, "one_click", false),
        );
        for at_us in 3..500 {
            let method = format!("m{at_us}");
            remember(
                &mut held,
                &said(ConsentAction::Accept, at_us, &method, true),
            );
        }
        assert_eq!(held.len(), STATEMENTS_MAX);
        let ids: Vec<&str> = held.iter().map(|it| &*it.id).collect();
        assert!(ids.contains(&"r1") && ids.contains(&"r2") && ids.contains(&"r499"));
        for at_us in 500..900 {
            let method = format!("m{at_us}");
            remember(
                &mut held,
                &said(ConsentAction::Decline, at_us, &method, true),
            );
        }
        assert_eq!(held.len(), STATEMENTS_MAX);
        assert!(held.iter().any(|it| &*it.id == "r899"));
        assert!(held.iter().all(|it| it.action == ConsentAction::Decline));
    }
}
