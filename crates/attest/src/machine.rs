//! What of the builder's machine took part in a build: it differs from machine to machine, and the files may not.

use std::collections::BTreeMap;

use ecac_artifact::Digest;
use serde::{Deserialize, Serialize};

use crate::descriptor::{DigestSet, ResourceDescriptor};

/// How the linker says which one it is, among the annotations of its descriptor.
const VERSION: &str = "version";

/// A program of the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// The name of its file, all links resolved, without the directory.
    pub file: String,
    /// SHA-256 of that file.
    pub sha256: Digest,
    /// What it says of itself.
    pub version: String,
}

/// What of the builder's machine took part in a build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// SHA-256 of the program `rustc`.
    pub rustc: Digest,
    /// The C compiler that linked; nothing where `rustc` finds a linker by itself.
    pub linker: Option<Program>,
    /// What was inherited.
    pub taken_over: TakenOver,
}

/// What a build inherited from the user, by name: it said how crates were fetched. Values may be secret.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TakenOver {
    /// Keys of the user's configuration of cargo.
    pub keys: Vec<String>,
    /// Variables of the environment.
    pub variables: Vec<String>,
}

impl Program {
    /// The linker as something that went into the build.
    pub(crate) fn descriptor(&self) -> ResourceDescriptor {
        let version = (VERSION.to_owned(), self.version.clone());
        let file = ("file".to_owned(), self.file.clone());
        ResourceDescriptor {
            name: "linker".to_owned(),
            uri: None,
            digest: DigestSet::sha256(self.sha256),
            annotations: BTreeMap::from([version, file]),
        }
    }
}
