//! Kills: which denial ends which grant for which op.

use std::collections::BTreeMap;

use super::{Authority, GrantId, KeyId, Standing};
use crate::costs::Costs;
use crate::dag::{Dag, Index, Past};
use crate::op::Payload;
use crate::reason::Denial;

/// A denial that kills, and how it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kill {
    pub(crate) reason: Denial,
    /// The denying op; of an equivocation, one of the two ops.
    pub(crate) denial: Index,
}

/// Which denials count.
#[derive(Debug, Clone, Copy)]
struct View<'a> {
    /// Only denials in this past, if given.
    seen: Option<&'a Past>,
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
                judged: Some(op),
            },
        )
    }

    /// Which denial in the past kills the grant for an op with that past.
    pub(crate) fn grant_killed_in(&mut self, grant: GrantId, past: &Past) -> Option<Kill> {
        self.forget();
        self.grant_killed(
            grant,
            View {
                seen: Some(past),
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
            .or_else(|| self.equivocated(grant, view))
            .or_else(|| self.granter_denied(grant, view));
        self.grants.insert(memo, kill);
        kill
    }

    /// Whether the denial counts: it has been seen, and it had not seen the op that is judged.
    fn counts(&mut self, denial: Index, view: View<'_>) -> bool {
        view.seen
            .is_none_or(|past| self.dag.contains(past, denial, self.costs))
            && view
                .judged
                .is_none_or(|op| op != denial && !self.dag.before(op, denial, self.costs))
    }

    /// The denial with the least op id among those given that count and that `keeper` had not seen.
    fn least(
        &mut self,
        reason: Denial,
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
        let revocations = authority.revocations.get(&grant.subject)?;
        let matching = revocations
            .iter()
            .filter(|it| it.matches(grant))
            .map(|it| it.op);
        self.least(Denial::Revoked, matching, Some(grant.op), view)
    }

    fn status_revoked(&mut self, id: GrantId, view: View<'_>) -> Option<Kill> {
        let authority = self.authority;
        let Standing::Vouched(vouched) = &authority.grants[id].standing else {
            return None;
        };
        let mut kill = None;
        for entry in &vouched.credential.status {
            let key = (
                vouched.credential.issuer.clone(),
                entry.list.clone(),
                entry.purpose,
            );
            let versions = authority.lists.get(&key).map_or(&[][..], Vec::as_slice);
            let set = versions
                .iter()
                .filter(|it| it.list.get(entry.index) == Some(true));
            let found = self.least(Denial::StatusRevoked, set.map(|it| it.op), None, view);
            if let Some(found) = found {
                kill = self.first(kill, found);
            }
        }
        kill
    }

    fn issuer_key_revoked(&mut self, id: GrantId, view: View<'_>) -> Option<Kill> {
        let authority = self.authority;
        let Standing::Vouched(vouched) = &authority.grants[id].standing else {
            return None;
        };
        let mut kill = None;
        for &key in &vouched.keys {
            let found = self.key_killed(key, view)?;
            kill = self.first(
                kill,
                Kill {
                    reason: Denial::IssuerKeyRevoked,
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
            Denial::IssuerKeyRevoked,
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
            seen: view.seen,
            judged: Some(key.op),
        };
        let denied = self.live_or_killed(authority.warrants(key.op), own).err();
        self.key_ops.insert(id, denied);
        denied
    }

    /// Two ops of the grant's subject with one sequence number: they deny as one, and their past is the common
    /// past of both.
    fn equivocated(&mut self, id: GrantId, view: View<'_>) -> Option<Kill> {
        let grant = &self.authority.grants[id];
        let (dag, costs) = (self.dag, &mut *self.costs);
        for group in dag.forks(&grant.subject) {
            let mut seen = group.to_vec();
            seen.retain(|&op| view.seen.is_none_or(|past| dag.contains(past, op, costs)));
            let unseen_by_grant =
                |costs: &mut Costs| seen.iter().any(|&op| !dag.before(op, grant.op, costs));
            let spares = |costs: &mut Costs| {
                view.judged
                    .is_some_and(|judged| seen.iter().all(|&op| dag.before(judged, op, costs)))
            };
            if seen.len() >= 2 && unseen_by_grant(costs) && !spares(costs) {
                let others = seen.iter().copied().filter(|&op| Some(op) != view.judged);
                let denial = others.min_by_key(|&op| dag.id(op))?;
                return Some(Kill {
                    reason: Denial::Equivocation,
                    denial,
                });
            }
        }
        None
    }

    /// The grant's author has lost every grant under which the grant was made.
    fn granter_denied(&mut self, id: GrantId, view: View<'_>) -> Option<Kill> {
        let authority = self.authority;
        let op = authority.grants[id].op;
        if matches!(self.dag.op(op).body().payload, Payload::Genesis(_)) {
            return None;
        }
        let kill = self.live_or_killed(authority.warrants(op), view).err()?;
        Some(Kill {
            reason: Denial::GranterDenied,
            ..kill
        })
    }
}
