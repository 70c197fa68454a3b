//! Stolen keys that have been deposed, at work on old parents, while honest writers merge everything.

use chacha20::ChaCha8Rng;
use ecac_core::credential::mint::{mint_credential, mint_status_list};
use ecac_core::credential::{Role, StatusPurpose, StatusRef};
use ecac_core::payload;
use ecac_core::{OpId, Outcome, Payload};
use rand_core::{Rng as _, SeedableRng as _};
use std::collections::BTreeSet;

use crate::devices::{device, device_revoke};
use crate::effects::{LIST, revoke_key, status_list};
use crate::project::{FAR_MS, ISSUER, Project, claims, edit, issuer_key, key, revoke};
use crate::quorum::{ANN, BEN, CAT, cosign, sealed, three_roots};

const ALICE: u32 = 4;
const PETRA: u32 = 5;
const TRUDY: u32 = 6;
const BOB: u32 = 7;
/// Each editor and the editor's phone.
const WRITERS: [u32; 4] = [ALICE, BOB, ALICE + 40, BOB + 40];
/// The key that signs under `key-2`, which the issuer's administrator lists.
const SECOND_KEY: u32 = 2_000_000;

/// What became of the honest writes.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Losses {
    writes: usize,
    refused: usize,
    denied: usize,
}

struct World {
    project: Project,
    random: ChaCha8Rng,
    honest: Vec<OpId>,
    losses: Losses,
}

impl World {
    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.random.next_u64() % bound as u64).expect("below a usize")
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        let at = self.below(of.len());
        of[at]
    }

    fn credential(&mut self, subject: u32, bit: u64) -> OpId {
        let mut claims = claims(subject, Role::Editor);
        claims.kid = "key-2".into();
        claims.status = vec![StatusRef {
            list: LIST.into(),
            index: bit,
            purpose: StatusPurpose::Revocation,
        }];
        self.project
            .carry(ANN, mint_credential(&key(SECOND_KEY), &claims))
    }

    fn list(bits: &[u64]) -> Payload {
        let set: BTreeSet<u64> = bits.iter().copied().collect();
        let purpose = StatusPurpose::Revocation;
        let issuer = &key(SECOND_KEY);
        status_list(mint_status_list(
            issuer, ISSUER, "key-2", LIST, purpose, 0, 0, &set,
        ))
    }

    /// A write by an honest author who has seen everything, what the thieves did last included.
    fn write(&mut self, thieves: &[OpId]) {
        let by = self.pick(&WRITERS);
        let payload = edit("f", i64::try_from(self.losses.writes).expect("few"));
        let mut parents = self.project.offered(by, &payload).ids;
        for theirs in thieves.iter().rev().take(16 - parents.len()) {
            if !parents.contains(theirs) {
                parents.push(*theirs);
            }
        }
        let op = self.project.draft_on(by, &parents, payload);
        self.losses.writes += 1;
        let id = op.id();
        match self.project.receive(op) {
            Outcome::Admitted => self.honest.push(id),
            Outcome::Refused { .. } => self.losses.refused += 1,
            other => panic!("{other:?}"),
        }
    }

    fn spite(&mut self, proposals: &[OpId]) -> Payload {
        let victims = [ALICE, BOB, ANN, BEN, PETRA, TRUDY];
        match self.below(7) {
            0 | 1 => revoke(self.pick(&victims)),
            2 => revoke_key(self.pick(&["key-1", "key-2"])),
            3 => Self::list(&[1, 2]),
            4 => {
                let owner = self.pick(&[ALICE, BOB]);
                device_revoke(owner, owner + 40)
            }
            5 => cosign(self.pick(proposals)),
            _ => Payload::Seal(payload::Seal { digest: [9; 32] }),
        }
    }
}

