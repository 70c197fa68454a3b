"""Op logs, envelopes and bodies: what `docs/protocol.cddl` says.

`cbor2` reads leniently, so every item is encoded again in the canonical form and compared: two spellings of one value
never both pass.
"""

import io
from dataclasses import dataclass
from typing import Any

import cbor2
from blake3 import blake3
from pycose.exceptions import CoseException
from pycose.keys import OKPKey
from pycose.keys.curves import Ed25519
from pycose.messages import Sign1Message

from . import ed25519
from .text import is_name, is_nfc, utf8

DOMAIN = b"ECAC_OP_V1"
ENVELOPE_BYTES_MAX = 64 * 1024 + 1024
PAYLOAD_BYTES_MAX = 64 * 1024
PARENTS_MAX = 16
TAGS_MAX = 64
ROOTS_MAX = 64
SCHEMA_RULES_MAX = 256
RECIPIENTS_MAX = 512
SEALED_BYTES = range(17, 65_537)
# By KEM the length of a public key; the lengths of what it encapsulates.
READER_KEY_BYTES = {1: 32, 2: 1216}
ENC_BYTES = (32, 1120)
FEATURES_MAX = 64
PARAMETERS_BYTES_MAX = 1024
UNASSIGNED_TYPE_MAX = 65_535
NESTING_MAX = 16
ENDORSED_MAX = 64
JWT_BYTES_MAX = 65_529
INTEGER_MAX = 2**53 - 1
ROLES = ("root", "issuer_admin", "policy_admin", "key_admin", "editor", "reader")


class NotAnOpLog(Exception):
    """The file is no sequence of COSE_Sign1 items."""


class NonCanonical(Exception):
    """The item is not the one encoding of an op."""


class BadSignature(Exception):
    """The author did not sign the item."""


@dataclass(frozen=True, eq=False)
class Op:
    """An op that its author signed."""

    id: bytes
    author: bytes
    seq: int
    parents: tuple[bytes, ...]
    hlc: tuple[int, int, int]
    # `Unassigned` where no kind has the type of the payload.
    kind: str
    # The members of the payload by the names of the CDDL; of an unassigned one the type alone.
    says: dict[str, Any]


@dataclass(frozen=True)
class Sealed:
    """A value under a content key."""

    key: bytes
    nonce: bytes
    ciphertext: bytes


# ---------------------------------------------------------------------------------------------------------------------
# Items of a file
# ---------------------------------------------------------------------------------------------------------------------


def head(data, at):
    """Major type, additional information, argument (None if there is none) and end of the head at `at`."""
    if at >= len(data):
        raise EOFError
    major, info = data[at] >> 5, data[at] & 31
    if info < 24:
        return major, info, info, at + 1
    if info == 31 and major in (2, 3, 4, 5, 7):
        return major, info, None, at + 1
    width = {24: 1, 25: 2, 26: 4, 27: 8}.get(info)
    if width is None:
        raise ValueError(f"head at byte {at} is reserved")
    if at + 1 + width > len(data):
        raise EOFError
    return major, info, int.from_bytes(data[at + 1 : at + 1 + width], "big"), at + 1 + width


def end_of_item(data, at):
    """Where the CBOR item at `at` ends. Containers are counted, so that depth costs no stack."""
    # How many items each open container still waits for; None until its break.
    open_containers = [1]
    while open_containers:
        major, info, argument, after = head(data, at)
        if major == 7 and info == 31:
            if open_containers[-1] is not None:
                raise ValueError(f"break at byte {at} ends nothing")
            open_containers.pop()
        else:
            if open_containers[-1] is not None:
                open_containers[-1] -= 1
            if argument is None:
                open_containers.append(None)
            elif major in (2, 3):
                after += argument
                if after > len(data):
                    raise EOFError
            elif major in (4, 5):
                open_containers.append(argument * (major - 3))
            elif major == 6:
                open_containers.append(1)
        at = after
        while open_containers and open_containers[-1] == 0:
            open_containers.pop()
    return at


