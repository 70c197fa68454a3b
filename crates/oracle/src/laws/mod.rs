//! The laws of `docs/policy-model.md`, checked on one history at a time.

mod carried;
mod crowd;
mod embedded;
mod inert;
mod law;
mod limits;
mod parents;
mod pruned;
mod roots;
mod said;
mod saved;
mod seals;
mod secrets;
mod steps;
mod trial;
mod wish;

pub use carried::carries;
pub use law::{Breach, Law};
pub use pruned::prunable;
pub use said::{Replayed, Said};
pub use trial::{Trial, trials};

use ecac_core::{Costs, Effect, Log, Replay};

use crate::naive::{Oracle, Told};
use law::ensure;
use steps::Steps;

/// Checks every law on one history; returns what a replica says of it.
///
/// # Errors
///
/// Returns the first breach.
pub fn check(trial: &Trial) -> Result<Said, Breach> {
    match trial.missing {
        None => check_with(trial, Some(&trial.history.oracle())),
        Some(_) => {
            let held = trial.held().into_iter().map(|op| (op.id(), op.body()));
            let oracle = Oracle::of(trial.history.project, held);
            check_with(trial, Some(&oracle))
        }
    }
}

/// Checks every law on one history as far as it can be checked without the oracle, whose cost grows much faster than the
/// history.
///
/// # Errors
///
/// Returns the first breach.
pub fn consistent(trial: &Trial) -> Result<Said, Breach> {
    check_with(trial, None)
}

/// What a replica says of the history, of which no law is checked.
#[must_use]
pub fn told(trial: &Trial) -> Said {
    let costs = &mut Costs::default();
    let mut log = Log::new(trial.history.project);
    for op in trial.held() {
        log.ingest(op.clone(), costs);
    }
    Said::of(&log, &Replay::of(&log, costs))
}

fn check_with(trial: &Trial, oracle: Option<&Oracle>) -> Result<Said, Breach> {
    let Steps { mut log, replay } = steps::walk(trial, oracle)?;
    let said = Said::of(&log, &replay);
    if let Some(oracle) = oracle {
        oracle_agrees(oracle, &said)?;
    }
    seals::check(&log, &said)?;
    roots::check(&log, &said)?;
    secrets::check(&log)?;
    inert::check(trial)?;
    embedded::check(trial, &said)?;
    pruned::check(trial, &said)?;
    carried::check(trial, &said)?;
    if trial.second {
        let told = told(trial);
        ensure(Law::OrderFree, said == told, || {
            let [one, other] = [&said, &told].map(|it| String::from_utf8_lossy(&it.trust));
            let difference = said.replayed.difference(&told.replayed);
            format!("in another order {difference}\nthe trust views are\n{one}\n{other}")
        })?;
        saved::check(trial, &said)?;
    }
    if let Some(crowd) = &trial.crowd {
        limits::check(trial, crowd, &log, &said)?;
    }
    if let Some(oracle) = oracle {
        parents::check(trial, &mut log, &replay, oracle)?;
    }
    Ok(said)
}

fn oracle_agrees(oracle: &Oracle, said: &Said) -> Result<(), Breach> {
    let law = Law::OracleEquality;
    let decisions = oracle.decisions();
    let said_decisions = &said.replayed.decisions;
    for (op, decision) in said_decisions {
        let expected = decisions.get(op);
        ensure(law, expected == Some(decision), || {
            format!("{op} is {decision:?}, by the oracle {expected:?}")
        })?;
    }
    ensure(law, decisions.len() == said_decisions.len(), || {
        format!(
            "{} ops are judged, by the oracle {}",
            said_decisions.len(),
            decisions.len()
        )
    })?;
    let told = |effect: &Effect| Told {
        effect: effect.code.name(),
        counts: effect.code.counts(),
        on: effect.on.clone(),
    };
    let effects = oracle.effects();
    let said_effects = &said.replayed.effects;
    for op in decisions.keys() {
        let (found, expected) = (said_effects.get(op).map(told), effects.get(op));
        ensure(law, found.as_ref() == expected, || {
            format!("the effect of {op} is {found:?}, by the oracle {expected:?}")
        })?;
    }
    let exports = [
        ("state", &said.replayed.state, oracle.state()),
        ("trust view", &said.trust, oracle.trust()),
    ];
    for (name, bytes, expected) in exports {
        let found: Option<serde_json::Value> = serde_json::from_slice(bytes).ok();
        ensure(law, found.as_ref() == Some(&expected), || {
            let found = String::from_utf8_lossy(bytes);
            format!("the {name} is\n{found}\nby the oracle\n{expected}")
        })?;
    }
    Ok(())
}
