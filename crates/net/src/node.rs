//! A node: who it lets in, whom it dials, and when it ends.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use ecac_core::PublicKey;
use ecac_project::{Home, KeyName, KeyUse, Peer, Project};
use ecac_sync::Standing;
use quinn::{Connection, Endpoint, Incoming};
use serde_json::json;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::counters::Counters;
use crate::drive::{self, Ended};
use crate::identity::{Identity, node_of};
use crate::journal::note;
use crate::keeping::Keeping;
use crate::metrics;

/// Connections from other nodes at a time; others wait.
const CONNECTIONS: usize = 32;
/// How long a connection may take to be made, and an end of work to be taken in.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long this end may take to end a session that the other one has ended.
const PARTING: Duration = Duration::from_secs(3);
/// The longest pause before a peer is dialled again that could not be reached.
const PAUSE_MAX: Duration = Duration::from_secs(60);
/// What a dialler calls every node; nothing follows from it.
const NAME: &str = "node.ecac";

/// What a node is to do.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where it listens.
    pub listen: SocketAddr,
    /// The nodes that it dials, and lets in.
    pub peers: Vec<Peer>,
    /// Others that it lets in.
    pub allowed: Vec<PublicKey>,
    /// How often it dials each of its peers.
    pub every: Duration,
    /// Where its counters can be read, if anywhere.
    pub metrics: Option<SocketAddr>,
}

/// A node that listens.
#[derive(Debug)]
pub struct Node {
    settings: Settings,
    identity: Identity,
    endpoint: Endpoint,
    keeping: Arc<Keeping>,
    counters: Arc<Counters>,
    metrics: Option<TcpListener>,
}

fn identity(home: &Home, node: &KeyName) -> Result<Identity> {
    let key = home.key(KeyUse::Node, node).context("read the node key")?;
    Identity::of(&key)
}

impl Node {
    /// Begins to listen; nobody is answered before [`Node::run`].
    ///
    /// # Errors
    /// That the key cannot be read, or the addresses cannot be listened at.
    pub async fn listen(
        project: Project,
        home: &Home,
        node: KeyName,
        settings: Settings,
    ) -> Result<Self> {
        let identity = identity(home, &node)?;
        let peers = settings.peers.iter().map(|peer| peer.key);
        let allowed: BTreeSet<_> = peers.chain(settings.allowed.iter().copied()).collect();
        let endpoint = Endpoint::server(identity.server(allowed)?, settings.listen);
        let endpoint = endpoint.with_context(|| format!("listen at {}", settings.listen))?;
        let metrics = match settings.metrics {
            Some(address) => {
                let listener = TcpListener::bind(address).await;
                Some(listener.with_context(|| format!("listen at {address}"))?)
            }
            None => None,
        };
        let counters = Arc::new(Counters::default());
        Ok(Self {
            settings,
            identity,
            endpoint,
            keeping: Arc::new(Keeping::of(project, node, counters.clone())),
            counters,
            metrics,
        })
    }

    /// Where it listens: with the port that it was given if it asked for any.
    ///
    /// # Errors
    /// What the system says.
    pub fn address(&self) -> Result<SocketAddr> {
        self.endpoint.local_addr().context("read the address")
    }

