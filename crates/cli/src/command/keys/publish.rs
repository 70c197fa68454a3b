//! `ecac keys publish`: the reader key to which others seal keys.

use serde_json::json;

use crate::deed::Deed;
use crate::edge::Globals;
use crate::failure::Failure;
use crate::output;
use crate::people::People;
use crate::secrets::Secrets;

/// Publish your reader key, so that others can give you theirs
///
/// Your reader key is made if there is none; it lies in your own directory of keys, in a file for you alone. Its public half
/// becomes an op: export what is here and send it on. Whoever writes confidentially publishes theirs by the way.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ecac keys publish
  ecac keys publish --json | jq -r .op")]
pub(crate) struct Args {
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    let doing = "publish your reader key";
    let (project, writer, key) = globals.writing()?;
    let now_ms = globals.now_ms()?;
    let secrets = Secrets::made(globals, &project, &writer, doing)?;
    let own = ecac_seal::Opener::reader_key(&secrets);
    let kem = own.kem.name();
    if writer.reader_key(&key.public()).as_ref() == Some(&own) {
        return tell(args, kem, None);
    }
    let deed = Deed {
        doing,
        hint: "import what is new, and try again",
        fine: &[],
        yes: true,
    };
    let mut own = Some(own.into());
    let people = People::of(&project);
    let done = deed.carry_out(writer, &people, &key, now_ms, &mut |_| own.take())?;
    tell(args, kem, done.op())
}

fn tell(args: &Args, kem: &str, op: Option<ecac_core::OpId>) -> Result<(), Failure> {
    if args.json {
        return output::print_json(&json!({
            "format": "ecac-reader-key-v1",
            "op": op,
            "kem": kem,
        }));
    }
    let told = match op {
        Some(op) => format!(
            "{}  ReaderKey of {kem}: send it to those who have keys, `ecac export FILE`; they give you theirs\n",
            crate::text::op(&op)
        ),
        None => format!("your reader key of {kem} is published already\n"),
    };
    output::print(told.as_bytes())
}
