"""What is decided of each op: the definitions of causal deny-wins, as plainly as they can be computed.

Ops are numbered in the order in which they are admitted, and a set of them is an integer: bit n is op n. past(x), the
set of the strict ancestors of x, is such an integer. Nothing depends on the numbers; witnesses are chosen by op id.
"""

from dataclasses import dataclass, field

from .credential import Credential, StatusList, Unreadable, read_credential, read_status_list
from .wire import Op

NS_PER_MS = 10**6
DELEGATION_DEPTH_MAX = 64

REFUSALS = (
    "non_canonical",
    "bad_signature",
    "foreign_project",
    "bad_sequence",
    "hlc_not_monotonic",
    "refused_parent",
    "no_grant",
    "bad_credential",
    "untrusted_issuer",
    "status_unknown",
    "out_of_scope",
    "action_not_permitted",
    "not_yet_valid",
    "expired",
    "revoked",
)
DENIALS = ("revoked", "status_revoked", "issuer_key_revoked", "equivocation", "granter_denied")
USERS = ("editor", "reader")
ACTIONS = {
    "root": {"edit", "present", "grant user", "grant administrator", "revoke user", "revoke administrator", "trust"},
    "issuer_admin": {"present", "trust"},
    "policy_admin": {"present", "grant user", "revoke user"},
    "key_admin": set(),
    "editor": {"edit"},
    "reader": set(),
}


@dataclass(frozen=True)
class Decision:
    """The verdict on an op: applied, denied, refused or pending."""

    verdict: str
    reason: str | None = None
    witness: bytes | None = None


@dataclass(frozen=True, eq=False)
class Key:
    """An admitted `IssuerKey` op."""

    at: int
    op: Op


@dataclass(frozen=True, eq=False)
class List:
    """An admitted `StatusList` op that counts."""

    at: int
    op: Op
    list: StatusList


@dataclass(frozen=True, eq=False)
class Revocation:
    """An admitted `Revoke` op: `reach` is the scope of a policy_admin's authority, None for root's."""

    at: int
    op: Op
    reach: frozenset[str] | None


@dataclass(frozen=True, eq=False)
class Grant:
    """What an admitted `Grant` op gives, or genesis to one of the roots that it names.

    `flaw` is the refusal for which the grant does not count; `keys` vouch for the credential, which is None where
    genesis is what vouches.
    """

    at: int
    op: Op
    subject: bytes
    flaw: str | None = None
    credential: Credential | None = None
    keys: tuple[Key, ...] = ()

    @property
    def role(self):
        return self.credential.role if self.credential else "root"

    @property
    def scope(self):
        return self.credential.scope if self.credential else frozenset()


@dataclass(frozen=True)
class Need:
    """What an op needs of a grant: an action, and a scope that meets some tags and contains others."""

    action: str
    meets: frozenset[str] | None = None
    contains: frozenset[str] = frozenset()

    def in_scope(self, grant):
        """Root's authority has no bounds."""
        meets = self.meets is None or self.meets & grant.scope
        return grant.role == "root" or bool(meets and self.contains <= grant.scope)


@dataclass(frozen=True)
class Equivocation:
    """All admitted ops of an author with one sequence number, two at least."""

    author: bytes
    seq: int
    ops: list[int]


def matches_pattern(pattern, text):
    return text.startswith(pattern[:-1]) if pattern.endswith("*") else text == pattern