    /// Where its counters can be read.
    #[must_use]
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics.as_ref()?.local_addr().ok()
    }

    /// Syncs until `stop` says so; then sessions are broken off, and what they took in is closed.
    ///
    /// # Errors
    /// None of a peer's: those are noted.
    pub async fn run(mut self, stop: watch::Receiver<bool>) -> Result<()> {
        note(
            "listening",
            &[("address", json!(self.address()?.to_string()))],
        );
        let mut tasks = JoinSet::new();
        if let Some(listener) = self.metrics.take() {
            note(
                "metrics",
                &[("address", json!(listener.local_addr()?.to_string()))],
            );
            let serving = metrics::serve(listener, self.counters.clone());
            let mut stop = stop.clone();
            tasks.spawn(async move {
                tokio::select! {
                    () = serving => {}
                    _ = stop.wait_for(|it| *it) => {}
                }
            });
        }
        let node = Arc::new(self);
        for peer in node.settings.peers.clone() {
            tasks.spawn(node.clone().visit(peer, stop.clone()));
        }
        tasks.spawn(node.clone().welcome(stop.clone()));
        while let Some(ended) = tasks.join_next().await {
            ended.context("a task of the node has failed")?;
        }
        node.endpoint.close(0u8.into(), b"");
        drop(timeout(PATIENCE, node.endpoint.wait_idle()).await);
        note("stopped", &[]);
        Ok(())
    }

    /// Lets others in.
    async fn welcome(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        let turns = Arc::new(Semaphore::new(CONNECTIONS));
        let mut guests = JoinSet::new();
        loop {
            let incoming = tokio::select! {
                incoming = self.endpoint.accept() => incoming,
                _ = stop.wait_for(|it| *it) => None,
            };
            let Some(incoming) = incoming else { break };
            while guests.try_join_next().is_some() {}
            let Ok(turn) = turns.clone().try_acquire_owned() else {
                incoming.refuse();
                self.counters.refused();
                continue;
            };
            let (node, stop) = (self.clone(), stop.clone());
            guests.spawn(async move {
                node.host(incoming, stop).await;
                drop(turn);
            });
        }
        while guests.join_next().await.is_some() {}
    }

    /// Answers the sessions of a connection.
    async fn host(&self, incoming: Incoming, mut stop: watch::Receiver<bool>) {
        let address = incoming.remote_address().to_string();
        let connection = match timeout(PATIENCE, incoming).await {
            Ok(Ok(connection)) => connection,
            Ok(Err(error)) => {
                self.counters.refused();
                let rest = [
                    ("address", json!(address)),
                    ("why", json!(error.to_string())),
                ];
                return note("refused", &rest);
            }
            Err(_) => return self.counters.refused(),
        };
        loop {
            let streams = tokio::select! {
                streams = connection.accept_bi() => streams,
                _ = stop.wait_for(|it| *it) => break,
            };
            let Ok(streams) = streams else { break };
            self.counters.begun();
            let ended = drive::answer(&self.keeping, streams, stop.clone()).await;
            self.tell("answered", &connection, &ended);
        }
        connection.close(0u8.into(), b"");
    }

    /// Dials a peer again and again.
    async fn visit(self: Arc<Self>, peer: Peer, mut stop: watch::Receiver<bool>) {
        let mut pause = self.settings.every;
        loop {
            let met = self.meet(peer, stop.clone()).await;
            pause = match &met {
                Ok(()) => self.settings.every,
                Err(error) => {
                    let why = format!("{error:#}");
                    note(
                        "unreached",
                        &[("peer", json!(peer.to_string())), ("why", json!(why))],
                    );
                    (pause * 2).min(PAUSE_MAX.max(self.settings.every))
                }
            };
            tokio::select! {
                () = sleep(pause) => {}
                _ = stop.wait_for(|it| *it) => return,
            }
        }
    }

    async fn meet(&self, peer: Peer, mut stop: watch::Receiver<bool>) -> Result<()> {
        let connection = tokio::select! {
            connection = connect(&self.endpoint, &self.identity, peer) => connection?,
            _ = stop.wait_for(|it| *it) => return Ok(()),
        };
        let streams = connection.open_bi().await.context("open a stream")?;
        self.counters.begun();
        let ended = drive::dial(&self.keeping, streams, stop).await;
        self.tell("dialled", &connection, &ended);
        connection.close(0u8.into(), b"");
        ended.map(drop)
    }

    fn tell(&self, event: &str, connection: &Connection, ended: &Result<Ended>) {
        let node = node_of(connection).map(|it| it.to_string());
        let mut rest = vec![("node", json!(node))];
        let tally = match ended {
            Ok(ended) => {
                rest.push(("standing", json!(format!("{:?}", ended.standing))));
                rest.push(("received", json!(ended.tally.useful_ops)));
                rest.push(("sent", json!(ended.tally.sent_ops)));
                let missed = [
                    ("gone", ended.tally.gone_ops),
                    ("held_back", ended.tally.held_back_ops),
                    ("dropped", ended.tally.dropped_ops),
                    ("older", ended.tally.older_ops),
                ];
                let missed = missed.into_iter().filter(|(_, ops)| *ops > 0);
                rest.extend(missed.map(|(name, ops)| (name, json!(ops))));
                ended.tally
            }
            Err(error) => {
                rest.push(("why", json!(format!("{error:#}"))));
                ecac_sync::Tally::default()
            }
        };
        let is_finished = matches!(ended, Ok(it) if it.standing == Standing::Finished);
        self.counters.ended(&tally, is_finished);
        note(event, &rest);
    }
}

