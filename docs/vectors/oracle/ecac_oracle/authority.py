"""What admitted ops say about authority: grants, links and the titles that they make, keys, lists, denials.

Ops are numbered in the order in which they are admitted, and a set of them is an integer: bit n is op n.
"""

from dataclasses import dataclass

from .credential import Credential, StatusList
from .wire import Op

# The reasons of denial, in their order.
DENIALS = ("revoked", "status_revoked", "issuer_key_revoked", "granter_denied")
# The refusals of what rests on a grant that does not count, by what is wrong with the grant.
FLAWS = {
    "no_credential": "bad_credential",
    "unreadable": "bad_credential",
    "other_project": "bad_credential",
    "other_subject": "bad_credential",
    "unlisted_key": "untrusted_issuer",
    "outside_window": "untrusted_issuer",
    "dead_key": "untrusted_issuer",
    "bad_signature": "untrusted_issuer",
    "status_unknown": "status_unknown",
    "too_deep": "no_grant",
}
USERS = ("editor", "reader")
ACTIONS = {
    "root": {
        "edit",
        "present",
        "grant user",
        "grant administrator",
        "revoke user",
        "revoke administrator",
        "trust",
        "extend",
        "link",
        "read",
        "manage keys",
    },
    "issuer_admin": {"present", "trust"},
    "policy_admin": {"present", "grant user", "revoke user", "link"},
    "key_admin": {"read", "manage keys"},
    "editor": {"edit", "read", "manage keys"},
    "reader": {"read"},
}
DATA_KINDS = ("SetField", "SetAdd", "SetRemove", "SetFieldSealed", "SetAddSealed")
DENIAL_KINDS = ("Revoke", "IssuerKeyRevoke", "StatusList", "DeviceRevoke")


def has(ops, op):
    """Whether the set has the op."""
    return ops >> op & 1 == 1


def least(kills):
    """The first of the kills by the order of reasons, then by op id; None where there is none."""
    return min((kill for kill in kills if kill is not None), default=None)


@dataclass(frozen=True)
class Fault:
    """Why an op of trust counts for nothing, by the name of its effect, and the numbers of the ops concerned."""

    name: str
    on: tuple[int, ...] = ()


@dataclass(frozen=True, eq=False)
class Key:
    """An admitted `IssuerKey` op."""

    at: int
    op: Op


@dataclass(frozen=True, eq=False)
class List:
    """An admitted `StatusList` op; it counts unless it has a fault."""

    at: int
    op: Op
    list: StatusList | None
    fault: Fault | None = None


@dataclass(frozen=True, eq=False)
class Revocation:
    """An admitted `Revoke` or `DeviceRevoke` op: `reach` is the scope of its author's authority, None for root's."""

    at: int
    op: Op
    reach: frozenset[str] | None


@dataclass(frozen=True, eq=False)
class Grant:
    """What an admitted `Grant` op gives, or genesis to one of the roots that it names.

    The grant counts unless it has a fault; `keys` vouch for the credential, which is None where genesis is what
    vouches. `is_root` is what the op says, whether or not the grant counts.
    """

    at: int
    op: Op
    subject: bytes
    fault: Fault | None = None
    credential: Credential | None = None
    keys: tuple[Key, ...] = ()
    is_root: bool = False

    @property
    def flaw(self):
        """The refusal of what rests on this grant alone."""
        return self.fault and FLAWS[self.fault.name]

    @property
    def role(self):
        return self.credential.role if self.credential else "root"

    @property
    def scope(self):
        return self.credential.scope if self.credential else frozenset()


@dataclass(frozen=True, eq=False)
class Link:
    """An admitted `Device` op, which links a key to a person; it is void if it has a fault."""

    at: int
    op: Op
    fault: Fault | None = None

    @property
    def person(self):
        return self.op.says["person"]

    @property
    def key(self):
        return self.op.says["device"]


@dataclass(frozen=True)
class Title:
    """What authorises an op: a grant to its author, or one to the person whose device the author is by the link."""

    grant: Grant
    link: Link | None = None


@dataclass(frozen=True)
class Need:
    """What an op needs of a title of its author.

    An action, and a scope that meets each of some sets of tags and contains others. What concerns a person is permitted
    to that person, too.
    """

    action: str
    meets: tuple[frozenset[str], ...] = ()
    contains: frozenset[str] = frozenset()
    person: bytes | None = None

    def in_scope(self, grant):
        """Root's authority has no bounds."""
        return grant.role == "root" or (all(tags & grant.scope for tags in self.meets) and self.contains <= grant.scope)

    def permitted_by(self, grant):
        return self.action in ACTIONS[grant.role] or self.person == grant.subject


@dataclass(frozen=True)
class Equivocation:
    """All admitted ops of an author with one sequence number, two at least."""

    author: bytes
    seq: int
    ops: list[int]


def name_of_key(op):
    """Issuer and kid of an `IssuerKey` or `IssuerKeyRevoke` op."""
    return op.says["issuer"], op.says["kid"]


def names(revocation, grant):
    """Whether the grant counts and the `Revoke` is of its subject."""
    return grant.fault is None and revocation.op.says["subject"] == grant.subject


def matches(revocation, grant):
    """Whether the `Revoke` names role and scope of the grant, or none that differ."""
    says = revocation.op.says
    in_scope = "scope" not in says or grant.role == "root" or bool(says["scope"] & grant.scope)
    return says.get("role", grant.role) == grant.role and in_scope


def reaches(revocation, grant):
    """Whether the authority of the op's author reaches as far as the grant."""
    return revocation.reach is None or (grant.role in USERS and bool(revocation.reach & grant.scope))


def could_grant(title, grant):
    """Whether whoever has the title could have made the grant, which counts."""
    by = title.grant
    return by.role == "root" or (by.role == "policy_admin" and grant.role in USERS and grant.scope <= by.scope)