@dataclass
class History:
    """The ops of a file, judged for one project."""

    project: bytes
    decisions: dict[bytes, Decision] = field(default_factory=dict)
    # Admitted ops by number, with their pasts and the grants under which they were admitted.
    ops: list[Op] = field(default_factory=list)
    number: dict[bytes, int] = field(default_factory=dict)
    past: list[int] = field(default_factory=list)
    warrants: list[list[Grant]] = field(default_factory=list)
    # For each of them the greatest sequence number of each author in it and its past.
    last_seq: list[dict[bytes, int]] = field(default_factory=list)
    # For each of them the links of delegation between genesis and what it hands on.
    links: list[int] = field(default_factory=list)
    # What admitted ops say about authority.
    grants: list[Grant] = field(default_factory=list)
    keys: list[Key] = field(default_factory=list)
    key_revocations: list[int] = field(default_factory=list)
    lists: list[List] = field(default_factory=list)
    revocations: list[Revocation] = field(default_factory=list)
    credentials: dict[int, Credential | None] = field(default_factory=dict)
    chains: dict[bytes, dict[int, list[int]]] = field(default_factory=dict)
    # By author, then sequence number.
    equivocations: list[Equivocation] = field(default_factory=list)
    # Kills that have been worked out, so that a chain of delegation is not walked along each of its ways.
    memory: dict = field(default_factory=dict)

    # -----------------------------------------------------------------------------------------------------------------
    # From ops to decisions
    # -----------------------------------------------------------------------------------------------------------------

    @classmethod
    def of(cls, project, ops):
        """Judges ops that somebody signed, in any order; `ops` is by op id."""
        history = cls(project)
        judged: dict[bytes, Op] = {}
        waiting = dict(ops)
        progress = True
        while progress:
            progress = False
            for op in list(waiting.values()):
                if all(parent in judged for parent in op.parents):
                    history.judge(op, [judged[parent] for parent in op.parents])
                    judged[op.id] = waiting.pop(op.id)
                    progress = True
        for op in waiting:
            history.decisions[op] = Decision("pending")
        history.decide()
        return history

    def judge(self, op, parents):
        """Refuses the op, or admits it; its parents have been judged."""
        refused = [parent for parent in parents if parent.id not in self.number]
        foreign = [parent for parent in refused if self.decisions[parent.id].reason == "foreign_project"]
        past = 0
        for parent in parents:
            if parent.id in self.number:
                past |= self.past[self.number[parent.id]] | 1 << self.number[parent.id]

        if op.id != self.project if op.kind == "Genesis" else len(foreign) == len(parents):
            return self.refuse(op, "foreign_project")
        if not refused and op.seq != self.next_seq(op):
            return self.refuse(op, "bad_sequence")
        if any(op.hlc <= parent.hlc for parent in parents):
            return self.refuse(op, "hlc_not_monotonic")
        if refused:
            return self.refuse(op, "refused_parent", refused[0].id)
        if op.kind == "Genesis":
            return self.admit(op, past, [])

        candidates = [grant for grant in self.grants if grant.subject == op.author and has(past, grant.at)]
        needed = self.need(op, past)
        now_ns = op.hlc[0] * NS_PER_MS
        kills = {grant: self.kill(grant, past, len(self.ops)) for grant in candidates if not grant.flaw}
        stages = [
            ("no_grant", lambda grant: grant.flaw != "no_grant"),
            ("bad_credential", lambda grant: grant.flaw != "bad_credential"),
            ("untrusted_issuer", lambda grant: grant.flaw != "untrusted_issuer"),
            ("status_unknown", lambda grant: grant.flaw != "status_unknown"),
            ("out_of_scope", needed.in_scope),
            ("action_not_permitted", lambda grant: needed.action in ACTIONS[grant.role]),
            ("not_yet_valid", lambda grant: not grant.credential or grant.credential.from_ns <= now_ns),
            ("expired", lambda grant: not grant.credential or now_ns < grant.credential.until_ns),
            ("revoked", lambda grant: kills[grant] is None),
        ]
        for reason, passes in stages:
            left = [grant for grant in candidates if passes(grant)]
            if not left and reason == "revoked":
                return self.refuse(op, reason, min(kills[grant] for grant in candidates)[1])
            if not left:
                return self.refuse(op, reason, min((grant.op.id for grant in candidates), default=None))
            candidates = left
        return self.admit(op, past, candidates)

    def refuse(self, op, reason, witness=None):
        self.decisions[op.id] = Decision("refused", reason, witness)

    def next_seq(self, op):
        """One more than the greatest sequence number of the author in the past."""
        return 1 + max((self.last_seq[self.number[parent]].get(op.author, -1) for parent in op.parents), default=-1)

    def decide(self):
        """Decides the admitted ops, now that everything that others did is known."""
        everything = (1 << len(self.ops)) - 1
        for at, op in enumerate(self.ops):
            kills = {grant: self.kill(grant, everything, at) for grant in self.warrants[at]}
            live = [grant.op.id for grant, kill in kills.items() if kill is None]
            if live or op.kind == "Genesis":
                self.decisions[op.id] = Decision("applied", None, min(live, default=op.id))
            else:
                reason, denial = min(kills.values())
                self.decisions[op.id] = Decision("denied", DENIALS[reason], denial)
            self.memory.clear()

    # -----------------------------------------------------------------------------------------------------------------
    # What admitted ops say
    # -----------------------------------------------------------------------------------------------------------------

    def admit(self, op, past, warrants):
        at = len(self.ops)
        self.memory.clear()
        self.ops.append(op)
        self.number[op.id] = at
        self.past.append(past)
        self.warrants.append(warrants)
        self.last_seq.append({})
        for parent in op.parents:
            for author, seq in self.last_seq[self.number[parent]].items():
                self.last_seq[at][author] = max(seq, self.last_seq[at].get(author, 0))
        self.last_seq[at][op.author] = op.seq
        self.links.append(1 + max((self.depth(grant) for grant in warrants), default=0))
        twins = self.chains.setdefault(op.author, {}).setdefault(op.seq, [])
        twins.append(at)
        if len(twins) == 2:
            self.equivocations.append(Equivocation(op.author, op.seq, twins))
            self.equivocations.sort(key=lambda equivocation: (equivocation.author, equivocation.seq))
        match op.kind:
            case "Genesis":
                self.grants += [Grant(at, op, root) for root in sorted(op.says["roots"])]
            case "Credential":
                self.credentials[at] = readable(read_credential, op)
            case "Grant":
                self.grants.append(self.grant(at, op))
            case "IssuerKey":
                self.keys.append(Key(at, op))
            case "IssuerKeyRevoke":
                self.key_revocations.append(at)
            case "Revoke":
                scopes = [grant.scope for grant in warrants]
                root = any(grant.role == "root" for grant in warrants)
                self.revocations.append(Revocation(at, op, None if root else frozenset().union(*scopes)))
            case "StatusList":
                list_ = readable(read_status_list, op)
                if list_ and self.vouching(list_, past):
                    self.lists.append(List(at, op, list_))

    def grant(self, at, op):
        """The grant of a `Grant` op, judged from the past of that op."""
        past, subject = self.past[at], op.says["subject"]
        if self.links[at] > DELEGATION_DEPTH_MAX:
            return Grant(at, op, subject, flaw="no_grant")
        credential = self.granted(op, past)
        if credential is None or credential.subject != subject:
            return Grant(at, op, subject, flaw="bad_credential")
        keys = tuple(self.vouching(credential, past))
        if not keys:
            return Grant(at, op, subject, flaw="untrusted_issuer")
        for status in credential.status:
            bits = [list_.list.bit(status.index) for list_ in self.versions(credential, status) if has(past, list_.at)]
            if all(bit is None for bit in bits):
                return Grant(at, op, subject, flaw="status_unknown")
        grant = Grant(at, op, subject, None, credential, keys)
        return Grant(at, op, subject, flaw="no_grant") if self.depth(grant) > DELEGATION_DEPTH_MAX else grant

    def granted(self, op, past):
        """The credential that a `Grant` op names, if it lies in the past and can be read."""
        at = self.number.get(op.says["credential"])
        return self.credentials.get(at) if at is not None and has(past, at) else None

    def depth(self, grant):
        """Links of delegation between genesis and the grant, by its own op and by the keys that vouch for it."""
        return max(self.links[handed.at] for handed in (grant, *grant.keys)) if grant.credential else 0

    def vouching(self, document, past):
        """The issuer keys in the past whose window covers the document, that are alive there, and that verify."""
        signed = document.signed
        return [
            key
            for key in self.keys
            if has(past, key.at)
            and (key.op.says["issuer"], key.op.says["kid"]) == (signed.issuer, signed.kid)
            and key.op.says["from"] * NS_PER_MS <= document.from_ns < key.op.says["until"] * NS_PER_MS
            and self.death(key, past) is None
            and signed.verifies_with(key.op.says["key"])
        ]

    def versions(self, credential, status):
        """The versions that count of the list that a status names."""
        named = (credential.signed.issuer, status.list, status.purpose)
        return [list_ for list_ in self.lists if named == (list_.list.signed.issuer, list_.list.id, list_.list.purpose)]

    def need(self, op, past):
        """What the op needs of a grant of its author."""
        match op.kind:
            case "SetField" | "SetAdd" | "SetRemove":
                genesis = self.ops[self.number[self.project]]
                tags = frozenset().union(
                    *(
                        tags
                        for object_pattern, field_pattern, tags in genesis.says["schema"]
                        if matches_pattern(object_pattern, op.says["object"])
                        and matches_pattern(field_pattern, op.says["field"])
                    )
                )
                return Need("edit", meets=tags)
            case "Credential":
                return Need("present")
            case "Grant":
                credential = self.granted(op, past)
                if credential is None:
                    return Need("grant user")
                if credential.role not in USERS:
                    return Need("grant administrator")
                return Need("grant user", contains=credential.scope)
            case "Revoke":
                administrator = op.says.get("role", "reader") not in USERS
                action = "revoke administrator" if administrator else "revoke user"
                return Need(action, meets=op.says.get("scope"))
            case "IssuerKey" | "IssuerKeyRevoke" | "StatusList":
                return Need("trust")

    # -----------------------------------------------------------------------------------------------------------------
    # Denials
    #
    # `visible` are the ops that are known: the past of an op that is admitted, or finally everything. `judged` is the
    # op for which a grant is asked. A denial acts on it if it is visible and is not the op and has not seen the op.
    # -----------------------------------------------------------------------------------------------------------------

    def acts(self, denial, visible, judged):
        return has(visible, denial) and denial != judged and not has(self.past[denial], judged)

    def kill(self, grant, visible, judged):
        """What kills the grant for the op: order of the reason and op id of the denial, the least of them; or None."""
        question = (grant, visible, judged)
        if question not in self.memory:
            self.memory[question] = min(self.kills(grant, visible, judged), default=None)
        return self.memory[question]

    def kills(self, grant, visible, judged):
        granted_past = self.past[grant.at]
        for revocation in self.revocations:
            if (
                self.acts(revocation.at, visible, judged)
                and not has(granted_past, revocation.at)
                and matches(revocation, grant)
            ):
                yield DENIALS.index("revoked"), revocation.op.id

        if grant.credential:
            for status in grant.credential.status:
                for list_ in self.versions(grant.credential, status):
                    if self.acts(list_.at, visible, judged) and list_.list.bit(status.index):
                        yield DENIALS.index("status_revoked"), list_.op.id

            deaths = [self.death(key, visible, judged) for key in grant.keys]
            if None not in deaths:
                yield DENIALS.index("issuer_key_revoked"), min(denial for _, denial in deaths)

        equivocation = next(self.equivocations_that_kill(grant, visible, judged), None)
        if equivocation:
            members = [at for at in equivocation.ops if has(visible, at) and at != judged]
            yield DENIALS.index("equivocation"), min(self.ops[at].id for at in members)

        if grant.credential:
            granters = [self.kill(granter, visible, judged) for granter in self.warrants[grant.at]]
            if None not in granters:
                yield DENIALS.index("granter_denied"), min(granters)[1]

    def death(self, key, visible, judged=None):
        """What kills an issuer key: order of the reason and op id of the denial; or None.

        A revocation of its name that the key's op had not seen, or else whatever kills, for that op, every grant under
        which it was admitted. Without a judged op every visible revocation acts.
        """
        name = (key.op.says["issuer"], key.op.says["kid"])
        revoked_by = [
            self.ops[denial].id
            for denial in self.key_revocations
            if (self.ops[denial].says["issuer"], self.ops[denial].says["kid"]) == name
            and not has(self.past[key.at], denial)
            and (has(visible, denial) if judged is None else self.acts(denial, visible, judged))
        ]
        if revoked_by:
            return DENIALS.index("issuer_key_revoked"), min(revoked_by)
        kills = [self.kill(grant, visible, key.at) for grant in self.warrants[key.at]]
        return None if None in kills else min(kills)

    def equivocations_that_kill(self, grant, visible, judged):
        """Those of the grant's subject that the grant had not seen whole and of which not every op had seen the op."""
        for equivocation in self.equivocations:
            if equivocation.author != grant.subject:
                continue
            forks = [at for at in equivocation.ops if has(visible, at)]
            if (
                len(forks) > 1
                and not all(has(self.past[grant.at], at) for at in forks)
                and not all(has(self.past[at], judged) for at in forks)
            ):
                yield equivocation


def has(ops, op):
    """Whether the set has the op."""
    return ops >> op & 1 == 1


def readable(read, op):
    try:
        return read(op.says["jwt"])
    except Unreadable:
        return None


def matches(revocation, grant):
    """Whether the `Revoke` names the grant, and its author's authority reaches that far."""
    says = revocation.op.says
    reached = revocation.reach is None or (grant.role in USERS and bool(revocation.reach & grant.scope))
    return (
        says["subject"] == grant.subject
        and grant.flaw is None
        and reached
        and says.get("role", grant.role) == grant.role
        and ("scope" not in says or grant.role == "root" or bool(says["scope"] & grant.scope))
    )
