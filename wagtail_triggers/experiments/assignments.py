"""Read and keep which variants people have; in sets."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence

from .models import Assignment


def held(contact_ids: Iterable[int], experiments: Iterable[str]) -> dict[int, dict[str, str]]:
    """The variants that these people have, by contact and experiment; one query, or none."""
    names = set(experiments)
    if not names:
        return {}
    found: dict[int, dict[str, str]] = defaultdict(dict)
    rows = Assignment.objects.filter(contact_id__in=set(contact_ids), experiment__in=names)
    for contact, experiment, variant in rows.values_list("contact_id", "experiment", "variant"):
        found[contact][experiment] = variant
    return found


def keep(assignments: Iterable[Assignment]) -> None:
    """Keep new assignments; one that is there already stays as it is."""
    rows = sorted(assignments, key=lambda row: (row.contact_id, row.experiment))
    Assignment.objects.bulk_create(rows, ignore_conflicts=True)


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
