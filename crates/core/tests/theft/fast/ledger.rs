//! What is decided of a history with at most one seal, kept while ops arrive.

use crate::history::{Author, History, Kind, OPS_MAX, Op, Set};
use crate::rule::Fault;

/// Who signed what, as sets.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Facts {
    pub(crate) history: History,
    by: [Set; Author::ALL.len()],
    pub(crate) edits: Set,
    grants: Set,
    pub(crate) denials: Set,
    /// By the place of the subject among the authors.
    revokes: [Set; Author::ALL.len()],
    device_revokes: [Set; Author::ALL.len()],
    /// By the place of what is signed.
    cosigns: [Set; OPS_MAX],
    pub(crate) seal: Option<usize>,
}

impl Facts {
    const NONE: Self = Self {
        history: History::EMPTY,
        by: [Set::EMPTY; _],
        edits: Set::EMPTY,
        grants: Set::EMPTY,
        denials: Set::EMPTY,
        revokes: [Set::EMPTY; _],
        device_revokes: [Set::EMPTY; _],
        cosigns: [Set::EMPTY; _],
        seal: None,
    };

    fn push(&mut self, op: Op) {
        let new = self.history.len();
        let place = Set::of(new);
        self.history.push(op);
        self.by[op.author as usize] |= place;
        match op.kind {
            Kind::Edit => self.edits |= place,
            Kind::Grant => self.grants |= place,
            Kind::Revoke(subject) => {
                self.denials |= place;
                self.revokes[subject as usize] |= place;
            }
            Kind::DeviceRevoke(device) => {
                self.denials |= place;
                self.device_revokes[device as usize] |= place;
            }
            Kind::Seal => {
                assert!(self.seal.is_none(), "there is at most one seal");
                self.seal = Some(new);
            }
            Kind::Cosign(target) => self.cosigns[usize::from(target)] |= place,
        }
    }

    pub(crate) const fn len(&self) -> usize {
        self.history.len()
    }

    pub(crate) fn op(&self, op: usize) -> Op {
        self.history.ops()[op]
    }

    pub(crate) const fn by(&self, author: Author) -> Set {
        self.by[author as usize]
    }

    /// The ops of thieves.
    pub(crate) fn stolen(&self) -> Set {
        self.by(Author::Cat) | self.by(Author::Petra) | self.by(Author::Phone)
    }

    pub(crate) const fn revokes(&self, subject: Author) -> Set {
        self.revokes[subject as usize]
    }

    pub(crate) const fn device_revokes(&self, device: Author) -> Set {
        self.device_revokes[device as usize]
    }

    pub(crate) const fn cosigns(&self, target: usize) -> Set {
        self.cosigns[target]
    }

    /// The `Cosign`s by others.
    fn cosigns_by_others(&self, target: usize) -> Set {
        self.cosigns[target] & !self.by(self.op(target).author)
    }
}

/// The grants of an author that let an op in, as in the rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Warrants {
    first: bool,
    again: Set,
}

impl Warrants {
    pub(crate) const fn is_refused(self) -> bool {
        !self.first && self.again.is_empty()
    }
}

/// What is killed, within a closed set of ops, for which op. This holds for ops that are not there yet, too.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Verdict {
    pub(crate) within: Set,
    /// Whether the seal is final.
    pub(crate) is_final: bool,
    pub(crate) stale: Set,
    /// What is sealed.
    sealed: Set,
    /// For which ops the grant of the set-up, or of genesis, is killed; by the place of the person among the authors.
    firsts: [Set; 5],
    /// The denials that bite grants to Alice.
    against_alice: Set,
    /// For which ops a denial of Alice counts that no `Grant` has seen.
    unseen: Set,
    /// For which ops the link of the laptop is killed, and that of the phone.
    links: [Set; 2],
}

impl Verdict {
    pub(crate) const fn kills_first(&self, person: Author) -> Set {
        self.firsts[person as usize]
    }

    pub(crate) const fn unlinks(&self, author: Author) -> Set {
        match author {
            Author::Laptop => self.links[0],
            Author::Phone => self.links[1],
            Author::Ann | Author::Ben | Author::Cat | Author::Petra | Author::Alice => Set::EMPTY,
        }
    }
}

/// The facts and what of the decisions no op that comes later moves.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ledger {
    fault: Option<Fault>,
    pub(crate) facts: Facts,
    /// The ops that the first grant of their author lets in.
    first: Set,
    /// By the place of a `Grant`, the ops that it lets in.
    again: [Set; OPS_MAX],
    /// Within the past of the seal.
    sealing: Verdict,
    /// The ops that have a live warrant within the past of the seal.
    live_in_seal: Set,
}

