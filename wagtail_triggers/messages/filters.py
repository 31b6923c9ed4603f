"""Liquid filters of our own: money, dates and numbers in the message's language, and arithmetic.

python-liquid's arithmetic turns a `Decimal` into 0 and its dates are not localised, so both are
replaced. Every filter takes what a customer's data may hold, None and rubbish included, and answers
"" rather than breaking a mail over it; a wrong *argument*, which the editor wrote, is an error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal, InvalidOperation
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_datetime, format_time
from babel.numbers import format_currency, format_decimal
from liquid.exceptions import FilterArgumentError
from liquid.filter import with_context
from liquid.undefined import is_undefined
from markupsafe import Markup, escape

if TYPE_CHECKING:
    from .rendering import MessageContext

Filter = Callable[..., object]

#: Where no better locale is known.
FALLBACK_LOCALE: Final = "en"
#: A format pattern is a few letters; Babel parses it character by character.
_MAX_FORMAT: Final = 60
#: Larger numbers than this are an attack, not a price.
_MAX_DIGITS: Final = 30
_NAMED_FORMATS: Final = frozenset({"short", "medium", "long", "full"})


@lru_cache(maxsize=256)
def locale_of(language: str) -> Locale:
    """The Babel locale of a language code such as "de" or "pt-BR"; English for an unknown one."""
    parts = language.replace("_", "-").split("-")
    for length in range(len(parts), 0, -1):
        try:
            return Locale.parse("-".join(parts[:length]), sep="-")
        except (UnknownLocaleError, ValueError):
            continue
    return Locale.parse(FALLBACK_LOCALE)


@lru_cache(maxsize=1024)
def zone_of(name: str) -> ZoneInfo:
    """The time zone of an IANA name; UTC for an unknown one."""
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def as_number(value: object) -> Decimal | None:
    """A value as an exact number, or None where it is none."""
    if type(value) is dict:
        value = value.get("amount")
    if type(value) is Decimal:
        return value if _is_sane(value) else None
    if isinstance(value, bool) or value is None or is_undefined(value):
        return None
    if not isinstance(value, int | float | str | Decimal):
        return None
    try:
        number = Decimal(str(value)[:64])
    except InvalidOperation:
        return None
    return number if _is_sane(number) else None


def _is_sane(number: Decimal) -> bool:
    return number.is_finite() and abs(number.adjusted()) <= _MAX_DIGITS


def as_moment(value: object) -> date | datetime | None:
    """A value as a date or an aware datetime (naive ones are UTC), or None where it is neither."""
    if isinstance(value, str):
        value = _parse_moment(value)
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    return value if isinstance(value, date) else None


def _parse_moment(text: str) -> date | datetime | None:
    try:
        return date.fromisoformat(text) if len(text) == 10 else datetime.fromisoformat(text)
    except ValueError:
        return None


@with_context
def money(value: object, currency: object = "", *, context: MessageContext) -> str:
    """`{{ cart.total | money }}`: an amount in the message's language, such as "12,50 €".

    Args:
        value: Money (`{"amount", "currency"}`), or a number.
        currency: For a number: its ISO 4217 code.
        context: The rendering, for its language.
    """
    if isinstance(value, Mapping) and not is_undefined(value):
        currency = currency or value.get("currency") or ""
    number = as_number(value)
    if number is None:
        return ""
    code = str(currency or "").strip().upper()
    if not code:
        return _decimal(number, "#,##0.00", context.language)
    return _currency(number, code, context.language)


# The same prices come again in every mail of a shop, and Babel takes 50 µs for each.
@lru_cache(maxsize=4096)
def _currency(number: Decimal, code: str, language: str) -> str:
    return str(format_currency(number, code, locale=locale_of(language)))


@lru_cache(maxsize=4096)
def _decimal(number: Decimal, pattern: str, language: str) -> str:
    return str(format_decimal(number, format=pattern, locale=locale_of(language)))


@with_context
def number(value: object, digits: object = None, *, context: MessageContext) -> str:
    """`{{ contact.orders_count | number }}`: a number in the message's language.

    Args:
        value: A number.
        digits: How many decimal places are shown; as many as there are by default.
        context: The rendering, for its language.
    """
    found = as_number(value)
    if found is None:
        return ""
    places = as_number(digits)
    if places is None:
        return str(
            format_decimal(found, locale=locale_of(context.language), decimal_quantization=False)
        )
    if not 0 <= places <= 10:
        raise FilterArgumentError("number: digits must be between 0 and 10", token=None)
    pattern = "#,##0" + ("." + "0" * int(places) if places else "")
    return _decimal(found, pattern, context.language)


@with_context
def date_(value: object, format: object = "medium", *, context: MessageContext) -> str:
    """`{{ contact.birthday | date: "long" }}`: the day, on the person's calendar.

    Args:
        value: A date, a datetime or an ISO 8601 text.
        format: "short", "medium", "long", "full" or a Unicode (CLDR) pattern.
        context: The rendering, for its language and time zone.
    """
    moment = as_moment(value)
    if moment is None:
        return ""
    if isinstance(moment, datetime):
        moment = moment.astimezone(zone_of(context.time_zone)).date()
    return _formatted(format_date, moment, format, locale=locale_of(context.language))


@with_context
def time_(value: object, format: object = "short", *, context: MessageContext) -> str:
    """`{{ event.at | time }}`: the time of day, on the person's clock."""
    moment = as_moment(value)
    if not isinstance(moment, datetime):
        return ""
    zone = zone_of(context.time_zone)
    return _formatted(format_time, moment, format, locale=locale_of(context.language), tzinfo=zone)


