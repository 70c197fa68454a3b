//! Who there is, what they sign, and sets of that, partly ordered by happens-before.

use std::fmt;
use std::ops::{BitAnd, BitAndAssign, BitOr, BitOrAssign, Not};

/// The most ops that a history can hold; genesis and the set-up, which are in everybody's past, are not counted.
pub(crate) const OPS_MAX: usize = 7;

/// A key that signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Author {
    /// An honest root.
    Ann,
    /// An honest root.
    Ben,
    /// A root whose key is stolen.
    Cat,
    /// A policy administrator whose key is stolen.
    Petra,
    /// An honest editor, by the key that grants name.
    Alice,
    /// A device of Alice.
    Laptop,
    /// A device of Alice that is stolen.
    Phone,
}

impl Author {
    pub(crate) const ALL: [Self; 7] = [
        Self::Ann,
        Self::Ben,
        Self::Cat,
        Self::Petra,
        Self::Alice,
        Self::Laptop,
        Self::Phone,
    ];
    pub(crate) const ROOTS: [Self; 3] = [Self::Ann, Self::Ben, Self::Cat];

    /// Whom grants name.
    pub(crate) const fn person(self) -> Self {
        match self {
            Self::Ann | Self::Ben | Self::Cat | Self::Petra | Self::Alice => self,
            Self::Laptop | Self::Phone => Self::Alice,
        }
    }

    pub(crate) const fn is_root(self) -> bool {
        matches!(self, Self::Ann | Self::Ben | Self::Cat)
    }

    pub(crate) const fn is_thief(self) -> bool {
        matches!(self, Self::Cat | Self::Petra | Self::Phone)
    }

    /// Who plays the part if Ann and Ben change theirs.
    pub(crate) const fn recast(self) -> Self {
        match self {
            Self::Ann => Self::Ben,
            Self::Ben => Self::Ann,
            Self::Cat | Self::Petra | Self::Alice | Self::Laptop | Self::Phone => self,
        }
    }
}

/// What an op does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Kind {
    Edit,
    /// Grants the role of editor to Alice.
    Grant,
    Revoke(Author),
    /// Ends the link of a device.
    DeviceRevoke(Author),
    Seal,
    /// Signs the op at that place.
    Cosign(u8),
}

impl Kind {
    pub(crate) const fn is_denial(self) -> bool {
        matches!(self, Self::Revoke(_) | Self::DeviceRevoke(_))
    }
}

/// A signed op. Its past is closed: it holds the past of each member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Op {
    pub(crate) author: Author,
    pub(crate) kind: Kind,
    pub(crate) past: Set,
}

/// A set of places in a history.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(crate) struct Set(u8);

impl Set {
    pub(crate) const EMPTY: Self = Self(0);

    /// The places below `count`.
    pub(crate) const fn below(count: usize) -> Self {
        Self(((1_u16 << count) - 1) as u8)
    }

    pub(crate) const fn contains(self, member: usize) -> bool {
        self.0 & (1 << member) != 0
    }

    pub(crate) const fn with(self, member: usize) -> Self {
        Self(self.0 | 1 << member)
    }

    pub(crate) const fn is_within(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }

    pub(crate) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(crate) const fn len(self) -> u32 {
        self.0.count_ones()
    }

    /// The place alone.
    pub(crate) const fn of(member: usize) -> Self {
        Self(1 << member)
    }

    /// The members, in ascending order.
    pub(crate) fn iter(self) -> impl Iterator<Item = usize> {
        let mut left = self.0;
        std::iter::from_fn(move || {
            (left != 0).then(|| {
                let next = left.trailing_zeros() as usize;
                left &= left - 1;
                next
            })
        })
    }

    /// The members that are to be kept.
    pub(crate) fn filter(self, keeps: impl Fn(usize) -> bool) -> Self {
        let kept = self.iter().filter(|it| keeps(*it));
        kept.fold(Self::EMPTY, Self::with)
    }

    fn map(self, image: &[usize; OPS_MAX]) -> Self {
        self.iter()
            .fold(Self::EMPTY, |mapped, it| mapped.with(image[it]))
    }

    /// Every set of places below `count`.
    pub(crate) fn all_below(count: usize) -> impl Iterator<Item = Self> {
        (0..=Self::below(count).0).map(Self)
    }
}

