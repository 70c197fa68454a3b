//! `ecac device`: several keys for one person.

use ecac_artifact::exit;
use ecac_core::payload::DeviceRevoke;
use ecac_core::{
    Effect, EffectCode, Feature, LinkedDevice, Member, Payload, Preview, PublicKey, Replica,
};
use ecac_project::{DeviceRequest, Petname};
use serde_json::{Value as Json, json};

use crate::deed::Deed;
use crate::edge::Globals;
use crate::failure::Failure;
use crate::people::People;
use crate::table::{self, Table};
use crate::told::{self, Teller};
use crate::{feature, output, text};

/// Link the keys of phones and laptops to a person, and end their links
///
/// A person is the key that grants name; a device signs for the person with a key of its own, so that a lost phone costs the phone
/// alone. The device joins the project (`ecac join`) and asks, the person or an administrator adds it.
#[derive(Debug, clap::Subcommand)]
#[command(
    arg_required_else_help = true,
    after_help = "Examples:
  ecac device ask ada                       on the phone: print the line to send
  ecac device add ecac:device/LINE --as phone
  ecac device list
  ecac device revoke phone --preview"
)]
pub(crate) enum Command {
    Ask(Ask),
    Add(Add),
    Revoke(Revoke),
    List(List),
}

/// Ask to sign for a person with the key of this machine
///
/// Prints one line for the person, or for an administrator, to add with `ecac device add`. It proves that you have the key,
/// and is no secret and no permission.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ecac device ask ada
  ecac device ask did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK")]
