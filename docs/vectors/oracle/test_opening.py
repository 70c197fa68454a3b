"""Opening: the ciphers by published vectors, and the documents of the engine by the golden log."""

import copy
import json
import unittest

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

import oracle
from ecac_oracle import opening
from project import ROOT

LOG = ROOT / "docs/eval/golden/confidential-42-ops.cborseq"
SEALED = ROOT / "docs/vectors/sealed"


class Ciphers(unittest.TestCase):
    def test_hchacha20_is_that_of_the_draft(self):
        # draft-irtf-cfrg-xchacha-03, section 2.2.1.
        key = bytes(range(32))
        nonce = bytes.fromhex("000000090000004a0000000031415927")
        derived = "82413b4227b27bfed30e42508a877d73a0f9e4d58a74a853c12ec41326d3ecdc"
        self.assertEqual(opening.hchacha20(key, nonce).hex(), derived)

    def test_xchacha20_poly1305_is_that_of_the_draft(self):
        # Appendix A.3.1.
        key, nonce = bytes(range(0x80, 0xA0)), bytes(range(0x40, 0x58))
        aad = bytes.fromhex("50515253c0c1c2c3c4c5c6c7")
        plain = (
            b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it."
        )
        cipher = opening.xchacha20_poly1305(key, nonce)
        self.assertIsInstance(cipher, ChaCha20Poly1305)
        sealed = cipher.encrypt(bytes(4) + nonce[16:], plain, aad)
        self.assertEqual(sealed[:16].hex(), "bd6d179d3e83d43b9576579493c0e939")
        self.assertEqual(sealed[-16:].hex(), "c0875924c1c7987947deafd8780acf49")

    def test_bytes_that_are_no_value_are_none(self):
        self.assertTrue(opening.is_value(b"\x61a"))
        for plain in (b"", b"\x18\x01", b"\x61a\x00", b"\x80", b"\xff"):
            self.assertFalse(opening.is_value(plain), plain)


class Golden(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.history = oracle.judge(LOG)
        cls.readers = opening.read_readers((SEALED / "confidential-42-readers.json").read_text())
        cls.expected = json.loads((SEALED / "confidential-42-opened.json").read_text())
        cls.found = opening.document(cls.history, opening.opened(cls.history, cls.readers))

    def test_everybody_opens_what_the_engine_says_and_only_that(self):
        self.assertEqual(opening.differences(self.expected, self.found), [])
        self.assertGreater(len(self.found["values"]), 200)

    def test_differences_are_found(self):
        def without(document):
            document["values"][0]["opened_by"].remove("ann")

        def more(document):
            document["values"][0]["opened_by"].append("max")

        def other(document):
            document["values"][0]["sha256"] = "0" * 64

        def fewer(document):
            del document["values"][0]

        def elsewhere(document):
            document["project"] = "0" * 64

        for change, says in [
            (without, "ann opens it, and should not"),
            (more, "max should open it, and does not"),
            (other, "another value"),
            (fewer, "only one of the two has it"),
            (elsewhere, "project differs"),
        ]:
            changed = copy.deepcopy(self.expected)
            change(changed)
            faults = opening.differences(changed, self.found)
            self.assertEqual(len(faults), 1, faults)
            self.assertIn(says, faults[0])

    def test_keys_open_nothing_for_somebody_else(self):
        ann, *_, last = self.readers
        stolen = opening.Reader("stolen", last.key, ann.secrets)
        self.assertFalse(opening.content_keys(self.history, stolen))
        self.assertTrue(opening.content_keys(self.history, ann))

    def test_what_is_no_document_of_readers_is_refused(self):
        for text in ("", "[]", "{}", '{"format": "other", "readers": []}'):
            with self.assertRaises(opening.NotReaders):
                opening.read_readers(text)


if __name__ == "__main__":
    unittest.main()
