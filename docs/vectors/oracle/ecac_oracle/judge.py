"""What is decided of each op: the definitions of causal deny-wins, as plainly as they can be computed.

past(x), the set of the strict ancestors of x, is a set of op numbers. Nothing depends on the numbers; witnesses are
chosen by op id.
"""

import sys
from dataclasses import dataclass, field

from .authority import (
    DATA_KINDS,
    DENIALS,
    USERS,
    Equivocation,
    Fault,
    Grant,
    Key,
    Link,
    List,
    Need,
    Revocation,
    Title,
    has,
    name_of_key,
)
from .credential import Credential, Unreadable, read_credential, read_status_list
from .devices import Devices
from .kills import Kills
from .memory import remembered
from .quorum import Quorum
from .reading import Reading
from .seals import Seals
from .wire import Op, marks

NS_PER_MS = 10**6
DELEGATION_DEPTH_MAX = 64
# Kills ask for granters and seals for what is decided in their past: more levels than Python allows by itself.
sys.setrecursionlimit(20_000)

REFUSALS = (
    "non_canonical",
    "bad_signature",
    "foreign_project",
    "unknown_kind",
    "bad_sequence",
    "hlc_not_monotonic",
    "refused_parent",
    "bad_target",
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
    "stale_key",
    "not_sealed",
)
ABSENT_MAX = 16
# The features that this program knows, and the kinds that need one.
FEATURES = ("schema", "quorum", "seal", "endorse", "device", "confidential", "carry")
FEATURE_OF_KIND = {
    "Schema": "schema",
    "Cosign": "quorum",
    "Seal": "seal",
    "Endorse": "endorse",
    "Device": "device",
    "DeviceRevoke": "device",
    "ReaderKey": "confidential",
    "KeyRotate": "confidential",
    "KeyGrant": "confidential",
    "SetFieldSealed": "confidential",
    "SetAddSealed": "confidential",
}


@dataclass(frozen=True)
class Decision:
    """The verdict on an op: applied, denied, refused, pending or unsupported."""

    verdict: str
    reason: str | None = None
    witness: bytes | None = None
    # Of a pending op the absent ancestors with the least ids.
    missing: tuple[bytes, ...] | None = None


def matches_pattern(pattern, text):
    return text.startswith(pattern[:-1]) if pattern.endswith("*") else text == pattern


