//! Folders that cannot be written: one sentence, the fix, the exit code, and nothing changed.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use ecac_artifact::exit;

use super::hostile::contents;
use super::{Person, shop};
use crate::run::{Ran, ran, text};

/// The number of the user `nobody`.
const NOBODY: u32 = 65534;

/// The office under a user who is not the administrator of the machine.
struct Nobody<'a> {
    office: &'a Person,
    /// What starts a program with few rights; nothing, if this process has few itself.
    prefix: Option<[&'static str; 4]>,
}

/// Gives a file or directory, and all that is in it, to the user, with these rights.
fn give(path: &Path, owner: Option<u32>, [folders, files]: [u32; 2]) {
    let set = |mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("rights");
    if let Some(owner) = owner {
        std::os::unix::fs::chown(path, Some(owner), Some(owner)).expect("a new owner");
    }
    if !path.is_dir() {
        return set(files);
    }
    set(0o700);
    for entry in fs::read_dir(path).expect("a directory") {
        give(&entry.expect("an entry").path(), owner, [folders, files]);
    }
    set(folders);
}

impl<'a> Nobody<'a> {
    /// `None` where nobody with few rights can be had.
    fn of(office: &'a Person) -> Option<Self> {
        let setpriv = [
            "setpriv",
            "--reuid=65534",
            "--regid=65534",
            "--clear-groups",
        ];
        let prefix = rustix::process::geteuid().is_root().then_some(setpriv);
        if let Some([program, arguments @ ..]) = prefix {
            let works = Command::new(program)
                .args(arguments)
                .arg(env!("CARGO_BIN_EXE_ecac"))
                .arg("--version")
                .output();
            if !works.is_ok_and(|it| it.status.success()) {
                return None;
            }
            let open = fs::Permissions::from_mode(0o755);
            fs::set_permissions(office.directory.path(), open).expect("rights");
            give(&office.at("home"), Some(NOBODY), [0o700, 0o600]);
        }
        Some(Self { office, prefix })
    }

    fn owner(&self) -> Option<u32> {
        self.prefix.map(|_| NOBODY)
    }

    fn run(&self, args: &[&str]) -> Ran {
        let program = env!("CARGO_BIN_EXE_ecac");
        let mut command = match self.prefix {
            None => Command::new(program),
            Some([first, rest @ ..]) => {
                let mut command = Command::new(first);
                command.args(rest).arg(program);
                command
            }
        };
        self.office.now_ms.set(self.office.now_ms.get() + 1000);
        let output = command
            .args(args)
            .current_dir(self.office.at("work"))
            .env("ECAC_HOME", self.office.at("home"))
            .env("ECAC_NOW_MS", self.office.now_ms.get().to_string())
            .output();
        ran(output.expect("the program starts"))
    }

    #[track_caller]
    fn fails(&self, args: &[&str]) {
        let before = ["work", "home"].map(|it| contents(&self.office.at(it)));
        let ran = self.run(args);
        ran.fails(exit::ENVIRONMENT, &["ermission denied", "who may write"]);
        assert_eq!(ran.stderr.lines().count(), 2, "{}", ran.stderr);
        let after = ["work", "home"].map(|it| contents(&self.office.at(it)));
        assert!(before == after, "{args:?} has changed something");
    }
}

/// An office with news for it in a file, and a user with few rights; says so where there is none.
fn with_nobody(test: impl FnOnce(&Nobody<'_>, &str)) {
    let (office, van) = shop();
    van.says(&["set", "motor/7", "status", "repaired"]);
    van.sends_to(&office);
    van.says(&["set", "motor/7", "status", "sold"]);
    let mail = office.file("mail.cborseq");
    van.says(&["export", &mail, "--force"]);
    match Nobody::of(&office) {
        Some(nobody) => test(&nobody, &mail),
        None => {
            // Past the harness, which shows only the output of failed tests.
            let _ = writeln!(
                io::stderr(),
                "SKIPPED: there is no setpriv to give up rights with"
            );
        }
    }
    give(&office.at("work"), None, [0o700, 0o600]);
}

#[test]
fn a_project_of_somebody_else_is_read_and_nothing_else() {
    with_nobody(|nobody, mail| {
        fs::create_dir(nobody.office.at("work/below")).expect("a directory");
        give(&nobody.office.at("work"), None, [0o555, 0o444]);
        for args in [
            &["members"][..],
            &["get", "motor/7"],
            &["ls"],
            &["log"],
            &["whoami"],
            &["verify-store"],
            &["revoke", "tom", "--preview"],
            &["export", "-"],
        ] {
            nobody.run(args).ok();
        }
        for args in [
            &["set", "motor/7", "status", "x"][..],
            &["import", mail],
            &["revoke", "tom"],
            &["regrant", "tom"],
            &["snapshot"],
            &["issuer", "add"],
            &["export", "all.cborseq"],
            &["init", "x", "--project-dir", "below"],
        ] {
            nobody.fails(args);
        }
    });
}

/// Nothing is signed that is not marked.
#[test]
fn keys_that_lie_where_nothing_can_be_written_sign_nothing() {
    with_nobody(|nobody, _| {
        let (work, home) = (nobody.office.at("work"), nobody.office.at("home"));
        give(&work, nobody.owner(), [0o700, 0o600]);
        give(&home, nobody.owner(), [0o500, 0o400]);
        nobody.fails(&["set", "motor/7", "status", "x"]);
        nobody.fails(&["key", "new", "other"]);
        let state = nobody.run(&["get", "motor/7", "status"]).ok();
        assert!(text(state).contains("repaired"));
        give(&home, nobody.owner(), [0o700, 0o600]);
        nobody.run(&["set", "motor/7", "status", "x"]).ok();
    });
}
