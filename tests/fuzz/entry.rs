//! What do bytes from outside meet first, and what holds whatever they are? One function for each
//! place, which panics when something does not hold. Not here: where the bytes come from (`main`,
//! `longer`, and libFuzzer's targets, which are named like these).

mod event;
mod expression;
mod frame;
mod journey;
mod record;
mod scope;
mod template;

/// Takes any bytes, and panics when something does not hold that should.
type Read = fn(&[u8]);

/// The entry points, by their names.
pub(crate) const TARGETS: [(&str, Read); 6] = [
    ("event", event::read),
    ("journey", journey::read),
    ("expression", expression::read),
    ("template", template::read),
    ("frame", frame::read),
    ("record", record::read),
];

/// Gives bytes to the entry point of this name.
///
/// # Panics
///
/// When something does not hold that should.
pub(crate) fn read(target: &str, bytes: &[u8]) {
    let (_, read) = TARGETS
        .iter()
        .find(|(name, _)| *name == target)
        .expect("targets are named by TARGETS");
    read(bytes);
}
