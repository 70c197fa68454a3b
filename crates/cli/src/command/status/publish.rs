//! `ecac status publish`: withdrawing credentials by number.

use std::collections::BTreeSet;

use ecac_core::EffectCode;
use ecac_core::limits::STATUS_INDEX_MAX;
use ecac_core::payload::StatusList;
use serde_json::json;

use crate::command::grant;
use crate::deed::Deed;
use crate::edge::Globals;
use crate::failure::Failure;
use crate::people::People;
use crate::{output, text};

/// Publish a version of a status list in the project
///
/// Bits that an earlier version set stay set, named or not. Without --bits the list has none set, so that credentials can name
/// it. Where work is taken back, you are asked; a script says --yes.
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
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    let (project, writer, key) = globals.writing()?;
    let people = People::of(&project);
    let now_ms = globals.now_ms()?;
    let issuer = grant::issuer(globals, &key)?;
    let listing = grant::unlisted(&writer, &key, &issuer, now_ms)?;
    let is_listed_now = listing.is_some();
    let bits: BTreeSet<u64> = args.bits.iter().copied().collect();
    let jwt = issuer.status_list(&args.list, now_ms, &bits);
    let deed = Deed {
        doing: "publish the status list",
        hint: "a list is named by a URL, such as https://shop.example/status",
        fine: &[EffectCode::WithdrawsNothing],
        yes: args.yes,
    };
    let list = StatusList { jwt };
    let mut ops = listing.map(Into::into).into_iter().chain([list.into()]);
    let mut done = deed.carry_out(writer, &people, &key, now_ms, &mut |_| ops.next())?;
    if args.json {
        let listed = done.ops.first().filter(|_| is_listed_now);
        done.document["format"] = json!("ecac-status-v1");
        done.document["list"] = json!(args.list);
        done.document["bits"] = json!(bits);
        done.document["issuer_key"] = json!(listed.map(|it| it.op));
        return output::print_json(&done.document);
    }
    let what = format!("StatusList {}: {}", text::name(&args.list), done.effect);
    output::print((done.line(&what) + &done.lost).as_bytes())
}
