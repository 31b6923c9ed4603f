"""Draw a variant: by hash, so that the same question always gets the same answer."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence


def draw(experiment: str, subject: str, shares: Sequence[tuple[str, int]]) -> str:
    """The variant that a subject gets of an experiment: the same answer to the same question.

    The first 8 bytes of SHA-256 over both, as a fraction of their range, fall into one of the
    shares laid end to end.

    Args:
        experiment: Its key; another experiment draws independently.
        subject: Who is assigned, such as a contact's id.
        shares: Variants with their weights, which need not sum to 100; at least one is positive.
    """
    whole = hashlib.sha256(f"{experiment}\0{subject}".encode()).digest()
    total = sum(weight for _variant, weight in shares)
    point = int.from_bytes(whole[:8], "big") * total // 2**64
    for variant, weight in shares:
        point -= weight
        if point < 0:
            return variant
    raise AssertionError("unreachable: the point lies below the sum of the weights")
