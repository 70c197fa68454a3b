//! Kills: which denial ends which grant for which op.

use std::collections::BTreeMap;

use super::grant::GrantId;
use super::issuer_key::KeyId;
use super::register::Authority;
use super::status_list::list_key;
use crate::costs::Costs;
use crate::dag::{Dag, Index, Past};
use crate::reason::DenialReason;

/// A denial that kills, and how it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kill {
    pub(crate) reason: DenialReason,
    /// The denying op.
    pub(crate) denial: Index,
}

/// Which denials count.
#[derive(Debug, Clone, Copy)]
struct View<'a> {
    /// Only denials in this past, if given.
    seen: Option<&'a Past>,
    /// Only denials that were admitted before this one, if given.
    until: Option<Index>,
    /// The op that is judged, if it is in the DAG: what its denier had seen of it is spared.
    judged: Option<Index>,
}

/// Judges ops against an [`Authority`]; remembers what it found out about one op until the next.
pub(crate) struct Judge<'a> {
    dag: &'a Dag,
    authority: &'a Authority,
    costs: &'a mut Costs,
    grants: BTreeMap<(Option<Index>, GrantId), Option<Kill>>,
    key_ops: BTreeMap<KeyId, Option<Kill>>,
}

impl<'a> Judge<'a> {
    pub(crate) fn new(dag: &'a Dag, authority: &'a Authority, costs: &'a mut Costs) -> Self {
        Self {
            dag,
            authority,
            costs,
            grants: BTreeMap::new(),
            key_ops: BTreeMap::new(),
        }
    }

    /// Why the admitted op is denied: the denial of the first reason that kills one of its grants, if all are
    /// killed; otherwise the live grant with the least op id (genesis stands for itself).
    pub(crate) fn decide(&mut self, op: Index) -> Result<Index, Kill> {
        self.costs.ops_evaluated += 1;
        let warrants = self.authority.warrants(op);
        if warrants.is_empty() {
            return Ok(op);
        }
        self.forget();
        self.live_or_killed(
            warrants,
            View {
                seen: None,
                until: None,
                judged: Some(op),
            },
        )
    }

    /// Whether the admitted op is denied by denials that were admitted before `until`.
    pub(crate) fn denied_until(&mut self, op: Index, until: Index) -> bool {
        self.costs.ops_evaluated += 1;
        self.forget();
        let view = View {
            seen: None,
            until: Some(until),
            judged: Some(op),
        };
        let warrants = self.authority.warrants(op);
        !warrants.is_empty() && self.live_or_killed(warrants, view).is_err()
    }

    /// Which denial in the past kills the grant for an op with that past.
    pub(crate) fn grant_killed_in(&mut self, grant: GrantId, past: &Past) -> Option<Kill> {
        self.forget();
        self.grant_killed(
            grant,
            View {
                seen: Some(past),
                until: None,
                judged: None,
            },
        )
    }

    /// Which denial at all kills the grant, for no op in particular.
    pub(crate) fn grant_killed_ever(&mut self, grant: GrantId) -> Option<Kill> {
        self.forget();
        self.grant_killed(
            grant,
            View {
                seen: None,
                until: None,
                judged: None,
            },
        )
    }

    /// Which denial in the past kills the issuer key.
    pub(crate) fn key_killed_in(&mut self, key: KeyId, past: &Past) -> Option<Kill> {
        self.forget();
        self.key_killed(
            key,
            View {
                seen: Some(past),
                until: None,
                judged: None,
            },
        )
    }

    /// Which denial at all kills the issuer key.
    pub(crate) fn key_killed_ever(&mut self, key: KeyId) -> Option<Kill> {
        self.forget();
        self.key_killed(
            key,
            View {
                seen: None,
                until: None,
                judged: None,
            },
        )
    }

    fn forget(&mut self) {
        self.grants.clear();
        self.key_ops.clear();
    }

    /// The grant op with the least id among those that live, or else the kill of the first reason.
    fn live_or_killed(&mut self, grants: &[GrantId], view: View<'_>) -> Result<Index, Kill> {
        let mut live: Option<Index> = None;
        let mut killed = None;
        for &grant in grants {
            match self.grant_killed(grant, view) {
                None => {
                    let op = self.authority.grants[grant].op;
                    if live.is_none_or(|least| self.dag.id(op) < self.dag.id(least)) {
                        live = Some(op);
                    }
                }
                Some(kill) => killed = self.first(killed, kill),
            }
        }
        match (live, killed) {
            (Some(op), _) => Ok(op),
            (None, Some(kill)) => Err(kill),
            (None, None) => unreachable!("an op other than genesis is admitted under a grant"),
        }
    }

