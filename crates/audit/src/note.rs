//! C2SP signed notes (c2sp.org/signed-note).
//!
//! A note is a text that ends in a newline, an empty line, and signature lines of the form
//! `— <key name> <base64 of key id and signature>`. The key id is the first four bytes of SHA-256 over the key
//! name, a newline, the signature type and the public key.
//!
//! The heads within a log have exactly one signature, of type Ed25519 (0x01): [`Note`] is stricter than the
//! specification. Outside of the log witnesses add theirs: [`SignedText`] takes signatures of any type.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ecac_core::{PublicKey, zip215_verifies};
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use crate::node_key::NodeKey;

/// Signature type "Ed25519" of c2sp.org/signed-note.
const ED25519: u8 = 0x01;

/// Signature type "timestamped Ed25519 witness cosignature" of c2sp.org/signed-note.
pub(crate) const COSIGNATURE: u8 = 0x04;

/// Most signatures of one note.
pub(crate) const SIGNATURES_MAX: usize = 32;

/// Most bytes of one note: signatures that do not rest on elliptic curves have some 5 kB.
pub(crate) const NOTE_BYTES_MAX: usize = 1 << 16;

/// Why a text is not a signed note.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NoteError {
    /// No empty line between a text that ends in a newline and the signature.
    #[error("the note has no empty line between text and signature")]
    NoSeparator,
    /// Not exactly one line `— <name> <base64>`.
    #[error("the note does not end in exactly one signature line")]
    SignatureLine,
    /// What follows the text is not 1 to 32 lines `— <name> <base64>`, or the note is longer than 64 KiB.
    #[error("the note does not end in 1 to {SIGNATURES_MAX} signature lines")]
    SignatureLines,
    /// The base64 is not canonical, or not of 4 + 64 bytes.
    #[error("the signature is not the base64 of a key id and an Ed25519 signature")]
    SignatureBytes,
}

/// A parsed note; its signature has not been verified.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Note<'a> {
    /// With its final newline, without the separating line: what is signed.
    pub(crate) text: &'a str,
    /// Key name of the signature line.
    pub(crate) name: &'a str,
    key_id: [u8; 4],
    signature: [u8; 64],
}

/// The note of `text`, which ends in a newline, signed under the key name `name`.
pub(crate) fn sign(text: &str, name: &str, key: &NodeKey) -> String {
    assert!(
        text.ends_with('\n') && !name.is_empty() && !name.contains([' ', '+', '\n']),
        "c2sp.org/signed-note: a text ends in a newline, a key name has neither spaces nor plus signs"
    );
    let mut blob = Vec::with_capacity(68);
    blob.extend_from_slice(&key_id(name, key.public()));
    blob.extend_from_slice(&key.sign(text.as_bytes()));
    format!("{text}\n— {name} {}\n", STANDARD.encode(blob))
}

impl<'a> Note<'a> {
    /// Parses a note without judging its signature.
    pub(crate) fn parse(note: &'a str) -> Result<Self, NoteError> {
        let separator = note.rfind("\n\n").ok_or(NoteError::NoSeparator)?;
        let (text, rest) = note.split_at(separator + 1);
        let (name, encoded) = rest
            .strip_prefix("\n— ")
            .and_then(|rest| rest.strip_suffix('\n'))
            .and_then(|line| line.split_once(' '))
            .filter(|(name, encoded)| !name.is_empty() && !encoded.contains([' ', '\n']))
            .ok_or(NoteError::SignatureLine)?;
        let blob = STANDARD
            .decode(encoded)
            .map_err(|_| NoteError::SignatureBytes)?;
        let (key_id, signature) = blob
            .split_first_chunk()
            .and_then(|(id, rest)| Some((*id, rest.try_into().ok()?)))
            .ok_or(NoteError::SignatureBytes)?;
        Ok(Self {
            text,
            name,
            key_id,
            signature,
        })
    }

    /// Whether the signature line names `key` under `name`.
    pub(crate) fn is_by(&self, name: &str, key: PublicKey) -> bool {
        self.name == name && self.key_id == key_id(name, key)
    }

    /// Whether `key` signed the text (ZIP 215, the one rule of this project).
    pub(crate) fn verifies(&self, key: PublicKey) -> bool {
        zip215_verifies(&key, &self.signature, self.text.as_bytes())
    }
}

/// A parsed note with signatures of any type; none has been verified.
#[derive(Debug)]
pub(crate) struct SignedText<'a> {
    /// With its final newline, without the separating line: what is signed.
    pub(crate) text: &'a str,
    pub(crate) signatures: Vec<SignatureLine<'a>>,
}

/// One signature line of a note.
#[derive(Debug)]
pub(crate) struct SignatureLine<'a> {
    /// The line, without its newline.
    pub(crate) line: &'a str,
    pub(crate) name: &'a str,
    pub(crate) key_id: [u8; 4],
    /// What follows the key id.
    pub(crate) signature: Vec<u8>,
}