def split(data):
    """The items of an op log file."""
    items, at = [], 0
    while at < len(data):
        where = f"item {len(items)} at byte {at}"
        if data[at] != 0xD2:
            raise NotAnOpLog(f"{where} does not begin with a COSE_Sign1 tag")
        try:
            end = end_of_item(data, at)
        except EOFError:
            raise NotAnOpLog(f"the file ends within {where}") from None
        except ValueError as fault:
            raise NotAnOpLog(f"{where} is not well-formed CBOR: {fault}") from None
        if end - at > ENVELOPE_BYTES_MAX:
            raise NotAnOpLog(f"{where} is longer than any op")
        items.append(data[at:end])
        at = end
    if not items:
        raise NotAnOpLog("the file is empty")
    return items


# ---------------------------------------------------------------------------------------------------------------------
# Canonical CBOR and the shapes of the CDDL
# ---------------------------------------------------------------------------------------------------------------------


def need(holds, rule):
    if not holds:
        raise NonCanonical(rule)


def loads(data):
    """The value of an item in canonical encoding. Types other than those of the CDDL fail where shapes are checked."""
    # A tag that cbor2 knows can fail in the ways of whatever Python type stands for it.
    try:
        with io.BytesIO(data) as stream:
            value = cbor2.CBORDecoder(stream).decode()
        canonical = cbor2.dumps(value, canonical=True)
    except (Exception, RecursionError) as fault:
        raise NonCanonical(f"not CBOR: {fault}") from fault
    need(canonical == data, "not the canonical encoding")
    return value


def integer(value, least=0, most=INTEGER_MAX):
    need(type(value) is int and least <= value <= most, "integer out of range")
    return value


def octets(value, size=None):
    need(type(value) is bytes and size in (None, len(value)), "byte string of another size")
    return value


def array(value, least, most):
    need(type(value) is list and least <= len(value) <= most, "array of another length")
    return value


def members(value, required, optional=()):
    """The values of a map that has the keys 0, 1, 2, ... or leaves out optional ones."""
    need(type(value) is dict and all(type(key) is int for key in value), "not a map by integers")
    need(set(required) <= set(value) <= set(required) | set(optional), "other members")
    return value


def ascending(values, rule):
    need(all(left < right for left, right in zip(values, values[1:], strict=False)), f"{rule} not strictly ascending")


def name(value):
    need(is_name(value), "not a name")
    return value


def tags(value):
    array(value, 1, TAGS_MAX)
    ascending([utf8(name(tag)) for tag in value], "tags")
    return frozenset(value)


def role(value):
    need(type(value) is str and value in ROLES, "not a role")
    return value


def jwt(value):
    need(type(value) is str and 1 <= len(value) <= JWT_BYTES_MAX, "JWT of another length")
    need(all("!" <= character <= "~" for character in value), "JWT of other characters")
    return value


def value_of_register(value):
    need(value is None or type(value) in (bool, int, str, bytes), "not a value")
    if type(value) is int:
        integer(value, -INTEGER_MAX)
    if type(value) is str:
        need(is_nfc(value), "text not in NFC")
    return value


def key(value):
    return octets(value, 32)


def op_id(value):
    return octets(value, 32)


def endorsed(value):
    array(value, 1, ENDORSED_MAX)
    ascending([op_id(op) for op in value], "endorsed ops")
    return tuple(value)


def kem(value):
    return integer(value, 1, 2)


def shares(value):
    """By recipient what is sealed to them: `enc` and ciphertext."""
    recipients, sealed_to = [], {}
    for share in array(value, 1, RECIPIENTS_MAX):
        recipient, enc, ciphertext = array(share, 3, 3)
        recipients.append(key(recipient))
        need(len(octets(enc)) in ENC_BYTES, "enc of another size")
        sealed_to[recipient] = enc, octets(ciphertext, 48)
    ascending(recipients, "shares")
    return sealed_to


def sealed(value):
    content_key, nonce, ciphertext = array(value, 3, 3)
    need(len(octets(ciphertext)) in SEALED_BYTES, "ciphertext of another size")
    return Sealed(op_id(content_key), octets(nonce, 24), ciphertext)


def marks(parameters):
    """KEM and tags of the parameters of the feature `confidential`; None where they are not of their one form."""
    try:
        number, names = array(loads(parameters), 2, 2)
        return kem(number), tags(names)
    except NonCanonical:
        return None


