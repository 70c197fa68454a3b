//! The world of a schedule: nodes, network, time, and the laws.

use core::fmt;
use std::collections::BTreeMap;

use ecac_core::payload::{Revoke, SetField};
use ecac_core::{
    Costs, Genesis, Name, OpId, Payload, Replica, SigningKey, Value, VerifiedOp, public_key,
};

use super::Defect;
use super::disk::{Disk, MemoryDisk};
use super::liar::lie;
use super::node::{Node, SimKeeper};
use super::stream::Stream;
use crate::session::{Session, Standing};

/// The true time at which a schedule begins, in milliseconds since the Unix epoch.
const BEGIN_MS: u64 = 1_767_225_600_000;
/// Time between two looks of a node at its sessions, in milliseconds.
const TICK_MS: u64 = 200;
/// Time for which a session that has ended still answers, in milliseconds.
const LINGER_MS: u64 = 10_000;

/// What happens in a run, but for what its seed draws.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// Drives everything.
    pub seed: u64,
    /// Nodes, from 2 to 64; the first is honest.
    pub nodes: usize,
    /// Ops that nodes try to write.
    pub writes: usize,
    /// Of a hundred frames so many are lost.
    pub loss_percent: u64,
    /// Of a hundred frames so many come twice.
    pub duplicate_percent: u64,
    /// The longest way of a frame, in milliseconds; the shortest is one.
    pub latency_ms_max: u64,
    /// Times at which the network parts in two, and heals later.
    pub partitions: usize,
    /// Times at which a node loses power.
    pub crashes: usize,
    /// Whether two nodes sign with one key.
    pub twins: bool,
    /// Whether the last node lies.
    pub liar: bool,
    /// How long the unrest takes, in milliseconds; then all are connected and nobody writes.
    pub unrest_ms: u64,
    /// Time in which all must have converged then, in milliseconds.
    pub quiet_ms: u64,
}

impl Schedule {
    /// The schedule of a seed, with up to that many nodes, which is at least 3.
    #[must_use]
    pub fn of_seed(seed: u64, nodes_max: usize) -> Self {
        let mut stream = Stream::new(seed ^ 0x5eed);
        let nodes = 3 + stream.index(nodes_max.clamp(3, 64) - 2);
        Self {
            seed,
            nodes,
            writes: 10 + stream.index(30),
            loss_percent: stream.between(0, 20),
            duplicate_percent: stream.between(0, 20),
            latency_ms_max: stream.between(2, 800),
            partitions: stream.index(3),
            crashes: stream.index(3),
            twins: stream.chance(40),
            liar: stream.chance(40),
            unrest_ms: 40_000,
            quiet_ms: 300_000,
        }
    }
}

/// What a run came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// Ops that honest nodes wrote.
    pub written: usize,
    /// Ops that every honest node has admitted.
    pub admitted: usize,
    /// Sessions that finished, of both sides.
    pub finished: u64,
    /// Sessions that were broken off.
    pub broken_off: u64,
    /// Frames that were sent.
    pub frames: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Time from the last unrest to convergence, in milliseconds.
    pub converged_ms: u64,
}

/// A law that did not hold. The seed gives the run again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Violation {
    /// The schedule.
    pub schedule: Schedule,
    /// Which law, and where.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "seed {}: {} ({:?})",
            self.schedule.seed, self.what, self.schedule
        )
    }
}

#[derive(Debug)]
enum Happening {
    Frame {
        from: usize,
        to: usize,
        bytes: Vec<u8>,
    },
    Tick {
        node: usize,
    },
    Dial {
        node: usize,
    },
    Write {
        node: usize,
    },
    Crash {
        node: usize,
    },
    Restart {
        node: usize,
    },
    Part,
    Heal,
}

#[derive(Debug)]
struct World {
    schedule: Schedule,
    stream: Stream,
    defect: Option<Defect>,
    now_ms: u64,
    order: u64,
    agenda: BTreeMap<(u64, u64), Happening>,
    nodes: Vec<Node>,
    /// On which side of a partition a node is.
    sides: Vec<bool>,
    report: Report,
    /// The first honest node that sent an op before its parents.
    hasty: Option<usize>,
}

