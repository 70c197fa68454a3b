//! The audit log of this machine in a project directory, and the recorder that goes on where it ends.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use ecac_audit::{
    Checkpoint, DiskError, DiskLog, Entry, Expect, Folder, NodeKey, Origin, Recorder, Segments,
    Subject, TreeHead, survey,
};
use ecac_core::{Costs, OpId, Replica, VerifiedOp};

use crate::error::Error;
use crate::file;

/// Longest file with a signed head, in bytes; one has some 500.
const HEAD_BYTES_MAX: u64 = 4096;

/// An audit log that is open for its one writer.
#[derive(Debug)]
pub(crate) struct Trail {
    log: DiskLog<Folder>,
    recorder: Recorder,
    key: NodeKey,
    folder: PathBuf,
    head: PathBuf,
}

impl Trail {
    /// Opens the audit log in the folder, or makes it where nothing was ever signed: `head` is where its last head is kept.
    ///
    /// What the replica holds and the log does not speak of, because a process ended in between, is recorded with the next
    /// batch.
    pub(crate) fn open(
        folder: &Path,
        head: PathBuf,
        key: NodeKey,
        replica: &Replica,
        refused: &[Vec<u8>],
    ) -> Result<Self, Error> {
        let project = replica.project();
        let failed = |source| Error::Audit {
            folder: folder.to_owned(),
            source: Box::new(source),
        };
        let origin = Origin {
            project,
            node: key.public(),
        };
        let expected = read_head(&head, &origin)?;
        let directory = Folder::create(folder).map_err(|error| Error::io("open", folder, error))?;
        let opened = DiskLog::open_for_append(directory, project, &key, expected);
        let log = match opened {
            Err(DiskError::NoLog) if expected.is_none() => {
                let directory = Folder::open(folder);
                let directory = directory.map_err(|error| Error::io("open", folder, error))?;
                DiskLog::create(directory, project, &key).map_err(failed)?
            }
            opened => opened.map_err(failed)?.log,
        };
        let mut told = BTreeSet::new();
        let read = survey(
            &Segments(log.directory()),
            &Expect::default(),
            &mut |_, entry, _| {
                if let Entry::Ingested {
                    subject: Subject::Op(op),
                } = entry
                {
                    told.insert(*op);
                }
            },
        );
        read.map_err(failed)?;
        let mut trail = Self {
            log,
            recorder: Recorder::new(project),
            key,
            folder: folder.to_owned(),
            head,
        };
        trail.resume(replica, refused, &told);
        Ok(trail)
    }

    /// Brings the recorder to where the log ends, and lets it meet with what the log does not speak of.
    fn resume(&mut self, replica: &Replica, refused: &[Vec<u8>], told: &BTreeSet<OpId>) {
        let costs = &mut Costs::default();
        let log = replica.log();
        let held = || log.pending().chain(log.unsupported()).cloned();
        let is_told = |op: &VerifiedOp| told.contains(&op.id());
        for op in replica.ops().filter(is_told) {
            self.recorder.ingest(op, costs);
        }
        for envelope in refused {
            // The file holds ops only, and one that is damaged is none.
            drop(self.recorder.receive(envelope, costs));
        }
        for op in held().filter(is_told) {
            self.recorder.ingest(op, costs);
        }
        drop(self.recorder.seal(costs));
        for op in replica.ops().chain(held()) {
            if !told.contains(&op.id()) {
                self.recorder.ingest(op, costs);
            }
        }
    }

    /// Records that the envelope came.
    pub(crate) fn receive(&mut self, envelope: &[u8]) {
        // What is no op is counted.
        drop(self.recorder.receive(envelope, &mut Costs::default()));
    }

    /// Writes what was recorded, signs it, and keeps the head.
    pub(crate) fn commit(&mut self) -> Result<(), Error> {
        let sealed = self
            .recorder
            .seal_into(&mut self.log, &self.key, &mut Costs::default());
        let sealed = sealed.map_err(|source| Error::Audit {
            folder: self.folder.clone(),
            source: Box::new(source),
        })?;
        match sealed {
            Some(checkpoint) => file::replace(&self.head, checkpoint.note().as_bytes()),
            None => Ok(()),
        }
    }
}

/// The head that was kept, if one was.
fn read_head(path: &Path, origin: &Origin) -> Result<Option<TreeHead>, Error> {
    let damaged = || Error::Head {
        file: path.to_owned(),
    };
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::io("read", path, error)),
    };
    if metadata.len() > HEAD_BYTES_MAX {
        return Err(damaged());
    }
    let text = fs::read(path).map_err(|error| Error::io("read", path, error))?;
    let text = String::from_utf8(text).map_err(|_| damaged())?;
    let head = Checkpoint::open(&text, origin).map_err(|_| damaged())?;
    Ok(Some(head.head()))
}
