"""What quorum, seals, endorsements and devices change: histories with what the page demands of them."""

import unittest

from ecac_oracle import export
from ecac_oracle.quorum import most_pairs
from ecac_oracle.text import did_key
from project import Project, edit, public, revoke, revoke_key, schema, sealing, status_list, unlink, upgrade

FEATURES = [["device", b""], ["endorse", b""], ["quorum", b"\x02"], ["schema", b""], ["seal", b""]]
RULE = ["x/*", "*", ["a"]]


def two_of_three(features=FEATURES):
    """A project of three roots of whom two have to sign, with an issuer key."""
    project = Project(features, roots=(1, 2, 3))
    project.op("key", 1, ["genesis"], project.trust())
    return project


# ---------------------------------------------------------------------------------------------------------------------
# Histories: the project, what is decided of ops, and what is told of ops
# ---------------------------------------------------------------------------------------------------------------------


def one_root_against_another():
    project = two_of_three()
    project.op("alone", 1, ["key"], revoke(2))
    project.op("work", 2, ["key"], edit(1))
    project.op("again", 1, ["alone"], project.cosign("alone"))
    project.op("goes on", 2, ["work", "again"], edit(2))
    project.op("leaves", 3, ["key"], revoke(3))
    project.op("has left", 3, ["leaves"], edit(3))
    return (
        project,
        {
            "work": "applied",
            "goes on": "applied",
            "has left": ("refused", "revoked", "leaves"),
        },
        {
            "alone": ["short", "genesis"],
            "again": ["adds_nobody", "alone"],
            "leaves": ["revokes", "genesis"],
        },
    )


def two_roots_against_another():
    project = two_of_three()
    project.hire("editor", 2, ["key"], 4)
    project.op("work", 2, ["editor"], edit(1))
    project.op("edit", 4, ["editor"], edit(2))
    project.full("deposed", 1, 3, ["key"], revoke(2))
    project.op("third", 3, ["deposed cosigned"], project.cosign("deposed"))
    project.op("goes on", 2, ["work", "deposed cosigned"], edit(3))
    project.op("had seen one", 2, ["work", "deposed"], edit(4))
    return (
        project,
        {
            "work": ("denied", "revoked", "deposed"),
            "edit": ("denied", "granter_denied", "deposed"),
            "goes on": ("refused", "revoked", "deposed"),
            "had seen one": ("denied", "revoked", "deposed"),
        },
        {
            "deposed": ["revokes", "genesis"],
            "deposed cosigned": ["adds_nobody", "deposed"],
            "third": ["adds_nobody", "deposed"],
            "editor": ["denied", "deposed"],
        },
    )


def a_new_root():
    project = two_of_three()
    project.op("list", 1, ["key"], status_list())
    project.hire("boss", 1, ["list"], 4, "root", (), status=7)
    project.op("too early", 4, ["boss"], edit(1))
    project.op("signed", 2, ["boss"], project.cosign("boss"))
    project.op("work", 4, ["signed"], edit(2))
    project.hire("clerk", 1, ["list"], 5, status=8)
    project.op("edit", 5, ["clerk"], edit(3))
    project.hire("never", 3, ["list"], 6, "root", ())
    project.full("deposed", 2, 3, ["genesis"], revoke(1))
    return (
        project,
        {
            "too early": ("refused", "no_grant", "boss"),
            "key": ("denied", "revoked", "deposed"),
            "boss": ("denied", "revoked", "deposed"),
            "work": "applied",
            "edit": ("denied", "issuer_key_revoked", "deposed"),
        },
        {
            "boss": ["denied", "deposed"],
            "signed": ["cosigns", "boss"],
            "never": ["short"],
            "clerk": ["denied", "deposed"],
        },
    )