impl BitAnd for Set {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl BitAndAssign for Set {
    fn bitand_assign(&mut self, other: Self) {
        *self = *self & other;
    }
}

impl BitOr for Set {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOrAssign for Set {
    fn bitor_assign(&mut self, other: Self) {
        *self = *self | other;
    }
}

/// Every place that is not in the set, those that a history does not have yet included.
impl Not for Set {
    type Output = Self;

    fn not(self) -> Self {
        Self(!self.0)
    }
}

impl fmt::Debug for Set {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

/// A finite set of ops, listed so that nothing comes before what is in its past.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct History {
    len: usize,
    ops: [Op; OPS_MAX],
}

impl History {
    pub(crate) const EMPTY: Self = Self {
        len: 0,
        ops: [Op {
            author: Author::Ann,
            kind: Kind::Edit,
            past: Set::EMPTY,
        }; OPS_MAX],
    };

    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn ops(&self) -> &[Op] {
        &self.ops[..self.len]
    }

    pub(crate) const fn all(&self) -> Set {
        Set::below(self.len)
    }

    /// The history with one more op at its end.
    pub(crate) fn with(&self, op: Op) -> Self {
        let mut longer = *self;
        longer.push(op);
        longer
    }

    pub(crate) const fn push(&mut self, op: Op) {
        self.ops[self.len] = op;
        self.len += 1;
    }

    pub(crate) fn is_closed(&self, set: Set) -> bool {
        set.iter().all(|it| self.ops[it].past.is_within(set))
    }

    /// The set in a listing that depends on the set alone: of all ops whose past is listed, the least comes next. No
    /// two are equal, since nobody leaves out of an op's past what they signed before.
    pub(crate) fn canonical(&self) -> Self {
        self.listed(|one, other| one < other).0
    }

    /// The same set, the greatest first, with the place there of each op.
    pub(crate) fn backwards(&self) -> (Self, [usize; OPS_MAX]) {
        self.listed(|one, other| one > other)
    }

    fn listed(&self, precedes: impl Fn(&Op, &Op) -> bool) -> (Self, [usize; OPS_MAX]) {
        let (mut listing, mut places) = (Self::EMPTY, [0; OPS_MAX]);
        let mut listed = Set::EMPTY;
        while listing.len < self.len {
            let mut next: Option<(usize, Op)> = None;
            for (at, op) in self.ops().iter().enumerate() {
                if listed.contains(at) || !op.past.is_within(listed) {
                    continue;
                }
                let moved = op.moved(&places);
                if next.is_none_or(|(_, known)| precedes(&moved, &known)) {
                    next = Some((at, moved));
                }
            }
            let (at, op) = next.expect("the past of some op that is left is listed");
            places[at] = listing.len;
            listed = listed.with(at);
            listing = listing.with(op);
        }
        (listing, places)
    }

    /// The ops of a closed set alone, with the place there of each.
    pub(crate) fn part(&self, set: Set) -> (Self, [usize; OPS_MAX]) {
        let (mut part, mut places) = (Self::EMPTY, [0; OPS_MAX]);
        for at in set.iter() {
            places[at] = part.len;
            part = part.with(self.ops[at].moved(&places));
        }
        (part, places)
    }

    /// The history in which Ann and Ben have changed parts.
    pub(crate) fn recast(&self) -> Self {
        let mut recast = *self;
        for op in &mut recast.ops[..self.len] {
            *op = op.recast();
        }
        recast
    }
}

impl fmt::Debug for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.ops()).finish()
    }
}

impl Op {
    /// Whether it stays what it is if Ann and Ben change parts.
    pub(crate) fn is_fixed(self) -> bool {
        self.recast() == self
    }

    fn recast(self) -> Self {
        let kind = match self.kind {
            Kind::Revoke(subject) => Kind::Revoke(subject.recast()),
            Kind::Edit | Kind::Grant | Kind::DeviceRevoke(_) | Kind::Seal | Kind::Cosign(_) => {
                self.kind
            }
        };
        Self {
            author: self.author.recast(),
            kind,
            ..self
        }
    }

    /// The op, if what is in its past has those places.
    pub(crate) fn moved(self, places: &[usize; OPS_MAX]) -> Self {
        let kind = match self.kind {
            Kind::Cosign(target) => Kind::Cosign(places[usize::from(target)] as u8),
            Kind::Edit | Kind::Grant | Kind::Revoke(_) | Kind::DeviceRevoke(_) | Kind::Seal => {
                self.kind
            }
        };
        Self {
            kind,
            past: self.past.map(places),
            ..self
        }
    }
}
