//! A machine with a node: keys, a project directory, an address, and a network namespace where it has one.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::net::{SocketAddr, UdpSocket};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread::{self, JoinHandle, sleep};
use std::time::{Duration, Instant};

use ecac_audit::{AuditLog, Expect, Verdict, verify_against};
use ecac_core::payload::SetField;
use ecac_core::{Costs, Genesis, Name, ProjectId, Value};
use ecac_project::{FOLDER, Founding, Home, Key, KeyName, KeyUse, Project};
use tempfile::TempDir;

/// How long nodes may take to agree, and a store to be free.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);
/// 2026-01-01T00:00:00Z.
const EPOCH_MS: u64 = 1_767_225_600_000;

/// A machine.
pub(crate) struct Machine {
    folder: TempDir,
    node: Key,
    pub(crate) address: SocketAddr,
    /// A process in the network namespace of the machine, if it has one of its own.
    pub(crate) within: Option<u32>,
}

fn name(name: &str) -> KeyName {
    name.parse().unwrap()
}

impl Machine {
    pub(crate) fn new(number: u8) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(folder.path().join("home"));
        let node = home
            .keep(KeyUse::Node, &name("node"), [number; 32])
            .unwrap();
        let free = UdpSocket::bind("127.0.0.1:0").unwrap();
        Self {
            address: free.local_addr().unwrap(),
            folder,
            node,
            within: None,
        }
    }

    fn home(&self) -> Home {
        Home::at(self.folder.path().join("home"))
    }

    fn project_folder(&self) -> PathBuf {
        self.folder.path().join(FOLDER)
    }

    pub(crate) fn project(&self) -> Project {
        Project::open(&self.project_folder(), &self.home()).unwrap()
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let program = env!("CARGO_BIN_EXE_ecac-node");
        let mut command = match self.within {
            None => Command::new(program),
            Some(process) => {
                let mut command = Command::new("nsenter");
                command.args(["--target", &process.to_string(), "--net", "--"]);
                command.arg(program);
                command
            }
        };
        command.args(args).arg("--store").arg(self.folder.path());
        command.arg("--home").arg(self.folder.path().join("home"));
        command
    }

    pub(crate) fn peer(&self) -> String {
        format!("{}@{}", self.node.public(), self.address)
    }

    /// Starts the node, which dials these and lets those in; returns it once it listens.
    pub(crate) fn start(&self, peers: &[&Self], allowed: &[&Self], more: &[&str]) -> Running {
        let listen = self.address.to_string();
        let mut command = self.command(&["run", "--every", "1", "--listen", &listen]);
        for peer in peers {
            command.args(["--peer", &peer.peer()]);
        }
        for node in allowed {
            command.args(["--allow", &node.node.public().to_string()]);
        }
        let mut child = command.args(more).stderr(Stdio::piped()).spawn().unwrap();
        let mut notes = BufReader::new(child.stderr.take().unwrap());
        let mut first = String::new();
        notes.read_line(&mut first).unwrap();
        assert!(first.contains("\"listening\""), "{first}");
        let mut metrics = None;
        if more.contains(&"--metrics") {
            let mut line = String::new();
            notes.read_line(&mut line).unwrap();
            let address = line.split('"').find_map(|it| it.parse().ok());
            metrics = Some(address.unwrap_or_else(|| panic!("{line}")));
        }
        // The rest is read so that the node can go on writing.
        let rest = thread::spawn(move || {
            let mut rest = String::new();
            notes.read_to_string(&mut rest).unwrap();
            rest
        });
        Running {
            child,
            rest: Some(rest),
            metrics,
        }
    }

    /// The key of its node.
    pub(crate) fn key(&self) -> String {
        self.node.public().to_string()
    }

    /// How many ops its store has, and the digest of the state; `None` while the node writes.
    pub(crate) fn digest(&self) -> Option<(usize, [u8; 32])> {
        let replica = self.project().read().ok()?;
        Some((replica.log().admitted_count(), replica.state_digest()))
    }
}

/// A node that runs. Dropped, it is killed.
pub(crate) struct Running {
    child: Child,
    rest: Option<JoinHandle<String>>,
    pub(crate) metrics: Option<SocketAddr>,
}