/// The project, its thieves and their rage; `seal` is whether the roots seal what they have put in order.
fn world(seed: u64, seal: bool) -> Losses {
    let mut world = World {
        project: three_roots(),
        random: ChaCha8Rng::seed_from_u64(seed),
        honest: Vec::new(),
        losses: Losses::default(),
    };
    let id = world.project.log.project();
    world.project.grant(ANN, TRUDY, Role::IssuerAdmin);
    world.project.grant(ANN, PETRA, Role::PolicyAdmin);
    let second = issuer_key("key-2", SECOND_KEY, FAR_MS);
    world.project.write(TRUDY, second);
    world.project.write(TRUDY, World::list(&[]));
    for (bit, editor) in [(1, ALICE), (2, BOB)] {
        let credential = world.credential(editor, bit);
        let hired = Project::grant_of(editor, credential);
        world.project.write(PETRA, hired);
        let phone = device(id, editor, editor + 40);
        world.project.write(editor, phone);
    }
    let proposals = [
        world.project.write(ANN, revoke(BEN)),
        world.project.write(CAT, revoke(ANN)),
        world.project.write(CAT, revoke(BEN)),
    ];
    for _ in 0..4 {
        world.write(&[]);
    }
    let old: Vec<OpId> = world.project.log.ids_since(0).collect();
    let mut stolen: Vec<u32> = Vec::new();
    for thief in [CAT, PETRA, TRUDY] {
        if world.below(2) == 0 {
            stolen.push(thief);
        }
    }
    if stolen.is_empty() {
        stolen.push(CAT);
    }
    for thief in &stolen {
        let end = world.project.write(ANN, revoke(*thief));
        world.project.write(BEN, cosign(end));
    }
    for (bit, editor) in [(1, ALICE), (2, BOB)] {
        let credential = world.credential(editor, bit);
        let hired = Project::grant_of(editor, credential);
        world.project.write(BEN, hired);
    }
    for _ in 0..2 {
        world.write(&[]);
    }
    if seal {
        sealed(&mut world.project);
    }
    let mut thieves: Vec<OpId> = Vec::new();
    let mut lasts: Vec<(u32, OpId)> = Vec::new();
    for _ in 0..12 {
        let thief = world.pick(&stolen);
        let payload = world.spite(&proposals);
        let mut parents = vec![world.pick(&old)];
        // Mostly one chain after the other; at times another fork.
        if world.below(4) > 0 {
            parents.extend(
                lasts
                    .iter()
                    .rev()
                    .find(|(by, _)| *by == thief)
                    .map(|it| it.1),
            );
        }
        if let Payload::Cosign(it) = &payload {
            parents.push(it.op);
        }
        let op = world.project.draft_on(thief, &parents, payload);
        let id = op.id();
        if world.project.receive(op) == Outcome::Admitted {
            thieves.push(id);
            lasts.push((thief, id));
        }
        world.write(&thieves);
    }
    let denied = world
        .honest
        .iter()
        .filter(|op| !world.project.is_applied(op));
    world.losses.denied = denied.count();
    world.losses
}

fn worlds(count: u64, seal: bool) -> Losses {
    let mut sum = Losses::default();
    for seed in 0..count {
        let lost = world(seed, seal);
        assert!(
            !seal || lost.refused + lost.denied == 0,
            "world {seed}: {lost:?}"
        );
        sum.writes += lost.writes;
        sum.refused += lost.refused;
        sum.denied += lost.denied;
    }
    sum
}

#[test]
fn a_seal_ends_the_rage_of_stolen_keys() {
    let without = worlds(8, false);
    assert!(without.refused > 0 && without.denied > 0, "{without:?}");
    let with = worlds(8, true);
    assert_eq!((with.refused, with.denied), (0, 0), "{with:?}");
}

#[test]
#[ignore = "takes minutes: cargo test --release -p ecac-core --test replica -- --ignored --nocapture rage"]
#[expect(clippy::print_stdout, reason = "the figures are what it is run for")]
fn a_seal_ends_the_rage_of_stolen_keys_in_ten_thousand_worlds() {
    println!("without a seal {:?}", worlds(10_000, false));
    println!("with a seal {:?}", worlds(10_000, true));
}
