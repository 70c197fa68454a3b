//! Rights: what a grant gives, or why it does not count.

use std::collections::BTreeSet;
use std::rc::Rc;

use ecac_core::credential::{Credential, Role};
use ecac_core::{PublicKey, Refusal};

use super::papers::Paper;
use super::set::Op;

/// Links of a chain of delegation.
pub(super) const DEPTH_MAX: usize = 64;

/// A grant: the op that makes it, the key that it names, and what it gives, or why it does not count. Genesis makes one for
/// each root.
#[derive(Debug)]
pub(super) struct Made {
    pub(super) op: Op,
    pub(super) subject: PublicKey,
    pub(super) standing: Result<Right, Void>,
}

/// What a grant that counts gives.
#[derive(Debug)]
pub(super) struct Right {
    pub(super) role: Role,
    pub(super) scope: BTreeSet<String>,
    /// Links of delegation.
    pub(super) depth: usize,
    /// The credential; none for what genesis gives.
    pub(super) paper: Option<Vouched>,
}

/// A credential, the op that carries it, and the ops of the issuer keys that vouch for it.
#[derive(Debug)]
pub(super) struct Vouched {
    pub(super) credential: Rc<Paper<Credential>>,
    pub(super) carrier: Op,
    pub(super) keys: Vec<Op>,
}

/// Why a grant, or a status list, does not count: the reason for what it should let in, and its own effect.
#[derive(Debug, Clone)]
pub(super) struct Void {
    pub(super) reason: Refusal,
    pub(super) effect: &'static str,
    pub(super) on: Vec<Op>,
}

impl Void {
    pub(super) const fn new(reason: Refusal, effect: &'static str, on: Vec<Op>) -> Self {
        Self { reason, effect, on }
    }
}
