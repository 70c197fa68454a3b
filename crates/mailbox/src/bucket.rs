//! Buckets: what a mailbox asks of storage.

/// Whether an object was put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// It was.
    Created,
    /// There is one with the name, and it stays.
    Exists,
}

/// Storage that failed.
#[derive(Debug, thiserror::Error)]
#[error("failed to reach `{name}` in the mailbox")]
pub struct BucketError {
    /// The object.
    pub name: String,
    /// Why.
    #[source]
    pub source: std::io::Error,
}

/// Objects by name. A name is two parts of lower-case letters, digits and `-`, with a `/` between them.
pub trait Bucket {
    /// Creates an object that does not exist; afterwards all of it is there, or nothing.
    ///
    /// # Errors
    /// [`BucketError`] if it is not known to be there.
    fn put(&mut self, name: &str, bytes: &[u8]) -> Result<Put, BucketError>;

    /// The bytes of an object; `None` if there is none, or if there are more than `bytes_max`.
    ///
    /// # Errors
    /// [`BucketError`].
    fn get(&self, name: &str, bytes_max: usize) -> Result<Option<Vec<u8>>, BucketError>;

    /// The second parts of the names that have this first part, in ascending order.
    ///
    /// # Errors
    /// [`BucketError`].
    fn list(&self, first: &str) -> Result<Vec<String>, BucketError>;
}
