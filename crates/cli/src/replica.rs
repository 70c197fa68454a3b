//! A replica that has taken in one op log file.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use ecac_artifact::exit;
use ecac_core::{
    Body, Costs, Log, Op, OpId, OpLogError, Outcome, Payload, ProjectId, Rejected, Replay,
    VerifiedOp, project_of,
};

use crate::failure::Failure;
use crate::input::OpLogFile;
use crate::{input, output, text};

/// Which op log, and of which project.
#[derive(Debug, clap::Args)]
pub(crate) struct Source {
    /// Op log: a CBOR sequence of signed ops, such as *-ops.cborseq
    #[arg(value_name = "LOG")]
    pub(crate) log: PathBuf,
    /// Project, as the op id of its genesis; needed where LOG has no genesis or several
    #[arg(long, value_name = "HEX")]
    project: Option<ProjectId>,
}

/// An op log file and the project that it is read for.
#[derive(Debug)]
pub(crate) struct OpLog {
    pub(crate) file: OpLogFile,
    pub(crate) project: ProjectId,
}

/// What became of the items of an op log.
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
}

impl Source {
    /// Reads the file and settles the project.
    pub(crate) fn read(&self) -> Result<OpLog, Failure> {
        let file = OpLogFile::read(&self.log)?;
        let project = self.settle_project(&file.items())?;
        Ok(OpLog { file, project })
    }

    /// Reads the file and takes in every item.
    pub(crate) fn replay(&self) -> Result<Replica, Failure> {
        let op_log = self.read()?;
        let replica = Replica::of(op_log.project, &op_log.file.items());
        if let Some((item, first)) = replica.rejected.first() {
            output::note(&format!(
                "warning: {} of the items of {} are no signed ops and do not count; the first is item {item}: {}\n",
                replica.rejected.len(),
                text::path(&self.log),
                first.reason
            ));
        }
        Ok(replica)
    }

    fn settle_project(&self, items: &[&[u8]]) -> Result<ProjectId, Failure> {
        let found = project_of(items);
        let Some(project) = self.project else {
            return found.map_err(|error| match error {
                OpLogError::ManyProjects { .. } => Failure::new(
                    exit::BAD_INPUT,
                    format!("read the op log {}", text::path(&self.log)),
                    error,
                    format!("name one with --project: {}", listed(items)),
                ),
                _ => input::bad_op_log(&self.log, &error),
            });
        };
        if matches!(found, Err(OpLogError::NoGenesis)) {
            output::note(&format!(
                "warning: {} has no genesis, so every op of the project waits for it\n",
                text::path(&self.log)
            ));
        } else if !geneses(items).contains(&project) {
            return Err(Failure::new(
                exit::NOT_FOUND,
                format!("find project {project} in {}", text::path(&self.log)),
                "no genesis has this op id",
                format!("leave --project out, or name one of: {}", listed(items)),
            ));
        }
        Ok(project)
    }
}

/// The op ids of the correctly signed geneses.
fn geneses(items: &[&[u8]]) -> BTreeSet<OpId> {
    let ops = items.iter().filter_map(|item| decode(item));
    let geneses = ops.filter(|op| matches!(op.body().payload, Payload::Genesis(_)));
    let verified = geneses.filter_map(|op| VerifiedOp::verify(op, &mut Costs::default()).ok());
    verified.map(|op| op.id()).collect()
}

fn listed(items: &[&[u8]]) -> String {
    let ids: Vec<String> = geneses(items).iter().map(OpId::to_string).collect();
    ids.join(", ")
}

fn decode(item: &[u8]) -> Option<Op> {
    Op::decode(item, &mut Costs::default()).ok()
}

impl Replica {
    fn of(project: ProjectId, items: &[&[u8]]) -> Self {
        let mut costs = Costs::default();
        let mut log = Log::new(project);
        let mut rejected = Vec::new();
        let mut duplicates = 0;
        let mut first_items = BTreeMap::new();
        for (number, item) in items.iter().enumerate() {
            match log.receive(item, &mut costs) {
                Err(why) => rejected.push((number, why)),
                Ok(arrivals) => {
                    // The first arrival is the item's own op; others are pending ops that it released.
                    if let Some(own) = arrivals.first() {
                        first_items.entry(own.op).or_insert(number);
                        duplicates += usize::from(own.outcome == Outcome::Duplicate);
                    }
                }
            }
        }
        let kept = log.refused().filter_map(|(id, ..)| {
            let op = decode(items[*first_items.get(&id)?])?;
            Some((id, op))
        });
        let refused = kept.collect();
        let replay = Replay::of(&log, &mut costs);
        Self {
            log,
            replay,
            rejected,
            duplicates,
            items: first_items,
            refused,
        }
    }

    /// The body of an op, whatever became of it.
    pub(crate) fn body(&self, id: &OpId) -> Option<&Body> {
        let held = self.log.get(id).map(VerifiedOp::body);
        held.or_else(|| self.refused.get(id).map(Op::body))
    }

    /// Every op that was taken in, whatever became of it.
    pub(crate) fn ids(&self) -> impl Iterator<Item = OpId> {
        self.items.keys().copied()
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
