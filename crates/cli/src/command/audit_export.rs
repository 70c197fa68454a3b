//! `ecac audit-export`: the audit log of a node that takes an op log in.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use ecac_artifact::exit;
use ecac_audit::{AuditLog, NodeKey};
use ecac_bench::AUDIT_BATCH_OPS;

use crate::failure::Failure;
use crate::output::Destination;
use crate::replica::Source;
use crate::{input, text};

/// Hexadecimal digits of a node key file.
const KEY_DIGITS: usize = 64;
/// The longest node key file: the digits and a line ending.
const KEY_FILE_BYTES_MAX: u64 = KEY_DIGITS as u64 + 2;

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
    let failure = |error| Failure::read(&what, &error);
    let file = input::open(path).map_err(failure)?;
    check_private(&file, path, &what)?;
    let mut text = Vec::new();
    file.take(KEY_FILE_BYTES_MAX + 1)
        .read_to_end(&mut text)
        .map_err(failure)?;
    let digits = text.strip_suffix(b"\n").unwrap_or(&text);
    let digits = digits.strip_suffix(b"\r").unwrap_or(digits);
    let mut seed = [0; 32];
    hex::decode_to_slice(digits, &mut seed).map_err(|_| {
        Failure::new(
            exit::BAD_INPUT,
            format!("read {what}"),
            "it is not 64 hexadecimal digits",
            "a node key file holds an Ed25519 seed: `(umask 077; openssl rand -hex 32 > node.key)` makes one",
        )
    })?;
    Ok(NodeKey::from_seed(seed))
}

/// Whoever can read a node key can sign as the node.
#[cfg(unix)]
fn check_private(file: &std::fs::File, path: &Path, what: &str) -> Result<(), Failure> {
    use std::os::unix::fs::PermissionsExt as _;

    let metadata = file.metadata();
    let metadata = metadata.map_err(|error| Failure::read(what, &error))?;
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 == 0 {
        return Ok(());
    }
    Err(Failure::new(
        exit::ENVIRONMENT,
        format!("read {what}"),
        format!("others than its owner have access to it (mode {mode:03o})"),
        format!(
            "take their access away: `chmod 600 {}`; if anybody read it, make a new key",
            text::path(path)
        ),
    ))
}

#[cfg(not(unix))]
fn check_private(_: &std::fs::File, _: &Path, _: &str) -> Result<(), Failure> {
    Ok(())
}
