//! A session of sync whose two ends are in this process: what was sent is there at once, and nothing is lost.

use anyhow::{Context as _, Result, ensure};
use ecac_sync::{Keeper, Session, Standing};
use xtask::host::interrupt;

/// A time that never passes: on this link nobody has to try again.
const NOW_MS: u64 = 1;

/// One end of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The one that begins.
    Dialler,
    /// The one that answers.
    Listener,
}

/// What a session came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Met {
    /// Round trips until the last op was there; one that was begun counts.
    pub round_trips: u64,
    /// Bytes of all frames.
    pub bytes: u64,
    /// Ops that came to the dialler and were new.
    pub to_dialler: u64,
    /// Ops that came to the listener and were new.
    pub to_listener: u64,
}

/// Does a piece of the work of one end, and nothing else; it may look around it.
pub type Around<'a> = dyn FnMut(End, &mut dyn FnMut()) + 'a;

/// Runs a session to its end. All frames that an end has to send go at once, which is half a round trip.
///
/// # Errors
/// If the session does not come to its end, or the program is interrupted.
pub fn meet(
    dialler: &mut dyn Keeper,
    listener: &mut dyn Keeper,
    around: &mut Around<'_>,
) -> Result<Met> {
    let (mut dialling, mut answering) = (None, None);
    around(End::Dialler, &mut || {
        dialling = Some(Session::dial(dialler, [1; 16], NOW_MS));
    });
    let mut dialling = dialling.context("dial")?;
    let mut there: Vec<Vec<u8>> = Vec::new();
    around(End::Dialler, &mut || there.extend(frames(&mut dialling)));
    around(End::Listener, &mut || {
        let first = there.first();
        answering = first.and_then(|it| Session::answer(listener, it, [2; 16], NOW_MS));
    });
    let mut answering = answering.context("answer the first frame")?;
    let mut back: Vec<Vec<u8>> = Vec::new();
    around(End::Listener, &mut || back.extend(frames(&mut answering)));
    let (mut ways, mut ways_to_last) = (0_u64, 0);
    while !there.is_empty() || !back.is_empty() {
        interrupt::check()?;
        let came = |a: &Session, b: &Session| a.tally().useful_ops + b.tally().useful_ops;
        let before = came(&dialling, &answering);
        around(End::Listener, &mut || {
            answering.handle_all(listener, &there, NOW_MS);
        });
        around(End::Dialler, &mut || {
            dialling.handle_all(dialler, &back, NOW_MS);
        });
        ways += 1;
        if came(&dialling, &answering) > before {
            ways_to_last = ways;
        }
        around(End::Dialler, &mut || {
            there.clear();
            there.extend(frames(&mut dialling));
        });
        around(End::Listener, &mut || {
            back.clear();
            back.extend(frames(&mut answering));
        });
    }
    for session in [&dialling, &answering] {
        let standing = session.standing();
        ensure!(
            standing == Standing::Finished,
            "a session ends as {standing:?}"
        );
    }
    let met = Met {
        round_trips: ways_to_last.div_ceil(2),
        bytes: dialling.tally().sent_bytes + answering.tally().sent_bytes,
        to_dialler: dialling.tally().useful_ops,
        to_listener: answering.tally().useful_ops,
    };
    Ok(met)
}

fn frames(session: &mut Session) -> Vec<Vec<u8>> {
    core::iter::from_fn(|| session.frame()).collect()
}
