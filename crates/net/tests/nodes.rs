//! Three nodes in a line on this machine, of which the middle one is killed again and again while the first one writes.
#![expect(clippy::unwrap_used, reason = "a test ends where it cannot go on")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use ecac_core::payload::SetField;
use ecac_core::{Genesis, Name, ProjectId, Value};
use ecac_project::{FOLDER, Founding, Home, Key, KeyName, KeyUse, Project};
use tempfile::TempDir;

/// Ops that are written while nodes come and go.
const WRITES: u64 = 60;
/// How often the middle node is killed.
const KILLS: u64 = 4;
/// How long nodes may take to agree.
const PATIENCE: Duration = Duration::from_secs(90);

/// A machine: keys, a project directory, and a port.
struct Machine {
    folder: TempDir,
    node: Key,
    address: SocketAddr,
}

fn node_name() -> KeyName {
    "node".parse().unwrap()
}

impl Machine {
    fn new(number: u8) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(folder.path().join("home"));
        let node = home.keep(KeyUse::Node, &node_name(), [number; 32]).unwrap();
        let free = UdpSocket::bind("127.0.0.1:0").unwrap();
        Self {
            address: free.local_addr().unwrap(),
            folder,
            node,
        }
    }

    fn home(&self) -> Home {
        Home::at(self.folder.path().join("home"))
    }

    fn project_folder(&self) -> PathBuf {
        self.folder.path().join(FOLDER)
    }

    fn project(&self) -> Project {
        Project::open(&self.project_folder(), &self.home()).unwrap()
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ecac-node"));
        command.args(args).arg("--project").arg(self.folder.path());
        command.arg("--home").arg(self.folder.path().join("home"));
        command
    }

    fn peer(&self) -> String {
        format!("{}@{}", self.node.public(), self.address)
    }

    /// Starts the node, which dials these and lets those in; returns it once it listens.
    fn start(&self, peers: &[&Self], allowed: &[&Self], more: &[&str]) -> Running {
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
        let rest = std::thread::spawn(move || {
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

    /// How many ops its store has, and the digest of the state; `None` while the node writes.
    fn digest(&self) -> Option<(usize, [u8; 32])> {
        let replica = self.project().read().ok()?;
        Some((replica.log().admitted_count(), replica.state_digest()))
    }
}

struct Running {
    child: Child,
    rest: Option<std::thread::JoinHandle<String>>,
    metrics: Option<SocketAddr>,
}

impl Running {
    /// SIGKILL.
    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM; what it noted.
    fn stop(mut self) -> String {
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

fn founded(machine: &Machine) -> (ProjectId, Key) {
    let name: KeyName = "me".parse().unwrap();
    let key = machine.home().keep(KeyUse::Author, &name, [9; 32]).unwrap();
    let founding = Founding {
        genesis: Genesis {
            name: Name::new("shop").unwrap(),
            nonce: [0; 16],
            roots: [key.public()].into(),
            schema: [].into(),
            features: [].into(),
        },
        key: &key,
        node: &node_name(),
        now_ms: 1_767_225_600_000,
    };
    Project::found(&machine.project_folder(), &machine.home(), founding).unwrap();
    let project = machine.project().read().unwrap().project();
    (project, key)
}

/// Writes as somebody does with `ecac`, between the sessions of the node.
fn write(machine: &Machine, key: &Key, number: u64) {
    let value = Value::Text(format!("{number}"));
    let write = SetField::new(&format!("phone/{}", number % 7), "status", value).unwrap();
    let began = Instant::now();
    let mut writer = loop {
        match machine.project().write(&node_name()) {
            Ok(writer) => break writer,
            Err(error) => assert!(began.elapsed() < PATIENCE, "{error}"),
        }
        sleep(Duration::from_millis(5));
    };
    writer
        .author(write, key, 1_767_225_600_001 + number)
        .unwrap();
    writer.close().unwrap();
}

#[test]
fn nodes_that_are_killed_and_come_back_agree() {
    let machines = [1, 2, 3].map(Machine::new);
    let [first, middle, last] = &machines;
    let (project, key) = founded(first);
    for machine in [middle, last] {
        let name: KeyName = "me".parse().unwrap();
        Project::join(&machine.project_folder(), &machine.home(), project, &name).unwrap();
    }
    let one = first.start(&[], &[middle], &["--metrics", "127.0.0.1:0"]);
    let three = last.start(&[middle], &[], &[]);
    let begin = || middle.start(&[first], &[last], &[]);
    let mut two = begin();
    for number in 0..WRITES {
        write(first, &key, number);
        if number % (WRITES / KILLS) == WRITES / KILLS - 1 {
            two.kill();
            two = begin();
        }
    }
    let wanted = WRITES + 1;
    let began = Instant::now();
    let agreed = loop {
        let digests: Vec<_> = machines.iter().filter_map(Machine::digest).collect();
        if let [a, b, c] = digests[..]
            && a == b
            && b == c
            && a.0 as u64 == wanted
        {
            break a;
        }
        assert!(began.elapsed() < PATIENCE, "{digests:?}");
        sleep(Duration::from_millis(100));
    };
    let mut stream = TcpStream::connect(one.metrics.unwrap()).unwrap();
    stream.write_all(b"GET /metrics HTTP/1.1\r\n\r\n").unwrap();
    let mut metrics = String::new();
    stream.read_to_string(&mut metrics).unwrap();
    assert!(
        metrics.contains("ecac_sessions_finished_total "),
        "{metrics}"
    );
    assert!(metrics.ends_with("# EOF\n"), "{metrics}");
    for node in [one, two, three] {
        assert!(node.stop().contains("\"stopped\""));
    }
    for machine in &machines {
        assert_eq!(machine.digest(), Some(agreed));
        let verified = ecac_store::verify(machine.project().store(), 1).unwrap();
        assert_eq!(verified.ops, wanted);
    }
}

#[test]
fn who_is_not_let_in_learns_nothing_and_who_is_syncs_once() {
    let machines = [4, 5, 6].map(Machine::new);
    let [host, guest, stranger] = &machines;
    let (project, key) = founded(host);
    write(host, &key, 0);
    for machine in [guest, stranger] {
        let name: KeyName = "me".parse().unwrap();
        Project::join(&machine.project_folder(), &machine.home(), project, &name).unwrap();
    }
    let node = host.start(&[], &[guest], &[]);
    let sync = |machine: &Machine| {
        let peer = host.peer();
        machine.command(&["sync", &peer]).output().unwrap()
    };
    let refused = sync(stranger);
    assert!(!refused.status.success());
    assert_eq!(stranger.digest().unwrap().0, 0);
    let synced = sync(guest);
    let said = String::from_utf8(synced.stdout).unwrap();
    assert_eq!(said, "received 2 ops, sent 0\n");
    assert_eq!(guest.digest(), host.digest());
    // Another node at the address is not the one that was meant.
    let other = format!("{}@{}", stranger.node.public(), host.address);
    let output = guest.command(&["sync", &other]).output().unwrap();
    assert!(!output.status.success());
    assert!(node.stop().contains("\"refused\""));
}
