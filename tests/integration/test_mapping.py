"""A host's signals become events; a fault in a mapping never breaks the host's own work."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.dispatch import Signal
from pytest_django import Settings

from tests.shop import ADA
from wagtail_triggers.api import Happened, Who, map_signal
from wagtail_triggers.events.models import Event, MappingFault
from wagtail_triggers.signals import mapping_failed

pytestmark = pytest.mark.django_db

placed = Signal()


class Shop:
    """Sends the signal."""


@pytest.fixture(autouse=True)
def _alone(settings: Settings) -> Iterator[None]:
    settings.WAGTAIL_TRIGGERS_NUDGE = "off"
    yield
    placed.receivers.clear()
    placed.sender_receivers_cache.clear()


def mapped(mapping: Callable[..., Happened | None], **more: Any) -> None:
    """Map the signal."""
    map_signal(placed, event="order_placed", **more)(mapping)


def good(sender: Any, number: str, **_kwargs: Any) -> Happened | None:
    """Every order but that of nobody."""
    if number == "nobody's":
        return None
    return Happened(contact=ADA, key=number, payload={"order_id": number}, dedupe_key=number)


def test_signal_becomes_an_event() -> None:
    mapped(good)
    placed.send(sender=Shop, number="77")
    event = Event.objects.get()
    assert (event.name, event.key, event.dedupe_key) == ("order_placed", "77", "77")
    placed.send(sender=Shop, number="77")
    assert Event.objects.count() == 1


def test_signal_that_does_not_matter_becomes_nothing() -> None:
    mapped(good)
    placed.send(sender=Shop, number="nobody's")
    assert Event.objects.count() == MappingFault.objects.count() == 0


def test_mapping_of_one_sender_hears_no_other() -> None:
    mapped(good, sender=Shop)
    placed.send(sender=User, number="1")
    placed.send(sender=Shop, number="2")
    assert list(Event.objects.values_list("key", flat=True)) == ["2"]


def test_mapping_made_twice_is_heard_once() -> None:
    mapped(good)
    mapped(good)
    assert len(placed.receivers) == 1


def raises(sender: Any, number: str, **_kwargs: Any) -> Happened | None:
    """A fault of its own."""
    raise KeyError(number)


def breaks_the_transaction(sender: Any, number: str, **_kwargs: Any) -> Happened | None:
    """A fault in SQL, which would poison the transaction around it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM no_such_table")
    return None


def names_nobody(sender: Any, number: str, **_kwargs: Any) -> Happened | None:
    """What `track` refuses."""
    return Happened(contact=Who(), key=number, payload={"order_id": number})


def takes_other_arguments(sender: Any) -> Happened | None:
    """A signature that the signal does not fit."""
    return None


@pytest.mark.parametrize(
    ("mapping", "error"),
    [
        (raises, "KeyError: '77'"),
        (breaks_the_transaction, "no_such_table"),
        (names_nobody, "InvalidEvent: contact names nobody"),
        (takes_other_arguments, "TypeError: "),
    ],
)
def test_fault_in_a_mapping_is_counted_and_the_shop_goes_on(
    mapping: Callable[..., Happened | None], error: str, caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[dict[str, Any]] = []

    def hear(sender: Any, **kwargs: Any) -> None:
        heard.append(kwargs)

    mapping_failed.connect(hear)
    mapped(mapping)
    try:
        for _time in range(2):
            with transaction.atomic():
                User.objects.create(username=f"before {_time}")
                placed.send(sender=Shop, number="77")
                User.objects.create(username=f"after {_time}")
    finally:
        mapping_failed.disconnect(hear)
    assert User.objects.filter(username__contains="e").count() == 4
    assert Event.objects.count() == 0
    fault = MappingFault.objects.get()
    assert fault.mapping == f"{__name__}.{mapping.__name__}"
    assert (fault.event, fault.count) == ("order_placed", 2)
    assert error in fault.error
    assert [kwargs["event"] for kwargs in heard] == ["order_placed"] * 2
    assert "the shop went on" in caplog.text


def test_fault_in_one_mapping_leaves_the_others_alone() -> None:
    mapped(raises)
    mapped(good)
    placed.send(sender=Shop, number="77")
    assert Event.objects.count() == MappingFault.objects.count() == 1


def test_fault_that_cannot_be_counted_is_still_logged_and_nothing_is_raised(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from django.db import DatabaseError

    def gone(*args: Any, **kwargs: Any) -> Any:
        raise DatabaseError("the database is gone")

    monkeypatch.setattr(MappingFault.objects, "get_or_create", gone)
    mapped(raises)
    placed.send(sender=Shop, number="77")
    assert "could not be counted" in caplog.text