def ends_of_a_new_root():
    """A root by credential and an editor, and what one root alone does against the credentials and the key."""
    project = two_of_three()
    project.op("list", 1, ["key"], status_list())
    project.hire("boss", 1, ["list"], 4, "root", (), status=7)
    project.op("signed", 2, ["boss"], project.cosign("boss"))
    project.hire("clerk", 1, ["signed"], 5, status=8)
    project.op("bit", 3, ["signed"], status_list(7))
    project.op("bits", 3, ["bit"], status_list(7, 8))
    project.op("end", 3, ["bits"], revoke_key())
    project.op("work", 4, ["signed"], edit(1))
    project.op("edit", 5, ["clerk"], edit(2))
    return (
        project,
        {"work": "applied", "edit": ("denied", "status_revoked", "bits")},
        {
            "boss": ["grants"],
            "bit": ["short", "boss"],
            "bits": ["in_part", "clerk"],
            "end": ["in_part", "key"],
            "clerk": ["ended", "bits"],
        },
    )


def rules_by_one_and_by_two():
    project = two_of_three([["later", b""], ["quorum", b"\x02"], ["schema", b""]])
    project.hire("editor", 1, ["key"], 4)
    project.op("rule", 1, ["editor"], schema(RULE))
    project.op("before", 4, ["rule"], edit(1, object_="x/1"))
    project.op("signed", 2, ["rule"], project.cosign("rule"))
    project.op("after", 4, ["signed"], edit(1, object_="x/1"))
    project.op("other rule", 1, ["rule"], schema(["y/*", "*", ["a"]]))
    project.op("upgrade", 1, ["other rule"], upgrade("device"))
    project.op("no device", 4, ["upgrade"], project.device(4, 40))
    project.op("upgrade signed", 3, ["upgrade"], project.cosign("upgrade"))
    project.op("linked", 4, ["upgrade signed"], project.device(4, 40))
    project.op("no quorum", 1, ["upgrade"], upgrade("quorum", b"\x02"))
    project.op("endorse", 1, ["no quorum"], upgrade("endorse"))
    return (
        project,
        {
            "before": ("refused", "out_of_scope", "editor"),
            "after": "applied",
            # A program that does not know a feature of the past still refuses a kind that it knows.
            "no device": ("refused", "unknown_kind", None),
            "linked": "applied",
        },
        {
            "rule": ["adds_rules"],
            "other rule": ["short"],
            "upgrade": ["upgrades"],
            "no quorum": ["bad_parameters"],
            "endorse": ["short"],
        },
    )


def a_proposal_that_a_seal_has_passed_over():
    project = two_of_three()
    project.op("list", 1, ["key"], status_list())
    project.hire("boss", 1, ["list"], 4, "root", (), status=7)
    project.op("signed", 2, ["boss"], project.cosign("boss"))
    project.full("linked", 4, 2, ["signed"], project.device(4, 40))
    project.op("alone", 1, ["linked cosigned"], revoke(2))
    project.op("bit", 1, ["alone"], status_list(7))
    project.op("unlinked", 1, ["bit"], unlink(4, 40))
    project.op("leaves", 3, ["unlinked"], revoke(3))
    project.full("seal", 1, 4, ["leaves"], sealing())
    for name in ("alone", "bit", "unlinked"):
        project.op(name + " signed", 4, ["seal cosigned"], project.cosign(name))
    project.op("work", 2, ["linked cosigned"], edit(1))
    project.op("boss work", 4, ["linked cosigned"], edit(2))
    project.op("device work", 40, ["linked cosigned"], edit(3))
    project.op("left", 3, ["linked cosigned"], edit(4))
    return (
        project,
        {
            "work": "applied",
            "boss work": "applied",
            "device work": "applied",
            "left": ("denied", "revoked", "leaves"),
        },
        {
            "alone": ["dropped", "seal"],
            "bit": ["dropped", "seal"],
            "unlinked": ["dropped", "seal"],
            "leaves": ["revokes", "genesis"],
            "seal": ["seals"],
            "alone signed": ["cosigns", "alone"],
        },
    )


