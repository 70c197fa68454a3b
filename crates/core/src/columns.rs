//! Columns of fixed-width numbers in CBOR byte strings, little-endian.

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