impl Running {
    /// SIGKILL.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM; what it noted.
    pub(crate) fn stop(mut self) -> String {
        let pid = self.child.id().to_string();
        let told = Command::new("kill").args(["-TERM", &pid]).status().unwrap();
        assert!(told.success());
        let status = self.child.wait().unwrap();
        assert!(status.success(), "{status}");
        self.rest.take().unwrap().join().unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The key with which somebody signs on a machine.
fn author(machine: &Machine, number: u8) -> Key {
    machine
        .home()
        .keep(KeyUse::Author, &name("me"), [number; 32])
        .unwrap()
}

/// A project that the first machine has founded and the others have joined; each has a root.
pub(crate) fn found(machines: &[&Machine]) -> Vec<Key> {
    let keys: Vec<Key> = (9..)
        .zip(machines)
        .map(|(number, it)| author(it, number))
        .collect();
    let [first, others @ ..] = machines else {
        panic!("somebody founds a project");
    };
    let founding = Founding {
        genesis: Genesis {
            name: Name::new("shop").unwrap(),
            nonce: [0; 16],
            roots: keys.iter().map(Key::public).collect(),
            schema: [].into(),
            features: [].into(),
        },
        key: &keys[0],
        node: &name("node"),
        now_ms: EPOCH_MS,
    };
    Project::found(&first.project_folder(), &first.home(), founding).unwrap();
    let project: ProjectId = first.project().read().unwrap().project();
    for machine in others {
        Project::join(
            &machine.project_folder(),
            &machine.home(),
            project,
            &name("me"),
        )
        .unwrap();
    }
    keys
}

impl Machine {
    /// Writes as somebody does with `ecac`, between the sessions of the node.
    pub(crate) fn write(&self, key: &Key, number: u64) {
        let value = Value::Text(format!("{number}"));
        let write = SetField::new(&format!("phone/{}", number % 7), "status", value).unwrap();
        let began = Instant::now();
        let mut writer = loop {
            match self.project().write(&name("node")) {
                Ok(writer) => break writer,
                Err(error) => assert!(began.elapsed() < PATIENCE, "{error}"),
            }
            sleep(Duration::from_millis(5));
        };
        writer.author(write, key, EPOCH_MS + 1 + number).unwrap();
        writer.close().unwrap();
    }

    /// Requires that store and audit log verify, and hold so many ops.
    pub(crate) fn verify(&self, ops: u64) {
        let project = self.project();
        let verified = ecac_store::verify(project.store(), 1).unwrap();
        assert_eq!(verified.ops, ops);
        let entries = fs::read_dir(project.audit()).unwrap();
        let mut segments: Vec<PathBuf> = entries.map(|it| it.unwrap().path()).collect();
        segments.retain(|it| it.extension().is_some_and(|it| it == "jsonl"));
        segments.sort_unstable();
        let audit: Vec<u8> = segments
            .iter()
            .flat_map(|it| fs::read(it).unwrap())
            .collect();
        let replica = project.read().unwrap();
        let expect = Expect {
            project: Some(replica.project()),
            node: Some(self.node.public()),
        };
        let audit = AuditLog::verify(&audit, &expect).unwrap();
        let envelopes: Vec<Vec<u8>> = replica.ops().map(|it| it.envelope().to_vec()).collect();
        let items = envelopes.iter().map(Vec::as_slice);
        let compared = verify_against(&audit, items, &mut Costs::default()).unwrap();
        assert_eq!(compared.verdict(), Verdict::Confirmed);
    }
}

/// Waits until all hold so many ops, and the same; how many and the digest.
pub(crate) fn agree(machines: &[Machine], ops: u64) -> (usize, [u8; 32]) {
    let began = Instant::now();
    loop {
        let digests: Vec<_> = machines.iter().map(Machine::digest).collect();
        if let Some(first) = digests[0]
            && first.0 as u64 == ops
            && digests.iter().all(|it| *it == Some(first))
        {
            return first;
        }
        assert!(began.elapsed() < PATIENCE, "{digests:?}");
        sleep(Duration::from_millis(100));
    }
}
