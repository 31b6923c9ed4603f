"""JSON from outside: what is read, and what is refused before it can hurt."""

from __future__ import annotations

import time
from decimal import Decimal
from typing import Any

import pytest

from wagtail_triggers.core.strict_json import MAX_BYTES, BadJson, loads


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (b"{}", {}),
        (b'{"a": [1, 2.5, null, true, "\xc3\xa9"]}', {"a": [1, 2.5, None, True, "é"]}),
        (b"-9223372036854775808", -(2**63)),
        (b"9223372036854775807", 2**63 - 1),
        (b"[" * 32 + b"]" * 32, None),
        (b'"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["', "[" * 36),
        (b'"\\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["', '"' + "[" * 34),
    ],
)
def test_plain_document_is_read(raw: bytes, value: Any) -> None:
    assert value is None or loads(raw) == value


def test_decimals_keep_their_digits() -> None:
    assert loads(b'{"a": 41.990, "b": 2}', decimals=True) == {"a": Decimal("41.990"), "b": 2}


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "no JSON"),
        (b"{", "no JSON"),
        (b"{'a': 1}", "no JSON"),
        (b"\xff", "UTF-8"),
        (b'{"a": 1, "a": 2}', "twice"),
        (b'{"b": {"a": 1, "a": 1}}', "twice"),
        (b"NaN", "NaN"),
        (b"[Infinity]", "NaN"),
        (b"[-Infinity]", "NaN"),
        (b"1e999", "too large"),
        (b"9223372036854775808", "64 bits"),
        (b"1" * 5_000, "64 bits"),
        (b"[" * 33 + b"]" * 33, "nested"),
        (b"[" * 100_000, "nested"),
        (b'{"a":' * 40 + b"1" + b"}" * 40, "nested"),
        (b'"' + b"x" * 70_000 + b'"', "longer"),
        (b'"\\ud800"', "surrogate"),
        (b'{"\\udfff": 1}', "surrogate"),
        (b"[" + b",".join(b'{"a":1}' for _ in range(5_001)) + b"]", "keys"),
        (b" " * (MAX_BYTES + 1), "bytes"),
    ],
)
def test_what_two_readers_could_take_differently_is_refused(raw: bytes, words: str) -> None:
    with pytest.raises(BadJson, match=words):
        loads(raw)


def test_largest_document_is_read_in_time() -> None:
    began = time.monotonic()
    loads(b"[" + b",".join([b"1"] * 400_000) + b"]")
    assert time.monotonic() - began < 5
