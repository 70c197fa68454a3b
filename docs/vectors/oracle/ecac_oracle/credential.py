"""Credentials and status lists: W3C VC Data Model 2.0 documents in compact JWS.

`Unreadable` is all that this module says about a text that breaks a rule; which rule does not matter to a decision.
Members that no rule names are ignored.
"""

import base64
import binascii
import datetime
import json
import re
import zlib
from dataclasses import dataclass

from . import ed25519
from .text import is_name, key_of_did, utf8
from .wire import ROLES, TAGS_MAX

CONTEXT_V2 = "https://www.w3.org/ns/credentials/v2"
JWT_BYTES_MAX = 64 * 1024
JSON_LEVELS_MAX = 127
LIST_BYTES_MIN = 16 * 1024
LIST_BYTES_MAX = 1024 * 1024
STATUS_ENTRIES_MAX = 4
AUDIENCES_MAX = 64
STATUS_INDEX_MAX = LIST_BYTES_MAX * 8 - 1
PURPOSES = ("revocation", "suspension")
NS_PER_SECOND = 10**9
NS_MIN = -62_135_596_800 * NS_PER_SECOND
NS_MAX = 253_402_300_800 * NS_PER_SECOND - 1


class Unreadable(Exception):
    """Not a credential or status list that can be read in exactly one way."""


def need(holds, rule):
    if not holds:
        raise Unreadable(rule)


@dataclass(frozen=True)
class Signed:
    """What a JWT signs, and the signature."""

    kid: str
    issuer: str
    message: bytes
    signature: bytes
    # The projects that `aud` names; None, where it is absent, for every project.
    audiences: frozenset[str] | None = None

    def is_for(self, project):
        """Whether the document is for the project, whose id stands in `aud` as lower case hexadecimal."""
        return self.audiences is None or project.hex() in self.audiences

    def verifies_with(self, key):
        return ed25519.verifies(key, self.signature, self.message)


@dataclass(frozen=True)
class Status:
    """A bit that withdraws a credential."""

    list: str
    purpose: str
    index: int


@dataclass(frozen=True, eq=False)
class Credential:
    signed: Signed
    subject: bytes
    role: str
    scope: frozenset[str]
    from_ns: int
    until_ns: int
    status: tuple[Status, ...]


@dataclass(frozen=True, eq=False)
class StatusList:
    signed: Signed
    id: str
    purpose: str
    from_ns: int
    bits: bytes

    def bit(self, index):
        """The bit, counted from the most significant of byte 0; None beyond the end."""
        if index // 8 >= len(self.bits):
            return None
        return self.bits[index // 8] >> (7 - index % 8) & 1 == 1


# ---------------------------------------------------------------------------------------------------------------------
# Parts
# ---------------------------------------------------------------------------------------------------------------------


def base64url(text):
    """Bytes of base64url without padding, in the one spelling that a round trip gives back."""
    need(re.fullmatch(r"[A-Za-z0-9_-]*", text), "not base64url")
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error as fault:
        raise Unreadable("not base64url") from fault
    need(base64.urlsafe_b64encode(data).rstrip(b"=") == text.encode(), "base64url is not canonical")
    return data


def json_object(data):
    """A JSON object in UTF-8 in which no name occurs twice, no number overflows and all text is Unicode.

    Numbers that are not written as an integer of 64 bits become `None`, which no rule asks for.
    """

    def unique(pairs):
        need(len({name for name, _ in pairs}) == len(pairs), "a member occurs twice")
        return dict(pairs)

    def number(text):
        need(abs(float(text)) != float("inf"), "a number overflows")
        integer = re.fullmatch(r"-?[0-9]+", text) and text != "-0" and len(text) <= 20
        return int(text) if integer and -(2**63) <= int(text) < 2**64 else None

    def constant(text):
        raise Unreadable(f"{text} is not JSON")

    def check(value, level):
        if isinstance(value, str):
            need(not re.search("[\ud800-\udfff]", value), "half of a surrogate pair")
        elif isinstance(value, (list, dict)):
            need(level <= JSON_LEVELS_MAX, "nested too deeply")
            for child in (*value, *value.values()) if isinstance(value, dict) else value:
                check(child, level + 1)

    try:
        value = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=unique,
            parse_int=number,
            parse_float=number,
            parse_constant=constant,
        )
        check(value, 1)
    except (ValueError, RecursionError) as fault:
        raise Unreadable("not JSON") from fault
    need(type(value) is dict, "not a JSON object")
    return value


