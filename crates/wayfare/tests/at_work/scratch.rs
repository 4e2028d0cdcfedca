//! What is gone when a test is over? Its files, and the programs it started.

use std::process::Child;

use tempfile::TempDir;

/// A directory with files in it, gone when the test is.
pub(crate) fn directory(files: &[(&str, &str)]) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = directory.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    directory
}

/// A program that is ended when the test is.
#[derive(Debug)]
pub(crate) struct Running(pub(crate) Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _is_over = self.0.kill().and_then(|()| self.0.wait()).is_ok();
    }
}