@dataclass
class History(Kills, Quorum, Seals, Devices, Reading):
    """The ops of a file, judged for one project."""

    project: bytes
    decisions: dict[bytes, Decision] = field(default_factory=dict)
    unsupported: set[bytes] = field(default_factory=set)
    # Admitted ops by number, with their pasts and the titles under which they were admitted.
    ops: list[Op] = field(default_factory=list)
    number: dict[bytes, int] = field(default_factory=dict)
    past: list[int] = field(default_factory=list)
    warrants: list[list[Title]] = field(default_factory=list)
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
    device_revocations: list[Revocation] = field(default_factory=list)
    devices: list[Link] = field(default_factory=list)
    seals: list[int] = field(default_factory=list)
    # Of an op the `Cosign` ops, or the `Endorse` ops, that name it.
    cosigns: dict[int, list[int]] = field(default_factory=dict)
    endorsements: dict[int, list[int]] = field(default_factory=dict)
    credentials: dict[int, Credential | None] = field(default_factory=dict)
    # What genesis and `Upgrade` ops name, and the rules of genesis and of `Schema` ops.
    features: list[tuple[int, str, bytes]] = field(default_factory=list)
    rules: list[tuple[int, tuple]] = field(default_factory=list)
    chains: dict[bytes, dict[int, list[int]]] = field(default_factory=dict)
    # By author, then sequence number.
    equivocations: list[Equivocation] = field(default_factory=list)
    # Answers that have been worked out.
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

        wrong = self.wrong_targets(op, past)
        if wrong:
            return self.refuse(op, "bad_target", min(wrong))

        reason, left = self.first_failing(op.author, self.need(op, past), past, op.hlc[0])
        if reason == "revoked":
            return self.refuse(op, reason, min(self.kill(title, past) for title in left)[1])
        if reason:
            return self.refuse(op, reason, min((title.grant.op.id for title in left), default=None))
        thawed = [title for title in left if not self.unseen_halves(op.author, title, past)]
        if not thawed:
            halves = [half for title in left for half in self.unseen_halves(op.author, title, past)]
            return self.refuse(op, "frozen", min((half.seq, half.id) for half in halves)[1])
        indiscretion = self.indiscretion(op, past)
        if indiscretion:
            return self.refuse(op, *indiscretion)
        return self.admit(op, past, thawed)

    def first_failing(self, author, needed, past, ms):
        """The first condition before `frozen` that no title of the author meets, with the titles that fall there.

        None, with the titles that are left, where there is no such condition.
        """
        candidates = self.titles(author, past)
        now_ns = ms * NS_PER_MS
        stages = [
            ("no_grant", lambda title: self.can_serve(title, past)),
            ("bad_credential", lambda title: title.grant.flaw != "bad_credential"),
            ("untrusted_issuer", lambda title: title.grant.flaw != "untrusted_issuer"),
            ("status_unknown", lambda title: title.grant.flaw != "status_unknown"),
            ("out_of_scope", lambda title: needed.in_scope(title.grant)),
            ("action_not_permitted", lambda title: needed.permitted_by(title.grant)),
            ("not_yet_valid", lambda title: not title.grant.credential or title.grant.credential.from_ns <= now_ns),
            ("expired", lambda title: not title.grant.credential or now_ns < title.grant.credential.until_ns),
            ("revoked", lambda title: self.kill(title, past) is None),
        ]
        for reason, passes in stages:
            left = [title for title in candidates if passes(title)]
            if not left:
                return reason, candidates
            candidates = left
        return None, candidates

    def wrong_targets(self, op, past):
        """The ids that a `Cosign`, an `Endorse` or a `KeyGrant` names and cannot name."""
        match op.kind:
            case "Cosign":
                named, fits = [op.says["op"]], self.is_quorum_op
            case "Endorse":
                named, fits = op.says["ops"], lambda at: self.ops[at].kind in DATA_KINDS
            case "KeyGrant":
                named, fits = [op.says["key"]], lambda at: self.ops[at].kind == "KeyRotate"
            case _:
                return []
        seen = {id_: self.number[id_] for id_ in named if id_ in self.number and has(past, self.number[id_])}
        return [id_ for id_ in named if id_ not in seen or not fits(seen[id_])]

    def titles(self, author, past):
        """What could authorise an op: the grants to its author, and those to the persons whose device the author is."""
        grants = [grant for grant in self.grants if has(past, grant.at)]
        direct = [Title(grant) for grant in grants if grant.subject == author]
        links = [link for link in self.devices if link.key == author and has(past, link.at)]
        return direct + [Title(grant, link) for link in links for grant in grants if grant.subject == link.person]

    def can_serve(self, title, past):
        """Whether the title is not too deep, enough roots signed it, and its link carries its grant."""
        grant, link = title.grant, title.link
        short = grant.op.kind == "Grant" and grant.is_root and not self.is_full(grant.at, past)
        return grant.flaw != "no_grant" and not short and (link is None or self.carries(link, grant, past))

    def refuse(self, op, reason, witness=None):
        self.decisions[op.id] = Decision("refused", reason, witness)

    def hold(self, op):
        self.unsupported.add(op.id)
        self.decisions[op.id] = Decision("unsupported")

    def next_seq(self, op):
        """One more than the greatest sequence number of the author in the past."""
        return 1 + max((self.last_seq[self.number[parent]].get(op.author, -1) for parent in op.parents), default=-1)

    def unseen_halves(self, author, title, past):
        """Of the equivocations of the author in the past, the ops that the grant, or the link, had not seen."""
        unseen, seen = [], self.past[(title.link or title.grant).at]
        for equivocation in self.equivocations:
            forks = [at for at in equivocation.ops if equivocation.author == author and has(past, at)]
            if len(forks) > 1:
                unseen += [self.ops[at] for at in forks if not has(seen, at)]
        return unseen

    @property
    def everything(self):
        return (1 << len(self.ops)) - 1

    def decide(self):
        """Decides the admitted ops, now that everything that others did is known."""
        everything = self.everything
        for at, op in enumerate(self.ops):
            self.decisions[op.id] = self.decision(at, everything)

    @remembered
    def decision(self, at, visible):
        """What is decided of an admitted op in a set of ops."""
        op = self.ops[at]
        if op.kind == "Genesis":
            return Decision("applied", None, op.id)
        kills = {title: self.kill(title, visible, at) for title in self.warrants[at]}
        live = [title.grant.op.id for title, kill in kills.items() if kill is None]
        for keeping in (live, self.ids(self.seals_of(at, visible)), self.ids(self.endorsements_of(at, visible))):
            if keeping:
                return Decision("applied", None, min(keeping))
        reason, denial = min(kills.values())
        return Decision("denied", DENIALS[reason], denial)

    def ids(self, ops):
        return [self.ops[at].id for at in ops]

    # -----------------------------------------------------------------------------------------------------------------
    # What admitted ops say
    # -----------------------------------------------------------------------------------------------------------------

    def admit(self, op, past, warrants):
        at = len(self.ops)
        self.ops.append(op)
        self.number[op.id] = at
        self.past.append(past)
        self.warrants.append(warrants)
        self.last_seq.append({})
        for parent in op.parents:
            for author, seq in self.last_seq[self.number[parent]].items():
                self.last_seq[at][author] = max(seq, self.last_seq[at].get(author, 0))
        self.last_seq[at][op.author] = op.seq
        self.links.append(1 + max(map(self.depth_of_title, warrants), default=0))
        twins = self.chains.setdefault(op.author, {}).setdefault(op.seq, [])
        twins.append(at)
        if len(twins) == 2:
            self.equivocations.append(Equivocation(op.author, op.seq, twins))
            self.equivocations.sort(key=lambda equivocation: (equivocation.author, equivocation.seq))
        match op.kind:
            case "Genesis":
                self.grants += [Grant(at, op, root, is_root=True) for root in sorted(op.says["roots"])]
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
                self.revocations.append(self.revocation(at, op))
            case "DeviceRevoke":
                self.device_revocations.append(self.revocation(at, op))
            case "Device":
                self.devices.append(self.link(at, op, DELEGATION_DEPTH_MAX))
            case "Seal":
                self.seals.append(at)
            case "Cosign":
                self.cosigns.setdefault(self.number[op.says["op"]], []).append(at)
            case "Endorse":
                for named in op.says["ops"]:
                    self.endorsements.setdefault(self.number[named], []).append(at)
            case "StatusList":
                list_ = self.status_list(at, op)
                self.status_lists[at] = list_
                if not list_.fault:
                    self.lists.append(list_)

    def revocation(self, at, op):
        """The reach of a `Revoke` or `DeviceRevoke` op, by its warrants."""
        grants = [title.grant for title in self.warrants[at]]
        root = any(grant.role == "root" for grant in grants)
        return Revocation(at, op, None if root else frozenset().union(*(grant.scope for grant in grants)))

    # -----------------------------------------------------------------------------------------------------------------
    # Features and tags
    # -----------------------------------------------------------------------------------------------------------------

    def allows(self, at, feature, parameters):
        """Whether this program knows the feature and it allows the parameters that the op names."""
        match feature:
            case "schema" | "endorse" | "device" | "carry":
                return parameters == b""
            case "seal":
                return parameters == b"" and 2 * self.threshold > len(self.ops[0].says["roots"])
            case "quorum":
                return self.ops[at].kind == "Genesis" and self.is_threshold(parameters)
            case "confidential":
                return marks(parameters) is not None
        return False

    def is_in_force(self, feature, past):
        """Whether the past names the feature with parameters that it allows."""
        return any(
            name == feature and self.allows(at, name, parameters) and self.extends(at, past)
            for at, name, parameters in self.features
        )

    def extends(self, at, ops):
        """Whether what the genesis, an `Upgrade` or a `Schema` says counts in a set of ops."""
        return has(ops, at) and (self.ops[at].kind == "Genesis" or self.is_full(at, ops))

    def is_kind_in_force(self, op, past):
        if op.kind == "Unassigned":
            return False
        feature = FEATURE_OF_KIND.get(op.kind)
        return feature is None or self.is_in_force(feature, past)

    def unknown_features(self, ops):
        """The names of the features that count in a set of ops and that this program does not know."""
        return {name for at, name, _ in self.features if name not in FEATURES and self.extends(at, ops)}

    def rules_in(self, ops):
        return {rule for at, rule in self.rules if self.extends(at, ops)}

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
        said = self.granted(op, past)
        is_root = said is not None and said.role == "root"

        def void(name, *on):
            return Grant(at, op, subject, Fault(name, on), is_root=is_root)

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
            return Grant(at, op, subject, fault, is_root=is_root)
        for status in credential.status:
            bits = [list_.list.bit(status.index) for list_ in self.versions(credential, status) if has(past, list_.at)]
            if all(bit is None for bit in bits):
                return void("status_unknown", named)
        grant = Grant(at, op, subject, None, credential, keys, is_root)
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

    def depth_of_title(self, title):
        return max(self.depth(title.grant), self.links[title.link.at] if title.link else 0)

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
        """What the op needs of a title of its author."""
        match op.kind:
            case "SetField" | "SetAdd" | "SetRemove" | "SetFieldSealed" | "SetAddSealed":
                return Need("edit", meets=(self.tags(op.says["object"], op.says["field"], past),))
            case "Endorse":
                named = [self.ops[self.number[id_]].says for id_ in op.says["ops"]]
                return Need("edit", meets=tuple(self.tags(says["object"], says["field"], past) for says in named))
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
                return Need(action, meets=(op.says["scope"],) if "scope" in op.says else ())
            case "IssuerKey" | "IssuerKeyRevoke" | "StatusList":
                return Need("trust")
            case "Upgrade" | "Schema" | "Seal" | "Cosign":
                return Need("extend")
            case "Device" | "DeviceRevoke":
                return Need("link", person=op.says["person"])
            case "ReaderKey":
                return Need("read")
            case "KeyRotate":
                return Need("manage keys", meets=(op.says["tags"],))
            case "KeyGrant":
                return Need("manage keys", meets=(self.ops[self.content_key(op.says["key"], past)].says["tags"],))


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


def readable(read, op):
    try:
        return read(op.says["jwt"])
    except Unreadable:
        return None
