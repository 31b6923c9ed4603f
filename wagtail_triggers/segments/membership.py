"""Who is in which segment, asked of whoever keeps segments; in sets."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Protocol

from ..exceptions import RegistrationError


class SegmentProvider(Protocol):
    """Keeps segments. Both methods are called for whole batches."""

    def labels(self) -> Mapping[str, str]:
        """Every segment's identifier with its label."""

    def memberships(
        self, contact_ids: Collection[int], segments: Collection[str], moment: datetime
    ) -> Mapping[int, frozenset[str]]:
        """Of these segments, those that each of these contacts is in at `moment`."""


_provider: SegmentProvider | None = None


def provide_segments(provider: SegmentProvider | None) -> None:
    """Name whoever keeps segments; None takes it away again (for tests).

    Raises:
        RegistrationError: There is another one already.
    """
    global _provider
    if provider is not None and _provider is not None and _provider is not provider:
        raise RegistrationError(
            f"{type(_provider).__name__} provides segments already; {type(provider).__name__} "
            "cannot do so too. Take one of them away."
        )
    _provider = provider


def labels() -> Mapping[str, str]:
    """Every segment that there is, with its label; none where nobody keeps any."""
    return _provider.labels() if _provider is not None else {}


def memberships(
    contact_ids: Collection[int], segments: Collection[str], moment: datetime
) -> Mapping[int, frozenset[str]]:
    """Of these segments, those that each contact is in; no query where none is asked about."""
    if _provider is None or not segments or not contact_ids:
        return {}
    return _provider.memberships(contact_ids, segments, moment)
