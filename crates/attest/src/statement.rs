//! How a release was built: an in-toto Statement v1 (in-toto.io/Statement/v1) with a SLSA provenance v1 predicate
//! (slsa.dev/spec/v1.0/provenance).
//!
//! A statement is a function of a [`Build`]: it has no time, no id of a run and no path, so every builder who builds
//! one commit for one target makes the same statement, but for what it says of the [`Machine`].

use std::collections::{BTreeMap, BTreeSet};

use ecac_artifact::{Commit, Digest};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::descriptor::{DigestSet, ResourceDescriptor};
use crate::json::{self, JsonError};
use crate::machine::{Machine, Program, TakenOver};

/// The type of the statement.
pub const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";

/// The type of its predicate.
pub const PREDICATE_TYPE: &str = "https://slsa.dev/provenance/v1";

/// The page that describes how a release is built and who builds it, below the address of the repository.
const PAGE: &str = "blob/main/docs/signing.md";

/// The versions of what a definition of a build says, as the ends of its type, the one that is written last. The first
/// says nothing of the machine.
pub const BUILD_TYPES: [&str; 2] = ["#the-build-v1", "#the-build-v2"];

/// What a statement is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Build {
    /// The address of the repository.
    pub repository: String,
    /// The commit that was built.
    pub commit: Commit,
    /// The command that makes the same.
    pub command: String,
    /// The seed of the scenarios.
    pub seed: u64,
    /// The ops of each scenario.
    pub ops: u32,
    /// The scenarios, in the order in which they ran.
    pub scenarios: Vec<String>,
    /// The flags of the compiler, with names in the place of paths.
    pub flags: Vec<String>,
    /// The target that was built for.
    pub target: String,
    /// SHA-256 of `Cargo.lock`.
    pub cargo_lock: Digest,
    /// The release of the compiler.
    pub toolchain: String,
    /// The commit of the compiler.
    pub toolchain_commit: String,
    /// SHA-256 of `ecac-artifacts-<commit>.tar.gz`.
    pub tar_gz: Digest,
    /// SHA-256 of the tar file inside.
    pub tar: Digest,
    /// SHA-256 of the program `ecac`.
    pub ecac: Digest,
    /// SHA-256 of `sbom.json`, where there is one.
    pub sbom: Option<Digest>,
    /// What of the machine took part.
    pub machine: Machine,
}

/// An in-toto statement about the files of a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Statement {
    /// [`STATEMENT_TYPE`].
    #[serde(rename = "_type")]
    pub statement_type: String,
    /// The files.
    pub subject: Vec<Subject>,
    /// [`PREDICATE_TYPE`].
    pub predicate_type: String,
    /// How they were built.
    pub predicate: Provenance,
}

/// A file that was built.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// Its name.
    pub name: String,
    /// Its digests, SHA-256 among them.
    pub digest: DigestSet,
}

/// The SLSA provenance of a build.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Provenance {
    /// What was built from what.
    pub build_definition: BuildDefinition,
    /// Who built it.
    pub run_details: RunDetails,
}

/// What was built from what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BuildDefinition {
    /// The page that says what the parameters mean.
    pub build_type: String,
    /// What the user chose.
    pub external_parameters: ExternalParameters,
    /// What the pipeline chose.
    pub internal_parameters: InternalParameters,
    /// What went into the build.
    pub resolved_dependencies: Vec<ResourceDescriptor>,
}

/// What the user chose. A verifier has to know all of it, so nothing else is let through.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExternalParameters {
    /// The commit that was built.
    pub commit: String,
    /// The command that makes the same.
    pub command: String,
    /// The seed of the scenarios.
    pub seed: u64,
    /// The ops of each scenario.
    pub ops: u32,
    /// The scenarios, in the order in which they ran.
    pub scenarios: Vec<String>,
}

/// What the pipeline chose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InternalParameters {
    /// The flags of the compiler, with names in the place of paths.
    pub flags: Vec<String>,
    /// The target that was built for.
    pub target: String,
    /// What was inherited from the user; nothing in the first version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken_over: Option<TakenOver>,
}

/// Who built it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunDetails {
    /// The builder.
    pub builder: Builder,
}

/// The builder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Builder {
    /// The page that says what a builder vouches for.
    pub id: String,
}