/// Runs a schedule on disks in memory.
///
/// # Errors
/// [`Violation`] for the first law that does not hold.
pub fn run(schedule: &Schedule, defect: Option<Defect>) -> Result<Report, Box<Violation>> {
    run_on(schedule, defect, &mut || Box::new(MemoryDisk::default()))
}

/// Runs a schedule on disks of the caller's making, one for each node.
///
/// # Errors
/// [`Violation`] for the first law that does not hold.
pub fn run_on(
    schedule: &Schedule,
    defect: Option<Defect>,
    disk: &mut dyn FnMut() -> Box<dyn Disk>,
) -> Result<Report, Box<Violation>> {
    let mut world = World::new(schedule, defect, disk);
    let what = match world.play() {
        Ok(()) => return Ok(world.report),
        Err(what) => what,
    };
    let schedule = schedule.clone();
    Err(Box::new(Violation { schedule, what }))
}

impl World {
    fn new(
        schedule: &Schedule,
        defect: Option<Defect>,
        disk: &mut dyn FnMut() -> Box<dyn Disk>,
    ) -> Self {
        let mut stream = Stream::new(schedule.seed);
        let mut keys: Vec<SigningKey> = (0..schedule.nodes)
            .map(|_| SigningKey::from(stream.bytes::<32>()))
            .collect();
        if schedule.twins {
            keys[1] = keys[0];
        }
        let genesis = Genesis {
            name: Name::new("sim").expect("a name"),
            nonce: stream.bytes(),
            roots: keys.iter().map(public_key).collect(),
            schema: [].into(),
            features: [].into(),
        };
        let founded = Replica::create(genesis, &keys[0], BEGIN_MS).expect("a genesis");
        let first: Vec<Vec<u8>> = founded.envelopes().map(|it| it.into_owned()).collect();
        let mut nodes = Vec::new();
        for (at, key) in keys.into_iter().enumerate() {
            let mut keeper = SimKeeper::new(founded.project(), disk(), defect);
            if at < 2 {
                keeper.replica.receive(&first);
                keeper.store(true);
            }
            let lies = schedule.liar && at + 1 == schedule.nodes;
            let far = if stream.chance(20) {
                86_400_000
            } else {
                60_000
            };
            let clock_ms = i64::try_from(stream.between(0, 2 * far)).unwrap_or(0)
                - i64::try_from(far).unwrap_or(0);
            nodes.push(Node {
                key,
                clock_ms,
                lies,
                is_up: true,
                keeper,
                sessions: BTreeMap::new(),
                written: Vec::new(),
            });
        }
        let mut world = Self {
            schedule: schedule.clone(),
            stream,
            defect,
            now_ms: BEGIN_MS,
            order: 0,
            agenda: BTreeMap::new(),
            sides: vec![false; nodes.len()],
            nodes,
            report: Report::default(),
            hasty: None,
        };
        world.plan();
        world
    }

    fn plan(&mut self) {
        let unrest = self.schedule.unrest_ms;
        for node in 0..self.nodes.len() {
            let (tick, dial) = (
                self.stream.between(0, TICK_MS),
                self.stream.between(0, 3_000),
            );
            self.at(tick, Happening::Tick { node });
            self.at(dial, Happening::Dial { node });
        }
        for _ in 0..self.schedule.writes {
            let (at, node) = (
                self.stream.between(0, unrest),
                self.stream.index(self.nodes.len()),
            );
            self.at(at, Happening::Write { node });
        }
        for _ in 0..self.schedule.partitions {
            let at = self.stream.between(0, unrest);
            let heal = self.stream.between(at, unrest);
            self.at(at, Happening::Part);
            self.at(heal, Happening::Heal);
        }
        for _ in 0..self.schedule.crashes {
            let (at, node) = (
                self.stream.between(0, unrest),
                self.stream.index(self.nodes.len()),
            );
            let again = self.stream.between(at, unrest);
            self.at(at, Happening::Crash { node });
            self.at(again, Happening::Restart { node });
        }
        self.at(unrest, Happening::Heal);
    }

    /// Puts something on the agenda, so many milliseconds from now.
    fn at(&mut self, in_ms: u64, what: Happening) {
        self.order += 1;
        self.agenda.insert((self.now_ms + in_ms, self.order), what);
    }

