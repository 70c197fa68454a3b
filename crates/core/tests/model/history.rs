//! Histories: finite sets of abstract ops, partly ordered by happens-before.

use std::fmt;

/// How many authors there are.
pub(crate) const AUTHORS: usize = 3;
/// The most ops that a history can hold; genesis, which is in everybody's past, is not counted.
pub(crate) const OPS_MAX: usize = 6;

/// An author.
pub(crate) type Author = u8;

/// A set of numbers below eight: of ops, or of authors.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(crate) struct Set(pub(crate) u8);

impl Set {
    pub(crate) const EMPTY: Self = Self(0);

    /// The numbers below `count`.
    pub(crate) const fn below(count: usize) -> Self {
        Self(((1_u16 << count) - 1) as u8)
    }

    pub(crate) const fn contains(self, member: usize) -> bool {
        self.0 & (1 << member) != 0
    }

    pub(crate) const fn with(self, member: usize) -> Self {
        Self(self.0 | 1 << member)
    }

    pub(crate) const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub(crate) const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(crate) const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    pub(crate) const fn is_within(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }

    pub(crate) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The members, in ascending order.
    pub(crate) fn iter(self) -> impl Iterator<Item = usize> {
        let mut left = self.0;
        std::iter::from_fn(move || {
            let member = left.trailing_zeros() as usize;
            left &= left.wrapping_sub(1);
            (member < 8).then_some(member)
        })
    }

    /// The members that are to be kept.
    pub(crate) fn filter(self, keeps: impl Fn(usize) -> bool) -> Self {
        let kept = self.iter().filter(|it| keeps(*it));
        kept.fold(Self::EMPTY, Self::with)
    }

    /// The set of what the members become.
    pub(crate) fn map(self, image: impl Fn(usize) -> usize) -> Self {
        self.iter()
            .fold(Self::EMPTY, |mapped, it| mapped.with(image(it)))
    }
}

impl fmt::Debug for Set {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

/// What a grant gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Role {
    /// May edit.
    Editor,
    /// May do everything, handing on any role included.
    Root,
}

/// What an op does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(crate) enum Kind {
    #[default]
    Edit,
    Grant(Author, Role),
    Revoke(Author),
}

/// An op. Its past is closed: with an op it holds that op's past.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(crate) struct Op {
    pub(crate) author: Author,
    pub(crate) kind: Kind,
    pub(crate) past: Set,
}

/// A set of ops, listed so that an op stands behind its past; which of the listings is of no meaning.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(crate) struct History {
    count: u8,
    ops: [Op; OPS_MAX],
}

impl History {
    /// Genesis alone.
    pub(crate) const EMPTY: Self = Self {
        count: 0,
        ops: [Op {
            author: 0,
            kind: Kind::Edit,
            past: Set::EMPTY,
        }; OPS_MAX],
    };

    pub(crate) const fn len(&self) -> usize {
        self.count as usize
    }

    pub(crate) fn ops(&self) -> &[Op] {
        &self.ops[..self.len()]
    }

    /// The numbers of all ops.
    pub(crate) const fn all(&self) -> Set {
        Set::below(self.len())
    }

    /// The history with one more op, which is nobody's past.
    pub(crate) fn with(&self, op: Op) -> Self {
        let mut longer = *self;
        longer.ops[self.len()] = op;
        longer.count += 1;
        longer
    }

    /// The history of the first ops of the listing.
    pub(crate) fn first(&self, count: usize) -> Self {
        let first = self.ops().iter().take(count);
        first.fold(Self::default(), |history, op| history.with(*op))
    }

    /// Whether with every op its past is in the set.
    pub(crate) fn is_closed(&self, set: Set) -> bool {
        set.iter().all(|op| self.ops[op].past.is_within(set))
    }

    /// Every closed set of ops: what somebody can know.
    pub(crate) fn closed_sets(&self) -> impl Iterator<Item = Set> {
        let sets = 0..1_u8 << self.len();
        sets.map(Set).filter(|set| self.is_closed(*set))
    }

    /// The ops of the set that no other of them has in its past.
    pub(crate) fn heads(&self, set: Set) -> Set {
        let seen = set
            .iter()
            .fold(Set::EMPTY, |seen, op| seen.or(self.ops[op].past));
        set.without(seen)
    }

