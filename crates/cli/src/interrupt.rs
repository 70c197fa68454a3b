//! Ctrl-C and termination signals as a flag, while there is something to remove on the way out.

use std::process;
use std::sync::atomic::{AtomicBool, Ordering};

use ecac_artifact::exit;
use ecac_bench_disk::Disk;

use crate::failure::Failure;

static REQUESTED: AtomicBool = AtomicBool::new(false);

/// Turns SIGINT, SIGTERM and SIGHUP into the flag that [`requested`] reads. The second one, and one that comes while there is
/// no temporary directory, ends the program at once.
pub(crate) fn install() -> Result<(), Failure> {
    let set = ctrlc::set_handler(|| {
        if REQUESTED.swap(true, Ordering::SeqCst) || !Disk::is_there() {
            process::exit(exit::INTERRUPTED.into());
        }
    });
    set.map_err(|error| {
        Failure::new(
            exit::ENVIRONMENT,
            "install the handler for Ctrl-C",
            error,
            "try again",
        )
    })
}

/// True once a signal has asked the program to stop.
pub(crate) fn requested() -> bool {
    REQUESTED.load(Ordering::SeqCst)
}

/// A failure once a signal has asked the program to stop.
pub(crate) fn check(doing: &str) -> Result<(), Failure> {
    if !requested() {
        return Ok(());
    }
    Err(Failure::new(
        exit::INTERRUPTED,
        doing,
        "interrupted; nothing was written",
        "run it again",
    ))
}
