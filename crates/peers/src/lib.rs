//! The workload of `partition-3` over real nodes on this machine: what comes out has to be what the simulation came to.
//!
//! Nodes are processes of `ecac-node`. This crate knows no transport: it writes into the directories of nodes what the scenario signed,
//! has two of them sync where two replicas of the scenario met, kills who is cut off, and reads at the end what each holds.
#![forbid(unsafe_code)]

mod held;
mod machine;
mod walk;

use std::path::PathBuf;

use anyhow::{Context as _, Result, anyhow};
use clap::Parser;
use ecac_bench::course;
use ecac_core::{Replica, split_op_log};
use xtask::host::error::Failure;
use xtask::host::output;
use xtask::reproduce::nodes::Answer;

use held::Held;

/// Go the course of `partition-3` with real nodes, and compare where each ends with the op log of the simulation
#[derive(Debug, Parser)]
#[command(name = "ecac-peers", version)]
pub struct Cli {
    /// The program of a node
    #[arg(long, value_name = "PROGRAM")]
    node: PathBuf,
    /// The op log of the run in the simulation
    #[arg(long, value_name = "FILE")]
    log: PathBuf,
    /// An empty directory for the nodes
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,
    /// The seed of the run
    #[arg(long, value_name = "N")]
    seed: u64,
    /// The ops of the run
    #[arg(long, value_name = "N")]
    ops: u32,
}

impl Cli {
    /// Prints what the nodes came to, as one JSON document; that they differ is for its reader to say.
    ///
    /// # Errors
    /// That a node does not do what it is told, or leaves a store or an audit log behind that does not verify.
    pub fn run(self) -> Result<()> {
        output::print_json(&self.answer()?)
    }

    fn answer(&self) -> Result<Answer> {
        let course = course(self.seed, self.ops);
        let course = course.map_err(|min| anyhow!("partition-3 takes {min} ops or more"))?;
        let log =
            std::fs::read(&self.log).with_context(|| format!("read {}", self.log.display()))?;
        let mut simulated = Replica::builder().join(course.project);
        let items = split_op_log(&log).context("read the op log of the simulation")?;
        simulated.receive(&items);
        let expected = Held::of("simulation", &simulated);
        let walked = walk::walk(&course, &self.node, &self.dir)?;
        let differences: Vec<String> = walked
            .held
            .iter()
            .flat_map(|it| it.differences(&expected))
            .collect();
        let rows = [&expected].into_iter().chain(&walked.held).map(Held::row);
        Ok(Answer {
            sessions: walked.sessions,
            killed: walked.killed,
            rows: rows.collect(),
            differences,
        })
    }
}

/// The failure of something that a node was to do.
fn failed(what: String) -> anyhow::Error {
    Failure::new(ecac_artifact::exit::VERIFICATION, what).into()
}
