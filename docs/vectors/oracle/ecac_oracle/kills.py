"""What ends a title.

`visible` are the ops that are asked: the past of an op that is admitted, the past of a seal, or finally everything.
`judged` is the op for which a title is asked. A denial acts on it if it is visible and is not the op and has not seen
the op. Where no op is judged, whatever is visible acts: what is killed so serves no op that sees all of it.

A kill is the order of its reason and the op id of the denial.
"""

from .authority import DENIALS, has, least, matches, name_of_key, names, reaches
from .memory import remembered


class Kills:
    """The part of a history that says what kills grants, issuer keys and titles."""

    def acts(self, denial, visible, judged):
        return has(visible, denial) and (judged is None or denial != judged and not has(self.past[denial], judged))

    def kill(self, title, visible, judged=None):
        """What kills the title for the op, the least of it; or None."""
        kills = [self.grant_kill(title.grant, visible, judged)]
        if title.link:
            kills.append(self.link_kill(title.link, title.grant, visible, judged))
        return least(kills)

    @remembered
    def grant_kill(self, grant, visible, judged):
        return least(self.grant_kills(grant, visible, judged))

    def grant_kills(self, grant, visible, judged):
        for revocation in self.revocations:
            if (
                self.acts(revocation.at, visible, judged)
                and not has(self.past[grant.at], revocation.at)
                and names(revocation, grant)
                and matches(revocation, grant)
                and reaches(revocation, grant)
                and self.bites(revocation.at, grant, visible)
            ):
                yield DENIALS.index("revoked"), revocation.op.id

        if not grant.credential:
            return
        for status in grant.credential.status:
            for list_ in self.versions(grant.credential, status):
                if (
                    self.acts(list_.at, visible, judged)
                    and list_.list.bit(status.index)
                    and self.bites(list_.at, grant, visible)
                ):
                    yield DENIALS.index("status_revoked"), list_.op.id

        deaths = [self.death_for(key, grant, visible, judged) for key in grant.keys]
        if None not in deaths:
            yield DENIALS.index("issuer_key_revoked"), min(denial for _, denial in deaths)

        if not self.is_on_signatures(grant):
            granters = [self.kill(granter, visible, judged) for granter in self.warrants[grant.at]]
            if None not in granters:
                yield DENIALS.index("granter_denied"), min(granters)[1]

    def death_for(self, key, grant, visible, judged):
        """What kills an issuer key as far as the grant rests on it; or None."""
        revoked_by = [
            denial
            for denial in self.revocations_of(key)
            if self.acts(denial, visible, judged) and self.bites(denial, grant, visible)
        ]
        return self.first_death(key, revoked_by, visible, self.is_on_signatures(grant))

    def death(self, key, visible):
        """What kills an issuer key for what is new: a revocation of its name that is not stale, or its op's end."""
        revoked_by = [
            denial for denial in self.revocations_of(key) if has(visible, denial) and not self.is_stale(denial, visible)
        ]
        return self.first_death(key, revoked_by, visible, False)

    def revocations_of(self, key):
        """The revocations of the key's name that the key's op had not seen."""
        return [
            denial
            for denial in self.key_revocations
            if name_of_key(self.ops[denial]) == name_of_key(key.op) and not has(self.past[key.at], denial)
        ]

    def first_death(self, key, revoked_by, visible, outlives_its_op):
        if revoked_by:
            return DENIALS.index("issuer_key_revoked"), min(self.ops[denial].id for denial in revoked_by)
        decision = self.decision(key.at, visible)
        if outlives_its_op or decision.verdict == "applied":
            return None
        return DENIALS.index(decision.reason), decision.witness
