//! Features that nobody uses.

use ecac_core::{Costs, Decision, Replay};

use super::law::{Breach, Law, ensure};
use super::trial::Trial;
use crate::history::History;

/// Compares the history with the one that was played alike in a project that names more features. Ids differ, and so which
/// of two equals is the least; verdicts and reasons do not.
pub(super) fn check(trial: &Trial) -> Result<(), Breach> {
    let Some(twin) = trial.history.twin() else {
        return Ok(());
    };
    let decided = |history: &History| -> Vec<Option<Decision>> {
        let log = history.log();
        let decisions = Replay::of(&log, &mut Costs::default()).decisions(&log);
        let ops = history.ops.iter();
        ops.map(|op| decisions.get(&op.id()).cloned()).collect()
    };
    let (here, there) = (decided(&trial.history), decided(twin));
    let says = |decision: &Option<Decision>| {
        let decision = decision.as_ref();
        decision.map(|it| (it.verdict(), it.reason()))
    };
    let same = here.len() == there.len();
    ensure(Law::FeaturesAreInert, same, || {
        format!("{} ops, with more features {}", here.len(), there.len())
    })?;
    for (at, (one, other)) in here.iter().zip(&there).enumerate() {
        ensure(Law::FeaturesAreInert, says(one) == says(other), || {
            format!("#{at} is {one:?}, with more features {other:?}")
        })?;
    }
    Ok(())
}
