//! Admission: whether an op's past authorises it.

use super::grant::{GrantId, Standing};
use super::judge::Judge;
use super::register::{Authority, Carried};
use crate::costs::Costs;
use crate::credential::Credential;
use crate::dag::{Dag, Own, Past};
use crate::feature::Feature;
use crate::id::{OpId, PublicKey};
use crate::name::Tags;
use crate::need::{Need, permits};
use crate::reason::Refusal;
use crate::schema_map::tags_of;

/// Why the past does not authorise an op, with the grant or the denial that shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unauthorised {
    pub(crate) reason: Refusal,
    pub(crate) witness: Option<OpId>,
}

/// Who asks to be let in, and when.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Applicant {
    pub(crate) author: PublicKey,
    /// Physical time of the op's stamp.
    pub(crate) now_ms: u64,
    /// The author's own ops in the past.
    pub(crate) own: Own,
}

/// What an op can know: what has been registered, as far as it lies in the op's past.
pub(crate) struct Seen<'a> {
    pub(crate) dag: &'a Dag,
    pub(crate) authority: &'a Authority,
    pub(crate) past: &'a Past,
    pub(crate) costs: &'a mut Costs,
}

impl Seen<'_> {
    /// The tags that the field has. Genesis is in every past.
    pub(crate) fn tags(&mut self, object: &str, field: &str) -> Tags {
        let (dag, past, costs) = (self.dag, self.past, &mut *self.costs);
        let seen = self
            .authority
            .rules
            .iter()
            .filter(|(op, _)| *op == 0 || dag.contains(past, *op, costs));
        tags_of(seen.flat_map(|(_, rules)| rules), object, field)
    }

    /// The credential that an op of the past carries, if it is one that can be read.
    pub(crate) fn credential(&mut self, carrier: &OpId) -> Option<&Credential> {
        let carrier = self.dag.find(carrier)?;
        if !self.dag.contains(self.past, carrier, self.costs) {
            return None;
        }
        match self.authority.credentials.get(&carrier)? {
            Carried::Usable(credential) | Carried::OtherProject(credential) => Some(credential),
            Carried::Unreadable => None,
        }
    }

    /// Whether the feature is in force.
    pub(crate) fn in_force(&mut self, feature: Feature) -> bool {
        let (dag, past, costs) = (self.dag, self.past, &mut *self.costs);
        self.authority
            .features
            .iter()
            .any(|it| it.usable == Some(feature) && dag.contains(past, it.op, costs))
    }

    /// Whether a feature is named that this program does not know.
    pub(crate) fn names_unknown_feature(&mut self) -> bool {
        let (dag, past, costs) = (self.dag, self.past, &mut *self.costs);
        self.authority
            .features
            .iter()
            .any(|it| Feature::named(&it.name).is_none() && dag.contains(past, it.op, costs))
    }

    /// The grants in the past that authorise the op.
    ///
    /// Candidates fall out one condition after another, in the order of the reasons; the reason is the
    /// condition that the last of them fails. The witness is the denial for `revoked`, the unseen half of an
    /// equivocation for `frozen`, and otherwise the candidate with the least op id among the last ones.
    ///
    /// # Errors
    /// [`Unauthorised`] when no candidate is left.
    pub(crate) fn authorise(
        &mut self,
        need: &Need,
        applicant: &Applicant,
    ) -> Result<Vec<GrantId>, Unauthorised> {
        self.costs.ops_evaluated += 1;
        let (dag, past, authority) = (self.dag, self.past, self.authority);
        let grants = &authority.grants;
        let mut left = authority.grants_of(&applicant.author).to_vec();
        left.retain(|&id| dag.contains(past, grants[id].op, self.costs));
        let mut witness = None;
        let mut stage =
            |reason: Refusal, left: &mut Vec<GrantId>, keep: &dyn Fn(GrantId) -> bool| {
                let least = left.iter().map(|&id| dag.id(grants[id].op)).min();
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
            let stands = |id: GrantId| !matches!(&grants[id].standing, Standing::Void(void) if void.reason == reason);
            stage(reason, &mut left, &stands)?;
        }
        stage(Refusal::OutOfScope, &mut left, &|id| {
            grants[id]
                .right()
                .is_some_and(|(role, scope)| need.reached_by(role, scope))
        })?;
        stage(Refusal::ActionNotPermitted, &mut left, &|id| {
            grants[id]
                .right()
                .is_some_and(|(role, _)| permits(role, need.action))
        })?;
        let paper = |id: GrantId| grants[id].vouched().map(|vouched| &vouched.credential);
        stage(Refusal::NotYetValid, &mut left, &|id| {
            paper(id).is_none_or(|it| it.valid_from.reached_by_ms(applicant.now_ms))
        })?;
        stage(Refusal::Expired, &mut left, &|id| {
            paper(id).is_none_or(|it| !it.valid_until.reached_by_ms(applicant.now_ms))
        })?;

        let mut judge = Judge::new(dag, authority, self.costs);
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
        self.thaw(left, applicant)
    }

    /// The grants that had seen every equivocation of their subject that the past holds: the author's surplus has not
    /// grown since.
    fn thaw(
        &mut self,
        left: Vec<GrantId>,
        applicant: &Applicant,
    ) -> Result<Vec<GrantId>, Unauthorised> {
        if applicant.own.surplus == 0 {
            return Ok(left);
        }
        let dag = self.dag;
        let seen_by = |id: GrantId| dag.past(self.authority.grants[id].op);
        let thawed = |&id: &GrantId| {
            dag.own(&applicant.author, seen_by(id)).surplus == applicant.own.surplus
        };
        let (thawed, frozen): (Vec<GrantId>, Vec<GrantId>) = left.into_iter().partition(thawed);
        if !thawed.is_empty() {
            return Ok(thawed);
        }
        let unseen = frozen.iter().filter_map(|&id| {
            dag.unseen_fork(&applicant.author, self.past, seen_by(id), self.costs)
        });
        Err(Unauthorised {
            reason: Refusal::Frozen,
            witness: unseen.min().map(|(_, op)| op),
        })
    }
}
