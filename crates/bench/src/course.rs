//! The course of `partition-3`: who wrote what and who met whom, so that nodes on a real network can do it again.

use ecac_core::{ProjectId, VerifiedOp};

/// What happened, in order.
#[derive(Debug, Clone)]
pub struct Course {
    /// The project.
    pub project: ProjectId,
    /// What the replicas are called; steps name them by their numbers here.
    pub names: [&'static str; 3],
    /// The steps.
    pub steps: Vec<Step>,
}

/// One step of a course.
#[derive(Debug, Clone)]
pub enum Step {
    /// An op is signed at a replica. Its parents are there, if the steps before it were done.
    Write {
        /// Where.
        replica: usize,
        /// The op.
        op: Box<VerifiedOp>,
    },
    /// Two replicas make a session.
    Meet {
        /// Who begins it.
        dialler: usize,
        /// Who answers it.
        listener: usize,
    },
    /// A replica is cut off: nobody meets it until [`Step::Heal`].
    CutOff {
        /// Which.
        replica: usize,
    },
    /// All are connected again.
    Heal,
}
