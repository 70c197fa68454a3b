//! `ecac init`: founding a project here.

use std::collections::{BTreeMap, BTreeSet};

use ecac_artifact::exit;
use ecac_core::{Feature, Genesis, Name, PublicKey, SchemaRule, Tags, Terms};
use ecac_project::{Founding, KeyUse, Project};
use serde_json::json;

use crate::edge::{Globals, key_name, seed};
use crate::failure::Failure;
use crate::{output, text};

/// The rule of a project that names none: every field of every object has one tag.
const EVERYTHING: &str = "*.*=all";
/// Roots that are wise.
const ROOTS_WISE: usize = 3;

/// Found a project in this directory
///
/// Makes `.ecac` here: the store, and the audit log of this machine. Your key is made if there is none; it lies in your own
/// directory of keys and never in the project. Three roots are wise, because two administrators who revoke each other both
/// lose: ask two others for the line that `ecac whoami` prints, and name them with --root. Tags say what grants are about:
/// each --tag gives a tag to the fields that match; without any, every field has the tag `all`.
///
/// From three roots on, what makes or ends a root, seals the project or changes its rules takes more than half of them, unless
/// --quorum says another number: so one stolen root key can do none of it. The number is fixed for good. With fewer roots, one
/// signs alone.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ecac init 'motor shop'
  ecac init 'motor shop' --tag 'motor/*.*=repair' --tag 'bill/*.*=office'
  ecac init 'motor shop' --root did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK
  ecac init 'motor shop' --root DID --root DID --quorum 2")]
pub(crate) struct Args {
    /// What the project is called
    #[arg(value_name = "NAME")]
    name: String,
    /// Another root, by its did:key
    #[arg(long = "root", value_name = "DID")]
    roots: Vec<PublicKey>,
    /// How many roots sign together what makes, ends or binds roots
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..))]
    quorum: Option<u8>,
    /// A tag of the fields that match; either pattern may end in `*`
    #[arg(long = "tag", value_name = "OBJECT.FIELD=TAG", value_parser = rule)]
    rules: Vec<SchemaRule>,
    /// Which of your keys signs
    #[arg(long = "as", value_name = "KEY", default_value = "me")]
    key: String,
    /// Sixteen bytes in hexadecimal that tell the project from others, instead of random ones
    #[arg(long, value_name = "HEX", hide = true)]
    nonce: Option<String>,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

fn rule(text: &str) -> Result<SchemaRule, String> {
    let wanted = "a tag is given as OBJECT.FIELD=TAG, such as `motor/*.*=repair`";
    let (place, tag) = text.rsplit_once('=').ok_or(wanted)?;
    let (object, field) = place.rsplit_once('.').ok_or(wanted)?;
    let name = |text: &str| Name::new(text).map_err(|error| format!("{wanted}: {error}"));
    Ok(SchemaRule {
        object: name(object)?,
        field: name(field)?,
        tags: [name(tag)?].into(),
    })
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    let usage =
        |cause: String, hint: &str| Failure::new(exit::USAGE, "found the project", cause, hint);
    let name = Name::new(args.name.as_str());
    let name = name.map_err(|error| usage(error.to_string(), "choose another name"))?;
    let key = globals.key(KeyUse::Author, &key_name(&args.key)?)?;
    let mut roots: BTreeSet<PublicKey> = args.roots.iter().copied().collect();
    roots.insert(key.public());
    let quorum = quorum(args, roots.len())?;
    let features = features(roots.len(), quorum)?;
    let genesis = Genesis {
        name: name.clone(),
        nonce: nonce(args)?,
        roots: roots.clone(),
        schema: schema(&args.rules)?,
        features: features.clone(),
    };
    let project = Project::found(
        &globals.new_folder(),
        &globals.home()?,
        Founding {
            genesis,
            key: &key,
            node: &globals.node()?,
            now_ms: globals.now_ms()?,
        },
    );
    let project = project.map_err(|error| Failure::of("found the project", &error))?;
    if roots.len() < ROOTS_WISE {
        output::note(&format!(
            "note: the project has {}; three are wise, because two that revoke each other both lose (--root)\n",
            text::count(roots.len(), "root")
        ));
    }
    let id = project.config().project;
    if args.json {
        return output::print_json(&json!({
            "format": "ecac-init-v1",
            "project": id,
            "name": name,
            "folder": project.folder(),
            "key": key.name(),
            "did": key.public(),
            "roots": roots,
            "quorum": quorum,
            "features": features.keys().collect::<Vec<_>>(),
        }));
    }
    let together = if quorum > 1 {
        format!("roots    {}, of whom {quorum} sign together\n", roots.len())
    } else {
        String::new()
    };
    let told = format!(
        "founded {} in {}\nproject  {id}\nyou are  {} (key {})\n{together}others join by the line that `ecac invite` prints\n",
        text::name(&name),
        text::path(project.folder()),
        key.public(),
        key.name()
    );
    output::print(told.as_bytes())
}

