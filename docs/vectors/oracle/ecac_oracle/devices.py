"""Keys that act for a person."""

from . import ed25519
from .authority import DENIALS, Fault, Link, could_grant, has, least, reaches
from .memory import remembered

DOMAIN = b"ECAC_DEVICE_V1"


class Devices:
    """The part of a history that says what links carry and what ends them."""

    def link(self, at, op, depth_max):
        """The link of a `Device` op."""
        message = DOMAIN + self.project + op.says["person"]
        if not ed25519.verifies(op.says["device"], op.says["proof"], message):
            return Link(at, op, Fault("bad_proof"))
        if op.says["device"] == op.says["person"]:
            return Link(at, op, Fault("own_key"))
        return Link(at, op, Fault("too_deep") if self.links[at] > depth_max else None)

    def own_warrants(self, at, grant):
        """The warrants of a `Device` or `DeviceRevoke` op that are the person's own as far as the grant goes.

        Of a device that is what its link carries: a link by a help desk makes no link that carries more.
        """
        return [
            title
            for title in self.warrants[at]
            if title.grant.subject == self.ops[at].says["person"]
            and (title.link is None or self.would_carry(title.link, grant))
        ]

    @remembered
    def would_carry(self, link, grant):
        """Whether the link carries the grant to its person, but for being full."""
        if link.fault:
            return False
        if self.own_warrants(link.at, grant):
            return True
        granted = has(self.past[link.at], grant.at) and grant.fault is None
        return granted and any(could_grant(title, grant) for title in self.warrants[link.at])

    def carries(self, link, grant, visible):
        return self.would_carry(link, grant) and (not grant.is_root or self.is_full(link.at, visible))

    def device_revocation_reaches(self, revocation, grant):
        return bool(self.own_warrants(revocation.at, grant)) or reaches(revocation, grant)

    @remembered
    def link_kill(self, link, grant, visible, judged):
        """What kills the link for the title with the grant and for the op, the least of it; or None."""
        return least(self.link_kills(link, grant, visible, judged))

    def link_kills(self, link, grant, visible, judged):
        for revocation in self.device_revocations:
            if (
                names_link(revocation, link)
                and not has(self.past[link.at], revocation.at)
                and self.acts(revocation.at, visible, judged)
                and self.device_revocation_reaches(revocation, grant)
                and self.bites(revocation.at, grant, visible)
            ):
                yield DENIALS.index("revoked"), revocation.op.id

        own = self.own_warrants(link.at, grant)
        if own:
            # By the person's key there is no link that could be lost.
            kills = [title.link and self.link_kill(title.link, grant, visible, judged) for title in own]
            if None not in kills:
                yield min(kills)
        elif not self.is_on_signatures(grant):
            granters = [title for title in self.warrants[link.at] if could_grant(title, grant)]
            kills = [self.kill(title, visible, judged) for title in granters]
            if None not in kills:
                yield DENIALS.index("granter_denied"), min(kills)[1]


def names_link(revocation, link):
    """Whether the `DeviceRevoke` is of the person and the key of the link."""
    says = revocation.op.says
    return (says["person"], says["device"]) == (link.person, link.key)
