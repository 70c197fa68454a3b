"""Verifies what this project mints, with the PyPI libraries."""

import json
import warnings
from pathlib import Path

import jwt as pyjwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jws as joserfc_jws
from joserfc.errors import BadSignatureError
from joserfc.jwk import OKPKey
from jwcrypto.jwk import JWK
from jwcrypto.jwt import JWT
from openbadgeslib.ob3.status import decode_encoded_list, set_indices
from openvc.proof._jws import verify_compact
from openvc.status.status_list import check_credential_status

OURS = Path(__file__).parent.parent / "ours"
LIST = "https://issuer.example/status/1"
HEADER = {"alg": "EdDSA", "kid": "https://issuer.example#key-1", "typ": "vc+jwt"}


def public_pem(byte: int) -> bytes:
    key = Ed25519PrivateKey.from_private_bytes(bytes([byte]) * 32).public_key()
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def opened(name: str) -> dict:
    """The document that every JOSE library reads, all of them the same."""
    token = (OURS / f"{name}.jwt").read_text(encoding="ascii").rstrip()
    pem = public_pem(0x11)
    verified = joserfc_jws.deserialize_compact(token, OKPKey.import_key(pem), algorithms=["EdDSA"])
    assert verified.headers() == HEADER
    document = json.loads(verified.payload)
    key = JWK.from_pem(pem)
    # It would check dates against the time of day.
    assert json.loads(JWT(jwt=token, key=key, check_claims={}, expected_type="JWS").claims) == document
    assert pyjwt.decode(token, pem, algorithms=["EdDSA"]) == document
    assert verify_compact(token, public_key_jwk=key.export_public(as_dict=True)) == (HEADER, document)
    try:
        joserfc_jws.deserialize_compact(token, OKPKey.import_key(public_pem(0x22)), algorithms=["EdDSA"])
    except BadSignatureError:
        return document
    raise AssertionError("another key verifies it")


def main() -> None:
    warnings.filterwarnings("ignore", message="EdDSA is deprecated")
    credential, status_list = opened("credential"), opened("status-list")
    result = check_credential_status(credential, resolve_status_list={LIST: status_list}.__getitem__)
    assert result.revoked and not result.suspended, result
    bits = decode_encoded_list(status_list["credentialSubject"]["encodedList"])
    assert len(bits) == 16384 and set_indices(bits) == {0, 7, 8, 94567, 131071}
    print("credential and status list verified; bit 94567 is set")


if __name__ == "__main__":
    main()
