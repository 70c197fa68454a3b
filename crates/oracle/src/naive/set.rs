//! Sets of ops, which are numbered.

/// Number of an op, in order of arrival.
pub(super) type Op = usize;

const WORD_BITS: usize = u64::BITS as usize;

/// A set of ops.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Set(Vec<u64>);

impl Set {
    pub(super) const fn new() -> Self {
        Self(Vec::new())
    }

    pub(super) fn insert(&mut self, op: Op) {
        if self.0.len() <= op / WORD_BITS {
            self.0.resize(op / WORD_BITS + 1, 0);
        }
        self.0[op / WORD_BITS] |= 1 << (op % WORD_BITS);
    }

    pub(super) fn contains(&self, op: Op) -> bool {
        let word = self.0.get(op / WORD_BITS);
        word.is_some_and(|word| word & (1 << (op % WORD_BITS)) != 0)
    }

    /// The members, in order of arrival.
    pub(super) fn iter(&self) -> impl Iterator<Item = Op> {
        let words = self.0.iter().enumerate().filter(|(_, word)| **word != 0);
        words.flat_map(|(at, word)| {
            let bits = (0..WORD_BITS).filter(move |bit| word & (1 << bit) != 0);
            bits.map(move |bit| at * WORD_BITS + bit)
        })
    }
}

impl FromIterator<Op> for Set {
    fn from_iter<T: IntoIterator<Item = Op>>(ops: T) -> Self {
        let mut set = Self::new();
        ops.into_iter().for_each(|op| set.insert(op));
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_has_what_was_put_in_and_nothing_else() {
        let ops = [0, 5, 63, 64, 200];
        let set: Set = ops.into_iter().rev().collect();
        assert!(set.iter().eq(ops));
        for op in 0..400 {
            assert_eq!(set.contains(op), ops.contains(&op), "{op}");
        }
        assert_eq!(Set::new().iter().count(), 0);
    }
}
