"""Bytes, documents and primitives: what others publish, and each rule at its limit."""

import gzip
import hashlib
import json
import re
import unittest
import zlib

import cbor2

import oracle
from ecac_oracle import credential, ed25519, export, text, wire
from ecac_oracle.judge import History
from project import ROOT, Project, edit, public, seal, secret, status_list


class Wire(unittest.TestCase):
    def setUp(self):
        self.parents = [hashlib.sha256(bytes([number])).digest() for number in (1, 2)]
        self.parents.sort()

    def body(self, payload, **members):
        body = {0: 1, 1: public(3), 2: 0, 3: self.parents, 4: [1, 0, 0], 5: payload}
        body.update({int(key[1:]): value for key, value in members.items()})
        return body

    def test_what_is_well_formed_is_read(self):
        for payload in [
            *(edit(value) for value in (None, True, -(2**53) + 1, 2**53 - 1, "", "é" * 20_000, b"", b"x" * 60_000)),
            {0: 2, 1: "o", 2: "f", 3: "e" * 256, 4: 0},
            {0: 3, 1: "o", 2: "f", 3: "e"},
            {0: 4, 1: "!~" * 32_764 + "x"},
            {0: 5, 1: bytes(32), 2: bytes(32)},
            *(
                {0: 6, 1: bytes(32), **optional}
                for optional in ({}, {2: "root"}, {3: ["a", "b"]}, {2: "reader", 3: ["a"]})
            ),
            {0: 7, 1: "i", 2: "k", 3: bytes(32), 4: 0, 5: 1},
            {0: 8, 1: "i", 2: "k", 3: "r"},
            {0: 9, 1: "x"},
            *({0: 10, 1: "f", 2: parameters} for parameters in (b"", b"x" * 1024)),
            {0: 11, 1: [["b", "f", ["t"]]]},
            {0: 12, 1: bytes(32)},
            {0: 13, 1: bytes(32)},
            *({0: 14, 1: [bytes([number]) * 32 for number in range(count)]} for count in (1, 64)),
            {0: 15, 1: bytes(32), 2: bytes(32), 3: bytes(64)},
            {0: 16, 1: bytes(32), 2: bytes(32)},
        ]:
            op = wire.read_op(seal(3, cbor2.dumps(self.body(payload), canonical=True)))
            self.assertEqual(op.kind, wire.PAYLOADS[payload[0]][0])
        genesis = {0: 0, 1: "n", 2: bytes(16), 3: [bytes(32)], 4: []}
        names = [f"{number:02}" for number in range(64)]
        for features in ([["f", b""]], [["a", b"x" * 1024], ["b", b""]], [[name, b""] for name in names]):
            body = self.body({**genesis, 5: features}, k3=[])
            op = wire.read_op(seal(3, cbor2.dumps(body, canonical=True)))
            self.assertEqual(op.says["features"], tuple(map(tuple, features)))

    def unassigned(self, payload):
        """An op with these bytes as its payload."""
        body = cbor2.dumps(self.body({}), canonical=True)
        return wire.read_op(seal(3, body[:-1] + payload))

    def test_types_that_are_not_assigned_are_read_as_one_shape(self):
        one = b"\xa2\x00\x16\x01"
        for payload, type_ in [
            (b"\xa1\x00\x16", 22),
            (b"\xa1\x00\x18\x18", 24),
            (b"\xa1\x00\x19\xff\xff", 65_535),
            # The greatest integers of 64 bits, as value and as key.
            (one + b"\x1b" + b"\xff" * 8, 22),
            (one + b"\x3b" + b"\xff" * 8, 22),
            (b"\xa2\x00\x16\x1b" + b"\xff" * 8 + b"\x00", 22),
            *((one + value, 22) for value in (b"\xf4", b"\xf5", b"\xf6", b"\x40", b"\x60", b"\x80", b"\xa0")),
            # Text of any form; keys of any type, by their bytes: 24 before -1 before a text; 1 beside true.
            (one + b"\x63e\xcc\x81", 22),
            (one + b"\x61\x00", 22),
            (one + b"\xa3\x18\x18\x00\x20\x00\x60\x00", 22),
            (one + b"\xa2\x01\x00\xf5\x00", 22),
            (one + b"\xa1\xa1\x01\x02\x00", 22),
            (one + b"\x81" * 14 + b"\x80", 22),
            (one + b"\xa1\x01" * 14 + b"\x80", 22),
            (one + b"\x59\xff\xf9" + bytes(65_529), 22),
        ]:
            op = self.unassigned(payload)
            self.assertEqual((op.kind, op.says), ("Unassigned", {"type": type_}), payload[:20].hex())
        for payload in [
            b"\xa1\x00\x1a\x00\x01\x00\x00",
            b"\xa1\x00\x18\x16",
            b"\xa1\x18\x00\x16",
            b"\xa1\x00\x2c",
            b"\xb8\x01\x00\x16",
            b"\xbf\x00\x16\xff",
            b"\x82\x00\x16",
            b"\xa1\x01\x16",
            b"\xa2\x00\x16\x61a\x00",
            b"\xa2\x00\x16\x20\x00",
            b"\xa2\x00\x16\x00\x16",
            b"\xa3\x00\x16\x02\x00\x01\x00",
            b"\xa1\x00\x16\x00",
            *(
                one + value
                for value in (
                    b"",
                    b"\x18\x17",
                    b"\x19\x00\xff",
                    b"\x1a\x00\x00\xff\xff",
                    b"\x1b\x00\x00\x00\x00\xff\xff\xff\xff",
                    b"\x38\x17",
                    b"\x58\x01x",
                    b"\x61\xff",
                    b"\x63\xed\xa0\x80",
                    b"\x62x",
                    b"\x81",
                    b"\x9b" + b"\xff" * 8,
                    b"\x9f\xff",
                    b"\x7f\x61x\xff",
                    b"\xa2\x20\x00\x18\x18\x00",
                    b"\xa2\xf5\x00\xf5\x00",
                    b"\xc1\x00",
                    b"\xc2\x41\x01",
                    b"\xf7",
                    b"\xe0",
                    b"\xf8\x20",
                    b"\xf9\x00\x00",
                    b"\xfb" + bytes(8),
                    b"\x1c",
                    b"\x81" * 15 + b"\x80",
                    b"\xa1\x80" * 15 + b"\x80",
                    b"\x81" * 60_000 + b"\x80",
                    b"\x59\xff\xfa" + bytes(65_530),
                )
            ),
        ]:
            with self.assertRaises(wire.NonCanonical, msg=payload[:20].hex()):
                self.unassigned(payload)
        parentless = self.body({0: 22}, k3=[])
        with self.assertRaises(wire.NonCanonical):
            wire.read_op(seal(3, cbor2.dumps(parentless, canonical=True)))

    def test_what_breaks_a_rule_is_refused(self):
        tags = [f"{number:02}" for number in range(65)]
        genesis = {0: 0, 1: "n", 2: bytes(16), 3: [bytes(32)], 4: []}
        rule = ["b", "f", ["t"]]
        for body in [
            self.body(edit(1.0)),
            self.body(edit(2**53)),
            self.body(edit(cbor2.undefined)),
            self.body(edit([1])),
            self.body(edit(cbor2.CBORTag(99, 1))),
            self.body(edit("e\u0301")),
            self.body(edit(1, field="")),
            self.body(edit(1, field="x" * 257)),
            self.body(edit(1, field="e\u0301")),
            self.body(edit(1, field=b"x")),
            self.body(edit(b"x" * 65_530)),
            self.body({**edit(1), 4: 1}),
            self.body({0: 1, 1: "o", 2: "f"}),
            self.body({0: 10}),
            self.body({0: 65_536}),
            self.body({0: 10, 1: "f"}),
            self.body({0: 10, 1: "", 2: b""}),
            self.body({0: 10, 1: "f", 2: ""}),
            self.body({0: 10, 1: "f", 2: bytes(1025)}),
            self.body({0: 10, 1: "f", 2: b"", 3: 0}),
            self.body({0: 11}),
            self.body({0: 11, 1: []}),
            self.body({0: 11, 1: [rule, rule]}),
            *(self.body({0: 12, 1: bytes(size)}) for size in (31, 33)),
            self.body({0: 12}),
            self.body({0: 13, 1: bytes(31)}),
            self.body({0: 13, 1: bytes(32), 2: 0}),
            self.body({0: 14, 1: []}),
            self.body({0: 14, 1: [bytes(31)]}),
            self.body({0: 14, 1: [bytes(32)] * 2}),
            self.body({0: 14, 1: [b"\x01" * 32, bytes(32)]}),
            self.body({0: 14, 1: [bytes([number]) * 32 for number in range(65)]}),
            self.body({0: 15, 1: bytes(32), 2: bytes(32)}),
            self.body({0: 15, 1: bytes(32), 2: bytes(32), 3: bytes(63)}),
            self.body({0: 15, 1: bytes(33), 2: bytes(32), 3: bytes(64)}),
            self.body({0: 16, 1: bytes(32)}),
            self.body({0: 16, 1: bytes(32), 2: bytes(32), 3: bytes(64)}),
            self.body({0: 11, 1: [rule, ["a", "f", ["t"]]]}),
            self.body({0: 11, 1: [[f"{number:03}", "f", ["t"]] for number in range(257)]}),
            self.body({**genesis, 5: []}, k3=[]),
            self.body({**genesis, 5: [["f"]]}, k3=[]),
            self.body({**genesis, 5: [["f", ""]]}, k3=[]),
            self.body({**genesis, 5: [["f", bytes(1025)]]}, k3=[]),
            self.body({**genesis, 5: [["f", b""], ["f", b"x"]]}, k3=[]),
            self.body({**genesis, 5: [["f", b""], ["e", b""]]}, k3=[]),
            self.body({**genesis, 5: [[tag, b""] for tag in tags]}, k3=[]),
            self.body({**genesis, 6: []}, k3=[]),
            self.body(edit(1, field="a\u202eb")),
            self.body({0: 6, 1: bytes(32), 3: ["a\n"]}),
            self.body({0: 8, 1: "i", 2: "k", 3: "\u0085"}),
            self.body({0: True, 1: "o", 2: "f", 3: 1}),
            self.body({0: 4, 1: ""}),
            self.body({0: 4, 1: "a b"}),
            self.body({0: 4, 1: "é"}),
            self.body({0: 5, 1: bytes(31), 2: bytes(32)}),
            self.body({0: 6, 1: bytes(32), 2: "Root"}),
            self.body({0: 6, 1: bytes(32), 3: []}),
            self.body({0: 6, 1: bytes(32), 3: ["b", "a"]}),
            self.body({0: 6, 1: bytes(32), 3: ["a", "a"]}),
            self.body({0: 6, 1: bytes(32), 3: tags}),
            self.body({0: 7, 1: "i", 2: "k", 3: bytes(32), 4: 1, 5: 1}),
            self.body(edit(1), k0=2),
            self.body(edit(1), k2=-1),
            self.body(edit(1), k3=self.parents[::-1]),
            self.body(edit(1), k3=self.parents[:1] * 2),
            self.body(edit(1), k3=[]),
            self.body(edit(1), k3=[bytes([number]) * 32 for number in range(17)]),
            self.body(edit(1), k4=[1, 0]),
            self.body(edit(1), k4=[1, 2**32, 0]),
            self.body(edit(1), k6=0),
            self.body({0: 0, 1: "n", 2: bytes(16), 3: [bytes(32)], 4: []}),
            self.body({0: 0, 1: "n", 2: bytes(16), 3: [], 4: []}, k3=[]),
            self.body({0: 0, 1: "n", 2: bytes(16), 3: [bytes(32)], 4: [["b", "f", ["t"]], ["a", "f", ["t"]]]}, k3=[]),
        ]:
            with self.assertRaises(wire.NonCanonical, msg=body):
                wire.read_op(seal(3, cbor2.dumps(body, canonical=True)))

    def test_other_spellings_are_refused(self):
        body = cbor2.dumps(self.body(edit("x")), canonical=True)
        seq, hlc, value = b"\x02\x00\x03", b"\x04\x83\x01\x00\x00", b"\x03\x61x"
        spellings = [
            (seq, b"\x02\x18\x00\x03"),
            (seq, b"\x02\x80\x03"),
            (b"\x00\x01\x01\x58\x20", b"\x01\x58\x20"),
            (hlc, b"\x04\x9f\x01\x00\x00\xff"),
            (hlc, b"\x04\xd8\x1c\x83\x01\x00\x00"),
            (value, b"\x03\x78\x01x"),
            (value, b"\x03\x7f\x61x\xff"),
            (value, b"\x03\x61\xff"),
            (value, b"\x03\x61x\x03\x61x"),
        ]
        for old, new in spellings:
            self.assertEqual(body.count(old), 1)
            with self.assertRaises(wire.NonCanonical, msg=new):
                wire.read_op(seal(3, body.replace(old, new)))
        for other in (body + b"\x00", b"\xd9\xd9\xf7" + body, body[:-1], b"", b"\x81" * 60_000):
            with self.assertRaises(wire.NonCanonical):
                wire.read_op(seal(3, other))
        item = seal(3, body)
        wire.read_op(item)
        for other in (
            item[1:],
            item + b"\x00",
            item[:6] + b"\xa1\x04\x41k" + item[7:],
            item[:-66] + b"\x58\x3f" + item[-63:],
        ):
            with self.assertRaises(wire.NonCanonical):
                wire.read_op(other)
        with self.assertRaises(wire.BadSignature):
            wire.read_op(item[:-1] + bytes([item[-1] ^ 1]))

    def test_files_are_split(self):
        item = seal(3, cbor2.dumps(self.body(edit("x")), canonical=True))
        self.assertEqual(wire.split(item * 3), [item] * 3)
        self.assertEqual(wire.split(b"\xd2\x9f\x81\x00\xff\xd2\x80"), [b"\xd2\x9f\x81\x00\xff", b"\xd2\x80"])
        for other in (
            b"",
            b"\x00",
            item[:-1],
            item + b"\x00",
            b"\xd2\xff",
            b"\xd2\x1c",
            b"\xd2\x5a\x7f\xff\xff\xff",
            b"\xd2" + b"\x81" * 60_000,
        ):
            with self.assertRaises(wire.NotAnOpLog):
                wire.split(other)


