"""What read control changes: histories with what the page demands of them."""

import hashlib
import unittest

from blake3 import blake3

import cbor2
from ecac_oracle import export, wire
from project import Project, edit, public, revoke, schema, unlink, upgrade

# X25519, and the tag of `doc/*`.
MARKS = ["confidential", b"\x82\x01\x81aa"]


def confidential(*features):
    """A project with an issuer key, an `editor`, 4, and a `reader`, 5, of tag a."""
    project = Project(sorted([MARKS, *features]))
    project.op("key", 1, ["genesis"], project.trust())
    project.hire("editor", 1, ["key"], 4)
    project.hire("reader", 1, ["editor"], 5, "reader")
    return project


def with_key(project, *after):
    """The editor's key for tag a, `made`, which the reader is `given`."""
    project.op("made", 4, list(after) or ["reader"], rotate("a"))
    project.op("given", 4, ["made"], give(project, "made", 5))
    return project


def rotate(*tags):
    return {0: 18, 1: sorted(tags)}


def give(project, named, *recipients):
    return {0: 19, 1: project.ops[named], 2: [[key, bytes(32), bytes(48)] for key in sorted(map(public, recipients))]}


def hide(project, named, field="title", content=b"c" * 17):
    return {0: 20, 1: "doc/1", 2: field, 3: [project.ops[named], bytes(24), content]}


def reader_key(kem=1):
    return {0: 17, 1: kem, 2: bytes(32 if kem == 1 else 1216)}


def keys_and_their_effects():
    """A history with each effect of the kinds of keys."""
    project = confidential()
    project.op("published", 5, ["reader"], reader_key())
    project.op("other KEM", 5, ["published"], reader_key(2))
    with_key(project, "other KEM")
    project.op("odd", 4, ["given"], rotate("a", "b"))
    return project, {
        "published": ["publishes"],
        "other KEM": ["other_kem"],
        "made": ["rotates"],
        "given": ["hands_on", "made"],
        "odd": ["not_confidential"],
    }


