//! The audit log of this machine in a project directory: it goes on where it ends, and speaks of all that the replica holds.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use ecac_audit::{
    Checkpoint, Digest, DiskError, DiskLog, Entry, Expect, Folder, NodeKey, Origin, Recorder,
    Scribe, Segments, Subject, TreeHead, survey,
};
use ecac_core::{Costs, OpId, PublicKey, Received, Replica, VerifiedOp};

use crate::error::Error;
use crate::file;

/// Longest file with a signed head, in bytes; one has some 500.
const HEAD_BYTES_MAX: u64 = 4096;
/// Length from which on a segment gets no further batch: a write reads the last one, and nothing before it.
const SEGMENT_BYTES: u64 = 1 << 20;
/// The first line of the file that says what the log speaks of.
const TOLD_FORMAT: &str = "ecac-told-v1";
/// What the name of that file ends with.
const TOLD_EXTENSION: &str = "told";

/// Domain string of what a view is of (`docs/audit.md`, Views).
const VIEW_DOMAIN: &[u8] = b"ECAC_VIEW_V1";

/// The digest by which an audit log names that somebody opened what an op has under seal: SHA-256 of `ECAC_VIEW_V1` and the id
/// of the op. Nothing of the value is in it.
#[must_use]
pub fn view_of(op: &OpId) -> Digest {
    Digest::of(&[VIEW_DOMAIN, op.as_bytes().as_slice()].concat())
}

/// An audit log that is open for its one writer.
#[derive(Debug)]
pub(crate) struct Trail {
    log: DiskLog<Folder>,
    scribe: Scribe,
    key: NodeKey,
    folder: PathBuf,
    head: PathBuf,
}

impl Trail {
    /// Opens the audit log in the folder, or makes it where nothing was ever signed: `head` is where its last head is kept, and
    /// beside it what it speaks of.
    ///
    /// What the replica holds and the log does not speak of, because a process ended in between, is recorded at once. Whether there is
    /// such a thing is known from the head and from the file beside it; only where these do not fit is the whole log read.
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
            Err(DiskError::NoLog) => {
                return Err(Error::AuditElsewhere {
                    folder: folder.to_owned(),
                });
            }
            opened => opened.map_err(failed)?.log,
        };
        let mut trail = Self {
            log: log.with_segment_bytes(SEGMENT_BYTES),
            scribe: Scribe::default(),
            key,
            folder: folder.to_owned(),
            head,
        };
        if !trail.speaks_of_all(replica) {
            trail.catch_up(replica, refused)?;
        }
        Ok(trail)
    }

    /// Records a batch of the replica, which holds it: writes its entries, signs them, and keeps the head.
    pub(crate) fn record(&mut self, replica: &Replica, received: &Received) -> Result<(), Error> {
        let entries = self.scribe.entries(replica, received);
        self.commit(replica, &entries)
    }

    /// Records that the reader opened what these ops have under seal.
    pub(crate) fn viewed(
        &mut self,
        replica: &Replica,
        ops: &[OpId],
        viewer: PublicKey,
    ) -> Result<(), Error> {
        let view = |op: &OpId| Entry::Viewed {
            object: view_of(op),
            viewer,
        };
        let entries: Vec<Entry> = ops.iter().map(view).collect();
        self.commit(replica, &entries)
    }

    fn failed(&self, source: DiskError) -> Error {
        Error::Audit {
            folder: self.folder.clone(),
            source: Box::new(source),
        }
    }

    fn commit(&mut self, replica: &Replica, entries: &[Entry]) -> Result<(), Error> {
        if entries.is_empty() {
            return Ok(());
        }
        let committed = self
            .log
            .commit_batch(entries, &self.key)
            .map(|it| it.note().to_owned());
        let note = committed.map_err(|source| self.failed(source))?;
        file::replace(&self.head, note.as_bytes())?;
        self.keep_told(replica)
    }

    /// Where it is kept what the log speaks of.
    fn told_path(&self) -> PathBuf {
        self.head.with_extension(TOLD_EXTENSION)
    }

    /// What the log speaks of if it speaks of all that the replica holds: the head of the log, the ends of the DAG, and what is held
    /// outside of it.
    fn told(&self, replica: &Replica) -> String {
        let digest = |ids: &BTreeSet<OpId>| {
            let bytes: Vec<u8> = ids.iter().flat_map(|id| *id.as_bytes()).collect();
            Digest::of(&bytes)
        };
        let ends = digest(&replica.heads().into_iter().collect());
        let log = replica.log();
        let held = digest(
            &log.pending()
                .chain(log.unsupported())
                .map(VerifiedOp::id)
                .collect(),
        );
        let TreeHead { size, root } = self.log.frontier().head();
        format!("{TOLD_FORMAT}\nsize {size}\nroot {root}\nends {ends}\nheld {held}\n")
    }

    /// Whether the log is known to speak of all that the replica holds.
    fn speaks_of_all(&self, replica: &Replica) -> bool {
        fs::read(self.told_path()).is_ok_and(|kept| kept == self.told(replica).as_bytes())
    }

    fn keep_told(&self, replica: &Replica) -> Result<(), Error> {
        file::replace_lazily(&self.told_path(), self.told(replica).as_bytes())
    }

    /// Reads the whole log, and records what it does not speak of.
    fn catch_up(&mut self, replica: &Replica, refused: &[Vec<u8>]) -> Result<(), Error> {
        let mut told = BTreeSet::new();
        let read = survey(
            &Segments(self.log.directory()),
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
        read.map_err(|source| self.failed(source))?;
        let entries = untold(replica, refused, &told);
        self.commit(replica, &entries)?;
        self.keep_told(replica)
    }
}

/// The entries of what the replica holds and of which the log does not speak yet, as one batch.
fn untold(replica: &Replica, refused: &[Vec<u8>], told: &BTreeSet<OpId>) -> Vec<Entry> {
    let costs = &mut Costs::default();
    let mut recorder = Recorder::new(replica.project());
    let log = replica.log();
    let held = || log.pending().chain(log.unsupported()).cloned();
    let is_told = |op: &VerifiedOp| told.contains(&op.id());
    // An op whose envelope was dropped is recorded, or waits, as every other one does.
    for op in log.admitted_or_remains().filter(is_told) {
        recorder.ingest(op, costs);
    }
    for envelope in refused {
        // The file holds ops only, and one that is damaged is none.
        drop(recorder.receive(envelope, costs));
    }
    for op in held().filter(is_told) {
        recorder.ingest(op, costs);
    }
    drop(recorder.seal(costs));
    for op in log.admitted_or_remains().chain(held()) {
        if !is_told(&op) {
            recorder.ingest(op, costs);
        }
    }
    recorder.seal(costs)
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
