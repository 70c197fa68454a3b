//! Axes from 0: their ticks, and where values lie.

/// Ticks of an axis, at most.
const TICKS_MAX: u64 = 6;

/// The ticks of an axis from 0: the step, and the end, which is a whole number of steps.
pub(crate) fn ticks(max: u64) -> (u64, u64) {
    let max = max.max(1);
    let mut decade = 1_u64;
    loop {
        for factor in [1, 2, 5] {
            let step = decade.saturating_mul(factor);
            let count = max.div_ceil(step);
            if count <= TICKS_MAX {
                return (step, step.saturating_mul(count));
            }
        }
        decade = decade.saturating_mul(10);
    }
}

/// 0, the step, twice the step and so on up to the end; no more than an axis has room for.
pub(crate) fn multiples(step: u64, end: u64) -> impl Iterator<Item = u64> {
    (0..=TICKS_MAX)
        .filter_map(move |count| step.checked_mul(count))
        .take_while(move |&value| value <= end)
}

/// `length * value / end`.
pub(crate) fn share(value: u64, end: u64, length: i64) -> i64 {
    let part = i128::from(length) * i128::from(value) / i128::from(end.max(1));
    i64::try_from(part).unwrap_or(length).min(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_few() {
        for (max, want) in [
            (0, (1, 1)),
            (1, (1, 1)),
            (6, (1, 6)),
            (7, (2, 8)),
            (81, (20, 100)),
            (500, (100, 500)),
            (1_712, (500, 2_000)),
            (72_857, (20_000, 80_000)),
        ] {
            assert_eq!(ticks(max), want, "{max}");
        }
        let (step, end) = ticks(u64::MAX);
        assert!(step > 0 && end >= u64::MAX / 2);
    }
}
