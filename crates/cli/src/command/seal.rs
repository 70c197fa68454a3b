//! `ecac seal`: up to here it stands.

use ecac_artifact::exit;
use ecac_core::{Effect, EffectCode, Feature, OpId, Payload, Replica};
use ecac_project::Key;
use serde_json::{Value as Json, json};

use crate::color::Paint;
use crate::edge::Globals;
use crate::failure::Failure;
use crate::people::People;
use crate::told::{self, Teller};
use crate::{feature, output, text};

/// What is tried, in messages.
const DOING: &str = "seal the project";
/// What becomes of revocations that wait for more roots.
const DROPS: &str =
    "of a root will never count once the seal is final, unless it is signed before you seal";

/// Say that everything that is here stands
///
/// Once enough roots have signed it (`ecac cosign`), what counts now stands whatever arrives later: no revocation takes it back, and
/// what somebody who is out by now signs on old parents ends nothing. A seal takes no work away. The seal names a digest of
/// what it seals, which whoever cosigns it computes again.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ecac seal --preview
  ecac seal
  ecac seal --json | jq -r .op                what the others cosign")]
pub(crate) struct Args {
    /// Say what it would do, and do nothing
    #[arg(long)]
    preview: bool,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    let now_ms = globals.now_ms()?;
    if args.preview {
        let (project, replica) = globals.reading()?;
        feature::needs(&replica, Feature::Seal, DOING)?;
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
    let (project, mut writer, key) = globals.writing()?;
    feature::needs(&writer, Feature::Seal, DOING)?;
    let about = About::of(&writer);
    let digest = writer.next_seal(key.public(), now_ms);
    let digest = digest
        .map_err(|error| Failure::of(DOING, &error.into()))?
        .digest;
    let authored = writer.seal(&key, now_ms);
    let authored = authored.map_err(|error| Failure::of(DOING, &error))?;
    let people = People::of(&project);
    let teller = Teller {
        replica: &writer,
        people: &people,
    };
    let mut document = teller.authored_json(&authored);
    about.complete(&mut document, &teller, &digest);
    let dropped = teller.listed(&about.drops, Paint::Care, DROPS);
    let turned = teller.given(&authored.received, "given back");
    let line = line(authored.effect.as_ref(), teller.replica.quorum());
    writer
        .close()
        .map_err(|error| Failure::of("end the writing", &error))?;
    if args.json {
        return output::print_json(&document);
    }
    let op = text::op(&authored.op);
    let told = format!(
        "{op}  Seal of {}: {line}\n{turned}{dropped}",
        text::count(about.unsealed, "unsealed op")
    );
    output::print(told.as_bytes())
}

fn preview(args: &Args, teller: &Teller<'_>, key: &Key, now_ms: u64) -> Result<(), Failure> {
    let failed = |error: ecac_core::DraftError| Failure::of(DOING, &error.into());
    let about = About::of(teller.replica);
    let seal = teller
        .replica
        .next_seal(key.public(), now_ms)
        .map_err(failed)?;
    let digest = seal.digest;
    let preview = teller.replica.preview(seal, key.public(), now_ms);
    let preview = preview.map_err(failed)?;
    if args.json {
        let mut document = teller.preview_json(&preview);
        about.complete(&mut document, teller, &digest);
        return output::print_json(&document);
    }
    let line = line(preview.effect.as_ref(), teller.replica.quorum());
    let turned = teller.given(&preview.received, "would count again");
    let dropped = teller.listed(&about.drops, Paint::Care, DROPS);
    let told = format!(
        "a seal of {}: {line}\n{turned}{dropped}nothing was written\n",
        text::count(about.unsealed, "unsealed op")
    );
    output::print(told.as_bytes())
}

/// What a seal is about, as far as it is known before it is written.
struct About {
    /// How many ops that count are not sealed yet.
    unsealed: usize,
    /// Revocations that wait for more roots; a final seal that has them in its past drops them.
    drops: Vec<OpId>,
}

impl About {
    fn of(replica: &Replica) -> Self {
        let proposals = replica.proposals().value.into_iter();
        let drops = proposals.filter(|it| {
            let op = replica.log().get(&it.op);
            op.is_some_and(|op| is_denial(&op.body().payload))
        });
        Self {
            unsealed: replica.sealing().unsealed,
            drops: drops.map(|it| it.op).collect(),
        }
    }

    /// What a document of a seal says beside what is said of every op.
    fn complete(&self, document: &mut Json, teller: &Teller<'_>, digest: &[u8; 32]) {
        let drops = self.drops.iter().map(|op| teller.op_json(op));
        document["format"] = json!("ecac-seal-v1");
        document["digest"] = json!(hex::encode(digest));
        document["seals"] = json!(self.unsealed);
        document["drops"] = json!(drops.collect::<Vec<_>>());
        document["quorum"] = json!(teller.replica.quorum());
    }
}

const fn is_denial(payload: &Payload) -> bool {
    match payload {
        Payload::Revoke(_)
        | Payload::IssuerKeyRevoke(_)
        | Payload::StatusList(_)
        | Payload::DeviceRevoke(_) => true,
        Payload::Genesis(_)
        | Payload::SetField(_)
        | Payload::SetAdd(_)
        | Payload::SetRemove(_)
        | Payload::Credential(_)
        | Payload::Grant(_)
        | Payload::IssuerKey(_)
        | Payload::Upgrade(_)
        | Payload::Schema(_)
        | Payload::Seal(_)
        | Payload::Cosign(_)
        | Payload::Endorse(_)
        | Payload::Device(_)
        | Payload::ReaderKey(_)
        | Payload::KeyRotate(_)
        | Payload::KeyGrant(_)
        | Payload::SetFieldSealed(_)
        | Payload::SetAddSealed(_)
        | Payload::Unassigned(_) => false,
    }
}

/// What becomes of the seal.
fn line(effect: Option<&Effect>, quorum: usize) -> String {
    match effect.map(|it| it.code) {
        Some(EffectCode::Seals) => "it is final, and they stand".to_owned(),
        Some(EffectCode::Short) => format!(
            "it waits for {} (`ecac cosign`)",
            text::count(quorum.saturating_sub(1), "more root")
        ),
        Some(_) | None => told::effect(effect).to_owned(),
    }
}

/// The seal says another digest than what is here amounts to.
pub(crate) fn disagreement(computed: Option<[u8; 32]>, says: [u8; 32]) -> Failure {
    let computed = computed.map_or_else(|| "nothing that can be read".to_owned(), hex::encode);
    Failure::new(
        exit::VERIFICATION,
        "cosign the seal",
        "its digest is not that of what it seals",
        "do not sign it; ask who wrote it, and look at both projects with `ecac verify-store`",
    )
    .with_details(vec![
        format!("it says  {}", hex::encode(says)),
        format!("here     {computed}"),
    ])
}
