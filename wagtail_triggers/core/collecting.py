"""Keep Python's collector out of a batch.

A batch makes tens of thousands of objects that live as long as it does and hang together in no
circle. Left on, the collector looks at all of them several times, and now and then at everything
that the process has ever imported: half a second, in the middle of a transaction.
"""

from __future__ import annotations

import functools
import gc
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


def uncollected(function: Callable[P, T]) -> Callable[P, T]:
    """Switch the collector off while a function runs, which must be one of bounded size."""

    @functools.wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> T:
        was_on = gc.isenabled()
        gc.disable()
        try:
            return function(*args, **kwargs)
        finally:
            if was_on:
                gc.enable()

    return wrapper
