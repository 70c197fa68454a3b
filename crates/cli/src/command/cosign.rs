//! `ecac cosign`: one more signature under what takes several roots.

use std::collections::BTreeSet;

use ecac_artifact::exit;
use ecac_core::payload::Cosign;
use ecac_core::{Feature, OpId, Preview, Proposal, Replica};
use ecac_project::Key;
use serde_json::{Value as Json, json};

use super::seal;
use crate::deed::Deed;
use crate::edge::Globals;
use crate::failure::Failure;
use crate::op_prefix::OpPrefix;
use crate::people::People;
use crate::told::Teller;
use crate::{feature, output, text};

/// What is tried, in messages.
const DOING: &str = "cosign the op";
/// Sign, as one more root, what takes several
///
/// OP is one that `ecac pending` lists: a seal, the revocation or the grant of a root, a change of the rules. The digest of a
/// seal is computed again here, and a seal that says another one is not signed. Where work is taken back by the signature that
/// completes it, you are asked; a script says --yes.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ecac cosign 1f3a9c0d --preview
  ecac cosign 1f3a9c0d
  ecac cosign 1f3a9c0d --yes --json")]
pub(crate) struct Args {
    /// Which op, by the first digits of its id
    #[arg(value_name = "OP")]
    op: OpPrefix,
    /// Say what it would do, and do nothing
    #[arg(long, conflicts_with = "yes")]
    preview: bool,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    let now_ms = globals.now_ms()?;
    if args.preview {
        let (project, replica) = globals.reading()?;
        let key = project
            .key()
            .map_err(|error| Failure::of("open your key", &error))?;
        let people = People::of(&project);
        let teller = Teller {
            replica: &replica,
            people: &people,
        };
        return preview(args, &teller, &key, now_ms);
    }
    let (project, writer, key) = globals.writing()?;
    let people = People::of(&project);
    let proposal = proposal(args, &writer)?;
    check(&writer, &proposal.op)?;
    let teller = Teller {
        replica: &writer,
        people: &people,
    };
    let what = teller.what(&proposal.op);
    let mut cosign = Some(Cosign { op: proposal.op }.into());
    let mut next = |_: &[Preview]| cosign.take();
    let mut done = deed(args.yes).carry_out(writer, &people, &key, now_ms, &mut next)?;
    if args.json {
        complete(&mut done.document, &proposal);
        return output::print_json(&done.document);
    }
    let what = format!(
        "Cosign of {} {what}: {}",
        text::op(&proposal.op),
        standing(&proposal)
    );
    output::print((done.line(&what) + &done.lost + &done.given).as_bytes())
}

/// A signature that counts for something.
const fn deed(yes: bool) -> Deed<'static> {
    Deed {
        doing: DOING,
        hint: "`ecac pending` shows who has signed what",
        fine: &[],
        yes,
    }
}

fn preview(args: &Args, teller: &Teller<'_>, key: &Key, now_ms: u64) -> Result<(), Failure> {
    let proposal = proposal(args, teller.replica)?;
    check(teller.replica, &proposal.op)?;
    let cosign = Cosign { op: proposal.op };
    let preview = teller.replica.preview(cosign, key.public(), now_ms);
    let preview = preview.map_err(|error| Failure::of(DOING, &error.into()))?;
    deed(args.yes).check(core::slice::from_ref(&preview))?;
    if args.json {
        let mut document = teller.preview_json(&preview);
        complete(&mut document, &proposal);
        return output::print_json(&document);
    }
    let received = &preview.received;
    let shown = teller.lost(received, "would no longer count")
        + &teller.given(received, "would count again");
    let told = format!(
        "{}: {}\n{shown}nothing was written\n",
        teller.what(&proposal.op),
        standing(&proposal)
    );
    output::print(told.as_bytes())
}

/// The op that waits for signatures and is meant.
fn proposal(args: &Args, replica: &Replica) -> Result<Proposal, Failure> {
    feature::needs(replica, Feature::Quorum, DOING)?;
    let known: BTreeSet<OpId> = replica.log().ids_since(0).collect();
    let op = args.op.find(&known, "the project")?;
    let proposals = replica.proposals().value;
    let found = proposals.into_iter().find(|it| it.op == op);
    found.ok_or_else(|| {
        let cause = "it waits for no signature";
        let hint =
            "`ecac pending` lists what does, and `ecac explain` says what has become of an op";
        Failure::new(exit::REFUSED, DOING, cause, hint).with_details(vec![format!("op {op}")])
    })
}

/// A seal is signed only where it says what it seals.
fn check(replica: &Replica, op: &OpId) -> Result<(), Failure> {
    match replica.check_seal(op) {
        Some(it) if !it.agrees() => Err(seal::disagreement(it.computed, it.says)),
        Some(_) | None => Ok(()),
    }
}

/// How many have signed, this signature counted.
fn standing(proposal: &Proposal) -> String {
    let (signed, quorum) = (proposal.signed + 1, proposal.quorum);
    match quorum.saturating_sub(signed) {
        0 => format!("{signed} of {quorum} have signed, and it counts"),
        more => format!(
            "{signed} of {quorum} have signed, and it waits for {}",
            text::count(more, "more root")
        ),
    }
}

fn complete(document: &mut Json, proposal: &Proposal) {
    document["format"] = json!("ecac-cosign-v1");
    document["cosigns"] = json!(proposal.op);
    document["signed"] = json!(proposal.signed + 1);
    document["quorum"] = json!(proposal.quorum);
}
