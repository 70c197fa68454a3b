//! `ecac audit-export`: the audit log of a node that takes an op log in.

use std::path::{Path, PathBuf};

use ecac_artifact::exit;
use ecac_audit::{AuditLog, KeyFileError, NodeKey, read_key_file};
use ecac_bench::AUDIT_BATCH_OPS;

use crate::failure::Failure;
use crate::output::Destination;
use crate::replica::Source;
use crate::text;

/// Write the signed audit log of a node that takes an op log in
///
/// The ops arrive in their order in the files. The node signs with the key in a file, or with the key of the observer of a seeded scenario, which is known
/// to everybody and proves nothing. A node key file holds the 64 hexadecimal digits of an Ed25519 seed, and
/// nobody but its owner may be able to read it.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ecac audit-export ops.cborseq --seed 42 --out audit.jsonl
  ecac audit-export ops.cborseq --node-key node.key > audit.jsonl
  ecac audit-verify audit.jsonl --log ops.cborseq")]
pub(crate) struct Args {
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    key: Key,
    #[command(flatten)]
    destination: Destination,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Key {
    /// Sign as the observer of the scenarios with seed N
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Sign with the Ed25519 seed in FILE
    #[arg(long, value_name = "FILE")]
    node_key: Option<PathBuf>,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let destination = args.destination.claim()?;
    let op_log = args.source.read()?;
    let key = match &args.key {
        Key {
            node_key: Some(path),
            ..
        } => read_key(path)?,
        Key { seed, .. } => ecac_bench::node_key(seed.unwrap_or_default()),
    };
    let audit = AuditLog::of_op_log(op_log.project, &op_log.file.items(), AUDIT_BATCH_OPS, &key);
    destination.write(audit.export().as_bytes())
}

/// Reads a node key; no message repeats any of it.
fn read_key(path: &Path) -> Result<NodeKey, Failure> {
    let what = format!("the node key {}", text::path(path));
    read_key_file(path).map_err(|error| match error {
        KeyFileError::Io(error) => Failure::read(&what, &error),
        KeyFileError::Access { .. } => Failure::new(
            exit::ENVIRONMENT,
            format!("read {what}"),
            error,
            format!(
                "take their access away: `chmod 600 {}`; if anybody read it, make a new key",
                text::path(path)
            ),
        ),
        error => Failure::new(
            exit::BAD_INPUT,
            format!("read {what}"),
            error,
            "a node key file holds an Ed25519 seed: `(umask 077; openssl rand -hex 32 > node.key)` makes one",
        ),
    })
}
