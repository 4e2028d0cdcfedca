//! Does consent that is brought over from another system say so? Told from the event alone, without a
//! clock, so that a replay refuses the same. Not here: how far an import counts (`consent`).

use crate::{Event, Rejection, RejectionCode, Timestamp};

/// How long before it is sent an import may have been written down and still be of now: five minutes,
/// in microseconds.
const AGE_US_MAX: i64 = 5 * 60 * 1_000_000;

/// Consent that is brought over is dated back in so many words, or not at all (SP 21, D22). An SDK
/// that dates everything by itself says when it sends, and then an import may be of now.
pub(crate) fn check(event: &Event) -> Result<(), Rejection> {
    let said = event.consent.as_ref();
    let source = said.and_then(|said| said.source.as_deref());
    let is_import = source.is_some_and(|it| it.trim().eq_ignore_ascii_case("import"));
    let Some(told) = event.told_at().filter(|_| is_import && !event.historical) else {
        return Ok(());
    };
    let is_now = |sent: Timestamp| sent.micros_since(told) <= AGE_US_MAX;
    if event.sent_at.is_some_and(is_now) {
        return Ok(());
    }
    let message = format!(
        "an import that says when consent was given, here {told}, also says `historical: true`; \
         without its `timestamp` it counts from now"
    );
    Err(Rejection::new(RejectionCode::InvalidConsent, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_import_is_dated_back_in_so_many_words() {
        let check = |fields: &str, is_taken: bool| {
            let line = format!(
                r#"{{"type":"consent","email":"u@e.example","category":"marketing",
                    "action":"accept","source":"import"{fields}}}"#
            );
            match Event::parse(&line, None) {
                Ok(_) => assert!(is_taken, "{fields}"),
                Err(rejection) => {
                    assert!(!is_taken, "{fields}: {rejection}");
                    assert_eq!(rejection.code, RejectionCode::InvalidConsent);
                    assert!(rejection.message.contains("`historical: true`"));
                }
            }
        };
        let given = r#","timestamp":"2024-05-01T00:00:00Z""#;
        check("", true);
        check(given, false);
        check(&format!(r#"{given},"historical":true"#), true);
        check(
            &format!(r#"{given},"sentAt":"2026-05-01T00:00:00Z""#),
            false,
        );
        check(&format!(r#"{given},"sentAt":"2024-05-01T00:00:01Z""#), true);
        check(r#","originalTimestamp":"2024-05-01T00:00:00Z""#, false);
    }
}