pub(crate) struct Ask {
    /// For whom, by the name that you gave or the did:key
    #[arg(value_name = "PERSON")]
    person: String,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// Link a device that asked to its person
///
/// The person's own key, a live device of the person, or an administrator who could have made the person's grants may add it; a
/// device of a root takes as many roots as the project's quorum (`ecac pending`).
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ecac device add ecac:device/LINE --as phone
  ecac device add ecac:device/LINE --preview")]
pub(crate) struct Add {
    /// The line of `ecac device ask`
    #[arg(value_name = "LINE")]
    line: DeviceRequest,
    /// What you call the device
    #[arg(long = "as", value_name = "NAME")]
    name: Option<Petname>,
    /// Say what it would do, and do nothing
    #[arg(long)]
    preview: bool,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// End the link of a device: a lost phone
///
/// What the device writes without being seen is taken back wherever it arrives, and so are links that it made; the person's other
/// devices go on. Where work is taken back, you are asked; a script says --yes.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ecac device revoke phone --preview
  ecac device revoke phone
  ecac device revoke phone --of ada --yes")]
pub(crate) struct Revoke {
    /// Which device, by the name that you gave or the did:key
    #[arg(value_name = "DEVICE")]
    device: String,
    /// Whose, where it signs for several persons
    #[arg(long = "of", value_name = "PERSON")]
    person: Option<String>,
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

/// List the devices of everybody, or of one person
///
/// Of each device the person, who linked it and when, and whether the link still carries something.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ecac device list
  ecac device list ada --json")]
pub(crate) struct List {
    /// Whose
    #[arg(value_name = "PERSON")]
    person: Option<String>,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(command: &Command, globals: &Globals) -> Result<(), Failure> {
    match command {
        Command::Ask(args) => ask(args, globals),
        Command::Add(args) => add(args, globals),
        Command::Revoke(args) => revoke(args, globals),
        Command::List(args) => list(args, globals),
    }
}

fn ask(args: &Ask, globals: &Globals) -> Result<(), Failure> {
    let project = globals.project()?;
    let people = People::of(&project);
    let person = people.find(&args.person)?;
    let key = project
        .key()
        .map_err(|error| Failure::of("open your key", &error))?;
    if key.public() == person {
        return Err(Failure::new(
            exit::USAGE,
            "ask to sign for the person",
            "that is the key of this machine itself",
            "name the person by the did:key that `ecac whoami` prints on their other machine",
        ));
    }
    let request = DeviceRequest::of(project.config().project, person, &key);
    if args.json {
        return output::print_json(&json!({
            "format": "ecac-device-ask-v1",
            "line": request.to_string(),
            "project": request.project,
            "person": people.json(&person),
            "did": key.public(),
        }));
    }
    output::print(format!("{request}\n").as_bytes())
}

fn add(args: &Add, globals: &Globals) -> Result<(), Failure> {
    let doing = "add the device";
    let device = args.line.device.clone();
    let taken = |project: &ecac_project::Project| match &args.name {
        Some(name) => {
            let known = project.config().petnames.get(name);
            known.is_some_and(|it| *it != device.key)
        }
        None => false,
    };
    let check = |project: &ecac_project::Project, replica: &Replica| {
        feature::needs(replica, Feature::Device, doing)?;
        let here = project.config().project;
        if args.line.project != here {
            let cause = format!("the line is of project {}", args.line.project);
            let hint = "change to the directory of that project";
            return Err(Failure::new(exit::BAD_INPUT, doing, cause, hint));
        }
        if taken(project) {
            let cause = "you call somebody else so";
            let hint = "choose another name with --as";
            return Err(Failure::new(exit::USAGE, doing, cause, hint));
        }
        Ok(())
    };
    let act = Act {
        doing,
        person: device.person,
        key: device.key,
        payload: device.clone().into(),
        yes: true,
        json: args.json,
    };
    if args.preview {
        let (project, replica) = globals.reading()?;
        check(&project, &replica)?;
        return act.foresee(&project, &replica, globals);
    }
    let (mut project, writer, key) = globals.writing()?;
    check(&project, &writer)?;
    act.write(&project, writer, &key, globals)?;
    match &args.name {
        Some(name) => {
            let named = project.call(name.clone(), device.key);
            named.map_err(|error| Failure::of("keep the name", &error))
        }
        None => Ok(()),
    }
}

fn revoke(args: &Revoke, globals: &Globals) -> Result<(), Failure> {
    let doing = "end the link of the device";
    let act = |project: &ecac_project::Project, replica: &Replica| -> Result<Act, Failure> {
        feature::needs(replica, Feature::Device, doing)?;
        let people = People::of(project);
        let key = people.find(&args.device)?;
        let person = match &args.person {
            Some(person) => people.find(person)?,
            None => only_person(replica, &key, &people, globals.now_ms()?)?,
        };
        Ok(Act {
            doing,
            person,
            key,
            payload: DeviceRevoke { person, key }.into(),
            yes: args.yes,
            json: args.json,
        })
    };
    if args.preview {
        let (project, replica) = globals.reading()?;
        return act(&project, &replica)?.foresee(&project, &replica, globals);
    }
    let (project, writer, key) = globals.writing()?;
    act(&project, &writer)?.write(&project, writer, &key, globals)
}

/// The one person for whom the device signs.
fn only_person(
    replica: &Replica,
    key: &PublicKey,
    people: &People<'_>,
    now_ms: u64,
) -> Result<PublicKey, Failure> {
    let doing = format!("find whose device {} is", people.show(key));
    let members = replica.members(now_ms).value;
    let has_it = |member: &&Member| member.devices.iter().any(|it| it.key == *key);
    let persons: Vec<PublicKey> = members.iter().filter(has_it).map(|it| it.person).collect();
    match persons[..] {
        [person] => Ok(person),
        [] => Err(Failure::new(
            exit::NOT_FOUND,
            doing,
            "it is linked to nobody here",
            "`ecac device list` shows the devices",
        )),
        _ => Err(Failure::new(
            exit::USAGE,
            doing,
            "it signs for several persons",
            "say which with --of",
        )
        .with_details(persons.iter().map(|it| people.show(it)).collect())),
    }
}

/// A link, or an end of links, to be written or foreseen.
struct Act {
    doing: &'static str,
    person: PublicKey,
    key: PublicKey,
    payload: Payload,
    yes: bool,
    json: bool,
}

impl Act {
    fn deed(&self) -> Deed<'_> {
        Deed {
            doing: self.doing,
            hint: "`ecac device list` and `ecac members` show who has what",
            fine: &[],
            yes: self.yes,
        }
    }