def what_a_seal_has_stands():
    project = two_of_three()
    project.hire("editor", 1, ["key"], 4)
    project.op("edit", 4, ["editor"], edit(1))
    project.op("alone", 1, ["edit"], sealing())
    project.full("seal", 2, 1, ["edit"], sealing())
    project.op("later", 4, ["edit"], edit(2))
    project.op("revocation", 3, ["editor"], revoke(4))
    project.op("too late", 4, ["later", "revocation"], edit(3))
    return (
        project,
        {
            "edit": "applied",
            "later": ("denied", "revoked", "revocation"),
            "too late": ("refused", "revoked", "revocation"),
        },
        {
            "alone": ["short"],
            "seal": ["seals"],
            "seal cosigned": ["cosigns", "seal"],
            "revocation": ["revokes", "editor"],
        },
    )


def what_a_seal_has_ended():
    """An administrator of each kind is revoked in the past of a seal, and denies without having seen that."""
    project = two_of_three()
    project.op("list", 1, ["key"], status_list())
    project.hire("policy", 1, ["list"], 5, "policy_admin", ("a",))
    project.hire("issuer", 1, ["policy"], 6, "issuer_admin", ())
    project.hire("editor", 1, ["issuer"], 4, status=7)
    project.op("linked", 4, ["editor"], project.device(4, 40))
    project.op("end of policy", 1, ["linked"], revoke(5))
    project.op("end of issuer", 1, ["end of policy"], revoke(6))
    project.full("seal", 2, 3, ["end of issuer"], sealing())
    project.op("late", 5, ["linked"], revoke(4))
    project.op("late unlink", 5, ["late"], unlink(4, 40))
    project.op("late bit", 6, ["linked"], status_list(7))
    project.op("late end", 6, ["late bit"], revoke_key())
    project.op("edit", 4, ["linked"], edit(1))
    project.op("device edit", 40, ["linked"], edit(2))
    return (
        project,
        {
            "late": ("denied", "revoked", "end of policy"),
            "edit": "applied",
            "device edit": "applied",
        },
        {
            "editor": ["grants"],
            "key": ["lists"],
            "late": ["stale", "seal"],
            "late unlink": ["stale", "seal"],
            "late bit": ["stale", "seal"],
            "late end": ["stale", "seal"],
        },
    )


def a_seal_that_had_the_denial():
    project, _, _ = what_a_seal_has_ended()
    project.full("other seal", 2, 1, ["late"], sealing())
    return (
        project,
        {"edit": ("denied", "revoked", "late"), "device edit": ("denied", "revoked", "late")},
        {"late": ["revokes", "editor"], "late bit": ["stale", "seal"], "editor": ["ended", "late"]},
    )


def a_signature_of_one_who_was_deposed():
    project = two_of_three()
    project.op("proposal", 1, ["key"], revoke(2))
    project.hire("boss", 1, ["proposal"], 4, "root", ())
    project.full("deposed", 1, 2, ["boss"], revoke(3))
    project.full("seal", 1, 2, ["deposed cosigned"], sealing())
    project.op("late", 3, ["proposal"], project.cosign("proposal"))
    project.op("late for boss", 3, ["boss"], project.cosign("boss"))
    project.op("work", 2, ["key"], edit(1))
    project.op("boss work", 4, ["late for boss"], edit(1))
    return (
        project,
        {"work": "applied", "boss work": "applied"},
        {
            "late": ["stale", "seal"],
            "late for boss": ["cosigns", "boss"],
            "proposal": ["dropped", "seal"],
            "boss": ["grants"],
        },
    )


def endorsed_edits():
    project = two_of_three()
    project.hire("editor", 1, ["key"], 4)
    project.hire("other", 1, ["editor"], 5)
    project.hire("stranger", 1, ["other"], 6, scope=("b",))
    project.op("edit", 4, ["stranger"], edit(1))
    project.op("next", 4, ["edit"], edit(2))
    project.op("revocation", 1, ["stranger"], revoke(4))
    project.op("endorsed", 5, ["next"], project.endorse("edit"))
    project.op("as it is", 5, ["endorsed", "revocation"], project.endorse("edit", "next"))
    project.op("of a live one", 5, ["as it is"], edit(3))
    project.op("needless", 2, ["of a live one"], project.endorse("of a live one"))
    project.op("out of scope", 6, ["next"], project.endorse("edit"))
    project.op("of a grant", 5, ["needless"], project.endorse("edit", "editor"))
    project.op("not seen", 2, ["revocation"], project.endorse("edit"))
    project.op("end of other", 1, ["revocation", "endorsed"], revoke(5))
    return (
        project,
        {
            "edit": "applied",
            "next": ("denied", "revoked", "revocation"),
            "endorsed": "applied",
            "as it is": ("denied", "revoked", "end of other"),
            "out of scope": ("refused", "out_of_scope", "stranger"),
            "of a grant": ("refused", "bad_target", "editor"),
            "not seen": ("refused", "bad_target", "edit"),
        },
        {
            "endorsed": ["reinstates", "edit"],
            "as it is": ["denied", "end of other"],
            # What it names is denied but for this.
            "needless": ["reinstates", "of a live one"],
        },
    )


