//! The course of `partition-3` with nodes that are processes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use ecac_bench::{Params, Scenario, run};
use xtask::reproduce::nodes::Answer;

const SEED: u64 = 7;
const OPS: u32 = 80;

/// The op log of the simulation, in the directory.
fn log(dir: &Path, seed: u64) -> PathBuf {
    let params = Params {
        scenario: Scenario::Partition3,
        seed,
        ops: OPS,
    };
    let record = run(&params, &"0".repeat(40)).expect("in range");
    let path = dir.join("ops");
    fs::write(&path, record.ops).expect("a file");
    path
}

fn peers(node: &Path, log: &Path, dir: &Path, ops: u32) -> Output {
    let nodes = dir.join("nodes");
    fs::create_dir(&nodes).expect("a directory");
    let mut command = Command::new(env!("CARGO_BIN_EXE_ecac-peers"));
    command.arg("--node").arg(node).arg("--log").arg(log);
    command.arg("--dir").arg(nodes);
    command.args(["--seed", &SEED.to_string(), "--ops", &ops.to_string()]);
    command.output().expect("the program starts")
}

#[test]
#[ignore = "needs ecac-node: cargo build -p ecac-net --features quic && cargo test -p ecac-peers -- --ignored"]
fn real_nodes_come_to_what_the_simulation_comes_to() {
    let node = Path::new(env!("CARGO_BIN_EXE_ecac-peers")).with_file_name("ecac-node");
    assert!(node.is_file(), "cargo build -p ecac-net --features quic");
    let dir = tempfile::tempdir().expect("a directory");
    let output = peers(&node, &log(dir.path(), SEED), dir.path(), OPS);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let answer: Answer = serde_json::from_slice(&output.stdout).expect("an answer");
    assert!(answer.is_same(), "{}", answer.text());
    assert_eq!((answer.rows.len(), answer.killed), (4, 3), "{answer:?}");
    assert!(
        answer
            .rows
            .iter()
            .all(|it| it.ops == u64::from(OPS) && it.denied > 0)
    );

    // Against the log of another run they differ, and it says where.
    let other = tempfile::tempdir().expect("a directory");
    let output = peers(&node, &log(other.path(), SEED + 1), other.path(), OPS);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let answer: Answer = serde_json::from_slice(&output.stdout).expect("an answer");
    assert!(!answer.is_same());
    assert!(answer.text().contains("office: op "), "{}", answer.text());
}

#[test]
fn who_does_not_listen_is_named_and_what_is_too_short_is_refused() {
    for (node, ops, word) in [
        ("/nowhere/ecac-node", OPS, "/nowhere/ecac-node"),
        ("/bin/echo", OPS, "the node of office does not listen"),
        ("/bin/echo", 3, "takes 80 ops or more"),
    ] {
        let dir = tempfile::tempdir().expect("a directory");
        let output = peers(Path::new(node), &log(dir.path(), SEED), dir.path(), ops);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success());
        assert!(said.contains(word), "{said}");
    }
}
