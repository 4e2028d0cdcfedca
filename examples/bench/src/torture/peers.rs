//! placeholder
use std::path::Path;
pub(super) fn compare(_t: &super::Torture, _s: &Path) -> anyhow::Result<bool> {
    Ok(true)
}
