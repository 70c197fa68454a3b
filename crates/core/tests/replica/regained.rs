//! What was dropped, or never came with a sealed snapshot, is given back by somebody who has it; what is given back is what its
//! author signed, and shows whoever told something else of it.

use ecac_core::{
    Body, Costs, Limits, OpId, Payload, RegainError, Regained, Replica, Value, VerifiedOp, explain,
    payload, snapshot,
};
use sha2::{Digest as _, Sha256};

use crate::carried::{self, ALICE, BOB, full, office, same, sealed};
use crate::form::{Carried, Dropped, Item};
use crate::project::{Project, at, edit, name, sign};
use crate::quorum::{ANN, BEN, cosign};

/// All that the replica can hand on.
fn everything(replica: &Replica) -> Vec<Vec<u8>> {
    replica.envelopes().map(|it| it.into_owned()).collect()
}

/// What is told of each op, value and all.
fn told(replica: &Replica) -> Vec<String> {
    let log = replica.log();
    let mut ids: Vec<OpId> = log.ids_since(0).collect();
    ids.sort_unstable();
    let told = ids.iter().map(|id| {
        let explained = explain(log, replica.replay(), id);
        let body = log.get(id).map(|op| op.body().clone());
        format!("{explained:?} {body:?} {:?}", replica.effect(id))
    });
    told.collect()
}

/// A replica that has dropped what it may, and one that has started without it.
fn without_some(project: &Project) -> [Replica; 2] {
    let before = full(project);
    let carried = before.carry().expect("a seal is final");
    let mut pruned = full(project);
    assert_eq!(pruned.prune().expect("in memory").ops, 2);
    let started = Replica::start_from(before.project(), &carried).expect("it is honest");
    [pruned, started]
}

#[test]
fn who_is_given_everything_back_is_as_who_never_dropped_anything() {
    let mut office = office();
    let before = full(&office.project);
    let (carried, all) = (before.carry().unwrap(), everything(&before));
    let replicas = without_some(&office.project);
    let first = office.project.given.len();
    office
        .project
        .write_on(ALICE, &[office.shown], edit("a", 6));
    sealed(&mut office.project);
    let (later, after) = (&office.project.given[first..], full(&office.project));
    for mut replica in replicas {
        let said = |it: &Replica| (it.decisions(), it.state(), it.trust(), it.costs());
        let had = said(&replica);
        assert!(replica.envelope(&office.over_written).is_none());
        assert_eq!(replica.log().pruned_count(), 2);
        // In whatever order, twice, and with what is no op.
        let mut given = all.clone();
        given.reverse();
        given.extend(all.iter().cloned());
        given.push(b"no op".to_vec());
        let found = replica.regainable(&given).unwrap();
        assert!(found.is_sorted() && found.len() == 2);
        let bytes = found.iter().map(|&(_, number)| given[number].len() as u64);
        let bytes: u64 = bytes.sum();
        let regained = replica.regain(&given).unwrap();
        let counted = (regained.ops, regained.bytes, regained.others);
        assert_eq!(counted, (2, bytes, given.len() - 2));
        let again = replica.regain(&all).unwrap();
        assert_eq!((again.ops, again.bytes, again.others), (0, 0, all.len()));

        assert!(said(&replica) == had && replica.fault().is_none());
        assert_eq!(replica.log().pruned_count(), 0);
        let order = |it: &Replica| -> Vec<VerifiedOp> { it.total_order().collect() };
        assert!(order(&replica) == order(&before));
        assert_eq!(told(&replica), told(&before));
        assert_eq!(replica.carry().unwrap(), carried);
        // Somebody can begin with what it hands on, and it can drop that again.
        let mut newcomer = Replica::join(replica.project());
        newcomer.receive(&everything(&replica));
        same(&before, &newcomer);
        assert_eq!(replica.prune().unwrap().ops, 2);
        assert!(replica.log().is_pruned(&office.over_written));
        assert_eq!(replica.carry().unwrap(), carried);
        assert_eq!(replica.regain(&all).unwrap().ops, 2);
        // It goes on as everybody does.
        replica.ingest(later.iter().cloned());
        same(&after, &replica);
        assert_eq!(replica.carry().unwrap(), after.carry().unwrap());
    }
}

#[test]
fn only_what_was_dropped_here_and_signed_comes_back() {
    let office = office();
    let before = full(&office.project);
    let envelope = |id: &OpId| before.envelope(id).expect("it is here").into_owned();
    let real = envelope(&office.over_written);
    let mut unsigned = real.clone();
    *unsigned.last_mut().expect("it has bytes") ^= 1;
    let stranger = sign(BOB, 9, &[OpId::from_bytes([9; 32])], at(9), edit("a", 9));
    let unknown = sign(BOB, 9, &[office.shown], at(5000), edit("a", 9));
    for mut replica in without_some(&office.project) {
        let given = [
            unsigned.clone(),
            real[..real.len() - 1].to_vec(),
            Vec::new(),
            envelope(&office.shown),
            envelope(&replica.project()),
            stranger.envelope().to_vec(),
            unknown.envelope().to_vec(),
        ];
        let regained = replica.regain(&given).unwrap();
        assert_eq!((regained.ops, regained.others), (0, given.len()));
        assert_eq!(replica.regain::<Vec<u8>>(&[]), Ok(Regained::default()));
        assert_eq!(replica.log().pruned_count(), 2);
        assert!(!replica.log().holds(&stranger.id()) && !replica.log().holds(&unknown.id()));
        // A bad copy does not keep the good one away.
        let regained = replica.regain(&[unsigned.clone(), real.clone()]).unwrap();
        assert_eq!((regained.ops, regained.others), (1, 1));
        assert_eq!(replica.envelope(&office.over_written).unwrap(), real);
    }
}