class Protocol(unittest.TestCase):
    """The worked example of docs/protocol.md."""

    @classmethod
    def setUpClass(cls):
        cls.page = (ROOT / "docs/protocol.md").read_text()

    def example(self, name):
        (block,) = re.findall(rf"<!-- example: {name} -->\n```[a-z]*\n(.*?)```", self.page, re.DOTALL)
        return block

    def test_its_ops_have_its_ids(self):
        ids = dict(line.split() for line in self.example("ids").splitlines())
        for name in ("genesis", "set-field"):
            lines = [line.split("#")[0] for line in self.example(name).splitlines()]
            self.assertEqual(wire.read_op(bytes.fromhex("".join(lines))).id.hex(), ids[name])

    def test_its_documents_are_read(self):
        read = credential.read_credential("".join(self.example("credential-jwt").split()))
        self.assertEqual((read.role, read.scope, read.status[0].index), ("editor", {"finance"}, 7))
        list_ = credential.read_status_list("".join(self.example("list-jwt").split()))
        self.assertEqual([list_.bit(index) for index in (4, 5, 6, 131_071, 131_072)], [False, True, False, False, None])
        self.assertTrue(read.signed.verifies_with(public(10)) and list_.signed.verifies_with(public(10)))
        self.assertFalse(read.signed.verifies_with(public(9)))

    def test_its_exports_have_its_digests(self):
        digests = {line.split()[0]: line.split()[2] for line in self.example("digests").splitlines()}
        for name in ("state", "trust"):
            document = export.canonical(json.loads(self.example(name)))
            self.assertEqual(hashlib.sha256(document).hexdigest(), digests[name])

    def test_its_ops_amount_to_its_exports(self):
        """All seven ops, signed again after the tables of the page."""
        start = 1_767_225_600_000
        jwts = {name: "".join(self.example(f"{name}-jwt").split()) for name in ("credential", "list")}
        key = {0: 7, 1: "https://issuer.example", 2: "key-1", 3: public(10), 4: start, 5: 1_798_761_600_000}
        rules = [["doc/*", "*", ["finance", "hr"]]]
        ids, items = {}, []
        for name, author, seq, payload in [
            ("genesis", 7, 0, {0: 0, 1: "example", 2: bytes(range(16)), 3: sorted([public(7), public(8)]), 4: rules}),
            ("set-field", 7, 1, {0: 1, 1: "doc/1", 2: "title", 3: "Grüße"}),
            ("key", 7, 2, key),
            ("list", 7, 3, {0: 9, 1: jwts["list"]}),
            ("credential", 7, 4, {0: 4, 1: jwts["credential"]}),
            ("grant", 7, 5, {0: 5, 1: public(9), 2: "credential"}),
            ("set-add", 9, 0, {0: 2, 1: "doc/1", 2: "labels", 3: "red", 4: 3}),
        ]:
            payload = {member: ids[value] if value == "credential" else value for member, value in payload.items()}
            parents = list(ids.values())[-1:]
            body = {0: 1, 1: public(author), 2: seq, 3: parents, 4: [start + len(items), 0, 9], 5: payload}
            items.append(seal(author, cbor2.dumps(body, canonical=True)))
            ids[name] = wire.read_op(items[-1]).id
        self.assertEqual(
            {name: op.hex() for name, op in ids.items()}, dict(map(str.split, self.example("ids").splitlines()))
        )
        digests = {line.split()[0]: line.split()[2] for line in self.example("digests").splitlines()}
        history = History.of(ids["genesis"], oracle.read(b"".join(items)))
        for name, document in [
            ("op-log", b"".join(items)),
            ("state", export.state(history)),
            ("trust", export.trust(history)),
        ]:
            self.assertEqual(hashlib.sha256(document).hexdigest(), digests[name], name)


