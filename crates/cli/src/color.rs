//! Colours, where they are wanted.

use std::io::{self, IsTerminal as _};
use std::sync::OnceLock;

use clap::ValueEnum;

use crate::variable::variable;

/// When there are colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Color {
    /// On terminals, unless NO_COLOR is set
    #[default]
    Auto,
    /// Wherever output goes
    Always,
    /// Nowhere
    Never,
}

static WHEN: OnceLock<Color> = OnceLock::new();

/// Settles once when there are colours.
pub(crate) fn settle(when: Color) {
    // The first word counts; nobody says a second one.
    let _ = WHEN.set(when);
}

/// What a word is painted as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Paint {
    /// It counts.
    Good,
    /// It does not, or no longer.
    Bad,
    /// It waits, or asks for care.
    Care,
}

impl Paint {
    const fn code(self) -> &'static str {
        match self {
            Self::Good => "32",
            Self::Bad => "31",
            Self::Care => "33",
        }
    }

    /// The word, with colour where standard output has colours.
    pub(crate) fn out(self, word: &str) -> String {
        self.on(word, wants(io::stdout().is_terminal()))
    }

    /// The word, with colour where standard error has colours.
    pub(crate) fn err(self, word: &str) -> String {
        self.on(word, wants(io::stderr().is_terminal()))
    }

    fn on(self, word: &str, wanted: bool) -> String {
        if wanted {
            format!("\u{1b}[{}m{word}\u{1b}[0m", self.code())
        } else {
            word.to_owned()
        }
    }
}

fn wants(is_terminal: bool) -> bool {
    match WHEN.get().copied().unwrap_or_default() {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => {
            let is_dumb = variable("TERM").is_none_or(|term| term == "dumb");
            is_terminal && !is_dumb && variable("NO_COLOR").is_none()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_painted_where_it_is_wanted() {
        assert_eq!(Paint::Bad.on("denied", true), "\u{1b}[31mdenied\u{1b}[0m");
        assert_eq!(Paint::Good.on("applied", false), "applied");
    }
}
