//! Meeting in a folder that others visit too.

use std::fs;
use std::path::{Path, PathBuf};

use ecac_artifact::exit;
use ecac_core::quote;
use ecac_mailbox::{Folder, Mailbox, MailboxError, Visit, id_of};
use ecac_project::KeyUse;
use serde_json::{Value as Json, json};

use crate::edge::Globals;
use crate::failure::Failure;
use crate::gathering::Gathering;
use crate::people::People;
use crate::told::Teller;
use crate::{nudge, output, text};

pub(super) fn run(folder: &Path, json: bool, globals: &Globals) -> Result<(), Failure> {
    let folder = there(folder)?;
    let (project, mut writer, key) = globals.writing()?;
    let machine = globals.key(KeyUse::Node, &globals.node()?)?;
    let project_id = project.config().project;
    let node = id_of(&[b"node", machine.public().as_bytes(), project_id.as_bytes()]);
    let id = id_of(&[b"folder", folder.as_os_str().as_encoded_bytes()]);
    // Two directories of one project on this machine are one node, and still write under names of their own.
    let own = project.folder().canonicalize();
    let own = own.unwrap_or_else(|_| project.folder().to_owned());
    let tag = id_of(&[b"tag", &node, own.as_os_str().as_encoded_bytes()]);
    let mut mailbox = Mailbox::new(Folder::new(&folder, tag), node).looking_after_all();
    if let Some(memory) = project.mailbox_memory(&id) {
        mailbox = mailbox.remembering(&writer, &memory);
    }
    let mut gathering = Gathering::of(&mut writer);
    let synced = mailbox.sync(&mut gathering);
    let received = gathering.received();
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
    let visit = synced.map_err(|error| failure(&folder, &error))?;
    closed
        .and(remembered)
        .map_err(|error| Failure::of("sync", &error))?;
    output::note(&notes);
    if visit.bad_packs > 0 {
        output::note(&format!(
            "warning: {} in the folder cannot be read; what is in them comes when those who have it visit\n",
            text::count(visit.bad_packs, "pack")
        ));
    }
    if json {
        document["format"] = json!("ecac-sync-v1");
        document["mailbox"] = visit_json(&visit);
        return output::print_json(&document);
    }
    output::print(format!("{}{told}", visited(&visit)).as_bytes())
}

/// The folder, which nobody makes: where a stick is not plugged in, there is often an empty one.
fn there(folder: &Path) -> Result<PathBuf, Failure> {
    let doing = || format!("sync with {}", quote(&folder.to_string_lossy()));
    let is_folder = fs::metadata(folder).map(|it| it.is_dir());
    match is_folder {
        Ok(true) => folder.canonicalize().map_err(|error| {
            let hint = "look at who may read there";
            Failure::new(exit::ENVIRONMENT, doing(), error, hint)
        }),
        Ok(false) => {
            let hint = "name a folder; what somebody exported to a file is for `ecac import`";
            Err(Failure::new(
                exit::BAD_INPUT,
                doing(),
                "it is no folder",
                hint,
            ))
        }
        Err(error) => {
            let hint = "plug the stick in, or make the folder once";
            Err(Failure::new(exit::ENVIRONMENT, doing(), error, hint))
        }
    }
}

fn failure(folder: &Path, error: &MailboxError) -> Failure {
    let doing = format!("sync with {}", quote(&folder.to_string_lossy()));
    let (code, cause, hint) = match error {
        MailboxError::Bucket(error) => (
            exit::ENVIRONMENT,
            format!("{error}: {}", error.source),
            "look at the folder and who may write there, and sync again; what came is kept",
        ),
        MailboxError::TakesNothing => (
            exit::ENVIRONMENT,
            error.to_string(),
            "look whether somebody else writes there under this machine's name, and sync again",
        ),
        MailboxError::Keep(error) => (
            exit::ENVIRONMENT,
            error.to_string(),
            "look at the disk, and run `ecac verify-store`",
        ),
        other => (exit::ENVIRONMENT, other.to_string(), "sync again"),
    };
    Failure::new(code, doing, text::escape(&cause), hint)
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
