//! `ecac init`: founding a project here.

use std::collections::{BTreeMap, BTreeSet};

use ecac_artifact::exit;
use ecac_core::{Confidential, Feature, Genesis, Kem, Name, PublicKey, SchemaRule, Tags, Terms};
use ecac_project::{Founding, Key, KeyUse, Project};
use ecac_seal::Opener as _;
use serde_json::json;

use crate::edge::{Globals, key_name, seed};
use crate::failure::Failure;
use crate::people::unknown;
use crate::secrets::{self, Secrets};
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
///
/// --confidential hides the values of the fields with that tag from whoever may not read it: they are sealed when they are written,
/// and opened by those who were given the key. Who writes what when stays visible, and so do the names of objects, fields and
/// elements. Your reader key is made, beside your other keys, and published.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ecac init 'motor shop'
  ecac init 'motor shop' --tag 'motor/*.*=repair' --tag 'bill/*.*=office'
  ecac init 'motor shop' --root did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK
  ecac init 'motor shop' --root DID --root DID --quorum 2
  ecac init 'motor shop' --tag 'staff/*.*=hr' --tag 'motor/*.*=repair' --confidential hr")]
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
    /// A tag whose values only its readers can see
    #[arg(long, value_name = "TAG", value_parser = tag)]
    confidential: Vec<Name>,
    /// How keys are sealed to readers: `x25519`, or `x-wing`, which holds against quantum computers too and takes more room
    #[arg(long, value_name = "KEM", default_value = "x25519", value_parser = kem, requires = "confidential")]
    kem: Kem,
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

fn tag(text: &str) -> Result<Name, String> {
    Name::new(text).map_err(|error| error.to_string())
}

fn kem(name: &str) -> Result<Kem, String> {
    let known: Vec<&str> = Kem::ALL.iter().map(|it| it.name()).collect();
    name.parse()
        .map_err(|_| format!("one of {}", known.join(", ")))
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
    let schema = schema(&args.rules)?;
    let marks = marks(args, &schema)?;
    let features = features(roots.len(), quorum, marks.as_ref())?;
    let genesis = Genesis {
        name: name.clone(),
        nonce: nonce(args)?,
        roots: roots.clone(),
        schema,
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
    if marks.is_some() {
        publish(&project, globals, &key)?;
    }
    let id = project.config().project;
    if args.json {
        return output::print_json(&json!({
            "confidential": args.confidential,
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
    let secret = marks.as_ref().map_or_else(String::new, |it| {
        let tags = secrets::tags(&it.tags);
        format!(
            "secret   {tags}; your reader key ({}) is published\n",
            it.kem
        )
    });
    let told = format!(
        "founded {} in {}\nproject  {id}\nyou are  {} (key {})\n{together}{secret}others join by the line that `ecac invite` prints\n",
        text::name(&name),
        text::path(project.folder()),
        key.public(),
        key.name()
    );
    output::print(told.as_bytes())
}

/// What is confidential, if anything is: tags that some field has.
fn marks(args: &Args, schema: &BTreeSet<SchemaRule>) -> Result<Option<Confidential>, Failure> {
    let tags: Tags = args.confidential.iter().cloned().collect();
    let known: Tags = schema.iter().flat_map(|it| it.tags.clone()).collect();
    if let Some(stranger) = tags.difference(&known).next() {
        let known = known.iter().map(|it| it.as_str());
        let hint = "no field has it: give it to some with --tag OBJECT.FIELD=TAG";
        return Err(unknown("find the tag", stranger, known, hint));
    }
    Ok((!tags.is_empty()).then_some(Confidential {
        kem: args.kem,
        tags,
    }))
}

/// Publishes the reader key of the founder.
fn publish(project: &Project, globals: &Globals, key: &Key) -> Result<(), Failure> {
    let doing = "publish your reader key";
    let failed = |error| Failure::of(doing, &error);
    let mut writer = project.write(&globals.node()?).map_err(failed)?;
    let secrets = Secrets::made(globals, project, &writer, doing)?;
    let now_ms = globals.now_ms()?;
    let published = writer.author(secrets.reader_key(), key, now_ms);
    published.map_err(failed)?;
    writer.close().map_err(failed)
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

/// What the project uses: endorsements and devices always, a quorum where one root does not sign alone, and seals where those who sign
/// are more than half; where they are several, their seals bind what a carried snapshot tells.
fn features(
    roots: usize,
    quorum: u8,
    marks: Option<&Confidential>,
) -> Result<BTreeMap<Name, Vec<u8>>, Failure> {
    let terms = Terms {
        roots,
        quorum: quorum.into(),
        genesis: true,
    };
    let mut features = BTreeMap::new();
    for feature in Feature::ALL {
        let parameters = match feature {
            Feature::Quorum if quorum == 1 => continue,
            Feature::Confidential => match marks {
                Some(marks) => marks.parameters(),
                None => continue,
            },
            Feature::Quorum => vec![quorum],
            Feature::Carry if quorum == 1 || !Feature::Seal.allows(&[], terms) => continue,
            Feature::Schema
            | Feature::Seal
            | Feature::Endorse
            | Feature::Device
            | Feature::Carry => Vec::new(),
        };
        if !feature.allows(&parameters, terms) {
            if feature == &Feature::Confidential {
                let cause = "there are too many confidential tags, or they are too long";
                let hint = "name fewer with --confidential";
                return Err(Failure::new(exit::USAGE, "found the project", cause, hint));
            }
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
