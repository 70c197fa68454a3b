//! Asking before work is taken back.

use std::io::{self, IsTerminal as _};

use ecac_artifact::exit;

use crate::color::Paint;
use crate::failure::Failure;
use crate::{output, text};

/// Whether somebody is there to be asked.
pub(crate) fn somebody_is_here() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// What somebody types in answer to a question; nothing at the end of input.
pub(crate) fn ask(question: &str) -> Result<String, Failure> {
    output::note(question);
    let mut answer = String::new();
    let read = io::stdin().read_line(&mut answer);
    read.map_err(|error| Failure::read("your answer", &error))?;
    Ok(answer.trim().to_owned())
}

/// Asks whether what is confidential is to be shown, where nobody said yes before.
pub(crate) fn reveal(doing: &str, yes: bool) -> Result<(), Failure> {
    if yes {
        return Ok(());
    }
    if !somebody_is_here() {
        let cause = "it shows what is confidential, and nobody is here to be asked";
        return Err(Failure::new(exit::USAGE, doing, cause, "say --yes"));
    }
    let question = Paint::Care.err("Show what is confidential?");
    if ask(&format!("{question} Type `yes` to go on: "))? == "yes" {
        return Ok(());
    }
    let hint = "nothing was shown; without --reveal it stays sealed";
    Err(Failure::new(
        exit::REFUSED,
        doing,
        "you did not say yes",
        hint,
    ))
}

/// Asks whether `count` values are to be dropped for good, where nobody said yes before; `lost` says which.
pub(crate) fn dropping(doing: &str, count: usize, lost: &str, yes: bool) -> Result<(), Failure> {
    if count == 0 || yes {
        return Ok(());
    }
    if !somebody_is_here() {
        let cause = format!(
            "it drops what {} wrote for good, and nobody is here to be asked",
            text::count(count, "op")
        );
        let hint = "look at them with --preview, and say --yes";
        return Err(Failure::new(exit::USAGE, doing, cause, hint));
    }
    let question = Paint::Care.err("Drop that for good?");
    if ask(&format!("{lost}{question} Type `yes` to go on: "))? == "yes" {
        return Ok(());
    }
    let hint = "nothing was dropped";
    Err(Failure::new(
        exit::REFUSED,
        doing,
        "you did not say yes",
        hint,
    ))
}

/// Asks, where `count` ops are taken back and nobody said yes before; `lost` shows them.
pub(crate) fn confirm(doing: &str, count: usize, lost: &str, yes: bool) -> Result<(), Failure> {
    if count == 0 || yes {
        return Ok(());
    }
    if !somebody_is_here() {
        let cause = format!(
            "it takes back {}, and nobody is here to be asked",
            text::count(count, "op")
        );
        return Err(Failure::new(
            exit::USAGE,
            doing,
            cause,
            "look at them with --preview, and say --yes",
        ));
    }
    let question = Paint::Care.err("Take that back?");
    if ask(&format!("{lost}{question} Type `yes` to go on: "))? == "yes" {
        return Ok(());
    }
    Err(Failure::new(
        exit::REFUSED,
        doing,
        "you did not say yes",
        "nothing was written",
    ))
}
