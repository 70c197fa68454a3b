"""What final seals and endorsements keep."""

from .authority import has
from .memory import remembered


class Seals:
    """The part of a history that says what seals and endorsements do."""

    def final_seals(self, visible):
        return [seal for seal in self.seals if self.is_full(seal, visible)]

    def seals_of(self, at, visible):
        """The final seals by which the op stands: it is applied in their past."""
        return [
            seal
            for seal in self.final_seals(visible)
            if has(self.past[seal], at) and self.decision(at, self.past[seal]).verdict == "applied"
        ]

    def endorsements_of(self, at, visible):
        """The applied `Endorse` ops that name the op."""
        return [
            endorsement
            for endorsement in self.endorsements.get(at, ())
            if has(visible, endorsement) and self.decision(endorsement, visible).verdict == "applied"
        ]

    def seals_against(self, at, visible):
        """The final seals that had seen the end of the author's authority, but not the denial or `Cosign`."""
        return [
            seal
            for seal in self.final_seals(visible)
            if not has(self.past[seal], at)
            and all(self.kill(title, self.past[seal], at) is not None for title in self.warrants[at])
        ]

    @remembered
    def is_stale(self, at, visible):
        """Whether the denial, or the `Cosign` of one, counts for nothing in the set."""
        if not self.seals_against(at, visible):
            return False
        return not any(
            has(self.past[seal], at) and not self.is_stale(at, self.past[seal]) for seal in self.final_seals(visible)
        )
