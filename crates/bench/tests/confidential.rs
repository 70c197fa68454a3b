//! `confidential`: who opens what, by the log alone; and that nothing of what is sealed shows anywhere.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::OnceLock;
use std::{env, fs};

use ecac_bench::{OpenedValue, Params, Readers, RunRecord, Scenario, run};
use ecac_core::payload::ReaderKey;
use ecac_core::{Body, Decision, OpId, Payload, PublicKey, Replica, project_of, split_op_log};
use ecac_seal::Opener as _;
use memchr::memmem;

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
/// The parameters of the golden set.
const GOLDEN: (u64, u32) = (42, 500);

fn record(seed: u64, ops: u32) -> RunRecord {
    let scenario = Scenario::Confidential;
    run(
        &Params {
            scenario,
            seed,
            ops,
        },
        COMMIT,
    )
    .expect("in range")
}

/// The run of the golden set.
fn golden() -> &'static RunRecord {
    static GOLDEN_RUN: OnceLock<RunRecord> = OnceLock::new();
    GOLDEN_RUN.get_or_init(|| record(GOLDEN.0, GOLDEN.1))
}

/// A replica that holds the log, with the bodies of what it admitted and their pasts, by walking parents.
struct World {
    replica: Replica,
    bodies: BTreeMap<OpId, Body>,
    pasts: BTreeMap<OpId, BTreeSet<OpId>>,
}

impl World {
    fn of(ops: &[u8]) -> Self {
        let items = split_op_log(ops).expect("a scenario writes an op log");
        let mut replica = Replica::join(project_of(&items).expect("one genesis"));
        replica.receive(&items);
        let (mut bodies, mut pasts) = (BTreeMap::new(), BTreeMap::<_, BTreeSet<OpId>>::new());
        for op in replica.log().admitted() {
            let mut past = BTreeSet::new();
            for parent in &op.body().parents {
                past.insert(*parent);
                past.extend(&pasts[parent]);
            }
            bodies.insert(op.id(), op.body().clone());
            pasts.insert(op.id(), past);
        }
        Self {
            replica,
            bodies,
            pasts,
        }
    }

    /// The first op of which this holds, and every other one.
    fn all(&self, is_it: impl Fn(&Body) -> bool) -> Vec<OpId> {
        let mut found: Vec<OpId> = self.bodies.keys().copied().collect();
        found.retain(|op| is_it(&self.bodies[op]));
        found.sort_by_key(|op| self.bodies[op].hlc);
        found
    }

    fn given(&self, key: &OpId, reader: &PublicKey) -> bool {
        self.bodies.values().any(|body| {
            matches!(&body.payload, Payload::KeyGrant(it) if it.key == *key && it.shares.recipients().contains(reader))
        })
    }
}

#[test]
fn everybody_opens_what_they_were_given_and_nothing_else() {
    for record in [golden(), &record(1, 120), &record(2, 120)] {
        let seed = record.params.seed;
        let readers = Readers::of(seed);
        let opened = readers
            .open(&record.ops)
            .expect("a scenario writes an op log");
        let world = World::of(&record.ops);
        let who: BTreeMap<&str, PublicKey> =
            readers.readers.iter().map(|it| (it.name, it.key)).collect();
        let [revoked] = world
            .all(|body| matches!(&body.payload, Payload::Revoke(it) if it.subject == who["eve"]))[..]
        else {
            panic!("Eve is revoked once")
        };
        let [lost] = world.all(
            |body| matches!(&body.payload, Payload::DeviceRevoke(it) if it.key == who["bob-phone"]),
        )[..] else {
            panic!("the phone is lost once")
        };
        let keys = world.all(|body| matches!(body.payload, Payload::KeyRotate(_)));
        assert_eq!(
            keys.len(),
            4,
            "the first, after Eve, after the phone, by habit; seed {seed}"
        );
        let mut count = BTreeMap::<&str, usize>::new();
        let mut unaware = 0;
        for OpenedValue {
            op,
            key,
            opened_by,
            sha256,
            ..
        } in &opened.values
        {
            assert!(sha256.is_some(), "somebody opens {op}");
            for (name, reader) in &who {
                let opens = opened_by.contains(name);
                assert_eq!(opens, world.given(key, reader), "seed {seed}: {name}, {op}");
                *count.entry(name).or_default() += usize::from(opens);
                let is_out = match *name {
                    "eve" => world.pasts[op].contains(&revoked),
                    "bob-phone" => world.pasts[op].contains(&lost),
                    _ => false,
                };
                assert!(
                    !(opens && is_out),
                    "seed {seed}: {name} was out and opens {op}"
                );
            }
            let tom_unaware = world.bodies[op].author == who["tom"] && *key == keys[0];
            let others_know = world.bodies[op].hlc > world.bodies[&revoked].hlc;
            if tom_unaware && others_know {
                assert!(
                    opened_by.contains(&"eve"),
                    "what Tom had not heard of does not count"
                );
                unaware += 1;
            }
        }
        let all = opened.values.len();
        assert!(unaware > 0 && all > 20, "seed {seed}: {unaware} of {all}");
        // Who is given everything, who lost something, who came late, who never had anything.
        for name in ["ann", "bob", "tom", "dan"] {
            assert_eq!(count[name], all, "seed {seed}: {name}");
        }
        assert!(0 < count["fay"] && count["fay"] < all);
        assert!(0 < count["eve"] && count["eve"] < count["bob-phone"] && count["bob-phone"] < all);
        assert_eq!(count["max"], 0);
    }
}

