//! Admission: whether an op's past authorises it.

use std::collections::BTreeSet;

use super::grant::Standing;
use super::judge::Judge;
use super::register::{Authority, Carried};
use super::roll::TagsId;
use super::title::Title;
use crate::costs::Costs;
use crate::credential::Credential;
use crate::dag::{Dag, Index, Own, Past};
use crate::feature::Feature;
use crate::id::{OpId, PublicKey};
use crate::name::{Name, Tags};
use crate::need::Need;
use crate::reason::Refusal;
use crate::schema_map::{SchemaRule, tags_of};

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

/// The data ops that are held. Who keeps them stands above, and is known here by this alone.
pub(crate) trait DataOps {
    /// The object and field that the op at the index touches; `None` if it is no data op, or cannot be read.
    fn target(&self, at: Index) -> Option<(Name, Name)>;
}

/// What an op can know: what has been registered, as far as it lies in the op's past.
pub(crate) struct Seen<'a> {
    pub(crate) dag: &'a Dag,
    pub(crate) authority: &'a Authority,
    pub(crate) data: &'a dyn DataOps,
    pub(crate) past: Past,
    /// The tags of the field that the op touches, where nothing but genesis gives any.
    pub(crate) tags: Option<TagsId>,
    pub(crate) costs: &'a mut Costs,
}

