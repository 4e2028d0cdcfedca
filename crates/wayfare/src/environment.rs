//! What does the process find around it? The one place that reads environment variables, secret
//! files and chance.

use std::io::IsTerminal;

use wayfare_journey::definition::Secret;
use wayfare_webhook::Secrets;

/// Secrets as the environment and files hold them, looked up at each use.
pub(crate) fn secrets() -> Secrets {
    Secrets::new(Box::new(look_up))
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is the one file that reads the environment"
)]
fn look_up(secret: &Secret) -> Option<String> {
    match secret {
        Secret::Env(name) => std::env::var(name).ok(),
        Secret::File(path) => std::fs::read_to_string(path).ok(),
    }
}

/// Whether colours are wanted on a stream (NO_COLOR is the convention of no-color.org).
#[expect(
    clippy::disallowed_methods,
    reason = "this is the one file that reads the environment"
)]
pub(crate) fn wants_color(stream: &impl IsTerminal) -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()) && stream.is_terminal()
}

/// The id key of a state directory that is new.
///
/// # Errors
///
/// When the operating system gives no random bytes.
pub(crate) fn new_id_key() -> anyhow::Result<[u8; 32]> {
    let mut key = [0; 32];
    getrandom::fill(&mut key)
        .map_err(|error| anyhow::anyhow!("the operating system gives no random bytes: {error}"))?;
    Ok(key)
}
