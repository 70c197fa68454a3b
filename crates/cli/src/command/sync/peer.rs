//! Meeting another node once, over the network.

use ecac_artifact::exit;
use ecac_project::Peer;
use ecac_sync::limits::VERSION_OF_OLDER;
use ecac_sync::{CloseReason, Standing, Tally};
use serde_json::json;

use super::Args;
use crate::arrival::Arrival;
use crate::carrier::Carrier;
use crate::edge::{self, Globals};
use crate::failure::Failure;
use crate::gathering::Gathering;
use crate::node_program::{self, NodeProgram};
use crate::older::{self, Older};
use crate::{output, text};

/// What to do where the node is not reached.
const UNREACHED: &str = "look whether `ecac node` runs there, at this address, and lets this machine in: \
                         its key is what `ecac node key` prints here";

/// Where the other end cannot be asked for what was dropped here.
const UNASKED: &str = "note: the program there is too old to be asked for what was dropped here; \
                       somebody there can export it for `ecac import --older FILE`\n";

pub(super) fn run(peer: Peer, args: &Args, globals: &Globals) -> Result<(), Failure> {
    let doing = format!("sync with {peer}");
    let failed = |cause: String, hint: &str| Failure::new(exit::ENVIRONMENT, &doing, cause, hint);
    // What is wrong here is said before anybody is called.
    globals.project()?;
    let node = globals.node()?;
    let program = NodeProgram::find(&doing)?;
    let mut command = program.command("carry", &globals.home()?, &node);
    command.arg(peer.to_string());
    let mut carrier = Carrier::reach(program.start(command)?).map_err(|said| {
        let cause = node_program::cause(&said);
        failed(
            cause.unwrap_or_else(|| "nobody answers".to_owned()),
            UNREACHED,
        )
    })?;
    let (project, mut writer, key) = globals.writing()?;
    let mut id = [0; 16];
    id.copy_from_slice(&edge::seed()?[..16]);
    let dropped = writer.log().pruned_count();
    let mut gathering = Gathering::of(&mut writer);
    let met = carrier.meet(&mut gathering, id, args.older);
    let contradicts = gathering.contradicts();
    let received = gathering.received();
    let arrival = Arrival::of(&received, &project, &writer, &key.public(), globals)?;
    // What came is kept, whatever became of the session, and before the other end hears that it is over.
    writer
        .close()
        .map_err(|error| Failure::of("sync", &error))?;
    let said = carrier.end();
    if let (Standing::Closed(CloseReason::Contradicts), Some(op)) = (met.standing, contradicts) {
        return Err(older::contradicted(op));
    }
    if met.standing != Standing::Finished {
        let cause = broken(met.standing, &said);
        return Err(failed(cause, "sync again; what came is kept"));
    }
    output::note(&arrival.notes);
    let tally = met.tally;
    let older = args.older.then(|| Older {
        dropped,
        regained: usize::try_from(tally.regained_ops).unwrap_or(usize::MAX),
    });
    if args.older && dropped > 0 && met.version < VERSION_OF_OLDER {
        output::note(UNASKED);
    }
    if args.json {
        let mut document = arrival.document;
        document["format"] = json!("ecac-sync-v1");
        document["peer"] = json!({
            "node": peer.key,
            "address": peer.address,
            "ops_received": tally.useful_ops,
            "ops_sent": tally.sent_ops,
            "bytes_sent": tally.sent_bytes,
            "ops_gone": tally.gone_ops,
            "ops_held_back": tally.held_back_ops,
            "ops_dropped": tally.dropped_ops,
        });
        document["older"] = json!(older.map(|it| it.document()));
        return output::print_json(&document);
    }
    let met = format!(
        "received {}, sent {}\n",
        count(tally.useful_ops),
        count(tally.sent_ops)
    );
    let missed = missed(&tally);
    let older = older.map_or_else(String::new, |it| it.told());
    output::print(format!("{met}{missed}{}{older}", arrival.told).as_bytes())
}

fn count(ops: u64) -> String {
    text::count(usize::try_from(ops).unwrap_or(usize::MAX), "op")
}

/// What one side lacks and the other has dropped; nothing where there is no such op.
fn missed(tally: &Tally) -> String {
    let mut told = String::new();
    if tally.gone_ops > 0 {
        let (gone, held_back) = (count(tally.gone_ops), count(tally.held_back_ops));
        told += &format!(
            "{gone} were dropped there, and {held_back} that build on these were kept back: \
             they have to come from somebody who has every envelope\n"
        );
    }
    if tally.dropped_ops > 0 {
        let dropped = count(tally.dropped_ops);
        told += &format!(
            "{dropped} that the peer lacks were dropped here: \
             they have to come from somebody who has every envelope\n"
        );
    }
    told
}

/// Why a session did not come to its end.
fn broken(standing: Standing, said: &str) -> String {
    let why = match standing {
        Standing::Closed(reason) => format!("the session was broken off here: {reason}"),
        Standing::ClosedByPeer(reason) => format!("the session was broken off there: {reason}"),
        Standing::Open | Standing::Finished => "the connection has ended".to_owned(),
    };
    match node_program::cause(said) {
        Some(said) => format!("{why}: {said}"),
        None => why,
    }
}
