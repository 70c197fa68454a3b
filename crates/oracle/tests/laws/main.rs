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

/// Trials that are looked at in any case, and until everything was met.
const TRIALS: core::ops::Range<u64> = 600..2_400;

/// The generator is worth something only if it gets everywhere: every verdict, every reason and every effect occurs, most
/// often something is applied, and now and then there is something that sealed work supersedes, and that a carried
/// snapshot goes without.
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
    let (mut dropping, mut carrying) = (0, 0);
    let mut met: BTreeMap<String, usize> = BTreeMap::new();
    for number in 0..TRIALS.end {
        if number >= TRIALS.start && never.is_empty() {
            break;
        }
        let trial = trials.get(number);
        let said = laws::told(&trial);
        dropping += usize::from(laws::prunable(&trial) > 0);
        carrying += usize::from(laws::carries(&trial));
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
    assert!(
        dropping > 0 && carrying > 0,
        "{dropping} drop, {carrying} carry"
    );
}