impl Seen<'_> {
    /// The tags that the field has. Genesis is in every past.
    pub(crate) fn tags(&mut self, object: &str, field: &str) -> Tags {
        let rules = self.rules();
        tags_of(rules.into_iter().flatten(), object, field)
    }

    /// The rules of the schema map, by the ops that bring them. Genesis is in every past.
    pub(super) fn rules(&mut self) -> Vec<&BTreeSet<SchemaRule>> {
        let authority = self.authority;
        let mut rules = Vec::new();
        for (op, of_op) in &authority.rules {
            if *op == 0 || self.contains(*op) && self.is_full(*op) {
                rules.push(of_op);
            }
        }
        rules
    }

    pub(super) fn contains(&mut self, op: Index) -> bool {
        self.dag.contains(&self.past, op, self.costs)
    }

    /// Whether enough roots have signed the op of the past.
    pub(super) fn is_full(&mut self, op: Index) -> bool {
        if self.authority.quorum().is_none() {
            return true;
        }
        let mut judge = Judge::new(self.dag, self.authority, self.costs);
        judge.in_past(&self.past, |judge, view| judge.is_full(op, view))
    }

    /// Whether the op is one of the past that a `Cosign` may name.
    pub(crate) fn is_quorum_op(&mut self, op: &OpId) -> bool {
        let at = self.dag.find(op);
        at.is_some_and(|at| self.authority.quorum_ops.contains(&at) && self.contains(at))
    }

    /// The object and field that the op touches, if it is a data op of the past.
    pub(crate) fn data_op(&mut self, op: &OpId) -> Option<(Name, Name)> {
        let at = self.dag.find(op)?;
        if !self.contains(at) {
            return None;
        }
        self.data.target(at)
    }

    /// The credential that an op of the past carries, if it is one that can be read.
    pub(crate) fn credential(&mut self, carrier: &OpId) -> Option<&Credential> {
        let carrier = self.dag.find(carrier)?;
        if !self.dag.contains(&self.past, carrier, self.costs) {
            return None;
        }
        match self.authority.credentials.get(&carrier)? {
            Carried::Usable(credential) | Carried::OtherProject(credential) => Some(credential),
            Carried::Unreadable => None,
        }
    }

    /// Whether the feature is in force.
    pub(crate) fn in_force(&mut self, feature: Feature) -> bool {
        let authority = self.authority;
        let mut named = authority.features.iter();
        named.any(|it| it.usable == Some(feature) && self.puts_in_force(it.op))
    }

    /// Whether what the op names beyond version 1 counts.
    pub(super) fn puts_in_force(&mut self, op: Index) -> bool {
        self.contains(op) && (op == 0 || self.is_full(op))
    }

    /// Whether a feature is named, by what counts, that this program does not know.
    pub(crate) fn names_unknown_feature(&mut self) -> bool {
        let authority = self.authority;
        let mut named = authority.features.iter();
        named.any(|it| Feature::named(&it.name).is_none() && self.puts_in_force(it.op))
    }

    /// The titles in the past that authorise the op.
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
    ) -> Result<Vec<Title>, Unauthorised> {
        self.costs.ops_evaluated += 1;
        let left = self.titles_for(need, &applicant.author, applicant.now_ms)?;
        self.thaw(left, applicant)
    }

    /// The titles in the past by which the key may do it, whether or not an equivocation keeps it from signing.
    ///
    /// # Errors
    /// [`Unauthorised`] when no candidate is left.
    fn titles_for(
        &mut self,
        need: &Need,
        key: &PublicKey,
        now_ms: u64,
    ) -> Result<Vec<Title>, Unauthorised> {
        let (dag, past, authority) = (self.dag, &self.past.clone(), self.authority);
        let grants = &authority.grants;
        let mut left = authority.titles_of(key);
        left.retain(|title| {
            let link = title.link.map(|link| authority.links[link].op);
            dag.contains(past, grants[title.grant].op, self.costs)
                && link.is_none_or(|link| dag.contains(past, link, self.costs))
        });
        let sound: BTreeSet<Title> = left
            .iter()
            .copied()
            .filter(|it| self.is_sound(*it))
            .collect();
        let mut witness = None;
        let mut stage = |reason: Refusal, left: &mut Vec<Title>, keep: &dyn Fn(Title) -> bool| {
            let least = left.iter().map(|it| dag.id(grants[it.grant].op)).min();
            witness = least.or(witness);
            left.retain(|&title| keep(title));
            if left.is_empty() {
                Err(Unauthorised { reason, witness })
            } else {
                Ok(())
            }
        };

        stage(Refusal::NoGrant, &mut left, &|title| sound.contains(&title))?;
        for reason in [
            Refusal::BadCredential,
            Refusal::UntrustedIssuer,
            Refusal::StatusUnknown,
        ] {
            let stands = |title: Title| !matches!(&grants[title.grant].standing, Standing::Void(void) if void.reason == reason);
            stage(reason, &mut left, &stands)?;
        }
        stage(Refusal::OutOfScope, &mut left, &|title| {
            grants[title.grant]
                .right()
                .is_some_and(|(role, scope)| need.reached_by(role, scope))
        })?;
        stage(Refusal::ActionNotPermitted, &mut left, &|title| {
            let grant = &grants[title.grant];
            let right = grant.right();
            right.is_some_and(|(role, _)| need.permitted_by(role, &grant.subject))
        })?;
        let paper = |title: Title| {
            let vouched = grants[title.grant].vouched();
            vouched.map(|vouched| &vouched.credential)
        };
        stage(Refusal::NotYetValid, &mut left, &|title| {
            paper(title).is_none_or(|it| it.valid_from.reached_by_ms(now_ms))
        })?;
        stage(Refusal::Expired, &mut left, &|title| {
            paper(title).is_none_or(|it| !it.valid_until.reached_by_ms(now_ms))
        })?;

        let mut judge = Judge::new(dag, authority, self.costs);
        let mut killed = None;
        left.retain(|&title| {
            let kill = judge.title_killed_in(title, past);
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

    /// Whether the title lies in the past and gives what is needed, in time or not, killed or not.
    pub(super) fn gives(&mut self, title: Title, need: &Need) -> bool {
        let authority = self.authority;
        let grant = &authority.grants[title.grant];
        let gives = grant.right().is_some_and(|(role, scope)| {
            need.permitted_by(role, &grant.subject) && need.reached_by(role, scope)
        });
        gives
            && self.contains(grant.op)
            && title
                .link
                .is_none_or(|link| self.contains(authority.links[link].op))
            && self.is_sound(title)
    }

    /// Whether the title is none of those that are as good as no grant: too deep, of root and short, or by a link that does
    /// not carry the grant.
    fn is_sound(&mut self, title: Title) -> bool {
        let authority = self.authority;
        let grant = &authority.grants[title.grant];
        let too_deep =
            matches!(&grant.standing, Standing::Void(void) if void.reason == Refusal::NoGrant);
        if too_deep || grant.hands_on_root && !self.is_full(grant.op) {
            return false;
        }
        title.link.is_none_or(|link| {
            let root = grant.is_root() || grant.hands_on_root;
            authority.carries_but_short(link, title.grant, self.dag, self.costs)
                && (!root || self.is_full(authority.links[link].op))
        })
    }

    /// The titles that had seen every equivocation of the author that the past holds: the author's surplus has not
    /// grown since.
    fn thaw(
        &mut self,
        left: Vec<Title>,
        applicant: &Applicant,
    ) -> Result<Vec<Title>, Unauthorised> {
        if applicant.own.surplus == 0 {
            return Ok(left);
        }
        let dag = self.dag;
        let seen_by = |title: Title| {
            let link = title.link.map(|link| self.authority.links[link].op);
            dag.past(link.unwrap_or(self.authority.grants[title.grant].op))
        };
        let thawed = |&title: &Title| {
            dag.own(&applicant.author, &seen_by(title)).surplus == applicant.own.surplus
        };
        let (thawed, frozen): (Vec<Title>, Vec<Title>) = left.into_iter().partition(thawed);
        if !thawed.is_empty() {
            return Ok(thawed);
        }
        let unseen = frozen.iter().filter_map(|&title| {
            dag.unseen_fork(&applicant.author, &self.past, &seen_by(title), self.costs)
        });
        Err(Unauthorised {
            reason: Refusal::Frozen,
            witness: unseen.min().map(|(_, op)| op),
        })
    }
}
