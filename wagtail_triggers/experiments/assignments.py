"""Read and keep which variants people have; in sets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

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
