"""A host's signals become events, by functions in its `triggers.py`.

A fault in such a function is ours to bear, never the checkout's: it runs in a savepoint, and what
it raises is logged and counted. The host's own work goes on.

The savepoint is set by the function's first query. Most functions look at nothing but what the
signal carries, and many signals mean nothing: they cost no round trip.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType
from typing import Any

from django.db import DatabaseError, transaction
from django.db.models import F
from django.dispatch import Signal

from ..core import clock
from ..signals import mapping_failed
from .ingest import track
from .models import MappingFault
from .outbox import HARMLESS

logger = logging.getLogger("wagtail_triggers.mapping")


@dataclass(frozen=True, kw_only=True)
class Happened:
    """What a mapping found in a signal. The fields are those of `track`."""

    contact: Any
    key: str | int = ""
    payload: dict[str, Any] = field(default_factory=dict)
    dedupe_key: str | None = None
    occurred_at: datetime | None = None
    site: Any = None


Mapping = Callable[..., Happened | None]


def map_signal(signal: Signal, *, event: str, sender: Any = None) -> Callable[[Mapping], Mapping]:
    """Turn a signal of the host into an event; decorate a function in your `triggers.py`.

    The function gets what the signal sends (`sender` and its keyword arguments). It returns a
    `Happened`, or None where nothing happened that matters.

    Args:
        signal: Any Django signal.
        event: The event type that it means.
        sender: Only listen to this sender. Some shops send instances as sender (django-oscar):
            leave it out there.
    """

    def connect(mapping: Mapping) -> Mapping:
        name = f"{mapping.__module__}.{mapping.__qualname__}"

        def receive(sender: Any, **kwargs: Any) -> None:
            kwargs.pop("signal", None)
            try:
                with _AsItWas():
                    found = mapping(sender=sender, **kwargs)
                    if found is not None:
                        track(event, **vars(found))
            except Exception as error:  # whatever it is, the checkout goes on
                _count_fault(name, event, error)

        # The signal must hold the receiver: nobody else does.
        signal.connect(receive, sender=sender, weak=False, dispatch_uid=f"{name}:{event}")
        return mapping

    return connect


class _AsItWas:
    """Leaves the transaction as it was where the block fails; as `atomic`, from its first query."""

    def __init__(self) -> None:
        self._connection = transaction.get_connection()
        self._begun = False
        self._atomic: Any = None

    def __enter__(self) -> None:
        self._connection.execute_wrappers.append(self._execute)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._connection.execute_wrappers.remove(self._execute)
        if self._atomic is not None:
            self._atomic.__exit__(kind, error, trace)

    def _execute(
        self, execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: Any
    ) -> Any:
        if not (self._begun or str(sql).startswith(HARMLESS)):
            self._begun = True  # the savepoint itself comes by here too
            atomic = transaction.atomic()
            atomic.__enter__()  # fails where the host's transaction is lost already
            self._atomic = atomic
        return execute(sql, params, many, context)


def _count_fault(name: str, event: str, error: Exception) -> None:
    logger.error("The mapping %s (%s) failed; the shop went on", name, event, exc_info=error)
    mapping_failed.send(sender=None, mapping=name, event=event, error=error)
    try:
        with transaction.atomic():
            moment = clock.now()
            text = f"{type(error).__name__}: {error}"[:2_000]
            fault, created = MappingFault.objects.get_or_create(
                mapping=name[:200],
                defaults={"event": event, "error": text, "count": 1, "last_at": moment},
            )
            if not created:
                MappingFault.objects.filter(pk=fault.pk).update(
                    count=F("count") + 1, error=text, last_at=moment
                )
    except DatabaseError:
        # The host's transaction is broken already, or the database is: the log has the fault.
        logger.exception("The fault of %s could not be counted", name)
