//! Machines: a project directory, keys, and the node that is started over them.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use ecac_audit::{AuditLog, Expect, Verdict, verify_against};
use ecac_core::{Costs, ProjectId, VerifiedOp};
use ecac_project::{FOLDER, Home, Key, KeyName, KeyUse, Peer, Project, Writer};
use serde_json::Value as Json;

use crate::failed;
use crate::held::Held;

/// How long another writer of the same directory is waited for.
const PATIENCE: Duration = Duration::from_secs(30);
const AGAIN: Duration = Duration::from_millis(5);
/// This machine alone, at whatever port is free.
const LISTEN: &str = "127.0.0.1:0";

/// A machine.
pub(crate) struct Machine {
    name: &'static str,
    program: PathBuf,
    folder: PathBuf,
    home: Home,
    node: KeyName,
    key: Key,
    running: Option<Running>,
}

/// A node that listens. Dropped, it is killed.
struct Running {
    child: Child,
    peer: Peer,
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Machine {
    /// A machine in a directory of its own, which holds nothing of the project yet.
    pub(crate) fn new(
        name: &'static str,
        number: u8,
        program: &Path,
        dir: &Path,
        project: ProjectId,
    ) -> Result<Self> {
        let folder = dir.join(name);
        fs::create_dir(&folder).with_context(|| format!("make {}", folder.display()))?;
        let (home, node): (_, KeyName) = (Home::at(folder.join("home")), "node".parse()?);
        let key = home.keep(KeyUse::Node, &node, [number; 32]);
        let key = key.context("keep the key of a node")?;
        let me: KeyName = "me".parse()?;
        let joined = Project::join(&folder.join(FOLDER), &home, project, &me);
        joined.context("make a project directory")?;
        Ok(Self {
            name,
            program: program.to_owned(),
            folder,
            home,
            node,
            key,
            running: None,
        })
    }

    /// The key of its node.
    pub(crate) const fn key(&self) -> &Key {
        &self.key
    }

    fn command(&self, word: &str) -> Command {
        let mut command = Command::new(&self.program);
        command.arg(word).arg("--store").arg(&self.folder);
        command.arg("--home").arg(self.home.folder());
        command.stdin(Stdio::null());
        command
    }

    /// Starts its node, which lets these in; returns when it listens.
    pub(crate) fn start(&mut self, allowed: &[String]) -> Result<()> {
        let mut command = self.command("run");
        command.args(["--listen", LISTEN]);
        for key in allowed {
            command.args(["--allow", key]);
        }
        let started = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
        let mut child = started.with_context(|| format!("start {}", self.program.display()))?;
        let stderr = child.stderr.take();
        let mut running = Running {
            child,
            peer: Peer {
                key: self.key.public(),
                address: LISTEN.parse()?,
            },
        };
        let mut notes = BufReader::new(stderr.context("read what the node says")?);
        let mut line = String::new();
        notes.read_line(&mut line)?;
        let address = serde_json::from_str::<Json>(&line).ok();
        let address = address.and_then(|it| it["address"].as_str()?.parse().ok());
        running.peer.address = address
            .ok_or_else(|| failed(format!("the node of {} does not listen: {line}", self.name)))?;
        // The rest is read so that the node can go on writing.
        thread::spawn(move || notes.read_to_end(&mut Vec::new()));
        self.running = Some(running);
        Ok(())
    }

    /// SIGKILL, where it runs.
    pub(crate) fn kill(&mut self) -> bool {
        self.running.take().is_some()
    }

    /// Where its node is.
    pub(crate) fn peer(&self) -> Result<Peer> {
        let running = self.running.as_ref();
        Ok(running
            .with_context(|| format!("the node of {} does not run", self.name))?
            .peer)
    }

    /// Makes one session with that node.
    pub(crate) fn sync(&self, peer: Peer) -> Result<()> {
        let mut command = self.command("sync");
        let synced = command.arg(peer.to_string()).output();
        let synced = synced.with_context(|| format!("start {}", self.program.display()))?;
        if synced.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&synced.stderr);
        Err(failed(format!(
            "{} does not sync: {}",
            self.name,
            said.trim_end()
        )))
    }

    fn project(&self) -> Result<Project> {
        Project::open(&self.folder.join(FOLDER), &self.home).context("open a project directory")
    }

    /// Waits until its node has no session.
    fn writer(&self) -> Result<Writer> {
        let (project, began) = (self.project()?, Instant::now());
        loop {
            match project.write(&self.node) {
                Err(ecac_project::Error::Store(ecac_store::Error::Held { .. }))
                    if began.elapsed() < PATIENCE =>
                {
                    thread::sleep(AGAIN);
                }
                writer => return writer.context("open a store"),
            }
        }
    }

    /// Takes in what somebody signed here; all parents have to be here.
    pub(crate) fn write(&self, ops: &[VerifiedOp]) -> Result<()> {
        if ops.is_empty() {
            return Ok(());
        }
        let mut writer = self.writer()?;
        let envelopes: Vec<&[u8]> = ops.iter().map(VerifiedOp::envelope).collect();
        let received = writer.receive(&envelopes).context("write")?;
        writer.close().context("close a store")?;
        if let Some(op) = received.missing.iter().next() {
            let name = self.name;
            return Err(failed(format!(
                "{name} lacks op {op}, which the sessions should have brought"
            )));
        }
        Ok(())
    }

    /// What it holds, after its store and its audit log have been verified.
    pub(crate) fn held(&self) -> Result<Held> {
        drop(self.writer()?);
        let (name, project) = (self.name, self.project()?);
        let replica = project.read().context("open a store")?;
        let verified = ecac_store::verify(project.store(), 1);
        let verified = verified.with_context(|| format!("verify the store of {name}"))?;
        let ops = replica.log().admitted_count() as u64;
        if verified.ops != ops {
            return Err(failed(format!(
                "the store of {name} has {} ops, and {ops} of them count",
                verified.ops
            )));
        }
        let mut segments: Vec<PathBuf> = Vec::new();
        for entry in fs::read_dir(project.audit()).context("read an audit log")? {
            let path = entry?.path();
            if path.extension().is_some_and(|it| it == "jsonl") {
                segments.push(path);
            }
        }
        segments.sort_unstable();
        let mut audit = Vec::new();
        for segment in segments {
            audit.extend(fs::read(segment).context("read an audit log")?);
        }
        let expect = Expect {
            project: Some(replica.project()),
            node: Some(self.key.public()),
        };
        let of = || format!("verify the audit log of {name}");
        let audit = AuditLog::verify(&audit, &expect).with_context(of)?;
        let envelopes: Vec<Vec<u8>> = replica.ops().map(|op| op.envelope().to_vec()).collect();
        let items = envelopes.iter().map(Vec::as_slice);
        let compared = verify_against(&audit, items, &mut Costs::default()).with_context(of)?;
        if compared.verdict() != Verdict::Confirmed {
            return Err(failed(format!(
                "the audit log of {name} is not borne out: {}",
                compared.verdict()
            )));
        }
        Ok(Held::of(name, &replica))
    }
}
