//! Single calls: codec, ids, signatures, and what a replica answers, at several lengths of history.
//!
//! `cargo bench -p ecac-perf --bench engine`, with a part of a name to choose: `-- export`. A question to which the engine has
//! no answer has an empty row.
#![forbid(unsafe_code)]

use divan::{Bencher, black_box};
use ecac_core::{Costs, Op, OpId, VerifiedOp};
use ecac_perf::engine::Engine;
use ecac_perf::floor;
use ecac_perf::workload::{Shape, Workload, tags};

/// Lengths of history.
const LENGTHS: [usize; 3] = [1_000, 10_000, 100_000];

fn main() {
    divan::main();
}

fn ops(count: usize) -> Vec<VerifiedOp> {
    Workload::new(Shape::Race(64), 0).next_ops(count)
}

/// A replica of that many ops of 64 racing authors, and the ops.
fn replica(count: usize) -> (Engine, Vec<VerifiedOp>) {
    let mut workload = Workload::new(Shape::Race(64), 0);
    let mut engine = Engine::new(workload.project);
    engine.take(core::mem::take(&mut workload.setup));
    let ops = workload.next_ops(count);
    engine.take(ops.clone());
    (engine, ops)
}

#[divan::bench]
fn decode(bencher: Bencher<'_, '_>) {
    let ops = ops(100);
    let mut costs = Costs::default();
    bencher.bench_local(|| Op::decode(black_box(ops[99].envelope()), &mut costs));
}

#[divan::bench]
fn encode(bencher: Bencher<'_, '_>) {
    let ops = ops(100);
    bencher.bench(|| black_box(ops[99].body()).encode());
}

#[divan::bench]
fn id(bencher: Bencher<'_, '_>) {
    let body = ops(100)[99].body().encode().expect("within the limits");
    bencher.bench(|| OpId::of_body(black_box(&body)));
}

#[divan::bench]
fn read_one(bencher: Bencher<'_, '_>) {
    let ops = ops(100);
    let mut costs = Costs::default();
    bencher.bench_local(|| VerifiedOp::read(black_box(ops[99].envelope()), &mut costs));
}

#[divan::bench(args = [64, 512, 2_048, 8_192], sample_count = 5, sample_size = 1)]
fn verify_batch(bencher: Bencher<'_, '_>, count: usize) {
    let ops = ops(count);
    bencher.bench(|| floor::verification(black_box(&ops)));
}

#[divan::bench(args = LENGTHS)]
fn explain(bencher: Bencher<'_, '_>, length: usize) {
    let (engine, ops) = replica(length);
    let id = ops[length / 2].id();
    bencher.bench_local(|| engine.explain(black_box(&id)));
}

#[divan::bench(args = LENGTHS)]
fn can(bencher: Bencher<'_, '_>, length: usize) {
    let (engine, ops) = replica(length);
    let tags = tags();
    bencher.bench_local(|| engine.can(black_box(&ops[length / 2]), &tags));
}

#[divan::bench(args = LENGTHS)]
fn get(bencher: Bencher<'_, '_>, length: usize) {
    let (engine, ops) = replica(length);
    if engine.get(&ops[0]).is_some() {
        bencher.bench_local(|| engine.get(black_box(&ops[length / 2])));
    }
}

#[divan::bench(args = LENGTHS, sample_count = 3, sample_size = 1)]
fn export(bencher: Bencher<'_, '_>, length: usize) {
    let (engine, _) = replica(length);
    bencher.bench_local(|| engine.export());
}
