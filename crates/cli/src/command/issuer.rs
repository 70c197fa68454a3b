//! `ecac issuer`: whose credentials count.

use ecac_artifact::exit;
use ecac_core::payload::{IssuerKey, IssuerKeyRevoke};
use ecac_core::{Name, PublicKey};
use serde_json::{Value as Json, json};

use super::grant::{self, DAY_MS};
use crate::deed::{self, Deed};
use crate::edge::Globals;
use crate::failure::Failure;
use crate::people::People;
use crate::table::{self, Table};
use crate::told::{self, Teller};
use crate::{output, text};

/// List, add and revoke the keys of issuers
///
/// Who vouches for people is an issuer; its keys are listed in the project. `ecac add-member` lists yours by the way.
#[derive(Debug, clap::Subcommand)]
#[command(
    arg_required_else_help = true,
    after_help = "Examples:
  ecac issuer list
  ecac issuer add
  ecac issuer revoke https://hr.example 2026 --reason 'laptop lost'"
)]
pub(crate) enum Command {
    List(List),
    Add(Add),
    Revoke(Revoke),
}

/// List the keys of issuers
///
/// Keys that count and keys that were revoked, each with the issuer's name, the key id and the key.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ecac issuer list
  ecac issuer list --json")]
pub(crate) struct List {
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// Trust the key of an issuer: yours, or one that is named
///
/// Without arguments your own issuer key is listed. For another issuer name its URL, the key id and the did:key, as its
/// credentials have them.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ecac issuer add
  ecac issuer add https://hr.example 2026 did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK")]
pub(crate) struct Add {
    /// The issuer, as its credentials name it
    #[arg(value_name = "ISSUER", requires = "did")]
    issuer: Option<String>,
    /// The key id
    #[arg(value_name = "KID")]
    kid: Option<String>,
    /// The key
    #[arg(value_name = "DID")]
    did: Option<PublicKey>,
    /// For how many days
    #[arg(long, value_name = "N", default_value_t = 3650, value_parser = clap::value_parser!(u64).range(1..=36500))]
    days: u64,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// Revoke the keys that are listed under a key id
///
/// Every grant that rests on a credential of that key ends, and what is written under it elsewhere meanwhile is taken back.
/// With --preview nothing is written. Where work is taken back, you are asked; a script says --yes.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ecac issuer revoke https://hr.example 2026 --reason 'laptop lost' --preview
  ecac issuer revoke https://hr.example 2026 --reason 'laptop lost' --yes")]
pub(crate) struct Revoke {
    /// The issuer
    #[arg(value_name = "ISSUER")]
    issuer: String,
    /// The key id
    #[arg(value_name = "KID")]
    kid: String,
    /// Why, for people
    #[arg(long, default_value = "revoked")]
    reason: String,
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

pub(crate) fn run(command: &Command, globals: &Globals) -> Result<(), Failure> {
    match command {
        Command::List(args) => list(args, globals),
        Command::Add(args) => add(args, globals),
        Command::Revoke(args) => revoke(args, globals),
    }
}

fn name(text: &str) -> Result<Name, Failure> {
    Name::new(text).map_err(|error| {
        Failure::new(
            exit::USAGE,
            "name the issuer",
            error,
            "copy it from a credential: `ecac credential show FILE`",
        )
    })
}

fn list(args: &List, globals: &Globals) -> Result<(), Failure> {
    let (_, replica) = globals.reading()?;
    let trust: Json = serde_json::from_slice(&replica.trust()).unwrap_or_default();
    let keys = &trust["issuer_keys"];
    if args.json {
        return output::print_json(
            &json!({ "format": "ecac-issuers-v1", "active": keys["active"], "revoked": keys["revoked"] }),
        );
    }
    let mut table = Table::new(["N", "STANDING", "KEY ID", "ISSUER"]);
    let mut number: usize = 0;
    for (standing, member) in [("active", "active"), ("revoked", "revoked")] {
        for key in keys[member].as_array().map_or(&[][..], Vec::as_slice) {
            number += 1;
            let shown = |member: &str| text::name(key[member].as_str().unwrap_or_default());
            table.push([
                number.to_string(),
                standing.to_owned(),
                shown("kid"),
                shown("issuer"),
            ]);
        }
    }
    if number == 0 {
        output::note(
            "note: no key is listed yet; `ecac issuer add` lists yours, and so does `ecac add-member`\n",
        );
    }
    output::print(table.render(table::terminal_width()).as_bytes())
}

fn add(args: &Add, globals: &Globals) -> Result<(), Failure> {
    let (_, mut writer, key) = globals.writing()?;
    let now_ms = globals.now_ms()?;
    let until_ms = now_ms.saturating_add(args.days.saturating_mul(DAY_MS));
    let listing = match (&args.issuer, &args.kid, args.did) {
        (Some(issuer), Some(kid), Some(public_key)) => IssuerKey {
            issuer: name(issuer)?,
            kid: name(kid)?,
            public_key,
            valid_from_ms: grant::window_start_ms(now_ms),
            valid_until_ms: until_ms,
        },
        _ => {
            let issuer = grant::issuer(globals, &key)?;
            if grant::is_listed(&writer, &issuer) {
                return Err(Failure::new(
                    exit::REFUSED,
                    "list your key as an issuer's",
                    "it is listed already",
                    "`ecac issuer list` shows it",
                ));
            }
            issuer.listing(grant::window_start_ms(now_ms), until_ms)
        }
    };
    let listed = writer.author(listing.clone(), &key, now_ms);
    let listed = listed.map_err(|error| Failure::of("list the key", &error))?;
    writer
        .close()
        .map_err(|error| Failure::of("end the writing", &error))?;
    if args.json {
        return output::print_json(&json!({
            "format": "ecac-issuer-v1",
            "op": listed.op,
            "issuer": listing.issuer,
            "kid": listing.kid,
            "did": listing.public_key,
            "effect": listed.effect,
        }));
    }
    let effect = told::effect(listed.effect.as_ref());
    let told = format!(
        "{}  IssuerKey {} {}: {effect}\n",
        text::op(&listed.op),
        text::name(&listing.issuer),
        text::name(&listing.kid)
    );
    output::print(told.as_bytes())
}

fn revoke(args: &Revoke, globals: &Globals) -> Result<(), Failure> {
    let doing = "revoke the issuer's key";
    let payload = IssuerKeyRevoke {
        issuer: name(&args.issuer)?,
        kid: name(&args.kid)?,
        reason: name(&args.reason)?,
    };
    let now_ms = globals.now_ms()?;
    if args.preview {
        let (project, replica) = globals.reading()?;
        let people = People::of(&project);
        let key = project
            .key()
            .map_err(|error| Failure::of("open your key", &error))?;
        let preview = replica.preview(payload, key.public(), now_ms);
        let preview = preview.map_err(|error| Failure::of(doing, &error.into()))?;
        let teller = Teller {
            replica: &replica,
            people: &people,
        };
        if args.json {
            let mut document = teller.preview_json(&preview);
            document["format"] = json!("ecac-issuer-revoke-v1");
            return output::print_json(&document);
        }
        return output::print(deed::preview_text(&teller, &preview).as_bytes());
    }
    let (project, writer, key) = globals.writing()?;
    let people = People::of(&project);
    let deed = Deed {
        doing,
        hint: "`ecac issuer list` shows the keys",
        fine: &[],
        yes: args.yes,
    };
    let mut payload = Some(payload.into());
    let mut done = deed.carry_out(writer, &people, &key, now_ms, &mut |_| payload.take())?;
    if args.json {
        done.document["format"] = json!("ecac-issuer-revoke-v1");
        return output::print_json(&done.document);
    }
    let told = done.line(&format!("IssuerKeyRevoke: {}", done.effect)) + &done.lost;
    output::print(told.as_bytes())
}
