//! The project directory behind the sessions of a node.
//!
//! The store has one writer at a time. A node opens it for the first session and closes it after the last one, so that between
//! them the program `ecac` works in the same directory, and what a session took in is in the audit log when it is over.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use ecac_project::{Error, KeyName, Project, Writer};
use ecac_sync::Keeper;
use tokio::time::sleep;

use crate::counters::Counters;

/// How long is waited for another writer, and how often it is tried.
const WAIT: Duration = Duration::from_secs(20);
const AGAIN: Duration = Duration::from_millis(50);

/// The directory, for all sessions.
#[derive(Debug)]
pub(crate) struct Keeping {
    project: Project,
    node: KeyName,
    counters: Arc<Counters>,
    shelf: Mutex<Shelf>,
}

#[derive(Debug, Default)]
struct Shelf {
    writer: Option<Writer>,
    sessions: usize,
}

impl Keeping {
    pub(crate) fn of(project: Project, node: KeyName, counters: Arc<Counters>) -> Self {
        Self {
            project,
            node,
            counters,
            shelf: Mutex::default(),
        }
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens the store for a session, which ends when what is returned is dropped. Waits for another writer.
    pub(crate) async fn begin(self: &Arc<Self>) -> Result<Kept> {
        let began = Instant::now();
        loop {
            match self.opened() {
                Ok(()) => return Ok(Kept(self.clone())),
                Err(Error::Store(ecac_store::Error::Held { .. })) if began.elapsed() < WAIT => {}
                Err(error) => return Err(error).context("open the store"),
            }
            sleep(AGAIN).await;
        }
    }

    fn opened(&self) -> Result<(), Error> {
        let mut shelf = self.shelf();
        if shelf.writer.is_none() {
            let writer = self.project.write(&self.node)?;
            self.counters.holds(writer.log().admitted_count() as u64);
            shelf.writer = Some(writer);
        }
        shelf.sessions += 1;
        Ok(())
    }
}

/// The store, for one session.
#[derive(Debug)]
pub(crate) struct Kept(Arc<Keeping>);

impl Kept {
    /// Calls `look` with a keeper, unless the store has failed and is closed.
    pub(crate) fn with<T>(&self, look: impl FnOnce(&mut dyn Keeper) -> T) -> Option<T> {
        let mut shelf = self.0.shelf();
        let writer = shelf.writer.as_mut()?;
        let seen = look(writer);
        let ops = writer.log().admitted_count() as u64;
        self.0.counters.holds(ops);
        Some(seen)
    }

    /// Ends the session: the last one closes the store.
    ///
    /// # Errors
    /// That the audit log or the store cannot be closed; what was taken in is there.
    pub(crate) fn end(self) -> Result<()> {
        let mut shelf = self.0.shelf();
        if shelf.sessions == 1
            && let Some(writer) = shelf.writer.take()
        {
            writer.close().context("close the store")?;
        }
        Ok(())
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        let mut shelf = self.0.shelf();
        shelf.sessions = shelf.sessions.saturating_sub(1);
        if shelf.sessions == 0 {
            // What was taken in is there; the next writer records what is missing in the audit log.
            shelf.writer = None;
        }
    }
}
