//! Logs that were written by earlier versions: they are read, and mean what they meant.

use std::collections::BTreeSet;

use ecac_core::credential::Role;
use ecac_core::credential::mint::{CredentialClaims, mint_credential};
use ecac_core::payload;
use ecac_core::{Costs, DenialReason, Payload, Refusal, SchemaRule, Tags, VerifiedOp, public_key};

use super::{World, author, genesis, name, node, sign, write};
use crate::{
    AuditLog, Comparison, Contradiction, Digest, Entry, EntryKind, Expect, Obstacle, Origin,
    Recorder, RollBackReason, Subject, Verdict, verify_against,
};

/// Roots 1 and 2 sign a sequence number twice; 2 had granted something to 5, who edited.
struct Forks {
    genesis: VerifiedOp,
    before: Vec<VerifiedOp>,
    edit: VerifiedOp,
    /// Two ops of 1 with one sequence number, and one that has seen both.
    twins: [VerifiedOp; 2],
    after: VerifiedOp,
    /// Two ops of 2 with one sequence number.
    granters: [VerifiedOp; 2],
}

impl Forks {
    fn new() -> Self {
        let Payload::Genesis(mut founding) = genesis("forks", &[1, 2, 9]) else {
            unreachable!("it is a genesis");
        };
        founding.schema = BTreeSet::from([SchemaRule {
            object: name("*"),
            field: name("*"),
            tags: Tags::from([name("docs")]),
        }]);
        let genesis = sign(1, 0, &[], Payload::Genesis(founding));
        let issuer = author(8);
        let (from, until) = (0, 1_000_000);
        let key = Payload::IssuerKey(payload::IssuerKey {
            issuer: name("https://issuer.example"),
            kid: name("key-1"),
            public_key: public_key(&issuer),
            valid_from_ms: from,
            valid_until_ms: until,
        });
        let key = sign(2, 0, &[&genesis], key);
        let claims = CredentialClaims {
            issuer: "https://issuer.example".to_owned(),
            kid: "key-1".to_owned(),
            id: None,
            subject: public_key(&author(5)),
            role: Role::Editor,
            scope: BTreeSet::from(["docs".to_owned()]),
            valid_from_ms: from,
            valid_until_ms: until,
            status: Vec::new(),
        };
        let jwt = mint_credential(&issuer, &claims);
        let credential = sign(
            2,
            1,
            &[&key],
            Payload::Credential(payload::Credential { jwt }),
        );
        let grant = Payload::Grant(payload::Grant {
            subject: public_key(&author(5)),
            credential: credential.id(),
        });
        let grant = sign(2, 2, &[&credential], grant);
        let edit = sign(5, 0, &[&grant], write("edit"));
        let twins = ["one", "other"].map(|text| sign(1, 1, &[&genesis], write(text)));
        let after = sign(1, 2, &[&twins[0], &twins[1]], write("after"));
        let granters = ["one", "other"].map(|text| sign(2, 3, &[&grant], write(text)));
        Self {
            genesis,
            before: vec![key, credential, grant],
            edit,
            twins,
            after,
            granters,
        }
    }

    fn ops(&self) -> Vec<&VerifiedOp> {
        let mut ops = vec![&self.genesis];
        ops.extend(&self.before);
        ops.extend([&self.edit, &self.twins[0], &self.twins[1], &self.after]);
        ops.extend(&self.granters);
        ops
    }
}

/// The audit log of [`Forks`] as the first version of the rules gives it.
const EQUIVOCATION: &str = include_str!("../../tests/fixtures/equivocation.jsonl");

fn read(export: &str) -> AuditLog {
    AuditLog::verify(export.as_bytes(), &Expect::default()).unwrap()
}

fn against(audit: &AuditLog, op_log: &[&[u8]]) -> Result<Comparison, Contradiction> {
    verify_against(audit, op_log.iter().copied(), &mut Costs::default())
}

#[test]
fn a_log_with_equivocations_that_denied_is_read_and_is_no_lie() {
    let forks = Forks::new();
    let audit = read(EQUIVOCATION);
    assert_eq!(audit.export(), EQUIVOCATION);
    let entries: Vec<&Entry> = audit.batches().iter().flat_map(|it| &it.entries).collect();
    let reasons = |wanted: RollBackReason| {
        let is = |entry: &&&Entry| matches!(entry, Entry::RolledBack { reason, .. } if *reason == wanted);
        entries.iter().filter(is).count()
    };
    assert_eq!(reasons(RollBackReason::EQUIVOCATION), 4);
    assert_eq!(reasons(DenialReason::GranterDenied.into()), 1);

    let ops = forks.ops();
    let op_log: Vec<&[u8]> = ops.iter().map(|op| op.envelope()).collect();
    let comparison = against(&audit, &op_log).unwrap();
    let known = RollBackReason::EQUIVOCATION
        .name()
        .parse::<DenialReason>()
        .is_ok();
    let want = match known {
        true => Verdict::Confirmed,
        false => Verdict::NotComparable,
    };
    assert_eq!(comparison.verdict(), want);
}