def roots(value):
    array(value, 1, ROOTS_MAX)
    ascending([key(root) for root in value], "roots")
    return frozenset(value)


def schema(value):
    return schema_rules(value, 0)


def schema_rules(value, least):
    rules = []
    for rule in array(value, least, SCHEMA_RULES_MAX):
        object_pattern, field_pattern, rule_tags = array(rule, 3, 3)
        tags(rule_tags)
        rules.append((utf8(name(object_pattern)), utf8(name(field_pattern)), [utf8(tag) for tag in rule_tags]))
    ascending(rules, "schema rules")
    return tuple(
        (object_pattern, field_pattern, frozenset(rule_tags)) for object_pattern, field_pattern, rule_tags in value
    )


def parameters(value):
    need(type(value) is bytes and len(value) <= PARAMETERS_BYTES_MAX, "not the parameters of a feature")
    return value


def features(value):
    pairs = [array(feature, 2, 2) for feature in array(value, 1, FEATURES_MAX)]
    pairs = [(name(feature), parameters(its_parameters)) for feature, its_parameters in pairs]
    ascending([utf8(feature) for feature, _ in pairs], "features")
    return tuple(pairs)


GENESIS = [
    ("name", name),
    ("nonce", lambda value: octets(value, 16)),
    ("roots", roots),
    ("schema", schema),
    ("features", features),
]
PAYLOADS = [
    ("Genesis", GENESIS),
    ("SetField", [("object", name), ("field", name), ("value", value_of_register)]),
    ("SetAdd", [("object", name), ("field", name), ("element", name), ("value", value_of_register)]),
    ("SetRemove", [("object", name), ("field", name), ("element", name)]),
    ("Credential", [("jwt", jwt)]),
    ("Grant", [("subject", key), ("credential", op_id)]),
    ("Revoke", [("subject", key), ("role", role), ("scope", tags)]),
    ("IssuerKey", [("issuer", name), ("kid", name), ("key", key), ("from", integer), ("until", integer)]),
    ("IssuerKeyRevoke", [("issuer", name), ("kid", name), ("reason", name)]),
    ("StatusList", [("jwt", jwt)]),
    ("Upgrade", [("feature", name), ("parameters", parameters)]),
    ("Schema", [("rules", lambda value: schema_rules(value, 1))]),
    ("Seal", [("digest", lambda value: octets(value, 32))]),
    ("Cosign", [("op", op_id)]),
    ("Endorse", [("ops", endorsed)]),
    ("Device", [("person", key), ("device", key), ("proof", lambda value: octets(value, 64))]),
    ("DeviceRevoke", [("person", key), ("device", key)]),
    ("ReaderKey", [("kem", kem), ("public", octets)]),
    ("KeyRotate", [("tags", tags)]),
    ("KeyGrant", [("key", op_id), ("shares", shares)]),
    ("SetFieldSealed", [("object", name), ("field", name), ("value", sealed)]),
    ("SetAddSealed", [("object", name), ("field", name), ("element", name), ("value", sealed)]),
]
OPTIONAL = {"Genesis": (5,), "Revoke": (2, 3)}


def payload(value):
    """Kind of a payload and its members by name."""
    need(type(value) is dict and 0 in value, "payload without a type")
    need(len(cbor2.dumps(value, canonical=True)) <= PAYLOAD_BYTES_MAX, "payload too long")
    kind, parts = PAYLOADS[integer(value[0], 0, len(PAYLOADS) - 1)]
    optional = OPTIONAL.get(kind, ())
    members(value, [number for number in range(len(parts) + 1) if number not in optional], optional)
    says = {part: read(value[number]) for number, (part, read) in enumerate(parts, 1) if number in value}
    if kind == "IssuerKey":
        need(says["from"] < says["until"], "empty window")
    if kind == "ReaderKey":
        octets(says["public"], READER_KEY_BYTES[says["kem"]])
    return kind, says