impl<'a> SignedText<'a> {
    /// Parses a note without judging its signatures.
    pub(crate) fn parse(note: &'a str) -> Result<Self, NoteError> {
        if note.len() > NOTE_BYTES_MAX {
            return Err(NoteError::SignatureLines);
        }
        let separator = note.rfind("\n\n").ok_or(NoteError::NoSeparator)?;
        let (text, rest) = note.split_at(separator + 1);
        let lines = rest[1..].strip_suffix('\n');
        let lines = lines.ok_or(NoteError::SignatureLines)?.split('\n');
        let signatures: Vec<SignatureLine<'a>> = lines
            .take(SIGNATURES_MAX + 1)
            .map(SignatureLine::parse)
            .collect::<Result<_, _>>()?;
        if signatures.len() > SIGNATURES_MAX {
            return Err(NoteError::SignatureLines);
        }
        Ok(Self { text, signatures })
    }
}

impl<'a> SignatureLine<'a> {
    fn parse(line: &'a str) -> Result<Self, NoteError> {
        let (name, encoded) = line
            .strip_prefix("— ")
            .and_then(|rest| rest.split_once(' '))
            .filter(|(name, _)| is_key_name(name))
            .ok_or(NoteError::SignatureLines)?;
        let blob = STANDARD.decode(encoded).ok();
        let blob = blob.ok_or(NoteError::SignatureLines)?;
        let (key_id, signature) = blob.split_first_chunk().ok_or(NoteError::SignatureLines)?;
        Ok(Self {
            line,
            name,
            key_id: *key_id,
            signature: signature.to_vec(),
        })
    }
}

/// Whether a text can be the name of a key: neither empty nor with spaces or plus signs.
pub(crate) fn is_key_name(name: &str) -> bool {
    !name.is_empty()
        && !name.contains(|it: char| it.is_whitespace() || it == '+' || it.is_control())
}

fn key_id(name: &str, key: PublicKey) -> [u8; 4] {
    key_id_of_type(name, ED25519, key)
}

/// The key id of an Ed25519 key that makes signatures of a type.
pub(crate) fn key_id_of_type(name: &str, signature_type: u8, key: PublicKey) -> [u8; 4] {
    let mut hasher = Sha256::new();
    hasher.update(name.as_bytes());
    hasher.update([b'\n', signature_type]);
    hasher.update(key.as_bytes());
    let digest: [u8; 32] = hasher.finalize().into();
    [digest[0], digest[1], digest[2], digest[3]]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of golang.org/x/mod/sumdb/note, the origin of the format.
    const SEED: &str = "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
    const PUBLIC: &str = "ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    const TEXT: &str = "If you think cryptography is the answer to your problem,\n\
                        then you don't know what your problem is.\n";
    const NOTE: &str = "If you think cryptography is the answer to your problem,\n\
                        then you don't know what your problem is.\n\
                        \n\
                        — PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

    fn tagged(text: &str) -> [u8; 32] {
        STANDARD.decode(text).unwrap()[1..].try_into().unwrap()
    }

    #[test]
    fn notes_are_those_of_the_go_implementation() {
        let key = NodeKey::from_seed(tagged(SEED));
        assert_eq!(key.public(), PublicKey::from_bytes(tagged(PUBLIC)));
        assert_eq!(sign(TEXT, "PeterNeumann", &key), NOTE);
        let note = Note::parse(NOTE).unwrap();
        assert_eq!(note.text, TEXT);
        assert!(note.is_by("PeterNeumann", key.public()));
        assert!(note.verifies(key.public()));
        let other = NodeKey::from_seed([1; 32]).public();
        assert!(!note.is_by("PeterNeumann", other) && !note.verifies(other));
        assert!(!note.is_by("EnochRoot", key.public()));
    }

    #[test]
    fn what_is_no_note_is_refused() {
        let signature = NOTE.split_once("\n\n").unwrap().1;
        let with = |line: &str| format!("{TEXT}\n{line}");
        let table = [
            ("empty", String::new(), NoteError::NoSeparator),
            ("text alone", TEXT.to_owned(), NoteError::NoSeparator),
            (
                "no newline",
                NOTE.trim_end().to_owned(),
                NoteError::SignatureLine,
            ),
            (
                "two signatures",
                with(&signature.repeat(2)),
                NoteError::SignatureLine,
            ),
            (
                "hyphen",
                with(&signature.replace('—', "-")),
                NoteError::SignatureLine,
            ),
            (
                "no name",
                with(&signature.replace("PeterNeumann", "")),
                NoteError::SignatureLine,
            ),
            (
                "spaced name",
                with(&signature.replace("PeterN", "Peter N")),
                NoteError::SignatureLine,
            ),
            (
                "no signature",
                with("— PeterNeumann \n"),
                NoteError::SignatureBytes,
            ),
            (
                "no padding",
                with(&signature.replace('=', "")),
                NoteError::SignatureBytes,
            ),
            (
                "loose bits",
                with(&signature.replace("AM=", "AN=")),
                NoteError::SignatureBytes,
            ),
            (
                "short",
                with(&signature.replace("nAM=", "")),
                NoteError::SignatureBytes,
            ),
            (
                "long",
                with(&signature.replace("nAM=", "nAMAAAA=")),
                NoteError::SignatureBytes,
            ),
        ];
        for (name, note, want) in table {
            assert_eq!(Note::parse(&note), Err(want), "{name}");
        }
    }
}
