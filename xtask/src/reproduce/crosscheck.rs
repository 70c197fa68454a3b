//! The second path to the same bytes: the freshly built program `ecac`.
//!
//! It makes every run again from its parameters, and once more recomputes everything from the op log alone.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use ecac_artifact::{Artifact, Commit, Part, Single, exit};
use xshell::{Cmd, Shell};

use crate::host::environment::Variable;
use crate::host::error::Failure;
use crate::host::network::Network;
use crate::host::process;
use crate::host::progress::Progress;
use crate::host::workdir::WorkDir;
use crate::reproduce::engine;
use ecac_artifact::Parameters;

/// What is checked, and with what.
pub struct CrossCheck<'a> {
    /// The program.
    pub ecac: &'a Path,
    /// Its environment.
    pub environment: &'a [Variable],
    /// How much network it has.
    pub network: Network,
    /// What was run.
    pub parameters: &'a Parameters,
    /// The commit that the artifacts cite.
    pub commit: &'a Commit,
    /// The directory with the staged files.
    pub staged_dir: &'a Path,
    /// The staged files.
    pub staged: &'a BTreeMap<String, Vec<u8>>,
    /// Where commands are shown.
    pub progress: &'a Progress,
}

impl CrossCheck<'_> {
    /// Requires the same bytes from `ecac` for every file that it can make.
    pub fn run(&self, work: &WorkDir) -> Result<()> {
        let shell = Shell::new().context("find the working directory")?;
        shell.change_dir(self.staged_dir);
        for scenario in &self.parameters.scenarios {
            self.scenario(&shell, scenario, work)?;
        }
        self.summaries(&shell)
    }

    fn scenario(&self, shell: &Shell, scenario: &str, work: &WorkDir) -> Result<()> {
        let commit = self.commit.to_string();
        let (seed, ops) = (
            self.parameters.seed.to_string(),
            self.parameters.ops.to_string(),
        );
        let log = self.name(scenario, Part::Ops);

        let made = work.create(&format!("bench-run-{scenario}"))?;
        let run = self
            .ecac(shell)?
            .args(["bench", "run", "--scenario", scenario]);
        let run = run.args(["--seed", &seed, "--ops", &ops, "--commit", &commit]);
        self.output(run.arg("--out").arg(&made))?;
        let parts = [Part::Csv, Part::Timeline, Part::State, Part::Ops];
        self.same_files(scenario, &parts, &made, "ecac bench run")?;

        let observed = work.create(&format!("bench-observe-{scenario}"))?;
        let observe = self.ecac(shell)?.args(["bench", "observe", &log]);
        let observe = observe.args(["--scenario", scenario, "--seed", &seed]);
        let observe = observe.args(["--commit", &commit]).arg("--out");
        self.output(observe.arg(&observed))?;
        let parts = [Part::Csv, Part::Timeline, Part::State];
        self.same_files(scenario, &parts, &observed, "ecac bench observe")?;

        let state = self.output(self.ecac(shell)?.args(["dump-state-json", &log]))?;
        self.same(
            &self.name(scenario, Part::State),
            &state,
            "ecac dump-state-json",
        )
    }

    fn summaries(&self, shell: &Shell) -> Result<()> {
        let seed = self.parameters.seed.to_string();
        let scenario = engine::scenario_of_singles(&self.parameters.scenarios);
        let log = self.name(scenario, Part::Ops);
        let audit = Single::AuditLog.name();

        let node = engine::observer(self.parameters.seed);
        let trust = self.output(self.ecac(shell)?.args(["trust-dump", &log]))?;
        self.same(Single::TrustView.name(), &trust, "ecac trust-dump")?;
        let export = self.ecac(shell)?.args(["audit-export", &log]);
        let export = self.output(export.args(["--seed", &seed]))?;
        self.same(audit, &export, "ecac audit-export")?;
        let verify = self
            .ecac(shell)?
            .args(["audit-verify", audit, "--log", &log]);
        let verdict = self.output(verify.args(["--node", &node]))?;
        self.same(Single::AuditVerify.name(), &verdict, "ecac audit-verify")
    }

    fn name(&self, scenario: &str, part: Part) -> String {
        let artifact = Artifact::Run {
            scenario: scenario.to_owned(),
            part,
        };
        artifact.file_name(self.parameters.seed, self.commit)
    }

    fn ecac<'sh>(&self, shell: &'sh Shell) -> Result<Cmd<'sh>> {
        self.network.command(shell, self.ecac, self.environment)
    }

    fn output(&self, command: Cmd<'_>) -> Result<Vec<u8>> {
        process::run(self.progress, command)?.require(exit::VERIFICATION)
    }

    fn same_files(&self, scenario: &str, parts: &[Part], dir: &Path, by: &str) -> Result<()> {
        for part in parts {
            let name = self.name(scenario, *part);
            let path = dir.join(&name);
            let bytes = fs::read(&path)
                .with_context(|| format!("read what `{by}` wrote to {}", path.display()))?;
            self.same(&name, &bytes, by)?;
        }
        Ok(())
    }

    fn same(&self, name: &str, recomputed: &[u8], by: &str) -> Result<()> {
        let written = self.staged.get(name).map_or(&[][..], Vec::as_slice);
        if written == recomputed {
            return Ok(());
        }
        let explanation = ecac_differ::explain(name, written, recomputed);
        let message =
            format!("`{by}` gives other bytes than the library for {name}\n{explanation}");
        Err(Failure::new(exit::VERIFICATION, message).into())
    }
}
