//! A complete set of artifacts in memory.

use std::collections::BTreeMap;

use crate::archive::{self, Digests, PackError};
use crate::{Artifact, ExpectedSet, SetDifference, Sums};

/// The contents of every file of a run and every single one: exactly the files that `SHA256SUMS` lists.
///
/// Only [`ArtifactSet::new`] makes one, so a value of this type is complete and holds nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArtifactSet {
    expected: ExpectedSet,
    files: BTreeMap<String, Vec<u8>>,
}

impl ArtifactSet {
    /// The set of `files`, contents by name.
    ///
    /// # Errors
    ///
    /// The [`SetDifference`] if the names are not exactly [`ExpectedSet::summed`].
    pub fn new(
        expected: ExpectedSet,
        files: BTreeMap<String, Vec<u8>>,
    ) -> Result<Self, SetDifference> {
        let difference = SetDifference::between(expected.summed(), files.keys());
        if difference.is_empty() {
            Ok(Self { expected, files })
        } else {
            Err(difference)
        }
    }

    /// The set that the files were checked against.
    #[must_use]
    pub fn expected(&self) -> &ExpectedSet {
        &self.expected
    }

    /// The contents by name, sorted.
    #[must_use]
    pub fn files(&self) -> &BTreeMap<String, Vec<u8>> {
        &self.files
    }

    /// The digest of each file.
    #[must_use]
    pub fn sums(&self) -> Sums {
        Sums::of_expected(&self.files)
    }

    /// Adds `SHA256SUMS` and the tarball: every file of [`ExpectedSet::names`].
    ///
    /// # Errors
    ///
    /// [`PackError`] if a file is larger than a ustar header can say (8 GiB).
    pub fn publish(self) -> Result<Published, PackError> {
        let sums = self.sums();
        let Self {
            expected,
            mut files,
        } = self;
        files.insert(
            Artifact::SUMS_NAME.to_owned(),
            sums.to_string().into_bytes(),
        );
        let contents = files
            .iter()
            .map(|(name, bytes)| (name.as_str(), bytes.as_slice()));
        let archive = archive::pack(expected.commit(), contents)?;
        files.insert(expected.tarball(), archive.gz);
        Ok(Published {
            files,
            sums,
            digests: archive.digests,
        })
    }
}

/// Every file of an artifact set, ready to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// The contents by name, sorted: the whole of [`ExpectedSet::names`].
    pub files: BTreeMap<String, Vec<u8>>,
    /// The contents of `SHA256SUMS`.
    pub sums: Sums,
    /// The digests of the tarball.
    pub digests: Digests,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::{Limits, unpack};

    fn expected() -> ExpectedSet {
        let commit = "0123456789abcdef0123456789abcdef01234567".parse().unwrap();
        ExpectedSet::new(&["hb-chain"], 42, &commit).unwrap()
    }

    fn files() -> BTreeMap<String, Vec<u8>> {
        expected()
            .summed()
            .map(|name| (name.to_owned(), name.as_bytes().to_vec()))
            .collect()
    }

    #[test]
    fn only_the_exact_set_is_a_set() {
        assert!(ArtifactSet::new(expected(), files()).is_ok());
        for name in expected().summed() {
            let mut fewer = files();
            fewer.remove(name);
            let difference = ArtifactSet::new(expected(), fewer).unwrap_err();
            assert_eq!(difference.missing, [name]);
        }
        for name in ["SHA256SUMS", "more.txt"] {
            let mut more = files();
            more.insert(name.to_owned(), Vec::new());
            let difference = ArtifactSet::new(expected(), more).unwrap_err();
            assert_eq!(difference.extra, [name]);
        }
    }

    #[test]
    fn publishing_yields_every_expected_file_and_consistent_digests() {
        let published = ArtifactSet::new(expected(), files())
            .unwrap()
            .publish()
            .unwrap();
        assert!(expected().compare(published.files.keys()).is_empty());
        let sums = Sums::parse(&published.files["SHA256SUMS"]).unwrap();
        assert_eq!(sums, published.sums);
        assert_eq!(sums.verify(&Sums::digests(&files())), []);

        let unpacked = unpack(&published.files[&expected().tarball()], &Limits::default()).unwrap();
        let difference = SetDifference::between(expected().packed(), unpacked.files().keys());
        assert!(difference.is_empty());
        assert!(unpacked.is_canonical());
        assert_eq!(unpacked.digests(), published.digests);
    }
}
