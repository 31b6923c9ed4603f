"""Coupons in memory: for tests, and for shops that have none.

::

    WAGTAIL_TRIGGERS_COUPONS = {"BACKEND": "wagtail_triggers.core.memory_coupons.MemoryCoupons"}
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from threading import Lock
from typing import Final

from .coupons import CouponProvider, CouponSpec, Creation
from .http import Fate

#: What was made, by code, in order.
issued: Final[dict[str, CouponSpec]] = {}
#: Each call of `create`, in order: a repetition is one more.
asked: Final[list[str]] = []

_next: Final[deque[Creation | Exception]] = deque()
_lock: Final = Lock()


def clear() -> None:
    """Forget what was made and what was to come."""
    issued.clear()
    asked.clear()
    _next.clear()


def script(answers: Iterable[Creation | Exception]) -> None:
    """Say what becomes of the next attempts; an ambiguous one does make the coupon."""
    _next.extend(answers)


class MemoryCoupons(CouponProvider):
    """Makes a coupon by remembering it."""

    def create(self, code: str, spec: CouponSpec) -> Creation:
        """Remember it, unless the script says otherwise; a code that is known `exists`."""
        with _lock:
            asked.append(code)
            answer = _next.popleft() if _next else Creation(Fate.ACCEPTED)
            took = isinstance(answer, Exception) or answer.fate in (Fate.ACCEPTED, Fate.AMBIGUOUS)
            exists = code in issued
            if took and not exists:
                issued[code] = spec
        if isinstance(answer, Exception):
            raise answer
        if exists and answer.fate is Fate.ACCEPTED:
            return Creation(Fate.REFUSED, exists=True, detail="There is one with this code.")
        return answer

    def find(self, code: str) -> str | None:
        """Return whose it is."""
        found = issued.get(code)
        return found.owner if found else None
