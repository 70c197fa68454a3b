//! The engine beside libraries of other projects, in one run: what an edit and what a change of permissions costs each.
//!
//! Peers promise less: automerge knows no permissions, p2panda-auth no credentials, no status and no values. Neither checks a
//! signature here, and nor does the engine but for those of credentials.

mod edits;
mod permissions;

use anyhow::{Result, ensure};
use clap::Parser;
use ecac_perf::clock::timed;
use serde_json::json;

/// Measure the engine beside automerge and p2panda-auth
///
/// Processor time for each op, the least of three rounds. docs/performance.md says what is measured.
#[derive(Debug, Parser)]
#[command(name = "ecac-perf-peers", version)]
struct Args {
    /// Edits that are merged
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    edits: u32,
    /// Members who are added and removed again; the time of p2panda-auth grows with the square
    #[arg(long, default_value_t = 250, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    members: u32,
    /// Where the workloads are drawn from
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Print JSON in place of a table
    #[arg(long)]
    json: bool,
}

/// What the same work costs two of them.
#[derive(Debug)]
struct Pair {
    work: &'static str,
    count: usize,
    peer: &'static str,
    engine_ns: u64,
    peer_ns: u64,
}

/// Rounds, of which the least counts.
const ROUNDS: usize = 3;

/// The least time that the work took of several rounds, in nanoseconds, and what it came to in the last. What it begins with is
/// made before the clock runs, and what it leaves is let go of after: so it is for the engine and for the peers.
fn cost<A, B, C>(
    begin: impl Fn() -> A,
    work: impl Fn(A) -> Result<B>,
    count: impl Fn(&B) -> C,
) -> Result<(u64, C)> {
    let mut least = u64::MAX;
    let mut round = || -> Result<C> {
        let begun = begin();
        let (ns, done) = timed(|| work(begun));
        least = least.min(ns);
        Ok(count(&done?))
    };
    let mut last = round()?;
    for _ in 1..ROUNDS {
        last = round()?;
    }
    Ok((least, last))
}

fn main() -> Result<()> {
    let args = Args::parse();
    let pairs = [
        edits::measure(args.seed, args.edits as usize)?,
        permissions::measure(args.seed, args.members as usize)?,
    ];
    let us = |ns: u64, count: usize| ns as f64 / 1000.0 / count as f64;
    let rows = pairs
        .iter()
        .map(|it| (it, us(it.engine_ns, it.count), us(it.peer_ns, it.count)));
    if args.json {
        let cases = rows.map(|(it, engine, peer)| {
            json!({ "name": it.work, "ops": it.count, "us_per_op": engine, "peer": it.peer, "peer_us_per_op": peer })
        });
        println!("{}", json!({ "cases": cases.collect::<Vec<_>>() }));
        return Ok(());
    }
    println!("{:<12} {:>8} {:>12}   peer", "work", "ops", "engine");
    for (it, engine, peer) in rows {
        let Pair {
            work,
            count,
            peer: name,
            ..
        } = it;
        println!("{work:<12} {count:>8} {engine:>9.2} us   {name} {peer:.2} us");
    }
    Ok(())
}

/// Holds a workload to what it should come to: what is refused measures something else.
fn came_to(what: &str, found: usize, wanted: usize) -> Result<()> {
    ensure!(found == wanted, "{what}: {found} where {wanted} were due");
    Ok(())
}