async fn connect(endpoint: &Endpoint, identity: &Identity, peer: Peer) -> Result<Connection> {
    let connecting = endpoint.connect_with(identity.client(peer.key)?, peer.address, NAME);
    let connecting = connecting.with_context(|| format!("dial {}", peer.address))?;
    let connected = timeout(PATIENCE, connecting).await;
    let connected = connected.with_context(|| format!("{} does not answer", peer.address))?;
    connected.with_context(|| format!("connect to {}", peer.address))
}

/// Opens a socket of its own and connects to a peer.
async fn reach(home: &Home, node: &KeyName, peer: Peer) -> Result<(Endpoint, Connection)> {
    let identity = identity(home, node)?;
    let any = match peer.address {
        SocketAddr::V4(_) => SocketAddr::from(([0; 4], 0)),
        SocketAddr::V6(_) => SocketAddr::from(([0; 16], 0)),
    };
    let endpoint = Endpoint::client(any).context("open a socket")?;
    let connection = connect(&endpoint, &identity, peer).await?;
    Ok((endpoint, connection))
}

async fn leave(endpoint: &Endpoint, connection: &Connection) {
    connection.close(0u8.into(), b"");
    drop(timeout(PATIENCE, endpoint.wait_idle()).await);
}

/// Syncs with one peer once: how many ops came, and how many were sent.
///
/// # Errors
/// That the peer cannot be reached, is another node, or breaks the session off.
pub async fn sync_once(
    project: Project,
    home: &Home,
    node: KeyName,
    peer: Peer,
    stop: watch::Receiver<bool>,
) -> Result<(u64, u64)> {
    let (endpoint, connection) = reach(home, &node, peer).await?;
    let keeping = Arc::new(Keeping::of(project, node, Arc::default()));
    let streams = connection.open_bi().await.context("open a stream")?;
    let ended = drive::dial(&keeping, streams, stop).await?;
    leave(&endpoint, &connection).await;
    if ended.standing != Standing::Finished {
        bail!("the session was broken off: {:?}", ended.standing);
    }
    Ok((ended.tally.useful_ops, ended.tally.sent_ops))
}

/// Carries one session between a peer and somebody else, who has it: what `input` has goes to the peer, what comes from there to
/// `output`, which first gets an empty frame, four zero bytes, when the peer is reached. Ends when both directions have.
///
/// # Errors
/// That the peer cannot be reached, is another node, or breaks the connection off.
pub async fn carry(
    home: &Home,
    node: &KeyName,
    peer: Peer,
    mut input: impl AsyncRead + Unpin,
    mut output: impl AsyncWrite + Unpin,
    mut stop: watch::Receiver<bool>,
) -> Result<()> {
    let (endpoint, connection) = tokio::select! {
        reached = reach(home, node, peer) => reached?,
        _ = stop.wait_for(|it| *it) => return Ok(()),
    };
    let (mut send, mut receive) = connection.open_bi().await.context("open a stream")?;
    output.write_all(&[0; 4]).await.context("write a frame")?;
    output.flush().await.context("write a frame")?;
    let there = async {
        tokio::io::copy(&mut input, &mut send).await?;
        send.finish().map_err(std::io::Error::from)
    };
    let back = async {
        tokio::io::copy(&mut receive, &mut output).await?;
        output.flush().await
    };
    let both = async {
        tokio::pin!(there, back);
        tokio::select! {
            said = &mut there => said.and(back.await),
            // Who has heard the last frame has little left to say.
            heard = &mut back => heard.and(timeout(PARTING, there).await.unwrap_or(Ok(()))),
        }
    };
    let carried = tokio::select! {
        carried = both => carried,
        _ = stop.wait_for(|it| *it) => Ok(()),
    };
    leave(&endpoint, &connection).await;
    carried.context("carry the session")
}
