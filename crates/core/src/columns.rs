//! Columns of numbers in CBOR byte strings: of fixed width, little-endian, or each in as few bytes as it takes.

use minicbor::Decoder;
use minicbor::decode::Error;

use crate::wire::{Out, Written};

/// Writes a column of numbers.
pub(crate) fn write(out: &mut Out<'_>, numbers: impl ExactSizeIterator<Item = u32>) -> Written {
    out.bytes_len((numbers.len() * 4) as u64)?;
    let bytes = out.writer_mut();
    bytes.reserve(numbers.len() * 4);
    for number in numbers {
        bytes.extend_from_slice(&number.to_le_bytes());
    }
    Ok(())
}

/// How the numbers of a snapshot stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// In columns of fixed width.
    Fixed,
    /// In as few bytes as each takes, ops by their distance.
    Short,
}

/// Appends a number in as few bytes as it takes: seven bits in each, the lowest first, and a bit that says whether more follow.
pub(crate) fn put(bytes: &mut Vec<u8>, number: impl Into<u64>) {
    let mut number = number.into();
    while number >= MORE.into() {
        bytes.push(number.to_le_bytes()[0] | MORE);
        number >>= 7;
    }
    bytes.push(number.to_le_bytes()[0]);
}

const MORE: u8 = 0x80;

/// Writes a column of short numbers.
pub(crate) fn write_short(out: &mut Out<'_>, numbers: impl Iterator<Item = u32>) -> Written {
    let mut bytes = Vec::new();
    for number in numbers {
        put(&mut bytes, number);
    }
    out.bytes(&bytes)?;
    Ok(())
}

/// Short numbers that are read one after the other.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Short<'a>(&'a [u8]);

impl<'a> Short<'a> {
    /// Reads a column of them.
    pub(crate) fn of(input: &mut Decoder<'a>) -> Result<Self, Error> {
        input.bytes().map(Self)
    }

    /// The bytes that are left: there are no more numbers than that.
    pub(crate) const fn len(&self) -> usize {
        self.0.len()
    }

    /// The next number.
    #[inline]
    pub(crate) fn long(&mut self) -> Option<u64> {
        match self.0.split_first() {
            Some((&byte, rest)) if byte < MORE => {
                self.0 = rest;
                Some(byte.into())
            }
            _ => self.longer(),
        }
    }

    /// The next number, which has 32 bits.
    #[inline]
    pub(crate) fn number(&mut self) -> Option<u32> {
        self.long()?.try_into().ok()
    }

    fn longer(&mut self) -> Option<u64> {
        let mut number = 0;
        let mut shift = 0;
        while let Some((&byte, rest)) = self.0.split_first() {
            self.0 = rest;
            let bits = u64::from(byte & !MORE);
            if shift > 63 || bits << shift >> shift != bits {
                return None;
            }
            number |= bits << shift;
            if byte < MORE {
                return Some(number);
            }
            shift += 7;
        }
        None
    }
}

/// Reads a column of numbers of that form.
pub(crate) fn read_in(input: &mut Decoder<'_>, form: Form) -> Result<Vec<u32>, Error> {
    if form == Form::Fixed {
        return read(input);
    }
    let mut short = Short::of(input)?;
    let ends = short.0.iter().filter(|&&byte| byte < MORE);
    let mut numbers = Vec::with_capacity(ends.count());
    while short.len() > 0 {
        let number = short.number();
        numbers.push(number.ok_or_else(|| damaged("a number is cut off or too large"))?);
    }
    Ok(numbers)
}

/// Reads a column of pairs of numbers of that form.
pub(crate) fn pairs_in(input: &mut Decoder<'_>, form: Form) -> Result<Vec<[u32; 2]>, Error> {
    let numbers = read_in(input, form)?;
    let (pairs, rest) = numbers.as_chunks::<2>();
    if rest.is_empty() {
        Ok(pairs.to_vec())
    } else {
        Err(damaged("a pair of numbers is cut off"))
    }
}

/// Writes a column of rows of so many numbers.
pub(crate) fn write_rows<const N: usize>(
    out: &mut Out<'_>,
    rows: impl ExactSizeIterator<Item = [u32; N]>,
) -> Written {
    out.bytes_len((rows.len() * N * 4) as u64)?;
    let bytes = out.writer_mut();
    bytes.reserve(rows.len() * N * 4);
    for row in rows {
        bytes.extend_from_slice(row.map(u32::to_le_bytes).as_flattened());
    }
    Ok(())
}

/// Reads a column of numbers.
pub(crate) fn read(input: &mut Decoder<'_>) -> Result<Vec<u32>, Error> {
    let bytes = input.bytes()?;
    let (numbers, rest) = bytes.as_chunks::<4>();
    if rest.is_empty() {
        Ok(numbers.iter().map(|it| u32::from_le_bytes(*it)).collect())
    } else {
        Err(Error::message("a column of numbers is cut off"))
    }
}

/// Reads a column of rows of so many bytes.
pub(crate) fn rows<'a, const N: usize>(input: &mut Decoder<'a>) -> Result<&'a [[u8; N]], Error> {
    let (rows, rest) = input.bytes()?.as_chunks::<N>();
    if rest.is_empty() {
        Ok(rows)
    } else {
        Err(Error::message("a column of rows is cut off"))
    }
}

/// Reads a column of rows of so many numbers.
pub(crate) fn number_rows<'a, const N: usize>(
    input: &mut Decoder<'a>,
) -> Result<&'a [[[u8; 4]; N]], Error> {
    let (rows, rest) = rows(input)?.as_chunks();
    if rest.is_empty() {
        Ok(rows)
    } else {
        Err(Error::message("a row of numbers is cut off"))
    }
}

/// The numbers of a row.
pub(crate) fn numbers<const N: usize>(row: &[[u8; 4]; N]) -> [u32; N] {
    row.map(u32::from_le_bytes)
}

/// What is told of a snapshot whose parts do not fit together.
pub(crate) fn damaged(what: &str) -> Error {
    Error::message(format!("the snapshot is inconsistent: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_numbers_are_read_as_they_were_written() {
        let numbers = [
            0,
            1,
            0x7f,
            0x80,
            0x3fff,
            0x4000,
            u64::from(u32::MAX),
            u64::MAX,
        ];
        let mut bytes = Vec::new();
        for number in numbers {
            put(&mut bytes, number);
        }
        assert_eq!(bytes.len(), 3 + 2 + 2 + 3 + 5 + 10);
        let mut short = Short(&bytes);
        assert_eq!(numbers.map(|_| short.long()), numbers.map(Some));
        assert_eq!((short.len(), short.long()), (0, None));
    }

    #[test]
    fn what_is_no_number_is_none() {
        let cut = [0x80; 9];
        let beyond = [[0xff; 9].as_slice(), &[0x02]].concat();
        let without_end = [0x80; 200];
        for bytes in [cut.as_slice(), &beyond, &without_end] {
            assert_eq!(Short(bytes).long(), None);
        }
        assert_eq!(Short(&[0xff, 0xff, 0xff, 0xff, 0x10]).number(), None);
    }
}
