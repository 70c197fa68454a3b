"""How many roots have to sign, and which denials count against a root."""

from .authority import DENIAL_KINDS, has
from .memory import remembered

QUORUM_KINDS = ("Seal", "Upgrade", "Schema", "Device", *DENIAL_KINDS)


class Quorum:
    """The part of a history that counts signatures of roots."""

    @property
    def threshold(self):
        """k: how many roots have to sign."""
        parameters = dict(self.ops[0].says.get("features", ())).get("quorum")
        return parameters[0] if self.is_threshold(parameters) else 1

    def is_threshold(self, parameters):
        """Whether these are parameters that the feature `quorum` allows in the genesis."""
        return parameters is not None and len(parameters) == 1 and 1 <= parameters[0] <= len(self.ops[0].says["roots"])

    def is_quorum_op(self, at):
        """Whether a `Cosign` may name the op."""
        op = self.ops[at]
        if op.kind == "Grant":
            credential = self.granted(op, self.past[at])
            return credential is not None and credential.role == "root"
        return op.kind in QUORUM_KINDS

    @remembered
    def is_full(self, at, visible):
        """Whether the op is in the set, and enough roots signed it there."""
        enough = self.threshold == 1 or most_pairs(self.pairs(at, visible)) >= self.threshold
        return has(visible, at) and enough

    def pairs(self, at, visible, without=None):
        """Pairs of a person and a key that signed the op as a root: its author, and who cosigned it in the set."""
        signed = [at]
        for cosign in self.cosigns.get(at, ()):
            counts = has(visible, cosign) and cosign != without
            if counts and not (self.ops[at].kind in DENIAL_KINDS and self.is_stale(cosign, visible)):
                signed.append(cosign)
        return {
            (title.grant.subject, self.ops[signature].author)
            for signature in signed
            for title in self.warrants[signature]
            if title.grant.role == "root"
        }

    def is_on_signatures(self, grant):
        """Whether the grant stands whatever becomes of who proposed it."""
        return grant.is_root and self.threshold > 1

    def bites(self, at, grant, visible):
        """Whether the denial counts against the grant."""
        if self.is_stale(at, visible):
            return False
        if not grant.is_root or self.threshold == 1 or ends_itself(self.ops[at]):
            return True
        return self.is_full(at, visible) and not self.seals_that_drop(at, visible)

    def seals_that_drop(self, at, visible):
        """The final seals that had seen the op before it was full."""
        return [
            seal
            for seal in self.final_seals(visible)
            if has(self.past[seal], at) and not self.is_full(at, self.past[seal])
        ]


def ends_itself(op):
    """Whether the author of a denial names itself."""
    match op.kind:
        case "Revoke":
            return op.author == op.says["subject"]
        case "DeviceRevoke":
            return op.author in (op.says["person"], op.says["device"])
        case _:
            return False


def most_pairs(pairs):
    """How many of the pairs can be chosen so that no person and no key is in two of them."""
    person_of = {}

    def place(person, tried):
        """Whether a key can be found for the person, if need be by moving others to other keys."""
        for key in [key for other, key in pairs if other == person and key not in tried]:
            tried.add(key)
            if key not in person_of or place(person_of[key], tried):
                person_of[key] = person
                return True
        return False

    return sum(place(person, set()) for person in {person for person, _ in pairs})
