"""Identifiers out of the seeded generator."""

from random import Random

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def make_uuid(rng: Random) -> str:
    """A UUID of version 4 (standard, section 7: `session_id` is one)."""
    bits = rng.getrandbits(128)
    text = f"{bits:032x}"
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-{'89ab'[bits >> 60 & 3]}{text[17:20]}-{text[20:]}"


def make_secret(rng: Random) -> str:
    """Looks like an encrypted token; it decrypts to nothing."""
    return "gAAAAAB" + "".join(rng.choices(_ALPHABET, k=93)) + "=="
