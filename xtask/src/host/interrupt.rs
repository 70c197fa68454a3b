//! Ctrl-C and termination signals as a flag, so that every temporary file is removed on the way out.

use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context as _, Result};
use ecac_artifact::exit;

use crate::host::error::Failure;

static REQUESTED: AtomicBool = AtomicBool::new(false);

/// Turns SIGINT, SIGTERM and SIGHUP into the flag that [`check`] reads.
pub fn install() -> Result<()> {
    ctrlc::set_handler(|| REQUESTED.store(true, Ordering::SeqCst))
        .context("install the handler for Ctrl-C")
}

/// True once a signal has asked the program to stop.
pub fn requested() -> bool {
    REQUESTED.load(Ordering::SeqCst)
}

/// An error once a signal has asked the program to stop.
pub fn check() -> Result<()> {
    if requested() {
        return Err(failure().into());
    }
    Ok(())
}

/// The error of an interrupted command.
pub fn failure() -> Failure {
    Failure::new(exit::INTERRUPTED, "interrupted; nothing was changed")
}
