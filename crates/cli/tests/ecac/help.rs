//! Help, version and usage.

use std::path::Path;

use ecac_artifact::exit;

use crate::run::{ecac_in, text};

/// Every command, as it is typed.
const COMMANDS: &[&[&str]] = &[
    &[],
    &["init"],
    &["key"],
    &["key", "new"],
    &["key", "list"],
    &["key", "import"],
    &["whoami"],
    &["invite"],
    &["join"],
    &["add-member"],
    &["members"],
    &["can"],
    &["set"],
    &["add"],
    &["remove"],
    &["get"],
    &["ls"],
    &["revoke"],
    &["regrant"],
    &["import"],
    &["export"],
    &["issuer"],
    &["issuer", "list"],
    &["issuer", "add"],
    &["issuer", "revoke"],
    &["credential"],
    &["credential", "issue"],
    &["credential", "show"],
    &["status"],
    &["status", "publish"],
    &["snapshot"],
    &["verify-store"],
    &["completions"],
    &["man"],
    &["log"],
    &["dump-state-json"],
    &["trust-dump"],
    &["decisions"],
    &["explain"],
    &["check"],
    &["audit-export"],
    &["audit-verify"],
    &["audit"],
    &["audit", "prove"],
    &["audit", "check-proof"],
    &["audit", "export"],
    &["bench"],
    &["bench", "run"],
    &["bench", "observe"],
    &["bench", "list"],
];

#[test]
fn every_help_teaches_by_example() {
    for command in COMMANDS {
        for flag in ["-h", "--help"] {
            let help = ecac_in(Path::new("."), command.iter().chain(&[flag])).quietly();
            let help = text(help);
            let (_, examples) = help.split_once("Examples:\n").expect(flag);
            let line = ["  ecac", &command.join(" ")].join(" ");
            assert!(examples.contains(line.trim_end()), "{help}");
        }
    }
}

#[test]
fn the_long_help_says_more_than_the_short_one() {
    for command in COMMANDS.iter().filter(|command| !command.is_empty()) {
        let help = |flag| ecac_in(Path::new("."), command.iter().chain(&[flag])).quietly();
        let (short, long) = (help("-h"), help("--help"));
        assert!(
            long.len() > short.len() || *command == ["bench", "list"],
            "{command:?}"
        );
    }
}

#[test]
fn the_help_lists_every_command_and_ends_in_the_exit_codes() {
    let help = text(ecac_in(Path::new("."), ["--help"]).quietly());
    for command in COMMANDS.iter().filter(|command| command.len() == 1) {
        assert!(help.contains(&format!("\n  {} ", command[0])), "{help}");
    }
    assert!(help.trim_end().ends_with(&exit::help()), "{help}");
}

#[test]
fn without_a_command_there_is_help_and_a_usage_error() {
    for args in [&[][..], &["audit"], &["bench"], &["key"], &["issuer"]] {
        let ran = ecac_in(Path::new("."), args);
        assert_eq!(ran.code, Some(exit::USAGE.into()));
        assert!(ran.stderr.contains("Usage: ecac"), "{}", ran.stderr);
        assert_eq!(ran.stdout, b"");
    }
}

#[test]
fn the_version_is_that_of_the_package() {
    let version = text(ecac_in(Path::new("."), ["--version"]).quietly());
    assert_eq!(version, format!("ecac {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn a_wrong_command_line_is_a_usage_error() {
    for args in [
        &["logs"][..],
        &["log", "ops", "--limit", "-1"],
        &["log", "ops", "--format", "xml"],
        &["log", "ops", "--format", "text", "--json"],
        &["log", "ops", "--verdict", "guilty"],
        &["log", "ops", "--reason", "spite"],
        &["log", "ops", "--author", "did:web:x"],
        &["log", "-", "-"],
        &["check"],
        &["check", "ops", "--shuffle", "0"],
        &["check", "ops", "--seed", "-1"],
        &["log", "ops", "--project", "abc"],
        &["trust-dump", "ops", "--force"],
        &["audit-export", "ops"],
        &["audit-export", "ops", "--seed", "1", "--node-key", "k"],
        &["audit-verify", "audit"],
        &["audit", "prove", "abc", "--audit", "audit"],
        &["audit", "check-proof", "proof", "--witness", "me"],
        &[
            "audit-verify",
            "audit",
            "--log",
            "ops",
            "--node",
            "did:web:x",
        ],
    ] {
        let ran = ecac_in(Path::new("."), args);
        assert_eq!(
            ran.code,
            Some(exit::USAGE.into()),
            "{args:?}: {}",
            ran.stderr
        );
        assert_eq!(ran.stdout, b"", "{args:?}");
    }
}
