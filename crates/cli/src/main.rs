//! The program `ecac`: works in a project directory, and reads op logs and says what they amount to.
//!
//! Input and output stand here; what an op log means is decided in `ecac_core`, what a project directory is in `ecac_project`. A
//! command that is given op logs recomputes its answer from them alone and trusts nothing else that is written anywhere.
#![forbid(unsafe_code)]

mod arrival;
mod audit_log;
mod behind;
mod carrier;
mod color;
mod command;
mod consent;
mod deed;
mod edge;
mod failure;
mod feature;
mod gathering;
mod give_back;
mod handover;
mod input;
mod interrupt;
mod node_program;
mod nudge;
mod older;
mod op_prefix;
mod output;
mod payload;
mod people;
mod progress;
mod replica;
mod review;
mod secrets;
mod table;
mod text;
mod told;
mod variable;
mod when;

use std::panic;
use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use color::Color;
use command::{
    add, add_member, audit, audit_export, audit_verify, bench, can, check, completions, cosign,
    credential, decisions, device, dump_state_json, endorse, explain, export, get, import, init,
    invite, issuer, join, key, keys, log, ls, man, members, node, pending, prune, regrant, remove,
    revoke, rotate, seal, set, snapshot, status, sync, trust_dump, verify_store, whoami,
};
use edge::Globals;
use failure::Failure;

/// Eventually consistent access control: work offline, revoke meanwhile, meet, and know why what counts.
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
    #[command(flatten)]
    globals: Globals,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Init(init::Args),
    #[command(subcommand)]
    Key(key::Command),
    Whoami(whoami::Args),
    Invite(invite::Args),
    Join(join::Args),
    AddMember(add_member::Args),
    Members(members::Args),
    Can(can::Args),
    Set(set::Args),
    Add(add::Args),
    Remove(remove::Args),
    Get(get::Args),
    Ls(ls::Args),
    Revoke(revoke::Args),
    Regrant(regrant::Args),
    Keys(keys::Args),
    Rotate(rotate::Args),
    Endorse(endorse::Args),
    Seal(seal::Args),
    Cosign(cosign::Args),
    Pending(pending::Args),
    #[command(subcommand)]
    Device(device::Command),
    #[command(visible_alias = "merge")]
    Import(import::Args),
    Export(export::Args),
    Sync(sync::Args),
    Node(node::Args),
    #[command(subcommand)]
    Issuer(issuer::Command),
    #[command(subcommand)]
    Credential(credential::Command),
    Status(status::Args),
    Snapshot(snapshot::Args),
    Prune(prune::Args),
    VerifyStore(verify_store::Args),
    Log(log::Args),
    Explain(explain::Args),
    DumpStateJson(dump_state_json::Args),
    TrustDump(trust_dump::Args),
    Decisions(decisions::Args),
    Check(check::Args),
    AuditExport(audit_export::Args),
    AuditVerify(audit_verify::Args),
    #[command(subcommand)]
    Audit(audit::Command),
    #[command(subcommand)]
    Bench(bench::Command),
    Completions(completions::Args),
    Man(man::Args),
}

