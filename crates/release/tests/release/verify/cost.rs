//! What verifying may cost: only regular files are opened, a signal ends it, and bombs are cheap.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use ecac_artifact::exit;
use ecac_fixture::set::{COMMIT, publish, tarball};
use flate2::write::ZlibEncoder;
use flate2::{Compression, Crc};

use super::desk::{Desk, Release, key};
use super::set::{files, gunzip, gzip, pack, pack_any};

#[test]
fn what_is_no_regular_file_is_refused_before_it_is_opened() {
    let desk = Desk::new();
    let release = Release::signed(pack(files()), &key(1));
    let file = desk.put("release.tar.gz", &release);
    let pipe = desk.path("pipe");
    let made = Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    let large = desk.path("large");
    fs::File::create(&large)
        .unwrap()
        .set_len((10 << 20) + 1)
        .unwrap();
    let refuses = |args: &[&str], path: &Path, code: u8, says: &str| {
        let mut verify = desk.workspace.xtask(&["bundle", "verify"]);
        let (_, stderr) = ecac_fixture::workspace::check(verify.args(args).arg(path), code, says);
        assert!(
            code == exit::NOT_FOUND || stderr.contains("\nhint: "),
            "{stderr}"
        );
    };
    let special = "is a pipe, a device or a socket, not a regular file";
    refuses(&[], &pipe, exit::BAD_INPUT, special);
    refuses(&[], Path::new("/dev/zero"), exit::BAD_INPUT, special);
    refuses(&[], &desk.path(""), exit::BAD_INPUT, "is a directory");
    refuses(&[], &large, exit::BAD_INPUT, "has more than 10485760 bytes");
    refuses(&[], &desk.path("absent"), exit::NOT_FOUND, "does not exist");
    let pipe = pipe.to_str().unwrap();
    let key_file = desk.path("key.pub");
    let key_file = key_file.to_str().unwrap();
    refuses(&["--key", pipe], &file, exit::BAD_INPUT, special);
    for option in ["--signature", "--provenance"] {
        refuses(
            &["--key", key_file, option, pipe],
            &file,
            exit::BAD_INPUT,
            special,
        );
    }
}

#[test]
fn a_signal_ends_it_within_a_second_and_time_and_ops_are_bounded() {
    let desk = Desk::new();
    // Some seconds of work.
    let large = publish(COMMIT, 400).files[&tarball()].clone();
    let release = Release::signed(large, &key(1));
    let file = desk.put("release.tar.gz", &release);
    for signal in ["INT", "TERM"] {
        let mut verify = desk.workspace.xtask(&["bundle", "verify"]);
        verify
            .arg(&file)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = verify.spawn().unwrap();
        thread::sleep(Duration::from_millis(400));
        assert!(
            child.try_wait().unwrap().is_none(),
            "it was over before the signal"
        );
        let sent = Instant::now();
        let kill = Command::new("kill")
            .args(["-s", signal, &child.id().to_string()])
            .status();
        assert!(kill.unwrap().success());
        let status = child.wait().unwrap();
        assert!(
            sent.elapsed() < Duration::from_secs(1),
            "{:?}",
            sent.elapsed()
        );
        assert_eq!(status.code(), Some(i32::from(exit::INTERRUPTED)));
    }
    let mut verify = desk.workspace.xtask(&["bundle", "verify", "--seconds=1"]);
    let says = "this takes more than 1 s, which nothing real does";
    let (stdout, stderr) = ecac_fixture::workspace::check(verify.arg(&file), exit::BAD_INPUT, says);
    assert_eq!(stdout, "", "there is no verdict");
    assert!(stderr.contains("allow more with --seconds"), "{stderr}");
}

