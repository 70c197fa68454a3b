//! Offices: a root who hides every field, and many who may read.

use ecac_core::credential::Role;
use ecac_core::payload::{KeyGrant, KeyRotate, Payload, SetAddSealed, SetFieldSealed, Share};
use ecac_core::{Kem, Sealed, Value};
use ecac_seal::{Opener as _, ReaderSecret};

use super::cast::{Author, Project, tags};
use super::{Shape, Workload};

/// Length of the authentication tag of a sealed value, in bytes.
const TAG_BYTES: usize = 16;

/// A project with the root's reader key and those of many readers.
#[derive(Debug)]
pub struct Office {
    /// The project.
    pub project: Project,
    /// The root's private reader key.
    pub secret: ReaderSecret,
    /// The readers, with theirs.
    pub readers: Vec<(Author, ReaderSecret)>,
}

impl Office {
    /// So many readers, each of whom has published a reader key.
    #[must_use]
    pub fn new(seed: u64, readers: usize, kem: Kem) -> Self {
        let workload = format!("office-{readers}-{}", kem.name());
        let mut project = Project::confidential(&workload, seed, kem);
        let secret = ReaderSecret::derive(kem, project.bytes());
        project.by_root(secret.reader_key().into());
        let mut enlisted = Vec::with_capacity(readers);
        for _ in 0..readers {
            let mut reader = project.enlist(&[Role::Reader], None);
            let secret = ReaderSecret::derive(kem, project.bytes());
            project.by(&mut reader, secret.reader_key().into());
            enlisted.push((reader, secret));
        }
        // The root has seen the last of them, too.
        project.by_root(secret.reader_key().into());
        Self {
            project,
            secret,
            readers: enlisted,
        }
    }
}

/// The chain of one author, each value of it under a key that so many readers hold; nobody can open any, which no replica
/// notices. Places are those of [`Shape::Chain`].
#[must_use]
pub fn sealed(seed: u64, readers: usize) -> Workload {
    let Office {
        mut project,
        readers,
        ..
    } = Office::new(seed, readers, Kem::X25519);
    let key = project.by_root(KeyRotate { tags: tags() }.into()).0;
    let share = Share {
        enc: vec![0; 32],
        ciphertext: [0; 48],
    };
    let shares = readers.iter().map(|(it, _)| (it.public(), share.clone()));
    let shares = shares.collect();
    project.by_root(KeyGrant { key, shares }.into());
    let mut editor = project.enlist(&[Role::Editor], None);
    let setup = project.take_ops();
    let plain = Workload::new(Shape::Chain, seed).ops;
    Workload {
        project: project.id(),
        setup,
        ops: Box::new(plain.map(move |op| {
            let nonce = project.bytes();
            let hidden = hide(&op.body().payload, |value| Sealed {
                key,
                nonce: *nonce.first_chunk().expect("24 of 32 bytes"),
                ciphertext: vec![0; value.encode().len() + TAG_BYTES],
            });
            project.write(&mut editor, &[], hidden)
        })),
    }
}

/// The same write, with a sealed value.
fn hide(payload: &Payload, seal: impl Fn(Value) -> Sealed) -> Payload {
    match payload.clone() {
        Payload::SetField(it) => Payload::SetFieldSealed(SetFieldSealed {
            object: it.object,
            field: it.field,
            value: seal(it.value),
        }),
        Payload::SetAdd(it) => Payload::SetAddSealed(SetAddSealed {
            object: it.object,
            field: it.field,
            element: it.element,
            value: seal(it.value),
        }),
        // What has no value is written as it is.
        other => other,
    }
}
