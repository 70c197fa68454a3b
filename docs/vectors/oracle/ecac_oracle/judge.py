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
    "unknown_kind",
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
    "frozen",
)
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
ABSENT_MAX = 16
# The features that this program knows, with what each allows as parameters, and the kinds that need one.
FEATURES = {"schema": lambda parameters: parameters == b""}
FEATURE_OF_KIND = {"Schema": "schema"}
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
    },
    "issuer_admin": {"present", "trust"},
    "policy_admin": {"present", "grant user", "revoke user"},
    "key_admin": set(),
    "editor": {"edit"},
    "reader": set(),
}


@dataclass(frozen=True)
class Decision:
    """The verdict on an op: applied, denied, refused, pending or unsupported."""

    verdict: str
    reason: str | None = None
    witness: bytes | None = None
    # Of a pending op the absent ancestors with the least ids.
    missing: tuple[bytes, ...] | None = None


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
    """An admitted `Revoke` op: `reach` is the scope of a policy_admin's authority, None for root's."""

    at: int
    op: Op
    reach: frozenset[str] | None


@dataclass(frozen=True, eq=False)
class Grant:
    """What an admitted `Grant` op gives, or genesis to one of the roots that it names.

    The grant counts unless it has a fault; `keys` vouch for the credential, which is None where genesis is what
    vouches.
    """

    at: int
    op: Op
    subject: bytes
    fault: Fault | None = None
    credential: Credential | None = None
    keys: tuple[Key, ...] = ()

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
    unsupported: set[bytes] = field(default_factory=set)
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
    # All of them, and those that count.
    status_lists: dict[int, List] = field(default_factory=dict)
    lists: list[List] = field(default_factory=list)
    revocations: list[Revocation] = field(default_factory=list)
    credentials: dict[int, Credential | None] = field(default_factory=dict)
    # What genesis and `Upgrade` ops name, and the rules of genesis and of `Schema` ops.
    features: list[tuple[int, str, bytes]] = field(default_factory=list)
    rules: list[tuple[int, tuple]] = field(default_factory=list)
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
        for op, absent in absent_ancestors(waiting, judged).items():
            history.decisions[op] = Decision("pending", missing=tuple(sorted(absent)[:ABSENT_MAX]))
        history.decide()
        return history

    def judge(self, op, parents):
        """Refuses the op, admits it, or holds it as unsupported; its parents have been judged."""
        if any(parent.id in self.unsupported for parent in parents):
            return self.hold(op)
        refused = [parent for parent in parents if parent.id not in self.number]
        foreign = [parent for parent in refused if self.decisions[parent.id].reason == "foreign_project"]
        past = 0
        for parent in parents:
            if parent.id in self.number:
                past |= self.past[self.number[parent.id]] | 1 << self.number[parent.id]

        if op.id != self.project if op.kind == "Genesis" else len(foreign) == len(parents):
            return self.refuse(op, "foreign_project")
        if not refused and not self.is_kind_in_force(op, past):
            if op.kind == "Unassigned" and self.unknown_features(past):
                return self.hold(op)
            return self.refuse(op, "unknown_kind")
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
        kills = {grant: self.kill(grant, past, len(self.ops)) for grant in candidates if not grant.fault}
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
            ("frozen", lambda grant: not self.unseen_halves(grant, past)),
        ]
        for reason, passes in stages:
            left = [grant for grant in candidates if passes(grant)]
            if not left and reason == "revoked":
                return self.refuse(op, reason, min(kills[grant] for grant in candidates)[1])
            if not left and reason == "frozen":
                halves = [half for grant in candidates for half in self.unseen_halves(grant, past)]
                return self.refuse(op, reason, min((half.seq, half.id) for half in halves)[1])
            if not left:
                return self.refuse(op, reason, min((grant.op.id for grant in candidates), default=None))
            candidates = left
        return self.admit(op, past, candidates)

    def refuse(self, op, reason, witness=None):
        self.decisions[op.id] = Decision("refused", reason, witness)

    def hold(self, op):
        self.unsupported.add(op.id)
        self.decisions[op.id] = Decision("unsupported")

    def next_seq(self, op):
        """One more than the greatest sequence number of the author in the past."""
        return 1 + max((self.last_seq[self.number[parent]].get(op.author, -1) for parent in op.parents), default=-1)

    def unseen_halves(self, grant, past):
        """Of the equivocations of the grant's subject in the past, the ops that the grant had not seen."""
        unseen = []
        for equivocation in self.equivocations:
            forks = [at for at in equivocation.ops if equivocation.author == grant.subject and has(past, at)]
            if len(forks) > 1:
                unseen += [self.ops[at] for at in forks if not has(self.past[grant.at], at)]
        return unseen

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
                self.features += [(at, *feature) for feature in op.says.get("features", ())]
                self.rules += [(at, rule) for rule in op.says["schema"]]
            case "Upgrade":
                self.features.append((at, op.says["feature"], op.says["parameters"]))
            case "Schema":
                self.rules += [(at, rule) for rule in op.says["rules"]]
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
                list_ = self.status_list(at, op)
                self.status_lists[at] = list_
                if not list_.fault:
                    self.lists.append(list_)

    # -----------------------------------------------------------------------------------------------------------------
    # Features and tags
    # -----------------------------------------------------------------------------------------------------------------

    def is_in_force(self, feature, past):
        """Whether the past names a feature that this program knows, with parameters that the feature allows."""
        return any(
            name == feature and FEATURES[feature](parameters) and has(past, at)
            for at, name, parameters in self.features
        )

    def is_kind_in_force(self, op, past):
        if op.kind == "Unassigned":
            return False
        feature = FEATURE_OF_KIND.get(op.kind)
        return feature is None or self.is_in_force(feature, past)

    def unknown_features(self, ops):
        """The names of the features that these ops name and that this program does not know."""
        return {name for at, name, _ in self.features if name not in FEATURES and has(ops, at)}

    def rules_in(self, ops):
        return {rule for at, rule in self.rules if has(ops, at)}

    def tags(self, object_, field_, ops):
        """The tags that a field has in a set of ops."""
        tags = set()
        for object_pattern, field_pattern, rule_tags in self.rules_in(ops):
            if matches_pattern(object_pattern, object_) and matches_pattern(field_pattern, field_):
                tags |= rule_tags
        return frozenset(tags)

    # -----------------------------------------------------------------------------------------------------------------
    # Standing
    # -----------------------------------------------------------------------------------------------------------------

    def grant(self, at, op):
        """The grant of a `Grant` op, judged from the past of that op."""
        past, subject = self.past[at], op.says["subject"]

        def void(name, *on):
            return Grant(at, op, subject, Fault(name, on))

        if self.links[at] > DELEGATION_DEPTH_MAX:
            return void("too_deep")
        named = self.number.get(op.says["credential"])
        if named not in self.credentials or not has(past, named):
            return void("no_credential")
        credential = self.credentials[named]
        if credential is None:
            return void("unreadable", named)
        if not credential.signed.is_for(self.project):
            return void("other_project", named)
        if credential.subject != subject:
            return void("other_subject", named)
        keys, fault = self.vouching(credential, past, stamp_ns=op.hlc[0] * NS_PER_MS)
        if fault:
            return Grant(at, op, subject, fault)
        for status in credential.status:
            bits = [list_.list.bit(status.index) for list_ in self.versions(credential, status) if has(past, list_.at)]
            if all(bit is None for bit in bits):
                return void("status_unknown", named)
        grant = Grant(at, op, subject, None, credential, keys)
        return void("too_deep") if self.depth(grant) > DELEGATION_DEPTH_MAX else grant

    def granted(self, op, past):
        """The credential that a `Grant` op names, if it lies in the past and can be read."""
        at = self.number.get(op.says["credential"])
        return self.credentials.get(at) if at is not None and has(past, at) else None

    def status_list(self, at, op):
        """The list of a `StatusList` op, judged from the past of that op."""
        list_ = readable(read_status_list, op)
        if list_ is None:
            return List(at, op, None, Fault("unreadable"))
        if not list_.signed.is_for(self.project):
            return List(at, op, list_, Fault("other_project"))
        _, fault = self.vouching(list_, self.past[at], stamp_ns=None)
        return List(at, op, list_, fault)

    def depth(self, grant):
        """Links of delegation between genesis and the grant, by its own op and by the keys that vouch for it."""
        return max(self.links[handed.at] for handed in (grant, *grant.keys)) if grant.credential else 0

    def vouching(self, document, past, stamp_ns):
        """The issuer keys in the past that vouch for a document, and what is wrong where there are none.

        The window of a key has to hold the start of the document's validity and, of a credential, the stamp of the
        grant.
        """
        signed = document.signed
        instants = [document.from_ns] if stamp_ns is None else [document.from_ns, stamp_ns]

        def in_window(key):
            start, end = key.op.says["from"] * NS_PER_MS, key.op.says["until"] * NS_PER_MS
            return all(start <= instant < end for instant in instants)

        conditions = [
            ("unlisted_key", lambda key: has(past, key.at) and name_of_key(key.op) == (signed.issuer, signed.kid)),
            ("outside_window", in_window),
            ("dead_key", lambda key: self.death(key, past) is None),
            ("bad_signature", lambda key: signed.verifies_with(key.op.says["key"])),
        ]
        keys = self.keys
        for fault, holds in conditions:
            left = [key for key in keys if holds(key)]
            if not left:
                concerned = () if fault == "unlisted_key" else tuple(key.at for key in keys)
                return (), Fault(fault, concerned)
            keys = left
        return tuple(keys), None

    def versions(self, credential, status):
        """The versions that count of the list that a status names."""
        named = (credential.signed.issuer, status.list, status.purpose)
        return [list_ for list_ in self.lists if named == (list_.list.signed.issuer, list_.list.id, list_.list.purpose)]

    def need(self, op, past):
        """What the op needs of a grant of its author."""
        match op.kind:
            case "SetField" | "SetAdd" | "SetRemove":
                return Need("edit", meets=self.tags(op.says["object"], op.says["field"], past))
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
            case "Upgrade" | "Schema":
                return Need("extend")

    # -----------------------------------------------------------------------------------------------------------------
    # Denials
    #
    # `visible` are the ops that are known: the past of an op that is admitted, or finally everything. `judged` is the
    # op for which a grant is asked. A denial acts on it if it is visible and is not the op and has not seen the op.
    # Where no op is judged, whatever is visible acts: what is killed so serves no op that sees all of it.
    # -----------------------------------------------------------------------------------------------------------------

    def acts(self, denial, visible, judged):
        return has(visible, denial) and (judged is None or denial != judged and not has(self.past[denial], judged))

    def kill(self, grant, visible, judged=None):
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
                and names(revocation, grant)
                and matches(revocation, grant)
                and reaches(revocation, grant)
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

            granters = [self.kill(granter, visible, judged) for granter in self.warrants[grant.at]]
            if None not in granters:
                yield DENIALS.index("granter_denied"), min(granters)[1]

    def death(self, key, visible, judged=None):
        """What kills an issuer key: order of the reason and op id of the denial; or None.

        A revocation of its name that the key's op had not seen, or else whatever kills, for that op, every grant under
        which it was admitted.
        """
        revoked_by = [
            self.ops[denial].id
            for denial in self.key_revocations
            if name_of_key(self.ops[denial]) == name_of_key(key.op)
            and not has(self.past[key.at], denial)
            and self.acts(denial, visible, judged)
        ]
        if revoked_by:
            return DENIALS.index("issuer_key_revoked"), min(revoked_by)
        kills = [self.kill(grant, visible, key.at) for grant in self.warrants[key.at]]
        return None if None in kills else min(kills)


