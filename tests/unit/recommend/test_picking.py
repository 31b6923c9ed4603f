"""Providers are asked once for a batch; what they leave open is filled up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from wagtail_triggers.recommend.base import Product, Wanted
from wagtail_triggers.recommend.kinds import memory, popular
from wagtail_triggers.recommend.picking import pick

NOW = datetime(2026, 11, 22, tzinfo=UTC)
A, B, C = (Product(one, f"Product {one}") for one in "ABC")


def wanted(key: int, *seeds: str, limit: int = 2) -> Wanted:
    return Wanted(key, 1, key, "en", NOW, seeds=seeds, limit=limit)


@pytest.fixture(autouse=True)
def best_sellers(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Product]]:
    """What the fallback knows; without a database."""
    known: list[Product] = []

    def recommend(self: Any, asked: Sequence[Wanted]) -> Mapping[int, Sequence[Product]]:
        return {one.key: list(known) for one in asked}

    monkeypatch.setattr(popular.Popular, "recommend", recommend)
    memory.clear()
    yield known
    memory.clear()


def test_provider_is_asked_once_for_the_whole_batch() -> None:
    memory.products[:] = [A, B, C]
    assert pick("memory", [wanted(1), wanted(2, limit=3)]) == {1: [A, B], 2: [A, B, C]}
    assert len(memory.questions) == 1


def test_what_the_message_is_about_is_not_recommended() -> None:
    memory.products[:] = [A, B, C]
    assert pick("memory", [wanted(1, "A")]) == {1: [B, C]}


def test_too_few_are_filled_up_with_best_sellers_none_twice(best_sellers: list[Product]) -> None:
    memory.products[:] = [A]
    best_sellers[:] = [A, B, C]
    assert pick("memory", [wanted(1, limit=2)]) == {1: [A, B]}


@pytest.mark.parametrize("provider", ["memory", "gone"])
def test_provider_that_fails_or_is_gone_leaves_best_sellers(
    provider: str, best_sellers: list[Product]
) -> None:
    memory.fail(RuntimeError("no"))
    best_sellers[:] = [C]
    assert pick(provider, [wanted(1)]) == {1: [C]}


def test_nothing_known_at_all_is_an_empty_list() -> None:
    assert pick("memory", [wanted(1)]) == {1: []}


def test_product_without_a_name_is_not_shown() -> None:
    memory.products[:] = [Product("X", ""), B]
    assert pick("memory", [wanted(1)]) == {1: [B]}
