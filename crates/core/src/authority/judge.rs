//! Kills: which denial ends which grant for which op.

use std::collections::BTreeMap;

use super::by_chain::{ByChain, Question};
use super::findings::{Findings, Within};
use super::grant::GrantId;
use super::issuer_key::KeyId;
use super::register::Authority;
use super::status_list::list_key;
use super::title::{LinkId, Title};
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

/// A set of ops that has the past of each of its ops, and the op that is judged in it.
#[derive(Debug, Clone, Copy)]
pub(super) struct View<'a> {
    /// Only ops in this past, if given.
    pub(super) seen: Option<&'a Past>,
    /// Only ops that were admitted before this one, if given.
    pub(super) until: Option<Index>,
    /// The op that is judged, if it is in the DAG: what its denier had seen of it is spared.
    pub(super) judged: Option<Index>,
}

impl<'a> View<'a> {
    const EVERYTHING: Self = Self {
        seen: None,
        until: None,
        judged: None,
    };

    pub(super) const fn of(past: &'a Past) -> Self {
        Self {
            seen: Some(past),
            ..Self::EVERYTHING
        }
    }

    /// The same set, with another op that is judged in it.
    pub(super) const fn judging(self, op: Index) -> Self {
        Self {
            judged: Some(op),
            ..self
        }
    }
}

/// Judges ops against an [`Authority`]; remembers what it found out in one set of ops until the next.
pub(crate) struct Judge<'a> {
    pub(super) dag: &'a Dag,
    pub(super) authority: &'a Authority,
    pub(super) costs: &'a mut Costs,
    grants: BTreeMap<(Option<Index>, GrantId), Option<Kill>>,
    links: BTreeMap<(Option<Index>, LinkId, GrantId), Option<Kill>>,
    key_ops: BTreeMap<KeyId, Option<Kill>>,
    /// Whether only verdicts are asked for, so that any kill will do.
    for_verdicts: bool,
    /// Everything is what was admitted before this op, if given.
    until: Option<Index>,
    pub(super) set: Findings,
    pub(super) within: Within,
}

impl<'a> Judge<'a> {
    pub(crate) fn new(dag: &'a Dag, authority: &'a Authority, costs: &'a mut Costs) -> Self {
        Self {
            dag,
            authority,
            costs,
            grants: BTreeMap::new(),
            links: BTreeMap::new(),
            key_ops: BTreeMap::new(),
            for_verdicts: false,
            until: None,
            set: Findings::default(),
            within: Within::default(),
        }
    }

    /// One for whom everything is what was admitted before `until`, if given.
    pub(super) fn until(
        dag: &'a Dag,
        authority: &'a Authority,
        until: Option<Index>,
        costs: &'a mut Costs,
    ) -> Self {
        Self {
            until,
            ..Self::new(dag, authority, costs)
        }
    }

    /// The same, where the first kill that is found and the first grant that lives will do.
    pub(crate) fn for_verdicts(
        dag: &'a Dag,
        authority: &'a Authority,
        costs: &'a mut Costs,
    ) -> Self {
        Self {
            for_verdicts: authority.is_plain(),
            ..Self::new(dag, authority, costs)
        }
    }

    /// Why the admitted op is denied: the denial of the first reason that kills one of its titles, if all are
    /// killed and nothing upholds it; otherwise the live grant with the least op id (genesis stands for itself), or the
    /// seal or the endorsement that upholds it.
    pub(crate) fn decide(&mut self, op: Index) -> Result<Index, Kill> {
        self.decide_until(op, None)
    }

    /// The same among the ops that were admitted before `until`, if given.
    pub(crate) fn decide_until(&mut self, op: Index, until: Option<Index>) -> Result<Index, Kill> {
        if let Some(decided) = self.authority.decided_at_once(op, self.costs) {
            return Ok(decided);
        }
        self.costs.ops_evaluated += 1;
        self.forget();
        let view = View {
            until,
            ..View::EVERYTHING
        };
        self.decide_in(op, view)
    }

