"""What each room knows of a person, and how it forgets it: a registry, as merging has one.

Rooms above register here (`on_erasure`); this one never imports them. `erasures.py` carries it out.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import Model, QuerySet

from ..core.registry import Registry

#: Why a run ended, or a message was cancelled.
SUBJECT_GONE: Final = "subject_gone"

#: Kinds that name a person for certain.
CERTAIN: Final = ("user_id", "external_id")


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom an erasure is about.

    Attributes:
        site_id: Their site.
        contacts: Ids of all their contacts, merged ones included; empty where nobody is known.
        identities: Kind and value of everything that names them.
        moment: The reading of the clock that all decisions of one part share.
    """

    site_id: int
    contacts: tuple[int, ...]
    identities: frozenset[tuple[str, str]]
    moment: datetime

    def owns(self, who: Mapping[str, Any]) -> bool:
        """Whether a description that no contact was found for yet is of this person.

        As in `identify`: a user's id decides; for a guest anything that names them will do.
        """
        certain = [(kind, str(who[kind])) for kind in CERTAIN if who.get(kind)]
        if certain:
            return any(one in self.identities for one in certain)
        return any((kind, str(value)) in self.identities for kind, value in who.items())


@dataclass(frozen=True, slots=True)
class Trace:
    """What one table tells of a person.

    Attributes:
        model: The table.
        rows: The person's rows in it.
        blank: What to write over which fields; None: the rows are deleted.
    """

    model: type[Model]
    rows: Callable[[Subject], QuerySet[Any]]
    blank: Mapping[str, Any] | None = None

    @property
    def name(self) -> str:
        """The table, as an erasure counts it."""
        return str(self.model._meta.model_name)


def _nothing(_subject: Subject) -> tuple[()]:
    return ()


def _stops_nothing(_subject: Subject, _addresses: Collection[tuple[str, str]]) -> Mapping[str, int]:
    return {}


def _never(_subject: Subject) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Eraser:
    """How a room forgets a person.

    Attributes:
        traces: Its tables.
        addresses: Channel and address of everywhere that the room knows them to be written to.
        stop: Ends what may still happen to them; called once or several times, in a transaction
            that holds their contacts, with all their addresses. Returns how many rows it changed,
            by table.
        busy: Whether somebody holds something of theirs that must come to its end first.
    """

    traces: Sequence[Trace] = ()
    addresses: Callable[[Subject], Iterable[tuple[str, str]]] = _nothing
    stop: Callable[[Subject, Collection[tuple[str, str]]], Mapping[str, int]] = _stops_nothing
    busy: Callable[[Subject], bool] = _never


erasers: Final[Registry[Eraser]] = Registry("eraser of a room")


def on_erasure(room: str, eraser: Eraser) -> Eraser:
    """Register how a room forgets people; raises RegistrationError where it has said so already."""
    return erasers.register(room)(eraser)


def traces() -> list[Trace]:
    """Every table that tells of people, in the order in which they are emptied."""
    return [trace for _room, one in sorted(erasers.all().items()) for trace in one.traces]
