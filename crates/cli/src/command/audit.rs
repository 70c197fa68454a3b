//! `ecac audit`: proofs from audit logs, and the segments of a node.

pub(crate) mod check_proof;
pub(crate) mod export;
pub(crate) mod prove;
pub(crate) mod views;

/// Prove what a node recorded, and check such proofs
///
/// A proof shows to anybody who has the node's key that the node recorded an entry, without its audit log. The log is
/// only read, as an export in a file or as the segments of a directory. `ecac audit views` says whether the log of the project here
/// records which confidential values you open.
#[derive(Debug, clap::Subcommand)]
#[command(
    arg_required_else_help = true,
    after_help = "Examples:
  ecac audit prove 1f3a9c0d… --audit audit.jsonl --out applied.tlog-proof --entry applied
  ecac audit check-proof applied.tlog-proof
  ecac audit export segments --out audit.jsonl
  ecac audit views on"
)]
pub(crate) enum Command {
    Prove(prove::Args),
    CheckProof(check_proof::Args),
    Export(export::Args),
    Views(views::Args),
}
