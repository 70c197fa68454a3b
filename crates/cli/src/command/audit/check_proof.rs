//! `ecac audit check-proof`: whether a proof shows that a node recorded an entry.

use std::fmt::Write as _;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use ecac_artifact::exit;
use ecac_audit::{
    CheckpointError, CosignedCheckpoint, EntryProof, Origin, VerifyProofError, WitnessKey,
};
use ecac_core::{ProjectId, PublicKey};
use serde::Serialize;

use crate::failure::Failure;
use crate::{input, output, text};

/// The longest file with proofs; one has some 2 kB.
const PROOFS_BYTES_MAX: u64 = 1 << 20;

/// Check a proof that a node recorded an entry
///
/// FILE holds what `ecac audit prove` wrote, or what another program wrote in the format of c2sp.org/tlog-proof with the
/// entry as extra data. Nothing else is needed: no audit log, no op log, no network.
///
/// Without --node the proof is checked against the key that it names itself, and then anybody can have made it. With
/// --witness each of these witnesses must have signed the head; where one has not, the exit code is 8.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ecac audit check-proof applied.tlog-proof --node did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK
  ecac audit check-proof applied.tlog-proof --witness witness.example/w1+1a2b3c4d+BA… --json")]
pub(crate) struct Args {
    /// The proof, or several, one after the other
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Project that it must be of, as the op id of its genesis
    #[arg(long, value_name = "HEX")]
    project: Option<ProjectId>,
    /// Node that must have signed it
    #[arg(long, value_name = "DID")]
    node: Option<PublicKey>,
    /// Witness that must have signed the head, as a vkey of c2sp.org/signed-note
    #[arg(long = "witness", value_name = "VKEY")]
    witnesses: Vec<WitnessKey>,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let proofs = read(&args.file)?;
    let checked: Vec<Checked> = proofs
        .iter()
        .map(|proof| check(args, proof))
        .collect::<Result<_, _>>()?;
    if args.node.is_none() {
        output::note("warning: without --node anybody can have made the proof; compare the node\n");
    }
    let absent = checked
        .iter()
        .flat_map(|it| &it.witnesses_absent)
        .next()
        .cloned();
    if args.json {
        output::print_json(&Answer {
            format: "ecac-audit-check-proof-v1",
            verdict: verdict(absent.is_none()),
            proofs: &checked,
        })?;
    } else {
        let texts: Vec<String> = checked.iter().map(Checked::to_text).collect();
        output::print(texts.join("\n").as_bytes())?;
    }
    match absent {
        None => Ok(()),
        Some(witness) => Err(Failure::new(
            exit::UNDECIDED,
            format!("find all witnesses in the proof {}", text::path(&args.file)),
            format!("the witness {witness} did not sign the head"),
            "what the node signed is proven; ask for a proof against a head that the witness has signed",
        )),
    }
}

const fn verdict(is_witnessed: bool) -> &'static str {
    if is_witnessed {
        "PROVEN"
    } else {
        "NOT WITNESSED"
    }
}

fn read(path: &Path) -> Result<Vec<EntryProof>, Failure> {
    let mut bytes = Vec::new();
    input::open(path)
        .and_then(|file| file.take(PROOFS_BYTES_MAX + 1).read_to_end(&mut bytes))
        .map_err(|error| Failure::read(&format!("the proof {}", text::path(path)), &error))?;
    Some(&bytes)
        .filter(|bytes| bytes.len() as u64 <= PROOFS_BYTES_MAX)
        .and_then(|bytes| str::from_utf8(bytes).ok())
        .and_then(|text| EntryProof::parse_all(text).ok())
        .ok_or_else(|| bad_input(path, "it is no proof of c2sp.org/tlog-proof"))
}

fn bad_input(path: &Path, cause: &str) -> Failure {
    Failure::new(
        exit::BAD_INPUT,
        format!("read the proof {}", text::path(path)),
        text::escape(cause),
        "a proof is what `ecac audit prove` writes; fetch it again",
    )
}

