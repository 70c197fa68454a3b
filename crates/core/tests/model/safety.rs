//! What users are promised, said without the rule: nothing here asks which grants let an op in, or what kills.

use crate::history::{Author, History, Kind, Role, Set};
use crate::rule::{Decision, Decisions, World};

/// A history, as far as ops of it are `known`, none of which has been refused.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Promise<'a> {
    pub(crate) world: &'a World,
    pub(crate) history: &'a History,
    pub(crate) known: Set,
}

impl Promise<'_> {
    /// Whether a chain of grants leads from genesis to the op, each made by whom the one before names; each
    /// unharmed: its maker had seen every denial of the one whom it names, or the denier had seen the op; and each
    /// thawed: its maker had seen both halves of every equivocation that was known to the one whom it names.
    pub(crate) fn is_backed(&self, op: usize) -> bool {
        let it = self.history.ops()[op];
        let needs = match it.kind {
            Kind::Edit => Role::Editor,
            Kind::Grant(..) | Kind::Revoke(_) => Role::Root,
        };
        self.has_chain(op, it.author, it.past, needs)
    }

    /// Whether such a chain lies in `past` and ends in a grant of at least the role to the subject, who knew `past`.
    fn has_chain(&self, op: usize, subject: Author, past: Set, needs: Role) -> bool {
        let by_genesis = self.world.roots.contains(usize::from(subject));
        let by_grant = |grant: usize| {
            let it = self.history.ops()[grant];
            matches!(it.kind, Kind::Grant(named, role) if named == subject && role >= needs)
                && self.is_unharmed(op, subject, it.past)
                && self.is_thawed(subject, past, it.past)
                && self.has_chain(op, it.author, it.past, Role::Root)
        };
        by_genesis
            && self.is_unharmed(op, subject, Set::EMPTY)
            && self.is_thawed(subject, past, Set::EMPTY)
            || past.and(self.known).iter().any(by_grant)
    }

    /// Whether no denial harms a grant to the subject whose maker had seen `seen`, as far as `op` is concerned.
    fn is_unharmed(&self, op: usize, subject: Author, seen: Set) -> bool {
        let ops = self.history.ops();
        let by_revocation = |denial: usize| {
            ops[denial].kind != Kind::Revoke(subject)
                || seen.contains(denial)
                || denial == op
                || ops[denial].past.contains(op)
        };
        self.known.iter().all(by_revocation)
    }

    /// Whether no equivocation of the subject, whole in `past`, freezes a grant whose maker had seen `seen`.
    fn is_thawed(&self, subject: Author, past: Set, seen: Set) -> bool {
        self.equivocations(subject, past)
            .all(|both| both.is_within(seen))
    }

    /// The pairs of different ops in `past` that the author made with one number.
    pub(crate) fn equivocations(&self, author: Author, past: Set) -> impl Iterator<Item = Set> {
        let (ops, known) = (self.history.ops(), self.known.and(past));
        let own = move |op: &usize| ops[*op].author == author;
        known.iter().filter(own).flat_map(move |other| {
            let earlier = known.and(Set::below(other)).iter().filter(own);
            let twins = earlier.filter(move |one| self.number(*one) == self.number(other));
            twins.map(move |one| Set::EMPTY.with(one).with(other))
        })
    }

    /// The author's number of an op: the length of the longest chain of the author's ops in its past.
    fn number(&self, op: usize) -> usize {
        let ops = self.history.ops();
        let own = |it: &usize| ops[*it].author == ops[op].author;
        let chains = ops[op].past.iter().filter(own);
        chains.map(|it| self.number(it) + 1).max().unwrap_or(0)
    }

    /// Whether nobody who was revoked is obeyed in what the denier had not seen, and nobody who had seen their own
    /// equivocation, unless somebody had seen the denial, or both halves, and granted to them again.
    ///
    /// This is the promise in its plainest form: it follows from [`Promise::is_backed`], but it takes no chain.
    pub(crate) fn revocation_holds(&self, decisions: &Decisions) -> bool {
        let ops = self.history.ops();
        let granted_after = |op: usize, denial: Set| {
            ops[op].past.and(self.known).iter().any(|grant| {
                matches!(ops[grant].kind, Kind::Grant(named, _) if named == ops[op].author)
                    && denial.is_within(ops[grant].past)
            })
        };
        let holds = |op: usize| {
            let revocation_holds = self.known.iter().all(|denial| {
                ops[denial].kind != Kind::Revoke(ops[op].author)
                    || denial == op
                    || ops[denial].past.contains(op)
                    || granted_after(op, Set::EMPTY.with(denial))
            });
            let mut known_forks = self.equivocations(ops[op].author, ops[op].past);
            revocation_holds && known_forks.all(|both| granted_after(op, both))
        };
        let applied = |op: &usize| decisions[*op] == Decision::Applied;
        self.known.iter().filter(applied).all(holds)
    }
}
