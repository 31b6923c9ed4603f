"""What is left of a suppressed address: a keyed hash."""

from __future__ import annotations

import pytest
from pytest_django import Settings

from wagtail_triggers.consent.addresses import canonical, current_hash, hashes


@pytest.fixture(autouse=True)
def _keys(settings: Settings) -> None:
    settings.WAGTAIL_TRIGGERS_HASH_KEYS = ["new", "old"]


def test_hash_is_one_for_all_spellings_of_an_address() -> None:
    assert current_hash("email", " Ada@Example.com") == current_hash("email", "ada@example.com")
    assert current_hash("email", "ada@example.com") != current_hash("email", "bob@example.com")


def test_hash_differs_by_channel_and_by_key() -> None:
    assert current_hash("email", "1") != current_hash("sms", "1")
    new, old = hashes("email", "ada@example.com")
    assert new != old
    assert current_hash("email", "ada@example.com") == new


def test_hash_under_the_old_key_is_what_it_was(settings: Settings) -> None:
    _new, old = hashes("email", "ada@example.com")
    settings.WAGTAIL_TRIGGERS_HASH_KEYS = ["old"]
    assert current_hash("email", "ada@example.com") == old


def test_hash_falls_back_to_the_secret_key_and_its_fallbacks(settings: Settings) -> None:
    settings.WAGTAIL_TRIGGERS_HASH_KEYS = []
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "s1", ["s0"]
    fallback = hashes("email", "a@example.com")
    settings.WAGTAIL_TRIGGERS_HASH_KEYS = ["s1", "s0"]
    assert hashes("email", "a@example.com") == fallback


@pytest.mark.parametrize(
    ("channel", "given", "kept"),
    [("email", "A@B.example", "a@b.example"), ("sms", "+49 30 1", "+49301"), ("push", " X ", "X")],
)
def test_canonical_form_depends_on_the_channel(channel: str, given: str, kept: str) -> None:
    assert canonical(channel, given) == kept
