//! `ecac sync`: meeting in a folder, or a bucket, that others visit too.

use std::ffi::OsString;

use ecac_core::{Received, Replica};
use ecac_mailbox::{Visit, id_of};
use ecac_project::{KeyUse, Writer};
use ecac_sync::{KeepError, Keeper};
use serde_json::{Value as Json, json};

use crate::edge::Globals;
use crate::failure::Failure;
use crate::people::People;
use crate::place::Place;
use crate::told::Teller;
use crate::{nudge, output, text};

/// Exchange with everybody who visits a folder, a USB stick or a share, or a bucket in object storage
///
/// What others put there is taken in, and what is missing there is put there, in packs that are never changed. What counts, what
/// was taken back by what, what is refused, and what waits is told as `import` tells it. The place is trusted with nothing: who
/// owns it can make you wait, and neither deceive you nor lose what you hold. A bucket is s3://BUCKET/PATH, gs://BUCKET/PATH or
/// az://CONTAINER/PATH; its keys come from the environment, such as AWS_ACCESS_KEY_ID, and the program has to be built with the feature
/// `cloud`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ecac sync /media/stick/shop
  ecac sync /mnt/share/shop --json | jq .mailbox
  ecac sync s3://our-shop/mail")]
pub(crate) struct Args {
    /// A folder or a bucket that is there; several projects need several
    #[arg(value_name = "FOLDER|URL")]
    target: OsString,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    let place = Place::of(&args.target)?;
    let (project, mut writer, key) = globals.writing()?;
    let machine = globals.key(KeyUse::Node, &globals.node()?)?;
    let project_id = project.config().project;
    let node = id_of(&[b"node", machine.public().as_bytes(), project_id.as_bytes()]);
    let id = place.id();
    // Two directories of one project on this machine are one node, and still write under names of their own.
    let own = project.folder().canonicalize();
    let own = own.unwrap_or_else(|_| project.folder().to_owned());
    let tag = id_of(&[b"tag", &node, own.as_os_str().as_encoded_bytes()]);
    let mut mailbox = place.mailbox(node, tag)?;
    if let Some(memory) = project.mailbox_memory(&id) {
        mailbox = mailbox.remembering(&writer, &memory);
    }
    let mut gathering = Gathering {
        writer: &mut writer,
        received: Received::default(),
    };
    let synced = mailbox.sync(&mut gathering);
    let received = gathering.received;
    let remembered = project.remember_mailbox(&id, &mailbox.memory(&writer));
    let people = People::of(&project);
    let teller = Teller {
        replica: &writer,
        people: &people,
    };
    let (mut document, told) = (teller.received_json(&received), teller.received(&received));
    let notes = nudge::readers(&writer, &people, &key.public(), globals.now_ms()?);
    let closed = writer.close();
    // What came is kept, whatever became of the visit.
    let visit = synced.map_err(|error| place.failure(&error))?;
    closed
        .and(remembered)
        .map_err(|error| Failure::of("sync", &error))?;
    output::note(&notes);
    if visit.bad_packs > 0 {
        output::note(&format!(
            "warning: {} there cannot be read; what is in them comes when those who have it visit\n",
            text::count(visit.bad_packs, "pack")
        ));
    }
    if args.json {
        document["format"] = json!("ecac-sync-v1");
        document["mailbox"] = visit_json(&visit);
        return output::print_json(&document);
    }
    output::print(format!("{}{told}", visited(&visit)).as_bytes())
}

fn visited(visit: &Visit) -> String {
    let put = if visit.ops_put == 0 {
        "put nothing".to_owned()
    } else {
        format!("put {}", text::count(visit.ops_put, "op"))
    };
    let (packs, nodes) = (
        text::count(visit.packs, "pack"),
        text::count(visit.nodes, "visitor"),
    );
    format!("{nodes} so far; read {packs}, {put}\n")
}

fn visit_json(visit: &Visit) -> Json {
    json!({
        "nodes": visit.nodes,
        "packs_read": visit.packs,
        "bytes_read": visit.bytes,
        "packs_known": visit.packs_known,
        "bad_packs": visit.bad_packs,
        "lost_packs": visit.lost_packs,
        "orphans": visit.orphans,
        "packs_put": visit.packs_put,
        "ops_put": visit.ops_put,
        "bytes_put": visit.bytes_put,
    })
}

/// The writer, and what became of all that it was handed.
struct Gathering<'a> {
    writer: &'a mut Writer,
    received: Received,
}

impl Keeper for Gathering<'_> {
    fn replica(&self) -> &Replica {
        self.writer
    }

    fn keep(&mut self, envelopes: &[Vec<u8>]) -> Result<Received, KeepError> {
        let received = self.writer.keep(envelopes)?;
        let all = &mut self.received;
        let first = all.events.len();
        all.events.extend(received.events.iter().cloned());
        for change in &received.changes {
            let because = change.because.iter().map(|it| first + it);
            match all.changes.iter_mut().find(|it| it.place == change.place) {
                Some(earlier) => {
                    earlier.after.clone_from(&change.after);
                    earlier.because.extend(because);
                }
                None => {
                    let mut change = change.clone();
                    change.because = because.collect();
                    all.changes.push(change);
                }
            }
        }
        all.changes.retain(|it| it.before != it.after);
        all.missing.clone_from(&received.missing);
        Ok(received)
    }
}