    fn foresee(
        &self,
        project: &ecac_project::Project,
        replica: &Replica,
        globals: &Globals,
    ) -> Result<(), Failure> {
        let key = project
            .key()
            .map_err(|error| Failure::of("open your key", &error))?;
        let preview = replica.preview(self.payload.clone(), key.public(), globals.now_ms()?);
        let preview = preview.map_err(|error| Failure::of(self.doing, &error.into()))?;
        self.deed().check(core::slice::from_ref(&preview))?;
        let people = People::of(project);
        let teller = Teller {
            replica,
            people: &people,
        };
        let mut document = teller.preview_json(&preview);
        let lost = teller.lost(&preview.received, "would no longer count");
        let line = self.line(&people, preview.effect.as_ref());
        self.complete(&mut document, &people);
        self.tell(&document, &format!("{line}\n{lost}nothing was written\n"))
    }

    fn write(
        &self,
        project: &ecac_project::Project,
        writer: ecac_project::Writer,
        key: &ecac_project::Key,
        globals: &Globals,
    ) -> Result<(), Failure> {
        let people = People::of(project);
        let mut payload = Some(self.payload.clone());
        let mut next = |_: &[Preview]| payload.take();
        let deed = self.deed();
        let mut done = deed.carry_out(writer, &people, key, globals.now_ms()?, &mut next)?;
        let effect = done.ops.last().and_then(|it| it.effect.as_ref());
        let line = done.line(&self.line(&people, effect));
        self.complete(&mut done.document, &people);
        self.tell(&done.document, &(line + &done.lost))
    }

    fn line(&self, people: &People<'_>, effect: Option<&Effect>) -> String {
        let waits = match effect.map(|it| it.code) {
            Some(EffectCode::Short | EffectCode::InPart) => ": see `ecac pending`",
            Some(_) | None => "",
        };
        format!(
            "{} of {} as a device of {}: {}{waits}",
            self.payload.kind(),
            people.show(&self.key),
            people.show(&self.person),
            told::effect(effect)
        )
    }

    fn complete(&self, document: &mut Json, people: &People<'_>) {
        document["format"] = json!("ecac-device-v1");
        document["person"] = people.json(&self.person);
        document["device"] = people.json(&self.key);
    }

    fn tell(&self, document: &Json, told: &str) -> Result<(), Failure> {
        if self.json {
            output::print_json(document)
        } else {
            output::print(told.as_bytes())
        }
    }
}

fn list(args: &List, globals: &Globals) -> Result<(), Failure> {
    let (project, replica) = globals.reading()?;
    let people = People::of(&project);
    let wanted = args.person.as_ref().map(|it| people.find(it)).transpose()?;
    let members = replica.members(globals.now_ms()?).value;
    let wanted = members
        .iter()
        .filter(|it| wanted.is_none_or(|person| it.person == person));
    let devices = wanted.flat_map(|member| member.devices.iter().map(move |it| (member, it)));
    if args.json {
        let devices = devices.map(|(member, device)| {
            let mut told = to_json(device, &people);
            told["person"] = people.json(&member.person);
            told
        });
        let devices: Vec<Json> = devices.collect();
        return output::print_json(&json!({ "format": "ecac-devices-v1", "devices": devices }));
    }
    let mut table = Table::new(["N", "PERSON", "DEVICE", "STANDING", "SINCE", "BY"]);
    for (number, (member, device)) in devices.enumerate() {
        table.push([
            (number + 1).to_string(),
            people.show(&member.person),
            people.show(&device.key),
            standing(device),
            text::instant(device.since_ms),
            people.show(&device.by),
        ]);
    }
    output::print(table.render(table::terminal_width()).as_bytes())
}

/// A device for machines.
pub(crate) fn to_json(device: &LinkedDevice, people: &People<'_>) -> Json {
    let mut told = people.json(&device.key);
    told["link"] = json!(device.link);
    told["by"] = people.json(&device.by);
    told["since_ms"] = json!(device.since_ms);
    told["effect"] = json!(device.effect);
    told["grants"] = json!(device.grants);
    told
}

/// Whether the device signs for the person, in words.
pub(crate) fn standing(device: &LinkedDevice) -> String {
    let count = device.grants.len();
    match device.effect.as_ref().map(|it| it.code) {
        Some(EffectCode::Links) if count > 0 => format!("live, {}", text::count(count, "grant")),
        Some(EffectCode::Links) => "carries nothing that is live".to_owned(),
        Some(EffectCode::Short) => "too few roots signed".to_owned(),
        Some(EffectCode::Ended) => "ended".to_owned(),
        Some(_) | None => told::effect(device.effect.as_ref()).to_owned(),
    }
}
