//! `ecac credential`: papers that you sign as an issuer.

use std::io::{self, Read as _};
use std::path::PathBuf;

use ecac_artifact::exit;
use ecac_core::credential::{Credential, Role, StatusPurpose, StatusRef};
use ecac_core::limits::JWT_BYTES_MAX;
use ecac_core::{PublicKey, Tags};
use ecac_project::NewCredential;
use serde_json::json;

use super::grant::{self, DAY_MS};
use crate::edge::Globals;
use crate::failure::Failure;
use crate::output::{self, Destination};
use crate::people::{self, People};
use crate::{input, text};

/// Sign and look at credentials
///
/// A credential says who may do what, where and when: a W3C Verifiable Credential as a JWT. It permits nothing before somebody in
/// the project grants it.
#[derive(Debug, clap::Subcommand)]
#[command(
    arg_required_else_help = true,
    after_help = "Examples:
  ecac credential issue tom --role editor --scope repair --out tom.jwt
  ecac credential show tom.jwt"
)]
pub(crate) enum Command {
    Issue(Issue),
    Show(Show),
}

/// Sign a credential with your issuer key
///
/// It is printed, and nothing is written in the project. A bit of a status list can withdraw it later: the list has to be
/// published (`ecac status publish`) before the credential is granted.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ecac credential issue tom --role editor --scope repair
  ecac credential issue tom --role editor --scope repair --status https://shop.example/status#7")]
pub(crate) struct Issue {
    /// Who, by the name that you gave or the did:key
    #[arg(value_name = "NAME")]
    who: String,
    /// What they may do
    #[arg(long, value_parser = people::role)]
    role: Role,
    /// On what: tags, with commas between them
    #[arg(long, value_name = "TAGS", value_parser = people::tags)]
    scope: Tags,
    /// For how many days
    #[arg(long, value_name = "N", default_value_t = 365, value_parser = clap::value_parser!(u64).range(1..=36500))]
    days: u64,
    /// The bit that withdraws it: a status list's URL, `#`, and the number
    #[arg(long, value_name = "LIST#BIT", value_parser = status)]
    status: Option<StatusRef>,
    #[command(flatten)]
    destination: Destination,
}

/// Say what a credential says
///
/// FILE has one JWT; `-` is standard input. Whether its signature verifies with a key that the project lists is said too,
/// where there is a project.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ecac credential show tom.jwt
  ecac credential show tom.jwt --json")]
pub(crate) struct Show {
    /// File with the JWT
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

fn status(text: &str) -> Result<StatusRef, String> {
    let wanted = "a bit is named as URL#NUMBER, such as https://shop.example/status#7";
    let (list, index) = text.rsplit_once('#').ok_or(wanted)?;
    Ok(StatusRef {
        list: list.to_owned(),
        index: index.parse().map_err(|_| wanted)?,
        purpose: StatusPurpose::Revocation,
    })
}

pub(crate) fn run(command: &Command, globals: &Globals) -> Result<(), Failure> {
    match command {
        Command::Issue(args) => issue(args, globals),
        Command::Show(args) => show(args, globals),
    }
}

fn issue(args: &Issue, globals: &Globals) -> Result<(), Failure> {
    let destination = args.destination.claim()?;
    let project = globals.project()?;
    let key = project
        .key()
        .map_err(|error| Failure::of("open your key", &error))?;
    let now_ms = globals.now_ms()?;
    let jwt = grant::issuer(globals, &key)?.credential(&NewCredential {
        subject: People::of(&project).find(&args.who)?,
        role: args.role,
        scope: people::texts(&args.scope),
        valid_from_ms: now_ms,
        valid_until_ms: now_ms.saturating_add(args.days * DAY_MS),
        status: args.status.iter().cloned().collect(),
    });
    let doing = "issue the credential";
    Credential::parse(&jwt).map_err(|error| {
        Failure::new(
            exit::USAGE,
            doing,
            error,
            "look at the scope and at the URL of the status list",
        )
    })?;
    destination.write(format!("{jwt}\n").as_bytes())
}

fn show(args: &Show, globals: &Globals) -> Result<(), Failure> {
    let what = format!("the credential {}", input::label(&args.file));
    let mut bytes = Vec::new();
    let limit = JWT_BYTES_MAX as u64 + 2;
    let read = if args.file.as_os_str() == "-" {
        io::stdin().lock().take(limit).read_to_end(&mut bytes)
    } else {
        input::open(&args.file).and_then(|file| file.take(limit).read_to_end(&mut bytes))
    };
    read.map_err(|error| Failure::read(&what, &error))?;
    let bad = |cause: String| {
        Failure::new(
            exit::BAD_INPUT,
            format!("read {what}"),
            cause,
            "a credential is one line of three parts with dots between them",
        )
    };
    let jwt = str::from_utf8(&bytes).map_err(|_| bad("it is no text".to_owned()))?;
    let paper = Credential::parse(jwt.trim_ascii())
        .map_err(|error| bad(text::escape(&error.to_string())))?;
    let vouched = vouched(&paper, globals);
    if args.json {
        let status: Vec<_> = paper
            .status
            .iter()
            .map(|it| json!({ "list": it.list, "index": it.index, "purpose": it.purpose }))
            .collect();
        return output::print_json(&json!({
            "format": "ecac-credential-v1",
            "issuer": paper.issuer,
            "kid": paper.kid,
            "id": paper.id,
            "subject": paper.subject,
            "role": paper.role,
            "scope": paper.scope,
            "valid_from": paper.valid_from,
            "valid_until": paper.valid_until,
            "status": status,
            "listed_key_signed_it": vouched,
        }));
    }
    let mut told = format!(
        "issuer   {} {}\nsubject  {}\nrole     {}\nscope    {}\nfrom     {}\nuntil    {}\n",
        text::name(&paper.issuer),
        text::name(&paper.kid),
        paper.subject,
        paper.role,
        text::list(paper.scope.iter().map(String::as_str)),
        text::timestamp(&paper.valid_from),
        text::timestamp(&paper.valid_until),
    );
    for status in &paper.status {
        told += &format!("status   {} {}\n", text::name(&status.list), status.index);
    }
    told += match vouched {
        Some(true) => "signed   by a key that the project lists\n",
        Some(false) => {
            "signed   by no key that the project lists: a grant of it would count for nothing\n"
        }
        None => "signed   not looked at: there is no project here\n",
    };
    output::print(told.as_bytes())
}

/// Whether a key that the project lists for the issuer signed it; `None` without a project.
fn vouched(paper: &Credential, globals: &Globals) -> Option<bool> {
    let replica = globals.project().ok()?.read().ok()?;
    let trust: serde_json::Value = serde_json::from_slice(&replica.trust()).ok()?;
    let keys = trust["issuer_keys"]["active"].as_array()?;
    let mut mine = keys
        .iter()
        .filter(|key| key["issuer"] == paper.issuer.as_str() && key["kid"] == paper.kid.as_str());
    Some(mine.any(|key| {
        let key = key["public_key"]
            .as_str()
            .and_then(|it| it.parse::<PublicKey>().ok());
        key.is_some_and(|key| paper.verifies_with(&key))
    }))
}
