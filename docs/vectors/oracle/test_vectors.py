"""The vectors hold, and a vector that states something else does not."""

import re
import unittest

from ecac_oracle import export, vectors
from project import ROOT, Project, edit, revoke, upgrade

VECTORS = ROOT / "docs/vectors"


class Vectors(unittest.TestCase):
    def test_every_vector_holds(self):
        paths = sorted(VECTORS.glob("*/*.txt"))
        paths = [path for path in paths if path.parent.name != "oracle"]
        self.assertTrue(paths)
        for path in paths:
            statements, faults = vectors.check(path.read_text(encoding="utf-8"))
            self.assertFalse(faults, path.name)
            self.assertTrue(statements, path.name)

    def denied(self, path, pattern, replacement):
        """The vector without one change holds, and with it does not."""
        text = (VECTORS / path).read_text(encoding="utf-8")
        changed = re.sub(pattern, replacement, text, count=1, flags=re.MULTILINE)
        self.assertNotEqual(changed, text, pattern)
        self.assertTrue(vectors.check(changed)[1], f"{path}: {pattern}")

    def test_every_kind_of_statement_is_checked(self):
        for path, pattern, replacement in [
            ("denied/revoked.txt", "^expect: denied", "expect: refused"),
            ("denied/revoked.txt", "^decision concurrent denied", "decision concurrent applied"),
            ("denied/revoked.txt", "witness hired$", "witness key"),
            ("denied/revoked.txt", "^decision after .*\n", ""),
            ("denied/revoked.txt", "^op seen [0-9a-f]{4}", "op seen 0000"),
            ("denied/revoked.txt", "^subject: concurrent", "subject: seen"),
            ("denied/revoked.txt", "^state-sha256: ....", "state-sha256: 0000"),
            ("denied/revoked.txt", "^trust-sha256: ....", "trust-sha256: 0000"),
            ("denied/revoked.txt", "^about", "remark"),
            ("state/later-write-settles.txt", '^state: .*"value":9', 'state: {"value":8'),
            ("state/snapshots-of-seals.txt", "^snapshot old ....", "snapshot old 0000"),
            ("state/snapshots-of-seals.txt", "^snapshot bound ....", "snapshot bound 0000"),
            ("laws/order-free.txt", "^order: follows ", "order: "),
            ("laws/caused.txt", "^after 5 decision concurrent pending", "after 6 decision concurrent pending"),
            ("denied/revoked.txt", "^effect revoked revokes yes", "effect revoked revokes no"),
            ("denied/effects-of-denials.txt", "^effect distrusted revokes_key yes on key", "effect distrusted revokes_key yes"),
            ("unsupported/tomorrow.txt", "^decision on-new unsupported", "decision on-new applied witness hired"),
            ("laws/incremental-equals-full.txt", "^after 5 state-sha256 ....", "after 5 state-sha256 0000"),
            ("laws/incremental-equals-full.txt", "^after 5 trust-sha256 ....", "after 5 trust-sha256 0000"),
            ("laws/harmless-copies.txt", "^noise bad_signature", "noise non_canonical"),
            ("codec/accepted-grant.txt", "^op-id: ....", "op-id: 0000"),
            ("codec/accepted-grant.txt", "^body: ..", "body: 00"),
            ("codec/accepted-grant.txt", "^(envelope: .*)..$", r"\g<1>00"),
            ("codec/bad-signature.txt", "^expect: refused bad_signature", "expect: accepted"),
            ("codec/parents-order.txt", "^expect: refused non_canonical", "expect: refused bad_signature"),
        ]:
            self.denied(path, pattern, replacement)


class Written(unittest.TestCase):
    """A vector with what is told of effects, of ops that are not supported, and of ops that wait."""

    def setUp(self):
        project = Project([["future", b""]])
        project.op("key", 1, ["genesis"], project.trust())
        project.op("nobody", 1, ["key"], revoke(8))
        project.op("upgrade", 1, ["nobody"], upgrade("schema"))
        project.op("other", 1, ["upgrade"], upgrade("other"))
        project.op("held", 1, ["other"], {0: 22})
        project.op("second-key", 1, ["other"], project.trust(10), seq=5)
        project.op("lost", 2, ["key"], edit(1))
        self.lost = project.ops.pop("lost").hex()
        project.items.pop()
        project.ops["lost"] = bytes.fromhex(self.lost)
        project.op("waits", 2, ["lost"], edit(1))
        del project.ops["lost"]
        history = project.history()
        digests = [vectors.digest(write(history)) for write in (export.state, export.trust)]
        order = " ".join(name for name in project.ops if name != "nobody")
        self.text = "\n".join(
            [
                "expect: unsupported",
                "about: A kind of a later program.",
                "rule: docs/policy-model.md#features",
                f"project: {project.genesis.hex()}",
                "subject: held",
                *(
                    f"op {name} {id_.hex()} {item.hex()}"
                    for (name, id_), item in zip(project.ops.items(), project.items, strict=True)
                ),
                *(
                    f"decision {name} applied witness genesis"
                    for name in ("genesis", "key", "nobody", "upgrade", "other")
                ),
                "decision held unsupported",
                "decision second-key applied witness genesis",
                f"decision waits pending missing {self.lost}",
                "effect genesis founds yes",
                "effect key conflicts yes on second-key",
                "effect nobody no_grant no",
                "effect upgrade upgrades yes",
                "effect other unknown_feature unknown",
                "effect second-key conflicts yes on key",
                f"state-sha256: {digests[0]}",
                f"trust-sha256: {digests[1]}",
                f"order: {order} nobody",
                "after 2 effect key lists yes",
                f"after {len(order.split())} decision held pending missing nobody",
            ]
        )

    def test_it_holds(self):
        self.assertEqual(vectors.check(self.text)[1], [])

    def test_each_statement_of_it_is_checked(self):
        for pattern, replacement in [
            ("^expect: unsupported", "expect: applied"),
            ("^decision held unsupported", "decision held refused unknown_kind"),
            ("^decision waits pending missing .*", "decision waits pending"),
            ("^decision waits pending missing ....", "decision waits pending missing 0000"),
            ("^effect nobody no_grant no", "effect nobody no_grant yes"),
            ("^effect nobody no_grant", "effect nobody not_matched"),
            ("^effect other unknown_feature unknown", "effect other unknown_feature no"),
            ("^effect key conflicts yes on second-key", "effect key conflicts yes"),
            ("^effect key conflicts yes on second-key", "effect key conflicts yes on genesis"),
            ("^effect upgrade .*\n", ""),
            ("^(effect nobody) .*", r"\g<0>\neffect held carries yes"),
            ("^after 2 effect key lists yes", "after 2 effect key lists no"),
            ("^after 2 effect key", "after 2 effect nobody"),
            ("missing nobody$", "missing other"),
        ]:
            changed = re.sub(pattern, replacement, self.text, count=1, flags=re.MULTILINE)
            self.assertNotEqual(changed, self.text, pattern)
            self.assertTrue(vectors.check(changed)[1], pattern)


if __name__ == "__main__":
    unittest.main()
