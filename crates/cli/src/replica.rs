//! A replica that has taken in one or more op logs.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use ecac_artifact::exit;
use ecac_core::{
    Body, Costs, Effect, Limits, Log, Op, OpId, OpLogError, Payload, ProjectId, Rejected, Replay,
    VerifiedOp, order_by_links, payload,
};
use ecac_project::Project;

use crate::edge::Globals;
use crate::failure::Failure;
use crate::input::OpLogFiles;
use crate::{behind, input, output};

/// What the project directory is called in messages.
const PROJECT: &str = "the project";

/// Which op logs, and of which project.
#[derive(Debug, clap::Args)]
pub(crate) struct Source {
    #[command(flatten)]
    pub(crate) logs: Logs,
    /// Project, as the op id of its genesis; needed where the logs have no genesis or several
    #[arg(long, value_name = "HEX")]
    project: Option<ProjectId>,
}

/// Which op logs.
#[derive(Debug, clap::Args)]
pub(crate) struct Logs {
    /// Op logs, merged: CBOR sequences of signed ops, such as *-ops.cborseq; `-` is standard input
    #[arg(value_name = "LOG", required = true, num_args = 1..)]
    paths: Vec<PathBuf>,
}

/// Op logs and the project that they are read for.
#[derive(Debug)]
pub(crate) struct OpLog {
    pub(crate) file: OpLogFiles,
    pub(crate) project: ProjectId,
    /// What is kept of ops whose envelopes the project has dropped.
    pub(crate) dropped: Vec<VerifiedOp>,
}

/// What became of the items of op logs.
#[derive(Debug)]
pub(crate) struct Replica {
    pub(crate) log: Log,
    pub(crate) replay: Replay,
    /// Items that are no op of anybody's, by the item's number from 0.
    pub(crate) rejected: Vec<(usize, Rejected)>,
    /// Items that repeat an op.
    pub(crate) duplicates: usize,
    /// The first item that holds an op.
    pub(crate) items: BTreeMap<OpId, usize>,
    /// Refused ops, of which the log itself keeps no bytes.
    refused: BTreeMap<OpId, Op>,
    /// What is kept of ops whose envelopes were dropped: no value, and no signature.
    dropped: BTreeMap<OpId, Body>,
    /// Where the items stand.
    pub(crate) files: OpLogFiles,
}

impl Logs {
    /// Reads the op logs.
    pub(crate) fn read(&self) -> Result<OpLogFiles, Failure> {
        OpLogFiles::read(&self.paths)
    }

    /// What the op logs are called in messages.
    pub(crate) fn label(&self) -> String {
        if self.paths.is_empty() {
            return PROJECT.to_owned();
        }
        let labels: Vec<String> = self.paths.iter().map(|path| input::label(path)).collect();
        labels.join(", ")
    }
}

impl OpLog {
    /// The op logs for the project that they are of, or that is named.
    pub(crate) fn of(file: OpLogFiles, project: Option<ProjectId>) -> Result<Self, Failure> {
        let project = settle_project(&file, project)?;
        let dropped = Vec::new();
        Ok(Self {
            file,
            project,
            dropped,
        })
    }

    /// Takes in every item; says so where some are no ops.
    pub(crate) fn replay(self) -> Replica {
        let replica = Replica::of(self);
        if let Some((number, first)) = replica.rejected.first() {
            let position = replica.files.position(*number);
            output::note(&format!(
                "warning: {} of the items of {} are no signed ops and do not count; the first is item {} of {}: {}\n",
                replica.rejected.len(),
                listed(replica.files.labels()),
                position.item,
                replica.files.label(position.log),
                first.reason
            ));
        }
        if let Some(how_far) = replica.log.behind() {
            output::note(&behind::warning_of(&how_far));
        }
        replica
    }
}

impl Source {
    /// These op logs, of this project if it is named.
    pub(crate) const fn of(paths: Vec<PathBuf>, project: Option<ProjectId>) -> Self {
        Self {
            logs: Logs { paths },
            project,
        }
    }

    /// Reads the op logs and settles the project.
    pub(crate) fn read(&self) -> Result<OpLog, Failure> {
        OpLog::of(self.logs.read()?, self.project)
    }

    /// The project here or above, with the names of people, if no op log is named.
    pub(crate) fn project_in(&self, globals: &Globals) -> Option<Project> {
        let is_named = !self.logs.paths.is_empty();
        globals.project().ok().filter(|_| !is_named)
    }