def member(document, name, type_):
    """The value of a member that has to be there with this type."""
    need(name in document and type(document[name]) is type_, f"`{name}` is not there as {type_.__name__}")
    return document[name]


def name(document, member_name):
    value = member(document, member_name, str)
    need(is_name(value), f"`{member_name}` is not a name")
    return value


def url(document, member_name):
    """A name with a scheme (RFC 3986) and without white space."""
    value = name(document, member_name)
    # All of Unicode's `White_Space` and `Cc`.
    space = "\u0000-\u0020\u007f-\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
    need(re.fullmatch(f"[A-Za-z][A-Za-z0-9+.-]*:[^{space}]+", value), f"`{member_name}` is not a URL")
    return value


DATE_TIME = re.compile(
    "([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})"
    "(?:[.]([0-9]{1,9}))?"
    "(?:Z|([+-])([0-9]{2}):([0-5][0-9]))"
)


def date_time(document, member_name):
    """Nanoseconds since 1970 of an XML Schema `dateTimeStamp` in the years 1 to 9999."""
    match = DATE_TIME.fullmatch(member(document, member_name, str))
    need(match, f"`{member_name}` is not a date-time")
    *calendar, fraction, sign, hours, minutes = match.groups()
    try:
        since_1970 = datetime.datetime(*map(int, calendar)) - datetime.datetime(1970, 1, 1)
    except ValueError as fault:
        raise Unreadable(f"`{member_name}` is not in the calendar") from fault
    seconds = since_1970.days * 86_400 + since_1970.seconds
    if sign:
        offset = int(hours) * 3600 + int(minutes) * 60
        need(offset <= 14 * 3600, "an offset has at most 14 hours")
        seconds -= offset if sign == "+" else -offset
    return in_range(seconds * NS_PER_SECOND + int((fraction or "").ljust(9, "0")))


def numeric_date(document, member_name):
    """Nanoseconds since 1970 of a claim in whole seconds; None where the claim is not there."""
    if member_name not in document:
        return None
    return in_range(member(document, member_name, int) * NS_PER_SECOND)


def in_range(ns):
    need(NS_MIN <= ns <= NS_MAX, "not in the years 1 to 9999")
    return ns


def valid_from(document):
    """The later of `validFrom` and `nbf`."""
    instants = [date_time(document, "validFrom"), numeric_date(document, "nbf")]
    return max(instant for instant in instants if instant is not None)


def valid_until(document):
    """The earlier of `validUntil` and `exp`."""
    instants = [date_time(document, "validUntil"), numeric_date(document, "exp")]
    return min(instant for instant in instants if instant is not None)


def types(document):
    value = document.get("type")
    value = value if type(value) is list else [value]
    need(all(type(element) is str for element in value), "`type` is not text")
    return value


def purpose(document):
    value = member(document, "statusPurpose", str)
    need(value in PURPOSES, "another purpose")
    return value


# ---------------------------------------------------------------------------------------------------------------------
# Documents
# ---------------------------------------------------------------------------------------------------------------------


def read_claims(jwt):
    """The claims of a VC JWT, their one subject, and what is signed."""
    need(len(utf8(jwt)) <= JWT_BYTES_MAX, "too long")
    parts = jwt.split(".")
    need(len(parts) == 3, "not three parts")
    header_bytes, payload_bytes, signature = map(base64url, parts)
    need(len(signature) == 64, "not an Ed25519 signature")

    header = json_object(header_bytes)
    need("crit" not in header, "`crit` must be absent")
    need(member(header, "alg", str) == "EdDSA", "another `alg`")
    need(member(header, "typ", str) == "vc+jwt", "another `typ`")
    kid = name(header, "kid")

    claims = json_object(payload_bytes)
    need("vc" not in claims and "vp" not in claims, "`vc` and `vp` must be absent")
    need(member(claims, "@context", list)[:1] == [CONTEXT_V2], "another `@context`")
    need("VerifiableCredential" in types(claims), "not a credential")
    issuer = claims.get("issuer")
    issuer = url(issuer, "id") if type(issuer) is dict else url(claims, "issuer")
    subject = member(claims, "credentialSubject", dict)
    if "id" in claims:
        url(claims, "id")
    if "id" in subject:
        member(subject, "id", str)
    for claim, value in [("iss", issuer), ("jti", claims.get("id")), ("sub", subject.get("id"))]:
        if claim in claims:
            need(member(claims, claim, str) == value, f"`{claim}` says something else")
    need(not any(map(is_other_status, claims)), "a claim of status that is not understood")
    signed = Signed(kid, issuer, f"{parts[0]}.{parts[1]}".encode(), signature, audiences(claims))
    return claims, subject, signed


