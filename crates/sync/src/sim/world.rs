//! The world of a schedule: nodes, network, and time.

mod seals;

use std::collections::BTreeMap;

use ecac_core::payload::{DeviceRevoke, Revoke, SetField, Unassigned};
use ecac_core::{Genesis, Name, OpId, Payload, Replica, SigningKey, Value, VerifiedOp, public_key};

use super::home::{Build, Home, MemoryHome};
use super::laws;
use super::liar::lie;
use super::node::{Kept, Node};
use super::office::{self, Office};
use super::schedule::{Report, Schedule, Violation};
use super::stream::Stream;
use crate::defect::Defect;
use crate::frame::Frame;
use crate::keeper::KeepError;
use crate::session::{Session, Standing};

/// The true time at which a schedule begins, in milliseconds since the Unix epoch.
const BEGIN_MS: u64 = 1_767_225_600_000;
/// Time between two looks of a node at its sessions, in milliseconds.
const TICK_MS: u64 = 200;
/// Time for which a session that has ended still answers, in milliseconds.
const LINGER_MS: u64 = 10_000;

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
    /// A root seals, or signs what waits.
    Sign {
        node: usize,
    },
    /// A node drops what it may.
    Prune {
        node: usize,
    },
    /// A node goes, and comes back when told to.
    Leave {
        node: usize,
    },
    /// A node comes for the first time.
    Arrive {
        node: usize,
    },
    /// The thief gives away what he wrote.
    Steal,
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
    /// What the thief has written and not given away.
    thefts: Vec<Vec<u8>>,
    /// Whether the nodes ask for what they have dropped, in the end.
    asks_for_older: bool,
    /// On which side of a partition a node is.
    sides: Vec<bool>,
    report: Report,
    /// The first law that was broken.
    fault: Option<String>,
}

/// Runs a schedule on disks in memory.
///
/// # Errors
/// [`Violation`] for the first law that does not hold.
pub fn run(schedule: &Schedule, defect: Option<Defect>) -> Result<Report, Box<Violation>> {
    run_on(schedule, defect, &mut |project, builder| {
        Ok(Box::new(MemoryHome::new(project, builder, defect)))
    })
}

/// Runs a schedule on homes of the caller's making, one for each node.
///
/// # Errors
/// [`Violation`] for the first law that does not hold.
pub fn run_on(
    schedule: &Schedule,
    defect: Option<Defect>,
    build: &mut Build<'_>,
) -> Result<Report, Box<Violation>> {
    let played = World::new(schedule, defect, build)
        .map_err(|error| error.to_string())
        .and_then(World::play);
    played.map_err(|what| {
        let schedule = schedule.clone();
        Box::new(Violation { schedule, what })
    })
}

impl World {
    fn new(
        schedule: &Schedule,
        defect: Option<Defect>,
        build: &mut Build<'_>,
    ) -> Result<Self, KeepError> {
        let mut stream = Stream::new(schedule.seed);
        let mut keys: Vec<SigningKey> = (0..schedule.nodes)
            .map(|_| SigningKey::from(stream.bytes::<32>()))
            .collect();
        if schedule.twins {
            keys[1] = keys[0];
        }
        let tomorrow = schedule.tomorrow.then(|| (name("tomorrow"), Vec::new()));
        let roots = schedule.pruning.map_or(keys.len(), |it| it.roots);
        let sealing = schedule.pruning.map(|it| office::features(it.roots));
        let sealing = sealing.into_iter().flatten();
        let genesis = Genesis {
            name: name("sim"),
            nonce: stream.bytes(),
            roots: keys.iter().take(roots).map(public_key).collect(),
            schema: [].into(),
            features: tomorrow.into_iter().chain(sealing).collect(),
        };
        let mut builder = Replica::builder().threads(1).behind_is_fine(true);
        if defect == Some(Defect::NamesTheFuture) {
            builder = builder.drift_ms(u64::MAX);
        }
        let (founded, thefts) = match &schedule.pruning {
            None => {
                let founded = builder.clone().create(genesis, &keys[0], BEGIN_MS);
                (founded.expect("a genesis"), Vec::new())
            }
            Some(pruning) => {
                let thief = SigningKey::from(stream.bytes::<32>());
                let office = Office::found(&builder, genesis, &keys, pruning, thief, BEGIN_MS);
                (office.founded, office.thefts)
            }
        };
        let first: Vec<_> = founded.envelopes().collect();
        let first: Vec<&[u8]> = first.iter().map(AsRef::as_ref).collect();
        let mut nodes = Vec::new();
        for (at, key) in keys.into_iter().enumerate() {
            let mut home: Box<dyn Home> = build(founded.project(), builder.clone())?;
            if at < 2 {
                home.receive(&first)?;
                home.sync()?;
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
                kept: Kept::new(home, defect),
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
            thefts,
            asks_for_older: false,
            sides: vec![false; nodes.len()],
            nodes,
            report: Report::default(),
            fault: None,
        };
        world.plan();
        Ok(world)
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
            // Some come back at once, in the middle of sessions.
            let last = if self.stream.chance(50) {
                (at + 1_000).min(unrest)
            } else {
                unrest
            };
            let again = self.stream.between(at, last);
            self.at(at, Happening::Crash { node });
            self.at(again, Happening::Restart { node });
        }
        if let Some(pruning) = self.schedule.pruning {
            self.plan_pruning(&pruning, unrest);
        }
        self.at(unrest, Happening::Heal);
    }

