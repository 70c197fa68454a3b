//! A session over a stream: frames, each after its length in four bytes, the most significant one first.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use ecac_sync::{Session, Standing, Tally, limits::FRAME_BYTES_MAX};
use quinn::{RecvStream, SendStream};
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

use crate::keeping::{Keeping, Kept};

/// How long the other end may take to begin a session, and to end it once this end has.
const PATIENCE: Duration = Duration::from_secs(10);
const PARTING: Duration = Duration::from_secs(3);
/// Frames that were read and are not taken in yet.
const FRAMES: usize = 4;

/// How a session ended.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ended {
    /// How it stood.
    pub(crate) standing: Standing,
    /// What it did.
    pub(crate) tally: Tally,
}

/// Milliseconds of a clock that begins with the session.
struct Clock(Instant);

impl Clock {
    fn now_ms(&self) -> u64 {
        u64::try_from(self.0.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// Begins a session.
pub(crate) async fn dial(
    keeping: &Arc<Keeping>,
    streams: (SendStream, RecvStream),
    stop: watch::Receiver<bool>,
) -> Result<Ended> {
    let mut id = [0; 16];
    getrandom::fill(&mut id).context("draw a number")?;
    let (clock, kept) = (Clock(Instant::now()), keeping.begin().await?);
    let session = kept.with(|keeper| Session::dial(keeper, id, clock.now_ms()));
    let session = session.context("the store is closed")?;
    let (send, receive) = streams;
    run(kept, session, clock, send, frames(receive), stop).await
}

/// Answers a session.
pub(crate) async fn answer(
    keeping: &Arc<Keeping>,
    streams: (SendStream, RecvStream),
    stop: watch::Receiver<bool>,
) -> Result<Ended> {
    let (send, receive) = streams;
    let mut frames = frames(receive);
    let first = timeout(PATIENCE, frames.recv()).await;
    let first = first.context("wait for the first frame")?;
    let first = first.context("the stream has ended before its first frame")?;
    let mut listener = [0; 16];
    getrandom::fill(&mut listener).context("draw a number")?;
    let (clock, kept) = (Clock(Instant::now()), keeping.begin().await?);
    let now_ms = clock.now_ms();
    let session = kept.with(|keeper| {
        let mut session = Session::answer(keeper, &first, listener, now_ms)?;
        session.handle(keeper, &first, now_ms);
        Some(session)
    });
    let session = session.flatten().context("it begins no session")?;
    run(kept, session, clock, send, frames, stop).await
}

/// Reads frames as long as there is room for them.
fn frames(mut receive: RecvStream) -> mpsc::Receiver<Vec<u8>> {
    let (into, frames) = mpsc::channel(FRAMES);
    tokio::spawn(async move {
        while let Ok(frame) = read(&mut receive).await {
            if into.send(frame).await.is_err() {
                break;
            }
        }
    });
    frames
}

async fn read(receive: &mut RecvStream) -> Result<Vec<u8>> {
    let mut length = [0; 4];
    receive.read_exact(&mut length).await?;
    let length = usize::try_from(u32::from_be_bytes(length))?;
    ensure!(length <= FRAME_BYTES_MAX, "a frame is too long");
    let mut frame = vec![0; length];
    receive.read_exact(&mut frame).await?;
    Ok(frame)
}

async fn write(send: &mut SendStream, frame: &[u8]) -> Result<()> {
    let length = u32::try_from(frame.len()).context("a frame is short")?;
    send.write_all(&length.to_be_bytes()).await?;
    send.write_all(frame).await?;
    Ok(())
}

async fn run(
    kept: Kept,
    mut session: Session,
    clock: Clock,
    mut send: SendStream,
    mut frames: mpsc::Receiver<Vec<u8>>,
    mut stop: watch::Receiver<bool>,
) -> Result<Ended> {
    loop {
        while let Some(frame) = session.frame() {
            if write(&mut send, &frame).await.is_err() {
                break;
            }
        }
        let Some(timer_ms) = session.timer_ms() else {
            break;
        };
        let wait = Duration::from_millis(timer_ms.saturating_sub(clock.now_ms()));
        tokio::select! {
            frame = frames.recv() => {
                let Some(frame) = frame else { break };
                let mut come = vec![frame];
                while come.len() < FRAMES && let Ok(next) = frames.try_recv() {
                    come.push(next);
                }
                let now_ms = clock.now_ms();
                let handled = kept.with(|keeper| session.handle_all(keeper, &come, now_ms));
                handled.context("the store is closed")?;
            }
            () = tokio::time::sleep(wait) => session.tick(clock.now_ms()),
            _ = stop.wait_for(|it| *it) => break,
        }
    }
    kept.end()?;
    // The other end ends its direction once it has the last frames; then nothing is lost with the connection.
    if send.finish().is_ok() {
        let ended = async { while frames.recv().await.is_some() {} };
        // Who does not end it has to do without.
        drop(timeout(PARTING, ended).await);
    }
    Ok(Ended {
        standing: session.standing(),
        tally: session.tally(),
    })
}
