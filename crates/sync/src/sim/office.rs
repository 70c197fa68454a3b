//! Roots, devices, seals and a thief: how a schedule with seals begins, and what happens in it.

use std::collections::BTreeSet;

use ecac_core::payload::{Cosign, Device, DeviceRevoke};
use ecac_core::{
    Decision, Genesis, Name, OpId, Payload, Replica, ReplicaBuilder, SigningKey, VerifiedOp,
    public_key,
};

use super::home::Home;
use super::schedule::Pruning;

/// The project of a schedule as it begins, and what a thief writes who knows no more of it.
#[derive(Debug)]
pub(super) struct Office {
    /// The genesis and the links of the devices.
    pub(super) founded: Replica,
    /// The envelopes of revocations, in their order.
    pub(super) thefts: Vec<Vec<u8>>,
}

fn name(text: &str) -> Name {
    Name::new(text).expect("a name")
}

/// What genesis names where there are so many roots.
pub(super) fn features(roots: usize) -> Vec<(Name, Vec<u8>)> {
    let mut features = vec![
        (name("carry"), Vec::new()),
        (name("device"), Vec::new()),
        (name("seal"), Vec::new()),
    ];
    if roots > 1 {
        features.push((name("quorum"), vec![2]));
    }
    features
}

impl Office {
    /// The office of these nodes: the first keys are those of roots, the others are devices of the first root, and so is that
    /// of the thief unless a root is the thief.
    pub(super) fn found(
        builder: &ReplicaBuilder,
        genesis: Genesis,
        keys: &[SigningKey],
        pruning: &Pruning,
        thief: SigningKey,
        now_ms: u64,
    ) -> Self {
        let founded = builder.clone().create(genesis, &keys[0], now_ms);
        let mut founded = founded.expect("a genesis");
        let (person, project) = (public_key(&keys[0]), founded.project());
        let devices = keys.iter().skip(pruning.roots).chain([&thief]);
        let devices: Vec<&SigningKey> = devices.filter(|it| public_key(it) != person).collect();
        for key in &devices {
            let proof = key.sign(&Device::proof_of(&project, &person)).into();
            let key = public_key(key);
            let device = Device { person, key, proof };
            let link = founded.author(device, &keys[0], now_ms).expect("a link").op;
            if pruning.roots > 1 {
                let cosigned = founded.author(Cosign { op: link }, &keys[2], now_ms);
                cosigned.expect("a signature");
            }
        }
        let mut thefts = Vec::new();
        if pruning.thief {
            // He begins where everybody begins, and has seen nothing of what they did.
            let mut stolen = Replica::join(project);
            stolen.receive(&founded.envelopes().collect::<Vec<_>>());
            let thief = if pruning.roots > 1 { &keys[2] } else { &thief };
            for key in devices.iter().map(|it| public_key(it)) {
                let revocation = DeviceRevoke { person, key };
                if let Ok(authored) = stolen.author(revocation, thief, now_ms) {
                    thefts.push(authored.envelope);
                }
            }
        }
        Self { founded, thefts }
    }
}

/// What a root signs next: a seal of all that is here, or a seal of another one that waits and that says what is computed here.
pub(super) fn signature(
    home: &dyn Home,
    key: &SigningKey,
    cosigns: bool,
    now_ms: u64,
) -> Option<Payload> {
    let (replica, author) = (home.replica(), public_key(key));
    if !cosigns {
        let seal = replica.next_seal(author, now_ms).ok()?;
        return Some(seal.into());
    }
    let proposals = replica.proposals().value;
    let waits = proposals.into_iter().map(|it| it.op);
    let mut good = waits.filter(|op| replica.check_seal(op).is_some_and(|it| it.agrees()));
    good.next().map(|op| Cosign { op }.into())
}

/// The past of an op and the op, in the order of admission, on a replica that has all of it.
fn up_to(replica: &Replica, op: OpId) -> Vec<VerifiedOp> {
    let log = replica.log();
    let (mut ids, mut left) = (BTreeSet::new(), vec![op]);
    while let Some(op) = left.pop() {
        if ids.insert(op)
            && let Some(held) = log.get(&op)
        {
            left.extend(held.body().parents.iter().copied());
        }
    }
    log.admitted().filter(|it| ids.contains(&it.id())).collect()
}

/// The first op that was applied in a final seal's past, and is not applied.
pub(super) fn taken_back(replica: &Replica) -> Option<OpId> {
    let is_applied = |replica: &Replica, op: &OpId| {
        let decision = replica.decision(op);
        matches!(decision, Some(Decision::Applied { .. }))
    };
    for seal in replica.sealing().value.finals {
        let mut sealed = Replica::join(replica.project());
        sealed.ingest(
            up_to(replica, seal)
                .into_iter()
                .filter(|it| it.id() != seal),
        );
        let mut ops = sealed.log().ids_since(0);
        let lost = ops.find(|op| is_applied(&sealed, op) && !is_applied(replica, op));
        if lost.is_some() {
            return lost;
        }
    }
    None
}
