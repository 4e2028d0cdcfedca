//! What does `consent:` say of the ways in which consent is told? Aliases, Global Privacy Control, the
//! purposes of the TCF. Not here: what an event then says (`wayfare_consent::sources`).

use std::collections::BTreeMap;
use std::sync::Arc;

use wayfare_consent::Category;
use wayfare_consent::sources::{Dialects, Hears};
use wayfare_event::limits::NAME_BYTES_MAX;
use wayfare_journey::diagnostic::{Code, Diagnostic};
use wayfare_journey::fields::{Fields, Problems};
use wayfare_journey::yaml::{Entry, Kind, Node};

use super::parts::{invalid, items, whole};

/// Purposes a TC string has room for.
const PURPOSE_MAX: i64 = 24;
/// The purposes there are so far.
const PURPOSES: &str = "1 to 11";

/// `tcf_vendor:` and `segment_missing_is_false:`.
pub(super) fn dialects(fields: &mut Fields<'_>, problems: &mut Problems) -> Dialects {
    let vendor = fields.get("tcf_vendor");
    let vendor = vendor.and_then(|node| whole(node, 1..=i64::from(u16::MAX), problems));
    Dialects {
        tcf_vendor: vendor.and_then(|it| u16::try_from(it).ok()),
        segment_missing_is_false: fields.flag("segment_missing_is_false", problems),
    }
}

/// `aliases:`, `gpc:` and `tcf:` of a category.
pub(super) fn hears(fields: &mut Fields<'_>, problems: &mut Problems) -> Hears {
    let aliases = fields.get("aliases");
    let aliases = aliases.map_or(&[][..], |node| items(node, "a list of names", problems));
    let aliases = aliases.iter().filter_map(|node| alias(node, problems));
    let aliases = aliases.collect();
    let gpc = fields.flag("gpc", problems);
    let purposes = fields.get("tcf");
    let purposes = purposes.and_then(|node| purposes_of(node, problems));
    Hears {
        aliases,
        gpc,
        purposes: purposes.unwrap_or_default(),
    }
}

/// Any text that an SDK may send: `C0004`, `Advertising`, `10c5ed…`.
fn alias(node: &Node, problems: &mut Problems) -> Option<Arc<str>> {
    let text = problems.text(node)?;
    if text.value.is_empty() || text.value.len() > NAME_BYTES_MAX {
        let message = format!("an alias has 1 to {NAME_BYTES_MAX} bytes");
        invalid(node, message, problems);
        return None;
    }
    Some(text.value.into())
}

fn purposes_of(node: &Node, problems: &mut Problems) -> Option<Vec<u8>> {
    let mut fields = problems.fields(node, "`tcf`")?;
    let list = fields.need("purposes", problems);
    fields.finish(problems);
    let list = list?;
    let numbers = items(list, "a list of purposes", problems);
    if numbers.is_empty() {
        if matches!(list.kind, Kind::List(_) | Kind::Null) {
            let message = "a category that the TCF speaks of needs purposes";
            problems.push(
                Diagnostic::new(Code::InvalidValue, list.span, message)
                    .hint(format!("write numbers from {PURPOSES}, such as [1, 7]")),
            );
        }
        return None;
    }
    let numbers = numbers.iter();
    let numbers = numbers.filter_map(|node| whole(node, 1..=PURPOSE_MAX, problems));
    Some(numbers.filter_map(|it| u8::try_from(it).ok()).collect())
}

/// What holds between categories: a name or alias means one of them, and who asks the TCF says who
/// they are in it.
pub(super) fn check(
    (categories, dialects): (&BTreeMap<Arc<str>, Category>, Dialects),
    written: &[&Entry],
    problems: &mut Problems,
) {
    let mut taken: BTreeMap<&str, &str> = BTreeMap::new();
    taken.extend(categories.keys().map(|name| (&**name, &**name)));
    for entry in written {
        let Some(aliases) = entry.value.entry("aliases") else {
            continue;
        };
        let Kind::List(nodes) = &aliases.value.kind else {
            continue;
        };
        for node in nodes {
            let Kind::Text(alias) = &node.kind else {
                continue;
            };
            if let Some(other) = taken.insert(alias, &entry.key) {
                let message = if other == alias {
                    format!("`{alias}` is the name of a category")
                } else {
                    format!("`{alias}` is an alias of `{other}` already")
                };
                invalid(node, message, problems);
            }
        }
    }
    let asks = written.iter().find_map(|entry| entry.value.entry("tcf"));
    if let Some(tcf) = asks.filter(|_| dialects.tcf_vendor.is_none()) {
        let message = "`tcf:` needs to know which vendor we are";
        problems.push(
            Diagnostic::new(Code::InvalidValue, tcf.key_span, message)
                .hint("write our id in the Global Vendor List as `consent: { tcf_vendor: 755 }`"),
        );
    }
}