def endorsements_that_fall():
    project = two_of_three()
    project.hire("editor", 1, ["key"], 4)
    project.hire("other", 1, ["editor"], 5)
    project.op("edit", 4, ["other"], edit(1))
    project.op("endorsed", 5, ["edit"], project.endorse("edit"))
    project.op("revocation", 1, ["other"], revoke(4))
    project.op("end of other", 2, ["other"], revoke(5))
    project.op("root's own", 1, ["revocation"], edit(2))
    project.op("live", 2, ["end of other", "root's own"], project.endorse("root's own"))
    project.op("of a revocation", 2, ["live"], project.cosign("root's own"))
    project.op("of a plain grant", 2, ["live"], project.cosign("editor"))
    return (
        project,
        {
            "edit": ("denied", "revoked", "revocation"),
            "endorsed": ("denied", "revoked", "end of other"),
            "of a revocation": ("refused", "bad_target", "root's own"),
            "of a plain grant": ("refused", "bad_target", "editor"),
        },
        {"endorsed": ["denied", "end of other"], "live": ["reinstates_nothing"]},
    )


def devices_of_ones_own():
    project = two_of_three()
    project.hire("editor", 1, ["key"], 4)
    project.op("linked", 4, ["editor"], project.device(4, 40))
    project.op("by device", 40, ["linked"], edit(1))
    project.op("chained", 40, ["by device"], project.device(4, 41))
    project.op("by second", 41, ["chained"], edit(2))
    project.op("own", 4, ["linked"], edit(3))
    project.op("unlinked", 4, ["by device"], unlink(4, 40))
    project.op("again", 40, ["by device", "unlinked"], edit(4))
    project.op("no link", 4, ["unlinked"], unlink(4, 42))
    project.op("forged", 4, ["no link"], project.device(4, 43, of_project=bytes(32)))
    project.op("by forged", 43, ["forged"], edit(5))
    project.op("self", 4, ["forged"], project.device(4, 4))
    project.hire("other", 1, ["key"], 5)
    project.op("of another", 5, ["other", "linked"], project.device(4, 44))
    return (
        project,
        {
            "by device": "applied",
            "own": "applied",
            "chained": ("denied", "revoked", "unlinked"),
            "by second": ("denied", "revoked", "unlinked"),
            "again": ("refused", "revoked", "unlinked"),
            "by forged": ("refused", "no_grant", "editor"),
            "of another": ("refused", "action_not_permitted", "other"),
        },
        {
            "linked": ["ended", "unlinked"],
            "chained": ["ended", "unlinked"],
            "unlinked": ["unlinks", "linked"],
            "no link": ["no_link"],
            "forged": ["bad_proof"],
            "self": ["own_key"],
        },
    )


def devices_that_outlive_a_grant():
    project = two_of_three()
    project.hire("editor", 1, ["key"], 4)
    project.op("linked", 4, ["editor"], project.device(4, 40))
    project.op("by device", 40, ["linked"], edit(1))
    project.op("revocation", 1, ["linked"], revoke(4))
    project.op("after", 40, ["by device", "revocation"], edit(2))
    project.op("granted again", 1, ["revocation"], project.grant(4, "editor credential"))
    project.op("serves again", 40, ["by device", "granted again"], edit(3))
    return (
        project,
        {
            "by device": ("denied", "revoked", "revocation"),
            "after": ("refused", "revoked", "revocation"),
            "serves again": "applied",
        },
        {"linked": ["links", "editor", "granted again"]},
    )


