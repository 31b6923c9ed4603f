"""Comparisons in conditions, as an editor means them.

What a template sees has been kept as JSON, so amounts and dates may be texts: `spent > 100` must be
true for "182.40". And data must not stop a mail: what cannot be compared is neither more nor less.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any, Final

from liquid import RenderContext
from liquid.builtin.expressions.logical import (
    EqExpression,
    GeExpression,
    GtExpression,
    LeExpression,
    LtExpression,
    NeExpression,
)
from liquid.builtin.expressions.primitive import Blank
from liquid.expression import Expression
from liquid.undefined import is_undefined

from .filters import as_moment, as_number


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _moment(value: object) -> datetime | None:
    found = as_moment(value)
    if found is None or isinstance(found, datetime):
        return found
    return datetime.combine(found, time(), tzinfo=UTC)


def order(left: object, right: object) -> int | None:
    """-1, 0 or 1 as `left` is less than, equal to or more than `right`; None if neither can be."""
    first: Any = left
    second: Any = right
    if _is_number(left) or _is_number(right):
        first, second = as_number(left), as_number(right)
    elif isinstance(left, date) or isinstance(right, date):
        first, second = _moment(left), _moment(right)
    elif not (isinstance(left, str) and isinstance(right, str)):
        return None
    if first is None or second is None:
        return None
    return int(first > second) - int(first < second)


def _evaluated(expression: Any, context: RenderContext) -> tuple[object, object]:
    return expression.left.evaluate(context), expression.right.evaluate(context)


class Less(LtExpression):
    """`<`"""

    __slots__ = ()

    def evaluate(self, context: RenderContext) -> bool:
        """Whether it holds."""
        return order(*_evaluated(self, context)) == -1


class More(GtExpression):
    """`>`"""

    __slots__ = ()

    def evaluate(self, context: RenderContext) -> bool:
        """Whether it holds."""
        return order(*_evaluated(self, context)) == 1


class AtMost(LeExpression):
    """`<=`"""

    __slots__ = ()

    def evaluate(self, context: RenderContext) -> bool:
        """Whether it holds."""
        return order(*_evaluated(self, context)) in {-1, 0}


class AtLeast(GeExpression):
    """`>=`"""

    __slots__ = ()

    def evaluate(self, context: RenderContext) -> bool:
        """Whether it holds."""
        return order(*_evaluated(self, context)) in {0, 1}


class Equal(EqExpression):
    """`==`"""

    __slots__ = ()

    def evaluate(self, context: RenderContext) -> object:
        """Whether it holds."""
        known = _same(*_evaluated(self, context))
        return super().evaluate(context) if known is None else known


class Unequal(NeExpression):
    """`!=`"""

    __slots__ = ()

    def evaluate(self, context: RenderContext) -> object:
        """Whether it holds."""
        known = _same(*_evaluated(self, context))
        return super().evaluate(context) if known is None else not known


def _same(left: object, right: object) -> bool | None:
    """Whether two values are the same, where python-liquid would see it otherwise; else None."""
    if isinstance(left, Blank) or isinstance(right, Blank):
        other = left if isinstance(right, Blank) else right
        # Nothing is as blank as what is missing.
        return True if other is None or is_undefined(other) else None
    if left == "" or right == "":
        # An empty text is missing, and what is missing equals it.
        other = right if left == "" else left
        return other is None or other == "" or is_undefined(other)
    if _is_number(left) != _is_number(right) and isinstance(left, str) != isinstance(right, str):
        return order(left, right) == 0
    if isinstance(left, date) != isinstance(right, date) and (
        isinstance(left, str) or isinstance(right, str)
    ):
        return order(left, right) == 0
    return None


#: python-liquid's comparisons, and ours.
COMPARISONS: Final[Mapping[type[Expression], type[Expression]]] = {
    LtExpression: Less,
    GtExpression: More,
    LeExpression: AtMost,
    GeExpression: AtLeast,
    EqExpression: Equal,
    NeExpression: Unequal,
}
