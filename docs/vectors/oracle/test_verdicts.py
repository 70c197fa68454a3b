"""What is decided of histories. No expected value comes from the oracle, and only the golden set's from the engine."""

import base64
import contextlib
import io
import json
import re
import tempfile
import unittest
from pathlib import Path

import oracle
from ecac_oracle import export, text
from ecac_oracle.effects import COUNTS
from ecac_oracle.judge import DENIALS, REFUSALS
from project import (
    ISSUER,
    ROOT,
    START_MS,
    Project,
    edit,
    mint,
    public,
    revoke,
    revoke_key,
    schema,
    status_list,
    upgrade,
)
from test_features import HISTORIES
from test_reading import keys_and_their_effects


class Verdicts(unittest.TestCase):
    """Histories with the verdicts that docs/policy-model.md demands."""

    def check(self, project, **expected):
        said = project.verdicts()
        for name, verdict in expected.items():
            self.assertEqual(said[name.replace("_", " ")], verdict, name)

    def setUp(self):
        self.project = Project()
        self.project.op("key", 1, ["genesis"], self.project.trust())

    def test_an_edit_that_the_revoker_had_not_seen_is_rolled_back(self):
        project = self.project
        project.hire("grant", 1, ["key"], 3)
        project.op("seen", 3, ["grant"], edit(1))
        project.op("unseen", 3, ["seen"], edit(2))
        project.op("revocation", 1, ["seen"], revoke(3))
        project.op("too late", 3, ["unseen", "revocation"], edit(3))
        project.op("too late 2", 3, ["too late"], edit(3))
        self.check(
            project,
            seen="applied",
            unseen=("denied", "revoked", "revocation"),
            too_late=("refused", "revoked", "revocation"),
            too_late_2=("refused", "refused_parent", "too late"),
        )
        objects = json.loads(export.state(project.history()))["objects"]
        self.assertEqual(objects["doc/1"]["fields"]["title"]["value"], 1)

    def test_a_new_grant_restores_what_follows_it(self):
        project = self.project
        project.hire("grant", 1, ["key"], 3)
        project.op("unseen", 3, ["grant"], edit(1))
        project.op("revocation", 1, ["grant"], revoke(3))
        again = {0: 5, 1: public(3), 2: project.ops["grant credential"]}
        project.op("again", 1, ["revocation"], again)
        project.op("later", 3, ["unseen", "again"], edit(2))
        self.check(project, unseen=("denied", "revoked", "revocation"), later="applied")

    def test_two_roots_who_revoke_each_other_both_lose(self):
        project = self.project
        project.op("one", 1, ["key"], revoke(2))
        project.op("two", 2, ["key"], revoke(1))
        self.check(project, one=("denied", "revoked", "two"), two=("denied", "revoked", "one"), key="applied")

    def test_a_grant_dies_with_its_granter(self):
        project = self.project
        project.hire("policy", 1, ["key"], 4, "policy_admin")
        project.op("paper", 1, ["policy"], project.credential(3, "editor", ["a"]))
        project.op("grant", 4, ["paper"], {0: 5, 1: public(3), 2: project.ops["paper"]})
        project.op("edit", 3, ["grant"], edit(1))
        project.op("revocation", 1, ["grant"], revoke(4))
        self.check(project, grant="applied", edit=("denied", "granter_denied", "revocation"))

    def test_a_bit_denies_whatever_the_grant_had_seen(self):
        project = self.project
        project.op("list", 1, ["key"], status_list())
        project.hire("grant", 1, ["list"], 3, status=7)
        project.op("edit", 3, ["grant"], edit(1))
        project.op("bit", 1, ["grant"], status_list(7))
        project.op("again", 1, ["bit"], {0: 5, 1: public(3), 2: project.ops["grant credential"]})
        project.op("later", 3, ["edit", "again"], edit(2))
        self.check(project, edit=("denied", "status_revoked", "bit"), later=("refused", "revoked", "bit"))
        (list_,) = json.loads(export.trust(project.history()))["status_lists"]
        self.assertEqual((list_["bits_set"], len(list_["versions"])), (1, 2))

    def test_a_list_has_to_be_known(self):
        project = self.project
        project.hire("grant", 1, ["key"], 3, status=7)
        project.op("edit", 3, ["grant"], edit(1))
        self.check(project, edit=("refused", "status_unknown", "grant"))

    def test_a_revoked_issuer_key_denies_what_it_vouched_for(self):
        project = self.project
        project.hire("grant", 1, ["key"], 3)
        project.op("edit", 3, ["grant"], edit(1))
        project.op("end", 2, ["key"], {0: 8, 1: ISSUER, 2: "key-1", 3: "lost"})
        project.hire("late", 2, ["end"], 5)
        project.op("late edit", 5, ["late"], edit(2))
        self.check(
            project, edit=("denied", "issuer_key_revoked", "end"), late_edit=("refused", "untrusted_issuer", "late")
        )
        keys = json.loads(export.trust(project.history()))["issuer_keys"]
        self.assertEqual((len(keys["active"]), keys["revoked"][0]["denial"]), (0, project.ops["end"].hex()))

    def test_an_equivocator_goes_on_only_by_a_grant_that_saw_both_halves(self):
        project = self.project
        project.hire("grant", 1, ["key"], 3)
        project.op("before", 3, ["grant"], edit(0))
        project.op("one", 3, ["before"], edit(1), seq=1)
        project.op("two", 3, ["before"], edit(2), seq=1)
        project.op("on one", 3, ["one"], edit(3), seq=2)
        project.op("on both", 3, ["one", "two"], edit(4), seq=2)
        project.op("half", 1, ["one"], project.grant(3, "grant credential"))
        project.op("half seen", 3, ["half", "two"], edit(5), seq=2)
        project.op("whole", 1, ["half", "two"], project.grant(3, "grant credential"))
        project.op("forgiven", 3, ["whole"], edit(6), seq=2)
        project.op("third", 3, ["before"], edit(7), seq=1)
        project.op("again", 3, ["whole", "third"], edit(8), seq=2)
        least = min(["one", "two"], key=project.ops.get)
        self.check(
            project,
            before="applied",
            one="applied",
            two="applied",
            on_one="applied",
            on_both=("refused", "frozen", least),
            # Of two grants that fall, one had seen a half, but the other none: both halves are unseen by some grant.
            half_seen=("refused", "frozen", least),
            forgiven="applied",
            third="applied",
            again=("refused", "frozen", min(["one", "two", "third"], key=project.ops.get)),
        )
        # `on one` and `forgiven` have one number, too.
        equivocations = project.document(export.trust)["equivocations"]
        self.assertEqual([(entry["seq"], len(entry["ops"])) for entry in equivocations], [(1, 3), (2, 2)])

    def test_the_half_that_the_grant_had_not_seen_is_the_witness(self):
        project = self.project
        project.op("one", 3, ["genesis"], edit(1))
        self.check(project, one=("refused", "no_grant", None))
        # Half of what follows is in every past: only the other half can be unseen.
        project.hire("first", 1, ["key"], 3)
        project.op("a", 3, ["first"], edit(1), seq=0)
        project.op("b", 3, ["first"], edit(2), seq=0)
        project.op("revocation", 1, ["a"], revoke(3))
        project.op("paper", 1, ["revocation"], project.credential(3, "editor", ["a"]))
        project.op("saw a", 1, ["paper"], project.grant(3, "paper"))
        project.op("c", 3, ["saw a"], edit(3), seq=1)
        project.op("d", 3, ["saw a"], edit(4), seq=1)
        project.op("frozen", 3, ["c", "d", "b"], edit(5), seq=2)
        project.op("late", 3, ["c", "d"], edit(6), seq=2)
        self.check(
            project,
            a="applied",
            b=("denied", "revoked", "revocation"),
            c="applied",
            d="applied",
            # The first grant is killed before `frozen` is asked; that the number is less counts before the id.
            frozen=("refused", "frozen", "b"),
            late=("refused", "frozen", min(["c", "d"], key=project.ops.get)),
        )

    def test_an_equivocation_touches_nobody_else(self):
        project = self.project
        project.hire("policy", 1, ["key"], 4, "policy_admin")
        project.op("paper", 1, ["policy"], project.credential(3, "editor", ["a"]))
        project.op("grant", 4, ["paper"], project.grant(3, "paper"))
        project.op("other grant", 4, ["paper"], project.grant(3, "paper"), seq=0)
        project.op("edit", 3, ["grant", "other grant"], edit(1))
        project.op("refused", 4, ["edit"], project.grant(5, "paper"), seq=1)
        project.op("fork", 1, ["policy"], edit(2), seq=4)
        project.op("root too", 2, ["fork", "edit"], edit(3))
        self.check(
            project,
            grant="applied",
            other_grant="applied",
            edit="applied",
            refused=("refused", "frozen", min(["grant", "other grant"], key=project.ops.get)),
            fork="applied",
            root_too="applied",
        )

    def test_revoked_comes_before_frozen(self):
        project = self.project
        project.hire("grant", 1, ["key"], 3)
        project.op("one", 3, ["grant"], edit(1), seq=0)
        project.op("two", 3, ["grant"], edit(2), seq=0)
        project.op("revocation", 1, ["one", "two"], revoke(3))
        project.op("after", 3, ["revocation"], edit(3), seq=1)
        self.check(project, one="applied", two="applied", after=("refused", "revoked", "revocation"))

    def test_a_key_vouches_for_grants_that_are_stamped_in_its_window(self):
        project = Project()
        project.op("early key", 1, ["genesis"], project.trust(end=10))
        project.op("paper", 1, ["early key"], project.credential(3, "editor", ["a"]))
        project.op("other paper", 1, ["paper"], project.credential(4, "editor", ["a"]))
        project.op("last moment", 1, ["other paper"], project.grant(3, "paper"), at=9)
        project.op("in time", 3, ["last moment"], edit(1), at=20)
        project.op("late", 1, ["last moment"], project.grant(4, "other paper"), at=10)
        project.op("stolen", 4, ["late"], edit(1), at=13)
        # A list counts whenever it comes: the window holds the start of its validity.
        project.op("list", 2, ["early key"], status_list(7), at=500)
        project.op("key", 1, ["late", "list"], project.trust(start=500, end=1000), at=501)
        self.check(project, in_time="applied", stolen=("refused", "untrusted_issuer", "late"), list="applied")
        self.assertEqual(len(project.document(export.trust)["status_lists"]), 1)
        # A document whose validity starts before the window is as bad as a grant that is stamped behind it.
        project.op("stale", 1, ["key"], project.credential(5, "editor", ["a"]), at=502)
        project.op("stale grant", 1, ["stale"], project.grant(5, "stale"), at=503)
        project.op("edit", 5, ["stale grant"], edit(1), at=504)
        self.check(project, edit=("refused", "untrusted_issuer", "stale grant"))

    def test_a_credential_is_for_the_projects_that_it_names(self):
        project = self.project
        here, there = project.genesis.hex(), "0" * 64
        grants = {
            "of this": here,
            "among others": [there, here],
            "of another": there,
            "of others": [there, ""],
            "shouting": here.upper(),
        }
        last = "key"
        for person, (name, audience) in enumerate(grants.items(), 20):
            project.hire(name, 1, [last], person, document={"aud": audience}.items())
            project.op(name + " edit", person, [name], edit(1))
            last = name
        project.op("list", 1, [last], status_list(7, document={"aud": there}.items()))
        project.hire("bound", 1, ["list"], 40, status=7)
        project.op("bound edit", 40, ["bound"], edit(1))
        self.assertRegex(here, "[a-f]")
        self.check(
            project,
            of_this_edit="applied",
            among_others_edit="applied",
            of_another_edit=("refused", "bad_credential", "of another"),
            of_others_edit=("refused", "bad_credential", "of others"),
            shouting_edit=("refused", "bad_credential", "shouting"),
            bound_edit=("refused", "status_unknown", "bound"),
        )

    def test_a_kind_needs_its_feature(self):
        rule = ["x/*", "*", ["a"]]
        project = self.project
        project.hire("grant", 1, ["key"], 3)
        project.op("no feature", 2, ["grant"], schema(rule), seq=77)
        project.op("child", 2, ["no feature"], {0: 22})
        project.op("editor", 3, ["grant"], upgrade("schema"))
        project.op("with parameters", 1, ["grant"], upgrade("schema", b"\x00"))
        project.op("not yet", 1, ["with parameters"], schema(rule))
        project.op("upgrade", 1, ["with parameters"], upgrade("schema"), seq=5)
        project.op("rules", 1, ["upgrade"], schema(rule))
        project.op("editor's rules", 3, ["upgrade"], schema(rule), seq=0)
        project.op("before", 3, ["upgrade"], edit(1, object_="x/1"), seq=0)
        project.op("after", 3, ["rules"], edit(1, object_="x/1"), seq=0)
        project.op("unknown", 1, ["rules"], {0: 22, 1: "anything"})
        self.check(
            project,
            no_feature=("refused", "unknown_kind", None),
            child=("refused", "refused_parent", "no feature"),
            editor=("refused", "action_not_permitted", "grant"),
            with_parameters="applied",
            not_yet=("refused", "unknown_kind", None),
            rules="applied",
            before=("refused", "out_of_scope", "grant"),
            after="applied",
            unknown=("refused", "unknown_kind", None),
        )
        self.assertEqual(project.verdicts()["editor's rules"], ("refused", "action_not_permitted", "grant"))
        # Whoever reads of a feature that they do not know can no more than wait.
        project.op("future", 1, ["rules"], upgrade("future", b"x"), seq=7)
        project.op("held", 1, ["future"], {0: 22, 1: "anything"})
        self.check(project, unknown=("refused", "unknown_kind", None), held=("unsupported", None, None))

    def test_a_denied_op_of_evolution_counts_like_any_other(self):
        project = self.project
        project.hire("grant", 1, ["key"], 3)
        project.op("upgrade", 2, ["grant"], upgrade("schema"))
        project.op("rules", 2, ["upgrade"], schema(["x/*", "*", ["a"]]))
        project.op("revocation", 1, ["grant"], revoke(2))
        project.op("edit", 3, ["rules"], edit(1, object_="x/1"))
        self.check(
            project,
            upgrade=("denied", "revoked", "revocation"),
            rules=("denied", "revoked", "revocation"),
            edit="applied",
        )

    def test_what_a_later_program_understands_is_held(self):
        features = [["future", b"anything"], ["schema", b""], ["älter", b""]]
        project = Project(features)
        project.op("foreign", 8, [], {0: 0, 1: "other", 2: bytes(16), 3: [public(8)], 4: []}, at=0)
        project.op("foreign child", 8, ["foreign"], {0: 22})
        project.op("key", 1, ["genesis"], project.trust())
        project.op("known", 1, ["key"], schema(["x/*", "*", ["a"]]))
        project.op("held", 8, ["key"], {0: 65_535, 1: [{}]}, seq=77, at=0)
        project.op("child", 1, ["held"], edit(1), at=0)
        project.op("mixed", 1, ["child", "known", "foreign"], edit(1))
        project.op("stale", 2, ["key"], edit(1), at=1)
        project.op("of refused", 2, ["stale"], {0: 22})
        project.op("lost", 2, ["key"], edit(1), seq=0)
        project.op("lost child", 2, ["lost", "held"], edit(1))
        project.items.pop(-2)
        self.check(
            project,
            foreign_child=("refused", "foreign_project", None),
            known="applied",
            held=("unsupported", None, None),
            child=("unsupported", None, None),
            mixed=("unsupported", None, None),
            of_refused=("refused", "refused_parent", "stale"),
            lost_child=("pending", None, None),
        )
        behind = {"features": ["future", "älter"], "unsupported": 3}
        for write in (export.state, export.trust):
            self.assertEqual(project.document(write)["behind"], behind)
            self.assertNotIn("behind", self.project.document(write))

    def test_a_pending_op_names_the_absent_ancestors(self):
        project = self.project
        parents = [f"p{number:02}" for number in range(15)]
        for name in parents:
            project.op(name, 1, ["key"], edit(name))
        project.op("join", 1, ["key", *parents], edit(0))
        for name in ("x", "y", "z"):
            project.op(name, 2, ["key"], edit(name))
        project.op("end", 1, ["join", "x", "y", "z", "genesis"], edit(0))
        project.op("beyond", 1, ["end", "key"], edit(0))
        absent = [*parents, "x", "y", "z"]
        names = list(project.ops)
        project.items = [item for name, item in zip(names, project.items, strict=True) if name not in absent]
        self.check(project, join=("pending", None, None), end=("pending", None, None), beyond=("pending", None, None))
        history = project.history()
        for name, expected in [("join", parents), ("end", absent), ("beyond", absent)]:
            least = sorted(project.ops[ancestor] for ancestor in expected)[:16]
            self.assertEqual(history.decisions[project.ops[name]].missing, tuple(least))
        lines = {line["op"]: line for line in map(json.loads, export.decisions(history).splitlines())}
        self.assertEqual(
            lines[project.ops["join"].hex()]["missing"], sorted(project.ops[name].hex() for name in parents)
        )
        self.assertEqual(lines[project.ops["key"].hex()]["missing"], None)

    def test_each_stage_of_admission_refuses(self):
        project = self.project
        project.op("nobody", 8, ["genesis"], edit(1))
        project.hire("narrow", 1, ["key"], 3, scope=("b",))
        project.op("outside", 3, ["narrow"], edit(1))
        project.hire("read", 1, ["narrow"], 4, "reader")
        project.op("reads", 4, ["read"], edit(1))
        project.hire("soon", 1, ["read"], 5, document={"validFrom": "2026-01-01T00:00:00.5Z"}.items())
        project.op("early", 5, ["soon"], edit(1), at=499)
        project.op("in time", 6, ["soon"], edit(1), at=500)
        project.op("last moment", 5, ["soon"], edit(1), at=999, seq=0)
        project.op("over", 5, ["soon"], edit(1), at=1000, seq=0)
        project.op("other paper", 1, ["soon"], {0: 5, 1: public(6), 2: project.ops["soon credential"]})
        project.op("impostor", 6, ["other paper"], edit(1), seq=0)
        project.hire("forged", 1, ["other paper"], 7, issuer_key=10)
        project.op("forger", 7, ["forged"], edit(1))
        self.check(
            project,
            nobody=("refused", "no_grant", None),
            outside=("refused", "out_of_scope", "narrow"),
            reads=("refused", "action_not_permitted", "read"),
            early=("refused", "not_yet_valid", "soon"),
            in_time=("refused", "no_grant", None),
            last_moment="applied",
            over=("refused", "expired", "soon"),
            impostor=("refused", "bad_credential", "other paper"),
            forger=("refused", "untrusted_issuer", "forged"),
        )

    def test_order_and_origin(self):
        project = self.project
        project.op("gap", 1, ["key"], edit(1), seq=3)
        project.op("stale", 2, ["key"], edit(1), at=1)
        project.op("stale child", 2, ["stale"], edit(1), at=0)
        project.op("foreign", 8, [], {0: 0, 1: "other", 2: bytes(16), 3: [public(8)], 4: []}, at=0)
        project.op("foreign child", 8, ["foreign"], edit(1))
        project.op("mixed", 1, ["foreign", "key"], edit(1), seq=77)
        project.op("lost", 1, ["key"], edit(1), seq=2)
        project.op("orphan", 1, ["lost"], edit(1), seq=3)
        project.items.pop(-2)
        self.check(
            project,
            gap=("refused", "bad_sequence", None),
            stale=("refused", "hlc_not_monotonic", None),
            stale_child=("refused", "hlc_not_monotonic", None),
            foreign=("refused", "foreign_project", None),
            foreign_child=("refused", "foreign_project", None),
            mixed=("refused", "refused_parent", "foreign"),
            orphan=("pending", None, None),
        )

    def test_conflicting_keys_are_both_listed(self):
        project = self.project
        project.op("other key", 1, ["key"], project.trust(10))
        project.hire("grant", 1, ["other key"], 3, issuer_key=10)
        project.op("edit", 3, ["grant"], edit(1))
        self.check(project, edit="applied")
        active = json.loads(export.trust(project.history()))["issuer_keys"]["active"]
        self.assertEqual([key["conflict"] for key in active], [True, True])

    def test_the_trust_view_tells_whose_root_serves(self):
        project = self.project
        validity = {"validFrom": "2025-12-31T23:59:59.1203+00:00", "nbf": 0, "validUntil": "2026-01-01T02:00:01+02:00"}
        project.op("wide key", 1, ["genesis"], {**project.trust(), 4: START_MS - 1000}, seq=1)
        project.hire("by paper", 1, ["wide key"], 5, "root", scope=[], document=validity.items())
        project.hire("policy", 1, ["by paper"], 4, "policy_admin")
        project.op("fork", 5, ["policy"], edit(1), seq=0)
        project.op("other fork", 5, ["policy"], edit(2), seq=0)
        project.op("whole", 1, ["fork", "other fork"], project.grant(5, "by paper credential"))
        project.op("revocation", 5, ["policy"], revoke(2), seq=0)
        project.op("own end", 1, ["whole"], revoke(1))
        project.op("paper of nobody", 2, ["genesis"], {0: 4, 1: "x"})
        project.op("void", 2, ["paper of nobody"], project.grant(6, "paper of nobody"))
        roots = project.document(export.trust)["roots"]
        ids = {name: op.hex() for name, op in project.ops.items()}
        subjects = {number: text.did_key(public(number)) for number in (1, 2, 5)}
        paper = {
            "credential": ids["by paper credential"],
            "subject": subjects[5],
            "valid_from": "2025-12-31T23:59:59.1203Z",
            "valid_until": "2026-01-01T00:00:01Z",
        }
        # Who revoked the maker of a grant ends the grant, too; `whole` had not seen the third fork, the revocation.
        expected = [
            {"grant": ids["genesis"], "frozen": False, "subject": subjects[1], "denial": ids["own end"]},
            {"grant": ids["genesis"], "frozen": False, "subject": subjects[2], "denial": ids["revocation"]},
            {"grant": ids["by paper"], "frozen": True, **paper, "denial": ids["own end"]},
            {"grant": ids["whole"], "frozen": True, **paper, "denial": ids["own end"]},
        ]
        for entry in expected:
            entry["reason"] = "revoked" if entry["grant"] == ids["genesis"] else "granter_denied"
        expected[0]["frozen"] = True
        expected = sorted(expected, key=lambda entry: (entry["grant"], text.key_of_did(entry["subject"])))
        self.assertEqual(roots, {"active": [], "revoked": expected})

        project = Project()
        project.op("key", 1, ["genesis"], project.trust())
        project.hire("by paper", 1, ["key"], 5, "root", scope=[])
        project.op("fork", 5, ["by paper"], edit(1), seq=0)
        project.op("other fork", 5, ["by paper"], edit(2), seq=0)
        project.op("whole", 1, ["fork", "other fork"], project.grant(5, "by paper credential"))
        roots = project.document(export.trust)["roots"]
        self.assertEqual(roots["revoked"], [])
        frozen = {(entry["grant"], entry["subject"]): entry["frozen"] for entry in roots["active"]}
        op = {name: id_.hex() for name, id_ in project.ops.items()}
        of_genesis = {(op["genesis"], subjects[root]): False for root in (1, 2)}
        papers = {(op["by paper"], subjects[5]): True, (op["whole"], subjects[5]): False}
        self.assertEqual(frozen, {**of_genesis, **papers})
        self.assertEqual(list(frozen), sorted(frozen, key=lambda entry: (entry[0], text.key_of_did(entry[1]))))
        project.items.pop(0)
        document = project.document(export.trust)
        self.assertEqual((document["name"], document["roots"]), (None, {"active": [], "revoked": []}))

    def test_registers_and_sets(self):
        project = self.project
        add = {0: 2, 1: "doc/1", 2: "labels", 3: "red", 4: 1}
        project.op("one", 1, ["key"], edit("x"))
        project.op("two", 2, ["key"], edit(b"\x00"))
        project.op("add", 1, ["one"], add)
        project.op("remove", 2, ["two", "add"], {0: 3, 1: "doc/1", 2: "labels", 3: "red"})
        project.op("add again", 1, ["add"], {**add, 4: 2})
        document = json.loads(export.state(project.history()))["objects"]["doc/1"]
        self.assertEqual(
            [winner["value"] for winner in document["fields"]["title"]["winners"]],
            ["x", {"bytes": "00"}] if project.ops["one"] < project.ops["two"] else [{"bytes": "00"}, "x"],
        )
        self.assertEqual(document["sets"]["labels"]["red"]["tags"], [project.ops["add again"].hex()])
        self.assertEqual(document["sets"]["labels"]["red"]["value"], 2)

    def test_the_reasons_are_those_of_the_policy_model(self):
        page = (ROOT / "docs/policy-model.md").read_text()
        refused, denied = page.split("### Refused")[1].split("### Denied")
        named = [re.findall(r"^\| `([a-z_]+)` \|", part, re.MULTILINE) for part in (refused, denied)]
        self.assertEqual(named, [list(REFUSALS), list(DENIALS)])


