"""Histories of quorum, seals, endorsements and devices in which one condition of a rule decides."""

import unittest

from project import ISSUER, Project, edit, revoke, revoke_key, sealing, status_list, unlink
from test_features import two_of_three


class Conditions(unittest.TestCase):
    def check(self, project, verdicts, effects=()):
        """What is decided of ops, and what is told of ops: the effect, then the ops that it concerns."""
        said, told = project.verdicts(), project.effects()
        for name, verdict in verdicts.items():
            self.assertEqual(said[name], verdict, name)
        for name, (code, *on) in dict(effects).items():
            self.assertEqual((told[name][0], told[name][2]), (code, set(on)), name)

    def with_boss(self):
        """A project of three roots of whom two have to sign, and 4 as a root by credential."""
        project = two_of_three()
        project.op("list", 1, ["key"], status_list())
        project.hire("boss", 1, ["list"], 4, "root", ())
        project.op("signed", 2, ["boss"], project.cosign("boss"))
        return project

    # -----------------------------------------------------------------------------------------------------------------
    # Quorum
    # -----------------------------------------------------------------------------------------------------------------

    def test_two_roots_end_a_key_also_for_a_root(self):
        project = self.with_boss()
        project.full("end", 1, 3, ["signed"], revoke_key())
        project.op("work", 4, ["signed"], edit(1))
        self.check(project, {"work": ("denied", "issuer_key_revoked", "end")}, {"end": ["revokes_key", "key"]})

    def test_only_a_root_is_counted(self):
        project = self.with_boss()
        project.hire("issuer", 1, ["signed"], 6, "issuer_admin", ())
        project.op("end", 6, ["issuer"], revoke_key())
        project.op("one", 1, ["end"], project.cosign("end"))
        project.op("work", 4, ["signed"], edit(1))
        self.check(project, {"work": "applied"}, {"end": ["in_part", "key"], "one": ["cosigns", "end"]})
        project.op("two", 3, ["end"], project.cosign("end"))
        self.check(project, {"work": ("denied", "issuer_key_revoked", "end")}, {"end": ["revokes_key", "key"]})

    def test_a_person_with_a_device_is_one_person(self):
        project = two_of_three()
        project.full("linked", 1, 2, ["key"], project.device(1, 20))
        project.op("proposal", 1, ["linked cosigned"], revoke(3))
        project.op("by device", 20, ["proposal"], project.cosign("proposal"))
        project.op("work", 3, ["key"], edit(1))
        self.check(
            project,
            {"by device": "applied", "work": "applied"},
            {"proposal": ["short", "genesis"], "by device": ["adds_nobody", "proposal"]},
        )

    def test_a_stale_signature_of_a_denial_is_not_counted(self):
        project = self.with_boss()
        project.full("deposed", 1, 2, ["signed"], revoke(3))
        project.full("seal", 1, 2, ["deposed cosigned"], sealing())
        project.op("proposal", 4, ["signed"], revoke(2))
        project.op("late", 3, ["proposal"], project.cosign("proposal"))
        project.op("work", 2, ["signed"], edit(1))
        self.check(project, {"work": "applied"}, {"proposal": ["short", "genesis"], "late": ["stale", "seal"]})

    def test_a_seal_drops_nothing_that_it_had_not_seen(self):
        project = two_of_three()
        project.full("seal", 1, 2, ["key"], sealing())
        project.full("deposed", 1, 3, ["seal cosigned"], revoke(2))
        project.op("work", 2, ["seal cosigned"], edit(1), seq=1)
        self.check(project, {"work": ("denied", "revoked", "deposed")}, {"deposed": ["revokes", "genesis"]})

    def test_a_root_and_its_device_can_each_part_alone(self):
        for author in (2, 20):
            project = two_of_three()
            project.full("linked", 2, 3, ["key"], project.device(2, 20))
            project.op("parted", author, ["linked cosigned"], unlink(2, 20))
            project.op("again", 20, ["parted"], edit(1))
            self.check(project, {"again": ("refused", "revoked", "parted")}, {"parted": ["unlinks", "linked"]})

    def test_a_void_grant_of_root_is_first_of_all_not_full(self):
        project = two_of_three()
        project.hire("forged", 1, ["key"], 4, "root", (), issuer_key=10)
        project.op("paper", 1, ["forged"], project.credential(5, "root", []))
        project.op("of another", 1, ["paper"], project.grant(6, "paper"))
        project.op("forged edit", 4, ["forged"], edit(1))
        project.op("edit of another", 6, ["of another"], edit(2))
        self.check(
            project,
            {
                "forged edit": ("refused", "no_grant", "forged"),
                "edit of another": ("refused", "no_grant", "of another"),
            },
        )
        project.op("signed", 2, ["of another"], project.cosign("forged"))
        project.op("signed too", 2, ["signed"], project.cosign("of another"))
        project.op("full forged edit", 4, ["signed"], edit(1))
        project.op("full edit of another", 6, ["signed too"], edit(2))
        self.check(
            project,
            {
                "full forged edit": ("refused", "untrusted_issuer", "forged"),
                "full edit of another": ("refused", "bad_credential", "of another"),
            },
        )

    def test_a_key_that_no_root_rests_on_falls_whole(self):
        project = self.with_boss()
        project.op("other key", 1, ["signed"], {**project.trust(10), 2: "key-2"})
        project.op("end", 3, ["other key"], {0: 8, 1: ISSUER, 2: "key-2", 3: "lost"})
        self.check(project, {"end": "applied"}, {"end": ["revokes_key", "other key"]})

    # -----------------------------------------------------------------------------------------------------------------
    # Seals and endorsements
    # -----------------------------------------------------------------------------------------------------------------

    def test_a_seal_is_final_where_it_is_known(self):
        project = Project([["seal", b""]], roots=(1,))
        project.op("key", 1, ["genesis"], project.trust())
        project.hire("policy", 1, ["key"], 5, "policy_admin")
        project.hire("editor", 1, ["policy"], 4)
        project.op("end of policy", 1, ["editor"], revoke(5))
        project.op("seal", 1, ["end of policy"], sealing())
        project.op("late", 5, ["editor"], revoke(4))
        project.op("in doubt", 4, ["late"], edit(1))
        project.op("goes on", 4, ["late", "seal"], edit(2))
        self.check(
            project,
            {"in doubt": ("refused", "revoked", "late"), "goes on": "applied"},
            {"late": ["stale", "seal"], "editor": ["grants"]},
        )

    def test_what_is_denied_within_a_seal_stays_denied(self):
        project = two_of_three()
        project.hire("editor", 1, ["key"], 4)
        project.op("edit", 4, ["editor"], edit(1))
        project.op("revocation", 1, ["editor"], revoke(4))
        project.full("seal", 2, 3, ["edit", "revocation"], sealing())
        self.check(project, {"edit": ("denied", "revoked", "revocation")}, {"seal": ["seals"]})

    def test_an_endorsement_that_a_seal_had_not_seen_does_not_bear_on_it(self):
        project = two_of_three()
        project.hire("editor", 1, ["key"], 4)
        project.hire("other", 1, ["editor"], 5)
        project.op("edit", 4, ["other"], edit(1))
        project.op("revocation", 1, ["other"], revoke(4))
        project.full("seal", 2, 3, ["edit", "revocation"], sealing())
        project.op("endorsed", 5, ["edit"], project.endorse("edit"))
        self.check(project, {"edit": "applied"}, {"endorsed": ["reinstates", "edit"]})
        project.op("end of other", 1, ["revocation"], revoke(5))
        self.check(project, {"edit": ("denied", "revoked", "revocation")})

    def test_an_endorsement_within_a_seal_keeps_what_it_names(self):
        project = two_of_three()
        project.hire("editor", 1, ["key"], 4)
        project.hire("other", 1, ["editor"], 5)
        project.op("edit", 4, ["other"], edit(1))
        project.op("revocation", 1, ["other"], revoke(4))
        project.op("endorsed", 5, ["edit"], project.endorse("edit"))
        project.full("seal", 2, 3, ["endorsed", "revocation"], sealing())
        project.op("end of other", 1, ["revocation"], revoke(5))
        self.check(project, {"endorsed": "applied", "edit": "applied"}, {"endorsed": ["reinstates_nothing"]})

    def test_a_seal_in_whose_past_a_denial_is_stale_does_not_revive_it(self):
        project = two_of_three()
        project.hire("policy", 1, ["key"], 5, "policy_admin")
        project.hire("editor", 1, ["policy"], 4)
        project.op("late", 5, ["editor"], revoke(4))
        project.op("end of policy", 1, ["editor"], revoke(5))
        project.full("seal", 2, 3, ["end of policy"], sealing())
        project.full("second seal", 2, 3, ["seal cosigned", "late"], sealing())
        project.op("edit", 4, ["editor"], edit(1))
        self.check(project, {"edit": "applied"}, {"late": ["stale", "seal"]})

    def test_a_denial_that_still_has_a_warrant_is_not_stale(self):
        project = two_of_three()
        project.hire("policy", 1, ["key"], 5, "policy_admin", ("a",))
        project.hire("more policy", 1, ["policy"], 5, "policy_admin", ("a", "b"))
        project.hire("editor", 1, ["more policy"], 4)
        project.op("end of more", 1, ["editor"], revoke(5, scope=["b"]))
        project.full("seal", 2, 3, ["end of more"], sealing())
        project.op("late", 5, ["editor"], revoke(4))
        project.op("edit", 4, ["editor"], edit(1))
        self.check(project, {"edit": ("denied", "revoked", "late")}, {"late": ["revokes", "editor"]})

    def test_the_least_wrong_target_is_the_witness(self):
        project = two_of_three()
        project.hire("editor", 1, ["key"], 4)
        project.op("one", 4, ["editor"], edit(1))
        project.op("of two", 1, ["one"], project.endorse("one", "key", "editor"))
        least = min(["key", "editor"], key=project.ops.get)
        self.check(project, {"of two": ("refused", "bad_target", least)})

    # -----------------------------------------------------------------------------------------------------------------
    # Devices
    # -----------------------------------------------------------------------------------------------------------------

    def desk(self):
        """A help desk for the scope a, and 4 as an editor of the scope a."""
        project = two_of_three()
        project.hire("desk", 1, ["key"], 5, "policy_admin", ("a",))
        project.hire("editor", 1, ["desk"], 4)
        return project

    def test_a_link_by_a_help_desk_carries_no_later_grant(self):
        project = self.desk()
        project.op("linked", 5, ["editor"], project.device(4, 40))
        project.op("revocation", 1, ["linked"], revoke(4))
        project.op("again", 1, ["revocation"], project.grant(4, "editor credential"))
        project.op("person", 4, ["again"], edit(1))
        project.op("by device", 40, ["again"], edit(2))
        self.check(
            project,
            {"person": "applied", "by device": ("refused", "revoked", "revocation")},
            {"linked": ["links", "editor"]},
        )

    def test_what_carries_one_grant_makes_no_link_for_another(self):
        project = self.desk()
        project.op("linked", 5, ["editor"], project.device(4, 40))
        project.op("more", 1, ["linked"], project.grant(4, "editor credential"))
        project.op("chained", 40, ["more"], project.device(4, 41))
        project.op("by second", 41, ["chained"], edit(1))
        self.check(project, {"by second": "applied"}, {"chained": ["links", "editor"]})

    def test_a_link_by_a_help_desk_carries_what_it_could_have_granted(self):
        project = self.desk()
        project.hire("wide", 1, ["editor"], 6, scope=("a", "b"))
        project.hire("issuer", 1, ["wide"], 7, "issuer_admin", ())
        project.op("paper", 1, ["issuer"], project.credential(4, "editor", ["a"]))
        project.op("void", 1, ["paper"], project.grant(8, "paper"))
        for person in (6, 7, 8):
            seen = {6: "void", 7: "linked 6", 8: "linked 7"}[person]
            # A root could have granted anything, and yet not what does not count.
            project.op(f"linked {person}", 1 if person == 8 else 5, [seen], project.device(person, person * 10))
        project.op("wide edit", 60, ["linked 6"], edit(1))
        project.op("issuer key", 70, ["linked 7"], project.trust(10))
        project.op("void edit", 80, ["linked 8"], edit(2))
        self.check(
            project,
            {
                "wide edit": ("refused", "no_grant", "wide"),
                "issuer key": ("refused", "no_grant", "issuer"),
                "void edit": ("refused", "no_grant", "void"),
            },
            {f"linked {person}": ["carries_nothing"] for person in (6, 7, 8)},
        )

    def test_a_link_falls_with_the_warrants_that_could_have_granted(self):
        project = self.desk()
        project.hire("other desk", 1, ["editor"], 5, "policy_admin", ("b",))
        project.op("linked", 5, ["other desk"], project.device(4, 40))
        project.op("by device", 40, ["linked"], edit(1))
        project.op("end of desk", 1, ["linked"], revoke(5, scope=["a"]))
        self.check(
            project,
            {"linked": "applied", "by device": ("denied", "granter_denied", "end of desk")},
            {"linked": ["ended", "end of desk"]},
        )

    def test_a_link_of_a_root_stands_on_its_signatures(self):
        project = two_of_three()
        project.full("linked", 1, 3, ["key"], project.device(2, 20))
        project.full("deposed", 2, 3, ["genesis"], revoke(1))
        project.op("by device", 20, ["linked cosigned"], edit(1))
        self.check(
            project,
            {"linked": ("denied", "revoked", "deposed"), "by device": "applied"},
            {"linked": ["links", "genesis"]},
        )

    def test_whoever_has_no_scope_parts_from_a_device(self):
        project = two_of_three()
        project.hire("issuer", 1, ["key"], 6, "issuer_admin", ())
        project.op("linked", 6, ["issuer"], project.device(6, 60))
        project.op("listed", 60, ["linked"], project.trust(10))
        project.op("parted", 6, ["linked"], unlink(6, 60))
        self.check(project, {"listed": ("denied", "revoked", "parted")}, {"parted": ["unlinks", "linked"]})

    def test_a_new_link_is_not_ended_by_what_it_had_seen(self):
        project = self.desk()
        project.op("linked", 4, ["editor"], project.device(4, 40))
        project.op("parted", 4, ["linked"], unlink(4, 40))
        project.op("linked again", 4, ["parted"], project.device(4, 40))
        project.op("by device", 40, ["linked again"], edit(1))
        self.check(
            project,
            {"by device": "applied"},
            {
                "linked": ["ended", "parted"],
                "parted": ["unlinks", "linked"],
                "linked again": ["links", "editor"],
            },
        )

    def test_a_key_can_be_the_device_of_two(self):
        project = self.desk()
        project.hire("other", 1, ["editor"], 6)
        project.op("linked", 4, ["other"], project.device(4, 40))
        project.op("linked too", 6, ["linked"], project.device(6, 40))
        project.op("by device", 40, ["linked too"], edit(1))
        project.op("parted", 4, ["linked"], unlink(4, 40))
        self.check(
            project, {"by device": "applied"}, {"parted": ["unlinks", "linked"], "linked too": ["links", "other"]}
        )

    def test_there_is_nothing_to_end_of_a_void_link(self):
        project = self.desk()
        project.op("forged", 4, ["editor"], project.device(4, 40, of_project=bytes(32)))
        project.op("parted", 4, ["forged"], unlink(4, 40))
        self.check(project, {"parted": "applied"}, {"forged": ["bad_proof"], "parted": ["no_link"]})

    def test_what_a_link_does_not_carry_is_out_of_reach(self):
        project = self.desk()
        project.hire("far desk", 1, ["editor"], 6, "policy_admin", ("b",))
        project.op("linked", 5, ["far desk"], project.device(4, 40))
        project.hire("more", 1, ["linked"], 4, scope=("b",))
        project.op("parted", 6, ["more"], unlink(4, 40))
        self.check(
            project, {"parted": "applied"}, {"parted": ["out_of_reach", "linked"], "linked": ["links", "editor"]}
        )

    def test_of_a_link_that_has_ended_for_each_grant_the_first_grant_tells(self):
        project = self.desk()
        project.hire("far desk", 1, ["editor"], 6, "policy_admin", ("b",))
        project.hire("more", 1, ["far desk"], 4, scope=("b",))
        project.op("linked", 4, ["more"], project.device(4, 40))
        project.op("parted", 5, ["linked"], unlink(4, 40))
        self.check(project, {}, {"linked": ["links", "editor", "more"]})
        project.op("parted too", 6, ["linked"], unlink(4, 40))
        first = min(["editor", "more"], key=project.ops.get)
        ended = {"editor": "parted", "more": "parted too"}[first]
        self.check(project, {}, {"linked": ["ended", ended]})


if __name__ == "__main__":
    unittest.main()
