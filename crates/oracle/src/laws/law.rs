//! The laws, and what breaks one.

use core::fmt;

use strum::{Display, IntoStaticStr, VariantArray};

/// What must hold of every history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Display, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "kebab-case")]
pub enum Law {
    /// The engine says what the definitions say.
    OracleEquality,
    /// Decisions, state and trust view are functions of the set of ops.
    OrderFree,
    /// What is applied is denied only with a denial, a signature of one or a seal, what is denied reinstated only with an
    /// endorsement, a seal or a signature, and what an advance reports is what changed.
    Caused,
    /// What is applied in the past of a final seal is applied.
    SealedStands,
    /// Where a quorum is needed, no grant of root is ended without one but by its holder, and none serves without one.
    QuorumHolds,
    /// No op is admitted under a key that a reader revoked in its past holds.
    SecretsKept,
    /// Features that are named and not used change no decision.
    FeaturesAreInert,
    /// Advances after any parts of an arrival order, and from any checkpoint, come to what one replay comes to.
    IncrementalEqualsFull,
    /// No later op admits a refused one, nor changes why it is refused.
    FinalRefusals,
    /// An op that comes again changes nothing; neither do bytes that only look like one.
    HarmlessCopies,
    /// What is held outside of the DAG stays within its limits; what falls out is what came first, is counted, and can
    /// come again; nothing admitted does.
    BoundedHoldings,
    /// An op on the parents that are offered is admitted where its author has a grant that lives, and no revocation that
    /// is known kills a grant on them.
    OfferedParents,
    /// A `Replica` that takes the ops in in batches comes to the same; what it reports is what is decided, and what it
    /// foresees of an op is what comes.
    EmbeddedAlike,
    /// A `Replica` that drops what sealed work supersedes, whenever it does, or that starts from a snapshot that another one carried,
    /// comes to the same; what it can still say of a seal is what one says that has everything.
    PrunedAlike,
}

impl Law {
    /// Every law.
    pub const ALL: &'static [Self] = Self::VARIANTS;

    /// What the law is called.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// A law that does not hold of a history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breach {
    /// Which.
    pub law: Law,
    /// What was expected and what was found.
    pub what: String,
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.law, self.what)
    }
}

impl std::error::Error for Breach {}

pub(super) fn ensure(law: Law, holds: bool, what: impl FnOnce() -> String) -> Result<(), Breach> {
    if holds {
        Ok(())
    } else {
        Err(Breach { law, what: what() })
    }
}
