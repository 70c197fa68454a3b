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
    &["keys"],
    &["keys", "publish"],
    &["keys", "give"],
    &["rotate"],
    &["endorse"],
    &["seal"],
    &["cosign"],
    &["pending"],
    &["device"],
    &["device", "ask"],
    &["device", "add"],
    &["device", "revoke"],
    &["device", "list"],
    &["import"],
    &["export"],
    &["sync"],
    &["node"],
    &["node", "key"],
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
    &["prune"],
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
    &["audit", "views"],
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
    for args in [
        &[][..],
        &["audit"],
        &["bench"],
        &["key"],
        &["issuer"],
        &["device"],
    ] {
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
        &["check", "ops", "--shuffle", "0"],
        &["check", "ops", "--seed", "-1"],
        &["log", "ops", "--project", "abc"],
        &["trust-dump", "ops", "--force"],
        &["audit-export", "ops"],
        &["audit-export", "ops", "--seed", "1", "--node-key", "k"],
        &["audit-verify", "audit"],
        &["endorse", "--since", "yesterday"],
        &["endorse", "1f3a9c0d", "--all-of", "tom"],
        &["cosign", "1f3a9c0d", "--preview", "--yes"],
        &["device", "add", "ecac:device/x"],
        &["init", "shop", "--quorum", "0"],
        &["init", "shop", "--confidential", ""],
        &["set", "a", "b"],
        &["set", "a", "b", "c", "--stdin"],
        &["dump-state-json", "ops", "--reveal"],
        &["dump-state-json", "--yes"],
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

#[test]
fn the_page_of_the_program_names_every_command_form_and_exit_code() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(root.join("../../docs/cli.md")).expect("the page is there");
    for command in COMMANDS.iter().filter(|command| !command.is_empty()) {
        let typed = command.join(" ");
        let is_group = COMMANDS
            .iter()
            .any(|it| it.len() > 1 && it[0] == command[0]);
        let named =
            page.contains(&format!("`ecac {typed}")) || page.contains(&format!("`{typed}`"));
        assert!(named || is_group, "{typed}");
    }
    let mut sources = vec![root.join("src/command")];
    let mut forms = 0;
    while let Some(next) = sources.pop() {
        for entry in std::fs::read_dir(&next).expect("a directory") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                sources.push(path);
                continue;
            }
            let source = std::fs::read_to_string(&path).expect("a source");
            let written = source.split("\"ecac-").skip(1);
            for form in written.filter_map(|it| it.split_once('"')).map(|it| it.0) {
                if form.ends_with("-v1") {
                    assert!(page.contains(&format!("`ecac-{form}`")), "{form}");
                    forms += 1;
                }
            }
        }
    }
    assert!(forms > 20, "{forms}");
    for code in [
        exit::USAGE,
        exit::ENVIRONMENT,
        exit::BAD_INPUT,
        exit::NOT_FOUND,
        exit::VERIFICATION,
        exit::UNDECIDED,
        exit::REFUSED,
    ] {
        assert!(page.contains(&format!("\n| {code} | ")), "{code}");
    }
}
