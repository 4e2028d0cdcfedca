//! What does Global Privacy Control say? That the categories it is configured for are refused; it
//! never accepts anything. The server notes the header `Sec-GPC: 1` as `context.gpc: true`.

use wayfare_event::{ConsentAction, Value};

use super::{Dialect, Heard};
use crate::Config;

/// What holds by the signal: exactly `true`, else there is none (K-08, D33).
pub(super) fn observed(config: &Config, value: &Value, heard: &mut Heard) {
    if *value != Value::Bool(true) {
        return;
    }
    for (name, category) in config.categories() {
        if category.hears.gpc {
            heard.holds(Dialect::Gpc, name, ConsentAction::Decline);
        }
    }
}
