//! A session with a peer whose frames the program `ecac-node` carries: each after its length in four bytes, as they are on the wire.

use std::io::{self, Read, Write as _};
use std::process::{Child, ChildStdin, ChildStdout};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use ecac_sync::limits::FRAME_BYTES_MAX;
use ecac_sync::{Keeper, Session, Standing, Tally};

/// Frames that were read and are not taken in yet.
const FRAMES: usize = 4;
/// How long the other end may take to end a session that this end has ended.
const PARTING: Duration = Duration::from_secs(5);
/// How often an ending carrier is looked at.
const POLL: Duration = Duration::from_millis(5);
/// What is kept of what the carrier says of itself, in bytes.
const SAID_BYTES_MAX: u64 = 4096;

/// What carries the frames. Dropped, it ends.
pub(crate) struct Carrier {
    child: Child,
    send: Option<ChildStdin>,
    frames: Receiver<Vec<u8>>,
    said: Option<JoinHandle<String>>,
}

/// How a session ended.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Met {
    pub(crate) standing: Standing,
    pub(crate) tally: Tally,
    /// The version of sync that both ends spoke.
    pub(crate) version: u16,
}

impl Carrier {
    /// Waits until the peer is reached; otherwise what the carrier said of why it is not.
    pub(crate) fn reach(mut child: Child) -> Result<Self, String> {
        let (into, frames) = sync_channel(FRAMES);
        if let Some(mut receive) = child.stdout.take() {
            thread::spawn(move || {
                while let Ok(frame) = read(&mut receive) {
                    if into.send(frame).is_err() {
                        break;
                    }
                }
            });
        }
        let said = child.stderr.take().map(|stderr| {
            thread::spawn(move || {
                let mut bytes = Vec::new();
                let mut stderr = stderr;
                // What cannot be read was not said; what is beyond the limit is read, so that nobody waits to say it.
                drop((&mut stderr).take(SAID_BYTES_MAX).read_to_end(&mut bytes));
                drop(io::copy(&mut stderr, &mut io::sink()));
                String::from_utf8_lossy(&bytes).into_owned()
            })
        });
        let mut carrier = Self {
            send: child.stdin.take(),
            child,
            frames,
            said,
        };
        match carrier.frames.recv() {
            Ok(first) if first.is_empty() => Ok(carrier),
            _ => Err(carrier.end()),
        }
    }

    /// Makes the session, in which the other end is asked for older ops where that is wanted.
    pub(crate) fn meet(&mut self, keeper: &mut dyn Keeper, id: [u8; 16], older: bool) -> Met {
        let began = Instant::now();
        let now_ms = || u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let mut session = Session::dial(keeper, id, now_ms());
        if older {
            session = session.asking_for_older();
        }
        loop {
            while let Some(frame) = session.frame() {
                if self.write(&frame).is_err() {
                    break;
                }
            }
            let Some(timer_ms) = session.timer_ms() else {
                break;
            };
            let wait = Duration::from_millis(timer_ms.saturating_sub(now_ms()));
            match self.frames.recv_timeout(wait) {
                Ok(frame) => session.handle(keeper, &frame, now_ms()),
                Err(RecvTimeoutError::Timeout) => session.tick(now_ms()),
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        Met {
            standing: session.standing(),
            tally: session.tally(),
            version: session.version(),
        }
    }

    /// Tells the other end that this one is done, waits for it for a while, and returns what the carrier said.
    pub(crate) fn end(&mut self) -> String {
        self.send = None;
        let began = Instant::now();
        let left = || PARTING.saturating_sub(began.elapsed());
        while !left().is_zero() && self.frames.recv_timeout(left()).is_ok() {}
        while !left().is_zero() && matches!(self.child.try_wait(), Ok(None)) {
            thread::sleep(POLL);
        }
        self.kill();
        let said = self.said.take().map(JoinHandle::join);
        said.and_then(Result::ok).unwrap_or_default()
    }

    fn write(&mut self, frame: &[u8]) -> io::Result<()> {
        let Some(send) = &mut self.send else {
            return Err(io::ErrorKind::BrokenPipe.into());
        };
        let length = u32::try_from(frame.len()).map_err(io::Error::other)?;
        send.write_all(&length.to_be_bytes())?;
        send.write_all(frame)?;
        send.flush()
    }

    fn kill(&mut self) {
        // It may have ended.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Drop for Carrier {
    fn drop(&mut self) {
        self.kill();
    }
}

fn read(receive: &mut ChildStdout) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    receive.read_exact(&mut length)?;
    let length = usize::try_from(u32::from_be_bytes(length)).map_err(io::Error::other)?;
    if length > FRAME_BYTES_MAX {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut frame = vec![0; length];
    receive.read_exact(&mut frame)?;
    Ok(frame)
}
