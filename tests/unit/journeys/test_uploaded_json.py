"""Hostile files: whatever is uploaded as a journey is read within bounds or refused with a word."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from wagtail_triggers.exceptions import BundleError
from wagtail_triggers.journeys.bundles.schema import read_bundle
from wagtail_triggers.journeys.bundles.uploaded_json import MAX_BYTES, read_strict

KEY = "6c5931fc-9504-4abf-8f7f-1dbab87184a1"


def good(**more: Any) -> dict[str, Any]:
    """The smallest bundle that sends a letter."""
    return {
        "format": "wagtail-triggers-journey",
        "version": 1,
        "journey": {
            "uid": KEY,
            "name": "Cart",
            "graph": {
                "nodes": [{"id": "mail", "kind": "send", "settings": {"template": KEY}}],
                "edges": [],
            },
        },
        "templates": [
            {
                "key": KEY,
                "message_class": "transactional",
                "translations": {"en": {"name": "Letter", "subject": "Hello", "body": []}},
            }
        ],
        **more,
    }


def changed(path: str, value: Any) -> bytes:
    """The bundle with one thing changed; `path` is dotted, and makes what is not there."""
    document: Any = good()
    here = document
    *way, last = path.split(".")
    for name in way:
        here = here[int(name)] if isinstance(here, list) else here.setdefault(name, {})
    here[last] = value
    return json.dumps(document).encode()


def test_smallest_bundle_is_read() -> None:
    bundle = read_bundle(json.dumps(good()).encode())
    assert bundle.journey.name == "Cart"
    assert bundle.languages == ("en",)
    assert bundle.templates[0].translations["en"].texts["subject"] == "Hello"


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "not valid JSON"),
        (b"\xff\xfe\x00{", "no text in UTF-8"),
        (b"PK\x03\x04" + b"\0" * 30, "not valid JSON"),  # a zip, whatever it is called
        (b"[]", "no journey that was exported"),
        (b'"x"', "no journey that was exported"),
        (b"null", "no journey that was exported"),
        (b'{"format": "mautic"}', "no journey that was exported"),
        (b"[" * 100_000, "nested more than 32 deep"),
        (b'{"a":' * 50_000 + b"1" + b"}" * 50_000, "nested more than 32 deep"),
        (b"[" * 40 + b"]" * 40, "nested more than 32 deep"),
        (b'{"a": 1, "a": 2}', "“a” is there twice"),
        (b'{"a": {"b": 1, "c": 2, "b": 3}}', "“b” is there twice"),
        (b'{"a": NaN}', "no number that JSON knows"),
        (b'{"a": -Infinity}', "no number that JSON knows"),
        (b'{"a": 1e999}', "too large"),
        (b'{"a": 9223372036854775808}', "too large"),
        (b'{"a": ' + b"9" * 500_000 + b"}", "too large"),
        (b'{"a": "\\u0000"}', "a character that is none"),
        (b'{"a": "\\ud800"}', "a character that is none"),
        (b'{"\\udfff": 1}', "a character that is none"),
        (b'{"a": "' + b"x" * 70_000 + b'"}', "may have 65536"),
        (b"[" + b",".join(b'{"k":0}' for _ in range(20_001)) + b"]", "more than 20000 keys"),
        (b" " * (MAX_BYTES + 1), "may have 1024"),
    ],
)
def test_hostile_json_is_refused_at_once_with_a_word(data: bytes, why: str) -> None:
    began = time.perf_counter()
    with pytest.raises(BundleError, match=why):
        read_bundle(data)
    assert time.perf_counter() - began < 2


def test_plain_json_is_read_as_it_is() -> None:
    document = {"a": [1, -2.5, None, True, "ü购"], "b": {"c": 2**63 - 1}}
    assert read_strict(b"\xef\xbb\xbf" + json.dumps(document).encode()) == document


@pytest.mark.parametrize(
    ("data", "place", "why"),
    [
        (changed("extra", 1), "extra", "no such key"),
        (changed("journey.state", "running"), "journey.state", "no such key"),
        (changed("journey.live", True), "journey.live", "no such key"),
        (changed("journey.name", ""), "journey.name", "at least 1"),
        (changed("journey.name", "x" * 300), "journey.name", "at most 255"),
        (changed("journey.name", 7), "journey.name", "valid string"),
        (changed("journey.priority", "7"), "journey.priority", "valid integer"),
        (changed("journey.priority", 2**40), "journey.priority", "less than or equal"),
        (changed("journey.uid", "../../etc/passwd"), "journey.uid", "must be a UUID"),
        (changed("journey.uid", KEY.upper()), "journey.uid", "must be a UUID"),
        (changed("journey.graph", [1]), "journey.graph", ""),
        (changed("journey.graph", {"nodes": 3}), "journey.graph", "must be a list"),
        (changed("journey.graph.nodes", [{"id": "../x", "kind": "end"}]), "graph", "letters"),
        (changed("journey.graph.nodes", [{"id": f"n{n}", "kind": "end"} for n in range(301)]),
         "journey.graph", "at most 300"),
        (changed("journey.graph.onload", 1), "journey.graph", "no such key"),
        (changed("templates.0.key", "1"), "templates.0.key", "must be a UUID"),
        (changed("templates.0.live_version", 1), "templates.0.live_version", "no such key"),
        (changed("templates.0.message_class", "spam"), "message_class", "marketing"),
        (changed("templates.0.translations", {}), "translations", "at least 1"),
        (changed("templates.0.translations", {"../en": {"name": "a", "subject": "b"}}),
         "translations", "pattern"),
        (changed("templates.0.translations.en.owner", 1), "translations", "no such key"),
        (changed("templates.0.translations.en.subjct", "x"), "translations", "“subject”"),
        (changed("templates.0.translations.en.subject", "x" * 300), "translations", "255"),
        (changed("templates.0.translations.en.body", "<p>"), "translations", "list of blocks"),
        (changed("templates.0.translations.en.name", ""), "translations", "is missing"),
        (changed("templates", [good()["templates"][0]] * 2), "templates", "there twice"),
        (changed("topics", [{"slug": "a b", "name": "x"}]), "topics.0.slug", "pattern"),
        (changed("topics", [{"slug": "a", "name": "x", "consent": "none"}]), "consent", "opt_in"),
        (changed("topics", [{"slug": "a", "name": "x"}] * 2), "topics", "there twice"),
        (changed("about", {"title": {}}), "about", ""),
    ],
)  # fmt: skip
def test_bundle_with_a_fault_is_refused_with_its_place(data: bytes, place: str, why: str) -> None:
    with pytest.raises(BundleError) as raised:
        read_bundle(data)
    assert place in str(raised.value)
    assert why in str(raised.value)


def test_bundle_of_a_newer_version_asks_for_an_update() -> None:
    with pytest.raises(BundleError, match=r"version 2, and .* Update wagtail_triggers here"):
        read_bundle(changed("version", 2))


def test_version_that_is_no_number_is_refused() -> None:
    with pytest.raises(BundleError, match="version"):
        read_bundle(changed("version", "1"))


def test_faults_are_told_but_not_by_the_thousand() -> None:
    data = changed("topics", [{"slug": "!", "name": ""}] * 100)
    with pytest.raises(BundleError) as raised:
        read_bundle(data)
    assert 1 < len(str(raised.value).splitlines()) <= 20
