//! Lists that hardly move what they have, once they are long.

use core::iter::FusedIterator;
use core::ops::{Index, IndexMut};

use crate::tight;

/// Rows of a segment: so many that a list of a million has few segments, and where they are is at hand.
const ROWS: usize = 1 << 14;
/// Rows with which a segment begins.
const FIRST: usize = ROWS / 8;

/// A list of rows in segments of [`ROWS`]: as it grows, it moves but the last segment, which doubles three times, so that a row is
/// moved less than once on average. As long as it is short, it grows as any tight list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Segments<T> {
    segments: Vec<Vec<T>>,
    len: usize,
}

impl<T> Default for Segments<T> {
    fn default() -> Self {
        let (segments, len) = (Vec::new(), 0);
        Self { segments, len }
    }
}

impl<T> Segments<T> {
    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn get(&self, at: usize) -> Option<&T> {
        self.segments.get(at / ROWS)?.get(at % ROWS)
    }

    pub(crate) fn get_mut(&mut self, at: usize) -> Option<&mut T> {
        self.segments.get_mut(at / ROWS)?.get_mut(at % ROWS)
    }

    pub(crate) fn push(&mut self, row: T) {
        if self.len.is_multiple_of(ROWS) {
            let rows = if self.len == 0 { 0 } else { FIRST };
            self.segments.push(Vec::with_capacity(rows));
        }
        if let Some(last) = self.segments.last_mut() {
            if last.len() >= FIRST && last.len() == last.capacity() {
                last.reserve_exact(last.len().min(ROWS - last.len()));
            }
            tight::push(last, row);
            self.len += 1;
        }
    }

    /// Lengthens the list with what `row` makes.
    pub(crate) fn lengthen(&mut self, len: usize, mut row: impl FnMut() -> T) {
        while self.len < len {
            self.push(row());
        }
    }

    pub(crate) fn iter(&self) -> impl FusedIterator<Item = &T> {
        self.segments.iter().flatten()
    }

    pub(crate) fn iter_mut(&mut self) -> impl FusedIterator<Item = &mut T> {
        self.segments.iter_mut().flatten()
    }
}

impl<T> Index<usize> for Segments<T> {
    type Output = T;

    fn index(&self, at: usize) -> &T {
        &self.segments[at / ROWS][at % ROWS]
    }
}

impl<T> IndexMut<usize> for Segments<T> {
    fn index_mut(&mut self, at: usize) -> &mut T {
        &mut self.segments[at / ROWS][at % ROWS]
    }
}

impl<T> FromIterator<T> for Segments<T> {
    fn from_iter<I: IntoIterator<Item = T>>(rows: I) -> Self {
        let mut list = Self::default();
        rows.into_iter().for_each(|row| list.push(row));
        list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_where_they_were_pushed() {
        let mut list = Segments::default();
        assert_eq!(
            (list.len(), list.get(0), list.iter().next()),
            (0, None, None)
        );
        let count = ROWS * 3 + 1;
        for row in 0..count {
            list.push(row);
            assert_eq!((list.len(), list[row]), (row + 1, row));
        }
        assert_eq!(
            (list.get(count - 1), list.get(count)),
            (Some(&(count - 1)), None)
        );
        assert!(list.iter().copied().eq(0..count));
        list[ROWS] = 7;
        *list.get_mut(ROWS + 1).unwrap() = 8;
        assert_eq!(list.get_mut(count), None);
        assert_eq!(
            (list[ROWS - 1], list[ROWS], list[ROWS + 1]),
            (ROWS - 1, 7, 8)
        );
        list.iter_mut().for_each(|row| *row = 1);
        assert_eq!(list.iter().sum::<usize>(), count);
        list.lengthen(count - 1, || 5);
        assert_eq!(list.len(), count);
        list.lengthen(count + ROWS, || 5);
        assert_eq!(
            (list.len(), list[count - 1], list[count]),
            (count + ROWS, 1, 5)
        );
        let same: Segments<usize> = list.iter().copied().collect();
        assert!(same.iter().eq(list.iter()));
    }

    #[test]
    fn little_is_unused_and_little_moves() {
        let mut list = Segments::default();
        list.push([0_u64; 8]);
        assert_eq!(list.segments[0].capacity(), 1);
        list.lengthen(ROWS * 3, || [0; 8]);
        for segment in &list.segments {
            assert_eq!((segment.len(), segment.capacity()), (ROWS, ROWS));
        }
        let first: Vec<_> = list.segments.iter().map(Vec::as_ptr).collect();
        let rows = |list: &Segments<[u64; 8]>| list.segments.last().map_or(0, Vec::capacity);
        for (more, want) in [
            (1, FIRST),
            (FIRST, FIRST),
            (FIRST + 1, FIRST * 2),
            (ROWS / 2 + 1, ROWS),
        ] {
            list.lengthen(ROWS * 3 + more, || [0; 8]);
            assert_eq!(rows(&list), want, "{more}");
        }
        assert!(list.segments.iter().map(Vec::as_ptr).take(3).eq(first));
    }
}
