//! The program `ecac`: reads op logs and says what they amount to.
//!
//! Input and output stand here; what an op log means is decided in `ecac_core`. Each command recomputes its answer
//! from the op log alone and trusts nothing else that is written anywhere.
#![forbid(unsafe_code)]

mod audit_log;
mod command;
mod failure;
mod input;
mod interrupt;
mod output;
mod payload;
mod replica;
mod table;
mod text;

use std::panic;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use command::{audit, bench};
use command::{
    audit_export, audit_verify, check, decisions, dump_state_json, explain, log, trust_dump,
};
use failure::Failure;

/// Eventually consistent access control: what an op log says, who may say it, and why.
#[derive(Debug, Parser)]
#[command(
    name = "ecac",
    version,
    arg_required_else_help = true,
    subcommand_required = true,
    disable_help_subcommand = true,
    after_help = after_help()
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Log(log::Args),
    DumpStateJson(dump_state_json::Args),
    TrustDump(trust_dump::Args),
    Decisions(decisions::Args),
    Explain(explain::Args),
    Check(check::Args),
    AuditExport(audit_export::Args),
    AuditVerify(audit_verify::Args),
    #[command(subcommand)]
    Audit(audit::Command),
    #[command(subcommand)]
    Bench(bench::Command),
}

impl Command {
    fn run(&self) -> Result<(), Failure> {
        match self {
            Self::Log(args) => log::run(args),
            Self::DumpStateJson(args) => dump_state_json::run(args),
            Self::TrustDump(args) => trust_dump::run(args),
            Self::Decisions(args) => decisions::run(args),
            Self::Explain(args) => explain::run(args),
            Self::Check(args) => check::run(args),
            Self::AuditExport(args) => audit_export::run(args),
            Self::AuditVerify(args) => audit_verify::run(args),
            Self::Audit(audit::Command::Prove(args)) => audit::prove::run(args),
            Self::Audit(audit::Command::CheckProof(args)) => audit::check_proof::run(args),
            Self::Audit(audit::Command::Export(args)) => audit::export::run(args),
            Self::Bench(bench::Command::Run(args)) => bench::run::run(args),
            Self::Bench(bench::Command::Observe(args)) => bench::observe::run(args),
            Self::Bench(bench::Command::List) => bench::list::run(),
        }
    }
}

fn after_help() -> String {
    format!(
        "Examples:
  ecac log ops.cborseq                        list every op with its verdict
  ecac explain ops.cborseq 1f3a9c0d           say why an op counts, or why it does not
  ecac dump-state-json ops.cborseq | sha256sum
  ecac check ops.cborseq --shuffle 20         show that the order of arrival has no say
  ecac log mine.cborseq theirs.cborseq        merge op logs of one project

An op log is a CBOR sequence (RFC 8742) of signed ops, as `ecac bench run` writes it; `-` is standard input.

{}",
        ecac_artifact::exit::help()
    )
}

fn main() -> ExitCode {
    panic::set_hook(Box::new(|info| {
        output::note(&failure::defect(info).to_string());
    }));
    let code = panic::catch_unwind(|| match Cli::try_parse() {
        Err(error) => output::print_clap(error),
        Ok(cli) => cli.command.run().map_or_else(
            |failure| {
                output::note(&failure.to_string());
                failure.code
            },
            |()| ecac_artifact::exit::SUCCESS,
        ),
    });
    ExitCode::from(code.unwrap_or(ecac_artifact::exit::INTERNAL))
}