def a_help_desk():
    project = two_of_three()
    project.hire("desk", 1, ["key"], 5, "policy_admin", ("a",))
    project.hire("far desk", 1, ["desk"], 6, "policy_admin", ("z",))
    project.op("nobody", 5, ["far desk"], project.device(7, 70))
    project.hire("editor", 1, ["nobody"], 4, scope=("a",))
    project.op("linked", 5, ["editor"], project.device(4, 40))
    project.hire("more", 1, ["linked"], 4, scope=("b",))
    project.full("rule", 1, 2, ["more"], schema(["y/*", "*", ["b"]]))
    project.op("by device", 40, ["rule cosigned"], edit(1))
    project.op("beyond", 40, ["by device"], edit(1, object_="y/1"))
    project.op("chained", 40, ["by device"], project.device(4, 41))
    project.op("by second", 41, ["chained"], edit(2))
    project.op("beyond too", 41, ["by second"], edit(3, object_="y/1"))
    project.op("no reach", 6, ["rule cosigned"], unlink(4, 40))
    project.op("late", 40, ["chained"], edit(5))
    project.op("end of desk", 1, ["chained"], revoke(5))
    project.op("own link", 4, ["rule cosigned"], project.device(4, 42))
    project.op("some reach", 5, ["own link"], unlink(4, 42))
    project.op("signs on", 42, ["some reach"], edit(6, object_="y/1"))
    return (
        project,
        {
            "by device": "applied",
            "beyond": ("refused", "out_of_scope", "editor"),
            "beyond too": ("refused", "out_of_scope", "editor"),
            "chained": "applied",
            "by second": ("denied", "granter_denied", "end of desk"),
            "late": ("denied", "granter_denied", "end of desk"),
            "signs on": "applied",
        },
        {
            "some reach": ["within_reach", "editor"],
            "nobody": ["carries_nothing"],
            "linked": ["ended", "end of desk"],
            "chained": ["ended", "end of desk"],
            "no reach": ["out_of_reach", "linked"],
        },
    )


def devices_of_roots():
    project = two_of_three()
    project.op("short", 2, ["key"], project.device(2, 20))
    project.op("too early", 20, ["short"], edit(1))
    project.full("linked", 2, 3, ["short"], project.device(2, 21))
    project.full("linked too", 3, 1, ["linked cosigned"], project.device(3, 21))
    project.op("by device", 21, ["linked too cosigned"], edit(2))
    project.op("proposal", 21, ["by device"], revoke(1))
    project.op("alone", 21, ["proposal"], project.cosign("proposal"))
    project.op("work", 1, ["linked too cosigned"], edit(3))
    project.op("person too", 2, ["proposal"], project.device(2, 22))
    project.op("unlinked alone", 1, ["by device"], unlink(2, 21))
    project.op("still", 21, ["alone"], edit(4))
    return (
        project,
        {
            "too early": ("refused", "no_grant", "genesis"),
            "by device": "applied",
            "work": "applied",
            "still": "applied",
        },
        {
            "short": ["short", "genesis"],
            "linked": ["links", "genesis"],
            "proposal": ["short", "genesis"],
            "alone": ["adds_nobody", "proposal"],
            "unlinked alone": ["short", "genesis"],
        },
    )


def a_person_of_two_grants():
    project = two_of_three()
    project.hire("boss", 1, ["key"], 4, "root", ())
    project.op("signed", 2, ["boss"], project.cosign("boss"))
    project.hire("editor", 1, ["signed"], 4)
    project.full("linked", 4, 2, ["editor"], project.device(4, 40))
    project.op("by device", 40, ["linked cosigned"], edit(1))
    project.op("named roles", 3, ["linked cosigned"], revoke(4))
    project.op("unlinked", 3, ["named roles"], unlink(4, 40))
    return (
        project,
        # The root's title is left.
        {"by device": "applied"},
        {
            "linked": ["links", "boss", "editor"],
            "named roles": ["in_part", "editor"],
            "unlinked": ["in_part", "editor"],
        },
    )


