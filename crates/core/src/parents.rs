//! What a new op names as its parents (`docs/policy-model.md`, Parents of a new op).

use std::collections::BTreeSet;

use crate::authority::{Judge, Title};
use crate::costs::Costs;
use crate::dag::{Index, Past};
use crate::id::{OpId, PublicKey};
use crate::limits::PARENTS_MAX;
use crate::log::Log;
use crate::payload::{self, Payload};
use crate::replay::Replay;

/// The parents that are offered for a new op.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parents {
    /// What the op should name, ascending; at most [`PARENTS_MAX`].
    pub ids: Vec<OpId>,
    /// What the op acts on and does not name, ascending: it did not fit, or the local clock has not reached it. Another
    /// op first, or a later hour, makes room; without it a grant may be killed by what it has not seen.
    pub unseen: Vec<OpId>,
}

/// The parents that let an honest author write, whatever others do: the author's own last op, what the payload acts on,
/// a grant that permits it, and then the ends of the applied work of others. Nothing but the first lies after
/// `now_ms`, the local clock in ms since the Unix epoch.
///
/// The answer is advice: what an op names is its author's to choose, and it is judged by that alone.
///
/// # Panics
/// If the log has admitted ops since the replay's last advance.
#[must_use]
pub fn parents_for(
    log: &Log,
    replay: &Replay,
    author: &PublicKey,
    payload: &Payload,
    now_ms: u64,
    costs: &mut Costs,
) -> Parents {
    let mut choice = Choice {
        log,
        now_ms,
        named: Vec::new(),
        seen: Past::default(),
        unseen: Vec::new(),
        costs,
    };
    let own = log.dag.last_of(author).into_iter();
    if let Some(last) = own.max_by_key(|&op| (log.dag.node(op).hlc, log.dag.id(op))) {
        choice.name(last);
    }
    for op in acted_on(log, replay, payload) {
        choice.act_on(op);
    }
    for op in final_seals(log, choice.costs) {
        choice.act_on(op);
    }
    for op in permitting(log, author, payload, &mut choice) {
        choice.act_on(op);
    }
    for op in ends(log, replay, author, now_ms) {
        choice.add(op);
    }
    choice.finish()
}

struct Choice<'a> {
    log: &'a Log,
    now_ms: u64,
    named: Vec<Index>,
    /// What the named ops have in their pasts, and themselves.
    seen: Past,
    unseen: Vec<Index>,
    costs: &'a mut Costs,
}

impl Choice<'_> {
    fn sees(&mut self, op: Index) -> bool {
        self.log.dag.contains(&self.seen, op, self.costs)
    }

    /// Names the op, and leaves out what it has in its past.
    fn name(&mut self, op: Index) {
        self.named.push(op);
        self.seen = self.log.dag.with(&self.seen, op);
        self.named = self.log.dag.ends(&self.named);
    }

    /// Whether the op can be named: its time has come, and there is room once what it has in its past is left out.
    fn fits(&self, op: Index) -> bool {
        let is_left = |&named: &Index| {
            let (chain, position) = self.log.dag.position(named);
            self.log.dag.past(op).count(chain) <= position
        };
        let left = self.named.iter().filter(|it| is_left(it)).count();
        left < PARENTS_MAX && self.log.dag.node(op).hlc.physical_ms <= self.now_ms
    }

    /// Names the op, if it fits and its time has come.
    fn add(&mut self, op: Index) -> bool {
        if self.sees(op) {
            return true;
        }
        let fits = self.fits(op);
        if fits {
            self.name(op);
        }
        fits
    }

    fn act_on(&mut self, op: Index) {
        if !self.add(op) {
            self.unseen.push(op);
        }
    }

    fn finish(mut self) -> Parents {
        let named = core::mem::take(&mut self.named);
        let unseen = core::mem::take(&mut self.unseen);
        let unseen: Vec<Index> = unseen.into_iter().filter(|&op| !self.sees(op)).collect();
        let ids = |ops: &[Index]| -> Vec<OpId> {
            let ids: BTreeSet<OpId> = ops.iter().map(|&op| self.log.dag.id(op)).collect();
            ids.into_iter().collect()
        };
        Parents {
            ids: ids(&named),
            unseen: ids(&unseen),
        }
    }
}

