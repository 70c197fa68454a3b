//! Markers: what a key has signed last, outside of the store.
//!
//! A store that was restored from a backup looks whole, and lacks what its author has signed since. Who writes on signs a number
//! twice and is frozen. So the op that is about to be signed is written into a marker first, its whole body, in a file that the
//! caller keeps apart from the store: a backup does not bring it back.
//!
//! A process that ends between the marker and the transaction leaves a marker that is ahead by the ops of that transaction. Signing these
//! very bodies again is no equivocation, because the id of an op does not depend on its signature; so this is finished, and no alarm.

use core::cell::RefCell;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use ecac_core::{Body, OpId, ProjectId, PublicKey, SignError, Signer};
use minicbor::{Decoder, Encoder};

use crate::error::{Error, Spot};

const FORMAT: &str = "ecac-marker";
/// The form for one body.
const VERSION: u32 = 1;
/// The form for several: an array of bodies in the place of the one.
const VERSION_OF_SEVERAL: u32 = 2;
const DIGEST_BYTES: usize = 32;
/// Most ops of one transaction that one key signs.
pub const BODIES_MAX: usize = 16;
/// Longest marker, in bytes: so many ops and some.
const MARKER_BYTES_MAX: usize = BODIES_MAX * (72 << 10);

/// The last ops that a key was to sign in a project, those of one transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Marker {
    /// The generation of the store that was to have the ops.
    pub(crate) generation: u64,
    /// The bodies, as they are signed, in their order; none where the store has all, and the envelope of none.
    pub(crate) bodies: Vec<Vec<u8>>,
}

impl Marker {
    /// The ops.
    pub(crate) fn ops(&self) -> impl DoubleEndedIterator<Item = OpId> {
        self.bodies.iter().map(|body| OpId::of_body(body))
    }

    /// Where the marker of a key in a project lies.
    pub(crate) fn path(directory: &Path, project: &ProjectId, author: &PublicKey) -> PathBuf {
        let hex = |bytes: &[u8]| {
            bytes
                .iter()
                .map(|it| format!("{it:02x}"))
                .collect::<String>()
        };
        let (project, author) = (hex(project.as_bytes()), hex(author.as_bytes()));
        directory.join(format!("{project}-{author}.marker"))
    }

    /// The marker in a file, if there is one.
    pub(crate) fn read(path: &Path) -> Result<Option<Self>, Error> {
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::io(path, "read", error)),
        };
        let damaged =
            || Error::damaged(path, Spot::File, "it is no marker that this program wrote");
        if bytes.len() > MARKER_BYTES_MAX {
            return Err(damaged());
        }
        let (content, digest) = bytes
            .split_last_chunk::<DIGEST_BYTES>()
            .ok_or_else(damaged)?;
        if digest != blake3::hash(content).as_bytes() {
            return Err(damaged());
        }
        let mut input = Decoder::new(content);
        let mut read = || -> Option<Self> {
            let is_ours = input.str().ok()? == FORMAT;
            let version = input.u32().ok().filter(|_| is_ours)?;
            let generation = input.u64().ok()?;
            let count = match version {
                VERSION => 1,
                VERSION_OF_SEVERAL => input.array().ok()??,
                _ => return None,
            };
            let body = |_| Some(input.bytes().ok()?.to_vec());
            let bodies = (0..count).map(body).collect::<Option<Vec<_>>>()?;
            Some(Self { generation, bodies })
        };
        Ok(Some(read().ok_or_else(damaged)?))
    }

    /// Writes the marker, so that it survives a loss of power.
    pub(crate) fn write(&self, path: &Path) -> Result<(), Error> {
        let mut bytes = Vec::new();
        let mut out = Encoder::new(&mut bytes);
        let written = out.str(FORMAT).and_then(|out| {
            if let [body] = &self.bodies[..] {
                return out
                    .u32(VERSION)?
                    .u64(self.generation)?
                    .bytes(body)
                    .map(drop);
            }
            out.u32(VERSION_OF_SEVERAL)?.u64(self.generation)?;
            out.array(self.bodies.len() as u64)?;
            self.bodies
                .iter()
                .try_for_each(|body| out.bytes(body).map(drop))
        });
        debug_assert!(written.is_ok(), "writing into memory does not fail");
        let digest = *blake3::hash(&bytes).as_bytes();
        bytes.extend_from_slice(&digest);
        let replaced = || -> io::Result<()> {
            let directory = path.parent().unwrap_or(Path::new("."));
            fs::create_dir_all(directory)?;
            let beside = path.with_extension("marker-new");
            let mut file = File::create(&beside)?;
            file.write_all(&bytes)?;
            file.sync_all()?;
            fs::rename(&beside, path)?;
            if cfg!(unix) {
                File::open(directory)?.sync_all()?;
            }
            Ok(())
        };
        replaced().map_err(|error| Error::io(path, "write", error))
    }

    /// Marks what was marked before, or nothing.
    pub(crate) fn put_back(before: Option<Self>, path: &Path) -> Result<(), Error> {
        match before {
            Some(before) => before.write(path),
            None => Self::remove(path),
        }
    }

    /// Removes a marker.
    pub(crate) fn remove(path: &Path) -> Result<(), Error> {
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(Error::io(path, "remove", error))
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }
}

