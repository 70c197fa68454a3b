"""What is decided of histories. No expected value comes from the oracle, and only the golden set's from the engine."""

import json
import re
import unittest

import oracle
from ecac_oracle import export
from ecac_oracle.judge import DENIALS, REFUSALS
from project import ISSUER, ROOT, Project, edit, public, revoke, status_list


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

    def test_an_equivocator_loses_both_ops(self):
        project = self.project
        project.hire("grant", 1, ["key"], 3)
        project.op("before", 3, ["grant"], edit(0))
        project.op("one", 3, ["before"], edit(1), seq=1)
        project.op("two", 3, ["before"], edit(2), seq=1)
        project.op("after", 3, ["one", "two"], edit(3), seq=2)
        least = min(["one", "two"], key=project.ops.get)
        self.check(
            project,
            before="applied",
            one=("denied", "equivocation", "two"),
            two=("denied", "equivocation", "one"),
            after=("refused", "revoked", least),
        )
        self.assertEqual(len(json.loads(export.trust(project.history()))["equivocations"]), 1)

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
