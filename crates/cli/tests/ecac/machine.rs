//! The machine around the program: pipes, full disks, odd paths, working directories.

use std::fs;

use ecac_artifact::exit;
use tempfile::tempdir;

use crate::fixture::Small;
use crate::run::ecac_in;

#[test]
fn the_working_directory_has_no_say() {
    let directory = tempdir().unwrap();
    let (here, there) = (
        directory.path().join("here"),
        directory.path().join("there"),
    );
    let small = Small::new();
    fs::create_dir(&here).unwrap();
    fs::create_dir_all(there.join("docs/eval/out")).unwrap();
    fs::write(there.join("docs/eval/out/precious"), "precious").unwrap();
    fs::write(here.join("ops"), small.clean()).unwrap();
    let late = small.late.id().to_string();
    for args in [
        &["log"][..],
        &["dump-state-json"],
        &["trust-dump"],
        &["decisions"],
        &["explain", &late],
        &["check"],
        &["audit-export", "--seed", "1"],
    ] {
        let with = |path: &str| {
            let mut args: Vec<String> = args.iter().map(|&arg| arg.to_owned()).collect();
            args.insert(1, path.to_owned());
            args
        };
        let near = ecac_in(&here, with("ops")).quietly();
        let far = ecac_in(&there, with("../here/ops")).quietly();
        assert_eq!(near, far, "{args:?}");
    }
    assert_eq!(fs::read_dir(&here).unwrap().count(), 1);
    assert_eq!(
        fs::read(there.join("docs/eval/out/precious")).unwrap(),
        b"precious"
    );
    assert_eq!(fs::read_dir(&there).unwrap().count(), 1);
}

#[cfg(unix)]
mod unix {
    use std::fs::File;
    use std::io::Read as _;
    use std::process::Stdio;

    use ecac_bench::{Params, Scenario};

    use super::*;
    use crate::run::{command, ran};

    /// An op log whose listing is longer than a pipe holds.
    fn long_log() -> Vec<u8> {
        let params = Params {
            scenario: Scenario::HbChain,
            seed: 1,
            ops: 1000,
        };
        let report = ecac_bench::run(&params, "test");
        report.expect("the scenario runs").ops
    }

    #[test]
    fn a_reader_that_goes_away_is_no_error() {
        let directory = tempdir().unwrap();
        fs::write(directory.path().join("ops"), long_log()).unwrap();
        for args in [
            &["log", "ops"][..],
            &["log", "ops", "--format", "json"],
            &["decisions", "ops"],
            &["audit-export", "ops", "--seed", "1"],
            &["check", "ops", "--shuffle", "1"],
        ] {
            for bytes_read in [0, 10] {
                let mut child = command()
                    .args(args)
                    .current_dir(directory.path())
                    .stdout(Stdio::piped())
                    .stderr(Stdio::piped())
                    .spawn()
                    .unwrap();
                let mut stdout = child.stdout.take().unwrap();
                stdout.read_exact(&mut vec![0; bytes_read]).unwrap();
                drop(stdout);
                let ran = ran(child.wait_with_output().unwrap());
                assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{args:?}");
            }
        }
    }

    #[test]
    fn a_full_disk_is_an_error() {
        let Ok(full) = File::options().write(true).open("/dev/full") else {
            return;
        };
        let directory = tempdir().unwrap();
        let small = Small::new();
        fs::write(directory.path().join("ops"), small.clean()).unwrap();
        let late = small.late.id().to_string();
        for args in [
            &["log", "ops"][..],
            &["log", "ops", "--format", "json"],
            &["dump-state-json", "ops"],
            &["trust-dump", "ops"],
            &["decisions", "ops"],
            &["explain", "ops", &late],
            &["audit-export", "ops", "--seed", "1"],
            &["check", "ops"],
            &["bench", "list"],
            &["--help"],
            &["--version"],
        ] {
            let output = command()
                .args(args)
                .current_dir(directory.path())
                .stdout(full.try_clone().unwrap())
                .output()
                .unwrap();
            ran(output).fails(exit::ENVIRONMENT, &["write to standard output"]);
        }
    }

    // Other systems refuse to make such files.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_path_need_not_be_unicode() {
        use std::ffi::OsStr;
        use std::os::unix::ffi::OsStrExt as _;

        let directory = tempdir().unwrap();
        let at = directory.path();
        let name = |bytes: &'static [u8]| OsStr::from_bytes(bytes);
        fs::write(at.join(name(b"ops\xff")), Small::new().clean()).unwrap();
        fs::write(at.join(name(b"bad\xff\x1b")), b"nothing").unwrap();
        let state = ecac_in(at, [name(b"dump-state-json"), name(b"ops\xff")]).quietly();
        let args = [b"dump-state-json", &b"ops\xff"[..], b"--out", b"state\xfe"];
        ecac_in(at, args.map(OsStr::from_bytes)).quietly();
        assert_eq!(fs::read(at.join(name(b"state\xfe"))).unwrap(), state);
        ecac_in(at, [name(b"log"), name(b"bad\xff\x1b")])
            .fails(exit::BAD_INPUT, &["bad\u{fffd}\\u{1b}"]);
        ecac_in(at, [name(b"log"), name(b"none\xff")]).fails(exit::ENVIRONMENT, &["none\u{fffd}"]);
    }

    #[test]
    fn an_export_has_the_rights_that_the_umask_gives() {
        use std::os::unix::fs::PermissionsExt as _;

        let directory = tempdir().unwrap();
        let at = directory.path();
        fs::write(at.join("ops"), Small::new().clean()).unwrap();
        ecac_in(at, ["decisions", "ops", "--out", "lines"]).quietly();
        let mode = |name: &str| fs::metadata(at.join(name)).unwrap().permissions().mode();
        assert_eq!(mode("lines"), mode("ops"));
    }

    #[test]
    fn a_device_is_never_replaced() {
        let directory = tempdir().unwrap();
        let at = directory.path();
        fs::write(at.join("ops"), Small::new().clean()).unwrap();
        std::os::unix::fs::symlink("/dev/null", at.join("null")).unwrap();
        for force in [&[][..], &["--force"]] {
            let args = ["decisions", "ops", "--out", "null"];
            ecac_in(at, args.iter().chain(force))
                .fails(exit::ENVIRONMENT, &["null", "not a plain file"]);
        }
        assert!(at.join("null").is_symlink());
    }
}