/// A picture of eight million transparent pixels in 30 KB.
fn large_picture() -> Vec<u8> {
    const SIDE: u32 = 2_896;
    let row = vec![0; 1 + 4 * SIDE as usize];
    let mut pixels = ZlibEncoder::new(Vec::new(), Compression::best());
    (0..SIDE).for_each(|_| pixels.write_all(&row).unwrap());
    let head = [
        &SIDE.to_be_bytes()[..],
        &SIDE.to_be_bytes(),
        &[8, 6, 0, 0, 0],
    ]
    .concat();
    let chunks = [
        (b"IHDR", head),
        (b"IDAT", pixels.finish().unwrap()),
        (b"IEND", Vec::new()),
    ];
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    for (kind, data) in chunks {
        png.extend(u32::try_from(data.len()).unwrap().to_be_bytes());
        let body = [kind.as_slice(), &data].concat();
        let mut crc = Crc::new();
        crc.update(&body);
        png.extend(&body);
        png.extend(crc.sum().to_be_bytes());
    }
    png
}

#[test]
fn bombs_cost_little() {
    let desk = Desk::new();
    let verify = |release: &Release| -> (u8, String, String) {
        let file = desk.put("bomb.tar.gz", release);
        // The address space bounds the memory from above, and has the program and its stacks in it, and of the allocator's
        // own room no more than one arena.
        let mut sh = Command::new("sh");
        let xtask = desk.workspace.xtask(&["bundle", "verify"]);
        sh.args(["-c", "ulimit -v 262144; ulimit -t 10; exec \"$0\" \"$@\""]);
        sh.env("MALLOC_ARENA_MAX", "1");
        sh.arg(xtask.get_program()).args(xtask.get_args()).arg(file);
        sh.current_dir(desk.workspace.root());
        let output = sh.output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let code = output.status.code().unwrap_or_else(|| panic!("{output:?}"));
        (
            u8::try_from(code).unwrap(),
            text(&output.stdout),
            text(&output.stderr),
        )
    };
    let check = |gz: Vec<u8>, step: &str, says: &str| {
        let (code, stdout, stderr) = verify(&Release::signed(gz, &key(1)));
        let failed = format!("\n{step:<11} FAILED");
        assert!(
            stdout.contains(&failed) && stdout.contains(says),
            "{stdout}{stderr}"
        );
        let expected = if step == "archive" {
            exit::BAD_INPUT
        } else {
            exit::VERIFICATION
        };
        assert_eq!(code, expected, "{stderr}");
    };
    let files_of = |count: usize, size: usize| -> BTreeMap<String, Vec<u8>> {
        (0..count)
            .map(|n| (format!("f{n:03}"), vec![0; size]))
            .collect()
    };
    check(
        pack_any(&files_of(1, (8 << 20) + 1)),
        "archive",
        "has more than 8388608 bytes",
    );
    check(
        pack_any(&files_of(3, 8 << 20)),
        "archive",
        "unpacks to more than 16777216 bytes",
    );
    check(
        pack_any(&files_of(129, 0)),
        "archive",
        "has more than 128 entries",
    );
    // Zeros behind a right end.
    let mut tar = gunzip(&pack_any(&files_of(1, 1)));
    tar.resize(128 << 20, 0);
    check(
        gzip(&tar, Compression::fast()),
        "archive",
        "bytes follow the end",
    );
    drop(tar);

    let right = files();
    let with = |name: &str, bytes: Vec<u8>| {
        let mut files = right.clone();
        files.insert(name.to_owned(), bytes);
        pack(files)
    };
    let half = 7 << 20;
    // Two million items that are no ops.
    check(
        with("hb-chain-42-ops.cborseq", [0xd2, 0x80].repeat(half / 2)),
        "set",
        "more than 9000",
    );
    // Values that take many times the memory of their text.
    let deep = || format!("[{}[]]", "[],".repeat(half / 3)).into_bytes();
    check(
        with("hb-chain-42-state.json", deep()),
        "op logs",
        "bytes where",
    );
    check(
        with("sbom.json", deep()),
        "sbom",
        "has more than 1048576 bytes",
    );
    check(
        with("manifest.json", deep()),
        "set",
        "manifest.json is malformed",
    );
    check(
        with("report.html", vec![b'<'; half]),
        "figures",
        "bytes where",
    );
    let picture = large_picture();
    check(
        with("fig-winners.png", picture),
        "figures",
        "2896 by 2896 pixels",
    );
    check(with("audit.jsonl", vec![b'\n'; half]), "audit log", "");
    let mut files = right.clone();
    files.insert("SHA256SUMS".to_owned(), vec![b'0'; half]);
    check(pack_any(&files), "sums", "line 1");
}
