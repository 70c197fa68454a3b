//! A shop whose ops the tests keep.

use std::path::{Path, PathBuf};

use ecac_core::payload::SetField;
use ecac_core::{Genesis, Name, SigningKey, Value, public_key};
use ecac_store::{DurableReplica, Error};
use tempfile::TempDir;

/// A project with one root, and a directory for its stores.
pub(crate) struct Shop {
    /// The root.
    pub(crate) root: SigningKey,
    /// Where its store lies.
    pub(crate) file: PathBuf,
    /// Removed with it.
    pub(crate) directory: TempDir,
}

impl Shop {
    /// A shop without a store.
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        Self {
            root: SigningKey::from([1; 32]),
            file: directory.path().join("shop.ecac"),
            directory,
        }
    }

    /// A path in its directory.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Its genesis.
    pub(crate) fn genesis(&self) -> Genesis {
        Genesis {
            name: Name::new("shop").unwrap(),
            nonce: [0; 16],
            roots: [public_key(&self.root)].into(),
            schema: [].into(),
            features: [].into(),
        }
    }

    /// Its store, new.
    pub(crate) fn create(&self) -> DurableReplica {
        self.create_at(&self.file).unwrap()
    }

    /// Its store, new, at the path.
    pub(crate) fn create_at(&self, file: &Path) -> Result<DurableReplica, Error> {
        DurableReplica::create(file, self.genesis(), &self.root, 1)
    }

    /// A write with this number.
    pub(crate) fn write(&self, number: u64) -> SetField {
        let value = Value::Text(format!("{number:0>120}"));
        SetField::new(&format!("phone/{}", number % 7), "status", value).unwrap()
    }
}

/// The genesis of a shop and so many writes.
pub(crate) fn batch_of(shop: &Shop, writes: u64) -> Vec<Vec<u8>> {
    let mut replica = ecac_core::Replica::create(shop.genesis(), &shop.root, 1).unwrap();
    for number in 0..writes {
        replica
            .author(shop.write(number), &shop.root, 2 + number)
            .unwrap();
    }
    replica.envelopes().map(|it| it.into_owned()).collect()
}