    /// The same; where no op log is named, the ops of the project here or above.
    pub(crate) fn read_in(&self, globals: &Globals) -> Result<OpLog, Failure> {
        if self.logs.paths.is_empty() {
            return of_directory(globals);
        }
        self.read()
    }

    /// Reads the op logs, or the project where none is named, and takes in every item.
    pub(crate) fn replay_in(&self, globals: &Globals) -> Result<Replica, Failure> {
        Ok(self.read_in(globals)?.replay())
    }
}

/// The ops of the project here or above as an op log: those that are held, those that were refused, and what is kept of those whose
/// envelopes were dropped.
pub(crate) fn of_directory(globals: &Globals) -> Result<OpLog, Failure> {
    let (project, replica) = globals.reading()?;
    let log = replica.log();
    let mut envelopes: Vec<Vec<u8>> = replica.envelopes().map(|it| it.into_owned()).collect();
    let held = log.pending().chain(log.unsupported());
    envelopes.extend(held.map(|op| op.envelope().to_vec()));
    let refused = project.refused();
    envelopes.extend(refused.map_err(|error| Failure::of("read the refused ops", &error))?);
    let positions = 0..log.admitted_count();
    let dropped = positions.filter_map(|it| log.remains(it)).collect();
    // What cannot be read is passed over above.
    if let Some(fault) = replica.fault() {
        return Err(Failure::new(
            exit::VERIFICATION,
            "read the ops of the project",
            fault,
            "ecac verify-store says what is damaged",
        ));
    }
    Ok(OpLog {
        dropped,
        project: replica.project(),
        file: OpLogFiles::of_items(PROJECT, &envelopes),
    })
}

/// The project that is named, or the one that the op logs are of. Logs of several projects are not merged; one without
/// any genesis goes with the others.
fn settle_project(file: &OpLogFiles, named: Option<ProjectId>) -> Result<ProjectId, Failure> {
    let geneses = geneses(file);
    let all: BTreeSet<OpId> = geneses.iter().flatten().copied().collect();
    let labels = listed(file.labels());
    let Some(project) = named else {
        return match (all.first(), all.len()) {
            (Some(&project), 1) => Ok(project),
            (None, _) => Err(input::bad_op_log(&labels, &OpLogError::NoGenesis)),
            (Some(_), count) if geneses.iter().any(|it| it.len() > 1) => Err(Failure::new(
                exit::BAD_INPUT,
                format!("read the op log {labels}"),
                OpLogError::ManyProjects { count },
                format!("name one with --project: {}", listed(&all)),
            )),
            (Some(_), count) => {
                let label = |(log, of): (usize, &BTreeSet<OpId>)| {
                    (!of.is_empty()).then(|| format!("{}: {}", file.label(log), listed(of)))
                };
                let details = geneses.iter().enumerate().filter_map(label).collect();
                Err(Failure::new(
                    exit::BAD_INPUT,
                    format!("merge the op logs {labels}"),
                    format!("they are of {count} projects"),
                    "merge op logs of one project only",
                )
                .with_details(details))
            }
        };
    };
    if all.is_empty() {
        output::note(&format!(
            "warning: no genesis in {labels}, so every op of the project waits for it\n"
        ));
    }
    let mut logs = geneses.iter().enumerate();
    match logs.find(|(_, of)| !of.is_empty() && !of.contains(&project)) {
        None => Ok(project),
        Some((log, of)) => Err(Failure::new(
            exit::NOT_FOUND,
            format!("find project {project} in {}", file.label(log)),
            "no genesis has this op id",
            format!(
                "leave this op log or --project out, or name one of: {}",
                listed(of)
            ),
        )),
    }
}

/// The op ids of the correctly signed geneses, of each op log.
fn geneses(file: &OpLogFiles) -> Vec<BTreeSet<OpId>> {
    let mut geneses: Vec<BTreeSet<OpId>> = file.labels().map(|_| BTreeSet::new()).collect();
    for (number, item) in file.items().into_iter().enumerate() {
        let op = decode(item).filter(|op| op.body().payload.genesis().is_some());
        let verified = op.and_then(|op| VerifiedOp::verify(op, &mut Costs::default()).ok());
        if let Some(genesis) = verified {
            geneses[file.position(number).log].insert(genesis.id());
        }
    }
    geneses
}

fn listed<T: ToString>(things: impl IntoIterator<Item = T>) -> String {
    let texts: Vec<String> = things.into_iter().map(|it| it.to_string()).collect();
    texts.join(", ")
}

fn decode(item: &[u8]) -> Option<Op> {
    Op::decode(item, &mut Costs::default()).ok()
}