/// The digest of what the seal would seal, if the op were told so.
fn digest_of_a_lie(project: &Project, seal: &Body, lie: &Body, truth: &Body) -> [u8; 32] {
    let costs = &mut Costs::default();
    let honest = snapshot(&project.log, &seal.parents, costs).expect("everything is here");
    let honest = String::from_utf8(honest).expect("JSON");
    let skeleton = |body: &Body| {
        let bytes = body.encode().expect("within the limits");
        blake3::hash(&[b"ECAC_SKELETON_V1", &bytes[..]].concat())
            .to_hex()
            .to_string()
    };
    let (lie, truth) = (skeleton(lie), skeleton(truth));
    assert_eq!(honest.matches(&truth).count(), 1, "the op has a skeleton");
    Sha256::digest(honest.replace(&truth, &lie)).into()
}

/// Work of two who had not seen each other's, each covered by their own, and sealed; and the ops that are covered. Whether the
/// one who covers last has seen all.
fn apart(meets: bool) -> (Project, [OpId; 2]) {
    let mut project = carried::project(&["carry"]);
    let heads = project.log.heads();
    let both = [(ALICE, "d"), (BOB, "c")];
    let first = both.map(|(by, field)| project.write_on(by, &heads, edit(field, 1)));
    let over = project.write_on(BOB, &first[1..], edit("c", 2));
    let seen = if meets {
        [first[0], over]
    } else {
        [first[0]; 2]
    };
    project.write_on(ALICE, &seen, edit("d", 2));
    sealed(&mut project);
    (project, first)
}

/// What is kept of a write to the field.
fn blank(field: &str) -> Payload {
    let (object, field) = (name("o"), name(field));
    let value = Value::Null;
    Payload::SetField(payload::SetField {
        object,
        field,
        value,
    })
}

/// Changes what is told of the second op of two.
type Lie = fn(&mut Dropped, &mut Body, OpId);

/// What two roots carry who have sealed that an op is another one than it is; the project, and the op.
fn lying(meets: bool, change: Lie) -> (Carried, Project, OpId) {
    let (honest, [first, op]) = apart(meets);
    let mut forged = Carried::read(&full(&honest).carry().expect("a seal is final"));
    let mut project = honest.replica(Limits::default());
    let until = honest.given.len() - 2;
    for op in &honest.given[..until] {
        project.receive(op.clone());
    }
    let seal = honest.given[until].body();
    let mut truth = project.log.get(&op).expect("it is here").body().clone();
    truth.payload = blank("c");
    let mut lie = truth.clone();
    change(forged.dropped(&op), &mut lie, first);
    let digest = digest_of_a_lie(&project, seal, &lie, &truth);
    let seal = project.write_on(ANN, &seal.parents, Payload::Seal(payload::Seal { digest }));
    project.write(BEN, cosign(seal));
    forged.seal = seal;
    forged.ops.truncate(forged.ops.len() - 2);
    let after = project.given[until..].iter();
    forged
        .ops
        .extend(after.map(|op| Item::Envelope(op.envelope().to_vec())));
    (forged, project, op)
}

#[test]
fn what_roots_have_sealed_of_an_op_and_is_not_so_is_found_when_it_comes_back() {
    let nothing: Lie = |_, _, _| ();
    let (honest, project, _) = lying(false, nothing);
    let mut started = honest.start().expect("it is what everybody says");
    let all = everything(&full(&project));
    assert_eq!(started.regain(&all).map(|it| it.ops), Ok(2));
    same(&full(&project), &started);
    let later: Lie = |told, body, _| {
        told.hlc.logical += 1;
        body.hlc.logical += 1;
    };
    // As if it had seen what was written beside it.
    let sighted: Lie = |told, body, first| {
        assert_eq!(told.links, [2]);
        told.links = vec![1];
        body.parents = vec![first];
    };
    // As if it had been written elsewhere.
    let elsewhere: Lie = |told, body, _| {
        told.place += 1;
        body.payload = blank("d");
    };
    for (meets, change) in [(false, later), (false, sighted), (true, elsewhere)] {
        let (forged, project, op) = lying(meets, change);
        let mut deceived = forged.start().expect("enough roots have sealed the lie");
        let (all, save) = (everything(&full(&project)), deceived.save());
        assert_eq!(deceived.regain(&all), Err(RegainError::Contradicts { op }));
        // Not even what was told as it is.
        assert_eq!((deceived.log().pruned_count(), deceived.save()), (2, save));
        let honest = all.iter().filter(|it| {
            let read = VerifiedOp::read(it, &mut Costs::default());
            read.is_ok_and(|it| it.id() != op)
        });
        let honest: Vec<&Vec<u8>> = honest.collect();
        assert_eq!(deceived.regain(&honest).map(|it| it.ops), Ok(1));
    }
}
