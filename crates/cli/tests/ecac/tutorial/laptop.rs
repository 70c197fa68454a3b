//! Laptops: shells that remember where they are and what was exported, with clocks and keys that are given.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read as _;
use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::COLUMNS;
use crate::run::{command, text};
use crate::terminal::terminal;

/// 2026-03-02T07:00:00Z, a Monday.
const MORNING_MS: u64 = 1_772_434_800_000;
/// From one command to the next.
const STEP_MS: u64 = 60_000;
/// The directories of keys, in the home of everybody, and the seeds of the keys in them.
const HOMES: [(&str, u8); 2] = [(".local/share/ecac", 1), ("van-keys", 5)];

/// Where a page has a node listen. The node of a test listens where nobody else does.
const LISTEN: &str = "127.0.0.1:4919";
/// How a line ends whose command goes on beside what follows.
const BESIDE: &str = " &";
/// The number of the process that was last started so, as a shell has it.
const LAST: &str = "$!";

/// The laptops of a story, which share a home directory as the terminals of one machine do.
pub(super) struct Laptops {
    home: PathBuf,
    /// Where each laptop's shell left off.
    states: BTreeMap<String, PathBuf>,
    now_ms: u64,
    listen: String,
    /// The process that goes on beside what follows.
    beside: Option<String>,
}

impl Drop for Laptops {
    fn drop(&mut self) {
        if let Some(process) = &self.beside {
            // It may have ended.
            let _ = Command::new("kill").args(["-KILL", process]).status();
        }
    }
}

impl Laptops {
    /// Laptops that are switched off; what they need lies in the directory.
    pub(super) fn new(directory: &Path) -> Self {
        let home = directory.join("home");
        fs::create_dir(&home).expect("a home");
        for (folder, seed) in HOMES {
            for (used, name, number) in [
                ("author", "me", 0),
                ("issuer", "me", 1),
                ("node", "node", 2),
            ] {
                let file = directory.join("seed");
                fs::write(&file, hex::encode([seed + number; 32])).expect("a seed");
                let kept = command()
                    .args(["key", "import", name, "--use", used])
                    .arg(&file)
                    .env("ECAC_HOME", home.join(folder))
                    .output();
                assert!(kept.expect("the program starts").status.success());
            }
        }
        let free = UdpSocket::bind("127.0.0.1:0").and_then(|it| it.local_addr());
        Self {
            home,
            states: BTreeMap::new(),
            now_ms: MORNING_MS,
            listen: free.expect("a free port").to_string(),
            beside: None,
        }
    }

    /// What the laptop's terminal shows of the command: with its colours, and without carriage returns.
    pub(super) fn run(&mut self, laptop: &str, line: &str) -> String {
        let typed = line.replace(LISTEN, &self.listen);
        let shown = if typed.ends_with(BESIDE) {
            self.start(laptop, &typed)
        } else if typed.contains(LAST) {
            let process = self.beside.take().expect("a process beside");
            self.shell(laptop, &typed.replace(LAST, &process))
        } else {
            self.shell(laptop, &typed)
        };
        shown.replace(&self.listen, LISTEN)
    }

    /// The same of a command that goes on beside what follows; it shows nothing here.
    fn start(&mut self, laptop: &str, line: &str) -> String {
        let file = self.home.with_file_name("beside");
        let named = file.display();
        let line =
            format!("unset -f ecac; exec > /dev/null 2>&1\n{line}\nprintf %s \"$!\" > '{named}'");
        let shown = self.shell(laptop, &line);
        let process = fs::read_to_string(file).expect("the number of a process");
        self.beside = Some(process);
        shown
    }

    fn shell(&mut self, laptop: &str, line: &str) -> String {
        self.now_ms += STEP_MS;
        let fresh = self.home.with_file_name(laptop);
        let state = self.states.entry(laptop.to_owned()).or_insert_with(|| {
            fs::write(&fresh, "cd\n").expect("a state");
            fresh
        });
        let (state, now_ms) = (state.display(), self.now_ms);
        let script = format!(
            ". '{state}'
export ECAC_NOW_MS={now_ms}
ecac() {{
    if [ \"$1\" = init ]; then set -- \"$@\" --nonce 2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a; fi
    command ecac \"$@\"
}}
{line}
code=$?
{{ export -p; printf 'cd \"%s\"\\n' \"$PWD\"; }} > '{state}'
exit $code
"
        );
        let program = Path::new(env!("CARGO_BIN_EXE_ecac"));
        let programs = program.parent().expect("a directory").display();
        let (master, slave) = terminal(COLUMNS);
        let stderr = slave.try_clone().expect("one more end");
        let mut shell = Command::new("sh");
        shell
            .args(["-c", &script])
            .current_dir(&self.home)
            .env_clear()
            .env("PATH", format!("{programs}:/usr/bin:/bin"))
            .env("HOME", &self.home)
            .env("TERM", "xterm")
            .env("LC_ALL", "C.UTF-8")
            .stdin(Stdio::null())
            .stdout(Stdio::from(slave))
            .stderr(Stdio::from(stderr));
        let mut child = shell.spawn().expect("a shell");
        drop(shell);
        let mut shown = Vec::new();
        // At the end of its other end, a terminal is an error on Linux and the end of a file elsewhere.
        let _ = File::from(master).read_to_end(&mut shown);
        let status = child.wait().expect("the shell ends");
        let shown = text(shown).replace("\r\n", "\n");
        let is_failure = shown.contains("error:");
        assert_eq!(status.success(), !is_failure, "{laptop}$ {line}\n{shown}");
        shown
    }
}
