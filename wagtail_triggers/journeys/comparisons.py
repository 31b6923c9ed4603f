"""How a condition compares what it finds with what the editor wrote: by type, not as text.

Rules, the same everywhere:

- What is missing (absent, null, empty text, empty list) is only found by `is_not_set`; every
  other comparison with it is false, `ne` too.
- Numbers may be written as text ("12.50"): two texts that are both plain decimals compare as
  numbers, so "50" equals "50.00"; "007" is no plain decimal and stays text.
- Dates and moments may be written in ISO 8601; a moment is compared with a bare date by its own
  date in the person's time zone.
- Text is equal letter by letter; `contains` does not look at case. Text has no order.
- A list satisfies a comparison if one of its elements does; for `ne` all of them must differ.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

#: Every comparison, with the words that stand between the thing and the value.
OPS: Mapping[str, StrOrPromise] = {
    "eq": _("is"),
    "ne": _("is not"),
    "gt": _("is more than"),
    "gte": _("is at least"),
    "lt": _("is less than"),
    "lte": _("is at most"),
    "contains": _("contains"),
    "in": _("is one of"),
    "is_set": _("is known"),
    "is_not_set": _("is not known"),
}
#: These take no value.
VALUELESS = frozenset({"is_set", "is_not_set"})
#: These need something that has an order: a number, a date or a moment.
ORDERED = frozenset({"gt", "gte", "lt", "lte"})

#: How numbers and moments begin, where they are written as text.
_DIGITS = frozenset("-0123456789")
#: What is no sequence, told without asking an abstract class: filters are judged all day.
_SINGLE = frozenset({str, int, float, bool, Decimal, date, datetime})

#: A decimal as people write one: no exponent, no leading zeros, of a length that is cheap to read.
_PLAIN_DECIMAL = re.compile(r"-?(0|[1-9]\d{0,30})(\.\d{1,20})?", re.ASCII)
_ISO_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def compare(op: str, actual: Any, expected: Any, zone: ZoneInfo) -> bool:
    """Say whether `actual` (found) stands in the relation `op` to `expected` (written)."""
    if op == "is_set":
        return is_present(actual)
    if op == "is_not_set":
        return not is_present(actual)
    if not is_present(actual):
        return False
    if _is_list(actual):
        every = all if op == "ne" else any
        return every(compare(op, one, expected, zone) for one in actual if is_present(one))
    return _compare_one(op, actual, expected, zone)


def is_present(value: Any) -> bool:
    """Say whether there is anything: None, empty text and an empty list are nothing."""
    if value is None or value == "":
        return False
    if _is_list(value):
        return any(is_present(one) for one in value)
    return True


def _is_list(value: Any) -> bool:
    if type(value) in _SINGLE:
        return False
    return isinstance(value, Sequence) and not isinstance(value, str)


def has_order(value: Any) -> bool:
    """Say whether `value`, as an editor wrote it, is a number, a date or a moment."""
    return as_number(value) is not None or as_time(value) is not None


def as_number(value: Any) -> Decimal | None:
    """Return `value` as a finite Decimal, or None if it is no number and no plain decimal."""
    if type(value) is int:
        return Decimal(value)
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and not _PLAIN_DECIMAL.fullmatch(value):
        return None
    if not isinstance(value, int | float | Decimal | str):
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def as_time(value: Any) -> date | datetime | None:
    """Return a date or datetime, from itself or from ISO 8601 text; None for anything else.

    The first and the last year of the calendar are nothing either: in another time zone such a
    moment would lie outside of it.
    """
    if isinstance(value, str) and _ISO_DATE.match(value):
        try:
            read = date.fromisoformat if len(value) == 10 else datetime.fromisoformat
            value = read(value)
        except ValueError:
            return None
    if not isinstance(value, date):
        return None
    return value if date.min.year < value.year < date.max.year else None


def _compare_one(op: str, actual: Any, expected: Any, zone: ZoneInfo) -> bool:
    match op:
        case "in":
            return any(_equal(actual, one, zone) for one in expected)
        case "contains":
            return str(expected).casefold() in str(actual).casefold()
        case "eq":
            return _equal(actual, expected, zone)
        case "ne":
            return not _equal(actual, expected, zone)
    sign = _sign(actual, expected, zone)
    if sign is None:
        return False
    return {"gt": sign > 0, "gte": sign >= 0, "lt": sign < 0, "lte": sign <= 0}[op]


def _equal(actual: Any, expected: Any, zone: ZoneInfo) -> bool:
    if isinstance(actual, bool) or isinstance(expected, bool):
        return as_bool(actual) is not None and as_bool(actual) == as_bool(expected)
    if type(actual) is str and type(expected) is str and actual[:1] not in _DIGITS:
        return actual == expected
    sign = _sign(actual, expected, zone)
    return sign == 0 if sign is not None else str(actual) == str(expected)


def _sign(actual: Any, expected: Any, zone: ZoneInfo) -> int | None:
    """Return -1, 0 or 1 as `actual` lies before, at or after `expected`; None without an order."""
    mine, other = as_number(actual), as_number(expected)
    if mine is not None and other is not None:
        return (mine > other) - (mine < other)
    when, bound = as_time(actual), as_time(expected)
    if when is None or bound is None:
        return None
    if not (isinstance(when, datetime) and isinstance(bound, datetime)):
        day, limit = _day(when, zone), _day(bound, zone)
        return (day > limit) - (day < limit)
    moment, edge = _aware(when, zone), _aware(bound, zone)
    return (moment > edge) - (moment < edge)


def _day(value: date, zone: ZoneInfo) -> date:
    return _aware(value, zone).astimezone(zone).date() if isinstance(value, datetime) else value


def _aware(value: datetime, zone: ZoneInfo) -> datetime:
    return value if value.tzinfo else value.replace(tzinfo=zone)


def as_bool(value: Any) -> bool | None:
    """Return a bool, from itself or from the texts "true" and "false"; None for anything else."""
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}.get(value) if isinstance(value, str) else None
