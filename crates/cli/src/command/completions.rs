//! `ecac completions`: for the shell.

use clap::Command;
use clap_complete::Shell;

use crate::failure::Failure;
use crate::output;

/// Print completions for a shell
///
/// Let your shell read them when it starts, or put them where it looks for completions.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ecac completions bash > ~/.local/share/bash-completion/completions/ecac
  ecac completions fish > ~/.config/fish/completions/ecac.fish")]
pub(crate) struct Args {
    /// Which shell
    #[arg(value_enum, value_name = "SHELL")]
    shell: Shell,
}

pub(crate) fn run(args: &Args, mut program: Command) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut program, "ecac", &mut script);
    output::print(&script)
}