class Effects(unittest.TestCase):
    """What ops of trust and policy do. Each history is written with what is told of its ops."""

    def check(self, project, expected):
        """Each op with an expected effect has it: code, and the ops that it concerns; and all that must have one do."""
        told = project.effects()
        for name, (code, *on) in expected.items():
            self.assertEqual((told[name][0], told[name][2]), (code, set(on)), name)
        history = project.history()
        kinds = {op.id: op.kind for op in history.ops}
        with_effect = [op for op, kind in kinds.items() if kind not in ("SetField", "SetAdd", "SetRemove")]
        self.assertEqual({project.ops[name] for name in told}, set(with_effect))
        lines = {line["op"]: line["effect"] for line in map(json.loads, export.decisions(history).splitlines())}
        for name, (code, counts, on) in told.items():
            on = sorted(project.ops[other].hex() for other in on)
            self.assertEqual(lines[project.ops[name].hex()], {"code": code, "counts": counts, "on": on})
        self.assertEqual(sum(effect is not None for effect in lines.values()), len(told))
        return {(kinds[project.ops[name]], code) for name, (code, *_) in told.items()}

    def started(self, **how):
        project = Project(**how)
        project.op("key", 1, ["genesis"], project.trust())
        return project

    def void_grants(self):
        project = self.started()
        other = {"aud": "0" * 64}.items()
        project.op("words", 1, ["key"], {0: 4, 1: "x.y.z"})
        project.op("of words", 1, ["words"], project.grant(3, "words"))
        project.op("foreign", 1, ["of words"], project.credential(3, "editor", ["a"], document=other))
        project.op("of foreign", 1, ["foreign"], project.grant(4, "foreign"))
        project.op("paper", 1, ["of foreign"], project.credential(3, "editor", ["a"]))
        project.op("of nothing", 2, ["of foreign"], project.grant(3, "paper"))
        project.op("of a key", 2, ["of nothing"], project.grant(3, "key"))
        project.op("of another", 1, ["paper"], project.grant(4, "paper"))
        project.hire("unlisted", 1, ["of another"], 3, document={"issuer": "https://other.example"}.items())
        project.hire("needs a list", 1, ["unlisted"], 3, status=7)
        project.op("forged", 1, ["needs a list"], project.credential(3, "editor", ["a"], issuer_key=10))
        project.op("of forged", 1, ["forged"], project.grant(3, "forged"))
        return project, {
            "genesis": ["founds"],
            "key": ["lists"],
            "words": ["unreadable"],
            "of words": ["unreadable", "words"],
            "foreign": ["other_project"],
            "of foreign": ["other_project", "foreign"],
            "paper": ["carries"],
            "of nothing": ["no_credential"],
            "of a key": ["no_credential"],
            "of another": ["other_subject", "paper"],
            "unlisted credential": ["carries"],
            "unlisted": ["unlisted_key"],
            "needs a list": ["status_unknown", "needs a list credential"],
            "of forged": ["bad_signature", "key"],
        }

    def keys_one_after_another(self):
        project = Project()
        project.op("unseen", 2, ["genesis"], project.trust())
        project.op("short", 1, ["genesis"], project.trust(end=6))
        project.op("later", 1, ["short"], project.trust(10, start=1, end=900))
        project.op("paper", 1, ["later"], project.credential(3, "editor", ["a"]))
        project.op("early", 1, ["paper"], project.grant(3, "paper"), at=5)
        project.op("late", 1, ["early"], project.grant(3, "paper"))
        project.op("list", 1, ["late"], status_list())
        project.op("future list", 1, ["list"], status_list(document={"validFrom": "2026-01-01T00:00:00.95Z"}.items()))
        project.op("long", 1, ["future list"], project.trust(10))
        project.op("of long", 1, ["long"], project.grant(3, "paper"))
        project.op("end", 2, ["of long", "unseen"], revoke_key())
        project.op("of dead", 1, ["end"], project.grant(3, "paper"))
        project.op("dead list", 1, ["of dead"], status_list())
        return project, {
            "unseen": ["ended", "end"],
            "early": ["ended", "end"],
            "late": ["outside_window", "short", "later"],
            "list": ["withdraws_nothing"],
            "future list": ["outside_window", "short", "later"],
            # The window of `short` does not hold the stamp: of the others, no key verifies.
            "of long": ["bad_signature", "long"],
            "end": ["revokes_key", "short", "later", "long", "unseen"],
            "of dead": ["dead_key", "long", "unseen"],
            # The windows of a list hold its start only.
            "dead list": ["dead_key", "short", "long", "unseen"],
        }

    def ends_of_grants(self):
        project = self.started()
        project.hire("policy", 1, ["key"], 4, "policy_admin")
        project.op("paper", 1, ["policy"], project.credential(3, "editor", ["a"]))
        project.op("seen", 4, ["paper"], project.grant(3, "paper"))
        project.op("unseen", 4, ["seen"], project.grant(3, "paper"))
        project.op("own", 1, ["paper"], project.grant(3, "paper"))
        project.op("revocation", 1, ["own", "seen"], revoke(4))
        project.op("again", 1, ["revocation"], revoke(4))
        return project, {
            "policy": ["ended", min(["revocation", "again"], key=project.ops.get)],
            "seen": ["ended", min(["revocation", "again"], key=project.ops.get)],
            # The verdict's witness: both had not seen the op.
            "unseen": ["denied", min(["revocation", "again"], key=project.ops.get)],
            "own": ["grants"],
            "revocation": ["revokes", "policy"],
            # A grant counts, whatever became of it.
            "again": ["revokes", "policy"],
        }

    def revocations(self):
        project = self.started()
        project.hire("policy", 1, ["key"], 4, "policy_admin", scope=["a"])
        project.hire("editor", 1, ["policy"], 3, scope=["b", "c"])
        project.hire("reader", 1, ["editor"], 3, "reader", scope=["a"])
        project.op("void", 1, ["reader"], project.grant(5, "reader credential"))
        project.op("nobody", 1, ["void"], revoke(8))
        project.op("only void", 1, ["nobody"], revoke(5))
        project.op("other role", 1, ["only void"], revoke(3, role="root"))
        project.op("other scope", 1, ["other role"], revoke(3, scope=["d"]))
        project.op("role and scope", 1, ["other scope"], revoke(3, role="editor", scope=["a"]))
        project.op("one scope", 1, ["role and scope"], revoke(3, scope=["c", "d"]))
        project.op("reach", 4, ["void"], revoke(3))
        project.op("no reach", 4, ["reach"], revoke(3, role="editor"))
        project.op("no reach of root", 4, ["no reach"], revoke(1))
        project.op("concurrent", 1, ["one scope"], project.grant(8, "reader credential"))
        project.hire("concurrently", 1, ["concurrent"], 3, scope=["b"])
        project.op("any scope", 2, ["genesis"], revoke(1, scope=["z"]))
        project.op("too late", 1, ["concurrently"], revoke(7))
        project.hire("hired after", 1, ["too late"], 7)
        return project, {
            "nobody": ["no_grant"],
            "only void": ["no_grant"],
            "other role": ["not_matched", "editor", "reader"],
            "other scope": ["not_matched", "editor", "reader"],
            "role and scope": ["not_matched", "editor", "reader"],
            "one scope": ["revokes", "editor"],
            "reach": ["within_reach", "reader"],
            # A grant that comes in another branch is concerned, too.
            "no reach": ["out_of_reach", "editor", "concurrently"],
            "no reach of root": ["out_of_reach", "genesis"],
            "any scope": ["revokes", "genesis"],
            "too late": ["no_grant"],
        }

    def issuer_keys(self):
        project = self.started()
        project.op("other", 1, ["key"], project.trust(10))
        project.op("same", 1, ["other"], project.trust(9, end=5))
        project.op("denied", 2, ["key"], project.trust(11))
        project.op("revocation", 1, ["same"], revoke(2))
        project.op("no such key", 1, ["revocation"], revoke_key("key-2"))
        project.op("before", 1, ["no such key"], {0: 8, 1: ISSUER, 2: "key-3", 3: "lost"})
        project.op("after", 1, ["before"], {**project.trust(), 2: "key-3"})
        project.hire("admin", 1, ["after"], 4, "issuer_admin")
        project.op("third", 4, ["admin"], {**project.trust(), 2: "key-4"})
        project.op("fourth", 1, ["third"], {**project.trust(10), 2: "key-4"})
        project.op("end", 1, ["fourth"], revoke_key("key-4"))
        project.op("fifth", 1, ["end"], {**project.trust(11), 2: "key-4"})
        return project, {
            "key": ["conflicts", "other"],
            "same": ["conflicts", "other"],
            "other": ["conflicts", "key", "same"],
            "denied": ["denied", "revocation"],
            "no such key": ["unlisted_key"],
            "before": ["unlisted_key"],
            "after": ["lists"],
            "third": ["ended", "end"],
            "fourth": ["ended", "end"],
            "end": ["revokes_key", "third", "fourth"],
            # The others of this kid have ended.
            "fifth": ["lists"],
        }

    def status_lists(self):
        project = self.started()
        header = {"alg": "EdDSA", "typ": "vc+jwt", "kid": "key-2"}
        project.op("none", 1, ["key"], status_list())
        project.op("words", 1, ["none"], {0: 9, 1: mint({}, 9)})
        project.op("other project", 1, ["words"], status_list(7, document={"aud": ["x"]}.items()))
        project.op("other kid", 1, ["other project"], status_list(7, header=header))
        project.op("forged", 1, ["other kid"], status_list(7, issuer_key=10))
        project.op("bit", 1, ["forged"], status_list(7))
        project.op("other id", 1, ["bit"], status_list(7, document={"id": ISSUER + "/status/2"}.items()))
        subjects = {"credentialSubject": [{"type": "BitstringStatusList"}]}.items()
        project.op("several subjects", 1, ["other id"], status_list(7, document=subjects))
        project.hire("before", 1, ["several subjects"], 3, status=7)
        project.hire("other bit", 1, ["before"], 4, status=6)
        project.op("again", 1, ["other bit"], project.grant(3, "before credential"))
        project.op("void", 1, ["again"], project.grant(5, "before credential"))
        project.op("clear", 1, ["void"], status_list(8))
        return project, {
            "none": ["withdraws_nothing"],
            "words": ["unreadable"],
            "several subjects": ["unreadable"],
            "other project": ["other_project"],
            "other kid": ["unlisted_key"],
            "forged": ["bad_signature", "key"],
            "bit": ["withdraws", "before", "again"],
            "other id": ["withdraws_nothing"],
            "before": ["ended", "bit"],
            "other bit": ["grants"],
            "clear": ["withdraws_nothing"],
        }

    def evolution(self):
        rules = [["a/*", "*", ["a"]], ["doc/*", "*", ["a"]], ["doc/*", "*", ["a", "b"]]]
        project = self.started()
        project.op("future", 1, ["key"], upgrade("future"))
        project.op("parameters", 1, ["future"], upgrade("schema", b"x"))
        project.op("upgrade", 1, ["parameters"], upgrade("schema"))
        project.op("other", 2, ["parameters"], upgrade("schema"))
        project.op("again", 1, ["upgrade"], upgrade("schema"))
        project.op("wrong again", 1, ["again"], upgrade("schema", b"x"))
        project.op("of genesis", 1, ["wrong again"], schema(rules[1]))
        project.op("rules", 1, ["of genesis"], schema(*rules))
        project.op("unseen", 2, ["other"], schema(rules[0]))
        project.op("both", 2, ["unseen", "rules"], schema(rules[0], rules[2]))
        return project, {
            "future": ["unknown_feature"],
            "parameters": ["bad_parameters"],
            "upgrade": ["upgrades"],
            "other": ["upgrades"],
            "again": ["in_force"],
            "wrong again": ["bad_parameters"],
            "of genesis": ["in_force"],
            "rules": ["adds_rules"],
            "unseen": ["adds_rules"],
            "both": ["in_force"],
        }

    def sixty_five_links(self):
        project = self.started()
        last = "key"
        for link in range(1, 66):
            granter = link + 99 if link > 1 else 1
            project.op(f"paper {link}", 1, [last], project.credential(link + 100, "root", []))
            last = f"link {link}"
            project.op(last, granter, [f"paper {link}"], project.grant(link + 100, f"paper {link}"))
        project.op("beyond", 165, [last], edit(1))
        # A grant by the last but one is as deep; a root's own is not, but for the key that vouches.
        project.op("deep paper", 1, [last], {0: 4, 1: "x"})
        project.op("no credential", 164, ["deep paper"], project.grant(3, "key"))
        project.op("deep key", 164, ["no credential"], {**project.trust(10), 2: "key-2"})
        header = {"alg": "EdDSA", "typ": "vc+jwt", "kid": "key-2"}
        claims = json.loads(credential_claims(project.credential(3, "editor", ["a"])))
        project.op("by the deep key", 1, ["deep key"], {0: 4, 1: mint(claims, 10, header)})
        project.op("deep by key", 1, ["by the deep key"], project.grant(3, "by the deep key"))
        project.op("too deep", 3, ["deep by key"], edit(1))
        said = project.verdicts()
        self.assertEqual(said["beyond"], ("refused", "no_grant", "link 65"))
        self.assertEqual(said["too deep"], ("refused", "no_grant", "deep by key"))
        return project, {
            "link 64": ["grants"],
            "link 65": ["too_deep"],
            "no credential": ["too_deep"],
            "deep key": ["lists"],
            "deep by key": ["too_deep"],
        }

    def test_effects_are_told_of_every_kind(self):
        told = set()
        for history in (
            self.void_grants,
            self.keys_one_after_another,
            self.ends_of_grants,
            self.revocations,
            self.issuer_keys,
            self.status_lists,
            self.evolution,
            self.sixty_five_links,
            keys_and_their_effects,
        ):
            with self.subTest(history.__name__):
                told |= self.check(*history())
        for history in HISTORIES:
            with self.subTest(history.__name__):
                project, _, effects = history()
                told |= self.check(project, effects)
        self.assertEqual(told, {(kind, code) for kind, codes in COUNTS.items() for code in codes})

    def test_the_effects_are_those_of_the_policy_model(self):
        page = (ROOT / "docs/policy-model.md").read_text()
        table = page.split("\n## Effects\n")[1].split("\n## ")[0]
        rows = re.findall(r"^\| (`[A-Za-z]+`)? ?\| (`[a-z_`, ]+) \| (yes|no)? ?\|", table, re.MULTILINE)
        self.assertEqual(len(rows), table.count("\n|") - 2)
        counts = {}
        for kind, codes, counted in rows:
            if kind:
                effects = counts.setdefault(kind.strip("`"), [])
            effects += [(code, {"yes": True, "no": False, "": None}[counted]) for code in re.findall("[a-z_]+", codes)]
        self.assertEqual(counts, {kind: list(effects.items()) for kind, effects in COUNTS.items()})


