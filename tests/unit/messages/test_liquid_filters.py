"""Prices, numbers and dates as their reader writes them, and arithmetic that is exact."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from liquid.exceptions import LiquidError

from wagtail_triggers.messages.liquid import freeze_context, render_source

CONTEXT = freeze_context(
    {
        "eur": {"amount": Decimal("12.5"), "currency": "EUR"},
        "big": {"amount": Decimal("1234567.891"), "currency": "EUR"},
        "yen": {"amount": "1200", "currency": "JPY"},
        "price": Decimal("19.90"),
        "three": 3,
        "none": None,
        "yes": True,
        "day": date(2026, 2, 3),
        "at": datetime(2026, 7, 1, 22, 30, tzinfo=UTC),
        "iso": "2026-07-01T22:30:00+00:00",
        "words": "not a number",
        "lines": [
            {"name": "Mug", "quantity": 2, "price": Decimal("9.95")},
            {"name": "Pot", "quantity": 1, "price": Decimal("30.00")},
        ],
        "names": ["a", None, "b"],
    }
)


def render(source: str, language: str = "en", time_zone: str = "UTC") -> str:
    return render_source(source, CONTEXT, html=False, language=language, time_zone=time_zone)


@pytest.mark.parametrize(
    ("source", "language", "expected"),
    [
        ("{{ eur | money }}", "de", "12,50\xa0€"),
        ("{{ eur | money }}", "en", "€12.50"),
        ("{{ eur | money }}", "fr", "12,50\xa0€"),
        ("{{ eur | money }}", "ru", "12,50\xa0€"),
        ("{{ eur | money }}", "ja", "€12.50"),
        ("{{ eur | money }}", "de-CH", "EUR\xa012.50"),
        ("{{ eur | money }}", "pt-br", "€\xa012,50"),
        ("{{ eur | money }}", "zh-hans", "€12.50"),
        ("{{ eur | money }}", "tlh", "€12.50"),
        ("{{ eur | money }}", "", "€12.50"),
        ("{{ eur | money }}", "../../etc", "€12.50"),
        ("{{ big | money }}", "de", "1.234.567,89\xa0€"),
        ("{{ yen | money }}", "ja", "￥1,200"),
        ("{{ price | money: 'CHF' }}", "de", "19,90\xa0CHF"),
        ("{{ price | money }}", "de", "19,90"),
        ("{{ none | money }}", "de", ""),
        ("{{ missing | money }}", "de", ""),
        ("{{ words | money: 'EUR' }}", "de", ""),
        ("{{ 1234.5 | number }}", "de", "1.234,5"),
        ("{{ 1234.5 | number: 2 }}", "fr", "1\u202f234,50"),
        ("{{ three | number: 0 }}", "en", "3"),
        ("{{ none | number }}", "en", ""),
    ],
)
def test_number_is_written_in_the_readers_language(
    source: str, language: str, expected: str
) -> None:
    assert render(source, language) == expected


@pytest.mark.parametrize(
    ("source", "language", "zone", "expected"),
    [
        ("{{ day | date }}", "de", "UTC", "03.02.2026"),
        ("{{ day | date: 'long' }}", "en", "UTC", "February 3, 2026"),
        ("{{ day | date: 'd MMMM' }}", "ru", "UTC", "3 февраля"),
        ("{{ day | date: 'full' }}", "zh-hans", "UTC", "2026年2月3日星期二"),
        ("{{ at | date: 'short' }}", "de", "UTC", "01.07.26"),
        ("{{ at | date: 'short' }}", "de", "Europe/Berlin", "02.07.26"),
        ("{{ at | time }}", "de", "Europe/Berlin", "00:30"),
        ("{{ at | time }}", "en", "America/New_York", "6:30\u202fPM"),
        ("{{ iso | datetime }}", "de", "Europe/Berlin", "02.07.2026, 00:30:00"),
        ("{{ day | datetime: 'short' }}", "de", "Asia/Tokyo", "03.02.26, 00:00"),
        ("{{ at | date: 'short' }}", "de", "Mars/Olympus", "01.07.26"),
        ("{{ at | date: 'short' }}", "de", "../../etc/passwd", "01.07.26"),
        ("{{ day | time }}", "de", "UTC", ""),
        ("{{ none | date }}", "de", "UTC", ""),
        ("{{ words | date }}", "de", "UTC", ""),
        ("{{ day }}", "de", "UTC", "2026-02-03"),
    ],
)
def test_date_is_written_in_the_readers_language_and_zone(
    source: str, language: str, zone: str, expected: str
) -> None:
    assert render(source, language, zone) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ price | times: 3 }}", "59.70"),
        ("{{ price | plus: 0.1 }}", "20.00"),
        ("{{ price | minus: price }}", "0.00"),
        ("{{ 7 | divided_by: 2 }}", "3"),
        ("{{ 7 | divided_by: 2.0 }}", "3.5"),
        ("{{ 7 | modulo: 3 }}", "1"),
        ("{{ price | round }}", "20"),
        ("{{ 2.345 | round: 2 }}", "2.35"),
        ("{{ price | ceil }}", "20"),
        ("{{ price | floor }}", "19"),
        ("{{ price | minus: 30 | abs }}", "10.10"),
        ("{{ 5 | at_most: price }}", "5"),
        ("{{ 5 | at_least: price }}", "19.90"),
        ("{{ lines | sum: 'quantity' }}", "3"),
        ("{{ lines | sum: 'price' }}", "39.95"),
        ("{{ none | plus: 1 }}", "1"),
        ("{{ words | plus: 1 }}", "1"),
        ("{{ 1 | plus: none }}", "1"),
        ("{% assign left = 0 %}{% for l in lines %}{% assign sub = l.price | times: l.quantity %}"
         "{% assign left = left | plus: sub %}{% endfor %}{{ left | money: 'EUR' }}", "€49.90"),
    ],
)  # fmt: skip
def test_arithmetic_with_decimals_is_exact(source: str, expected: str) -> None:
    assert render(source) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ none }}", ""),
        ("{{ missing }}", ""),
        ("{{ missing.deeper[3] }}", ""),
        ("{{ none | append: none }}", ""),
        ("{{ 'a' | append: missing | prepend: none }}", "a"),
        ("{{ names | join: '-' }}", "a--b"),
        ("{{ names }}", "ab"),
        ("{{ lines | map: 'nope' | join: ',' }}", ","),
        ("{{ none | upcase }}", ""),
        ("{{ none | size }}", "0"),
        ("{{ none | default: 'you' }}", "you"),
        ("{{ missing | default: 'you' }}", "you"),
        ("{{ '' | default: 'you' }}", "you"),
        ("{{ three | default: 'you' }}", "3"),
        ("{{ yes }}", "true"),
        ("{{ lines.first.name }} {{ lines.last.name }} {{ lines.size }}", "Mug Pot 2"),
        ("{% if none %}yes{% else %}no{% endif %}", "no"),
        ("{% if missing == nil %}nil{% endif %}", "nil"),
        ("{{ lines.first }}", ""),
        ("{{ 'a&b' | escape }} {{ 'x' | newline_to_br }}", "a&b x"),
    ],
)
def test_what_is_missing_is_written_as_nothing(source: str, expected: str) -> None:
    assert render(source) == expected


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("{{ day | date: '%d.%m.%Y' }}", "strftime"),
        ("{{ day | date: '' }}", "short, medium, long"),
        ("{{ 1 | divided_by: 0 }}", "divide by zero"),
        ("{{ 1 | plus: 'two' }}", "plus needs a number"),
        ("{{ 1 | number: 99 }}", "between 0 and 10"),
        ("{{ 1 | round: 99 }}", "between 0 and 10"),
    ],
)
def test_wrong_argument_is_an_error_that_says_so(source: str, message: str) -> None:
    with pytest.raises(LiquidError, match=message):
        render(source)


def test_line_breaks_in_html_become_elements_and_the_text_stays_escaped() -> None:
    context = freeze_context({"x": "a <b>\nc"})
    out = render_source("{{ x | newline_to_br }}", context, html=True)
    assert out == "a &lt;b&gt;<br>\nc"