def sixty_five_devices():
    project = two_of_three()
    project.hire("editor", 1, ["key"], 4)
    project.op("device 100", 4, ["editor"], project.device(4, 100))
    for key in range(101, 165):
        project.op(f"device {key}", key - 1, [f"device {key - 1}"], project.device(4, key))
    project.op("last", 162, ["device 163"], edit(1))
    project.op("beyond", 163, ["device 163"], edit(2))
    return (
        project,
        {"device 162": "applied", "last": "applied", "beyond": ("refused", "no_grant", "editor")},
        {"device 162": ["links", "editor"], "device 163": ["too_deep"]},
    )


def a_device_that_signs_a_number_twice():
    project = two_of_three()
    project.hire("editor", 1, ["key"], 4)
    project.op("linked", 4, ["editor"], project.device(4, 40))
    project.op("one", 40, ["linked"], edit(1))
    project.op("two", 40, ["linked"], edit(2))
    project.op("frozen", 40, ["one", "two"], edit(3))
    project.op("person", 4, ["one", "two"], edit(4))
    project.op("granted", 1, ["person"], project.grant(4, "editor credential"))
    project.op("still frozen", 40, ["granted"], edit(5))
    project.op("linked again", 4, ["person"], project.device(4, 40))
    project.op("thawed", 40, ["linked again"], edit(6))
    half = min(["one", "two"], key=project.ops.get)
    return (
        project,
        {
            "one": "applied",
            "two": "applied",
            "frozen": ("refused", "frozen", half),
            "still frozen": ("refused", "frozen", half),
            "person": "applied",
            "thawed": "applied",
        },
        {"linked again": ["links", "editor", "granted"]},
    )


HISTORIES = (
    one_root_against_another,
    two_roots_against_another,
    a_new_root,
    ends_of_a_new_root,
    rules_by_one_and_by_two,
    a_proposal_that_a_seal_has_passed_over,
    what_a_seal_has_stands,
    what_a_seal_has_ended,
    a_seal_that_had_the_denial,
    a_signature_of_one_who_was_deposed,
    endorsed_edits,
    endorsements_that_fall,
    devices_of_ones_own,
    devices_that_outlive_a_grant,
    a_help_desk,
    devices_of_roots,
    a_person_of_two_grants,
    sixty_five_devices,
    a_device_that_signs_a_number_twice,
)