    /// The kill of the earlier reason, then of the lesser op id.
    fn first(&self, known: Option<Kill>, other: Kill) -> Option<Kill> {
        let rank = |kill: &Kill| (kill.reason, self.dag.id(kill.denial));
        Some(
            known
                .filter(|known| rank(known) <= rank(&other))
                .unwrap_or(other),
        )
    }

    fn grant_killed(&mut self, grant: GrantId, view: View<'_>) -> Option<Kill> {
        let memo = (view.judged, grant);
        if let Some(known) = self.grants.get(&memo) {
            return *known;
        }
        let kill = self
            .revoked(grant, view)
            .or_else(|| self.status_revoked(grant, view))
            .or_else(|| self.issuer_key_revoked(grant, view))
            .or_else(|| self.granter_denied(grant, view));
        self.grants.insert(memo, kill);
        kill
    }

    /// Whether the denial counts: it has been seen, and it had not seen the op that is judged.
    fn counts(&mut self, denial: Index, view: View<'_>) -> bool {
        view.until.is_none_or(|until| denial < until)
            && view
                .seen
                .is_none_or(|past| self.dag.contains(past, denial, self.costs))
            && view
                .judged
                .is_none_or(|op| op != denial && !self.dag.before(op, denial, self.costs))
    }

    /// The denial with the least op id among those given that count and that `keeper` had not seen.
    fn least(
        &mut self,
        reason: DenialReason,
        denials: impl Iterator<Item = Index>,
        keeper: Option<Index>,
        view: View<'_>,
    ) -> Option<Kill> {
        let mut least = None;
        for denial in denials {
            let unseen = keeper.is_none_or(|keeper| !self.dag.before(denial, keeper, self.costs));
            if unseen && self.counts(denial, view) {
                least = self.first(least, Kill { reason, denial });
            }
        }
        least
    }

    fn revoked(&mut self, id: GrantId, view: View<'_>) -> Option<Kill> {
        let authority = self.authority;
        let grant = &authority.grants[id];
        let matching = authority
            .revocations_of(&grant.subject)
            .iter()
            .filter(|it| it.kills(grant))
            .map(|it| it.op);
        self.least(DenialReason::Revoked, matching, Some(grant.op), view)
    }

    fn status_revoked(&mut self, id: GrantId, view: View<'_>) -> Option<Kill> {
        let authority = self.authority;
        let vouched = authority.grants[id].vouched()?;
        let mut kill = None;
        for entry in &vouched.credential.status {
            let key = list_key(&vouched.credential, entry);
            let setters = authority.setters(&key, entry.index).iter().copied();
            let found = self.least(DenialReason::StatusRevoked, setters, None, view);
            if let Some(found) = found {
                kill = self.first(kill, found);
            }
        }
        kill
    }

    fn issuer_key_revoked(&mut self, id: GrantId, view: View<'_>) -> Option<Kill> {
        let authority = self.authority;
        let vouched = authority.grants[id].vouched()?;
        let mut kill = None;
        for &key in &vouched.keys {
            let found = self.key_killed(key, view)?;
            kill = self.first(
                kill,
                Kill {
                    reason: DenialReason::IssuerKeyRevoked,
                    ..found
                },
            );
        }
        kill
    }

    /// A key dies by an `IssuerKeyRevoke` that its op had not seen, or because its op is itself denied.
    fn key_killed(&mut self, id: KeyId, view: View<'_>) -> Option<Kill> {
        let authority = self.authority;
        let key = &authority.keys[id];
        let names = (key.issuer.clone(), key.kid.clone());
        let revocations = authority
            .key_revocations
            .get(&names)
            .map_or(&[][..], Vec::as_slice);
        let revoked = self.least(
            DenialReason::IssuerKeyRevoked,
            revocations.iter().copied(),
            Some(key.op),
            view,
        );
        if revoked.is_some() {
            return revoked;
        }
        if let Some(known) = self.key_ops.get(&id) {
            return *known;
        }
        let own = View {
            judged: Some(key.op),
            ..view
        };
        let denied = self.live_or_killed(authority.warrants(key.op), own).err();
        self.key_ops.insert(id, denied);
        denied
    }

    /// The grant's author has lost every grant under which the grant was made.
    fn granter_denied(&mut self, id: GrantId, view: View<'_>) -> Option<Kill> {
        let authority = self.authority;
        let op = authority.grants[id].op;
        let warrants = authority.warrants(op);
        if warrants.is_empty() {
            return None;
        }
        let kill = self.live_or_killed(warrants, view).err()?;
        Some(Kill {
            reason: DenialReason::GranterDenied,
            ..kill
        })
    }
}
