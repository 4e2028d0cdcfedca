//! Which statements of consent are kept? All that can still decide something, or tell what is news. Not
//! here: what they decide (`wayfare_consent`).

use wayfare_consent::Record;

/// Keeps a statement, and lets go those that cannot decide anything any more: an earlier one of the
/// same source and kind that said the same, for no longer. What another source said last stays, since
/// it tells what is news there (D06). The history has them all.
pub(super) fn remember(held: &mut Vec<Record>, said: &Record) {
    let same = |other: &Record| {
        let key = |it: &Record| {
            let words = (it.source.clone(), it.channel.clone(), it.method.clone());
            let strength = (it.pending, it.unverified, it.valid_from);
            (it.category.clone(), it.action, it.kind, strength, words)
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
        earlier.said_at() <= later.said_at() && outlives(later, earlier)
    };
    if held
        .iter()
        .any(|other| same(other) && covers(other, said) && other.at != said.at)
    {
        return;
    }
    held.retain(|other| !(same(other) && covers(said, other)));
    held.push(said.clone());
}
