"""`manage.py triggers_erase`: it asks, and says what was removed from each table."""

from __future__ import annotations

from io import StringIO
from unittest import mock

import pytest
from django.core.management import CommandError, call_command

from tests.shop import ADA, line, order
from wagtail_triggers.api import Who, track
from wagtail_triggers.consent.models import Suppression
from wagtail_triggers.contacts.models import Contact, Erasure
from wagtail_triggers.core.clock import FrozenClock
from wagtail_triggers.testing import run_until_idle

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _person(clock: FrozenClock) -> None:
    """Ada has ordered something."""
    order("1", line())
    track("user_updated", contact=Who(cookie_id="c1", email="bob@example.com"))
    run_until_idle()


def erase(*words: str, answer: str = "", **options: object) -> str:
    output = StringIO()
    with mock.patch("builtins.input", return_value=answer):
        call_command("triggers_erase", *words, stdout=output, **options)
    return output.getvalue()


def test_command_with_yes_erases_and_says_what_was_removed() -> None:
    output = erase("Ada@example.com", answer="yes")
    before, _colon, after = output.partition("Erasure ")
    assert "1 contact(s) would be erased, for good:" in before
    for row in ("contact      1", "event        1", "identity     1", "order        1"):
        assert row in after
    assert Contact.objects.filter(erased_at=None).get().email == "bob@example.com"


def test_command_with_any_other_answer_erases_nobody() -> None:
    with pytest.raises(CommandError, match="Nothing was erased"):
        erase("ada@example.com", answer="y")
    assert not Erasure.objects.exists()


def test_command_without_input_does_not_ask() -> None:
    with mock.patch("builtins.input", side_effect=AssertionError("asked")):
        call_command("triggers_erase", "user_id:1", "--no-input", stdout=StringIO())
    assert Contact.objects.filter(erased_at=None).count() == 1


def test_command_for_somebody_unknown_suppresses_the_address() -> None:
    output = erase("eve@example.com", answer="yes")
    assert "Nobody is known by this." in output
    assert Suppression.objects.get().reason == "erased"
    assert Contact.objects.filter(erased_at=None).count() == 2


@pytest.mark.parametrize("word", ["name:Ada", "not an address", "email:"])
def test_command_that_names_nobody_says_how_to(word: str) -> None:
    with pytest.raises(CommandError):
        erase(word, interactive=False)
    assert Contact.objects.get(email=ADA.email).erased_at is None
