//! A shop whose ops the tests keep.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use ecac_core::payload::SetField;
use ecac_core::{Genesis, Name, SigningKey, Value, public_key};
use ecac_store::{DurableReplica, Error, Form, Options};
use tempfile::TempDir;

/// A project with one root, and a directory for its stores.
pub(crate) struct Shop {
    /// The root.
    pub(crate) root: SigningKey,
    /// Where its store lies.
    pub(crate) file: PathBuf,
    /// Removed with it.
    pub(crate) directory: TempDir,
    /// The form of its stores.
    pub(crate) form: Form,
}

impl Shop {
    /// A shop without a store.
    pub(crate) fn new() -> Self {
        Self::of(Form::default())
    }

    /// One for each form that a store can have.
    pub(crate) fn each() -> impl Iterator<Item = Self> {
        Form::ALL.iter().copied().map(Self::of)
    }

    fn of(form: Form) -> Self {
        let directory = tempfile::tempdir().unwrap();
        Self {
            root: SigningKey::from([1; 32]),
            file: directory.path().join("shop.ecac"),
            directory,
            form,
        }
    }

    /// Settings for its stores.
    pub(crate) fn options(&self) -> Options {
        Options::new().form(self.form)
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

    /// Its store, new, of a project that seals, and whose sealed snapshots can be carried.
    pub(crate) fn create_sealing(&self) -> DurableReplica {
        let features = ["carry", "seal"].map(|it| (Name::new(it).unwrap(), Vec::new()));
        let genesis = Genesis {
            features: features.into(),
            ..self.genesis()
        };
        let created = self.options().create(&self.file, genesis, &self.root, 1);
        created.unwrap()
    }

    /// Its store, new, at the path.
    pub(crate) fn create_at(&self, file: &Path) -> Result<DurableReplica, Error> {
        self.options().create(file, self.genesis(), &self.root, 1)
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

/// All bytes of a store, by the names of its files.
pub(crate) fn bytes_of(file: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let files = if file.is_dir() {
        let entries = fs::read_dir(file).unwrap();
        entries.map(|entry| entry.unwrap().path()).collect()
    } else {
        vec![file.to_owned()]
    };
    let read = files.into_iter().map(|it| {
        let bytes = fs::read(&it).unwrap();
        (it, bytes)
    });
    read.collect()
}
