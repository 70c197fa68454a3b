//! `ecac status publish`: withdrawing credentials by number.

use std::collections::BTreeSet;

use ecac_artifact::exit;
use ecac_core::EffectCode;
use ecac_core::limits::STATUS_INDEX_MAX;
use ecac_core::payload::StatusList;
use serde_json::json;

use crate::command::grant;
use crate::edge::Globals;
use crate::failure::Failure;
use crate::people::People;
use crate::{output, text, told};

/// Publish a version of a status list in the project
///
/// Bits that an earlier version set stay set, named or not. Without --bits the list has none set, so that credentials can name
/// it. Where work is taken back, say --yes.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ecac status publish https://shop.example/status
  ecac status publish https://shop.example/status --bits 7,12 --yes")]
pub(crate) struct Args {
    /// The list's URL, as credentials name it
    #[arg(value_name = "LIST")]
    list: String,
    /// The bits to set, with commas between them
    #[arg(long, value_name = "BITS", value_delimiter = ',', value_parser = clap::value_parser!(u64).range(..=STATUS_INDEX_MAX))]
    bits: Vec<u64>,
    /// Take back what it takes back
    #[arg(long)]
    yes: bool,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    let doing = "publish the status list";
    let (project, mut writer, key) = globals.writing()?;
    let people = People::of(&project);
    let now_ms = globals.now_ms()?;
    let issuer = grant::issuer(globals, &key)?;
    let listed = grant::list(&mut writer, &key, &issuer, now_ms)?;
    let bits: BTreeSet<u64> = args.bits.iter().copied().collect();
    let jwt = issuer.status_list(&args.list, now_ms, &bits);
    let payload = StatusList { jwt };
    let preview = writer.preview(payload.clone(), key.public(), now_ms);
    let preview = preview.map_err(|error| Failure::of(doing, &error.into()))?;
    let lost = preview.received.rolled_back().count();
    let effect = preview.effect.as_ref();
    if effect.is_none_or(|it| it.code.is_void() && it.code != EffectCode::WithdrawsNothing) {
        let cause = format!("it would count for nothing: {}", told::effect(effect));
        return Err(Failure::new(
            exit::REFUSED,
            doing,
            cause,
            "a list is named by a URL, such as https://shop.example/status",
        ));
    }
    if lost > 0 && !args.yes {
        let cause = format!("it takes back {}", text::count(lost, "op"));
        return Err(Failure::new(
            exit::USAGE,
            doing,
            cause,
            "say --yes if that is meant",
        ));
    }
    let authored = writer.author(payload, &key, now_ms);
    let authored = authored.map_err(|error| Failure::of(doing, &error))?;
    let teller = told::Teller {
        replica: &writer,
        people: &people,
    };
    let mut document = teller.authored_json(&authored);
    let lost = teller.lost(&authored.received, "no longer count");
    writer
        .close()
        .map_err(|error| Failure::of("end the writing", &error))?;
    if args.json {
        document["format"] = json!("ecac-status-v1");
        document["list"] = json!(args.list);
        document["bits"] = json!(bits);
        document["issuer_key"] = json!(listed);
        return output::print_json(&document);
    }
    let effect = told::effect(authored.effect.as_ref());
    output::print(
        format!(
            "{}  StatusList {}: {effect}\n{lost}",
            text::op(&authored.op),
            text::name(&args.list)
        )
        .as_bytes(),
    )
}