class Credentials(unittest.TestCase):
    def test_what_other_libraries_mint_is_read_as_it_must_be(self):
        """The fixtures of `crates/core/tests/foreign`: a verdict, labels, an empty line, and the JWT."""
        fixtures = sorted((ROOT / "crates/core/tests/foreign/fixtures").glob("*.jwt"))
        self.assertGreater(len(fixtures), 100)
        for fixture in fixtures:
            head, jwt = fixture.read_text().split("\n\n")
            labels = dict(line.split(": ", 1) for line in head.splitlines())
            read = {"credential": credential.read_credential, "status list": credential.read_status_list}[
                labels["kind"]
            ]
            key = text.key_of_did(labels["key"])
            try:
                verdict = "accepted" if read(jwt.rstrip("\n")).signed.verifies_with(key) else "forged"
            except credential.Unreadable:
                verdict = "refused"
            self.assertEqual(verdict, labels["expect"].split()[0], fixture.name)

    def test_audiences_and_claims_of_status_are_read_strictly(self):
        project = Project()
        documents = [
            (credential.read_credential, lambda claims: project.credential(3, "editor", ["a"], document=claims)),
            (credential.read_status_list, lambda claims: status_list(document=claims)),
        ]
        entry = {"type": "BitstringStatusListEntry", "statusPurpose": "revocation", "statusListIndex": "1"}
        entry["statusListCredential"] = "https://issuer.example/status/1"
        for read, payload in documents:
            for claims, audiences in [
                ({}, None),
                ({"aud": "x"}, {"x"}),
                ({"aud": ""}, {""}),
                ({"aud": ["x", "y", "x"]}, {"x", "y"}),
                ({"aud": [str(number) for number in range(64)]}, {str(number) for number in range(64)}),
                ({"credentialStatus": entry}, None),
                ({"ſtatus": 1, "stat": 1, "revise": 1}, None),
            ]:
                self.assertEqual(read(payload(claims)[1]).signed.audiences, audiences, claims)
            for claims in [
                {"aud": None},
                {"aud": 1},
                {"aud": {}},
                {"aud": []},
                {"aud": ["x", 1]},
                {"aud": [["x"]]},
                {"aud": ["x"] * 65},
            ]:
                with self.assertRaises(credential.Unreadable, msg=claims):
                    read(payload(claims)[1])
        (read, payload), (read_list, list_payload) = documents
        for claims in [
            *({name: None} for name in ("status", "STATUS", "xStatusy", "revoked", "Revocation", "CredentialStatus")),
            {"credentialStatus": entry, "credentialStatus2": entry},
        ]:
            with self.assertRaises(credential.Unreadable, msg=claims):
                read(payload(claims)[1])
            # A list that is withdrawn still withdraws.
            self.assertIsNone(read_list(list_payload(claims)[1]).signed.audiences)

    def test_json_is_strict(self):
        for value in ("1", "-0", "1e5", "1e-999", "9" * 300, r'"\ud83d\ude00"', "[" * 126 + "]" * 126, '"\x7f"'):
            self.assertIn("x", credential.json_object(f' {{"x":{value}}}\n'.encode()))
        for value in (
            "01",
            "NaN",
            "Infinity",
            "1e999",
            "9" * 400,
            "9" * 5000,
            "1.",
            "+1",
            r'"\ud800"',
            r'"\x41"',
            '"\x01"',
        ):
            with self.assertRaises(credential.Unreadable, msg=value):
                credential.json_object(f'{{"x":{value}}}'.encode())
        nested = "[" * 127 + "]" * 127
        for document in ('{"x":1,"x":1}', r'{"x":1,"\u0078":1}', '{"x":{"y":1,"y":1}}', "[]", "", "{} {}", "\ufeff{}"):
            with self.assertRaises(credential.Unreadable, msg=document):
                credential.json_object(document.encode())
        for document in (
            f'{{"x":{nested}}}'.encode(),
            b'{"x":"\xff"}',
            b'{"x":"\xed\xa0\x80"}',
            b'{"x":' + b"[" * 30_000,
        ):
            with self.assertRaises(credential.Unreadable):
                credential.json_object(document)
        self.assertEqual(
            credential.json_object(b'{"a":-0,"b":1.0,"c":18446744073709551616,"d":18446744073709551615}'),
            {"a": None, "b": None, "c": None, "d": 2**64 - 1},
        )

    def test_date_times_are_those_of_the_calendar(self):
        second = 10**9
        for stamp, expected in [
            ("1970-01-01T00:00:00.000000001Z", 1),
            ("1985-04-12T23:20:50.52Z", 482_196_050 * second + 520_000_000),
            ("1996-12-19T16:39:57-08:00", 851_042_397 * second),
            ("1937-01-01T12:00:27.87+00:20", -1_041_337_172 * second - 130_000_000),
            ("1970-01-01T14:00:00+14:00", 0),
        ]:
            self.assertEqual(credential.date_time({"at": stamp}, "at"), expected)
        for stamp in [
            "2026-01-31T08:00:00",
            "2026-01-31t08:00:00Z",
            "2026-01-31T08:00:00.Z",
            "2026-01-31T08:00:00.1234567890Z",
            "2026-01-31T08:00:00+14:01",
            "2026-01-31T08:00:00+01:60",
            "2026-01-31T24:00:00Z",
            "2026-06-30T23:59:60Z",
            "2026-02-29T08:00:00Z",
            "0000-01-01T00:00:00Z",
            "0001-01-01T00:00:00+00:01",
            "9999-12-31T23:59:59-00:01",
            "２026-01-31T08:00:00Z",
            "2026-01-31T08:00:00Z\n",
        ]:
            with self.assertRaises(credential.Unreadable, msg=stamp):
                credential.date_time({"at": stamp}, "at")

    def test_only_one_sound_gzip_member_is_unpacked(self):
        shortest, longest = bytes(16_384), bytes(1_048_576)
        for bits in (shortest, longest):
            self.assertEqual(credential.unpack(gzip.compress(bits)), bits)
        packed = gzip.compress(shortest)
        # Matches that reach before the start, where a preset dictionary would be (RFC 1951 section 3.2.5).
        packing = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS, zdict=bytes(32_768))
        before = packed[:10] + packing.compress(shortest) + packing.flush() + packed[-8:]
        for other in (
            packed + b"\0",
            packed * 2,
            packed[:-1],
            packed[:-8] + bytes(8),
            before,
            b"",
            gzip.compress(shortest[1:]),
            gzip.compress(longest + b"\0"),
            gzip.compress(longest * 64),
        ):
            with self.assertRaises(credential.Unreadable):
                credential.unpack(other)