    /// Puts something on the agenda, so many milliseconds from now.
    fn at(&mut self, in_ms: u64, what: Happening) {
        self.order += 1;
        self.agenda.insert((self.now_ms + in_ms, self.order), what);
    }

    fn play(mut self) -> Result<Report, String> {
        let quiet_ms = BEGIN_MS + self.schedule.unrest_ms;
        let mut end_ms = quiet_ms + self.schedule.quiet_ms;
        let mut look_ms = quiet_ms + 1;
        while let Some(((at_ms, _), what)) = self.agenda.pop_first() {
            self.now_ms = at_ms;
            self.happen(what);
            if let Some(fault) = self.fault.take() {
                return Err(fault);
            }
            if at_ms >= look_ms {
                let agree = laws::agree(&self.nodes);
                if agree && !self.asks_for_older {
                    self.report.converged_ms = at_ms - quiet_ms;
                    self.report.pruned = laws::pruned(&self.nodes);
                    laws::judge(&self.nodes)?;
                    self.asks_for_older = true;
                    end_ms = at_ms + self.schedule.quiet_ms;
                }
                if agree && laws::are_whole(&self.nodes) {
                    return self.end();
                }
                look_ms = at_ms + 1_000;
            }
            if at_ms >= end_ms {
                let what = if self.asks_for_older {
                    "what was dropped did not come back"
                } else {
                    "the replicas did not converge"
                };
                return Err(what.to_owned());
            }
        }
        Err("nothing is left to happen".to_owned())
    }

    fn end(mut self) -> Result<Report, String> {
        laws::judge(&self.nodes)?;
        let honest = self.nodes.iter().filter(|it| !it.lies);
        self.report.written = honest.map(|it| it.written.len()).sum();
        let first = self.nodes[0].kept.home.replica();
        self.report.finals = first.sealing().finals.len();
        self.report.has_seals = self.schedule.pruning.is_some();
        let log = first.log();
        self.report.admitted = log.admitted_count();
        self.report.unsupported = log.unsupported().count();
        Ok(self.report)
    }

