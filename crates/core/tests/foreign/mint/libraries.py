"""Mints with the PyPI libraries, each used as its documentation shows."""

import json
import warnings
from datetime import datetime, timezone
from pathlib import Path
from unittest import mock

import jwt as pyjwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc import jws as joserfc_jws
from joserfc.jwk import OKPKey
from jwcrypto.jwk import JWK
from jwcrypto.jwt import JWT
from openbadgeslib.ob3.signer import OB3Signer
from openbadgeslib.ob3.status_list import build_status_list_credential as openbadges_list
from openbadgeslib.ob3.status_list import status_entry
from openvc.did.did_key import DidKeyResolver
from openvc.keys import Ed25519SigningKey
from openvc.proof.vc_jwt import VcJwtProofSuite
from openvc.status.bitstring import new_bitstring, set_status_bit
from openvc.status.issue import build_status_list_credential as openvc_list
from openvc.status.issue import build_status_list_entry

FIXTURES = Path(__file__).parent.parent / "fixtures"
ISSUER = "https://issuer.example"
KID = f"{ISSUER}#key-1"
LIST = f"{ISSUER}/status/1"
FROM, UNTIL = "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"
START = datetime(2026, 1, 1, tzinfo=timezone.utc)
V2 = "https://www.w3.org/ns/credentials/v2"
HEADER = {"alg": "EdDSA", "typ": "vc+jwt", "kid": KID}


def test_key(byte: int) -> Ed25519PrivateKey:
    """A key from a seed of one byte, repeated: for tests only, and anybody can make it again."""
    return Ed25519PrivateKey.from_private_bytes(bytes([byte]) * 32)


ISSUER_KEY = test_key(0x11)
ISSUER_DID = "did:key:z6MktULudTtAsAhRegYPiZ6631RV3viv12qd4GQF8z1xB22S"
HOLDER = "did:key:z6Mkg49NtQR2LyYRDCQFK4w1VVHqhypZSSRo7HsyuN7SV7v5"
PEM = ISSUER_KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def credential(**members: object) -> dict:
    """A credential that keeps every rule, with as little as possible."""
    return {
        "@context": [V2, "https://www.w3.org/ns/credentials/undefined-terms/v2"],
        "type": ["VerifiableCredential"],
        "issuer": ISSUER,
        "validFrom": FROM,
        "validUntil": UNTIL,
        "credentialSubject": {"id": HOLDER, "role": "editor", "scope": ["docs"]},
        **members,
    }


def fixture(name: str, *, by: str, token: str, expect: str = "accepted", w3c: str = "valid",
            kind: str = "credential", reads: dict | None = None) -> None:
    """Writes a fixture; README.md says what its lines mean."""
    lines = [f"expect: {expect}", f"w3c: {w3c}", f"by: {by}", f"kind: {kind}", f"key: {ISSUER_DID}"]
    if reads is not None:
        lines.append("reads: " + json.dumps(reads, ensure_ascii=False, separators=(",", ":")))
    (FIXTURES / f"{name}.jwt").write_text("\n".join(lines) + f"\n\n{token}\n", encoding="utf-8")


def reads(**more: object) -> dict:
    """What a reader has to find in `credential()`."""
    return {
        "issuer": ISSUER, "kid": KID, "id": None, "subject": HOLDER, "role": "editor", "scope": ["docs"],
        "valid_from": FROM, "valid_until": UNTIL, "status": [], **more,
    }


def reads_list(indices: list[int], **more: object) -> dict:
    """What a reader has to find in a status list."""
    return {
        "issuer": ISSUER, "kid": KID, "id": LIST, "purpose": "revocation", "valid_from": FROM, "bits": 131072,
        "set": indices, **more,
    }


def with_joserfc() -> None:
    key = OKPKey.import_key(PEM)
    # Python escapes what is not ASCII.
    document = credential(
        issuer={"id": ISSUER, "name": "Büro"},
        validFrom="2026-01-01T01:00:00+01:00",
        credentialSubject={"id": HOLDER, "role": "policy_admin", "scope": ["büro", "docs"], "alumniOf": {"id": ISSUER}},
    )
    fixture(
        "joserfc-credential", by="PyPI joserfc",
        reads=reads(role="policy_admin", scope=["büro", "docs"]),
        token=joserfc_jws.serialize_compact(HEADER, json.dumps(document), key, algorithms=["EdDSA"]),
    )