/// What the payload acts on, in the order in which it is named: groups of ops, each by id.
fn acted_on(log: &Log, replay: &Replay, payload: &Payload) -> Vec<Index> {
    let authority = &log.authority;
    let mut groups: Vec<Vec<Index>> = Vec::new();
    match payload {
        Payload::SetField(_) | Payload::SetAdd(_) | Payload::SetRemove(_) => {
            groups.push(live_ends(log, replay, payload));
        }
        Payload::SetFieldSealed(payload::SetFieldSealed { value, .. })
        | Payload::SetAddSealed(payload::SetAddSealed { value, .. }) => {
            groups.push(live_ends(log, replay, payload));
            groups.push(log.dag.find(&value.key).into_iter().collect());
        }
        Payload::KeyGrant(grant) => groups.push(log.dag.find(&grant.key).into_iter().collect()),
        Payload::Grant(grant) => {
            if let Some(carrier) = log.dag.find(&grant.credential) {
                groups.push(vec![carrier]);
                if let Some(credential) = authority.credential(carrier) {
                    groups.push(log.dag.ends(&authority.papers_of(credential)));
                    let revocations = authority.revocations_of(&grant.subject).iter();
                    let (role, scope) = (credential.role, &credential.scope);
                    let kills = revocations
                        .filter(|it| it.matches(role, scope) && it.reaches(role, scope))
                        .map(|it| it.op);
                    groups.push(log.dag.ends(&kills.collect::<Vec<_>>()));
                    groups.push(log.dag.ends(&log.dag.forks_of(&grant.subject)));
                }
            }
        }
        Payload::Revoke(revoke) => {
            let grants = authority.grants_of(&revoke.subject).iter();
            let ops: Vec<Index> = grants.map(|&id| authority.grants[id].op).collect();
            groups.push(log.dag.ends(&ops));
        }
        Payload::IssuerKeyRevoke(revoke) => {
            let keys = authority.keys_named(&revoke.issuer, &revoke.kid).iter();
            let ops: Vec<Index> = keys.map(|&id| authority.keys[id].op).collect();
            groups.push(log.dag.ends(&ops));
        }
        Payload::Cosign(cosign) => groups.push(log.dag.find(&cosign.op).into_iter().collect()),
        Payload::Endorse(endorse) => {
            let named: Vec<Index> = endorse
                .ops
                .iter()
                .filter_map(|op| log.dag.find(op))
                .collect();
            groups.push(log.dag.ends(&named));
        }
        Payload::Device(device) => {
            let ends: Vec<Index> = authority.unlinking(&device.person, &device.key).collect();
            groups.push(log.dag.ends(&ends));
        }
        Payload::DeviceRevoke(revoke) => {
            let links = authority.links_of(&revoke.key).iter();
            let links = links
                .map(|&id| &authority.links[id])
                .filter(|link| link.person == revoke.person);
            let ops: Vec<Index> = links.map(|link| link.op).collect();
            groups.push(log.dag.ends(&ops));
        }
        Payload::Genesis(_)
        | Payload::Credential(_)
        | Payload::IssuerKey(_)
        | Payload::StatusList(_)
        | Payload::Upgrade(_)
        | Payload::Schema(_)
        | Payload::Seal(_)
        | Payload::ReaderKey(_)
        | Payload::KeyRotate(_)
        | Payload::Unassigned(_) => {}
    }
    for group in &mut groups {
        group.sort_unstable_by_key(|&op| log.dag.id(op));
    }
    groups.into_iter().flatten().collect()
}