    /// The ops in the listing that `order` gives, each number of which stands behind those of its past;
    /// what is not in the order is left out, and must be in nobody's past.
    pub(crate) fn listed(&self, order: &[usize]) -> Self {
        let mut place = [0; OPS_MAX];
        let mut listed = Self::default();
        for (at, &op) in order.iter().enumerate() {
            place[op] = at;
            let past = self.ops[op].past.map(|it| place[it]);
            listed = listed.with(Op {
                past,
                ..self.ops[op]
            });
        }
        listed
    }

    /// The history in which the authors have changed their parts: `part[a]` does what `a` did.
    pub(crate) fn recast(&self, part: &[Author; AUTHORS]) -> Self {
        let mut recast = *self;
        for op in &mut recast.ops[..self.count as usize] {
            op.author = part[usize::from(op.author)];
            op.kind = match op.kind {
                Kind::Edit => Kind::Edit,
                Kind::Grant(subject, role) => Kind::Grant(part[usize::from(subject)], role),
                Kind::Revoke(subject) => Kind::Revoke(part[usize::from(subject)]),
            };
        }
        recast
    }

    /// Every order in which the ops can be listed.
    pub(crate) fn orders(&self) -> Vec<Vec<usize>> {
        let mut done = Vec::new();
        let mut begun = vec![Vec::new()];
        while let Some(order) = begun.pop() {
            if order.len() == self.len() {
                done.push(order);
                continue;
            }
            let listed = order.iter().fold(Set::EMPTY, |set, &op| set.with(op));
            for op in self.all().without(listed).iter() {
                if self.ops[op].past.is_within(listed) {
                    begun.push([&order[..], &[op]].concat());
                }
            }
        }
        done
    }

    /// A listing order that is the same for almost every listing of the same set.
    ///
    /// Ops are told apart by what they are, by what surrounds them in the order of happens-before, and by
    /// `tint`; ops that are alike in all that stay as they were listed. Where that misses that two listings are
    /// of one set, the checker does some work twice, which is sound.
    pub(crate) fn usual_order(&self, tint: impl Fn(usize) -> u64) -> Vec<usize> {
        let count = self.len();
        let mut colour = [0_u64; OPS_MAX];
        for (at, op) in self.ops().iter().enumerate() {
            let kind = match op.kind {
                Kind::Edit => 0,
                Kind::Grant(subject, role) => 1 + u64::from(subject) + ((role as u64) << 4),
                Kind::Revoke(subject) => 8 + u64::from(subject),
            };
            colour[at] = mix(tint(at) << 16 | u64::from(op.author) << 8 | kind);
        }
        for _ in 0..2 {
            let mut next = colour.map(mix);
            for (at, op) in self.ops().iter().enumerate() {
                for before in op.past.iter() {
                    next[at] = next[at].wrapping_add(mix(colour[before] ^ 1));
                    next[before] = next[before].wrapping_add(mix(colour[at] ^ 2));
                }
            }
            colour = next;
        }
        let mut order = Vec::with_capacity(count);
        let mut place = [0; OPS_MAX];
        let mut listed = Set::EMPTY;
        while order.len() < count {
            let ready = |op: &usize| self.ops[*op].past.is_within(listed);
            let rank = |op: &usize| (colour[*op], self.ops[*op].past.map(|it| place[it]));
            let next = self
                .all()
                .without(listed)
                .iter()
                .filter(ready)
                .min_by_key(rank)
                .expect("happens-before has no cycle");
            place[next] = order.len();
            order.push(next);
            listed = listed.with(next);
        }
        order
    }
}

/// A number that shares nothing visible with the number given.
const fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl fmt::Debug for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |author: Author| char::from(b'A' + author);
        for (at, op) in self.ops().iter().enumerate() {
            let author = name(op.author);
            match op.kind {
                Kind::Edit => write!(f, "\n  {at}: {author} edits")?,
                Kind::Grant(subject, role) => {
                    write!(f, "\n  {at}: {author} grants {role:?} to {}", name(subject))?;
                }
                Kind::Revoke(subject) => write!(f, "\n  {at}: {author} revokes {}", name(subject))?,
            }
            write!(f, " after {:?}", op.past)?;
        }
        Ok(())
    }
}
