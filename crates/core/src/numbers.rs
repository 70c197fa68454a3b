//! Lists of numbers that are mostly small.

use crate::tight;

/// Numbers, in one, two or four bytes each, as the greatest that was ever among them takes.
#[derive(Debug, Clone)]
pub(crate) enum Numbers {
    Bytes(Vec<u8>),
    Halves(Vec<u16>),
    Words(Vec<u32>),
}

impl Default for Numbers {
    fn default() -> Self {
        Self::Bytes(Vec::new())
    }
}

/// Lists are equal that have the same numbers.
impl PartialEq for Numbers {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().eq(other.iter())
    }
}

impl Eq for Numbers {}

impl Numbers {
    pub(crate) const fn len(&self) -> usize {
        match self {
            Self::Bytes(list) => list.len(),
            Self::Halves(list) => list.len(),
            Self::Words(list) => list.len(),
        }
    }

    pub(crate) fn get(&self, at: usize) -> Option<u32> {
        match self {
            Self::Bytes(list) => list.get(at).map(|&it| it.into()),
            Self::Halves(list) => list.get(at).map(|&it| it.into()),
            Self::Words(list) => list.get(at).copied(),
        }
    }

    /// The number there, which there is.
    pub(crate) fn at(&self, at: usize) -> u32 {
        match self {
            Self::Bytes(list) => list[at].into(),
            Self::Halves(list) => list[at].into(),
            Self::Words(list) => list[at],
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = u32> {
        (0..self.len()).map(|at| self.at(at))
    }

    /// Puts the number there, where there is one.
    pub(crate) fn put(&mut self, at: usize, number: u32) {
        self.fit(number);
        match (&mut *self, u8::try_from(number), u16::try_from(number)) {
            (Self::Bytes(list), Ok(number), _) => list[at] = number,
            (Self::Halves(list), _, Ok(number)) => list[at] = number,
            (Self::Words(list), ..) => list[at] = number,
            (Self::Bytes(_) | Self::Halves(_), ..) => unreachable!("there is room for the number"),
        }
    }

    pub(crate) fn push(&mut self, number: u32) {
        self.lengthen(self.len() + 1);
        self.put(self.len() - 1, number);
    }

    /// Makes room for so many, where there are none yet.
    pub(crate) fn reserve(&mut self, numbers: usize) {
        match self {
            Self::Bytes(list) => list.reserve_exact(numbers),
            Self::Halves(list) => list.reserve_exact(numbers),
            Self::Words(list) => list.reserve_exact(numbers),
        }
    }

    /// Lengthens the list with zeros.
    pub(crate) fn lengthen(&mut self, len: usize) {
        match self {
            Self::Bytes(list) => tight::lengthen(list, len, u8::default),
            Self::Halves(list) => tight::lengthen(list, len, u16::default),
            Self::Words(list) => tight::lengthen(list, len, u32::default),
        }
    }

    /// Makes each number as wide as this one takes.
    fn fit(&mut self, number: u32) {
        match self {
            Self::Bytes(list) if number > u8::MAX.into() => {
                let list = list.iter().map(|&it| it.into());
                *self = if number > u16::MAX.into() {
                    Self::Words(list.map(u32::from).collect())
                } else {
                    Self::Halves(list.collect())
                };
            }
            Self::Halves(list) if number > u16::MAX.into() => {
                *self = Self::Words(list.iter().map(|&it| it.into()).collect());
            }
            Self::Bytes(_) | Self::Halves(_) | Self::Words(_) => {}
        }
    }
}

impl FromIterator<u32> for Numbers {
    fn from_iter<T: IntoIterator<Item = u32>>(numbers: T) -> Self {
        let numbers = numbers.into_iter();
        let mut list = Self::default();
        list.reserve(numbers.size_hint().0);
        numbers.for_each(|it| list.push(it));
        list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_as_they_were_put_however_wide_they_are() {
        let numbers = [3, 255, 256, 65_535, 0, 65_536, u32::MAX, 1];
        for count in 0..=numbers.len() {
            let want = &numbers[..count];
            let pushed: Numbers = want.iter().copied().collect();
            let mut put = Numbers::default();
            put.lengthen(count);
            assert_eq!(put.iter().sum::<u32>(), 0);
            for (at, &number) in want.iter().enumerate().rev() {
                put.put(at, number);
            }
            assert!(pushed.iter().eq(want.iter().copied()));
            assert_eq!(pushed, put);
            assert_eq!((put.len(), put.get(count)), (count, None));
            if let Some(last) = count.checked_sub(1) {
                assert_eq!(put.get(last), Some(want[last]));
                let wide = put.clone();
                put.put(last, 1);
                assert_eq!(put.at(last), 1);
                assert_eq!(put == wide, want[last] == 1);
            }
        }
        let mut short = Numbers::default();
        short.lengthen(1);
        assert_ne!(short, Numbers::default());
    }

    #[test]
    fn small_numbers_take_a_byte() {
        let small: Numbers = (0..256).collect();
        assert!(matches!(small, Numbers::Bytes(_)));
        let more: Numbers = (0..257).collect();
        assert!(matches!(more, Numbers::Halves(_)));
    }
}
