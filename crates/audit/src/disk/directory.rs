//! The files of one directory, as far as a log needs them.

use std::io::{self, Read};

/// A directory on durable storage.
///
/// What is appended, cut or named is durable only after the `sync` for it has returned. After a crash before that,
/// each part of it may be there or not; what was durable before is untouched. [`crate::disk::Folder`] is the one of
/// the operating system; tests have one that breaks on purpose.
pub trait Directory {
    /// Makes this process the only one that writes here, until the value is dropped; false where there is another one.
    ///
    /// # Errors
    ///
    /// What the storage says.
    fn lock(&mut self) -> io::Result<bool>;

    /// The names of all files, in no order.
    ///
    /// # Errors
    ///
    /// What the storage says.
    fn names(&self) -> io::Result<Vec<String>>;

    /// The bytes of a file from its beginning.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::NotFound`] where it is absent, and what the storage says.
    fn read(&self, name: &str) -> io::Result<Box<dyn Read + '_>>;

    /// The length of a file in bytes.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::NotFound`] where it is absent, and what the storage says.
    fn length(&self, name: &str) -> io::Result<u64>;

    /// Appends to a file, which is made where it is absent.
    ///
    /// # Errors
    ///
    /// What the storage says; then any part of the bytes may have been appended.
    fn append(&mut self, name: &str, bytes: &[u8]) -> io::Result<()>;

    /// Cuts a file to its first `length` bytes.
    ///
    /// # Errors
    ///
    /// What the storage says.
    fn truncate(&mut self, name: &str, length: u64) -> io::Result<()>;

    /// Makes the bytes and the length of a file durable.
    ///
    /// # Errors
    ///
    /// What the storage says; then nothing is known of what has not been durable before.
    fn sync(&mut self, name: &str) -> io::Result<()>;

    /// Gives a file another name, in the place of the file that has it, if there is one.
    ///
    /// # Errors
    ///
    /// What the storage says.
    fn rename(&mut self, from: &str, to: &str) -> io::Result<()>;

    /// Removes a file.
    ///
    /// # Errors
    ///
    /// What the storage says.
    fn remove(&mut self, name: &str) -> io::Result<()>;

    /// Makes the names durable: which files there are.
    ///
    /// # Errors
    ///
    /// What the storage says.
    fn sync_names(&mut self) -> io::Result<()>;
}

impl<D: Directory + ?Sized> Directory for &mut D {
    fn lock(&mut self) -> io::Result<bool> {
        (**self).lock()
    }

    fn names(&self) -> io::Result<Vec<String>> {
        (**self).names()
    }

    fn read(&self, name: &str) -> io::Result<Box<dyn Read + '_>> {
        (**self).read(name)
    }

    fn length(&self, name: &str) -> io::Result<u64> {
        (**self).length(name)
    }

    fn append(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        (**self).append(name, bytes)
    }

    fn truncate(&mut self, name: &str, length: u64) -> io::Result<()> {
        (**self).truncate(name, length)
    }

    fn sync(&mut self, name: &str) -> io::Result<()> {
        (**self).sync(name)
    }

    fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        (**self).rename(from, to)
    }

    fn remove(&mut self, name: &str) -> io::Result<()> {
        (**self).remove(name)
    }

    fn sync_names(&mut self) -> io::Result<()> {
        (**self).sync_names()
    }
}
