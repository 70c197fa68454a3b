"""Text, names and identifiers."""

import unicodedata2

NAME_BYTES_MAX = 256
# The characters of the property Bidi_Control.
BIDI_CONTROL = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
# Multicodec `ed25519-pub` as an unsigned varint.
ED25519_PUB = b"\xed\x01"


def utf8(text):
    return text.encode("utf-8")


def is_nfc(text):
    """Whether the text is in Normalization Form C, by the tables of Unicode 18.0.0 that the format names."""
    return unicodedata2.normalize("NFC", text) == text


def is_plain(character):
    """Whether the character neither controls (general category Cc) nor reorders text."""
    return unicodedata2.category(character) != "Cc" and character not in BIDI_CONTROL


def is_name(text):
    return type(text) is str and 1 <= len(utf8(text)) <= NAME_BYTES_MAX and is_nfc(text) and all(map(is_plain, text))


def did_key(key):
    """The did:key form of 32 bytes. The first byte is never zero, so base58 needs no leading ones."""
    number = int.from_bytes(ED25519_PUB + key, "big")
    digits = ""
    while number:
        number, digit = divmod(number, 58)
        digits = BASE58[digit] + digits
    return "did:key:z" + digits


def key_of_did(did):
    """The 32 bytes that a did:key names, or None for any other text."""
    encoded = did.removeprefix("did:key:z")
    if encoded == did or len(encoded) > 64 or not set(encoded) <= set(BASE58):
        return None
    number = 0
    for digit in encoded:
        number = number * 58 + BASE58.index(digit)
    key = number.to_bytes(64, "big")[-32:]
    return key if did_key(key) == did else None
