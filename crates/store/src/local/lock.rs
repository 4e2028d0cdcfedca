//! Whose is a state directory? One process's, for as long as it holds the lock.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::path::Path;

use crate::StoreError;

/// A directory held by this process, until it is dropped.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
    /// It says who holds it.
    is_named: bool,
}

impl Drop for Lock {
    /// The next one who looks must not read the name of somebody who is gone.
    fn drop(&mut self) {
        if self.is_named {
            drop(self.file.set_len(0));
        }
    }
}

impl Lock {
    /// Holds a directory alone, to change it.
    pub(super) fn take(directory: &Path) -> Result<Self, StoreError> {
        let path = directory.join("lock");
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(StoreError::io("open", &path))?;
        Self::locked(directory, &mut file, File::try_lock)?;
        file.set_len(0)
            .and_then(|()| writeln!(file, "{}", std::process::id()))
            .map_err(StoreError::io("write", &path))?;
        Ok(Self {
            file,
            is_named: true,
        })
    }

    /// Holds a directory with others that only look inside. Nothing is written; where nobody ever
    /// held it there is nothing to hold.
    pub(super) fn share(directory: &Path) -> Result<Option<Self>, StoreError> {
        let path = directory.join("lock");
        let mut file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(StoreError::io("open", &path)(error)),
        };
        Self::locked(directory, &mut file, File::try_lock_shared)?;
        Ok(Some(Self {
            file,
            is_named: false,
        }))
    }

    fn locked(
        directory: &Path,
        file: &mut File,
        lock: fn(&File) -> Result<(), TryLockError>,
    ) -> Result<(), StoreError> {
        match lock(file) {
            Ok(()) => Ok(()),
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                let read = file.read_to_string(&mut holder);
                Err(StoreError::InUse {
                    path: directory.to_path_buf(),
                    pid: read.ok().and_then(|_| holder.trim().parse().ok()),
                })
            }
            Err(TryLockError::Error(error)) => {
                Err(StoreError::io("lock", &directory.join("lock"))(error))
            }
        }
    }
}