def has(ops, op):
    """Whether the set has the op."""
    return ops >> op & 1 == 1


def absent_ancestors(waiting, judged):
    """For each op that waits, the ids of the ancestors that are not here."""
    absent, left = {}, dict(waiting)
    while left:
        for op in list(left.values()):
            if not any(parent in left for parent in op.parents):
                own = (absent.get(parent, {parent}) for parent in op.parents if parent not in judged)
                absent[op.id] = set().union(*own)
                del left[op.id]
    return absent


def name_of_key(op):
    """Issuer and kid of an `IssuerKey` or `IssuerKeyRevoke` op."""
    return op.says["issuer"], op.says["kid"]


def readable(read, op):
    try:
        return read(op.says["jwt"])
    except Unreadable:
        return None


def names(revocation, grant):
    """Whether the grant counts and the `Revoke` is of its subject."""
    return grant.fault is None and revocation.op.says["subject"] == grant.subject


def matches(revocation, grant):
    """Whether the `Revoke` names role and scope of the grant, or none that differ."""
    says = revocation.op.says
    in_scope = "scope" not in says or grant.role == "root" or bool(says["scope"] & grant.scope)
    return says.get("role", grant.role) == grant.role and in_scope


def reaches(revocation, grant):
    """Whether the authority of the `Revoke` op's author reaches as far as the grant."""
    return revocation.reach is None or (grant.role in USERS and bool(revocation.reach & grant.scope))
