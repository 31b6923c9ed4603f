"""A provider in memory: for tests, of ours and of hosts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

from ..base import Product, Recommender, Wanted
from ..registry import register_recommender

#: What it answers to everybody, the best first. Change it as you need.
products: Final[list[Product]] = []
#: Every question, in order.
questions: Final[list[tuple[Wanted, ...]]] = []
_faults: Final[list[Exception]] = []


def clear() -> None:
    """Forget everything."""
    products.clear()
    questions.clear()
    _faults.clear()


def fail(*faults: Exception) -> None:
    """Raise these, one for each of the next questions."""
    _faults.extend(faults)


@register_recommender
class Memory(Recommender):
    """Answers from this module's list."""

    identifier = "memory"
    label = "Memory"
    offered: ClassVar[bool] = False

    def recommend(self, wanted: Sequence[Wanted]) -> Mapping[int, Sequence[Product]]:
        """The list, for everybody."""
        questions.append(tuple(wanted))
        if _faults:
            raise _faults.pop(0)
        return {one.key: tuple(products) for one in wanted}
