//! Vectors: files of bytes and what they amount to, in the format of `docs/vectors/README.md`.

use std::collections::{BTreeMap, BTreeSet};

use ecac_core::{
    Costs, Decision, Effect, Log, Op, OpId, Payload, Refusal, Replay, VerifiedOp, snapshot,
};
use ecac_oracle::laws::{Law, Said};
use ecac_oracle::{Oracle, Story};
use sha2::{Digest as _, Sha256};

use crate::codec::fault;

/// The vectors, by path below `docs/vectors`.
#[derive(Debug, Default)]
pub(crate) struct Vectors(pub(crate) BTreeMap<String, String>);

/// An order of arrival, and what is decided of some ops after so many arrivals.
pub(crate) struct Arrivals {
    /// Names, separated by spaces; an op that comes twice is named twice.
    pub(crate) order: &'static str,
    /// Lines as for [`check`], of the ops whose decision is stated.
    pub(crate) after: &'static [(usize, &'static str)],
}

impl Arrivals {
    pub(crate) const fn of(order: &'static str) -> Self {
        Self { order, after: &[] }
    }
}

/// Bytes that are an op, or are none.
pub(crate) struct Bytes {
    pub(crate) what: String,
    /// Is left out where there is none, and where it would only repeat many bytes of the envelope.
    pub(crate) body: Option<Vec<u8>>,
    pub(crate) envelope: Vec<u8>,
}

/// The lines of an expectation that are not empty.
fn lines(expect: &str) -> impl Iterator<Item = &str> {
    expect
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
}

/// The name that a line of an expectation begins with.
fn name_in(line: &str) -> &str {
    line.split(' ').next().expect("a line is not empty")
}

/// Expects of each named op, one a line, `name verdict [reason] [witness]`; every other op is applied. The laws hold,
/// and the engine and the naive oracle agree.
#[track_caller]
pub(crate) fn check(story: &Story, expect: &str) -> Said {
    let said = story.said();
    let expected: BTreeMap<&str, &str> = lines(expect).map(|line| (name_in(line), line)).collect();
    for name in expected.keys() {
        assert!(story.ids.contains_key(*name), "there is no op {name}");
    }
    for op in &story.ops {
        let (id, name) = (op.id(), story.name_of(op.id()));
        let line = story.line(id, &said.replayed.decisions[&id]);
        match expected.get(name) {
            Some(expected) => assert_eq!(line, *expected),
            None => assert!(line.starts_with(&format!("{name} applied ")), "{line}"),
        }
    }
    said
}

impl Vectors {
    /// A history, the first line of whose expectation is the subject.
    #[track_caller]
    pub(crate) fn add(&mut self, path: &str, about: &str, rule: &str, story: &Story, expect: &str) {
        let said = check(story, expect);
        let subject = name_in(lines(expect).next().expect("the subject is expected"));
        let decision = &said.replayed.decisions[&story.ids[subject]];
        let (group, _) = path.split_once('/').expect("a path has a group");
        assert!(
            group == "state" || group == decision.verdict(),
            "{path}: {decision:?}"
        );
        let mut file = File::new(&verdict(decision), about, rule);
        file.line(&format!("project: {}", story.ids["genesis"]));
        file.line(&format!("subject: {subject}"));
        file.story(story, &said);
        if group == "state" {
            file.snapshots(story);
            let state = String::from_utf8_lossy(&said.replayed.state);
            file.line(&format!("state: {state}"));
        }
        self.insert(path, file);
    }

    /// A history of which a law holds, in several orders of arrival.
    #[track_caller]
    pub(crate) fn law(
        &mut self,
        law: Law,
        about: &str,
        rule: &str,
        (story, expect): (&Story, &str),
        arrivals: &[Arrivals],
    ) {
        let said = check(story, expect);
        let mut file = File::new(&format!("holds {law}"), about, rule);
        file.line(&format!("project: {}", story.ids["genesis"]));
        file.story(story, &said);
        if law == Law::HarmlessCopies {
            for op in &story.ops {
                file.noise(op.envelope());
            }
        }
        for arrivals in arrivals {
            file.arrivals(story, arrivals, law, &said);
        }
        self.insert(&format!("laws/{law}"), file);
    }

