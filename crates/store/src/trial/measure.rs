//! What a store costs: on the disk, in time beside bare redb, and in memory. For people: the figures are printed.

#![expect(clippy::print_stdout, reason = "the figures are for people")]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use ecac_core::payload::SetField;
use ecac_core::{Body, Hlc, OpId, Replica, SigningKey, Value, VerifiedOp, public_key};
use redb::{Database, TableDefinition};

use super::{count, envelopes};
use crate::disk::{Check, Disk};
use crate::durable::DurableReplica;
use crate::inner::Changes;
use crate::options::Options;
use crate::store::{CACHE_BYTES, Store};

const BATCH: usize = 512;

/// A file of the measurement.
fn file(name: &str) -> PathBuf {
    let directory = std::env::var("ECAC_MEASURE_IN").unwrap_or_else(|_| "/tmp".to_owned());
    Path::new(&directory).join(name)
}

/// A chain of ops by one author, so many and so long.
fn chain(project: &Replica, ops: usize, text_bytes: usize) -> impl Iterator<Item = Vec<u8>> {
    let root = SigningKey::from([1; 32]);
    let mut parent: OpId = project.heads()[0];
    let mut seq = project.next_seq(&public_key(&root));
    (0..ops as u64).map(move |number| {
        let width = text_bytes;
        let value = Value::Text(format!("{number:0>width$}"));
        let object = format!("phone/{}", number % 10_000);
        let body = Body {
            author: public_key(&root),
            seq,
            parents: vec![parent],
            hlc: Hlc {
                physical_ms: 1000 + number,
                logical: 0,
                node: 0,
            },
            payload: SetField::new(&object, "status", value).unwrap().into(),
        };
        let op = VerifiedOp::sign(body, &root).unwrap();
        parent = op.id();
        seq += 1;
        op.envelope().to_vec()
    })
}

/// Time of this process on the processor.
fn cpu() -> Duration {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split(' ')
        .collect();
    let ticks: u64 = [12, 13]
        .iter()
        .filter_map(|&at| fields.get(at)?.parse::<u64>().ok())
        .sum();
    Duration::from_millis(ticks * 10)
}

fn memory() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let lines = status
        .lines()
        .filter(|it| it.starts_with("VmRSS") || it.starts_with("VmHWM"));
    lines.collect::<Vec<_>>().join(", ")
}

fn timed(what: &str, run: impl FnOnce()) {
    let (wall, before) = (Instant::now(), cpu());
    run();
    println!("{what}: {:?}, CPU {:?}", wall.elapsed(), cpu() - before);
}

fn length(path: &Path) -> u64 {
    fs::metadata(path).unwrap().len()
}

#[test]
#[ignore = "measures"]
fn appends_beside_bare_redb() {
    const TABLE: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("ops");
    let (project, _) = envelopes(0);
    let ops = count("ECAC_MEASURE_OPS", 51_200);
    let text = count("ECAC_MEASURE_TEXT", 100);
    let envelopes: Vec<Vec<u8>> = chain(&project, ops, text).collect();
    let bytes: usize = envelopes.iter().map(Vec::len).sum();
    let each = bytes as f64 / ops as f64;
    println!("{ops} ops of {each:.1} B");
    let (bare, ours) = (file("measure-bare"), file("measure-ours"));
    for round in 0..3 {
        for two_phases in [true, false] {
            drop(fs::remove_file(&bare));
            let database = Database::create(&bare).unwrap();
            timed(&format!("bare redb, two phases: {two_phases}"), || {
                for (number, batch) in envelopes.chunks(BATCH).enumerate() {
                    let mut transaction = database.begin_write().unwrap();
                    transaction.set_two_phase_commit(two_phases);
                    let mut table = transaction.open_table(TABLE).unwrap();
                    for (at, envelope) in batch.iter().enumerate() {
                        let key = ((number * BATCH + at) as u64).to_be_bytes();
                        table.insert(&key[..], &envelope[..]).unwrap();
                    }
                    drop(table);
                    transaction.commit().unwrap();
                }
            });
        }
        drop(fs::remove_file(&ours));
        let disk = Disk::create(&ours, CACHE_BYTES).unwrap();
        let store = Store::create_on(&ours, Box::new(disk), project.project()).unwrap();
        let mut engine = store.engine();
        timed("the store", || {
            for batch in envelopes.chunks(BATCH) {
                for envelope in batch {
                    engine.append(envelope).unwrap();
                }
                store.commit(Changes::default()).unwrap();
            }
        });
        let open = length(&ours);
        drop(engine);
        store.close().unwrap();
        let per_op = |bytes: u64| bytes as f64 / ops as f64;
        println!(
            "round {round}: bare {:.1} B/op, ours {:.1} B/op while open, {:.1} closed; bar {:.1}",
            per_op(length(&bare)),
            per_op(open),
            per_op(length(&ours)),
            each * 1.15 + 60.0
        );
    }
    drop(fs::remove_file(&bare));
    drop(fs::remove_file(&ours));
}

/// Makes the store that the next measurement opens, in a process of its own.
#[test]
#[ignore = "measures"]
fn makes_a_large_store() {
    let (project, genesis) = envelopes(0);
    let ops = count("ECAC_MEASURE_OPS", 1_000_000);
    let path = file("measure-large");
    drop(fs::remove_file(&path));
    let options = Options::new().replica(Replica::builder().places(false).threads(2));
    let mut replica = options.join(&path, project.project()).unwrap();
    replica.receive(&genesis).unwrap();
    let mut chain = chain(&project, ops, 100);
    timed("made", || {
        loop {
            let batch: Vec<_> = chain.by_ref().take(8192).collect();
            if batch.is_empty() {
                break;
            }
            replica.receive(&batch).unwrap();
        }
    });
    println!("{} bytes while open, {}", length(&path), memory());
    timed("closed", || replica.close().unwrap());
    println!("{} bytes", length(&path));
}

#[test]
#[ignore = "measures"]
fn opens_a_large_store() {
    let path = file("measure-large");
    timed("the pages are verified", || {
        drop(Disk::open(&path, CACHE_BYTES, true, Check::AsRead).unwrap());
    });
    println!("{}", memory());
    timed("opened", || {
        let replica = DurableReplica::open(&path).unwrap();
        println!(
            "{} ops, snapshot of {:?}, {} bytes; {}",
            replica.store().ops(),
            replica.store().snapshot_ops(),
            replica.store().snapshot_bytes(),
            memory()
        );
    });
}