class Confidential(unittest.TestCase):
    def check(self, project, expected):
        said = project.verdicts()
        for name, verdict in expected.items():
            self.assertEqual(said[name], verdict, name)
        for name, verdict in said.items():
            self.assertTrue(name in expected or verdict == "applied", f"{name}: {verdict}")

    def test_values_of_secret_tags_are_sealed_and_no_others(self):
        project = with_key(confidential())
        project.op("plain", 4, ["given"], edit(1))
        project.op("element", 4, ["given"], {0: 2, 1: "doc/1", 2: "title", 3: "x", 4: 1})
        project.op("removed", 4, ["given"], {0: 3, 1: "doc/1", 2: "title", 3: "x"})
        project.op("sealed", 4, ["removed"], hide(project, "made"))
        sealed = [project.ops["made"], bytes(24), b"c" * 17]
        project.op("sealed element", 4, ["sealed"], {0: 21, 1: "doc/1", 2: "title", 3: "x", 4: sealed})
        project.op("untagged", 1, ["given"], edit(1, object_="other"))
        other = {**hide(project, "made"), 1: "other"}
        project.op("untagged sealed", 1, ["untagged"], other)
        self.check(
            project,
            {
                "plain": ("refused", "not_sealed", None),
                "element": ("refused", "not_sealed", None),
                "untagged sealed": ("refused", "stale_key", "made"),
            },
        )

    def test_whoever_knows_of_a_revocation_takes_another_key(self):
        project = with_key(confidential())
        project.op("revoked", 2, ["given"], revoke(5))
        project.op("knowing", 4, ["revoked"], hide(project, "made"))
        project.op("unaware", 4, ["given"], hide(project, "made"))
        project.op("to the revoked", 4, ["revoked", "unaware"], give(project, "made", 5))
        project.op("old key", 4, ["revoked", "unaware"], give(project, "made", 1))
        project.op("anew", 4, ["old key"], rotate("a"))
        project.op("on", 4, ["anew"], hide(project, "anew"))
        project.op("again", 1, ["on"], project.grant(5, "reader credential"))
        project.op("back", 4, ["again"], hide(project, "made"))
        self.check(
            project,
            {
                "knowing": ("refused", "stale_key", "given"),
                "to the revoked": ("refused", "stale_key", "made"),
            },
        )

    def test_the_maker_is_a_holder_and_the_granter_is_none(self):
        project = with_key(confidential())
        project.op("root's", 1, ["given"], rotate("a"))
        project.op("by editor", 4, ["root's"], give(project, "root's", 5))
        project.op("revoked", 2, ["by editor"], revoke(4))
        project.op("of the maker", 1, ["revoked"], hide(project, "made"))
        project.op("of the granter", 1, ["revoked"], hide(project, "root's"))
        self.check(project, {"of the maker": ("refused", "stale_key", "made")})

    def test_what_was_not_seen_does_not_count(self):
        project = confidential()
        project.op("made", 4, ["reader"], rotate("a"))
        project.op("given", 4, ["made"], give(project, "made", 5))
        project.op("revoked", 2, ["made"], revoke(5))
        project.op("sealed", 1, ["revoked"], hide(project, "made"))
        project.op("told", 1, ["sealed", "given"], hide(project, "made"))
        project.op("deposed", 2, ["made"], revoke(4), seq=0)
        self.check(
            project,
            {
                "given": ("denied", "revoked", "deposed"),
                "told": ("refused", "stale_key", "given"),
            },
        )

    def test_keys_are_named_by_what_makes_them(self):
        project = with_key(confidential())
        project.op("no key", 4, ["given"], give(project, "editor", 5))
        project.op("unseen", 1, ["reader"], give(project, "made", 5))
        project.op("under no key", 1, ["given"], hide(project, "key"))
        project.op("under an unseen key", 1, ["reader"], hide(project, "made"))
        project.op("to nobody", 4, ["given"], give(project, "made", 7))
        project.op("to one of two", 4, ["given"], give(project, "made", 5, 7))
        self.check(
            project,
            {
                "no key": ("refused", "bad_target", "editor"),
                "unseen": ("refused", "bad_target", "made"),
                "under no key": ("refused", "stale_key", "key"),
                "under an unseen key": ("refused", "stale_key", "made"),
                "to nobody": ("refused", "stale_key", "made"),
                "to one of two": ("refused", "stale_key", "made"),
            },
        )

    def test_a_key_is_for_the_secret_tags_of_the_field(self):
        project = with_key(confidential(["schema", b""]))
        project.op("marked", 1, ["given"], upgrade("confidential", b"\x82\x01\x81ab"))
        project.op("rule", 1, ["marked"], schema(["doc/1", "title", ["b", "c"]]))
        project.op("for a", 4, ["rule"], hide(project, "made"))
        project.op("both", 4, ["rule"], rotate("a", "b"))
        project.op("all", 4, ["both"], rotate("a", "b", "c"))
        project.op("for both", 4, ["all"], hide(project, "both"))
        project.op("for all", 4, ["for both"], hide(project, "all"))
        project.op("elsewhere", 4, ["for both"], hide(project, "made", "body"))
        self.check(
            project,
            {
                "for a": ("refused", "stale_key", "made"),
                "for all": ("refused", "stale_key", "all"),
            },
        )
        told = project.effects()
        self.assertEqual(told["both"], ("rotates", True, set()))
        self.assertEqual(told["all"], ("not_confidential", False, set()))
        self.assertEqual(told["given"], ("hands_on", True, {"made"}))

    def test_roles(self):
        project = with_key(confidential())
        project.hire("chief", 1, ["given"], 6, "key_admin")
        project.hire("boss", 1, ["chief"], 7, "policy_admin")
        project.op("chief's", 6, ["boss"], rotate("a"))
        project.op("chief publishes", 6, ["chief's"], reader_key())
        project.op("chief writes", 6, ["chief publishes"], hide(project, "chief's"))
        project.op("reader's", 5, ["boss"], rotate("a"))
        project.op("boss's", 7, ["boss"], reader_key())
        project.op("beyond", 4, ["boss"], rotate("b"))
        project.op("to boss", 4, ["boss"], give(project, "made", 7))
        self.check(
            project,
            {
                "chief writes": ("refused", "action_not_permitted", "chief"),
                "reader's": ("refused", "action_not_permitted", "reader"),
                "boss's": ("refused", "action_not_permitted", "boss"),
                "beyond": ("refused", "out_of_scope", "editor"),
                "to boss": ("refused", "stale_key", "made"),
            },
        )

    def test_reading_ends_with_the_credential_and_not_with_an_equivocation(self):
        project = with_key(confidential())
        project.op("left", 5, ["given"], reader_key())
        project.op("right", 5, ["given"], reader_key(2))
        project.op("frozen", 5, ["left", "right"], reader_key())
        project.op("sealed", 1, ["left", "right"], hide(project, "made"))
        project.op("late", 1, ["sealed"], hide(project, "made"), at=1000)
        first = min(("left", "right"), key=project.ops.get)
        self.check(project, {"frozen": ("refused", "frozen", first), "late": ("refused", "stale_key", "made")})
        told = project.effects()
        self.assertEqual(told["left"], ("publishes", True, set()))
        self.assertEqual(told["right"], ("other_kem", False, set()))

    def test_a_device_reads_until_its_link_ends(self):
        project = confidential(["device", b""])
        project.op("phone", 5, ["reader"], project.device(5, 8))
        project.op("made", 4, ["phone"], rotate("a"))
        project.op("given", 4, ["made"], give(project, "made", 8))
        project.op("before", 4, ["given"], hide(project, "made"))
        project.op("lost", 5, ["before"], unlink(5, 8))
        project.op("after", 4, ["lost"], hide(project, "made"))
        self.check(project, {"after": ("refused", "stale_key", "given")})

    def test_upgrades_mark_more(self):
        project = Project()
        project.op("too early", 1, ["genesis"], rotate("a"))
        project.op("plain", 1, ["genesis"], edit(1))
        project.op("marked", 1, ["plain"], upgrade(*MARKS))
        project.op("same", 1, ["marked"], upgrade(*MARKS))
        project.op("other KEM", 1, ["same"], upgrade("confidential", b"\x82\x02\x81aa"))
        project.op("bad", 1, ["other KEM"], upgrade("confidential", b"\x82\x03\x81aa"))
        project.op("late", 1, ["bad"], edit(2))
        self.check(
            project,
            {"too early": ("refused", "unknown_kind", None), "late": ("refused", "not_sealed", None)},
        )
        told = {name: code for name, (code, _, _) in project.effects().items()}
        self.assertEqual(
            [told[name] for name in ("marked", "same", "other KEM", "bad")],
            ["upgrades", "in_force", "upgrades", "bad_parameters"],
        )

    def test_sealed_values_show_digest_and_key(self):
        project = with_key(confidential())
        contents = (b"c" * 17, b"d" * 17)
        project.op("one", 4, ["given"], hide(project, "made", content=contents[0]))
        project.op("other", 1, ["given"], hide(project, "made", content=contents[1]))
        field = project.document(export.state)["objects"]["doc/1"]["fields"]["title"]
        made = project.ops["made"]
        shown = min(contents, key=lambda content: blake3(cbor2.dumps([made, bytes(24), content])).digest())
        digest = hashlib.sha256(bytes(24) + shown).hexdigest()
        self.assertEqual(field["value"], {"sealed": {"digest": digest, "key": made.hex()}})
        self.assertEqual(len(field["winners"]), 2)

    def test_parameters_have_one_encoding(self):
        self.assertEqual(wire.marks(b"\x82\x02\x82aaab"), (2, frozenset("ab")))
        for wrong in (b"", b"\x82\x01\x80", b"\x82\x00\x81aa", b"\x82\x01\x82abaa", b"\x82\x18\x01\x81aa", b"\xf6"):
            self.assertIsNone(wire.marks(wrong), wrong.hex())


if __name__ == "__main__":
    unittest.main()
