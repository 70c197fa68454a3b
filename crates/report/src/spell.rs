//! Spells offline: what each denial took back, and how long that had been collected.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use ecac_artifact::EventKind;
use ecac_core::OpId;

use crate::evidence::RunEvidence;

/// Steps of a curve, at most; a panel is not much wider in pixels.
const STEPS_MAX: usize = 500;
/// Spells of one panel: the longest is so many times as long as the shortest, at most. A shorter one would be a stroke at its edge.
const SPREAD_MAX: u64 = 5;
/// Panels, at most; the last one has whatever is longer.
const GROUPS_MAX: usize = 3;

/// The ops that one denial took back, by when the observer had applied them.
pub(crate) struct Spell {
    /// The run, and which of its denials where there are several.
    pub(crate) name: String,
    /// Milliseconds since the first of the ops was applied, and how many there were then.
    pub(crate) points: Vec<(u64, u64)>,
    /// When the denial was written, since the first of the ops was applied.
    pub(crate) denied_ms: Option<u64>,
}

/// One for each denial that took something back, in the order of the ids of the denials.
fn of_run(run: &RunEvidence) -> Vec<Spell> {
    let Some(events) = &run.timeline else {
        return Vec::new();
    };
    let mut applied = BTreeMap::new();
    let mut taken: BTreeMap<_, Vec<(u64, u64)>> = BTreeMap::new();
    for event in events {
        match (event.event, event.op) {
            (EventKind::Applied, Some(op)) => {
                applied.insert(op, event.t);
            }
            (EventKind::RolledBack, Some(op)) => {
                if let Some(&at_ms) = applied.get(&op) {
                    taken.entry(event.by).or_default().push((at_ms, event.t));
                }
            }
            _ => {}
        }
    }
    let spell = |(by, mut times): (Option<OpId>, Vec<(u64, u64)>)| {
        times.sort_unstable();
        let (start, end) = (times.first()?.0, times.last()?.1);
        let mut points: Vec<_> = (1..)
            .zip(&times)
            .step_by(times.len().div_ceil(STEPS_MAX))
            .map(|(n, time)| (time.0 - start, n))
            .collect();
        points.push((end - start, times.len() as u64));
        let written = by.and_then(|by| Some(run.ops.as_ref()?.get(&by)?.hlc.physical_ms));
        Some(Spell {
            name: run.name().to_owned(),
            points,
            denied_ms: written.map(|at_ms| at_ms.saturating_sub(start)),
        })
    };
    taken.into_iter().filter_map(spell).collect()
}

/// The spells of all runs, those with most steps first, each with a name of its own.
pub(crate) fn spells(runs: &[RunEvidence]) -> Vec<Spell> {
    let mut spells: Vec<Spell> = runs.iter().flat_map(of_run).collect();
    spells.sort_by_key(|spell| Reverse(spell.points.len()));
    let mut names: BTreeMap<String, usize> = BTreeMap::new();
    for spell in &mut spells {
        let number = names.entry(spell.name.clone()).or_default();
        *number += 1;
        if *number > 1 {
            spell.name = format!("{}, denial {number}", spell.name);
        }
    }
    spells
}

impl Spell {
    /// From the first of the ops to the last, in milliseconds.
    pub(crate) fn length_ms(&self) -> u64 {
        self.points.last().map_or(0, |point| point.0)
    }
}

/// The spells that share a panel, with their numbers: of lengths that can be told apart on one axis. The shortest come first.
pub(crate) fn groups(spells: &[Spell]) -> Vec<Vec<(usize, &Spell)>> {
    let mut sorted: Vec<(usize, &Spell)> = spells.iter().enumerate().collect();
    sorted.sort_by_key(|(_, spell)| spell.length_ms());
    let mut groups: Vec<Vec<(usize, &Spell)>> = Vec::new();
    for one in sorted {
        let is_full = groups.len() == GROUPS_MAX;
        match groups.last_mut() {
            Some(group) if is_full || fits(group, one.1) => group.push(one),
            _ => groups.push(vec![one]),
        }
    }
    for group in &mut groups {
        group.sort_by_key(|(number, _)| *number);
    }
    groups
}

fn fits(group: &[(usize, &Spell)], spell: &Spell) -> bool {
    let shortest = group.iter().map(|(_, it)| it.length_ms()).min();
    shortest.is_none_or(|it| spell.length_ms() <= it.saturating_mul(SPREAD_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panel_has_lengths_that_can_be_told_apart() {
        let of = |lengths: &[u64]| {
            let spell = |&length_ms: &u64| Spell {
                name: String::new(),
                points: vec![(0, 1), (length_ms, 2)],
                denied_ms: None,
            };
            let spells: Vec<Spell> = lengths.iter().map(spell).collect();
            let groups = groups(&spells);
            let numbers = |group: &Vec<(usize, &Spell)>| group.iter().map(|it| it.0).collect();
            groups.iter().map(numbers).collect::<Vec<Vec<usize>>>()
        };
        assert!(of(&[]).is_empty());
        assert_eq!(of(&[7]), [[0]]);
        assert_eq!(of(&[80, 60, 1500, 55]), [vec![0, 1, 3], vec![2]]);
        assert_eq!(of(&[1, 5, 6, 30, 31]), [vec![0, 1], vec![2, 3], vec![4]]);
        assert_eq!(
            of(&[1, 10, 100, 1000, 10_000]),
            [vec![0], vec![1], vec![2, 3, 4]]
        );
        assert_eq!(of(&[0, 0, u64::MAX]), [vec![0, 1], vec![2]]);
    }
}