    fn breaks(&mut self, law: impl FnOnce() -> String) {
        self.fault.get_or_insert_with(law);
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
                // Power fails now, or within one of the next writes.
                let steps = self.stream.index(40).saturating_sub(10);
                self.nodes[node].kept.home.fail_after(steps);
                if steps == 0 || self.stream.chance(50) {
                    self.nodes[node].goes_down();
                }
            }
            Happening::Restart { node } => self.restart(node),
            Happening::Sign { node } => self.sign(node),
            Happening::Prune { node } => self.prune(node),
            Happening::Leave { node } => {
                self.nodes[node].kept.home.fail_after(0);
                self.nodes[node].goes_down();
            }
            Happening::Arrive { node } => self.arrive(node),
            Happening::Steal => self.steal(),
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
        let Ok(frame) = Frame::decode(bytes) else {
            // Whose it was cannot be known: it counts against all sessions with the peer.
            for (peer, session, _) in node.sessions.values_mut() {
                if *peer == from {
                    session.handle(&mut node.kept, bytes, now_ms);
                }
            }
            return;
        };
        let id = frame.session;
        let open = |it: &&(usize, Session, Option<u64>)| it.0 == from && it.2.is_none();
        let is_known = node.sessions.contains_key(&id);
        let begins =
            frame.begins() || frame.number == 1 && defect == Some(Defect::TakesEarlierLives);
        if !is_known && begins && node.sessions.values().filter(open).count() < 4 {
            let listener = Some(self.stream.bytes());
            let session = Session::new(&node.kept, id, listener, now_ms, defect);
            node.sessions.insert(id, (from, session, None));
        }
        let (mut is_hasty, mut strays, mut regained) = (false, 0, 0);
        if let Some((_, session, _)) = node.sessions.get_mut(&id).filter(|it| it.0 == from) {
            let before = session.tally();
            session.handle(&mut node.kept, bytes, now_ms);
            let tally = session.tally();
            strays = tally.stray_frames - before.stray_frames;
            regained = tally.regained_ops - before.regained_ops;
            is_hasty = tally.orphans > 0;
        }
        self.report.strays += strays;
        self.report.regained += regained;
        if let Some(op) = self.nodes[to].kept.early {
            self.breaks(|| format!("op {op} was taken in before its parents"));
        }
        // Who lies about what it has misleads nobody but itself.
        if is_hasty && !self.nodes[from].lies && !self.nodes[to].lies {
            self.breaks(|| format!("node {from} sent an op before its parents"));
        }
        if self.nodes[to].kept.has_failed {
            self.nodes[to].goes_down();
        }
        self.flush(to);
    }

    /// The power of a node comes back, or goes and comes if it was there.
    fn restart(&mut self, at: usize) {
        let node = &mut self.nodes[at];
        node.goes_down();
        self.report.restarts += 1;
        self.report.torn += u64::from(node.kept.has_failed);
        node.kept.has_failed = false;
        let stream = &mut self.stream;
        let restarted = node.kept.home.restart(&mut |bound| stream.index(bound));
        node.is_up = true;
        let fault = match restarted {
            Err(error) => Some(format!("node {at} did not come back: {error}")),
            Ok(()) if laws::has_unverified(node) => {
                Some(format!("node {at} has stored what does not verify"))
            }
            Ok(()) => laws::lost(node).map(|op| format!("node {at} has lost op {op} of its own")),
        };
        if let Some(fault) = fault {
            self.breaks(|| fault);
        }
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
                report.gone += session.tally().gone_ops;
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
        let mut peer = self.stream.index(self.nodes.len());
        if self.asks_for_older {
            // Who keeps everything.
            peer = 0;
        }
        let id = self.stream.bytes();
        let node = &mut self.nodes[at];
        let open = node.sessions.values().filter(|it| it.2.is_none()).count();
        if peer == at || !node.is_up || open >= 3 {
            return;
        }
        let mut session = Session::new(&node.kept, id, None, self.now_ms, self.defect);
        if self.asks_for_older {
            session = session.asking_for_older();
        }
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
        let is_unjudged = self.schedule.tomorrow && self.stream.chance(20);
        let payload = if is_unjudged {
            self.unjudged()
        } else {
            self.payload()
        };
        let shown_ms = self.now_ms.saturating_add_signed(self.nodes[at].clock_ms);
        let node = &mut self.nodes[at];
        if !node.is_up {
            return;
        }
        let (key, home) = (&node.key, &mut node.kept.home);
        // Who is revoked, or frozen, or has no genesis, cannot write.
        let written = if is_unjudged {
            write_unjudged(&mut **home, payload, key, shown_ms)
        } else {
            home.author(payload, key, shown_ms)
        };
        match written {
            Ok(None) => {}
            Ok(Some(op)) => {
                node.written.push(op);
                let held = node.kept.home.replica().log().get(&op);
                let body = held.map(|it| it.body().clone());
                if body.is_some_and(|it| !laws::is_of_its_time(node, &it, shown_ms)) {
                    self.breaks(|| format!("node {at} names the future in op {op}"));
                }
            }
            Err(_) => {
                node.kept.has_failed = true;
                node.goes_down();
            }
        }
    }

    fn payload(&mut self) -> Payload {
        if self.stream.chance(5) {
            let whom = 2 + self.stream.index(self.nodes.len() - 2);
            if self.schedule.pruning.is_some() {
                let (person, key) = (&self.nodes[0].key, &self.nodes[whom].key);
                let (person, key) = (public_key(person), public_key(key));
                return DeviceRevoke { person, key }.into();
            }
            return Revoke::of(public_key(&self.nodes[whom].key)).into();
        }
        // What is written over soon can be dropped soon.
        let last = if self.schedule.pruning.is_some() {
            0
        } else {
            5
        };
        let object = format!("order/{}", self.stream.between(0, last));
        let value = Value::Text(format!("{:x}", self.stream.between(0, u64::MAX - 1)));
        SetField::new(&object, "status", value)
            .expect("names")
            .into()
    }

    /// A payload of a kind that no version of the engine has yet: `{0: 65535, 1: h'…'}`.
    fn unjudged(&mut self) -> Payload {
        let mut bytes = vec![0xa2, 0x00, 0x19, 0xff, 0xff, 0x01, 0x48];
        bytes.extend(self.stream.bytes::<8>());
        Payload::Unassigned(Unassigned::new(&bytes).expect("of the one form"))
    }
}

fn name(text: &str) -> Name {
    Name::new(text).expect("a name")
}

/// Writes what the engine here cannot judge, as a newer one would.
fn write_unjudged(
    home: &mut dyn Home,
    payload: Payload,
    key: &SigningKey,
    now_ms: u64,
) -> Result<Option<OpId>, KeepError> {
    let body = home.replica().body(payload, public_key(key), now_ms);
    let signed = body.ok().and_then(|it| VerifiedOp::sign(it, key).ok());
    let Some(op) = signed else {
        return Ok(None);
    };
    home.receive(&[op.envelope()])?;
    home.sync()?;
    Ok(home.replica().envelope(&op.id()).map(|_| op.id()))
}
