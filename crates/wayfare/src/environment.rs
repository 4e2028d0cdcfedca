//! What does the process find around it? The one place that reads environment variables, secret
//! files, the machine's memory and chance.

use std::io::IsTerminal;
use std::path::PathBuf;

use wayfare_journey::definition::Secret;
use wayfare_webhook::{SecretValue, Secrets};

/// Secrets as the environment and files hold them, looked up at each use.
pub(crate) fn secrets() -> Secrets {
    Secrets::new(Box::new(look_up))
}

/// The token that a variable holds for speaking to a server; nothing when there is none, or an empty one.
pub(crate) fn token(name: &str) -> Option<SecretValue> {
    let found = look_up(&Secret::Env(name.to_owned())).map(SecretValue::new);
    found.filter(|token| !token.is_empty())
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

/// The file that says how wrong the clock is to be, for tests of the program as a whole.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the one file that reads the environment"
)]
pub(crate) fn clock_shift() -> Option<PathBuf> {
    let named = std::env::var_os("WAYFARE_CLOCK_SHIFT")?;
    (!named.is_empty()).then(|| PathBuf::from(named))
}

/// The memory this process may use, in MiB: the machine's, or less where its control group has less;
/// nothing where the system does not tell.
pub(crate) fn memory_mb() -> Option<u64> {
    let read = |path: &str| std::fs::read_to_string(path).ok();
    let machine = read("/proc/meminfo").and_then(|text| total_mb(&text));
    let group = read("/sys/fs/cgroup/memory.max").and_then(|text| limit_mb(&text));
    machine.into_iter().chain(group).min()
}

/// `MemTotal:` of `/proc/meminfo`, which counts in KiB.
fn total_mb(meminfo: &str) -> Option<u64> {
    let line = meminfo
        .lines()
        .find_map(|it| it.strip_prefix("MemTotal:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib / 1024)
}

/// A control group's limit in bytes; `max` is none.
fn limit_mb(text: &str) -> Option<u64> {
    let bytes: u64 = text.trim().parse().ok()?;
    Some(bytes / (1024 * 1024))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_read_as_linux_tells_it() {
        let meminfo = "MemTotal:       24577024 kB\nMemFree:          100 kB\n";
        assert_eq!(total_mb(meminfo), Some(24_001));
        assert_eq!(total_mb("MemFree: 100 kB\n"), None);
        assert_eq!(limit_mb("536870912\n"), Some(512));
        assert_eq!(limit_mb("max\n"), None);
    }
}
