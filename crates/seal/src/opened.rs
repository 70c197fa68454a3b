//! Opened shares: the content keys that a reader key gave before, so that none is decapsulated again for each value.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use ecac_core::payload::Share;

use crate::content_key::ContentKey;

/// Content keys that are remembered.
const OPENED_MAX: usize = 64;

/// The content keys that one private key gave for a share and its `info`, the latest [`OPENED_MAX`] of them. What a share gives
/// follows from these three, so nothing that is remembered can be wrong; it lies beside the private key that gives it again,
/// and is wiped when it is dropped.
#[derive(Default)]
pub(crate) struct Opened(Mutex<VecDeque<(Share, Vec<u8>, ContentKey)>>);

impl Opened {
    /// The content key, if it is remembered; else what `open` gives.
    pub(crate) fn or_open<E>(
        &self,
        share: &Share,
        info: &[u8],
        open: impl FnOnce() -> Result<ContentKey, E>,
    ) -> Result<ContentKey, E> {
        let known = self
            .keys()
            .iter()
            .find_map(|(of, under, key)| (of == share && under == info).then(|| key.clone()));
        if let Some(known) = known {
            return Ok(known);
        }
        let key = open()?;
        let mut keys = self.keys();
        while keys.len() >= OPENED_MAX {
            keys.pop_front();
        }
        keys.push_back((share.clone(), info.to_vec(), key.clone()));
        Ok(key)
    }

    fn keys(&self) -> MutexGuard<'_, VecDeque<(Share, Vec<u8>, ContentKey)>> {
        // Each change leaves a whole list behind.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Starts with none: each copy of a private key remembers what it opened.
impl Clone for Opened {
    fn clone(&self) -> Self {
        Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(number: u8) -> Share {
        Share {
            enc: vec![number; 32],
            ciphertext: [number; 48],
        }
    }

    /// What the list gives for the share and the info, and whether it was opened for that.
    fn ask(opened: &Opened, share: &Share, info: &[u8], gives: u8) -> (u8, bool) {
        let mut asked = false;
        let key = opened.or_open(share, info, || {
            asked = true;
            Ok::<_, ()>(ContentKey::from_bytes([gives; 32]))
        });
        (key.unwrap().as_bytes()[0], asked)
    }

    #[test]
    fn a_share_is_opened_once_for_each_info() {
        let opened = Opened::default();
        assert_eq!(ask(&opened, &share(1), b"a", 1), (1, true));
        assert_eq!(ask(&opened, &share(1), b"a", 2), (1, false));
        assert_eq!(ask(&opened, &share(1), b"b", 3), (3, true));
        assert_eq!(ask(&opened, &share(2), b"a", 4), (4, true));
        let longer = Share {
            enc: vec![1; 33],
            ..share(1)
        };
        assert_eq!(ask(&opened, &longer, b"a", 5), (5, true));
        assert_eq!(ask(&opened.clone(), &share(1), b"a", 6), (6, true));
    }

    #[test]
    fn what_does_not_open_is_tried_again() {
        let opened = Opened::default();
        assert!(opened.or_open(&share(1), b"a", || Err(())).is_err());
        assert_eq!(ask(&opened, &share(1), b"a", 1), (1, true));
    }

    #[test]
    fn the_latest_are_remembered() {
        let opened = Opened::default();
        for number in 0..=64 {
            assert_eq!(ask(&opened, &share(number), b"a", number), (number, true));
        }
        assert_eq!(opened.keys().len(), OPENED_MAX);
        assert_eq!(ask(&opened, &share(64), b"a", 0), (64, false));
        assert_eq!(ask(&opened, &share(1), b"a", 0), (1, false));
        assert_eq!(ask(&opened, &share(0), b"a", 7), (7, true));
    }
}