class Primitives(unittest.TestCase):
    def test_published_signatures_are_judged_by_zip_215(self):
        cases = json.loads((ROOT / "docs/vectors" / "ed25519-edge.json").read_text())["cases"]
        self.assertEqual(len(cases), 12)
        for case in cases:
            key, signature, message = (bytes.fromhex(case[part]) for part in ("public_key", "signature", "message"))
            self.assertEqual(ed25519.verifies_slowly(key, signature, message), case["zip215"], case["about"])
            self.assertEqual(ed25519.verifies(key, signature, message), case["zip215"], case["about"])

    def test_small_order_points_in_every_encoding_are_accepted(self):
        """With A and R of small order and S zero the equation with the cofactor always holds."""
        p = ed25519.P
        numbers = [y | sign << 255 for y in (*range(2), p - 1, p, p + 1) for sign in (0, 1)]
        encodings = [number.to_bytes(32, "little") for number in numbers]
        for key in encodings:
            for r in encodings:
                self.assertTrue(ed25519.verifies(key, r + bytes(32), b"anything"))
                self.assertFalse(ed25519.verifies(key, r + ed25519.L.to_bytes(32, "little"), b"anything"))

    def test_honest_signatures_verify_by_the_slow_rule_too(self):
        for number in range(1, 9):
            signature = secret(number).sign(b"message")
            self.assertTrue(ed25519.verifies_slowly(public(number), signature, b"message"))
            self.assertFalse(ed25519.verifies_slowly(public(number), signature, b"massage"))

    def test_did_keys(self):
        # The example of the did:key method specification.
        did = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"
        key = bytes.fromhex("2e6fcce36701dc791488e0d0b1745cc1e33a4c1c9fcc41c63bd343dbbe0970e6")
        self.assertEqual((text.did_key(key), text.key_of_did(did)), (did, key))
        for other in (
            "",
            "did:key:z",
            did[:-1],
            did + "1",
            did.replace("z", "z1", 1),
            did[8:],
            did.upper(),
            "did:key:z" + "z" * 64,
        ):
            self.assertIsNone(text.key_of_did(other))

    def test_names_are_in_nfc_of_the_unicode_that_the_format_names(self):
        self.assertEqual(text.unicodedata2.unidata_version, "18.0.0")
        for name, expected in [
            ("a", True),
            ("é", True),
            ("e\u0301", False),
            ("\u212b", False),
            ("", False),
            ("é" * 129, False),
            *((f"a{character}", False) for character in "\0\t\n\x1b\x1f\x7f\x80\x85\x9f"),
            *((f"a{character}", False) for character in "\u061c\u200e\u200f\u202a\u202e\u2066\u2069"),
            *((f"a{character}", True) for character in " ~\xa0\xad\u061d\u200b\u200d\u2028\u202f\u2065\u206a\ufeff"),
        ]:
            self.assertEqual(text.is_name(name), expected, ascii(name))

    def test_canonical_json_is_that_of_rfc_8785(self):
        # Section 3.2.3, without the comments; the number is an integer here.
        document = {
            "\u20ac": "Euro Sign",
            "\r": "Carriage Return",
            "\ufb33": "Hebrew Letter Dalet With Dagesh",
            "1": "One",
            "\U0001f600": "Emoji: Grinning Face",
            "\u0080": "Control",
            "\u00f6": "Latin Small Letter O With Diaeresis",
        }
        names = list(json.loads(export.canonical(document)))
        self.assertEqual(names, ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"])
        self.assertEqual(
            export.canonical({"b": [1, None, True], "a": '\x0f\n\\"/\x7f'}),
            b'{"a":"\\u000f\\n\\\\\\"/\x7f","b":[1,null,true]}',
        )


if __name__ == "__main__":
    unittest.main()