/// A signer that writes down what it is about to sign.
pub(crate) struct Marking<'a> {
    signer: &'a dyn Signer,
    directory: &'a Path,
    /// The project; that of the op itself, if it is founded with this signature.
    project: Option<ProjectId>,
    generation: u64,
    /// Why the marker could not be written.
    failed: RefCell<Option<Error>>,
}

impl<'a> Marking<'a> {
    pub(crate) const fn new(
        signer: &'a dyn Signer,
        directory: &'a Path,
        project: Option<ProjectId>,
        generation: u64,
    ) -> Self {
        Self {
            signer,
            directory,
            project,
            generation,
            failed: RefCell::new(None),
        }
    }

    /// Why the marker could not be written, if it could not.
    pub(crate) fn failed(&self) -> Option<Error> {
        self.failed.take()
    }
}

/// The body in what is signed: the last part of a Sig_structure (RFC 9052 section 4.4).
fn body(message: &[u8]) -> Option<Vec<u8>> {
    let mut input = Decoder::new(message);
    if input.array().ok()? != Some(4) {
        return None;
    }
    input.str().ok()?;
    input.bytes().ok()?;
    input.bytes().ok()?;
    Some(input.bytes().ok()?.to_vec())
}

impl Signer for Marking<'_> {
    fn public_key(&self) -> PublicKey {
        self.signer.public_key()
    }

    fn sign(&self, message: &[u8]) -> Result<[u8; 64], SignError> {
        let body =
            body(message).ok_or_else(|| SignError::failed("what is to be signed is no op"))?;
        let project = self.project.unwrap_or_else(|| OpId::of_body(&body));
        let marker = Marker {
            generation: self.generation,
            bodies: vec![body],
        };
        let path = Marker::path(self.directory, &project, &self.signer.public_key());
        let marked = Marker::read(&path).and_then(|before| {
            marker.write(&path)?;
            Ok(before)
        });
        let before = match marked {
            Ok(before) => before,
            Err(error) => {
                let told = error.to_string();
                *self.failed.borrow_mut() = Some(error);
                return Err(SignError::failed(told));
            }
        };
        self.signer.sign(message).inspect_err(|_| {
            // Nothing was signed.
            if let Err(error) = Marker::put_back(before, &path) {
                *self.failed.borrow_mut() = Some(error);
            }
        })
    }
}

/// The bodies of a marker, decoded.
pub(crate) fn decoded(path: &Path, marker: &Marker) -> Result<Vec<Body>, Error> {
    let bodies = marker.bodies.iter().map(|body| Body::decode(body));
    let bodies = bodies.collect::<Result<Vec<_>, _>>();
    bodies.map_err(|error| Error::damaged(path, Spot::File, error.to_string()))
}