    /// What is decided of the op in the set.
    pub(super) fn decide_in(&mut self, op: Index, view: View<'_>) -> Result<Index, Kill> {
        let warrants = self.authority.warrants(op);
        if warrants.is_empty() {
            return Ok(op);
        }
        self.live_or_killed(warrants, view.judging(op))
            .or_else(|kill| self.upheld(op, view).ok_or(kill))
    }

    /// Whether the admitted op is denied by denials that were admitted before `until`.
    pub(crate) fn denied_until(&mut self, op: Index, until: Index) -> bool {
        self.decide_until(op, Some(until)).is_err()
    }

    /// Which denial in the past kills the title for an op with that past.
    pub(crate) fn title_killed_in(&mut self, title: Title, past: &Past) -> Option<Kill> {
        self.forget();
        self.title_killed(title, View::of(past))
    }

    /// Which denial at all kills the title, for no op in particular.
    pub(crate) fn title_killed_ever(&mut self, title: Title) -> Option<Kill> {
        self.forget();
        self.title_killed(title, self.everything())
    }

    /// Which denial at all kills the grant, for no op in particular.
    pub(crate) fn grant_killed_ever(&mut self, grant: GrantId) -> Option<Kill> {
        self.title_killed_ever(Title::own(grant))
    }

    /// Which denial at all kills the link for the grant, for no op in particular.
    pub(super) fn link_killed_ever(&mut self, link: LinkId, grant: GrantId) -> Option<Kill> {
        self.forget();
        self.link_killed(link, grant, self.everything())
    }

    /// Whether the op was admitted under titles with links only, each of which is killed for it.
    pub(crate) fn has_lost_its_links(&mut self, op: Index) -> bool {
        self.forget();
        let view = self.everything().judging(op);
        let titles = self.authority.warrants(op);
        !titles.is_empty()
            && titles.iter().all(|title| {
                let killed = |link| self.link_killed(link, title.grant, view).is_some();
                title.link.is_some_and(killed)
            })
    }

    /// Which denial in the past kills the issuer key.
    pub(crate) fn key_killed_in(&mut self, key: KeyId, past: &Past) -> Option<Kill> {
        self.forget();
        self.key_killed(key, None, View::of(past))
    }

    /// Which denial at all kills the issuer key.
    pub(crate) fn key_killed_ever(&mut self, key: KeyId) -> Option<Kill> {
        self.forget();
        self.key_killed(key, None, self.everything())
    }

    /// Asks in the set of everything.
    pub(super) fn ever<T>(&mut self, ask: impl FnOnce(&mut Self, View<'_>) -> T) -> T {
        self.forget();
        let everything = self.everything();
        ask(self, everything)
    }

    const fn everything(&self) -> View<'static> {
        View {
            until: self.until,
            ..View::EVERYTHING
        }
    }

