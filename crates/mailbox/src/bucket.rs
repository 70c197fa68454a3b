//! Buckets: what a mailbox asks of storage.

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

/// An object as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Listed {
    /// The second part of its name.
    pub name: String,
    /// Something that is another when the object is: an entity tag, or a length and a time.
    pub version: String,
}

/// An object as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// All of its bytes.
    pub bytes: Vec<u8>,
    /// Its version, as a list shows it.
    pub version: String,
}

/// Objects by name. A name is two parts of lower-case letters, digits and `-`, with a `/` between them.
pub trait Bucket {
    /// Creates an object, or replaces it; whoever reads it gets all of the old one or all of the new one. Its version.
    ///
    /// # Errors
    /// [`BucketError`] if it is not known to be there.
    fn put(&mut self, name: &str, bytes: &[u8]) -> Result<String, BucketError>;

    /// An object; `None` if there is none, or if it has more than `bytes_max` bytes.
    ///
    /// # Errors
    /// [`BucketError`].
    fn get(&self, name: &str, bytes_max: usize) -> Result<Option<Object>, BucketError>;

    /// The objects whose names have this first part, by name.
    ///
    /// # Errors
    /// [`BucketError`].
    fn list(&self, first: &str) -> Result<Vec<Listed>, BucketError>;
}

impl<B: Bucket + ?Sized> Bucket for Box<B> {
    fn put(&mut self, name: &str, bytes: &[u8]) -> Result<String, BucketError> {
        (**self).put(name, bytes)
    }

    fn get(&self, name: &str, bytes_max: usize) -> Result<Option<Object>, BucketError> {
        (**self).get(name, bytes_max)
    }

    fn list(&self, first: &str) -> Result<Vec<Listed>, BucketError> {
        (**self).list(first)
    }
}
