"""When a new hash key is put before the old one, suppressions follow their addresses.

Only a keyed hash of a suppressed address is kept, so nobody can go through the table and hash it
anew. It is done whenever such an address turns up again, before anything is sent to it. The old
row stays: in a rolling deployment other processes still look for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..conf import settings
from .addresses import hashes
from .models import Suppression

_Key = tuple[int, str, str]


@dataclass(frozen=True, slots=True)
class Addressed:
    """An address, as a message has it."""

    site_id: int
    channel: str
    address: str


def rehash(addresses: Iterable[Addressed]) -> int:
    """Give suppressions under an old key a twin under the newest; a fixed number of queries.

    Args:
        addresses: Those that are about to be written to.

    Returns:
        How many suppressions were found under old keys; 0, without a query, where one key is set.
    """
    if len(settings.hash_keys) < 2:
        return 0
    newest: dict[_Key, str] = {}
    for one in {one for one in addresses if one.address}:
        current, *old = hashes(one.channel, one.address)
        newest.update({(one.site_id, one.channel, digest): current for digest in old})
    found = [
        (row, newest[key])
        for row in Suppression.objects.filter(address_hash__in={key[2] for key in newest})
        if (key := (row.site_id, row.channel, row.address_hash)) in newest
    ]
    if found:
        _add_twins(sorted(found, key=lambda pair: pair[1]))
    return len(found)


def _add_twins(found: list[tuple[Suppression, str]]) -> None:
    Suppression.objects.bulk_create(
        [
            Suppression(
                site_id=row.site_id,
                channel=row.channel,
                address_hash=current,
                scope=row.scope,
                reason=row.reason,
                created_at=row.created_at,
            )
            for row, current in found
        ],
        ignore_conflicts=True,
    )
    for row, current in found:
        if row.scope == Suppression.Scope.ALL:  # a wider suppression is never narrowed
            Suppression.objects.filter(
                site_id=row.site_id,
                channel=row.channel,
                address_hash=current,
                scope=Suppression.Scope.MARKETING,
            ).update(scope=row.scope, reason=row.reason)