impl Ledger {
    pub(crate) fn new(fault: Option<Fault>) -> Self {
        Self {
            fault,
            facts: Facts::NONE,
            first: Set::EMPTY,
            again: [Set::EMPTY; _],
            sealing: Verdict::default(),
            live_in_seal: Set::EMPTY,
        }
    }

    /// Of ops that are not refused, each after what is in its past, and one that may be refused at the end.
    pub(crate) fn of(fault: Option<Fault>, ops: impl IntoIterator<Item = Op>) -> Self {
        let mut ledger = Self::new(fault);
        for op in ops {
            let verdict = ledger.verdict(op.past);
            ledger.push(op, ledger.warrants(op.author, &verdict));
        }
        ledger
    }

    pub(crate) fn with(&self, op: Op, warrants: Warrants) -> Self {
        let mut longer = *self;
        longer.push(op, warrants);
        longer
    }

    pub(crate) fn push(&mut self, op: Op, warrants: Warrants) {
        let new = self.facts.len();
        self.facts.push(op);
        if warrants.first {
            self.first |= Set::of(new);
        }
        for grant in warrants.again.iter() {
            self.again[grant] |= Set::of(new);
        }
        if op.kind == Kind::Seal {
            self.sealing = self.verdict(op.past);
        }
        if self.facts.seal.is_some() {
            self.live_in_seal = self.live(&self.sealing);
        }
    }

    /// What lets the author's next op in, if its past is that of the verdict.
    pub(crate) fn warrants(&self, author: Author, past: &Verdict) -> Warrants {
        let new = self.facts.len();
        if past.unlinks(author).contains(new) {
            return Warrants {
                first: false,
                again: Set::EMPTY,
            };
        }
        let person = author.person();
        let grants = if person == Author::Alice {
            self.facts.grants & past.within
        } else {
            Set::EMPTY
        };
        Warrants {
            first: !past.kills_first(person).contains(new),
            again: grants.filter(|it| !self.kills_again(it, past).contains(new)),
        }
    }

    /// Whether a warrant of the next op lives, whose author has those.
    pub(crate) fn lives_next(&self, author: Author, warrants: Warrants, all: &Verdict) -> bool {
        let new = self.facts.len();
        let again = |it: usize| !self.kills_again(it, all).contains(new);
        (warrants.first && !all.kills_first(author.person()).contains(new)
            || warrants.again.iter().any(again))
            && !all.unlinks(author).contains(new)
    }

    /// For which ops a denial that bites counts.
    fn reach(&self, denials: Set) -> Set {
        denials.iter().fold(Set::EMPTY, |reached, it| {
            reached | self.reach_of(it, self.facts.op(it).past)
        })
    }

    fn reach_of(&self, denial: usize, past: Set) -> Set {
        if self.fault == Some(Fault::DenialsSpareWhatIsListed) {
            return !(past | Set::below(denial + 1));
        }
        !(past | Set::of(denial))
    }

    /// What the denials, seals and `Cosign`s of a closed set decide.
    pub(crate) fn verdict(&self, within: Set) -> Verdict {
        let facts = &self.facts;
        let is_final = facts.seal.is_some_and(|seal| {
            within.contains(seal)
                && (self.fault == Some(Fault::SealsNeedNoCosign)
                    || !(facts.cosigns_by_others(seal) & within).is_empty())
        });
        let sealing = if is_final {
            facts.seal.map(|it| facts.op(it).past)
        } else {
            None
        };
        let stale = sealing.map_or(Set::EMPTY, |past| {
            facts.history.all() & !past & !self.live_in_seal
        });
        let biting = if self.fault == Some(Fault::StaleDenialsBite) {
            within
        } else {
            within & !stale
        };
        let bites_root = |denial: usize| {
            let cosigns = facts.cosigns_by_others(denial);
            let is_dropped = |past: Set| past.contains(denial) && (cosigns & past).is_empty();
            !(cosigns & within & !stale).is_empty() && !sealing.is_some_and(is_dropped)
        };
        let kills_root = |root: Author| {
            let denials = facts.revokes(root) & biting;
            if denials.is_empty() {
                return Set::EMPTY;
            }
            let own = denials & facts.by(root);
            self.reach(own | (denials & !own).filter(bites_root))
        };
        let [ann, ben, cat] = Author::ROOTS.map(kills_root);
        let petra = self.reach(facts.revokes(Author::Petra) & biting) | ann & ben;
        let against_alice = facts.revokes(Author::Alice) & biting;
        let alice = self.reach(against_alice) | petra;
        let unlinks = |device| self.reach(facts.device_revokes(device) & biting);
        Verdict {
            within,
            is_final,
            stale,
            sealed: sealing.map_or(Set::EMPTY, |past| past & self.live_in_seal),
            firsts: [ann, ben, cat, petra, alice],
            against_alice,
            unseen: Set::EMPTY,
            links: [Author::Laptop, Author::Phone].map(unlinks),
        }
    }

