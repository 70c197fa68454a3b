//! The op log file: a CBOR sequence (RFC 8742) of envelopes, in order of arrival.

use minicbor::Decoder;

use crate::costs::Costs;
use crate::id::{OpId, ProjectId};
use crate::limits::ENVELOPE_BYTES_MAX;
use crate::op::{ENVELOPE_PREFIX, Op, VerifiedOp};

/// Why a file is not an op log. An item that is one CBOR item with the tag of COSE_Sign1 but no op is not an
/// error of the file: it is refused when it is received.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpLogError {
    /// An item does not begin with CBOR tag 18.
    #[error("item {item} at byte {offset} is not an op: it does not begin with a COSE_Sign1 tag")]
    NotAnOp {
        /// Index of the item, from 0.
        item: usize,
        /// Where it begins.
        offset: usize,
    },
    /// An item is not well-formed CBOR.
    #[error("item {item} at byte {offset} is not well-formed CBOR")]
    Malformed {
        /// Index of the item, from 0.
        item: usize,
        /// Where it begins.
        offset: usize,
    },
    /// The file ends within an item.
    #[error(
        "the file ends at byte {end} within item {item}, which begins at byte {offset}: it is truncated"
    )]
    Truncated {
        /// Index of the item, from 0.
        item: usize,
        /// Where it begins.
        offset: usize,
        /// Where the file ends.
        end: usize,
    },
    /// An item is longer than any op.
    #[error("item {item} at byte {offset} is longer than {ENVELOPE_BYTES_MAX} bytes")]
    TooLong {
        /// Index of the item, from 0.
        item: usize,
        /// Where it begins.
        offset: usize,
    },
    /// There is nothing in the file.
    #[error("the file is empty")]
    Empty,
    /// No item is a genesis.
    #[error("no item is a genesis, so the project is unknown")]
    NoGenesis,
    /// More than one item is a genesis.
    #[error("there are {count} genesis ops, so the project is not clear")]
    ManyProjects {
        /// How many.
        count: usize,
    },
}

/// The items of an op log, each one envelope (or what claims to be one).
///
/// # Errors
/// [`OpLogError`] for the first place where the bytes are no sequence of items of a bounded length.
pub fn split_op_log(bytes: &[u8]) -> Result<Vec<&[u8]>, OpLogError> {
    let mut items = Vec::new();
    let mut offset = 0;
    while offset < bytes.len() {
        let item = items.len();
        if bytes[offset] != ENVELOPE_PREFIX[0] {
            return Err(OpLogError::NotAnOp { item, offset });
        }
        let end = bytes.len().min(offset + ENVELOPE_BYTES_MAX + 1);
        let mut input = Decoder::new(&bytes[offset..end]);
        match input.skip() {
            Ok(()) if input.position() > ENVELOPE_BYTES_MAX => {
                return Err(OpLogError::TooLong { item, offset });
            }
            Ok(()) => {}
            Err(error) if error.is_end_of_input() && end < bytes.len() => {
                return Err(OpLogError::TooLong { item, offset });
            }
            Err(error) if error.is_end_of_input() => {
                return Err(OpLogError::Truncated {
                    item,
                    offset,
                    end: bytes.len(),
                });
            }
            Err(_) => return Err(OpLogError::Malformed { item, offset }),
        }
        items.push(&bytes[offset..offset + input.position()]);
        offset += input.position();
    }
    if items.is_empty() {
        Err(OpLogError::Empty)
    } else {
        Ok(items)
    }
}

/// The project of an op log: the id of its one correctly signed genesis.
///
/// # Errors
/// [`OpLogError::NoGenesis`] and [`OpLogError::ManyProjects`] when the reader has to be told the project.
pub fn project_of(items: &[&[u8]]) -> Result<ProjectId, OpLogError> {
    let genesis = |item: &&[u8]| -> Option<OpId> {
        let op = Op::decode(item, &mut Costs::default()).ok()?;
        let genesis = op.body().payload.genesis().is_some();
        let op = genesis.then_some(op)?;
        Some(VerifiedOp::verify(op, &mut Costs::default()).ok()?.id())
    };
    let found: std::collections::BTreeSet<OpId> = items.iter().filter_map(genesis).collect();
    match (found.first(), found.len()) {
        (Some(&project), 1) => Ok(project),
        (None, _) => Err(OpLogError::NoGenesis),
        (_, count) => Err(OpLogError::ManyProjects { count }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A well-formed item that is no op: tag 18 around an empty array.
    const ITEM: [u8; 2] = [0xd2, 0x80];

    #[test]
    fn items_are_found_and_faults_are_placed() {
        let check = |bytes: &[u8], want: Result<usize, OpLogError>| {
            assert_eq!(
                split_op_log(bytes).map(|items| items.len()),
                want,
                "{bytes:02x?}"
            );
        };
        check(&[], Err(OpLogError::Empty));
        check(&ITEM, Ok(1));
        check(&[ITEM, ITEM].concat(), Ok(2));
        check(&[0; 9], Err(OpLogError::NotAnOp { item: 0, offset: 0 }));
        check(
            &[0xd2, 0x80, 0x00],
            Err(OpLogError::NotAnOp { item: 1, offset: 2 }),
        );
        check(
            &[0xd2, 0x80, 0xd2],
            Err(OpLogError::Truncated {
                item: 1,
                offset: 2,
                end: 3,
            }),
        );
        check(
            &[0xd2, 0x81, 0x58, 0xff, 0x00],
            Err(OpLogError::Truncated {
                item: 0,
                offset: 0,
                end: 5,
            }),
        );
        check(
            &[0xd2, 0x1c],
            Err(OpLogError::Malformed { item: 0, offset: 0 }),
        );
        let mut long = vec![0xd2, 0x5a, 0x00, 0x02, 0x00, 0x00];
        long.resize(0x20000 + 6, 0);
        check(&long, Err(OpLogError::TooLong { item: 0, offset: 0 }));
    }

    #[test]
    fn deep_nesting_costs_no_stack() {
        let mut deep = vec![0xd2];
        deep.resize(60_000, 0x81);
        assert!(split_op_log(&deep).is_err());
    }
}
