//! Origin and signed tree heads (c2sp.org/tlog-checkpoint).

use core::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ecac_core::{ProjectId, PublicKey};
use thiserror::Error;

use crate::digest::Digest;
use crate::merkle::TreeHead;
use crate::node_key::NodeKey;
use crate::note::{self, Note, NoteError};

/// Which log it is: one node's log of one project.
///
/// Displayed as `ecac.dev/audit/<project id>/<did:key of the node>`, the origin line of every head and the key name
/// of its signature, so that a head signed for one log can never pass for another's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin {
    /// The project.
    pub project: ProjectId,
    /// The node whose key signs.
    pub node: PublicKey,
}

impl Origin {
    /// The origin that an origin line names; `None` for a text that none is displayed as.
    #[must_use]
    pub fn parse(line: &str) -> Option<Self> {
        let (project, node) = line.strip_prefix("ecac.dev/audit/")?.split_once('/')?;
        let origin = Self {
            project: project.parse().ok()?,
            node: node.parse().ok()?,
        };
        (origin.to_string() == line).then_some(origin)
    }

    /// The origin that the first line of a signed head names.
    #[must_use]
    pub fn of_note(note: &str) -> Option<Self> {
        Self::parse(note.split('\n').next()?)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ecac.dev/audit/{}/{}", self.project, self.node)
    }
}

/// A signed tree head whose signature has been verified, or that was just signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    head: TreeHead,
    note: String,
}

/// Why a text is not a signed head of a log.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CheckpointError {
    /// Not a signed note.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// The text is not three lines: origin, size in decimal, base64 of the root.
    #[error("the signed text is not origin, tree size and root hash")]
    Text,
    /// A head of size 0 whose root is not the one of the empty tree (RFC 9162 section 2.1.1).
    #[error("the head is of size 0, but its root is not that of the empty tree")]
    EmptyTree,
    /// The head of another log.
    #[error("the head is of the log {found}")]
    Origin {
        /// The origin line that was found.
        found: String,
    },
    /// Another key's signature.
    #[error("the head is signed under another key, by the name {name}")]
    Key {
        /// The key name of the signature line.
        name: String,
    },
    /// The node's key did not sign this text.
    #[error("the signature does not verify")]
    Signature,
}

impl Checkpoint {
    /// Signs `head` as a head of the log `origin`.
    ///
    /// # Panics
    ///
    /// When `key` is not the node's of `origin`.
    pub(crate) fn sign(origin: &Origin, head: TreeHead, key: &NodeKey) -> Self {
        assert_eq!(origin.node, key.public(), "a log is signed by its own node");
        let origin = origin.to_string();
        let note = note::sign(&text(&origin, &head), &origin, key);
        Self { head, note }
    }

    /// Reads and verifies a signed head of the log `origin`.
    ///
    /// # Errors
    ///
    /// [`CheckpointError`] when the note is malformed, of another log or key, or wrongly signed. Extension lines
    /// and additional signatures are refused: they are not auditable.
    pub fn open(note: &str, origin: &Origin) -> Result<Self, CheckpointError> {
        let name = origin.to_string();
        let parsed = Note::parse(note)?;
        let [found, size, root] = lines(parsed.text).ok_or(CheckpointError::Text)?;
        if found != name {
            return Err(CheckpointError::Origin {
                found: found.to_owned(),
            });
        }
        let head = tree_head(size, root).ok_or(CheckpointError::Text)?;
        if text(&name, &head) != parsed.text {
            return Err(CheckpointError::Text);
        }
        if !head.is_possible() {
            return Err(CheckpointError::EmptyTree);
        }
        if !parsed.is_by(&name, origin.node) {
            return Err(CheckpointError::Key {
                name: parsed.name.to_owned(),
            });
        }
        if !parsed.verifies(origin.node) {
            return Err(CheckpointError::Signature);
        }
        Ok(Self {
            head,
            note: note.to_owned(),
        })
    }

    /// The tree head that is signed.
    #[must_use]
    pub const fn head(&self) -> TreeHead {
        self.head
    }

    /// The signed note, with its final newline.
    #[must_use]
    pub fn note(&self) -> &str {
        &self.note
    }
}

/// The note text of c2sp.org/tlog-checkpoint, without extension lines.
fn text(origin: &str, head: &TreeHead) -> String {
    let root = base64(&head.root);
    format!("{origin}\n{}\n{root}\n", head.size)
}

/// Standard base64 of a digest, the form of C2SP texts.
pub(crate) fn base64(digest: &Digest) -> String {
    STANDARD.encode(digest.as_bytes())
}

