//! Which headers may an author set? Those that are headers, and that neither the engine nor the
//! connection owns. Not here: what their values hold (`render`).

use crate::definition::Text;
use crate::diagnostic::{Code, Diagnostic};

/// Headers that belong to the engine or to the connection.
const OWNED: [&str; 24] = [
    "webhook-id",
    "webhook-timestamp",
    "webhook-signature",
    "idempotency-key",
    "content-type",
    "content-length",
    "content-encoding",
    "accept-encoding",
    "host",
    "user-agent",
    "authorization",
    "traceparent",
    "tracestate",
    "connection",
    "transfer-encoding",
    "expect",
    "upgrade",
    "te",
    "trailer",
    "keep-alive",
    "date",
    "metadata",
    "metadata-flavor",
    "x-google-metadata-request",
];
/// The same for every header that starts like this.
const OWNED_STARTS: [&str; 3] = ["webhook-", "proxy-", "x-aws-ec2-metadata-"];

/// Why a header of this name is not the author's to set.
pub(crate) fn problem(name: &Text) -> Option<Diagnostic> {
    let written = &name.value;
    let (message, hint) = if !is_token(written) {
        let hint = "write letters, digits and `-`, such as `X-Source`";
        (format!("`{written}` is no name for a header"), hint)
    } else if is_owned(written) {
        let hint = if written.eq_ignore_ascii_case("authorization") {
            "write `auth:`"
        } else {
            "leave it out"
        };
        let message = format!("the engine sets `{written}` itself");
        (message, hint)
    } else {
        return None;
    };
    Some(Diagnostic::new(Code::InvalidHeader, name.span, message).hint(hint))
}

/// The same for the header that carries a secret: `Authorization` is one of those.
pub(crate) fn problem_of_auth(name: &Text) -> Option<Diagnostic> {
    let is_plain = name.value.eq_ignore_ascii_case("authorization");
    problem(name).filter(|_| !is_plain)
}

/// A token of RFC 9110, section 5.6.2.
fn is_token(name: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    !name.is_empty() && name.chars().all(is_part)
}

fn is_owned(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    OWNED.contains(&name.as_str()) || OWNED_STARTS.iter().any(|start| name.starts_with(start))
}