    fn play(&mut self) -> Result<(), String> {
        let quiet_ms = BEGIN_MS + self.schedule.unrest_ms;
        let end_ms = quiet_ms + self.schedule.quiet_ms;
        let mut look_ms = quiet_ms + 1;
        while let Some(((at_ms, _), what)) = self.agenda.pop_first() {
            self.now_ms = at_ms;
            self.happen(what);
            let early = self.nodes.iter().find_map(|node| node.keeper.early);
            if let Some(op) = early {
                return Err(format!("op {op} was handed over before its parents"));
            }
            if let Some(node) = self.hasty {
                return Err(format!("node {node} sent an op before its parents"));
            }
            if at_ms >= look_ms {
                if self.agrees() {
                    self.report.converged_ms = at_ms - quiet_ms;
                    return self.judge();
                }
                look_ms = at_ms + 1_000;
            }
            if at_ms >= end_ms {
                return Err("the replicas did not converge".to_owned());
            }
        }
        Err("nothing is left to happen".to_owned())
    }

    fn happen(&mut self, what: Happening) {
        match what {
            Happening::Frame { from, to, bytes } => self.deliver(from, to, &bytes),
            Happening::Tick { node } => {
                self.tick(node);
                self.at(TICK_MS, Happening::Tick { node });
            }
            Happening::Dial { node } => {
                self.dial(node);
                let pause = self.stream.between(1_000, 5_000);
                self.at(pause, Happening::Dial { node });
            }
            Happening::Write { node } => self.write(node),
            Happening::Crash { node } => {
                self.nodes[node].is_up = false;
                self.nodes[node].sessions.clear();
            }
            Happening::Restart { node } => {
                if !self.nodes[node].is_up {
                    self.nodes[node].keeper.restart();
                    self.nodes[node].is_up = true;
                }
            }
            Happening::Part => {
                for node in 0..self.sides.len() {
                    self.sides[node] = self.stream.chance(50);
                }
            }
            Happening::Heal => self.sides.fill(false),
        }
    }

    fn deliver(&mut self, from: usize, to: usize, bytes: &[u8]) {
        if self.sides[from] != self.sides[to] || !self.nodes[to].is_up {
            return;
        }
        let (defect, now_ms) = (self.defect, self.now_ms);
        let node = &mut self.nodes[to];
        let Ok(frame) = crate::frame::Frame::decode(bytes) else {
            // Whose it was cannot be known: it counts against all sessions with the peer.
            for (peer, session, _) in node.sessions.values_mut() {
                if *peer == from {
                    session.handle(&mut node.keeper, bytes, now_ms);
                }
            }
            return;
        };
        let id = frame.session;
        let open = |it: &&(usize, Session, Option<u64>)| it.0 == from && it.2.is_none();
        let is_known = node.sessions.contains_key(&id);
        if !is_known && frame.number == 1 && node.sessions.values().filter(open).count() < 4 {
            let session = Session::new(&node.keeper, id, false, now_ms, defect);
            node.sessions.insert(id, (from, session, None));
        }
        if let Some((_, session, _)) = node.sessions.get_mut(&id).filter(|it| it.0 == from) {
            session.handle(&mut node.keeper, bytes, now_ms);
            // After a crash a listener can take a session up whose heads it told before it forgot.
            let no_crashes = self.schedule.crashes == 0;
            if session.tally().orphans > 0 && !self.nodes[from].lies && no_crashes {
                self.hasty.get_or_insert(from);
            }
        }
        self.flush(to);
    }

    fn tick(&mut self, at: usize) {
        let now_ms = self.now_ms;
        let report = &mut self.report;
        let node = &mut self.nodes[at];
        for (_, session, until_ms) in node.sessions.values_mut() {
            if session.timer_ms().is_some_and(|it| it <= now_ms) {
                session.tick(now_ms);
            }
            if until_ms.is_none() && session.standing() != Standing::Open {
                *until_ms = Some(now_ms + LINGER_MS);
                match session.standing() {
                    Standing::Finished => report.finished += 1,
                    Standing::Open | Standing::Closed(_) | Standing::ClosedByPeer(_) => {
                        report.broken_off += 1;
                    }
                }
            }
        }
        self.flush(at);
        let node = &mut self.nodes[at];
        node.sessions
            .retain(|_, it| it.2.is_none_or(|until| until > now_ms));
    }

