#!/usr/bin/env python3
"""Writes keys.json beside this file: one published test key in every form in which a key file may come.

The key is that of RFC 6979, appendix A.2.5, so nothing here is secret. The forms of PKCS #8 are made by openssl, those
of cosign by PyNaCl. Each entry has the label of its PEM block and the block's base64, without the dashes, so that no
tool takes it for a key that leaked.

Needs openssl 3 and requirements.txt: python3 make.py
"""

import base64
import hashlib
import json
import pathlib
import subprocess

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from nacl.secret import SecretBox

PASSWORD = b"correct horse"
SCALAR = 0xC9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721
PKCS8 = serialization.PrivateFormat.PKCS8
SPKI = serialization.PublicFormat.SubjectPublicKeyInfo
PEM = serialization.Encoding.PEM
DER = serialization.Encoding.DER
PLAIN = serialization.NoEncryption()


def openssl(pem, *arguments):
    command = ["openssl", *arguments]
    return subprocess.run(command, input=pem, stdout=subprocess.PIPE, check=True).stdout


def entry(pem):
    lines = pem.decode().strip().split("\n")
    label = lines[0].removeprefix("-----BEGIN ").removesuffix("-----")
    return {"label": label, "base64": "".join(lines[1:-1])}


def cosign(der, log_n, label="ENCRYPTED SIGSTORE PRIVATE KEY"):
    salt = hashlib.sha256(b"salt" + bytes([log_n])).digest()
    nonce = hashlib.sha256(b"nonce" + bytes([log_n])).digest()[:24]
    # OpenSSL's scrypt, by way of hashlib.
    key = hashlib.scrypt(PASSWORD, salt=salt, n=1 << log_n, r=8, p=1, maxmem=1 << 30, dklen=32)
    boxed = SecretBox(key).encrypt(der, nonce).ciphertext
    text = lambda value: base64.b64encode(value).decode()
    document = {
        "kdf": {"name": "scrypt", "params": {"N": 1 << log_n, "r": 8, "p": 1}, "salt": text(salt)},
        "cipher": {"name": "nacl/secretbox", "nonce": text(nonce)},
        "ciphertext": text(boxed),
    }
    document = json.dumps(document, separators=(",", ":")).encode()
    return {"label": label, "base64": text(document)}


def main():
    key = ec.derive_private_key(SCALAR, ec.SECP256R1())
    pem = key.private_bytes(PEM, PKCS8, PLAIN)
    der = key.private_bytes(DER, PKCS8, PLAIN)
    public_der = key.public_key().public_bytes(DER, SPKI)
    password = "pass:" + PASSWORD.decode()
    encrypt = ["pkcs8", "-topk8", "-passout", password]
    p384 = ec.derive_private_key(SCALAR, ec.SECP384R1()).private_bytes(PEM, PKCS8, PLAIN)
    edwards = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    keys = {
        "password": PASSWORD.decode(),
        "hint": base64.b64encode(hashlib.sha256(public_der).digest()).decode(),
        "public": {
            "openssl": entry(openssl(pem, "pkey", "-pubout")),
            "compressed": entry(openssl(pem, "ec", "-pubout", "-conv_form", "compressed")),
        },
        "good": {
            "pkcs8": entry(openssl(pem, "pkcs8", "-topk8", "-nocrypt")),
            "pbes2-default": entry(openssl(pem, *encrypt)),
            "pbes2-aes128": entry(openssl(pem, *encrypt, "-v2", "aes-128-cbc", "-iter", "600000")),
            "pbes2-sha512": entry(openssl(pem, *encrypt, "-v2", "aes256", "-v2prf", "hmacWithSHA512")),
            "pbes2-scrypt": entry(openssl(pem, *encrypt, "-scrypt")),
            "cosign": cosign(der, 16),
            "cosign-first": cosign(der, 15, "ENCRYPTED COSIGN PRIVATE KEY"),
        },
        "bad": {
            "sec1": entry(openssl(pem, "ec")),
            "p384": entry(p384),
            "ed25519": entry(edwards.private_bytes(PEM, PKCS8, PLAIN)),
            "pbes1": entry(openssl(pem, *encrypt, "-v1", "PBE-SHA1-3DES")),
            "pbes2-costly": entry(openssl(pem, *encrypt, "-iter", "10000001")),
            "cosign-costly": cosign(der, 19),
        },
    }
    path = pathlib.Path(__file__).with_name("keys.json")
    path.write_text(json.dumps(keys, indent=2) + "\n")


if __name__ == "__main__":
    main()
