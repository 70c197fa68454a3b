//! Random work on two replicas that meet at times: everybody opens what the log says they were given, and nothing was written
//! under a key of somebody whom the writer knew to be out.

use chacha20::ChaCha20Rng;
use ecac_core::payload::Revoke;
use ecac_core::{
    Confidential, Costs, Genesis, Kem, Name, OpId, Payload, PublicKey, Replica, SchemaRule, Sealed,
    SigningKey, Value, VerifiedOp, public_key,
};
use ecac_seal::{Opener as _, ReaderSecret, Target, Writer, read};
use rand_core::{Rng as _, SeedableRng as _};

const NOW_MS: u64 = 1_767_225_600_000;
const PEOPLE: usize = 6;
const STEPS: u64 = 40;
const SEEDS: u64 = 60;

struct World {
    people: Vec<(SigningKey, ReaderSecret)>,
    replicas: [Replica; 2],
    random: ChaCha20Rng,
}

fn name(text: &str) -> Name {
    Name::new(text).expect("as it should be")
}

impl World {
    fn new(seed: u64) -> Self {
        let person = |number: usize| {
            let seed = [u8::try_from(number).expect("as it should be") + 1; 32];
            (
                SigningKey::from(seed),
                ReaderSecret::derive(Kem::X25519, seed),
            )
        };
        let people: Vec<_> = (0..PEOPLE).map(person).collect();
        let marks = Confidential {
            kem: Kem::X25519,
            tags: [name("hr")].into(),
        };
        let genesis = Genesis {
            name: name("shop"),
            nonce: [0; 16],
            roots: people
                .iter()
                .map(|(signer, _)| public_key(signer))
                .collect(),
            schema: [SchemaRule {
                object: name("staff/*"),
                field: name("*"),
                tags: [name("hr")].into(),
            }]
            .into(),
            features: [(name("confidential"), marks.parameters())].into(),
        };
        let first = Replica::create(genesis, &people[0].0, NOW_MS).expect("as it should be");
        let mut second = Replica::join(first.project());
        second.receive(&first.envelopes().collect::<Vec<_>>());
        Self {
            people,
            replicas: [first, second],
            random: ChaCha20Rng::seed_from_u64(seed),
        }
    }

    fn below(&mut self, bound: usize) -> usize {
        self.random.next_u32() as usize % bound
    }

    fn key(&self, who: usize) -> PublicKey {
        public_key(&self.people[who].0)
    }

    fn meet(&mut self) {
        let [first, second] = &mut self.replicas;
        let there: Vec<Vec<u8>> = second.envelopes().map(|it| it.to_vec()).collect();
        first.receive(&there);
        let here: Vec<Vec<u8>> = first.envelopes().map(|it| it.to_vec()).collect();
        second.receive(&here);
    }

    /// One step; what is refused is not written.
    fn step(&mut self, now_ms: u64) {
        let (actor, other) = (self.below(PEOPLE), self.below(PEOPLE));
        let subject = self.key(other);
        let what = self.below(10);
        if what == 0 {
            self.meet();
            return;
        }
        let (signer, opener) = &self.people[actor];
        // Everybody has one replica.
        let replica = &mut self.replicas[actor % 2];
        let random = &mut self.random;
        let mut random = || {
            let mut bytes = [0; 32];
            random.fill_bytes(&mut bytes);
            bytes
        };
        let mut writer = Writer {
            signer,
            opener,
            random: &mut random,
            now_ms,
        };
        let target = Target {
            object: name("staff/7"),
            field: name("salary"),
            element: (what > 7).then(|| name("x")),
        };
        // Who was revoked is refused, which is as it should be.
        let _ = match what {
            1 => replica.author(Revoke::of(subject), signer, now_ms).is_ok(),
            2 => replica.author(opener.reader_key(), signer, now_ms).is_ok(),
            3 => writer.hand_on(replica, &subject).is_ok(),
            _ => writer
                .write(
                    replica,
                    &target,
                    &Value::Int(i64::try_from(now_ms).expect("as it should be")),
                )
                .is_ok(),
        };
    }

    /// Looks at every sealed write; returns how many there are, and how often somebody was out.
    fn check(&self) -> (usize, usize) {
        let log = self.replicas[0].log();
        let ops: Vec<VerifiedOp> = log.admitted().collect();
        let before = |op: &OpId, write: &OpId| {
            log.happens_before(op, write, &mut Costs::default()) == Some(true)
        };
        let (mut writes, mut out) = (0, 0);
        for write in &ops {
            let Some(Value::Sealed(Sealed { key, .. })) = write.body().payload.value() else {
                continue;
            };
            writes += 1;
            for (who, (_, opener)) in self.people.iter().enumerate() {
                let me = self.key(who);
                let opened =
                    read(&self.replicas[0], opener, &me, &write.id()).expect("as it should be");
                let given = !self.replicas[0].shares_for(&key, &me).is_empty();
                assert_eq!(opened.is_ok(), given, "{} for {who}", write.id());
                let put_out = ops.iter().any(|op| {
                    matches!(&op.body().payload, Payload::Revoke(it) if it.subject == me)
                        && before(&op.id(), &write.id())
                });
                if !put_out {
                    continue;
                }
                out += 1;
                let holds = ops.iter().any(|op| {
                    let made = op.id() == key && op.body().author == me;
                    let given = matches!(&op.body().payload, Payload::KeyGrant(it)
                        if it.key == key && it.shares.recipients().contains(&me));
                    let gives = made || given;
                    gives && before(&op.id(), &write.id())
                });
                assert!(!holds, "{who} was out, and can read {}", write.id());
            }
        }
        (writes, out)
    }
}

#[test]
fn everybody_opens_what_they_were_given_and_the_revoked_nothing_new() {
    let (mut writes, mut out) = (0, 0);
    for seed in 0..SEEDS {
        let mut world = World::new(seed);
        for step in 0..STEPS {
            world.step(NOW_MS + step);
        }
        world.meet();
        assert_eq!(world.replicas[0].state(), world.replicas[1].state());
        let found = world.check();
        writes += found.0;
        out += found.1;
    }
    assert!(
        writes > 300 && out > 100,
        "{writes} writes, {out} times out"
    );
}
