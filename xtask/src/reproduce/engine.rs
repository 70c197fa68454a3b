//! The scenario engine as the pipeline sees it.

use anyhow::{Context as _, Error, Result, anyhow, ensure};
use ecac_artifact::exit;
use ecac_audit::{AuditLog, Expect, Verdict, verification, verify_against};
use ecac_bench::{Params, RunRecord, Scenario};
use ecac_bench_disk::Disk;
use ecac_core::{Costs, split_op_log};

use crate::host::error::Failure;
use crate::host::interrupt;
use ecac_artifact::{Meetings, Parameters};

/// The names of the scenarios, in the order in which they run.
pub fn scenario_names() -> impl Iterator<Item = &'static str> {
    Scenario::ALL.iter().map(|scenario| scenario.name())
}

/// The scenario whose audit log and trust view stand for a whole set: the one with revocations, or else the last.
pub fn scenario_of_singles(scenarios: &[String]) -> &str {
    let preferred = Scenario::OfflineRevoke.name();
    match scenarios.last() {
        Some(last) if !scenarios.iter().any(|name| name == preferred) => last,
        _ => preferred,
    }
}

/// Requires a number of ops with which every scenario shows what it is for.
pub fn check(parameters: &Parameters) -> Result<()> {
    for name in &parameters.scenarios {
        let scenario: Scenario = name.parse()?;
        let (min, max) = (scenario.ops_min(), ecac_bench::OPS_MAX);
        if !(min..=max).contains(&parameters.ops) {
            let message = format!("{name} takes {min} to {max} ops, not {}", parameters.ops);
            return Err(Failure::new(exit::USAGE, message).into());
        }
    }
    Ok(())
}

/// Where a run keeps its replicas and its audit log; what it leaves behind is the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// In memory.
    InMemory,
    /// In durable stores and segments, in a temporary directory.
    OnDisk,
}

/// Runs a scenario; the artifacts cite `commit`.
pub fn run(scenario: &str, seed: u64, ops: u32, commit: &str, kept: Kept) -> Result<RunRecord> {
    let params = Params {
        scenario: scenario.parse()?,
        seed,
        ops,
    };
    let record = match kept {
        Kept::InMemory => ecac_bench::run(&params, commit).map_err(Error::from),
        Kept::OnDisk => Disk::new(interrupt::requested)
            .map_err(Error::from)
            .and_then(|disk| Ok(ecac_bench::run_in(disk, &params, commit)?)),
    };
    interrupt::check()?;
    record.with_context(|| format!("run scenario {scenario} with seed {seed} and {ops} ops"))
}

/// What the sessions of a run come to, where its replicas sync over a network.
pub fn meetings(scenario: &str, seed: u64, ops: u32) -> Result<Option<Meetings>> {
    if scenario != Scenario::Partition3.name() {
        return Ok(None);
    }
    let few = |min: u32| anyhow!("{scenario} takes {min} ops or more, not {ops}");
    ecac_bench::meetings(seed, ops).map(Some).map_err(few)
}

/// The node that takes the ops of a seeded run in, and signs the audit log.
pub fn observer(seed: u64) -> String {
    ecac_bench::node_key(seed).public().to_string()
}

/// What is known of a verified audit log.
pub struct Audited {
    /// The text of `audit.verify.txt`.
    pub verification: String,
    /// The root hash of the last signed tree head, in hexadecimal digits.
    pub head: String,
}

/// Verifies the audit log of a run with `seed`: its chain, the observer's signature, and every decision by replay. The
/// observer took in every op of the run, and nothing else.
pub fn verify_audit(audit: &[u8], ops: &[u8], seed: u64) -> Result<Audited> {
    let expect = Expect {
        project: None,
        node: Some(ecac_bench::node_key(seed).public()),
    };
    let log = AuditLog::verify(audit, &expect)?;
    let compared = verify_against(&log, split_op_log(ops)?, &mut Costs::default())?;
    let (verdict, items_no_op) = (compared.verdict(), compared.items_no_op);
    ensure!(
        verdict == Verdict::Confirmed && items_no_op == 0,
        "the audit log and the op log are not of one run: {verdict}, {items_no_op} items are no op"
    );
    let checkpoint = log.checkpoint().context("find the signed head")?;
    Ok(Audited {
        verification: verification(&log, Some(&compared)),
        head: checkpoint.head().root.to_string(),
    })
}

/// SHA-256 of `docs/protocol.cddl`.
pub fn schema_sha256() -> String {
    ecac_bench::schema_sha256()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_single_files_come_from_the_scenario_with_revocations() {
        let pick = |names: &[&str]| {
            let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
            scenario_of_singles(&names).to_owned()
        };
        assert_eq!(pick(&["hb-chain", "offline-revoke", "z"]), "offline-revoke");
        assert_eq!(pick(&["hb-chain", "concurrent"]), "concurrent");
    }

    #[test]
    fn too_few_ops_are_a_usage_error_before_anything_is_built() {
        let mut parameters = Parameters {
            scenarios: scenario_names().map(str::to_owned).collect(),
            seed: 1,
            ops: 500,
        };
        check(&parameters).unwrap();
        parameters.ops = 1;
        let error = check(&parameters).unwrap_err();
        assert_eq!(crate::host::error::exit_code(&error), exit::USAGE);
    }

    #[test]
    fn an_empty_audit_log_does_not_verify() {
        let run = run("hb-chain", 1, 20, "x", Kept::OnDisk).unwrap();
        let audited = verify_audit(&run.audit, &run.ops, 1).unwrap();
        assert!(
            audited.verification.ends_with("verdict: OK\n"),
            "{}",
            audited.verification
        );
        assert!(verify_audit(b"", &run.ops, 1).is_err());
        assert!(
            verify_audit(&run.audit, &run.ops, 2).is_err(),
            "another observer's key"
        );
        let other = super::run("hb-chain", 2, 20, "x", Kept::InMemory).unwrap();
        assert!(
            verify_audit(&run.audit, &other.ops, 1).is_err(),
            "another op log"
        );
    }
}
