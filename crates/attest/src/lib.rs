//! Who stands for a release: keys, signatures, Sigstore bundles, and provenance that says how it was built.
//!
//! Pure: bytes in, bytes out. The crate knows no file, clock or environment, and whoever calls it brings the random
//! bytes. What it writes is a function of its inputs, signatures included, so two builders with one key write the same
//! bytes. What it reads may come from anybody: every reader bounds sizes and costs, and takes only the form that it
//! documents. Three arrows run through it:
//!
//! - an [`Attestation`] that one builder got these sums -> [`Bundle::of_attestation`] -> [`Bundle::verify_attestation`];
//! - a file -> [`PrivateKey::sign`] -> [`Signature`], or [`Bundle::of_message`] -> [`Bundle::verify_message`];
//! - [`Build`] -> [`Statement`] -> [`Envelope`] -> [`Bundle::of_envelope`], and back through [`Envelope::open`], which
//!   reads a statement only after its signature has been verified.
#![forbid(unsafe_code)]

mod attestation;
mod base64;
mod bundle;
mod descriptor;
mod envelope;
mod json;
mod key;
mod machine;
mod signature;
mod statement;
#[cfg(test)]
mod tests;

pub use attestation::{ATTESTATION_TYPE, Attestation, AttestationError, Attested};
pub use bundle::{Bundle, BundleError, MEDIA_TYPE};
pub use descriptor::{DigestSet, ResourceDescriptor};
pub use envelope::{Envelope, EnvelopeError, PAYLOAD_TYPE};
pub use json::JsonError;
pub use key::{KeyError, PrivateKey, PublicKey, SaltAndIv};
pub use machine::{Machine, Program, TakenOver};
pub use signature::{Signature, SignatureError};
pub use statement::{
    BUILD_TYPES, Build, BuildDefinition, Builder, ExternalParameters, InternalParameters,
    PREDICATE_TYPE, Provenance, RunDetails, STATEMENT_TYPE, Statement, StatementError, Subject,
};