    /// Asks in the past.
    pub(super) fn in_past<T>(
        &mut self,
        past: &Past,
        ask: impl FnOnce(&mut Self, View<'_>) -> T,
    ) -> T {
        self.forget();
        ask(self, View::of(past))
    }

    /// Asks in the past of the seal.
    pub(super) fn inside<T>(
        &mut self,
        seal: Index,
        ask: impl FnOnce(&mut Judge<'_>, View<'_>) -> T,
    ) -> T {
        let mut inner = Judge::new(self.dag, self.authority, self.costs);
        inner.within = core::mem::take(&mut self.within);
        let past = self.dag.past(seal);
        let answer = ask(&mut inner, View::of(&past));
        self.within = inner.within;
        answer
    }

    fn forget(&mut self) {
        self.grants.clear();
        self.links.clear();
        self.key_ops.clear();
        self.set = Findings::default();
    }

    /// The grant op with the least id among those that live, or else the kill of the first reason.
    fn live_or_killed(&mut self, titles: &[Title], view: View<'_>) -> Result<Index, Kill> {
        let mut live: Option<Index> = None;
        let mut killed = None;
        for &title in titles {
            match self.title_killed(title, view) {
                None => {
                    let op = self.authority.grants[title.grant].op;
                    if self.for_verdicts {
                        return Ok(op);
                    }
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

    /// Whether each of the titles is killed for the op.
    pub(super) fn all_killed(&mut self, titles: &[Title], op: Index, view: View<'_>) -> bool {
        !titles.is_empty() && self.live_or_killed(titles, view.judging(op)).is_err()
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

    fn title_killed(&mut self, title: Title, view: View<'_>) -> Option<Kill> {
        if !self.authority.is_touched(title) {
            return None;
        }
        let grant = self.grant_killed(title.grant, view);
        let link = title
            .link
            .and_then(|link| self.link_killed(link, title.grant, view));
        match (grant, link) {
            (known, Some(other)) => self.first(known, other),
            (known, None) => known,
        }
    }

    fn grant_killed(&mut self, grant: GrantId, view: View<'_>) -> Option<Kill> {
        if !self.authority.grants[grant].touched {
            return None;
        }
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
        self.has(denial, view)
            && view
                .judged
                .is_none_or(|op| op != denial && !self.dag.before(op, denial, self.costs))
    }

    /// Whether the op is in the set.
    pub(super) fn has(&mut self, op: Index, view: View<'_>) -> bool {
        view.until.is_none_or(|until| op < until)
            && view
                .seen
                .is_none_or(|past| self.dag.contains(past, op, self.costs))
    }

    /// At least those of the denials that count and are not early, which along a chain the first ones are.
    fn near(
        &mut self,
        denials: Option<&ByChain>,
        is_early: impl Fn(Index, &mut Costs) -> bool,
        view: View<'_>,
    ) -> Vec<Index> {
        denials.map_or_else(Vec::new, |denials| {
            denials.near(|question, denial| match question {
                Question::Counts => self.counts(denial, view),
                Question::IsEarly => is_early(denial, self.costs),
            })
        })
    }

    /// The denial with the least op id among those given that count, that `keeper` had not seen, and that bite the grant.
    fn least(
        &mut self,
        reason: DenialReason,
        denials: impl Iterator<Item = Index>,
        keeper: Option<Index>,
        ended: Option<GrantId>,
        view: View<'_>,
    ) -> Option<Kill> {
        let mut least = None;
        for denial in denials {
            let unseen = keeper.is_none_or(|keeper| !self.dag.before(denial, keeper, self.costs));
            if unseen && self.counts(denial, view) && self.bites(denial, ended, view) {
                least = self.first(least, Kill { reason, denial });
                if self.for_verdicts {
                    break;
                }
            }
        }
        least
    }

    fn revoked(&mut self, id: GrantId, view: View<'_>) -> Option<Kill> {
        let authority = self.authority;
        let grant = &authority.grants[id];
        if authority.is_plain() {
            let killers = grant.killers.iter().copied();
            let found = self.least(DenialReason::Revoked, killers, None, Some(id), view);
            if self.for_verdicts || found.is_none() {
                return found;
            }
        }
        let had_seen = |denial, costs: &mut Costs| self.dag.before(denial, grant.op, costs);
        let near = self.near(
            authority.revocations_by_chain.get(&grant.subject),
            had_seen,
            view,
        );
        let revocations = near
            .into_iter()
            .map(|op| authority.revocation(&grant.subject, op));
        let matching = revocations.filter(|it| it.kills(grant)).map(|it| it.op);
        self.least(
            DenialReason::Revoked,
            matching,
            Some(grant.op),
            Some(id),
            view,
        )
    }

    fn status_revoked(&mut self, id: GrantId, view: View<'_>) -> Option<Kill> {
        let authority = self.authority;
        let vouched = authority.grants[id].vouched()?;
        let mut kill = None;
        for entry in &vouched.credential.status {
            let key = list_key(&vouched.credential, entry);
            let first = authority.setters(&key, entry.index);
            if authority.is_plain() {
                let setters = first.iter().copied();
                let found = self.least(DenialReason::StatusRevoked, setters, None, Some(id), view);
                if self.for_verdicts && found.is_some() {
                    return found;
                }
                if found.is_none() {
                    continue;
                }
            }
            let no_setter = |version, costs: &mut Costs| {
                let is_later = |&it: &Index| it == version || self.dag.before(it, version, costs);
                !first.iter().any(is_later)
            };
            let near = self.near(authority.versions_by_chain.get(&key), no_setter, view);
            let setters = near
                .into_iter()
                .filter(|&version| authority.sets(&key, version, entry.index));
            let found = self.least(DenialReason::StatusRevoked, setters, None, Some(id), view);
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
            let found = self.key_killed(key, Some(id), view)?;
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

    /// A key dies by an `IssuerKeyRevoke` that its op had not seen, or because its op is itself denied; for the grant that
    /// rests on it, if one is given.
    fn key_killed(&mut self, id: KeyId, of: Option<GrantId>, view: View<'_>) -> Option<Kill> {
        let authority = self.authority;
        let key = &authority.keys[id];
        if !key.touched {
            return None;
        }
        let names = (key.issuer.clone(), key.kid.clone());
        let revocations = authority
            .key_revocations
            .get(&names)
            .map_or(&[][..], Vec::as_slice);
        let revoked = self.least(
            DenialReason::IssuerKeyRevoked,
            revocations.iter().copied(),
            Some(key.op),
            of,
            view,
        );
        if revoked.is_some() || of.is_some_and(|grant| self.is_on_signatures(grant)) {
            return revoked;
        }
        if let Some(known) = self.key_ops.get(&id) {
            return *known;
        }
        let denied = self.decide_in(key.op, view).err();
        self.key_ops.insert(id, denied);
        denied
    }

    /// The grant's author has lost every grant under which the grant was made.
    fn granter_denied(&mut self, id: GrantId, view: View<'_>) -> Option<Kill> {
        let authority = self.authority;
        let op = authority.grants[id].op;
        let warrants = authority.warrants(op);
        if warrants.is_empty() || self.is_on_signatures(id) {
            return None;
        }
        let kill = self.live_or_killed(warrants, view).err()?;
        Some(Kill {
            reason: DenialReason::GranterDenied,
            ..kill
        })
    }

    /// What kills the link for ops under the grant.
    fn link_killed(&mut self, id: LinkId, grant: GrantId, view: View<'_>) -> Option<Kill> {
        if !self.authority.links[id].touched {
            return None;
        }
        let memo = (view.judged, id, grant);
        if let Some(known) = self.links.get(&memo) {
            return *known;
        }
        let revoked = self.unlinked(id, grant, view);
        let kill = match (revoked, self.maker_denied(id, grant, view)) {
            (known, Some(other)) => self.first(known, other),
            (known, None) => known,
        };
        self.links.insert(memo, kill);
        kill
    }

    fn unlinked(&mut self, id: LinkId, grant: GrantId, view: View<'_>) -> Option<Kill> {
        let (dag, authority) = (self.dag, self.authority);
        let link = &authority.links[id];
        let ends = authority.link_revocations.get(&(link.person, link.key))?;
        let right = authority.grants[grant].right();
        let mut reaching = Vec::new();
        for it in ends {
            let reaches = right.is_some_and(|(role, scope)| it.reach.holds(role, scope));
            let own = authority.own_for(it.op, &link.person, grant, dag, self.costs);
            if reaches || !own.is_empty() {
                reaching.push(it.op);
            }
        }
        self.least(
            DenialReason::Revoked,
            reaching.into_iter(),
            Some(link.op),
            Some(grant),
            view,
        )
    }

    /// The link's maker has lost what the link rests on: the links to the maker, or every title that could have made the
    /// grant.
    fn maker_denied(&mut self, id: LinkId, grant: GrantId, view: View<'_>) -> Option<Kill> {
        let (dag, authority) = (self.dag, self.authority);
        let link = &authority.links[id];
        let own = authority.own_for(link.op, &link.person, grant, dag, self.costs);
        let mut killed = None;
        if own.is_empty() {
            if self.is_on_signatures(grant) {
                return None;
            }
            for &title in authority.warrants(link.op) {
                if authority.could_grant(title, grant) {
                    let kill = self.title_killed(title, view)?;
                    killed = self.first(killed, kill);
                }
            }
            return killed.map(|kill| Kill {
                reason: DenialReason::GranterDenied,
                ..kill
            });
        }
        for title in own {
            let kill = self.link_killed(title.link?, grant, view)?;
            killed = self.first(killed, kill);
        }
        killed
    }
}
