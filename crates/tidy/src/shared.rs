//! What `cargo xtask` builds has the features that the tests of the workspace bring about, so that cargo compiles it once for both.
//! Asked on Linux only: elsewhere other packages bring other features about, and a build costs more, but is as right.

use std::collections::{BTreeMap, BTreeSet};
#[cfg(target_os = "linux")]
use std::{env, process::Command};

/// The features of each package, as `cargo tree --format '{p} | {f}'` prints them; a package can have several sets of them.
fn features(tree: &str) -> BTreeMap<&str, BTreeSet<&str>> {
    let mut features: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for line in tree.lines() {
        let line = line.trim_end_matches("(*)").trim_end();
        let (package, of_package) = line.split_once('|').unwrap_or((line, ""));
        let package = package.trim().trim_end_matches(" (proc-macro)");
        features
            .entry(package)
            .or_default()
            .insert(of_package.trim());
    }
    features
}

/// The packages of `alone` that `together` builds with other features, and both sets of them.
fn differences(alone: &str, together: &str) -> Vec<String> {
    let together = features(together);
    let differ = |(package, alone): (&str, BTreeSet<&str>)| {
        let with_tests = together.get(package)?;
        let differ = *with_tests != alone && !package.starts_with("xtask ");
        differ.then(|| format!("{package}: {alone:?} alone, {with_tests:?} with the tests"))
    };
    features(alone).into_iter().filter_map(differ).collect()
}

#[cfg(target_os = "linux")]
#[test]
fn the_repository_keeps_it() {
    let tree = |selection: &[&str]| {
        let cargo = env::var("CARGO").expect("cargo runs the tests");
        let output = Command::new(cargo)
            .args([
                "tree",
                "--locked",
                "--offline",
                "--prefix",
                "none",
                "--format",
                "{p} | {f}",
            ])
            .args(selection)
            .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
            .output()
            .expect("cargo runs");
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "cargo tree: {complaint}");
        String::from_utf8(output.stdout).expect("cargo prints UTF-8")
    };
    let alone = tree(&[
        "--package",
        "xtask",
        "--features",
        "as-tested",
        "--edges",
        "normal,build",
    ]);
    let together = tree(&["--workspace", "--edges", "normal,build,dev"]);
    let differences = differences(&alone, &together);
    assert!(
        differences.is_empty(),
        "cargo compiles these twice; mend the feature `as-tested` of xtask:\n{}",
        differences.join("\n")
    );
}

#[test]
fn differences_are_found() {
    let alone =
        "xtask v1 (/x) | as-tested\na v1 | std\na v1 | std (*)\nb v1 (proc-macro) |\nc v1 | x\n";
    let together =
        "xtask v1 (/x) |\na v1 | alloc,std\nb v1 (proc-macro) | (*)\nc v1 | x\nd v1 | y\n";
    assert_eq!(
        differences(alone, together),
        [r#"a v1: {"std"} alone, {"alloc,std"} with the tests"#]
    );
}