/// The digest of a canonical base64 text.
pub(crate) fn parse_base64(text: &str) -> Option<Digest> {
    let bytes = STANDARD.decode(text).ok()?;
    Some(Digest::from_bytes(bytes.try_into().ok()?))
}

fn lines(text: &str) -> Option<[&str; 3]> {
    let mut lines = text.split_terminator('\n');
    let three = [lines.next()?, lines.next()?, lines.next()?];
    lines.next().is_none().then_some(three)
}

fn tree_head(size: &str, root: &str) -> Option<TreeHead> {
    Some(TreeHead {
        size: size.parse().ok()?,
        root: parse_base64(root)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(seed: u8) -> (Origin, NodeKey) {
        let key = NodeKey::from_seed([seed; 32]);
        let project = ProjectId::from_bytes([0xab; 32]);
        let node = key.public();
        (Origin { project, node }, key)
    }

    fn head() -> TreeHead {
        TreeHead {
            size: 20_852_163,
            root: Digest::from_bytes([7; 32]),
        }
    }

    #[test]
    fn a_head_verifies_without_this_crate() {
        let (origin, key) = origin(1);
        let checkpoint = Checkpoint::sign(&origin, head(), &key);
        let (text, signature) = checkpoint.note().split_once("\n\n").unwrap();
        let text = format!("{text}\n");
        assert_eq!(
            text,
            format!("{origin}\n20852163\nBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n")
        );
        let blob = signature
            .trim_end()
            .strip_prefix(&format!("— {origin} "))
            .unwrap();
        let blob = STANDARD.decode(blob).unwrap();
        ed25519_zebra::VerificationKey::try_from(*origin.node.as_bytes())
            .unwrap()
            .verify(
                &ed25519_zebra::Signature::try_from(&blob[4..]).unwrap(),
                text.as_bytes(),
            )
            .unwrap();
        assert_eq!(Checkpoint::open(checkpoint.note(), &origin), Ok(checkpoint));
    }

    #[test]
    fn what_is_no_head_of_this_log_is_refused() {
        let (mine, key) = origin(1);
        let (theirs, their_key) = origin(2);
        let name = mine.to_string();
        let root = base64(&head().root);
        let sign = |text: &str| note::sign(text, &name, &key);
        let good = Checkpoint::sign(&mine, head(), &key);
        let table = [
            (
                "no note",
                String::new(),
                CheckpointError::Note(NoteError::NoSeparator),
            ),
            (
                "size 0 padded",
                sign(&format!("{name}\n007\n{root}\n")),
                CheckpointError::Text,
            ),
            (
                "size signed",
                sign(&format!("{name}\n+7\n{root}\n")),
                CheckpointError::Text,
            ),
            (
                "size missing",
                sign(&format!("{name}\n{root}\n")),
                CheckpointError::Text,
            ),
            (
                "short root",
                sign(&format!("{name}\n7\nAAAA\n")),
                CheckpointError::Text,
            ),
            (
                "extension",
                sign(&format!("{name}\n7\n{root}\nmore\n")),
                CheckpointError::Text,
            ),
            (
                "empty tree with a root",
                sign(&format!("{name}\n0\n{root}\n")),
                CheckpointError::EmptyTree,
            ),
            (
                "empty tree with zeroes for a root",
                sign(&format!(
                    "{name}\n0\n{}\n",
                    base64(&Digest::from_bytes([0; 32]))
                )),
                CheckpointError::EmptyTree,
            ),
            (
                "other project",
                sign(&format!("ecac.dev/audit/x\n7\n{root}\n")),
                CheckpointError::Origin {
                    found: "ecac.dev/audit/x".to_owned(),
                },
            ),
            (
                "other node",
                Checkpoint::sign(&theirs, head(), &their_key).note,
                CheckpointError::Origin {
                    found: theirs.to_string(),
                },
            ),
            (
                "other key",
                note::sign(&text(&name, &head()), &name, &their_key),
                CheckpointError::Key { name: name.clone() },
            ),
            (
                "other key name",
                note::sign(&text(&name, &head()), "me", &key),
                CheckpointError::Key {
                    name: "me".to_owned(),
                },
            ),
            (
                "other text",
                good.note.replace("20852163", "20852164"),
                CheckpointError::Signature,
            ),
        ];
        for (name, note, want) in table {
            assert_eq!(Checkpoint::open(&note, &mine), Err(want), "{name}");
        }
        let empty = sign(&format!("{name}\n0\n{}\n", base64(&Digest::of(b""))));
        assert_eq!(Checkpoint::open(&empty, &mine).unwrap().head().size, 0);
    }
}