#[test]
fn what_is_tried_against_the_rules_is_refused_and_told_of() {
    let record = golden();
    let timeline = str::from_utf8(&record.timeline).expect("it is text");
    let reasons = |event: &str| -> Vec<String> {
        let lines = timeline
            .lines()
            .map(|line| serde_json::from_str::<serde_json::Value>(line).expect("a line is JSON"));
        let of_it = lines.filter(|it| it["event"] == event);
        of_it
            .map(|it| it["reason"].as_str().expect("a reason").to_owned())
            .collect()
    };
    assert_eq!(
        reasons("refused"),
        ["stale_key", "not_sealed", "revoked", "no_grant"]
    );
    assert_eq!(
        reasons("denied"),
        ["revoked"],
        "the reader key that Eve published when she was out"
    );
    let totals = &record.totals;
    assert_eq!((totals.refused, totals.denied, totals.pending), (4, 1, 0));
    let world = World::of(&record.ops);
    let denied = world.all(|body| matches!(body.payload, Payload::ReaderKey(_)));
    let denied = denied
        .iter()
        .filter(|op| matches!(world.replica.decision(op), Some(Decision::Denied { .. })));
    assert_eq!(denied.count(), 1);
}

#[test]
fn nothing_that_is_sealed_shows_in_any_file() {
    let record = golden();
    let opened = Readers::of(42)
        .open(&record.ops)
        .expect("a scenario writes an op log");
    let document = opened.document();
    let files: [&[u8]; 7] = [
        &record.csv,
        &record.timeline,
        &record.state,
        &record.ops,
        &record.trust,
        &record.audit,
        document.as_bytes(),
    ];
    let is_there = |text: &[u8]| {
        let finder = memmem::Finder::new(text);
        files.iter().any(|file| finder.find(file).is_some())
    };
    assert!(!is_there(b"payslip"));
    // The search finds what is there.
    assert!(is_there(b"staff/1") && is_there(b"ann "));
    let secrets = Readers::of(42)
        .readers
        .into_iter()
        .flat_map(|it| it.secrets);
    for secret in secrets {
        assert!(!is_there(secret.as_bytes()));
        let ReaderKey { public, .. } = secret.reader_key();
        let is_published = is_there(&public);
        assert!(
            is_published,
            "every reader key stands in the log, that of Max in a refused op"
        );
    }
}

/// `docs/vectors/sealed`: what the reader in Python is held to, with the op log of the golden set.
#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "the test writes what it compares, where it is asked to"
)]
fn the_documents_for_other_readers_are_those_of_the_golden_run() {
    let (seed, _) = GOLDEN;
    let readers = Readers::of(seed);
    let opened = readers
        .open(&golden().ops)
        .expect("a scenario writes an op log");
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/vectors/sealed");
    for (name, text) in [
        ("readers", readers.document()),
        ("opened", opened.document()),
    ] {
        let path = directory.join(format!("confidential-{seed}-{name}.json"));
        if env::var_os("ECAC_BLESS").is_some() {
            fs::write(&path, &text).expect("the directory is there");
        }
        let found = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            found == text,
            "{}: write it again with ECAC_BLESS=1",
            path.display()
        );
    }
}
