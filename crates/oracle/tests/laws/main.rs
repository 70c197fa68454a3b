//! The laws of the engine: what `docs/policy-model.md` promises, checked on random adversarial histories against an
//! oracle that is written straight from the definitions. Small histories written by hand are in `tests/vectors`.
//!
//! A failing history is shrunk, printed, and its seed is kept in `tests/laws/regressions.txt`, which is run
//! first from then on. `PROPTEST_CASES` sets the number of histories; `cargo xtask soak` runs many more.

use std::collections::BTreeMap;

use ecac_core::{DenialReason, EffectCode, Refusal};
use ecac_oracle::laws::{self, trials};
use ecac_oracle::soak::Trials;
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct("tests/laws/regressions.txt"))),
        ..ProptestConfig::default()
    })]

    /// Every law of [`laws::Law::ALL`].
    #[test]
    fn the_laws_hold(trial in trials()) {
        if let Err(breach) = laws::check(&trial) {
            return Err(TestCaseError::fail(breach.to_string()));
        }
    }
}

/// The law on pruned replicas is worth something only if there is something to drop: of few random histories, which are all
/// checked.
#[test]
fn random_histories_have_what_sealed_work_supersedes() {
    let trials = Trials::new(1);
    let dropping = (0..4_000).map(|number| trials.get(number));
    let dropping = dropping.filter(|it| laws::prunable(it) > 0);
    let dropping: Vec<_> = dropping.take(3).collect();
    assert_eq!(dropping.len(), 3);
    for trial in &dropping {
        laws::check(trial).expect("the laws hold");
    }
}

/// Trials that are looked at in any case, and until everything was met.
const TRIALS: core::ops::Range<u64> = 600..2_400;

/// The generator is worth something only if it gets everywhere: every verdict, every reason and every effect occurs, and
/// most often something is applied.
#[test]
fn random_histories_meet_every_reason_and_effect() {
    let refusals = Refusal::ALL
        .iter()
        .map(|reason| format!("refused {reason}"))
        .skip(2);
    let denials = DenialReason::ALL
        .iter()
        .map(|reason| format!("denied {reason}"));
    let verdicts = ["pending ", "unsupported "].map(str::to_owned);
    // 64 links of delegation are more than a history has.
    let effects = EffectCode::ALL.iter();
    let effects = effects.filter(|code| **code != EffectCode::TooDeep);
    let effects = effects.map(|code| format!("effect {code}"));
    let mut never: Vec<String> = refusals
        .chain(denials)
        .chain(verdicts)
        .chain(effects)
        .collect();
    let trials = Trials::new(0);
    let mut met: BTreeMap<String, usize> = BTreeMap::new();
    for number in 0..TRIALS.end {
        if number >= TRIALS.start && never.is_empty() {
            break;
        }
        let said = laws::check(&trials.get(number)).expect("the laws hold");
        let verdicts = said.replayed.decisions.values().map(|decision| {
            let reason = decision.reason().unwrap_or_default();
            format!("{} {reason}", decision.verdict())
        });
        let effects = said.replayed.effects.values();
        let effects = effects.map(|effect| format!("effect {}", effect.code));
        for it in verdicts.chain(effects) {
            *met.entry(it).or_default() += 1;
        }
        never.retain(|it| !met.contains_key(it));
    }
    assert!(never.is_empty(), "never met: {never:?} in {met:#?}");
    assert!(met["applied "] > 600, "{met:#?}");
}