/// How many roots sign together.
fn quorum(args: &Args, roots: usize) -> Result<u8, Failure> {
    let majority = if roots >= ROOTS_WISE {
        roots / 2 + 1
    } else {
        1
    };
    let majority = u8::try_from(majority).unwrap_or(u8::MAX);
    let quorum = args.quorum.unwrap_or(majority);
    if usize::from(quorum) > roots {
        let cause = format!(
            "{quorum} of {} cannot sign together",
            text::count(roots, "root")
        );
        let hint = "name more roots with --root, or a smaller --quorum";
        return Err(Failure::new(exit::USAGE, "found the project", cause, hint));
    }
    Ok(quorum)
}

/// What the project uses: endorsements and devices always, a quorum where one root does not sign alone, and seals where those
/// who sign are more than half.
fn features(roots: usize, quorum: u8) -> Result<BTreeMap<Name, Vec<u8>>, Failure> {
    let terms = Terms {
        roots,
        quorum: quorum.into(),
        genesis: true,
    };
    let mut features = BTreeMap::new();
    for feature in Feature::ALL {
        let parameters = match feature {
            Feature::Quorum if quorum == 1 => continue,
            // It takes tags to be secret.
            Feature::Confidential => continue,
            Feature::Quorum => vec![quorum],
            Feature::Schema | Feature::Seal | Feature::Endorse | Feature::Device => Vec::new(),
        };
        if !feature.allows(&parameters, terms) {
            continue;
        }
        let name = Name::new(feature.name());
        let name = name.map_err(|error| {
            let doing = "found the project";
            Failure::new(exit::INTERNAL, doing, error, "please report this")
        })?;
        features.insert(name, parameters);
    }
    Ok(features)
}

fn nonce(args: &Args) -> Result<[u8; 16], Failure> {
    let mut nonce = [0; 16];
    match &args.nonce {
        Some(digits) => hex::decode_to_slice(digits, &mut nonce).map_err(|_| {
            let cause = "--nonce is not 32 hexadecimal digits";
            Failure::new(exit::USAGE, "found the project", cause, "leave it out")
        })?,
        None => nonce.copy_from_slice(&seed()?[..16]),
    }
    Ok(nonce)
}

/// The rules, those of one pattern together.
fn schema(rules: &[SchemaRule]) -> Result<BTreeSet<SchemaRule>, Failure> {
    let mut tags: BTreeMap<(Name, Name), Tags> = BTreeMap::new();
    let everything = rule(EVERYTHING);
    let everything = everything.map_err(|error| {
        Failure::new(
            exit::INTERNAL,
            "found the project",
            error,
            "please report this",
        )
    })?;
    let all = if rules.is_empty() {
        &[everything][..]
    } else {
        rules
    };
    for rule in all {
        let place = (rule.object.clone(), rule.field.clone());
        tags.entry(place)
            .or_default()
            .extend(rule.tags.iter().cloned());
    }
    let rule = |((object, field), tags)| SchemaRule {
        object,
        field,
        tags,
    };
    Ok(tags.into_iter().map(rule).collect())
}