/// What a log made of items.
struct Taken {
    log: Log,
    /// Items that are no op of anybody's, by the item's number from 0.
    rejected: Vec<(usize, Rejected)>,
    duplicates: usize,
    /// The first item that holds an op.
    first_items: BTreeMap<OpId, usize>,
}

/// Takes the items of a file in, for every command that reads an op log: ops in the order of their links, so that the
/// result is a function of the set of ops whatever the limits of a log.
fn take_in(
    project: ProjectId,
    items: &[&[u8]],
    dropped: &[VerifiedOp],
    costs: &mut Costs,
) -> Taken {
    let mut taken = Taken {
        log: Log::new(project),
        rejected: Vec::new(),
        duplicates: 0,
        first_items: BTreeMap::new(),
    };
    let mut ops = dropped.to_vec();
    for (number, item) in items.iter().enumerate() {
        match VerifiedOp::read(item, costs) {
            Err(why) => taken.rejected.push((number, why)),
            Ok(op) => {
                let repeated = taken.first_items.contains_key(&op.id());
                taken.duplicates += usize::from(repeated);
                taken.first_items.entry(op.id()).or_insert(number);
                ops.push(op);
            }
        }
    }
    for op in order_by_links(ops) {
        taken.log.ingest(op, costs);
    }
    taken
}

impl Replica {
    /// A log without limits that items reach in this very order, and its replay, brought up to date `advances` times meanwhile.
    pub(crate) fn arrive(project: ProjectId, items: &[&[u8]], advances: usize) -> (Log, Replay) {
        let mut costs = Costs::default();
        let mut log = Log::with_limits(project, Limits::unbounded());
        let mut replay = Replay::new();
        for part in items.chunks(items.len().div_ceil(advances).max(1)) {
            for item in part {
                // What is no op leaves no trace.
                let _ = log.receive(item, &mut costs);
            }
            replay.advance(&log, &mut costs);
        }
        (log, replay)
    }

    fn of(op_log: OpLog) -> Self {
        let mut costs = Costs::default();
        let items = op_log.file.items();
        let Taken {
            log,
            rejected,
            duplicates,
            first_items,
        } = take_in(op_log.project, &items, &op_log.dropped, &mut costs);
        let kept = log.refused().filter_map(|(id, ..)| {
            let op = decode(items[*first_items.get(&id)?])?;
            Some((id, op))
        });
        let refused = kept.collect();
        let dropped = op_log.dropped.iter();
        let dropped = dropped.map(|op| (op.id(), op.body().clone())).collect();
        let replay = Replay::of(&log, &mut costs);
        Self {
            log,
            replay,
            rejected,
            duplicates,
            items: first_items,
            refused,
            dropped,
            files: op_log.file,
        }
    }

    /// Whether the envelope of the op was dropped.
    pub(crate) fn is_dropped(&self, id: &OpId) -> bool {
        self.dropped.contains_key(id)
    }

    /// How many envelopes were dropped.
    pub(crate) fn dropped_count(&self) -> usize {
        self.dropped.len()
    }

    /// The body of an op, whatever became of it; without its value, if its envelope was dropped.
    pub(crate) fn body(&self, id: &OpId) -> Option<Body> {
        let held = self.log.get(id).map(|op| op.body().clone());
        let held = held.or_else(|| self.dropped.get(id).cloned());
        held.or_else(|| self.refused.get(id).map(|op| op.body().clone()))
    }

    /// The JWT of the credential that the payload refers to, if it is a grant of one that is here.
    pub(crate) fn carried_by(&self, payload: &Payload) -> Option<String> {
        let Payload::Grant(payload::Grant { credential, .. }) = payload else {
            return None;
        };
        Some(self.body(credential)?.payload.credential()?.to_owned())
    }

    /// What an admitted op of trust or policy does, or that it counts for nothing and why.
    pub(crate) fn effect(&self, id: &OpId) -> Option<Effect> {
        self.replay.effect(&self.log, id, &mut Costs::default())
    }

    /// Every op that was taken in, whatever became of it.
    pub(crate) fn ids(&self) -> impl Iterator<Item = OpId> {
        self.items.keys().chain(self.dropped.keys()).copied()
    }

    /// Why the first item that claims this op id is no op of anybody's, where no good item holds it.
    pub(crate) fn rejection(&self, id: &OpId) -> Option<Rejected> {
        let claims = |(_, rejected): &&(usize, Rejected)| rejected.claimed == Some(*id);
        let found = self.rejected.iter().find(claims);
        found
            .filter(|_| !self.log.holds(id))
            .map(|(_, rejected)| *rejected)
    }
}