def credential_claims(payload):
    part = payload[1].split(".")[1]
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


class Compared(unittest.TestCase):
    def test_every_member_of_a_decision_is_compared(self):
        project = Project([["future", b""]])
        project.op("nobody", 1, ["genesis"], revoke(8))
        project.op("held", 1, ["genesis"], {0: 22})
        project.op("lost", 1, ["nobody"], edit(1))
        project.op("waits", 1, ["lost"], edit(1))
        project.items.pop(-2)
        written = export.decisions(project.history())
        for old, new in [
            (b"", b""),
            (b'"unsupported"', b'"pending"'),
            (b'"counts":false', b'"counts":true'),
            (b'"no_grant"', b'"out_of_reach"'),
            (project.ops["lost"].hex().encode(), bytes(64)),
            (b',"effect":null', b""),
        ]:
            self.assertIn(old, written)
            with tempfile.TemporaryDirectory() as directory, contextlib.redirect_stdout(io.StringIO()):
                log = Path(directory, "x.cborseq")
                log.write_bytes(b"".join(project.items))
                log.with_suffix(".decisions").write_bytes(written.replace(old, new, 1))
                self.assertEqual(oracle.compare(Path(directory)), int(old != new), new)


class Golden(unittest.TestCase):
    def test_the_golden_set_is_what_its_op_logs_amount_to(self):
        golden = ROOT / "docs/eval/golden"
        logs = sorted(golden.glob("*-ops.cborseq"))
        self.assertTrue(logs)
        for log in logs:
            history = oracle.judge(log)
            name = log.name.removesuffix("-ops.cborseq")
            self.assertEqual(export.state(history), (golden / f"{name}-state.json").read_bytes(), name)
            # The last row of the metrics counts what was decided.
            columns, *_, total = [line.split(",") for line in (golden / f"{name}.csv").read_text().splitlines()[1:]]
            counted = dict(zip(columns, total, strict=True))
            for verdict in ("applied", "denied", "refused", "pending"):
                decided = sum(decision.verdict == verdict for decision in history.decisions.values())
                self.assertEqual(decided, int(counted[verdict]), f"{name} {verdict}")
            if name.startswith("offline-revoke"):
                self.assertEqual(export.trust(history), (golden / "trustview.json").read_bytes())


if __name__ == "__main__":
    unittest.main()
