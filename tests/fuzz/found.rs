//! What becomes of bytes for which something does not hold? They are laid into `target/fuzz`, and
//! whoever runs this is told where to keep them.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use crate::entry;

/// Gives bytes to a target's entry point.
///
/// # Errors
///
/// When something does not hold: where the bytes are now, and what to do with them.
pub(crate) fn given(target: &str, bytes: &[u8]) -> Result<(), String> {
    let read = AssertUnwindSafe(|| entry::read(target, bytes));
    catch_unwind(read).map_err(|_| {
        let path = directory(target).join(name(bytes));
        std::fs::write(&path, bytes).expect("the target directory can be written");
        format!(
            "{target}: these bytes broke it: {}\nwhen it is mended, keep them in tests/fuzz/corpus/{target}/ \
             under a name that says what they showed",
            path.display()
        )
    })
}

/// Where what is found for a target is laid.
pub(crate) fn directory(target: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the tests are below the root");
    let directory = root.join("target/fuzz").join(target);
    std::fs::create_dir_all(&directory).expect("the target directory can be written");
    directory
}

/// A name that the same bytes always have.
fn name(bytes: &[u8]) -> String {
    format!("found-{:08x}-{}", crc32c::crc32c(bytes), bytes.len())
}
