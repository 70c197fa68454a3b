"""Projects that tests write op by op."""

import base64
import gzip
import json
from pathlib import Path

import cbor2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

import oracle
from ecac_oracle import credential, devices, effects, export, text, wire
from ecac_oracle.judge import History

ROOT = Path(__file__).resolve().parents[3]
START_MS = 1_767_225_600_000
ISSUER = "https://issuer.example"
LIST = "https://issuer.example/status/1"


def secret(number):
    return Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32)


def public(number):
    return secret(number).public_key().public_bytes_raw()


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def seal(author, body):
    """The envelope around a body, whatever its bytes are."""
    signature = secret(author).sign(cbor2.dumps(["Signature1", b"\xa1\x01\x27", b"ECAC_OP_V1", body]))
    return b"\xd2\x84\x43\xa1\x01\x27\xa0" + cbor2.dumps(body) + cbor2.dumps(signature)


def mint(document, key, header=None):
    header = header or {"alg": "EdDSA", "typ": "vc+jwt", "kid": "key-1"}
    message = ".".join(base64url(json.dumps(part).encode()) for part in (header, document))
    return message + "." + base64url(secret(key).sign(message.encode()))


class Project:
    """A project that is written op by op. Keys are numbered: 9 and 10 are issuers, others roots and people."""

    def __init__(self, features=None, roots=(1, 2)):
        self.items, self.ops = [], {}
        # Of each op the greatest number of each author in it and its past.
        self.last_seqs = {}
        schema = [["doc/*", "*", ["a"]]]
        genesis = {0: 0, 1: "test", 2: bytes(16), 3: sorted(map(public, roots)), 4: schema}
        if features:
            genesis[5] = features
        self.genesis = self.op("genesis", 1, [], genesis)

    def op(self, name, author, seen, payload, *, seq=None, at=None):
        """Adds an op that has seen the named ones; its number and its stamp are right unless they are given."""
        last = {}
        for other in seen:
            for who, number in self.last_seqs[other].items():
                last[who] = max(number, last.get(who, 0))
        seq = last.get(author, -1) + 1 if seq is None else seq
        self.last_seqs[name] = {**last, author: seq}
        at = len(self.items) if at is None else at
        parents = sorted(self.ops[other] for other in seen)
        body = {0: 1, 1: public(author), 2: seq, 3: parents, 4: [START_MS + at, 0, 0], 5: payload}
        item = seal(author, cbor2.dumps(body, canonical=True))
        self.items.append(item)
        self.ops[name] = wire.read_op(item).id
        return self.ops[name]

    def credential(self, subject, role, scope, issuer_key=9, status=None, document=()):
        claims = {
            "@context": [credential.CONTEXT_V2],
            "type": ["VerifiableCredential"],
            "issuer": ISSUER,
            "validFrom": "2026-01-01T00:00:00Z",
            "validUntil": "2026-01-01T00:00:01Z",
            "credentialSubject": {"id": text.did_key(public(subject)), "role": role, "scope": scope},
            **dict(document),
        }
        if status is not None:
            entry = {"type": "BitstringStatusListEntry", "statusPurpose": "revocation"}
            claims["credentialStatus"] = {**entry, "statusListIndex": str(status), "statusListCredential": LIST}
        return {0: 4, 1: mint(claims, issuer_key)}

    def trust(self, issuer_key=9, start=0, end=1000):
        return {0: 7, 1: ISSUER, 2: "key-1", 3: public(issuer_key), 4: START_MS + start, 5: START_MS + end}

    def grant(self, subject, credential_op):
        return {0: 5, 1: public(subject), 2: self.ops[credential_op]}

    def hire(self, name, granter, seen, subject, role="editor", scope=("a",), **how):
        """A credential and a grant by it; the grant has the name."""
        paper = name + " credential"
        self.op(paper, granter, seen, self.credential(subject, role, list(scope), **how))
        return self.op(name, granter, [paper], self.grant(subject, paper))

    def cosign(self, named):
        return {0: 13, 1: self.ops[named]}

    def endorse(self, *named):
        return {0: 14, 1: sorted(self.ops[name] for name in named)}

    def device(self, person, key, of_project=None):
        message = devices.DOMAIN + (of_project or self.genesis) + public(person)
        return {0: 15, 1: public(person), 2: public(key), 3: secret(key).sign(message)}

    def full(self, name, first, second, seen, payload):
        """An op of two roots: the first signs it, the second's `Cosign` has the name and " cosigned"."""
        self.op(name, first, seen, payload)
        return self.op(name + " cosigned", second, [name], self.cosign(name))

    def history(self, order=1):
        ops = oracle.read(b"".join(self.items[::order]))
        return History.of(self.genesis, ops)

    def verdicts(self):
        """What is decided, by names: `applied`, or verdict, reason and witness."""
        names = {op: name for name, op in self.ops.items()}
        forwards, backwards = self.history(), self.history(-1)
        assert export.decisions(forwards) == export.decisions(backwards), "the order of the file has a meaning"
        assert export.state(forwards) == export.state(backwards) and export.trust(forwards) == export.trust(backwards)
        said = {}
        for op, decision in forwards.decisions.items():
            rest = () if decision.verdict == "applied" else (decision.reason, names.get(decision.witness))
            said[names[op]] = (decision.verdict, *rest) if rest else decision.verdict
        return said

    def effects(self):
        """What the ops of trust and policy do, by names: code, whether the op counts, and the ops that it concerns."""
        names = {op: name for name, op in self.ops.items()}
        told = effects.effects(self.history()).items()
        return {names[op]: (effect.code, effect.counts, {names[on] for on in effect.on}) for op, effect in told}

    def document(self, write):
        return json.loads(write(self.history()))


def edit(value, field="title", object_="doc/1"):
    return {0: 1, 1: object_, 2: field, 3: value}


def revoke(subject, role=None, scope=None):
    named = {2: role, 3: scope}
    return {0: 6, 1: public(subject), **{key: value for key, value in named.items() if value}}


def revoke_key(kid="key-1"):
    return {0: 8, 1: ISSUER, 2: kid, 3: "lost"}


def sealing():
    return {0: 12, 1: bytes(32)}


def unlink(person, key):
    return {0: 16, 1: public(person), 2: public(key)}


def upgrade(feature, parameters=b""):
    return {0: 10, 1: feature, 2: parameters}


def schema(*rules):
    return {0: 11, 1: [list(rule) for rule in rules]}


def status_list(*bits, document=(), issuer_key=9, header=None):
    bitstring = bytearray(16_384)
    for bit in bits:
        bitstring[bit // 8] |= 0x80 >> bit % 8
    subject = {
        "type": "BitstringStatusList",
        "statusPurpose": "revocation",
        "encodedList": "u" + base64url(gzip.compress(bytes(bitstring), mtime=0)),
    }
    claims = {
        "@context": [credential.CONTEXT_V2],
        "type": ["VerifiableCredential", "BitstringStatusListCredential"],
        "issuer": ISSUER,
        "id": LIST,
        "validFrom": "2026-01-01T00:00:00Z",
        "credentialSubject": subject,
        **dict(document),
    }
    return {0: 9, 1: mint(claims, issuer_key, header)}
