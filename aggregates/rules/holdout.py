"""Draws who is kept out to be compared with: by a hash, so that a replay keeps out the same people. Fixed in docs/rules.md."""

import hashlib


def held_out(share: float, salt: str, *parts: str) -> bool:
    """Whether the one that the parts name is among this share of all. The parts: rule, version, customer."""
    if share <= 0:
        return False
    digest = hashlib.blake2b("\x1f".join(parts).encode(), digest_size=8, key=salt.encode()[:64], person=b"holdout").digest()
    return int.from_bytes(digest) < share * 2**64
