//! Reading ahead: the credentials and status lists of ops that come together, whose signatures are verified in batches.

use super::Log;
use crate::authority::Ahead;
use crate::credential::{Credential, StatusList};
use crate::id::OpId;
use crate::need::Action;
use crate::op::{Body, verify_jwts};
use crate::payload::Payload;

/// Bytes of JWTs and of unpacked lists that are read ahead at once, but for the last.
const AHEAD_BYTES: usize = 16 << 20;

impl Log {
    /// Reads the credentials and status lists of the ops, which are to be taken in next, and verifies their signatures
    /// together. It is work saved or done in vain, and shows nowhere else: not for ops of authors who can hardly do so.
    pub(crate) fn read_ahead<'a>(&mut self, ops: impl Iterator<Item = (OpId, &'a Body)>) {
        let mut ahead = Ahead::default();
        let mut bytes = 0;
        for (id, body) in ops {
            let (jwt, action) = if let Payload::Credential(it) = &body.payload {
                (&it.jwt, Action::Present)
            } else if let Payload::StatusList(it) = &body.payload {
                (&it.jwt, Action::Trust)
            } else {
                continue;
            };
            let author = &body.author;
            if !self.authority.may_come_to(action, author) || self.holds(&id) {
                continue;
            }
            if bytes > AHEAD_BYTES {
                break;
            }
            bytes += jwt.len();
            if action == Action::Present {
                let read = Credential::parse(jwt).ok();
                ahead.credentials.extend(read.map(|it| (id, it)));
            } else if let Ok(list) = StatusList::parse(jwt) {
                bytes += list.bytes().len();
                ahead.lists.insert(id, list);
            }
        }
        let key = |issuer: &str, kid: &str| self.authority.only_key(issuer, kid);
        let credentials = ahead.credentials.values_mut().filter_map(|it| {
            let key = key(&it.issuer, &it.kid)?;
            Some((it.signed(), key))
        });
        let lists = ahead.lists.values_mut().filter_map(|it| {
            let key = key(&it.issuer, &it.kid)?;
            Some((it.signed(), key))
        });
        verify_jwts(credentials.chain(lists).collect());
        self.authority.ahead = ahead;
    }

    /// Forgets what was read ahead and not used.
    pub(crate) fn forget_ahead(&mut self) {
        self.authority.ahead = Ahead::default();
    }
}