@with_context
def datetime_(value: object, format: object = "medium", *, context: MessageContext) -> str:
    """`{{ event.at | datetime }}`: day and time, on the person's clock."""
    moment = as_moment(value)
    if moment is None:
        return ""
    if not isinstance(moment, datetime):
        moment = datetime.combine(moment, time(), tzinfo=zone_of(context.time_zone))
    zone = zone_of(context.time_zone)
    return _formatted(
        format_datetime, moment, format, locale=locale_of(context.language), tzinfo=zone
    )


def _formatted(formatter: Callable[..., str], moment: date, pattern: object, **how: Any) -> str:
    if not isinstance(pattern, str) or not 0 < len(pattern) <= _MAX_FORMAT:
        raise FilterArgumentError(
            "the format must be short, medium, long, full, or a pattern such as d MMMM y",
            token=None,
        )
    if "%" in pattern:
        raise FilterArgumentError(
            f"“{pattern}” is a strftime format. Write a pattern such as d MMMM y instead",
            token=None,
        )
    try:
        return str(formatter(moment, pattern, **how))
    except (KeyError, ValueError, AttributeError) as error:
        raise FilterArgumentError(f"“{pattern}” is not a date format", token=None) from error


def _plain(value: Decimal) -> int | Decimal:
    """Whole numbers as int, so that `{{ 2 | times: 3 }}` writes 6 and comparisons stay exact."""
    return (
        int(value)
        if value == value.to_integral_value() and value.as_tuple().exponent == 0
        else value
    )


def _argument(value: object, name: str) -> Decimal:
    found = as_number(value)
    if found is None and (value is None or value == "" or is_undefined(value)):
        return Decimal(0)
    if found is None:
        raise FilterArgumentError(f"{name} needs a number", token=None)
    return found


def _arithmetic(name: str, operation: Callable[[Decimal, Decimal], Decimal]) -> Filter:
    def apply(left: object, right: object) -> int | Decimal:
        try:
            return _plain(operation(as_number(left) or Decimal(0), _argument(right, name)))
        except (InvalidOperation, ZeroDivisionError) as error:
            raise FilterArgumentError(f"{name}: cannot divide by zero", token=None) from error

    return apply


def _divide(left: Decimal, right: Decimal) -> Decimal:
    """Two whole numbers divide to a whole number, as everywhere in Liquid."""
    whole = all(
        one == one.to_integral_value() and one.as_tuple().exponent == 0 for one in (left, right)
    )
    if whole:
        return (left / right).to_integral_value(ROUND_FLOOR)
    return left / right


def round_(left: object, digits: object = 0) -> int | Decimal:
    """`{{ x | round: 2 }}`: rounded half up, as prices are."""
    places = int(_argument(digits, "round"))
    if not 0 <= places <= 10:
        raise FilterArgumentError("round: digits must be between 0 and 10", token=None)
    found = as_number(left) or Decimal(0)
    return _plain(found.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP))


def sum_(sequence: object, key: object = None) -> int | Decimal:
    """`{{ cart.lines | sum: "quantity" }}`: the sum of a list's numbers; what is none counts 0."""
    if not isinstance(sequence, Sequence) or isinstance(sequence, str):
        return 0
    items = [one.get(key) if isinstance(one, Mapping) and key else one for one in sequence]
    return _plain(sum((as_number(one) or Decimal(0) for one in items), Decimal(0)))


def newline_to_br(value: object) -> str:
    """`{{ text | newline_to_br }}`: escaped, with `<br>` for line breaks."""
    text = "" if value is None else str(value)
    return Markup("<br>\n").join(escape(line) for line in text.splitlines())


#: The filters that replace or extend python-liquid's, for HTML and plain text alike.
FILTERS: Final[Mapping[str, Filter]] = {
    "money": money,
    "number": number,
    "date": date_,
    "time": time_,
    "datetime": datetime_,
    "plus": _arithmetic("plus", lambda left, right: left + right),
    "minus": _arithmetic("minus", lambda left, right: left - right),
    "times": _arithmetic("times", lambda left, right: left * right),
    "divided_by": _arithmetic("divided_by", _divide),
    "modulo": _arithmetic(
        "modulo", lambda left, right: left - right * (left / right).to_integral_value(ROUND_FLOOR)
    ),
    "at_least": _arithmetic("at_least", max),
    "at_most": _arithmetic("at_most", min),
    "round": round_,
    "ceil": lambda left: int((as_number(left) or Decimal(0)).to_integral_value(ROUND_CEILING)),
    "floor": lambda left: int((as_number(left) or Decimal(0)).to_integral_value(ROUND_FLOOR)),
    "abs": lambda left: _plain(abs(as_number(left) or Decimal(0))),
    "sum": sum_,
}
