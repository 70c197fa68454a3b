//! The temporary directory, and what is kept in it.

use core::ops::Deref;
use core::sync::atomic::{AtomicUsize, Ordering};
use std::io::Read as _;
use std::path::Path;

use ecac_audit::{
    Checkpoint, DiskLog, Entry, Folder, NodeKey, Recorder, Segments, Sink, Source as _,
};
use ecac_bench::{AUDIT_BATCH_OPS, Storage, StoredReplica};
use ecac_core::{Costs, ProjectId, Received, Replica, ReplicaBuilder, VerifiedOp};
use ecac_store::{DurableReplica, Options};
use tempfile::TempDir;

use crate::error::Error;

/// How the name of the directory begins.
const PREFIX: &str = "ecac-bench-";

/// How many there are in this process.
static COUNT: AtomicUsize = AtomicUsize::new(0);

/// A temporary directory in which a run keeps its replicas and its audit log, until it is dropped.
///
/// Whoever can be stopped by a signal says so to the run: it asks `stop` before each batch, and ends with
/// [`Error::Stopped`] where that is true, so that the directory is removed on the way out.
///
/// ```
/// use ecac_bench::{Params, Scenario, run, run_in};
/// use ecac_bench_disk::Disk;
///
/// let params = Params { scenario: Scenario::HbChain, seed: 42, ops: 20 };
/// let record = run_in(Disk::new(|| false)?, &params, "none")?;
/// assert_eq!(Ok(record), run(&params, "none"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Disk {
    directory: TempDir,
    replicas: u32,
    stop: fn() -> bool,
    _counted: Counted,
}

/// Counts a directory for as long as it is there.
#[derive(Debug)]
struct Counted;

impl Counted {
    fn new() -> Self {
        COUNT.fetch_add(1, Ordering::SeqCst);
        Self
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        COUNT.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Disk {
    /// A fresh directory below the system's temporary directory.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn new(stop: fn() -> bool) -> Result<Self, Error> {
        let _counted = Counted::new();
        let directory = tempfile::Builder::new()
            .prefix(PREFIX)
            .tempdir()
            .map_err(Error::io("make a directory in", std::env::temp_dir()))?;
        Ok(Self {
            directory,
            replicas: 0,
            stop,
            _counted,
        })
    }

    /// Whether any is there in this process: a program that ends by itself while there is leaves a directory behind.
    #[must_use]
    pub fn is_there() -> bool {
        COUNT.load(Ordering::SeqCst) > 0
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.directory.path()
    }
}

fn check(stop: fn() -> bool) -> Result<(), Error> {
    if stop() { Err(Error::Stopped) } else { Ok(()) }
}

impl Storage for Disk {
    type Replica = OnDisk;
    type Error = Error;

    fn join(&mut self, builder: ReplicaBuilder, project: ProjectId) -> Result<OnDisk, Error> {
        check(self.stop)?;
        self.replicas += 1;
        let file = self.path().join(format!("replica-{}.ecac", self.replicas));
        let replica = Options::new().replica(builder).join(file, project)?;
        Ok(OnDisk {
            replica,
            stop: self.stop,
        })
    }

    fn audit(self, project: ProjectId, items: &[&[u8]], key: &NodeKey) -> Result<Vec<u8>, Error> {
        let path = self.path().join("audit");
        let folder = Folder::create(&path).map_err(Error::io("make", &path))?;
        let mut log = Stoppable {
            log: DiskLog::create(folder, project, key)?,
            stop: self.stop,
        };
        let costs = &mut Costs::default();
        Recorder::new(project).record_op_log(items, AUDIT_BATCH_OPS, &mut log, key, costs)?;
        drop(log);
        let folder = Folder::open(&path).map_err(Error::io("open", &path))?;
        let segments = Segments(&folder);
        let mut export = Vec::new();
        for segment in 0..segments.segments()? {
            let read = segments.read(segment);
            read.and_then(|mut it| it.read_to_end(&mut export))
                .map_err(Error::io("read", path.join(segments.label(segment))))?;
        }
        let path = self.path().to_owned();
        let removed = self.directory.close();
        removed.map_err(Error::io("remove", path))?;
        Ok(export)
    }
}

/// A replica in a durable store.
#[derive(Debug)]
pub struct OnDisk {
    replica: DurableReplica,
    stop: fn() -> bool,
}

impl Deref for OnDisk {
    type Target = Replica;

    fn deref(&self) -> &Replica {
        &self.replica
    }
}

impl StoredReplica for OnDisk {
    type Error = Error;

    fn take(&mut self, ops: Vec<VerifiedOp>) -> Result<Received, Error> {
        check(self.stop)?;
        let envelopes: Vec<&[u8]> = ops.iter().map(VerifiedOp::envelope).collect();
        Ok(self.replica.receive(&envelopes)?)
    }
}

/// A log that takes no batch once it is to stop.
struct Stoppable {
    log: DiskLog<Folder>,
    stop: fn() -> bool,
}

impl Sink for Stoppable {
    type Error = Error;

    fn commit(&mut self, entries: Vec<Entry>, key: &NodeKey) -> Result<Checkpoint, Error> {
        check(self.stop)?;
        Ok(self.log.commit(entries, key)?)
    }
}