def canonical_end(data, at, level=1):
    """Where the item at `at` ends, which may be any of the CBOR that is allowed everywhere, in its one encoding."""
    major, info, argument, after = head(data, at)
    need(argument is not None and major != 6, "an indefinite length or a tag")
    need(info < 24 or argument >= {24: 24, 25: 1 << 8, 26: 1 << 16, 27: 1 << 32}[info], "not the shortest head")
    need(major != 7 or info in (20, 21, 22), "not a truth value and not null")
    need(major not in (4, 5) or level <= NESTING_MAX, "nested too deeply")
    if major in (2, 3):
        start, after = after, after + argument
        need(after <= len(data), "the item is cut")
        if major == 3:
            data[start:after].decode("utf-8")
    elif major == 4:
        for _ in range(argument):
            after = canonical_end(data, after, level + 1)
    elif major == 5:
        last = b""
        for _ in range(argument):
            start, after = after, canonical_end(data, after, level + 1)
            need(last < data[start:after], "map keys not ascending")
            # An unassigned payload is the one item of level 1.
            need(level > 1 or data[start] >> 5 == 0, "a key of a payload that is no unsigned integer")
            last, after = data[start:after], canonical_end(data, after, level + 1)
    return after


def unassigned(body):
    """Where the payload of a body begins and ends, and its type, if that is one that no kind has; None otherwise.

    `cbor2` sorts maps by another rule, and Python takes 1 and true for one key, so such payloads are read bytewise.
    """
    try:
        major, _, argument, at = head(body, 0)
        if (major, argument) != (5, 6):
            return None
        for _ in range(11):
            at = end_of_item(body, at)
        end = end_of_item(body, at)
        major, _, argument, key_at = head(body, at)
        if major != 5 or not argument or body[key_at] != 0:
            return None
        major, _, type_, _ = head(body, key_at + 1)
        if major != 0 or not len(PAYLOADS) <= type_ <= UNASSIGNED_TYPE_MAX:
            return None
        need(end - at <= PAYLOAD_BYTES_MAX, "payload too long")
        canonical_end(body, at)
    except EOFError as fault:
        raise NonCanonical("the body is cut") from fault
    except ValueError as fault:
        raise NonCanonical(f"not CBOR: {fault}") from fault
    return at, end, type_


def read_op(item):
    """The op in an item. Its signature is checked, too."""
    need(len(item) <= ENVELOPE_BYTES_MAX, "envelope too long")
    envelope = loads(item)
    need(type(envelope) is cbor2.CBORTag and envelope.tag == 18, "not a COSE_Sign1")
    protected, unprotected, body, signature = array(envelope.value, 4, 4)
    need(type(protected) is bytes and protected == cbor2.dumps({1: -8}), "another protected header")
    need(type(unprotected) is dict and not unprotected, "an unprotected header")
    octets(body), octets(signature, 64)

    unknown = unassigned(body)
    rest = body
    if unknown:
        payload_at, payload_end, type_ = unknown
        rest = body[:payload_at] + b"\xa0" + body[payload_end:]
    version, author, seq, parents, hlc, says = members(loads(rest), range(6)).values()
    integer(version, 1, 1), key(author), integer(seq)
    array(parents, 0, PARENTS_MAX)
    ascending([op_id(parent) for parent in parents], "parents")
    physical, logical, node = array(hlc, 3, 3)
    stamp = integer(physical), integer(logical, 0, 2**32 - 1), integer(node, 0, 2**32 - 1)
    kind, says = ("Unassigned", {"type": type_}) if unknown else payload(says)
    need((kind == "Genesis") == (not parents), "exactly the genesis has no parents")

    if not is_signed(item, author):
        raise BadSignature
    return Op(blake3(DOMAIN + body).digest(), author, seq, tuple(parents), stamp, kind, says)


def is_signed(item, author):
    """Whether the author signed the envelope: first by pycose, which has OpenSSL's rule, then by ZIP 215 itself."""
    message = Sign1Message.decode(item)
    message.external_aad = DOMAIN
    try:
        message.key = OKPKey(crv=Ed25519, x=author)
        if message.verify_signature():
            return True
    except (CoseException, ValueError):
        pass
    sig_structure = ["Signature1", message.phdr_encoded, DOMAIN, message.payload]
    return ed25519.verifies_slowly(author, message.signature, cbor2.dumps(sig_structure))
