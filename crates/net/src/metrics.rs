//! The endpoint of the counters: HTTP/1.1, one answer whatever is asked for.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::counters::Counters;

/// Bytes of a request that are read, and how long is waited for them.
const REQUEST_BYTES: usize = 4096;
const REQUEST_MS: u64 = 2_000;
/// Requests at a time; others wait.
const REQUESTS: usize = 4;

/// Answers until it is dropped.
pub(crate) async fn serve(listener: TcpListener, counters: Arc<Counters>) {
    let turns = Arc::new(Semaphore::new(REQUESTS));
    loop {
        let Ok(turn) = turns.clone().acquire_owned().await else {
            return;
        };
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(REQUEST_MS)).await;
            continue;
        };
        let counters = counters.clone();
        tokio::spawn(async move {
            let answered = answer(stream, &counters);
            // Who does not read the answer has asked for nothing.
            drop(timeout(Duration::from_millis(REQUEST_MS), answered).await);
            drop(turn);
        });
    }
}

async fn answer(mut stream: TcpStream, counters: &Counters) -> std::io::Result<()> {
    let mut request = Vec::new();
    let mut part = [0; 512];
    while !request.windows(4).any(|it| it == b"\r\n\r\n") && request.len() < REQUEST_BYTES {
        let length = stream.read(&mut part).await?;
        if length == 0 {
            break;
        }
        request.extend_from_slice(&part[..length]);
    }
    let body = counters.text();
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/openmetrics-text; version=1.0.0; charset=utf-8\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body.as_bytes()).await?;
    stream.shutdown().await
}