/// Why a payload is no provenance of a release.
#[derive(Debug, Error)]
pub enum StatementError {
    /// No JSON, or a member is missing, duplicate or of the wrong kind.
    #[error(transparent)]
    Malformed(#[from] JsonError),
    /// A statement or predicate of another type.
    #[error("it is a `{}`, expected `{expected}`", .found.escape_debug())]
    Type {
        /// What it says it is.
        found: String,
        /// What is read.
        expected: &'static str,
    },
    /// It is about nothing.
    #[error("it has no subject")]
    NoSubject,
    /// Two subjects have one name.
    #[error("it names the subject `{}` twice", .name.escape_debug())]
    DuplicateSubject {
        /// The name.
        name: String,
    },
    /// A subject without SHA-256.
    #[error("its subject `{}` has no sha256", .name.escape_debug())]
    NoDigest {
        /// The name.
        name: String,
    },
}

impl Statement {
    /// The statement of a build.
    ///
    /// # Panics
    ///
    /// If the tree that was built differed from its commit: nobody can vouch for that.
    #[must_use]
    pub fn of(build: &Build) -> Self {
        assert!(!build.commit.is_dirty(), "a release is built of a commit");
        let directory = ecac_artifact::archive::directory(&build.commit);
        let subject = |name: String, digest| Subject {
            name,
            digest: DigestSet::sha256(digest),
        };
        let mut subjects = vec![
            subject(format!("{directory}.tar.gz"), build.tar_gz),
            subject(format!("{directory}.tar"), build.tar),
            subject("ecac".to_owned(), build.ecac),
        ];
        subjects.extend(
            build
                .sbom
                .map(|digest| subject("sbom.json".to_owned(), digest)),
        );
        Self {
            statement_type: STATEMENT_TYPE.to_owned(),
            subject: subjects,
            predicate_type: PREDICATE_TYPE.to_owned(),
            predicate: Provenance {
                build_definition: build.definition(),
                run_details: RunDetails {
                    builder: Builder {
                        id: format!("{}/{PAGE}#the-builder", build.repository),
                    },
                },
            },
        }
    }

    /// Reads the payload of an envelope. Members that in-toto or SLSA do not know are ignored, as in-toto requires of
    /// a reader, but for those of `externalParameters`, which SLSA requires a verifier to know.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, StatementError> {
        let statement: Self = json::read(bytes, json::BYTES_MAX)?;
        for (found, expected) in [
            (&statement.statement_type, STATEMENT_TYPE),
            (&statement.predicate_type, PREDICATE_TYPE),
        ] {
            if found != expected {
                return Err(StatementError::Type {
                    found: found.clone(),
                    expected,
                });
            }
        }
        if statement.subject.is_empty() {
            return Err(StatementError::NoSubject);
        }
        let mut names = BTreeSet::new();
        for Subject { name, digest } in &statement.subject {
            if !names.insert(name) {
                return Err(StatementError::DuplicateSubject { name: name.clone() });
            }
            if digest.sha256.is_none() {
                return Err(StatementError::NoDigest { name: name.clone() });
            }
        }
        Ok(statement)
    }

    /// The payload of an envelope.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("strings and numbers have an encoding")
    }

    /// SHA-256 of a subject.
    #[must_use]
    pub fn subject(&self, name: &str) -> Option<Digest> {
        let subject = self.subject.iter().find(|subject| subject.name == name)?;
        subject.digest.sha256
    }
}

impl Build {
    fn definition(&self) -> BuildDefinition {
        let dependency = |name: &str, uri: Option<String>, digest| ResourceDescriptor {
            name: name.to_owned(),
            uri,
            digest,
            annotations: BTreeMap::new(),
        };
        let commit = self.commit.to_string();
        let (repository, release) = (&self.repository, &self.toolchain);
        let [.., version] = BUILD_TYPES;
        let mut dependencies = vec![
            dependency(
                "source",
                Some(format!("git+{repository}@{commit}")),
                DigestSet::git_commit(commit.clone()),
            ),
            dependency("Cargo.lock", None, DigestSet::sha256(self.cargo_lock)),
            dependency(
                "rustc",
                Some(format!("git+https://github.com/rust-lang/rust@{release}")),
                DigestSet {
                    git_commit: Some(self.toolchain_commit.clone()),
                    sha256: Some(self.machine.rustc),
                },
            ),
        ];
        dependencies.extend(self.machine.linker.as_ref().map(Program::descriptor));
        BuildDefinition {
            build_type: format!("{repository}/{PAGE}{version}"),
            external_parameters: ExternalParameters {
                commit,
                command: self.command.clone(),
                seed: self.seed,
                ops: self.ops,
                scenarios: self.scenarios.clone(),
            },
            internal_parameters: InternalParameters {
                flags: self.flags.clone(),
                target: self.target.clone(),
                taken_over: Some(self.machine.taken_over.clone()),
            },
            resolved_dependencies: dependencies,
        }
    }
}
