//! Where may a kill fall? Behind each step that changes the files of a directory; the tests take a
//! copy of the directory there. Outside tests there is nothing here.

/// A step in `directory` is done.
#[cfg(not(test))]
pub(crate) const fn done(_directory: &std::path::Path, _step: &'static str) {}

#[cfg(test)]
pub(crate) use watched::{done, watch};

#[cfg(test)]
mod watched {
    use std::collections::BTreeMap;
    use std::path::{Path, PathBuf};
    use std::sync::Mutex;

    type Watch = Box<dyn FnMut(&'static str) + Send>;

    static WATCHED: Mutex<BTreeMap<PathBuf, Watch>> = Mutex::new(BTreeMap::new());

    /// Calls `watch` after each step in `directory` or below it.
    pub(crate) fn watch(directory: &Path, watch: Watch) {
        let mut watched = WATCHED.lock().unwrap();
        watched.insert(directory.to_path_buf(), watch);
    }

    pub(crate) fn done(directory: &Path, step: &'static str) {
        let mut watched = WATCHED.lock().unwrap();
        let mut above = directory.ancestors();
        let Some(root) = above.find(|above| watched.contains_key(*above)) else {
            return;
        };
        let watch = watched.get_mut(root).unwrap();
        watch(step);
    }
}