/// In each row the entry is not the one that replay gives, by any rules; but earlier ones could give its like.
#[test]
fn what_earlier_rules_may_give_is_not_comparable() {
    let forks = Forks::new();
    let all = forks.ops();
    let (twins, granters) = (&forks.twins, &forks.granters);
    let equivocation = RollBackReason::EQUIVOCATION;
    let rolled_back = |op: &VerifiedOp, reason, denial: &VerifiedOp| Entry::RolledBack {
        op: op.id(),
        reason,
        denial: denial.id(),
    };
    let skipped = |op: &VerifiedOp, witness: &VerifiedOp| Entry::Skipped {
        subject: Subject::Op(op.id()),
        reason: Refusal::Revoked,
        witness: Some(witness.id()),
    };
    // A node that took in `ops` and then said `entry` of the last of them.
    let said = |ops: &[&VerifiedOp], entry: Entry| {
        let costs = &mut Costs::default();
        let mut recorder = Recorder::new(forks.genesis.id());
        let (last, before) = ops.split_last().unwrap();
        before.iter().for_each(|op| {
            recorder.ingest((*op).clone(), costs);
        });
        let subject = Subject::Op(last.id());
        let batches = [
            recorder.seal(costs),
            vec![Entry::Ingested { subject }, entry],
        ];
        let mut audit = AuditLog::new(Origin {
            project: forks.genesis.id(),
            node: node(7).public(),
        });
        for batch in batches {
            audit.commit_batch(batch, &node(7)).unwrap();
        }
        let op_log: Vec<&[u8]> = all.iter().map(|op| op.envelope()).collect();
        against(&audit, &op_log)
    };
    let granter_denied = DenialReason::GranterDenied.into();
    let before = &forks.before;
    let [genesis, key, credential, grant] = [&forks.genesis, &before[0], &before[1], &before[2]];
    let with_twins = [genesis, &twins[0], &twins[1]];
    let granted = [
        genesis,
        key,
        credential,
        grant,
        &granters[0],
        &granters[1],
        &forks.edit,
    ];
    let rows: [(&str, &[&VerifiedOp], Entry); 4] = [
        (
            "its own number",
            &with_twins,
            rolled_back(&twins[1], equivocation, &twins[1]),
        ),
        (
            "a granter's",
            &granted,
            rolled_back(&forks.edit, granter_denied, &granters[1]),
        ),
        ("a refusal", &with_twins, skipped(&twins[1], &twins[0])),
        (
            "a refusal of another",
            &granted,
            skipped(&forks.edit, &granters[1]),
        ),
    ];
    for (name, ops, entry) in rows {
        let comparison = said(ops, entry).unwrap();
        assert_eq!(comparison.verdict(), Verdict::NotComparable, "{name}");
        assert_eq!(
            comparison.halt.unwrap().obstacle,
            Obstacle::EarlierRules,
            "{name}"
        );
        assert!(comparison.entries_unjudged > 0, "{name}");
    }
    let other = DenialReason::StatusRevoked.into();
    let lies: [(&str, &[&VerifiedOp], Entry); 5] = [
        (
            "one op is no equivocation",
            &[genesis, &twins[0]],
            rolled_back(&twins[0], equivocation, &twins[0]),
        ),
        (
            "nor is an op with no twin",
            &granted,
            rolled_back(&forks.edit, equivocation, grant),
        ),
        (
            "nor one that is not there",
            &with_twins,
            rolled_back(&twins[1], equivocation, &granters[0]),
        ),
        (
            "another reason",
            &with_twins,
            rolled_back(&twins[1], other, &twins[0]),
        ),
        (
            "a refusal by none",
            &granted,
            skipped(&forks.edit, credential),
        ),
    ];
    for (name, ops, entry) in lies {
        assert!(said(ops, entry).is_err(), "{name}");
    }
}

#[test]
fn a_log_that_lists_what_is_no_op_says_what_it_said() {
    let world = World::new();
    let batches = world.listing_batches();
    let audit = world.signed(batches.clone());
    let forged = Subject::Envelope(Digest::of(&world.forged));
    let skipped = Entry::Skipped {
        subject: forged,
        reason: Refusal::BadSignature,
        witness: None,
    };
    assert_eq!(
        batches[0][2..4],
        [Entry::Ingested { subject: forged }, skipped]
    );
    let listed = |entry: &&Entry| entry.kind() == EntryKind::Rejected;
    assert_eq!(batches.iter().flatten().filter(listed).count(), 0);

    let mut op_log = world.op_log();
    let whole = against(&audit, &op_log).unwrap();
    assert_eq!(whole.verdict(), Verdict::Confirmed);
    assert_eq!((whole.envelopes_absent, whole.items_no_op), (0, 0));
    op_log.push(b"\xd2\x80");
    op_log.retain(|item| *item != world.garbage && *item != world.forged);
    let part = against(&audit, &op_log).unwrap();
    assert_eq!(
        part.verdict(),
        Verdict::Confirmed,
        "such bytes need not be kept"
    );
    assert_eq!((part.envelopes_absent, part.items_no_op), (2, 1));
    assert_eq!(part.entries, whole.entries);
}

#[test]
fn a_log_that_lists_what_is_no_op_is_held_to_it() {
    let world = World::new();
    let second = Digest::of(world.second.envelope());
    type Lie<'a> = &'a dyn Fn(&mut Vec<Vec<Entry>>);
    let table: [(&str, Lie<'_>); 4] = [
        ("another reason", &|batches| {
            batches[0][3] = Entry::Skipped {
                subject: Subject::Envelope(Digest::of(&world.forged)),
                reason: Refusal::NonCanonical,
                witness: None,
            };
        }),
        ("an op called no op", &|batches| {
            let subject = Subject::Op(world.second.id());
            let at = batches[0]
                .iter()
                .position(|it| *it == Entry::Ingested { subject });
            let subject = Subject::Envelope(second);
            batches[0][at.unwrap()] = Entry::Ingested { subject };
        }),
        ("listed twice", &|batches| {
            let again = [batches[0][2].clone(), batches[0][3].clone()];
            batches[2].splice(0..0, again);
        }),
        ("listed and not refused", &|batches| {
            batches[0].remove(3);
        }),
    ];
    for (name, lie) in table {
        let mut batches = world.listing_batches();
        lie(&mut batches);
        let audit = world.signed(batches);
        assert!(against(&audit, &world.op_log()).is_err(), "{name}");
    }
}