def with_jwcrypto() -> None:
    key = JWK.from_pem(PEM)
    # jwcrypto sorts the members; the payload has spaces and line breaks.
    document = credential(validFrom="2025-12-31T19:00:00.250-05:00", iss=ISSUER, nbf=1767225600, exp=1798761600)
    token = JWT(header=HEADER, claims=json.dumps(document, indent=2))
    token.make_signed_token(key)
    fixture(
        "jwcrypto-credential", by="PyPI jwcrypto", token=token.serialize(),
        reads=reads(valid_from="2026-01-01T00:00:00.25Z"),
    )


def with_openvc() -> None:
    by = "PyPI openvc-core, PyJWT"
    status = build_status_list_entry(status_list_credential=LIST, index=94567, id=f"{LIST}#94567")
    fixture(
        "openvc-credential", by=by,
        reads=reads(status=[{"list": LIST, "index": 94567, "purpose": "revocation"}]),
        token=pyjwt.encode(credential(credentialStatus=status), ISSUER_KEY, algorithm="EdDSA", headers=HEADER),
    )
    indices = [0, 7, 8, 94567, 131071]
    bits = new_bitstring(131072)
    for index in indices:
        set_status_bit(bits, index, 1)
    document = openvc_list(
        id=LIST, issuer={"id": ISSUER, "name": "Example"}, status_purpose="revocation", bitstring=bits,
        valid_from=START, ttl=300_000,
    )
    fixture(
        "openvc-status-list", by=by, kind="status list", reads=reads_list(indices),
        token=pyjwt.encode(document, ISSUER_KEY, algorithm="EdDSA", headers=HEADER),
    )
    # The library's own token is the JWT encoding of VC Data Model 1.1 around a document of 2.0; it takes the time
    # of day.
    with mock.patch("time.time", return_value=START.timestamp()):
        token = VcJwtProofSuite().sign(credential(), signing_key=Ed25519SigningKey(ISSUER_KEY, KID))
    fixture(
        "openvc-own-token", by="PyPI openvc-core", token=token,
        expect='refused Malformed { member: "typ", expected: "`vc+jwt`" }',
        w3c="invalid, VC-JOSE-COSE section 3.1.3: `vc` must not be present",
    )


def with_openbadgeslib() -> None:
    indices = [1, 131070]
    # The gzip header holds the time of day.
    with mock.patch("time.time", return_value=START.timestamp()):
        document = openbadges_list(
            ISSUER, LIST, "suspension", indices, issued=START,
            valid_until=datetime(2026, 1, 2, tzinfo=timezone.utc),
        )
    token = JWT(header=HEADER, claims={**document, "iss": ISSUER, "jti": LIST, "nbf": 1767225600})
    token.make_signed_token(JWK.from_pem(PEM))
    fixture(
        "openbadgeslib-status-list", by="PyPI openbadgeslib, jwcrypto", kind="status list",
        reads=reads_list(indices, purpose="suspension"), token=token.serialize(),
    )
    status = status_entry(LIST, "suspension", 1)
    token = JWT(header=HEADER, claims=credential(credentialStatus=status))
    token.make_signed_token(JWK.from_pem(PEM))
    fixture(
        "openbadgeslib-credential", by="PyPI openbadgeslib, jwcrypto",
        reads=reads(status=[{"list": LIST, "index": 1, "purpose": "suspension"}]), token=token.serialize(),
    )
    # The library's own header has neither `typ: vc+jwt` nor `kid`, but the key itself.
    fixture(
        "openbadgeslib-own-token", by="PyPI openbadgeslib",
        expect='refused Malformed { member: "typ", expected: "`vc+jwt`" }',
        w3c="valid, VC-JOSE-COSE section 3.1.1: `typ` is only recommended",
        token=OB3Signer(PEM, algorithm="EdDSA").sign_payload({**credential(), "iss": ISSUER, "nbf": 1767225600}),
    )


def check_dids() -> None:
    for key, did in [(ISSUER_KEY, ISSUER_DID), (test_key(0x33), HOLDER)]:
        jwk = DidKeyResolver().resolve(did).verification_methods[0].public_key_jwk
        assert jwk["x"] == Ed25519SigningKey(key, did).public_jwk()["x"], did


if __name__ == "__main__":
    # RFC 9864 gives EdDSA with Ed25519 a name of its own; the credentials here keep the old one.
    warnings.filterwarnings("ignore", message="EdDSA is deprecated")
    check_dids()
    with_joserfc()
    with_jwcrypto()
    with_openvc()
    with_openbadgeslib()
