//! The release that is wanted.

use ecac_artifact::exit;
use ecac_fixture::set::COMMIT;

use super::desk::{Desk, Release, key, steps};
use super::set::{files, pack};

#[test]
fn a_release_is_the_one_that_is_wanted_and_that_its_name_promises() {
    let desk = Desk::new();
    let release = Release::signed(pack(files()), &key(1));
    let (canonical, other) = (format!("ecac-artifacts-{COMMIT}"), "f".repeat(40));
    let demand = |option: &str, value: &str| format!("--{option}={value}");
    let check = |name: &str, args: &[&str], step: Option<&str>| {
        let (code, answer) = desk.verify_as(name, &release, args);
        let expected: Vec<_> = step.into_iter().collect();
        assert_eq!(
            steps(&answer, "failed"),
            expected,
            "{name} {args:?}: {answer:#}"
        );
        let expected = step.map_or(exit::SUCCESS, |_| exit::VERIFICATION);
        assert_eq!(code, expected, "{name} {args:?}");
        answer
    };
    let wants = |args: &[&str], step| check("a.tar.gz", args, step);
    let commit = demand("commit", COMMIT);
    let answer = wants(&[&commit, "--version=v0.1.0"], None);
    assert_eq!(answer["commit"], COMMIT);
    wants(&["--version=0.1.0"], None);
    wants(&["--version=v0.2.0"], Some("release"));
    wants(&[&demand("commit", &other)], Some("release"));
    wants(&[&commit, "--version=v0.1.1"], Some("release"));
    wants(
        &[&demand("commit", &format!("{COMMIT}-dirty"))],
        Some("release"),
    );
    for (name, step) in [
        (format!("{canonical}.tar.gz"), None),
        (format!("{canonical} (1).tar.gz"), None),
        ("ecac-v0.1.0.tar.gz".to_owned(), None),
        (format!("ecac-artifacts-{other}.tar.gz"), Some("release")),
        (format!("{canonical}-dirty.tar.gz"), Some("release")),
        ("ecac-v9.9.9.tar.gz".to_owned(), Some("release")),
    ] {
        check(&name, &[], step);
    }
    // A name is told without what a terminal would obey.
    let (code, answer) = desk.verify_as("v9.9.9\u{1b}[2K.tar.gz", &release, &[]);
    assert_eq!(code, exit::VERIFICATION);
    let told = answer.to_string();
    assert!(told.contains("v9.9.9\\\\u{1b}[2K"), "{told}");
    for (args, says) in [
        (&["--commit=HEAD"][..], "40 lower-case hexadecimal digits"),
        (&["--version=latest"], "three numbers such as 0.1.0"),
        (&["--seconds=0"], "0 is not in"),
    ] {
        let mut verify = desk.workspace.xtask(&["bundle", "verify", "a"]);
        ecac_fixture::workspace::check(verify.args(args), exit::USAGE, says);
    }
}
