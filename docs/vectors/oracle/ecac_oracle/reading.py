"""Which tags are secret, who may read them, and which keys of theirs are of use."""

from .authority import Need, has
from .memory import remembered
from .wire import marks

PLAIN_KINDS = ("SetField", "SetAdd")
SEALED_KINDS = ("SetFieldSealed", "SetAddSealed")


class Reading:
    """The part of a history that says whose hands a value or a key may come into."""

    @remembered
    def marks(self, ops):
        """The KEMs and the tags that genesis and `Upgrade`s of a set mark by which `confidential` is in force there."""
        named = [
            marks(parameters)
            for at, name, parameters in self.features
            if name == "confidential" and self.allows(at, name, parameters) and self.extends(at, ops)
        ]
        return frozenset(kem for kem, _ in named), frozenset().union(*(tags for _, tags in named))

    def secret_tags(self, op, ops):
        """The tags of the field that the op writes that are confidential in the set."""
        return self.tags(op.says["object"], op.says["field"], ops) & self.marks(ops)[1]

    def content_key(self, id_, ops):
        """The number of the `KeyRotate` of that id in the set; None where there is none."""
        at = self.number.get(id_)
        return at if at is not None and has(ops, at) and self.ops[at].kind == "KeyRotate" else None

    def may_read(self, reader, tags, ops, ms):
        """Whether a key of a person or a device may read the tags in the set at that time."""
        return not self.first_failing(reader, Need("read", meets=(tags,)), ops, ms)[0]

    def indiscretion(self, op, past):
        """Reason and witness of the refusal of an op that its past authorises; None where there is none."""
        ms = op.hlc[0]
        if op.kind in PLAIN_KINDS and self.secret_tags(op, past):
            return "not_sealed", None
        if op.kind == "KeyGrant":
            tags = self.ops[self.content_key(op.says["key"], past)].says["tags"]
            if not all(self.may_read(recipient, tags, past, ms) for recipient in op.says["shares"]):
                return "stale_key", op.says["key"]
        if op.kind in SEALED_KINDS:
            key = op.says["value"].key
            at = self.content_key(key, past)
            if at is None:
                return "stale_key", key
            tags = self.ops[at].says["tags"]
            if tags != self.secret_tags(op, past) or not self.may_read(self.ops[at].author, tags, past, ms):
                return "stale_key", key
            giving_away = [
                grant.id
                for number, grant in enumerate(self.ops)
                if grant.kind == "KeyGrant"
                and has(past, number)
                and grant.says["key"] == key
                and not all(self.may_read(recipient, tags, past, ms) for recipient in grant.says["shares"])
            ]
            if giving_away:
                return "stale_key", min(giving_away)
        return None
