//! `ecac man`: for `man`.

use clap::Command;
use ecac_artifact::exit;

use crate::failure::Failure;
use crate::output;
use crate::people::unknown;

/// Print a man page
///
/// That of the program, or of one command of it by its name, such as `add-member`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ecac man | man -l -
  ecac man revoke > ecac-revoke.1")]
pub(crate) struct Args {
    /// Which command
    #[arg(value_name = "COMMAND")]
    command: Option<String>,
}

pub(crate) fn run(args: &Args, mut program: Command) -> Result<(), Failure> {
    program.build();
    let page = match &args.command {
        None => program,
        Some(name) => {
            let mut commands = program.get_subcommands();
            let found = commands.find(|it| it.get_name() == name).cloned();
            let known = program.get_subcommands().map(Command::get_name);
            let found = found.ok_or_else(|| {
                unknown("find the command", name, known, "`ecac --help` lists them")
            })?;
            found.bin_name(format!("ecac {name}"))
        }
    };
    let title = args
        .command
        .as_ref()
        .map_or_else(|| "ecac".to_owned(), |name| format!("ecac-{name}"));
    let mut roff = Vec::new();
    let rendered = clap_mangen::Man::new(page).title(title).render(&mut roff);
    rendered.map_err(|error| {
        Failure::new(
            exit::INTERNAL,
            "write the man page",
            error,
            "please report this",
        )
    })?;
    output::print(&roff)
}
