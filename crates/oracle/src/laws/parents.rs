//! The parents that are offered to whoever wants to write.

use ecac_core::credential::{Credential, Role};
use ecac_core::limits::PARENTS_MAX;
use ecac_core::payload;
use ecac_core::{Costs, Hlc, Log, OpId, Outcome, Payload, Replay, VerifiedOp, parents_for};
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::{Breach, Law, Trial, ensure};
use crate::naive::{Draft, Oracle};
use crate::world::{self, ALICE, BOSS, FIRST, START_MS, person};

/// What somebody wants to write.
#[derive(Debug, Clone)]
pub(super) struct Wish {
    author: u8,
    /// The local clock, in ms after the start of the history.
    clock_ms: u64,
    what: What,
}

#[derive(Debug, Clone)]
enum What {
    Set(&'static str, &'static str),
    Add(&'static str, &'static str),
    Remove(&'static str, &'static str),
    /// A grant by some credential of the log.
    Grant(Index),
    /// A revocation of whom some credential of the log names, of that role only or of any.
    Revoke(Index, bool),
    Distrust,
    Schema,
}

impl Default for Wish {
    fn default() -> Self {
        Self {
            author: ALICE,
            clock_ms: 500,
            what: What::Set("doc/1", "title"),
        }
    }
}

/// Random wishes, mostly of those who may.
pub(super) fn wishes() -> impl Strategy<Value = Wish> {
    let place = || {
        select(&[
            ("doc/1", "title"),
            ("doc/1", "body"),
            ("doc/2", "title"),
            ("doc/2", "labels"),
        ])
    };
    let editor = || prop_oneof![6 => ALICE..ALICE + 6, 1 => 0..14_u8];
    let granter = || prop_oneof![3 => 0..3_u8, 3 => BOSS..BOSS + 2, 1 => 0..14_u8];
    let data = prop_oneof![
        2 => place().prop_map(|(object, field)| What::Set(object, field)),
        1 => place().prop_map(|(object, field)| What::Add(object, field)),
        2 => place().prop_map(|(object, field)| What::Remove(object, field)),
    ];
    let policy = prop_oneof![
        4 => any::<Index>().prop_map(What::Grant),
        2 => (any::<Index>(), any::<bool>()).prop_map(|(pick, role)| What::Revoke(pick, role)),
    ];
    let trust = prop_oneof![Just(What::Distrust), Just(What::Schema)];
    let wish = prop_oneof![
        4 => (editor(), data),
        4 => (granter(), policy),
        1 => (0..5_u8, trust),
    ];
    // Of the clocks some are behind most of the log, and some ahead of all.
    let clock_ms = prop_oneof![0..1_000_u64, Just(10_000_u64)];
    (wish, clock_ms).prop_map(|((author, what), clock_ms)| Wish {
        author,
        clock_ms,
        what,
    })
}

impl Wish {
    fn payload(&self, log: &Log) -> Option<Payload> {
        let payload = match &self.what {
            What::Set(object, field) => world::set(object, field, 99),
            What::Add(object, field) => world::add(object, field, "0"),
            What::Remove(object, field) => world::remove(object, field, "0"),
            What::Grant(pick) => {
                let (id, credential) = some_credential(log, *pick)?;
                Payload::Grant(payload::Grant {
                    subject: credential.subject,
                    credential: id,
                })
            }
            What::Revoke(pick, of_role) => {
                let (_, credential) = some_credential(log, *pick)?;
                let role: Option<Role> = of_role.then_some(credential.role);
                Payload::Revoke(payload::Revoke {
                    subject: credential.subject,
                    role,
                    scope: None,
                })
            }
            What::Distrust => FIRST.distrusted(),
            What::Schema => world::schema(&[("new/*", "*", 0b001)]),
        };
        Some(payload)
    }
}

/// Some credential that can be read, with the op that carries it.
fn some_credential(log: &Log, pick: Index) -> Option<(OpId, Credential)> {
    let carried = log.admitted().filter_map(|op| {
        let Payload::Credential(credential) = &op.body().payload else {
            return None;
        };
        Some((op.id(), &credential.jwt))
    });
    let carried: Vec<(OpId, &String)> = carried.collect();
    let (id, jwt) = (!carried.is_empty()).then(|| pick.get(&carried))?;
    Some((*id, Credential::parse(jwt).ok()?))
}

/// Offers parents, holds them to what the page says of them, and signs an op on them.
pub(super) fn check(
    trial: &Trial,
    log: &mut Log,
    replay: &Replay,
    oracle: &Oracle,
) -> Result<(), Breach> {
    let wish = &trial.wish;
    if log.admitted_count() == 0 {
        return Ok(());
    }
    let Some(payload) = wish.payload(log) else {
        return Ok(());
    };
    let author = person(wish.author).public;
    let now_ms = START_MS + wish.clock_ms;
    let costs = &mut Costs::default();
    let offered = parents_for(log, replay, &author, &payload, now_ms, costs);
    let law = Law::OfferedParents;
    let says = |what: &str| {
        format!("{what}: {offered:?} for {payload:?} at {now_ms} by {wish:?}")
    };
    let is_sound = (1..=PARENTS_MAX).contains(&offered.ids.len())
        && offered.ids.is_sorted_by(|one, other| one < other)
        && offered.unseen.is_sorted_by(|one, other| one < other);
    ensure(law, is_sound, || says("no op can have these parents"))?;

    let stamp_of = |op: &OpId| log.get(op).map(|op| op.body().hlc);
    let after = offered.ids.iter().filter_map(stamp_of).max();
    let hlc = Hlc::next(after, now_ms, u32::from(wish.author));
    let hlc = hlc.expect("clocks are far from their end");
    let draft = Draft {
        author,
        payload: &payload,
        parents: &offered.ids,
        now_ms,
    };
    let prospect = oracle.prospect(&draft, hlc.physical_ms);
    let says = |what: &str| format!("{}; {prospect:?}", says(what));
    ensure(law, prospect.forgotten.is_none(), || {
        says("the author has signed more")
    })?;
    ensure(law, prospect.early.is_empty(), || {
        says("some lie in the future")
    })?;
    ensure(law, prospect.redundant.is_empty(), || {
        says("some are in the past of others")
    })?;
    let is_early = |op: &OpId| stamp_of(op).is_some_and(|hlc| hlc.physical_ms > now_ms);
    // The author's last op and the grant that permits need room, too.
    let fits = prospect.acts_on + 2 <= PARENTS_MAX;
    ensure(law, !fits || offered.unseen.iter().all(is_early), || {
        says("there was room for what is not named")
    })?;
    let is_told =
        prospect.has_grant || (prospect.grant).is_none_or(|grant| offered.unseen.contains(&grant));
    ensure(law, is_told, || says("no grant permits it"))?;
    if matches!(payload, Payload::Grant(_)) && offered.unseen.is_empty() {
        ensure(law, prospect.fatal.is_empty(), || {
            says("a revocation kills the grant")
        })?;
    }

    let op = world::sign(
        wish.author,
        prospect.seq,
        offered.ids.clone(),
        hlc,
        payload.clone(),
    );
    let arrivals = log.ingest(op.clone(), costs);
    let is_admitted = arrivals
        .iter()
        .any(|it| it.op == op.id() && it.outcome == Outcome::Admitted);
    let has_to_be = prospect.has_grant && prospect.excuse.is_none();
    ensure(law, is_admitted || !has_to_be, || {
        says(&format!("it is {arrivals:?}"))
    })?;
    let last = log.admitted().last().map(VerifiedOp::id);
    ensure(law, !is_admitted || last == Some(op.id()), || {
        says("it released other ops")
    })
}
