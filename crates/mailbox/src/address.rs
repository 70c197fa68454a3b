//! Addresses of buckets in object storage: `s3://BUCKET/PATH`, `gs://BUCKET/PATH`, `az://CONTAINER/PATH`.

/// Whose storage a bucket lies in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// Amazon S3, and what speaks as it does: `s3`.
    S3,
    /// Google Cloud Storage: `gs`.
    Google,
    /// Azure Blob Storage, where a bucket is a container: `az`.
    Azure,
}

/// Where a mailbox lies in object storage. It holds no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    service: Service,
    bucket: String,
    path: String,
}

/// What is no address of a bucket. It names no part of what was given, in which somebody may have put a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AddressError {
    /// It begins otherwise.
    #[error("it begins with neither s3://, gs:// nor az://")]
    Service,
    /// It has a part for a user, a port or a query.
    #[error("it has more than a bucket and a path in it: `@`, `:` or `?`")]
    Extra,
    /// The bucket has no such name.
    #[error("a bucket has 3 to 63 lower-case letters, digits, `.`, `-` and `_` for a name")]
    Bucket,
    /// The path is not made of names.
    #[error(
        "a path is names of letters, digits, `.`, `-` and `_`, with one `/` between two of them, 512 bytes at most"
    )]
    Path,
}

/// Bytes of a path.
const PATH_BYTES_MAX: usize = 512;

impl Address {
    /// Whether the text is meant as an address, of whatever kind, and not as a folder.
    #[must_use]
    pub fn is_meant(text: &str) -> bool {
        text.split_once("://").is_some_and(|(scheme, _)| {
            !scheme.is_empty() && scheme.bytes().all(|it| it.is_ascii_alphanumeric())
        })
    }

    /// Reads an address.
    ///
    /// # Errors
    /// [`AddressError`].
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let (scheme, rest) = text.split_once("://").ok_or(AddressError::Service)?;
        let service = match scheme {
            "s3" => Service::S3,
            "gs" => Service::Google,
            "az" => Service::Azure,
            _ => return Err(AddressError::Service),
        };
        if rest.contains(['@', ':', '?', '#', '%']) {
            return Err(AddressError::Extra);
        }
        let (bucket, path) = rest.split_once('/').unwrap_or((rest, ""));
        let in_bucket = |it: u8| it.is_ascii_lowercase() || it.is_ascii_digit() || is_mark(it);
        let ends = |it: &str| it.starts_with(['.', '-', '_']) || it.ends_with(['.', '-', '_']);
        if !(3..=63).contains(&bucket.len()) || !bucket.bytes().all(in_bucket) || ends(bucket) {
            return Err(AddressError::Bucket);
        }
        let path = path.strip_suffix('/').unwrap_or(path);
        let in_path = |it: u8| it.is_ascii_alphanumeric() || is_mark(it);
        let is_name = |it: &str| {
            !it.is_empty() && it.bytes().all(in_path) && !it.bytes().all(|it| it == b'.')
        };
        let is_path = path.is_empty() || path.split('/').all(is_name);
        if !is_path || path.len() > PATH_BYTES_MAX {
            return Err(AddressError::Path);
        }
        Ok(Self {
            service,
            bucket: bucket.to_owned(),
            path: path.to_owned(),
        })
    }

    /// Whose storage it is in.
    #[must_use]
    pub const fn service(&self) -> Service {
        self.service
    }

    /// The bucket, or the container.
    #[must_use]
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// The path below which the objects lie, without a `/` at its ends; empty for the whole bucket.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }
}

impl core::fmt::Display for Address {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let scheme = match self.service {
            Service::S3 => "s3",
            Service::Google => "gs",
            Service::Azure => "az",
        };
        write!(f, "{scheme}://{}", self.bucket)?;
        if !self.path.is_empty() {
            write!(f, "/{}", self.path)?;
        }
        Ok(())
    }
}

const fn is_mark(byte: u8) -> bool {
    matches!(byte, b'.' | b'-' | b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_bucket_and_a_path() {
        for text in [
            "s3://our-shop",
            "gs://our.shop/mail/2026",
            "az://shop/Mail_box",
        ] {
            let address = Address::parse(text).unwrap();
            assert_eq!(address.to_string(), text);
        }
        let same = Address::parse("s3://shop/a/").unwrap();
        assert_eq!(same.to_string(), "s3://shop/a");
    }

    #[test]
    fn anything_else_is_refused_and_says_nothing_of_what_it_was() {
        use AddressError::{Bucket, Extra, Path, Service};
        let long = format!("s3://shop/{}", "a".repeat(513));
        for (text, error) in [
            ("shop", Service),
            ("https://shop", Service),
            ("S3://shop", Service),
            ("s3://key:secret@shop", Extra),
            ("s3://shop?token=secret", Extra),
            ("az://shop/%2e%2e", Extra),
            ("s3://", Bucket),
            ("s3://ab", Bucket),
            ("s3://Shop", Bucket),
            ("s3://.shop", Bucket),
            ("s3://shop//a", Path),
            ("s3://shop/../a", Path),
            ("s3://shop/a b", Path),
            (&long, Path),
        ] {
            assert_eq!(Address::parse(text), Err(error), "{text}");
            assert!(!error.to_string().contains("secret"));
        }
    }

    #[test]
    fn a_folder_is_not_meant_as_an_address() {
        for text in ["shop", "/media/stick", "c:/shop", "a/b://c", "://x"] {
            assert!(!Address::is_meant(text), "{text}");
        }
        for text in ["s3://shop", "https://x", "s3://key:secret@shop"] {
            assert!(Address::is_meant(text), "{text}");
        }
    }
}