    /// What is killed once there is one more op that is no `Seal` and no `Cosign`, from what is killed without it. It
    /// does not say whether the op is stale.
    pub(crate) fn next(&self, all: &Verdict, op: Op, warrants: Warrants) -> Verdict {
        let mut next = Verdict {
            within: all.within.with(self.facts.len()),
            ..*all
        };
        let counts = || {
            !all.is_final
                || self.lives_next(op.author, warrants, &self.sealing)
                || self.fault == Some(Fault::StaleDenialsBite)
        };
        let reach = self.reach_of(self.facts.len(), op.past);
        let [.., cat, petra, alice] = &mut next.firsts;
        match op.kind {
            Kind::Revoke(Author::Alice) if counts() => {
                *alice |= reach;
                next.unseen |= reach;
            }
            Kind::Revoke(Author::Petra) if counts() => {
                *petra |= reach;
                *alice |= reach;
            }
            Kind::Revoke(Author::Cat) if op.author == Author::Cat && counts() => *cat |= reach,
            Kind::DeviceRevoke(device) if counts() => {
                let [laptop, phone] = &mut next.links;
                *if device == Author::Phone {
                    phone
                } else {
                    laptop
                } |= reach;
            }
            // The end of a root by another one has no `Cosign` yet.
            Kind::Revoke(_) | Kind::DeviceRevoke(_) | Kind::Edit | Kind::Grant => {}
            Kind::Seal | Kind::Cosign(_) => unreachable!("it can make more count than itself"),
        }
        next
    }

    /// What is applied then.
    pub(crate) fn applied_next(&self, next: &Verdict, op: Op, warrants: Warrants) -> Set {
        let applied = self.applied(next);
        if self.lives_next(op.author, warrants, next) {
            applied.with(self.facts.len())
        } else {
            applied
        }
    }

    /// For which ops a `Grant` is killed.
    fn kills_again(&self, grant: usize, verdict: &Verdict) -> Set {
        let Op { author, past, .. } = self.facts.op(grant);
        let granters = if self.first.contains(grant) {
            verdict.kills_first(author)
        } else {
            !Set::EMPTY
        };
        self.reach(verdict.against_alice & !past) | verdict.unseen | granters
    }

    /// The ops that have a live warrant.
    pub(crate) fn live(&self, verdict: &Verdict) -> Set {
        let facts = &self.facts;
        let first =
            |author: Author| facts.by(author) & self.first & !verdict.kills_first(author.person());
        let roots_and_petra = [Author::Ann, Author::Ben, Author::Cat, Author::Petra];
        let others = roots_and_petra
            .into_iter()
            .fold(Set::EMPTY, |live, author| live | first(author));
        let devices = [Author::Alice, Author::Laptop, Author::Phone];
        let mut alice = devices
            .into_iter()
            .fold(Set::EMPTY, |live, author| live | first(author));
        for grant in facts.grants.iter() {
            let again = self.again[grant];
            if !again.is_empty() {
                alice |= again & !self.kills_again(grant, verdict);
            }
        }
        others | alice & !self.unlinked(verdict)
    }

    /// The ops of devices whose link is killed for them.
    pub(crate) fn unlinked(&self, verdict: &Verdict) -> Set {
        let by = |device| self.facts.by(device) & verdict.unlinks(device);
        by(Author::Laptop) | by(Author::Phone)
    }

    /// What is applied of everything, of which that is the verdict.
    pub(crate) fn applied(&self, all: &Verdict) -> Set {
        self.live(all) | all.sealed
    }

    /// The ops that are let in by nothing.
    pub(crate) fn refused(&self) -> Set {
        let again = self.again.iter();
        let let_in = again.fold(self.first, |let_in, ops| let_in | *ops);
        self.facts.history.all() & !let_in
    }

    /// The ends of roots that are full, and dropped.
    pub(crate) fn dropped(&self, all: &Verdict) -> Set {
        let facts = &self.facts;
        let Some(past) = facts
            .seal
            .filter(|_| all.is_final)
            .map(|it| facts.op(it).past)
        else {
            return Set::EMPTY;
        };
        let is_dropped = |it: usize| {
            let cosigns = facts.cosigns_by_others(it);
            (cosigns & past).is_empty() && !(cosigns & all.within & !all.stale).is_empty()
        };
        let ends = Author::ROOTS
            .into_iter()
            .fold(Set::EMPTY, |ends, root| ends | facts.revokes(root));
        (ends & past).filter(is_dropped)
    }
}