    fn dial(&mut self, at: usize) {
        let peer = self.stream.index(self.nodes.len());
        let id = self.stream.bytes();
        let node = &mut self.nodes[at];
        let open = node.sessions.values().filter(|it| it.2.is_none()).count();
        if peer == at || !node.is_up || open >= 3 {
            return;
        }
        let session = Session::new(&node.keeper, id, true, self.now_ms, self.defect);
        node.sessions.insert(id, (peer, session, None));
        self.flush(at);
    }

    /// Sends what the sessions of a node have to send.
    fn flush(&mut self, from: usize) {
        let mut frames = Vec::new();
        for (to, session, _) in self.nodes[from].sessions.values_mut() {
            while let Some(frame) = session.frame() {
                frames.push((*to, frame));
            }
        }
        for (to, bytes) in frames {
            self.report.frames += 1;
            self.report.bytes += bytes.len() as u64;
            let lies = self.nodes[from].lies;
            let bytes = if lies {
                lie(bytes, &mut self.stream)
            } else {
                bytes
            };
            let copies = if self.stream.chance(self.schedule.duplicate_percent) {
                2
            } else {
                1
            };
            for _ in 0..copies {
                let is_lost = self.stream.chance(self.schedule.loss_percent);
                let way_ms = self.stream.between(1, self.schedule.latency_ms_max);
                if !is_lost && self.sides[from] == self.sides[to] {
                    let bytes = bytes.clone();
                    self.at(way_ms, Happening::Frame { from, to, bytes });
                }
            }
        }
    }

    fn write(&mut self, at: usize) {
        let payload = self.payload();
        let shown_ms = self.now_ms.saturating_add_signed(self.nodes[at].clock_ms);
        let node = &mut self.nodes[at];
        if !node.is_up {
            return;
        }
        // Who is revoked, or frozen, or has no genesis, cannot write.
        if let Ok(authored) = node.keeper.replica.author(payload, &node.key, shown_ms) {
            node.keeper.store(true);
            node.written.push(authored.op);
        }
    }

    fn payload(&mut self) -> Payload {
        if self.stream.chance(5) {
            let whom = 2 + self.stream.index(self.nodes.len() - 2);
            return Revoke::of(public_key(&self.nodes[whom].key)).into();
        }
        let object = format!("order/{}", self.stream.between(0, 5));
        let value = Value::Text(format!("{:x}", self.stream.between(0, u64::MAX - 1)));
        SetField::new(&object, "status", value)
            .expect("names")
            .into()
    }

    fn honest(&self) -> impl Iterator<Item = &Node> {
        self.nodes.iter().filter(|it| !it.lies)
    }

    /// Whether all honest nodes hold the same ops.
    fn agrees(&self) -> bool {
        let ops = |node: &Node| {
            let mut ids: Vec<OpId> = node.keeper.replica.log().ids_since(0).collect();
            ids.sort_unstable();
            ids
        };
        let mut all = self.honest().map(ops);
        let first = all.next();
        let written = self.honest().flat_map(|it| &it.written);
        let mut written = written.copied();
        let has = |id: OpId| {
            first
                .as_ref()
                .is_some_and(|it| it.binary_search(&id).is_ok())
        };
        all.all(|it| Some(it) == first) && written.all(has)
    }

    /// The laws that hold at the end.
    fn judge(&mut self) -> Result<(), String> {
        let digest = self.nodes[0].keeper.replica.state_digest();
        for (at, node) in self.nodes.iter().enumerate().filter(|it| !it.1.lies) {
            let replica = &node.keeper.replica;
            if replica.state_digest() != digest {
                return Err(format!("node {at} has another state"));
            }
            if replica.log().pending_count() > 0 {
                return Err(format!("node {at} holds ops without their parents"));
            }
            for envelope in node.keeper.disk.envelopes() {
                if VerifiedOp::read(&envelope, &mut Costs::default()).is_err() {
                    return Err(format!("node {at} has stored what does not verify"));
                }
            }
        }
        self.report.written = self.honest().map(|it| it.written.len()).sum();
        self.report.admitted = self.nodes[0].keeper.replica.log().admitted_count();
        Ok(())
    }
}