/// Unless what is named has one of them in its past: of the author's live grants that permit the payload now, the one with
/// the least id; of several, one that had seen all that the author signed twice, if there is such a one.
fn permitting(
    log: &Log,
    author: &PublicKey,
    payload: &Payload,
    choice: &mut Choice<'_>,
) -> Vec<Index> {
    let authority = &log.authority;
    let everything = log.dag.everything();
    let Some(need) = payload.need(&mut log.seen(&everything, choice.costs)) else {
        return Vec::new();
    };
    let mut permitting: Vec<Title> = Vec::new();
    for title in authority.titles_of(author) {
        let grant = &authority.grants[title.grant];
        let permits = grant.right().is_some_and(|(role, scope)| {
            need.permitted_by(role, &grant.subject) && need.reached_by(role, scope)
        });
        let in_time = grant.vouched().is_none_or(|vouched| {
            let paper = &vouched.credential;
            paper.valid_from.reached_by_ms(choice.now_ms)
                && !paper.valid_until.reached_by_ms(choice.now_ms)
        });
        let mut judge = Judge::new(&log.dag, &log.authority, choice.costs);
        let sound = !grant.hands_on_root || judge.is_full_ever(grant.op);
        let carried = title
            .link
            .is_none_or(|link| judge.carries_ever(link, title.grant));
        if permits && in_time && sound && carried && judge.title_killed_ever(title).is_none() {
            permitting.push(title);
        }
    }
    let surplus = log.dag.surplus(author);
    let last = |title: &Title| {
        let link = title.link.map(|link| authority.links[link].op);
        link.unwrap_or(authority.grants[title.grant].op)
    };
    let thawed = |title: &Title| log.dag.own(author, &log.dag.past(last(title))).surplus == surplus;
    if permitting.iter().any(thawed) {
        permitting.retain(thawed);
    }
    let with_signatures = |title: &Title| {
        let grant = authority.grants[title.grant].op;
        let link = title.link.map(|link| authority.links[link].op);
        let mut ops = vec![grant];
        ops.extend(link);
        if authority.quorum().is_some() && authority.grants[title.grant].is_root() {
            for op in [Some(grant), link].into_iter().flatten() {
                ops.extend(log.dag.ends(authority.cosigns_of(op)));
            }
        }
        ops
    };
    if permitting
        .iter()
        .any(|title| with_signatures(title).iter().all(|&op| choice.sees(op)))
    {
        return Vec::new();
    }
    let least = permitting.into_iter().min_by_key(|title| {
        let link = title.link.map(|link| log.dag.id(authority.links[link].op));
        (log.dag.id(authority.grants[title.grant].op), link)
    });
    least.map_or_else(Vec::new, |title| with_signatures(&title))
}

/// The final seals that no other final seal has in its past, by op id, each with its `Cosign`s.
fn final_seals(log: &Log, costs: &mut Costs) -> Vec<Index> {
    let finals = Judge::new(&log.dag, &log.authority, costs).finals_ever();
    let mut seals = log.dag.ends(&finals);
    seals.sort_unstable_by_key(|&op| log.dag.id(op));
    let signed = seals.into_iter().flat_map(|seal| {
        let mut cosigns = log.dag.ends(log.authority.cosigns_of(seal));
        cosigns.sort_unstable_by_key(|&op| log.dag.id(op));
        core::iter::once(seal).chain(cosigns)
    });
    signed.collect()
}

/// The live writes or adds at the place that the payload touches, without those that others of them had seen.
fn live_ends(log: &Log, replay: &Replay, payload: &Payload) -> Vec<Index> {
    let place = log.places.find(payload);
    place.map_or_else(Vec::new, |place| replay.state().winners(log, place))
}

/// The ends of the applied work of others whose time has come: first of each author the one with the least stamp, then
/// the rest, each by (stamp, id).
fn ends(log: &Log, replay: &Replay, author: &PublicKey, now_ms: u64) -> Vec<Index> {
    let last_of_chain = |chain: u32| {
        let mut back = log.dag.chain(chain).iter().rev().map(|&op| op as Index);
        back.find(|&op| log.dag.node(op).hlc.physical_ms <= now_ms && replay.is_applied(op))
    };
    let chains = (0..).take(log.dag.chain_count());
    let others = chains.filter(|&chain| log.dag.author_of_chain(chain) != *author);
    let lasts: Vec<Index> = others.filter_map(last_of_chain).collect();
    // What no op names is an end; the others need looking at.
    let (free, named): (Vec<Index>, Vec<Index>) =
        lasts.into_iter().partition(|&op| log.dag.is_free(op));
    let mut ends = log.dag.ends_beside(&free, &named);
    ends.sort_unstable_by_key(|&op| (log.dag.node(op).hlc, log.dag.id(op)));
    let mut authors = BTreeSet::new();
    let (first, rest): (Vec<Index>, Vec<Index>) = ends
        .into_iter()
        .partition(|&op| authors.insert(log.dag.node(op).author));
    first.into_iter().chain(rest).collect()
}
