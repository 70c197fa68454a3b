//! Meeting in a folder, or a bucket, that others visit too.

use ecac_mailbox::{OlderVisit, Visit, id_of};
use ecac_project::KeyUse;
use ecac_sync::Keeper as _;
use serde_json::{Value as Json, json};

use super::Args;
use super::place::Place;
use crate::arrival::Arrival;
use crate::edge::Globals;
use crate::failure::Failure;
use crate::gathering::Gathering;
use crate::older::Older;
use crate::{output, text};

pub(super) fn run(place: &Place, args: &Args, globals: &Globals) -> Result<(), Failure> {
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
    let mut gathering = Gathering::of(&mut writer);
    let mut synced = mailbox.sync(&mut gathering);
    let dropped = gathering.replica().log().pruned_count();
    let mut older_visit = OlderVisit::default();
    if args.older && synced.is_ok() {
        match mailbox.fetch_older(&mut gathering) {
            Ok(visit) => older_visit = visit,
            Err(error) => synced = Err(error),
        }
    }
    let received = gathering.received();
    let remembered = project.remember_mailbox(&id, &mailbox.memory(&writer));
    let arrival = Arrival::of(&received, &project, &writer, &key.public(), globals)?;
    let closed = writer.close();
    // What came is kept, whatever became of the visit.
    let visit = synced.map_err(|error| place.failure(&error))?;
    closed
        .and(remembered)
        .map_err(|error| Failure::of("sync", &error))?;
    output::note(&arrival.notes);
    let older = args.older.then_some(Older {
        dropped,
        regained: older_visit.ops,
    });
    let bad_packs = visit.bad_packs.max(older_visit.bad_packs);
    if bad_packs > 0 {
        output::note(&format!(
            "warning: {} there cannot be read; what is in them comes when those who have it visit\n",
            text::count(bad_packs, "pack")
        ));
    }
    if args.json {
        let mut document = arrival.document;
        document["format"] = json!("ecac-sync-v1");
        document["mailbox"] = visit_json(&visit);
        document["older"] = json!(older.map(|it| {
            let mut document = it.document();
            document["packs_read"] = json!(older_visit.packs);
            document
        }));
        return output::print_json(&document);
    }
    let older = older.map_or_else(String::new, |it| it.told());
    output::print(format!("{}{}{older}", visited(&visit), arrival.told).as_bytes())
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
