//! What the program says to somebody who does not know its commands yet.

use clap::error::{ContextKind, ContextValue, ErrorKind};

/// Where to begin, by who asks.
pub const START: &str = "\
Start here:
  something is missing   cargo xtask doctor
  review the paper       cargo xtask repro           make every artifact
                         cargo xtask verify-golden   compare with those cited
  a downloaded file      cargo xtask bundle verify FILE --key release.pub
  change the code        cargo test --workspace --locked
  release                cargo xtask audit
                         cargo xtask bundle --sign --key release.key";

/// Words that people type, and what does what they mean.
const MEANT: [(&[&str], &str); 9] = [
    (&["reproduce", "run", "build", "all"], "cargo xtask repro"),
    (
        &["verify", "compare", "diff"],
        "cargo xtask verify-golden, or for a downloaded file cargo xtask bundle verify FILE",
    ),
    (&["sign", "release"], "cargo xtask bundle --sign"),
    (
        &["attest", "quorum"],
        "cargo xtask bundle attest, cargo xtask bundle quorum",
    ),
    (&["keygen", "key-new"], "cargo xtask key new"),
    (&["update", "bless"], "cargo xtask golden --update"),
    (
        &["deny", "licenses", "vulnerabilities"],
        "cargo xtask audit",
    ),
    (
        &["test", "tests", "tidy"],
        "cargo test --workspace --locked",
    ),
    (&["ci", "check", "lint", "fmt", "clippy"], ".ci/run"),
];

/// For a subcommand that does not exist: what was probably meant.
pub fn hint(error: &clap::Error) -> Option<String> {
    let ContextValue::String(word) = error.get(ContextKind::InvalidSubcommand)? else {
        return None;
    };
    let is_unknown = error.kind() == ErrorKind::InvalidSubcommand;
    let (_, meant) = MEANT
        .iter()
        .find(|(words, _)| is_unknown && words.contains(&word.as_str()))?;
    Some(format!("hint: {meant}\n"))
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser as _};

    use super::*;
    use crate::command::Cli;

    #[test]
    fn no_word_is_a_command_and_each_gets_its_hint() {
        for (words, meant) in MEANT {
            for word in words {
                let error = Cli::try_parse_from(["xtask", word]).unwrap_err();
                assert_eq!(hint(&error), Some(format!("hint: {meant}\n")), "{word}");
            }
        }
        let typo = Cli::try_parse_from(["xtask", "rerpo"]).unwrap_err();
        assert_eq!(hint(&typo), None);
        assert!(typo.render().to_string().contains("'repro'"), "{typo}");
    }

    #[test]
    fn what_was_meant_exists() {
        let mut cli = Cli::command();
        cli.build();
        let meant = MEANT.map(|(_, meant)| meant).join(" ");
        let mut named = 0;
        for rest in meant.split("cargo xtask ").skip(1) {
            let word = rest.split([' ', ',']).next().unwrap();
            assert!(cli.find_subcommand(word).is_some(), "{word}");
            named += 1;
        }
        assert!(named > 7, "{named}");
    }
}