impl Command {
    fn run(&self, globals: &Globals) -> Result<(), Failure> {
        match self {
            Self::Init(args) => init::run(args, globals),
            Self::Key(command) => key::run(command, globals),
            Self::Whoami(args) => whoami::run(args, globals),
            Self::Invite(args) => invite::run(args, globals),
            Self::Join(args) => join::run(args, globals),
            Self::AddMember(args) => add_member::run(args, globals),
            Self::Members(args) => members::run(args, globals),
            Self::Can(args) => can::run(args, globals),
            Self::Set(args) => set::run(args, globals),
            Self::Add(args) => add::run(args, globals),
            Self::Remove(args) => remove::run(args, globals),
            Self::Get(args) => get::run(args, globals),
            Self::Ls(args) => ls::run(args, globals),
            Self::Revoke(args) => revoke::run(args, globals),
            Self::Regrant(args) => regrant::run(args, globals),
            Self::Keys(args) => keys::run(args, globals),
            Self::Rotate(args) => rotate::run(args, globals),
            Self::Endorse(args) => endorse::run(args, globals),
            Self::Seal(args) => seal::run(args, globals),
            Self::Cosign(args) => cosign::run(args, globals),
            Self::Pending(args) => pending::run(args, globals),
            Self::Device(command) => device::run(command, globals),
            Self::Import(args) => import::run(args, globals),
            Self::Export(args) => export::run(args, globals),
            Self::Sync(args) => sync::run(args, globals),
            Self::Node(args) => node::run(args, globals),
            Self::Issuer(command) => issuer::run(command, globals),
            Self::Credential(command) => credential::run(command, globals),
            Self::Status(args) => status::run(args, globals),
            Self::Snapshot(args) => snapshot::run(args, globals),
            Self::Prune(args) => prune::run(args, globals),
            Self::VerifyStore(args) => verify_store::run(args, globals),
            Self::Log(args) => log::run(args, globals),
            Self::Explain(args) => explain::run(args, globals),
            Self::DumpStateJson(args) => dump_state_json::run(args, globals),
            Self::TrustDump(args) => trust_dump::run(args, globals),
            Self::Decisions(args) => decisions::run(args, globals),
            Self::Check(args) => check::run(args, globals),
            Self::AuditExport(args) => audit_export::run(args),
            Self::AuditVerify(args) => audit_verify::run(args, globals),
            Self::Audit(audit::Command::Prove(args)) => audit::prove::run(args),
            Self::Audit(audit::Command::CheckProof(args)) => audit::check_proof::run(args),
            Self::Audit(audit::Command::Export(args)) => audit::export::run(args),
            Self::Audit(audit::Command::Views(args)) => audit::views::run(args, globals),
            Self::Bench(bench::Command::Run(args)) => bench::run::run(args),
            Self::Bench(bench::Command::Observe(args)) => bench::observe::run(args),
            Self::Bench(bench::Command::List) => bench::list::run(),
            Self::Completions(args) => completions::run(args, Cli::command()),
            Self::Man(args) => man::run(args, Cli::command()),
        }
    }
}

fn after_help() -> String {
    format!(
        "Examples:
  ecac init 'motor shop'                      found a project in this directory
  ecac add-member DID --as tom --role editor  let somebody in
  ecac set motor/7 status repaired            write, with or without a network
  ecac revoke tom --preview                   which work of whom would be taken back
  ecac import from-van.cborseq                meet: take in what others wrote
  ecac sync /media/stick                      meet through a folder: a USB stick, a share
  ecac node --peer KEY@192.0.2.7:4919         keep in step with another machine over the network
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

/// The command line; colours are settled before anything is said about it.
fn parse() -> Result<Cli, clap::Error> {
    let mut words = std::env::args_os().skip(1);
    let mut when = Color::Auto;
    while let Some(word) = words.next() {
        let word = word.to_string_lossy().into_owned();
        let said = match word.strip_prefix("--color") {
            Some("") => words.next().map(|it| it.to_string_lossy().into_owned()),
            Some(rest) => rest.strip_prefix('=').map(str::to_owned),
            None => None,
        };
        match said.as_deref() {
            Some("always") => when = Color::Always,
            Some("never") => when = Color::Never,
            Some(_) | None => {}
        }
    }
    color::settle(when);
    let choice = match when {
        Color::Auto => clap::ColorChoice::Auto,
        Color::Always => clap::ColorChoice::Always,
        Color::Never => clap::ColorChoice::Never,
    };
    let matches = Cli::command().color(choice).try_get_matches()?;
    Cli::from_arg_matches(&matches)
}

fn main() -> ExitCode {
    panic::set_hook(Box::new(|info| {
        output::note(&failure::defect(info).to_string());
    }));
    if let Err(error) = ecac_project::no_core_dumps() {
        output::note(&format!("note: core dumps stay as they are: {error}\n"));
    }
    let code = panic::catch_unwind(|| match parse() {
        Err(error) => output::print_clap(error),
        Ok(cli) => cli.command.run(&cli.globals).map_or_else(
            |failure| {
                output::note(&failure.to_string());
                failure.code
            },
            |()| ecac_artifact::exit::SUCCESS,
        ),
    });
    ExitCode::from(code.unwrap_or(ecac_artifact::exit::INTERNAL))
}
