"""Ed25519 signatures under ZIP 215, where every implementation accepts exactly the same signatures.

The rule: S is less than the group order; A and R are any encodings of curve points, also of small or mixed order,
also with a y of 2^255 - 19 or more, also a zero x with the sign bit; and [8][S]B = [8]R + [8][k]A.

`cryptography` follows OpenSSL, which decodes A as liberally but wants the equation to hold without the factor 8 and R
to be in canonical form. So whatever OpenSSL accepts, ZIP 215 accepts, and only what it refuses is judged here.
"""

import hashlib

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
SQRT_MINUS_1 = pow(2, (P - 1) // 4, P)


def add(left, right):
    """Sum of two points in extended coordinates (x, y, z, t), complete for this curve (RFC 8032 section 5.1.4)."""
    x1, y1, z1, t1 = left
    x2, y2, z2, t2 = right
    a = (y1 - x1) * (y2 - x2) % P
    b = (y1 + x1) * (y2 + x2) % P
    c = 2 * D * t1 * t2 % P
    d = 2 * z1 * z2 % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def multiply(scalar, point):
    """The point added to itself `scalar` times."""
    total = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            total = add(total, point)
        point = add(point, point)
        scalar >>= 1
    return total


def negate(point):
    x, y, z, t = point
    return P - x, y, z, P - t


def decompress(encoding):
    """The point that 32 bytes encode, or None if no point of the curve has such a y."""
    number = int.from_bytes(encoding, "little")
    sign = number >> 255
    y = (number & (2**255 - 1)) % P
    x_squared = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(x_squared, (P + 3) // 8, P)
    if x * x % P != x_squared:
        x = x * SQRT_MINUS_1 % P
    if x * x % P != x_squared:
        return None
    if x & 1 != sign:
        x = -x % P
    return x, y, 1, x * y % P


BASE = decompress((4 * pow(5, -1, P) % P).to_bytes(32, "little"))


def verifies_slowly(key, signature, message):
    """The rule of ZIP 215, word by word."""
    if len(key) != 32 or len(signature) != 64:
        return False
    a, r = decompress(key), decompress(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if a is None or r is None or s >= L:
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % L
    rest = add(multiply(s, BASE), negate(add(r, multiply(k, a))))
    x, y, z, _ = multiply(8, rest)
    return x == 0 and y == z


def openssl_accepts(key, signature, message):
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def verifies(key, signature, message):
    """Whether `signature` is one of `key` over `message`."""
    return openssl_accepts(key, signature, message) or verifies_slowly(key, signature, message)