fn check(args: &Args, proof: &EntryProof) -> Result<Checked, Failure> {
    let path = &args.file;
    let origin = Origin::of_note(&proof.checkpoint);
    let origin = origin.ok_or_else(|| bad_input(path, "its head is not that of an audit log"))?;
    let refuse = |code, cause: &str, hint: &str| {
        let doing = format!("check the proof {}", text::path(path));
        Failure::new(code, doing, text::escape(cause), hint)
    };
    let other = "ask the node for its own proof, or check --node and --project";
    if let Some(node) = args.node.filter(|node| *node != origin.node) {
        let cause = format!("it is of the node {}, not {node}", origin.node);
        return Err(refuse(exit::VERIFICATION, &cause, other));
    }
    if let Some(project) = args.project.filter(|project| *project != origin.project) {
        let cause = format!("it is of the project {}, not {project}", origin.project);
        return Err(refuse(exit::VERIFICATION, &cause, other));
    }
    let entry = proof.line.as_deref().zip(proof.entry());
    let (line, entry) = entry.ok_or_else(|| {
        bad_input(
            path,
            "it does not carry the entry of its index as extra data",
        )
    })?;
    let cosigned = proof.verify_cosigned(&origin, line).map_err(|error| {
        let code = match &error {
            VerifyProofError::Checkpoint(
                CheckpointError::Key { .. } | CheckpointError::Signature,
            ) => exit::BAD_SIGNATURE,
            VerifyProofError::Checkpoint(_) => exit::BAD_INPUT,
            VerifyProofError::Proof(_) | VerifyProofError::OldSize { .. } => exit::VERIFICATION,
        };
        refuse(
            code,
            &error.to_string(),
            "the proof proves nothing; fetch it again",
        )
    })?;
    let signed = cosigned.cosignatures(&args.witnesses).map_err(|error| {
        refuse(
            exit::BAD_SIGNATURE,
            &error.to_string(),
            "fetch the proof again, or check --witness",
        )
    })?;
    Ok(Checked::of(
        origin,
        proof,
        entry.kind().name(),
        line,
        &cosigned,
        &args.witnesses,
        signed,
    ))
}

#[derive(Serialize)]
struct Answer<'a> {
    format: &'static str,
    verdict: &'static str,
    proofs: &'a [Checked],
}

/// A proof that holds.
#[derive(Debug, Serialize)]
struct Checked {
    project: ProjectId,
    node: PublicKey,
    tree_size: u64,
    root: String,
    index: u64,
    entry: &'static str,
    line: String,
    witnesses: Vec<Witnessed>,
    witnesses_absent: Vec<String>,
}

/// A witness that signed the head, and when by its own clock.
#[derive(Debug, Serialize)]
struct Witnessed {
    name: String,
    time: String,
}

impl Checked {
    fn of(
        origin: Origin,
        proof: &EntryProof,
        entry: &'static str,
        line: &[u8],
        cosigned: &CosignedCheckpoint,
        asked: &[WitnessKey],
        signed: Vec<ecac_audit::Cosignature>,
    ) -> Self {
        let head = cosigned.checkpoint().head();
        let absent = asked
            .iter()
            .filter(|it| signed.iter().all(|found| found.witness != **it));
        Self {
            project: origin.project,
            node: origin.node,
            tree_size: head.size,
            root: head.root.to_string(),
            index: proof.index,
            entry,
            line: String::from_utf8_lossy(line).into_owned(),
            witnesses_absent: absent.map(|it| it.name().to_owned()).collect(),
            witnesses: signed
                .iter()
                .map(|it| Witnessed {
                    name: it.witness.name().to_owned(),
                    time: text::instant(it.time_s.saturating_mul(1000)),
                })
                .collect(),
        }
    }

    fn to_text(&self) -> String {
        let mut out = format!(
            "project: {}\nnode: {}\ntree size: {}\nroot hash: {}\nindex: {}\nentry: {}\n",
            self.project, self.node, self.tree_size, self.root, self.index, self.line
        );
        for witness in &self.witnesses {
            // Writing to a String cannot fail.
            let _ = writeln!(
                out,
                "witness: {} at {}",
                text::name(&witness.name),
                witness.time
            );
        }
        let _ = writeln!(
            out,
            "verdict: {}",
            verdict(self.witnesses_absent.is_empty())
        );
        out
    }
}
