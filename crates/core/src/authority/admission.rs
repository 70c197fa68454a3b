//! Admission: whether an op's past authorises it.

use super::action::{Need, permits};
use super::{Authority, GrantId, Judge, Standing};
use crate::costs::Costs;
use crate::dag::{Dag, Past};
use crate::id::OpId;
use crate::op::{Body, Payload};
use crate::reason::Refusal;

/// Why the past does not authorise an op, with the grant or the denial that shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unauthorised {
    pub(crate) reason: Refusal,
    pub(crate) witness: Option<OpId>,
}

impl Authority {
    /// The grants in the past that authorise the op.
    ///
    /// Candidates fall out one condition after another, in the order of the reasons; the reason is the
    /// condition that the last of them fails. The witness is the denial for `revoked`, and otherwise the
    /// candidate with the least op id among the last ones.
    ///
    /// # Errors
    /// [`Unauthorised`] when no candidate is left.
    pub(crate) fn authorise(
        &self,
        dag: &Dag,
        body: &Body,
        past: &Past,
        costs: &mut Costs,
    ) -> Result<Vec<GrantId>, Unauthorised> {
        costs.ops_evaluated += 1;
        let need = self.need(dag, body, past, costs);
        let in_past = |&id: &GrantId| dag.contains(past, self.grants[id].op, costs);
        let mut left: Vec<GrantId> = self
            .grants_of(&body.author)
            .iter()
            .copied()
            .filter(in_past)
            .collect();
        let mut witness = None;
        let mut stage =
            |reason: Refusal, left: &mut Vec<GrantId>, keep: &dyn Fn(GrantId) -> bool| {
                let least = left.iter().map(|&id| dag.id(self.grants[id].op)).min();
                witness = least.or(witness);
                left.retain(|&id| keep(id));
                if left.is_empty() {
                    Err(Unauthorised { reason, witness })
                } else {
                    Ok(())
                }
            };

        for reason in [
            Refusal::NoGrant,
            Refusal::BadCredential,
            Refusal::UntrustedIssuer,
            Refusal::StatusUnknown,
        ] {
            let stands = |id: GrantId| !matches!(self.grants[id].standing, Standing::Void(why) if why == reason);
            stage(reason, &mut left, &stands)?;
        }
        stage(Refusal::OutOfScope, &mut left, &|id| {
            self.grants[id]
                .right()
                .is_some_and(|(role, scope)| need.reached_by(role, scope))
        })?;
        stage(Refusal::ActionNotPermitted, &mut left, &|id| {
            self.grants[id]
                .right()
                .is_some_and(|(role, _)| permits(role, need.action))
        })?;
        let now_ms = body.hlc.physical_ms;
        stage(
            Refusal::NotYetValid,
            &mut left,
            &|id| match &self.grants[id].standing {
                Standing::Vouched(vouched) => vouched.credential.valid_from.reached_by_ms(now_ms),
                _ => true,
            },
        )?;
        stage(
            Refusal::Expired,
            &mut left,
            &|id| match &self.grants[id].standing {
                Standing::Vouched(vouched) => !vouched.credential.valid_until.reached_by_ms(now_ms),
                _ => true,
            },
        )?;

        let mut judge = Judge::new(dag, self, costs);
        let mut killed = None;
        left.retain(|&id| {
            let kill = judge.grant_killed_in(id, past);
            if let Some(kill) = kill {
                let rank = (kill.reason, dag.id(kill.denial));
                killed = Some(killed.map_or(rank, |least| rank.min(least)));
            }
            kill.is_none()
        });
        if left.is_empty() {
            let witness = killed.map(|(_, denial)| denial);
            return Err(Unauthorised {
                reason: Refusal::Revoked,
                witness,
            });
        }
        Ok(left)
    }

    /// What the op needs; of a `Grant`, what handing on the credential needs.
    fn need(&self, dag: &Dag, body: &Body, past: &Past, costs: &mut Costs) -> Need {
        let granted = match &body.payload {
            Payload::Grant { credential, .. } => {
                let carrier = dag
                    .find(credential)
                    .filter(|&at| dag.contains(past, at, costs));
                carrier.and_then(|carrier| self.credential(carrier))
            }
            _ => None,
        };
        Need::of(&body.payload, self.schema(), granted.map(AsRef::as_ref))
    }
}