    /// Bytes of which each is an op, or is none.
    #[track_caller]
    pub(crate) fn codec(
        &mut self,
        name: &str,
        expect: &str,
        about: &str,
        rule: &str,
        all: Vec<Bytes>,
    ) {
        assert!(!all.is_empty(), "{name}");
        let mut file = File::new(expect, about, rule);
        for Bytes {
            what,
            body,
            envelope,
        } in all
        {
            let (found, of_body) = receive(&envelope);
            assert_eq!(found, expect, "{name}: {what}");
            file.line(&format!("case: {what}"));
            if let Some(body) = body {
                file.line(&format!("body: {}", hex::encode(body)));
            }
            file.line(&format!("envelope: {}", hex::encode(envelope)));
            file.line(&of_body);
        }
        self.insert(&format!("codec/{name}"), file);
    }

    #[track_caller]
    fn insert(&mut self, path: &str, file: File) {
        let known = self.0.insert(format!("{path}.txt"), file.0);
        assert_eq!(known, None, "two vectors are called {path}");
    }
}

/// The verdict with its reason.
fn verdict(decision: &Decision) -> String {
    let parts = [Some(decision.verdict()), decision.reason()];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// The verdict on bytes, and the line that names the op or what is wrong with it.
fn receive(envelope: &[u8]) -> (String, String) {
    let costs = &mut Costs::default();
    let op = match Op::decode(envelope, costs) {
        Ok(op) => op,
        Err(error) => {
            let refused = format!("refused {}", Refusal::NonCanonical);
            return (refused, format!("fault: {}", fault(&error)));
        }
    };
    let id = format!("op-id: {}", op.id());
    match VerifiedOp::verify(op, costs) {
        Ok(_) => ("accepted".to_owned(), id),
        Err(_) => (format!("refused {}", Refusal::BadSignature), id),
    }
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// A file that is being written.
struct File(String);

impl File {
    fn new(expect: &str, about: &str, rule: &str) -> Self {
        let mut file = Self(String::new());
        file.line(&format!("expect: {expect}"));
        file.line(&format!("about: {about}"));
        file.line(&format!("rule: {rule}"));
        file
    }

    fn line(&mut self, line: &str) {
        assert!(!line.contains('\n'), "{line}");
        self.0 += line;
        self.0.push('\n');
    }

    /// The ops, what is decided of each, and the digests of the exports.
    fn story(&mut self, story: &Story, said: &Said) {
        for op in &story.ops {
            let (id, envelope) = (op.id(), hex::encode(op.envelope()));
            self.line(&format!("op {} {id} {envelope}", story.name_of(id)));
        }
        for op in &story.ops {
            self.decision("", story, op.id(), &said.replayed.decisions[&op.id()]);
        }
        let costs = &mut Costs::default();
        let mut log = Log::new(story.ids["genesis"]);
        for op in &story.ops {
            log.ingest(op.clone(), costs);
        }
        let replay = Replay::of(&log, costs);
        for op in &story.ops {
            if let Some(effect) = replay.effect(&log, &op.id(), costs) {
                self.effect(story, op.id(), &effect);
            }
        }
        self.line(&format!("state-sha256: {}", sha256(&said.replayed.state)));
        self.line(&format!("trust-sha256: {}", sha256(&said.trust)));
    }

    /// The digests of the pasts of the seals, on which the engine and the naive oracle agree.
    fn snapshots(&mut self, story: &Story) {
        let costs = &mut Costs::default();
        let project = story.ids["genesis"];
        let mut log = Log::new(project);
        for op in &story.ops {
            log.ingest(op.clone(), costs);
        }
        let oracle = Oracle::of(project, story.ops.iter().map(|op| (op.id(), op.body())));
        for op in &story.ops {
            if matches!(op.body().payload, Payload::Seal(_)) {
                let parents = &op.body().parents;
                let found = snapshot(&log, parents, costs).map(|it| sha256(&it));
                let expected = hex::encode(oracle.snapshot_digest(parents));
                assert_eq!(found.as_ref(), Some(&expected), "the past of a seal");
                self.line(&format!("snapshot {} {expected}", story.name_of(op.id())));
            }
        }
    }

    /// What an op of trust or policy does, whether it counts, and the ops that it concerns.
    fn effect(&mut self, story: &Story, op: OpId, effect: &Effect) {
        let counts = match effect.code.counts() {
            Some(true) => "yes",
            Some(false) => "no",
            None => "unknown",
        };
        let on: Vec<&str> = effect.on.iter().map(|it| story.name_of(*it)).collect();
        let on = match on.is_empty() {
            true => String::new(),
            false => format!(" on {}", on.join(" ")),
        };
        let (name, code) = (story.name_of(op), effect.code);
        self.line(&format!("effect {name} {code} {counts}{on}"));
    }

    fn decision(&mut self, when: &str, story: &Story, op: OpId, decision: &Decision) {
        let (name, verdict) = (story.name_of(op), verdict(decision));
        let witness = decision.witness();
        let witness = witness.map(|it| format!(" witness {}", story.name_of(it)));
        let witness = witness.unwrap_or_default();
        let missing = match decision {
            Decision::Pending { missing } => {
                let names = missing.iter().map(|it| story.name_or_id(*it));
                format!(" missing {}", names.collect::<Vec<_>>().join(" "))
            }
            Decision::Applied { .. }
            | Decision::Denied { .. }
            | Decision::Refused { .. }
            | Decision::Unsupported => String::new(),
        };
        self.line(&format!(
            "{when}decision {name} {verdict}{witness}{missing}"
        ));
    }

    /// Copies of an op that are none: with a changed signature, with a byte too many, with a byte too few.
    fn noise(&mut self, envelope: &[u8]) {
        let mut forged = envelope.to_vec();
        *forged.last_mut().expect("an envelope has bytes") ^= 1;
        for copy in [
            &forged,
            &[envelope, &[0]].concat(),
            &envelope[..envelope.len() - 1],
        ] {
            let (found, _) = receive(copy);
            let (_, reason) = found.split_once(' ').expect("the copy is no op");
            self.line(&format!("noise {reason} {}", hex::encode(copy)));
        }
    }

    /// An order of arrival, what is said on the way, and that in the end the same is said.
    fn arrivals(&mut self, story: &Story, arrivals: &Arrivals, law: Law, said: &Said) {
        let order = story.ids(arrivals.order);
        let held: BTreeSet<OpId> = story.ops.iter().map(VerifiedOp::id).collect();
        assert_eq!(order.iter().copied().collect::<BTreeSet<_>>(), held);
        let names: Vec<&str> = order.iter().map(|op| story.name_of(*op)).collect();
        self.line(&format!("order: {}", names.join(" ")));
        let costs = &mut Costs::default();
        let mut log = Log::new(story.ids["genesis"]);
        let mut replay = Replay::new();
        for (count, name) in (1..).zip(&names) {
            log.ingest(story.named(name).clone(), costs);
            replay.advance(&log, costs);
            let now = Said::of(&log, &replay);
            assert_eq!(now, Said::of(&log, &Replay::of(&log, costs)));
            let when = format!("after {count} ");
            for (_, expect) in arrivals.after.iter().filter(|(at, _)| *at == count) {
                for line in lines(expect) {
                    let op = story.ids[name_in(line)];
                    let decision = &now.replayed.decisions[&op];
                    assert_eq!(story.line(op, decision), line, "{when}");
                    self.decision(&when, story, op, decision);
                }
            }
            if law == Law::IncrementalEqualsFull {
                self.line(&format!(
                    "{when}state-sha256 {}",
                    sha256(&now.replayed.state)
                ));
                self.line(&format!("{when}trust-sha256 {}", sha256(&now.trust)));
            }
        }
        assert_eq!(&Said::of(&log, &replay), said, "{names:?}");
    }
}
