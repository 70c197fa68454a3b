"""Who opens what: sealed values, with the private keys of readers, by OpenSSL.

A reader tries every key that they hold on every share that an admitted `KeyGrant` seals to them, and every content key that comes
out on the value: what does not open, nobody who holds no more can open.
"""

import hashlib
import json
import struct
from dataclasses import dataclass

import cbor2
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.ciphers.algorithms import ChaCha20
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from .reading import SEALED_KINDS
from .text import key_of_did
from .wire import NonCanonical, value_of_register

SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)
KEY_DOMAIN = b"ECAC_KEY_V1"
VALUE_DOMAIN = "ECAC_VALUE_V1"
READERS_FORMAT = "ecac-test-readers-v1"
OPENED_FORMAT = "ecac-opened-v1"
# The first words of every state of ChaCha20 (RFC 8439 section 2.3).
CONSTANTS = b"expand 32-byte k"


class NotReaders(Exception):
    """The file holds no private keys of readers, or not in a form that is known here."""


@dataclass(frozen=True)
class Reader:
    """Somebody with the private keys that they ever held."""

    name: str
    key: bytes
    secrets: tuple[X25519PrivateKey, ...]


def read_readers(text):
    """The readers of a file of private keys."""
    try:
        document = json.loads(text)
        if document["format"] != READERS_FORMAT:
            raise NotReaders(f"the format is {document['format']!r}, and {READERS_FORMAT!r} is known")
        return [read_reader(reader) for reader in document["readers"]]
    except (KeyError, TypeError, ValueError) as error:
        raise NotReaders(f"not a document of readers: {error!r}") from error


def read_reader(reader):
    kems = {secret["kem"] for secret in reader["secrets"]}
    if kems - {"x25519"}:
        raise NotReaders(f"keys of {sorted(kems)}, and x25519 is known")
    secrets = (bytes.fromhex(secret["private"]) for secret in reader["secrets"])
    key = key_of_did(reader["key"])
    if key is None:
        raise NotReaders(f"{reader['key']!r} is no did:key")
    return Reader(reader["name"], key, tuple(map(X25519PrivateKey.from_private_bytes, secrets)))


def opened(history, readers):
    """Of every admitted sealed write, by its op: the plaintext that each reader gets, by name. Who gets none is not named."""
    keys = {reader.name: content_keys(history, reader) for reader in readers}
    writes = [op for op in history.ops if op.kind in SEALED_KINDS]
    return {op: {name: plain for name in keys if (plain := open_value(history, op, keys[name])) is not None} for op in writes}


def content_keys(history, reader):
    """Every content key that some private key of the reader opens."""
    found = set()
    for op in history.ops:
        if op.kind != "KeyGrant" or reader.key not in op.says["shares"]:
            continue
        enc, ciphertext = op.says["shares"][reader.key]
        info = KEY_DOMAIN + history.project + op.says["key"] + reader.key
        for secret in reader.secrets:
            try:
                found.add(SUITE.decrypt(enc + ciphertext, secret, info=info))
            except (InvalidTag, ValueError):
                continue
    return found


def open_value(history, op, keys):
    """The plaintext under one of the keys; None if there is none, or if it is no value."""
    sealed = op.says["value"]
    place = [op.says["object"], op.says["field"], op.says.get("element")]
    context = [VALUE_DOMAIN, history.project, op.author, op.seq, list(op.parents), list(op.hlc), *place]
    for key in keys:
        try:
            plain = xchacha20_poly1305(key, sealed.nonce).decrypt(
                bytes(4) + sealed.nonce[16:], sealed.ciphertext, cbor2.dumps(context)
            )
        except InvalidTag:
            continue
        return plain if is_value(plain) else None
    return None


def xchacha20_poly1305(key, nonce):
    """The cipher of draft-irtf-cfrg-xchacha-03, section 2.3: ChaCha20-Poly1305 under a key that HChaCha20 derives."""
    return ChaCha20Poly1305(hchacha20(key, nonce[:16]))


def hchacha20(key, nonce):
    """HChaCha20 (section 2.2): the block of ChaCha20, without the initial state that it adds in the end."""
    block = Cipher(ChaCha20(key, nonce), mode=None).encryptor().update(bytes(64))
    initial = CONSTANTS + key + nonce
    words = (struct.unpack("<16I", part) for part in (block, initial))
    state = [(word - added) % 2**32 for word, added in zip(*words, strict=True)]
    return struct.pack("<8I", *state[:4], *state[12:])


def is_value(plain):
    """Whether the bytes are the one encoding of a value."""
    try:
        value = value_of_register(cbor2.loads(plain))
    except (NonCanonical, cbor2.CBORDecodeError):
        return False
    return cbor2.dumps(value, canonical=True) == plain


def document(history, found):
    """What the document of the engine's side says, from what was found here."""
    values = []
    for op, plains in found.items():
        digests = {hashlib.sha256(plain).hexdigest() for plain in plains.values()}
        if len(digests) > 1:
            raise ValueError(f"{op.id.hex()} opens to several values")
        values.append({"op": op.id.hex(), "sha256": min(digests, default=None), "opened_by": sorted(plains)})
    return {"format": OPENED_FORMAT, "project": history.project.hex(), "values": values}


def differences(expected, found):
    """How two such documents differ, in sentences; the order of values and of readers says nothing."""
    faults = [f"{member} differs" for member in ("format", "project") if expected[member] != found[member]]
    there, here = ({value["op"]: value for value in document["values"]} for document in (expected, found))
    faults += [f"{op}: only one of the two has it" for op in sorted(there.keys() ^ here.keys())]
    for op in sorted(there.keys() & here.keys()):
        if there[op]["sha256"] != here[op]["sha256"]:
            faults.append(f"{op}: another value")
        told, tried = (set(document[op]["opened_by"]) for document in (there, here))
        faults += [f"{op}: {name} should open it, and does not" for name in sorted(told - tried)]
        faults += [f"{op}: {name} opens it, and should not" for name in sorted(tried - told)]
    return faults
