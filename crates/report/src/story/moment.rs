//! Moments: the ops and the meetings of a run, in the order of virtual time.

use std::collections::BTreeSet;

use ecac_artifact::EventKind;
use ecac_core::{Body, OpId};

use super::chapter::Scene;
use super::facts::Facts;

/// An op as it is told, or a meeting.
pub(super) struct Moment<'a> {
    pub(super) at_ms: u64,
    pub(super) scene: Scene,
    pub(super) what: What<'a>,
}

pub(super) enum What<'a> {
    Op(OpId, &'a Body),
    /// The arrivals from one number to another.
    Meeting(u64, u64),
}

/// Every op, and every meeting, in the order of virtual time.
pub(super) fn moments<'a>(facts: &Facts<'a>) -> Vec<Moment<'a>> {
    let taken_back: BTreeSet<u64> = facts
        .events
        .iter()
        .filter(|event| event.event == EventKind::RolledBack)
        .map(|event| event.n)
        .collect();
    let mut moments = Vec::new();
    let mut heads: BTreeSet<OpId> = BTreeSet::new();
    let mut clock_ms = 0;
    let mut meeting: Option<(u64, u64)> = None;
    let close = |meeting: &mut Option<(u64, u64)>, clock_ms| {
        meeting.take().map(|(from, to)| Moment {
            at_ms: clock_ms,
            scene: Scene::Meeting,
            what: What::Meeting(from, to),
        })
    };
    for (n, item) in (1..).zip(&facts.ops.items) {
        let Some((op, body)) = item.and_then(|op| Some((op, facts.ops.get(&op)?))) else {
            continue;
        };
        let fate = facts.fate(&op).map(|fate| fate.event);
        let refused = fate.is_none_or(|fate| fate == EventKind::Refused);
        // Whoever writes names the ends of what counts; nobody has to build on what is denied.
        let denied = matches!(fate, Some(EventKind::RolledBack | EventKind::Denied));
        let knows_all = heads.iter().all(|head| body.parents.contains(head));
        let scene = match (knows_all, refused) {
            _ if taken_back.contains(&n) => Scene::Elsewhere,
            (true, true) => Scene::Refused,
            (true, false) => Scene::Here,
            (false, _) => Scene::Elsewhere,
        };
        if scene == Scene::Elsewhere {
            meeting = Some((meeting.map_or(n, |(from, _)| from), n));
        } else {
            moments.extend(close(&mut meeting, clock_ms));
        }
        if !refused && !denied {
            for parent in &body.parents {
                heads.remove(parent);
            }
            heads.insert(op);
        }
        if !refused {
            clock_ms = clock_ms.max(body.hlc.physical_ms);
        }
        moments.push(Moment {
            at_ms: body.hlc.physical_ms,
            scene,
            what: What::Op(op, body),
        });
    }
    moments.extend(close(&mut meeting, clock_ms));
    // Stable: what is of one time stays in order of arrival.
    moments.sort_by_key(|moment| (moment.at_ms, moment.scene == Scene::Meeting));
    moments
}
