"""The vectors hold, and a vector that states something else does not."""

import re
import unittest

from ecac_oracle import vectors
from project import ROOT

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
            ("laws/order-free.txt", "^order: follows ", "order: "),
            ("laws/monotone.txt", "^after 5 decision concurrent pending", "after 6 decision concurrent pending"),
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


if __name__ == "__main__":
    unittest.main()