class Features(unittest.TestCase):
    def test_verdicts(self):
        for history in HISTORIES:
            project, verdicts, _ = history()
            said = project.verdicts()
            for name, verdict in verdicts.items():
                with self.subTest(history.__name__, op=name):
                    self.assertEqual(said[name], verdict)

    def witness(self, project, name):
        names = {op: name for name, op in project.ops.items()}
        return names[project.history().decisions[project.ops[name]].witness]

    def test_the_witness_of_what_lives_is_the_grant_then_the_seal_then_the_endorsement(self):
        project, _, _ = what_a_seal_has_stands()
        self.assertEqual(self.witness(project, "edit"), "seal")
        project.hire("other", 1, ["alone"], 5)
        project.op("endorsed", 5, ["other"], project.endorse("edit"))
        self.assertEqual(self.witness(project, "edit"), "seal")
        self.assertEqual(self.witness(project, "endorsed"), "other")
        project, _, _ = endorsed_edits()
        self.assertEqual(self.witness(project, "edit"), "endorsed")

    def test_pairs_have_no_person_and_no_key_in_common(self):
        for pairs, most in [
            ([], 0),
            (["a1"], 1),
            (["a1", "a2"], 1),
            (["a1", "b1"], 1),
            (["a1", "a2", "b1"], 2),
            (["a1", "b1", "b2", "c2"], 2),
            (["a1", "b1", "b2", "c2", "c3"], 3),
        ]:
            self.assertEqual(most_pairs(pairs), most, pairs)

    def test_k_is_what_genesis_allows(self):
        for parameters, said in [(b"\x00", None), (b"\x01", 1), (b"\x03", 3), (b"\x04", None), (b"\x00\x02", None)]:
            project = two_of_three([["quorum", parameters]])
            self.assertEqual(project.document(export.trust).get("quorum"), said, parameters)
            project.op("alone", 1, ["key"], revoke(2))
            project.op("work", 2, ["key"], edit(1))
            denied = ("denied", "revoked", "alone")
            self.assertEqual(project.verdicts()["work"], denied if said in (None, 1) else "applied", parameters)
            project.op("cosign", 2, ["alone", "work"], project.cosign("alone"))
            self.assertEqual(project.verdicts()["cosign"][0] == "refused", said is None or said == 1, parameters)

    def test_a_seal_needs_more_than_half_of_the_roots(self):
        for roots, k, is_allowed in [
            ((1,), None, True),
            ((1, 2), None, False),
            ((1, 2), 2, True),
            ((1, 2, 3), 1, False),
        ]:
            quorum = [["quorum", bytes([k])]] if k else []
            project = Project([*quorum, ["seal", b""]], roots)
            project.op("seal", 1, ["genesis"], sealing())
            self.assertEqual(
                project.verdicts()["seal"],
                "applied" if is_allowed else ("refused", "unknown_kind", None),
                (roots, k),
            )
            self.assertEqual("seals" in project.document(export.trust), is_allowed)

    def test_one_root_alone_names_no_feature_of_tomorrow(self):
        project = two_of_three()
        project.op("upgrade", 1, ["key"], upgrade("future"))
        project.op("alone", 3, ["upgrade"], {0: 22})
        self.assertEqual(project.verdicts()["alone"], ("refused", "unknown_kind", None))
        self.assertNotIn("behind", project.document(export.state))
        project.op("signed", 2, ["upgrade"], project.cosign("upgrade"))
        project.op("beside", 3, ["upgrade"], {0: 22, 1: 1})
        project.op("held", 3, ["signed"], {0: 22})
        project.op("edit", 1, ["signed"], edit(1))
        verdicts = project.verdicts()
        self.assertEqual(verdicts["beside"], ("refused", "unknown_kind", None))
        self.assertEqual(verdicts["held"], ("unsupported", None, None))
        self.assertEqual(verdicts["edit"], "applied")
        self.assertEqual(project.document(export.state)["behind"], {"features": ["future"], "unsupported": 1})

    def test_the_trust_view_shows_seals_and_devices(self):
        project, _, _ = what_a_seal_has_stands()
        project.full("linked", 2, 3, ["seal cosigned"], project.device(2, 20))
        project.op("void", 2, ["linked"], project.device(2, 21, of_project=bytes(32)))
        project.op("of the revoked", 1, ["revocation"], project.device(4, 40))
        trust = project.document(export.trust)
        self.assertEqual(trust["quorum"], 2)
        finals = {project.ops["seal"].hex(): True, project.ops["alone"].hex(): False}
        self.assertEqual(
            trust["seals"], [{"op": op, "digest": bytes(32).hex(), "final": finals[op]} for op in sorted(finals)]
        )
        links = {"linked": (2, 20, ["genesis"]), "of the revoked": (4, 40, [])}
        self.assertEqual(
            trust["devices"],
            [
                {
                    "op": project.ops[name].hex(),
                    "person": did_key(public(person)),
                    "key": did_key(public(key)),
                    "grants": [project.ops[grant].hex() for grant in grants],
                }
                for name, (person, key, grants) in sorted(links.items(), key=lambda link: project.ops[link[0]])
            ],
        )
        plain = Project().document(export.trust)
        self.assertFalse({"quorum", "seals", "devices"} & plain.keys())

    def test_a_root_by_credential_is_shown_once_it_is_full(self):
        project = two_of_three()
        project.hire("boss", 1, ["key"], 4, "root", ())
        self.assertEqual(len(project.document(export.trust)["roots"]["active"]), 3)
        project.op("signed", 2, ["boss"], project.cosign("boss"))
        self.assertEqual(len(project.document(export.trust)["roots"]["active"]), 4)


if __name__ == "__main__":
    unittest.main()
