"""How a person is described, and how identities are compared."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, User

from wagtail_triggers.contacts.identities import Who, normalise
from wagtail_triggers.exceptions import InvalidEvent


@pytest.mark.parametrize(
    ("kind", "given", "kept"),
    [
        ("email", " Ada@Example.COM ", "ada@example.com"),
        ("email", "ada@bücher.example", "ada@xn--bcher-kva.example"),
        ("email", "a\u0308da@example.com", "äda@example.com"),  # composed (NFC)
        ("email", "ada@exa..mple", "ada@exa..mple"),  # no domain name: refused later, in words
        ("phone", "+49 (0)30 / 12-34.5", "+4903012345"),
        ("user_id", 7, "7"),
        ("user_id", " 7 ", "7"),
        ("cookie_id", "AbC", "AbC"),
    ],
)
def test_normalise_keeps_what_is_compared(kind: str, given: object, kept: str) -> None:
    assert normalise(kind, given) == kept


def test_who_of_a_user_takes_id_address_and_names_and_is_overruled_by_what_is_said() -> None:
    user = User(pk=7, username="ada", email="ada@example.com", first_name="Ada")
    who = Who.of_user(user, first_name="Augusta", signed_in=True)
    assert (who.user_id, who.email, who.first_name) == (7, "ada@example.com", "Augusta")
    assert who.as_json() == {
        "user_id": "7", "email": "ada@example.com", "first_name": "Augusta", "signed_in": True,
    }  # fmt: skip


def test_who_of_nobody_keeps_only_what_is_said() -> None:
    assert Who.of_user(AnonymousUser(), cookie_id="c").identities == {"cookie_id": "c"}
    assert Who.of_user(None).identities == {}


@pytest.mark.parametrize(
    ("given", "identities"),
    [
        ("Ada@example.com", {"email": "ada@example.com"}),
        ({"user_id": 7}, {"user_id": "7"}),
        (Who(external_id="x", cookie_id="c"), {"external_id": "x", "cookie_id": "c"}),
        (Who(user_id=0), {"user_id": "0"}),
    ],
)
def test_who_is_parsed_from_all_that_names_a_person(given: Any, identities: Any) -> None:
    assert Who.parse(given).identities == identities


@pytest.mark.parametrize(
    ("given", "fix"),
    [
        (Who(first_name="Ada"), "give at least one of user_id, email, phone, cookie_id"),
        (AnonymousUser(), "For an anonymous visitor pass the browser's cookie_id"),
        ({"mail": "a@example.com"}, "contact has unknown fields: mail. See wagtail_triggers.api"),
        (77, r"Write contact=Who\(user_id=user.pk, email=user.email\)"),
        ("ada", "'ada' is no e-mail address. Leave email empty where none is known"),
        (Who(email="a@b@c"), "is no e-mail address"),
        (Who(email="ada@example.com\nBcc: x@example.com"), "is no e-mail address"),
        (Who(cookie_id="x" * 321), "cookie_id is longer than 320 characters"),
        (Who(external_id="a\x00b"), "holds a NUL"),
    ],
)
def test_who_that_cannot_be_is_refused_with_the_fix(given: Any, fix: str) -> None:
    with pytest.raises(InvalidEvent, match=fix):
        Who.parse(given)


def test_facts_that_cannot_be_true_are_left_out() -> None:
    who = Who(user_id=1, time_zone="Mars/Olympus", language="x" * 40, first_name="A" * 200)
    kept = Who.parse(who).as_json()
    assert "time_zone" not in kept
    assert "language" not in kept
    assert len(kept["first_name"]) == 150


def test_language_is_one_that_the_project_speaks_where_it_can_be() -> None:
    assert Who.parse(Who(user_id=1, language="de-AT")).as_json()["language"] == "de"
    assert Who.parse(Who(user_id=1, language="pt-BR")).as_json()["language"] == "pt-BR"


def test_birthday_and_facts_travel_as_plain_values() -> None:
    who = Who(user_id=1, birthday=date(1990, 2, 28), facts={"vip": True}, email_verified=True)
    assert who.as_json() == {
        "user_id": "1", "birthday": "1990-02-28", "facts": {"vip": True}, "email_verified": True,
    }  # fmt: skip
