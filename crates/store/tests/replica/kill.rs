//! A process that writes is killed: what it had acknowledged is there, each batch whole or not at all.

use std::env;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::common::{Shop, batch_of};
use ecac_core::Replica;
use ecac_store::{DurableReplica, Form, Options, verify};

/// Where the child writes, if this process is one.
const FILE: &str = "ECAC_KILL_FILE";
const BATCH: usize = 4;
const WRITES: u64 = 400;

/// The process that is killed: takes in the ops that are not in its store yet, and says after each batch how many are.
#[test]
fn the_process_that_is_killed() {
    let Ok(file) = env::var(FILE) else {
        return;
    };
    let mut replica = DurableReplica::open(&file).unwrap();
    let envelopes = batch_of(&Shop::new(), WRITES);
    let there = replica.log().admitted_count();
    for (number, batch) in envelopes[there..].chunks(BATCH).enumerate() {
        replica.receive(batch).unwrap();
        if number % 5 == 4 {
            replica.snapshot().unwrap();
        }
        let mut out = std::io::stdout().lock();
        writeln!(out, "\nhas {}", replica.log().admitted_count()).unwrap();
        out.flush().unwrap();
    }
}

/// Kills the process after it has said so many lines, and returns the last number that it said.
fn kill_after(file: &Path, lines: usize) -> usize {
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--exact", "kill::the_process_that_is_killed", "--nocapture"])
        .env(FILE, file)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let said = BufReader::new(child.stdout.take().unwrap()).lines();
    let said = said.map_while(Result::ok);
    let said = said.filter_map(|line| line.strip_prefix("has ")?.parse().ok());
    let last = said.take(lines).last().unwrap_or(0);
    // SIGKILL.
    child.kill().unwrap();
    child.wait().unwrap();
    last
}

fn kills(form: Form, times: usize) {
    let shop = Shop::new();
    let envelopes = batch_of(&shop, WRITES);
    let project = shop.create().project();
    let mut file = shop.file("killed");
    let join = |file: &Path| drop(Options::new().form(form).join(file, project).unwrap());
    join(&file);
    for number in 0..times {
        let said = kill_after(&file, 1 + number % 7);
        let replica = DurableReplica::open_read_only(&file).unwrap();
        let count = replica.log().admitted_count();
        assert!(
            count >= said,
            "kill {number}: {count} ops, {said} acknowledged"
        );
        assert!(
            count.is_multiple_of(BATCH) || count == envelopes.len(),
            "{count} ops"
        );
        let mut told = Replica::join(project);
        told.receive(&envelopes[..count]);
        assert_eq!(replica.state_digest(), told.state_digest(), "kill {number}");
        drop(replica);
        let verified = verify(&file, 1).unwrap();
        assert_eq!(verified.ops, count as u64, "kill {number}");
        if count == envelopes.len() {
            file = shop.file(&format!("killed-{number}"));
            join(&file);
        }
    }
}

#[test]
fn what_was_acknowledged_survives_a_kill() {
    for &form in Form::ALL {
        kills(form, 5);
    }
}

#[test]
#[ignore = "takes minutes"]
fn what_was_acknowledged_survives_a_thousand_kills() {
    kills(Form::Redb, 1000);
}

#[cfg(feature = "rocksdb")]
#[test]
#[ignore = "takes minutes"]
fn what_was_acknowledged_survives_a_thousand_kills_in_rocksdb() {
    kills(Form::RocksDb, 1000);
}