ASCII_LOWER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")


def is_other_status(claim):
    """Whether the name of a claim is one of status, and not the one that is understood."""
    lower = claim.translate(ASCII_LOWER)
    return claim != "credentialStatus" and ("status" in lower or "revo" in lower)


def audiences(claims):
    """The members of `aud` (RFC 7519 section 4.1.3); None where it is absent."""
    if "aud" not in claims:
        return None
    value = claims["aud"] if type(claims["aud"]) is list else [claims["aud"]]
    need(1 <= len(value) <= AUDIENCES_MAX and all(type(element) is str for element in value), "`aud` names no audience")
    return frozenset(value)


def read_status(entry):
    need(type(entry) is dict, "a status that is no object")
    need(member(entry, "type", str) == "BitstringStatusListEntry", "another kind of status")
    if "statusSize" in entry:
        need(member(entry, "statusSize", int) == 1, "another size of status")
    index = member(entry, "statusListIndex", str)
    need(re.fullmatch("0|[1-9][0-9]{0,6}", index) and int(index) <= STATUS_INDEX_MAX, "another index")
    return Status(url(entry, "statusListCredential"), purpose(entry), int(index))


def read_credential(jwt):
    """The credential in a JWT; whether its signature verifies is another question."""
    claims, subject, signed = read_claims(jwt)
    from_ns, until_ns = valid_from(claims), valid_until(claims)
    need(from_ns < until_ns, "the validity ends before it begins")
    key = key_of_did(member(subject, "id", str))
    need(key is not None, "the subject is no did:key of Ed25519")
    role = member(subject, "role", str)
    need(role in ROLES, "another role")
    scope = member(subject, "scope", list) if "scope" in subject else []
    need(len(scope) <= TAGS_MAX and all(is_name(tag) for tag in scope), "not tags")
    need(len(set(scope)) == len(scope), "a tag occurs twice")
    entries = claims.get("credentialStatus", ())
    if "credentialStatus" in claims:
        entries = entries if type(entries) is list else [entries]
        need(1 <= len(entries) <= STATUS_ENTRIES_MAX, "no status or too many")
    status = tuple(read_status(entry) for entry in entries)
    return Credential(signed, key, role, frozenset(scope), from_ns, until_ns, status)


def read_status_list(jwt):
    """The status list in a JWT; whether its signature verifies is another question.

    When it ends does not matter, nor does a `credentialStatus` of its own.
    """
    claims, subject, signed = read_claims(jwt)
    need("BitstringStatusListCredential" in types(claims), "not a status list credential")
    need(member(subject, "type", str) == "BitstringStatusList", "not a status list")
    id_, from_ns = url(claims, "id"), valid_from(claims)
    encoded = member(subject, "encodedList", str)
    need(encoded.startswith("u"), "not base64url of multibase")
    return StatusList(signed, id_, purpose(subject), from_ns, unpack(base64url(encoded[1:])))


def unpack(packed):
    """The bitstring of one gzip member, of which no more is unpacked than the limit and a byte."""
    unpacking = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    try:
        bits = unpacking.decompress(packed, LIST_BYTES_MAX + 1)
    except zlib.error as fault:
        raise Unreadable("not gzip") from fault
    need(unpacking.eof and not unpacking.unused_data, "not one whole gzip member")
    need(LIST_BYTES_MIN <= len(bits) <= LIST_BYTES_MAX, "bitstring of another length")
    return bits
