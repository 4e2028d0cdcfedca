//! What does a state directory hold? The file `meta`: its format, the installation's id key, and
//! whether its state is that of a dry run, written once. And the file `namespaces`: how identifiers
//! were read.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use wayfare_event::IdKey;

use crate::StoreError;

const FORMAT: &str = "wayfare state 1";
const NAMESPACES: &str = "namespaces";

/// What `meta` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Meta {
    pub(super) id_key: IdKey,
    pub(super) dry: bool,
}

/// Reads `meta`, or writes `fresh` where nothing is kept yet.
pub(super) fn read_or_write(directory: &Path, fresh: Meta) -> Result<Meta, StoreError> {
    let path = directory.join("meta");
    match std::fs::exists(&path) {
        Ok(false) if !directory.join("log").exists() => {
            write_file(directory, "meta", &text(fresh))?;
            Ok(fresh)
        }
        Ok(_) | Err(_) => read(directory),
    }
}

/// Reads `meta`.
pub(super) fn read(directory: &Path) -> Result<Meta, StoreError> {
    let path = directory.join("meta");
    match std::fs::read_to_string(&path) {
        Ok(text) => parse(&text).ok_or(StoreError::Meta {
            path,
            problem: "is not what wayfare writes",
        }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(StoreError::Meta {
            path,
            problem: "is missing",
        }),
        Err(error) => Err(StoreError::io("read", &path)(error)),
    }
}

/// What was noted of how identifiers are read, if anything was.
pub(super) fn namespaces(directory: &Path) -> Result<Option<String>, StoreError> {
    let path = directory.join(NAMESPACES);
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(StoreError::io("read", &path)(error)),
    }
}

/// Notes how identifiers are read, in place of what was noted.
pub(super) fn note_namespaces(directory: &Path, text: &str) -> Result<(), StoreError> {
    write_file(directory, NAMESPACES, text)
}

/// Writes a small file of a state directory, whole or not at all.
pub(super) fn write_file(directory: &Path, name: &str, text: &str) -> Result<(), StoreError> {
    let path = directory.join(name);
    let unfinished = directory.join(format!("{name}.tmp"));
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&unfinished)
        .map_err(StoreError::io("make", &unfinished))?;
    file.write_all(text.as_bytes())
        .and_then(|()| file.sync_all())
        .map_err(StoreError::io("write", &unfinished))?;
    std::fs::rename(&unfinished, &path).map_err(StoreError::io("name", &path))?;
    sync_directory(directory)
}

/// Makes the names in a directory durable.
pub(super) fn sync_directory(directory: &Path) -> Result<(), StoreError> {
    File::open(directory)
        .and_then(|directory| directory.sync_all())
        .map_err(StoreError::io("sync", directory))
}

fn text(meta: Meta) -> String {
    let digits = meta.id_key.as_bytes().iter();
    let id_key: String = digits.map(|byte| format!("{byte:02x}")).collect();
    format!("{FORMAT}\nid_key {id_key}\ndry {}\n", meta.dry)
}

fn parse(text: &str) -> Option<Meta> {
    let mut lines = text.lines();
    lines.next().filter(|line| *line == FORMAT)?;
    let digits = lines.next()?.strip_prefix("id_key ")?;
    let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
    let mut id_key = [0; 32];
    if !rest.is_empty() || pairs.len() != id_key.len() {
        return None;
    }
    for (byte, pair) in id_key.iter_mut().zip(pairs) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    let dry = lines.next()?.strip_prefix("dry ")?.parse().ok()?;
    lines.next().is_none().then_some(Meta {
        id_key: IdKey::new(id_key),
        dry,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn meta_reads_back_and_nothing_else_is_meta() {
        let meta = Meta {
            id_key: IdKey::new([0xa7; 32]),
            dry: true,
        };
        let whole = text(meta);
        assert_eq!(parse(&whole), Some(meta));
        for bad in [
            String::new(),
            whole.replace("state 1", "state 2"),
            whole.replace("dry true", "dry maybe"),
            whole.replacen("a7", "zz", 1),
            whole.replacen("a7", "", 1),
            format!("{whole}more\n"),
        ] {
            assert_eq!(parse(&bad), None, "{bad}");
        }
    }
}
