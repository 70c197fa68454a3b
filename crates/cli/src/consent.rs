//! Asking before work is taken back, dropped or shown.

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

/// What is to be agreed to.
struct Question<'a> {
    doing: &'a str,
    /// What happens, in the words of the refusal where nobody is there to be asked.
    happens: String,
    /// What to do there.
    unasked: &'static str,
    /// What is shown before the question.
    shown: &'a str,
    question: &'static str,
    /// What holds if the answer is no.
    declined: &'static str,
}

impl Question<'_> {
    fn put(self) -> Result<(), Failure> {
        if !somebody_is_here() {
            let cause = format!("{}, and nobody is here to be asked", self.happens);
            return Err(Failure::new(exit::USAGE, self.doing, cause, self.unasked));
        }
        let question = Paint::Care.err(self.question);
        let shown = self.shown;
        if ask(&format!("{shown}{question} Type `yes` to go on: "))? == "yes" {
            return Ok(());
        }
        let cause = "you did not say yes";
        Err(Failure::new(
            exit::REFUSED,
            self.doing,
            cause,
            self.declined,
        ))
    }
}

/// Asks whether what is confidential is to be shown, where nobody said yes before.
pub(crate) fn reveal(doing: &str, yes: bool) -> Result<(), Failure> {
    if yes {
        return Ok(());
    }
    let question = Question {
        doing,
        happens: "it shows what is confidential".to_owned(),
        unasked: "say --yes",
        shown: "",
        question: "Show what is confidential?",
        declined: "nothing was shown; without --reveal it stays sealed",
    };
    question.put()
}

/// Asks whether `count` values are to be dropped for good, where nobody said yes before; `lost` says which.
pub(crate) fn dropping(doing: &str, count: usize, lost: &str, yes: bool) -> Result<(), Failure> {
    if count == 0 || yes {
        return Ok(());
    }
    let ops = text::count(count, "op");
    let question = Question {
        doing,
        happens: format!("it drops what {ops} wrote for good"),
        unasked: "look at them with --preview, and say --yes",
        shown: lost,
        question: "Drop that for good?",
        declined: "nothing was dropped",
    };
    question.put()
}

/// Asks, where `count` ops are taken back and nobody said yes before; `lost` shows them.
pub(crate) fn confirm(doing: &str, count: usize, lost: &str, yes: bool) -> Result<(), Failure> {
    if count == 0 || yes {
        return Ok(());
    }
    let ops = text::count(count, "op");
    let question = Question {
        doing,
        happens: format!("it takes back {ops}"),
        unasked: "look at them with --preview, and say --yes",
        shown: lost,
        question: "Take that back?",
        declined: "nothing was written",
    };
    question.put()
}
