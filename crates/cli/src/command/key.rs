//! `ecac key`: the keys in your own directory.

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use ecac_artifact::exit;
use ecac_project::{Home, Key, KeyUse};
use serde_json::json;

use crate::edge::{Globals, key_name, seed};
use crate::failure::Failure;
use crate::table::{self, Table};
use crate::{input, output};

/// Longest file with a seed, in bytes.
const SEED_BYTES_MAX: u64 = 256;

/// Make and list your keys
///
/// Private keys lie in your own directory (ECAC_HOME, or `ecac` in the data directory of XDG), in files for you alone, and
/// never in a project. A key that others have access to is not used.
#[derive(Debug, clap::Subcommand)]
#[command(
    arg_required_else_help = true,
    after_help = "Examples:
  ecac key new me
  ecac key list
  ecac key import me seed.hex"
)]
pub(crate) enum Command {
    New(New),
    List(List),
    Import(Import),
}

/// Make a key from random bytes of the system
///
/// The key is kept under the name, which nobody else gets to see. One key, one machine: who writes with one key on two
/// machines signs one number twice, and is frozen until somebody grants anew.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ecac key new me
  ecac key new van --json")]
pub(crate) struct New {
    /// What you call it
    #[arg(value_name = "NAME")]
    name: String,
    #[command(flatten)]
    used: Used,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// List your keys
///
/// Author keys sign what you write, issuer keys the credentials that you give, the node key the audit log of this
/// machine; reader keys sign nothing: they open the keys of confidential tags that were given to you, and are made where they are
/// needed. Only public keys are printed.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ecac key list
  ecac key list --json")]
pub(crate) struct List {
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// Keep a key whose seed you have
///
/// FILE has the 64 hexadecimal digits of an Ed25519 seed (RFC 8032), as other programs write them; `-` is standard input.
/// Remove it afterwards: who reads it has the key.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ecac key import me seed.hex
  ecac key import node seed.hex --use node")]
pub(crate) struct Import {
    /// What you call it
    #[arg(value_name = "NAME")]
    name: String,
    /// File with the seed
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    used: Used,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// What a key is for.
#[derive(Debug, clap::Args)]
struct Used {
    /// What the key signs
    #[arg(long = "use", value_enum, value_name = "USE", default_value_t)]
    used: Use,
}

/// What a key signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
enum Use {
    /// What you write
    #[default]
    Author,
    /// Credentials that you give
    Issuer,
    /// The audit log of this machine
    Node,
}

impl Use {
    const ALL: [Self; 3] = [Self::Author, Self::Issuer, Self::Node];

    const fn of(self) -> KeyUse {
        match self {
            Self::Author => KeyUse::Author,
            Self::Issuer => KeyUse::Issuer,
            Self::Node => KeyUse::Node,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Author => "author",
            Self::Issuer => "issuer",
            Self::Node => "node",
        }
    }
}

pub(crate) fn run(command: &Command, globals: &Globals) -> Result<(), Failure> {
    let home = globals.home()?;
    match command {
        Command::New(args) => {
            let kept = home.keep(args.used.used.of(), &key_name(&args.name)?, seed()?);
            let kept = kept.map_err(|error| Failure::of("make the key", &error))?;
            made(&kept, args.used.used, args.json)
        }
        Command::Import(args) => {
            let seed = read_seed(&args.file)?;
            let kept = home.keep(args.used.used.of(), &key_name(&args.name)?, seed);
            let kept = kept.map_err(|error| Failure::of("keep the key", &error))?;
            made(&kept, args.used.used, args.json)
        }
        Command::List(args) => list(&home, args.json),
    }
}

fn made(key: &Key, used: Use, json: bool) -> Result<(), Failure> {
    if json {
        return output::print_json(&json!({
            "format": "ecac-key-v1",
            "name": key.name(),
            "use": used.name(),
            "did": key.public(),
        }));
    }
    output::print(format!("{}  {}\n", key.name(), key.public()).as_bytes())
}

fn list(home: &Home, as_json: bool) -> Result<(), Failure> {
    let mut keys = Vec::new();
    for used in Use::ALL {
        let names = home.list(used.of());
        for name in names.map_err(|error| Failure::of("list your keys", &error))? {
            let key = home.key(used.of(), &name);
            keys.push((
                used,
                key.map_err(|error| Failure::of("open the key", &error))?,
            ));
        }
    }
    let readers = home.readers();
    let readers = readers.map_err(|error| Failure::of("open your reader key", &error))?;
    if as_json {
        let signing = keys.iter().map(
            |(used, key)| json!({ "name": key.name(), "use": used.name(), "did": key.public() }),
        );
        let reading = readers
            .iter()
            .map(|it| json!({ "name": it.name(), "use": "reader", "kem": it.kem().name() }));
        let keys: Vec<_> = signing.chain(reading).collect();
        return output::print_json(&json!({ "format": "ecac-keys-v1", "keys": keys }));
    }
    if keys.is_empty() {
        output::note(
            "note: there is no key yet; `ecac key new me` makes one, and so does `ecac init`\n",
        );
    }
    let mut table = Table::new(["N", "KEY", "USE", "DID"]);
    for (number, (used, key)) in keys.iter().enumerate() {
        let (name, did) = (key.name().to_string(), key.public().to_string());
        table.push([(number + 1).to_string(), name, used.name().to_owned(), did]);
    }
    for (number, reader) in readers.iter().enumerate() {
        let name = reader.name().to_string();
        let number = (keys.len() + number + 1).to_string();
        table.push([number, name, "reader".to_owned(), reader.kem().to_string()]);
    }
    output::print(table.render(table::terminal_width()).as_bytes())
}

fn read_seed(path: &Path) -> Result<[u8; 32], Failure> {
    let label = input::label(path);
    let what = format!("the seed {label}");
    let mut text = Vec::new();
    let read = if path.as_os_str() == "-" {
        io::stdin()
            .lock()
            .take(SEED_BYTES_MAX)
            .read_to_end(&mut text)
    } else {
        input::open(path).and_then(|file| file.take(SEED_BYTES_MAX).read_to_end(&mut text))
    };
    read.map_err(|error| Failure::read(&what, &error))?;
    let mut seed = [0; 32];
    hex::decode_to_slice(text.trim_ascii(), &mut seed).map_err(|_| {
        Failure::new(
            exit::BAD_INPUT,
            format!("read {what}"),
            "it is not 64 hexadecimal digits",
            "a seed is 32 bytes in hexadecimal, and nothing else",
        )
    })?;
    Ok(seed)
}
