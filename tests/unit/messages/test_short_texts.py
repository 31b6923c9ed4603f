"""How many SMS a text costs, by the tables of GSM 03.38; and what inboxes cut."""

from __future__ import annotations

import pytest

from wagtail_triggers.messages.short_texts import (
    GSM_BASIC,
    GSM_EXTENSION,
    SmsLength,
    measure_preheader,
    measure_push_body,
    measure_push_title,
    measure_sms,
    measure_subject,
    sms_length,
)

#: 3GPP TS 23.038, 6.2.1, row by row (b4…b1 down, b7…b5 across), the escape left out.
TABLE = (
    "@Δ 0¡P¿p£_!1AQaq$Φ\"2BRbr¥Γ#3CScsèΛ¤4DTdtéΩ%5EUeuùΠ&6FVfvìΨ'7GWgw"
    "òΣ(8HXhxÇΘ)9IYiy\nΞ*:JZjzØ+;KÄkäøÆ,<LÖlö\ræ-=MÑmñÅß.>NÜnüåÉ/?O§oà"
)


def test_basic_table_is_that_of_the_standard() -> None:
    assert len(TABLE) == 127
    assert frozenset(TABLE) == GSM_BASIC
    assert frozenset("\f^{}\\[~]|€") == GSM_EXTENSION


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", SmsLength("GSM-7", 0, 0, 160)),
        ("a" * 160, SmsLength("GSM-7", 160, 1, 0)),
        ("a" * 161, SmsLength("GSM-7", 161, 2, 145)),
        ("a" * 306, SmsLength("GSM-7", 306, 2, 0)),
        ("a" * 307, SmsLength("GSM-7", 307, 3, 152)),
        ("a" * 459, SmsLength("GSM-7", 459, 3, 0)),
        ("€" * 80, SmsLength("GSM-7", 160, 1, 0)),
        ("€" * 80 + "a", SmsLength("GSM-7", 161, 2, 144)),
        # 153 is odd: an escape is not parted from its code, so a place stays empty.
        ("€" * 152, SmsLength("GSM-7", 304, 2, 1)),
        ("€" * 153, SmsLength("GSM-7", 306, 3, 151)),
        ("{}[]~\\^|€\f", SmsLength("GSM-7", 20, 1, 140)),
        ("ÄÖÜäöüßàéèìòùñ", SmsLength("GSM-7", 14, 1, 146)),
        ("ç", SmsLength("UCS-2", 1, 1, 69, ("ç",))),
        ("`", SmsLength("UCS-2", 1, 1, 69, ("`",))),
        ("Привет", SmsLength("UCS-2", 6, 1, 64, tuple("Привет"))),
        ("你" * 70, SmsLength("UCS-2", 70, 1, 0, ("你",))),
        ("你" * 71, SmsLength("UCS-2", 71, 2, 63, ("你",))),
        ("你" * 134, SmsLength("UCS-2", 134, 2, 0, ("你",))),
        ("你" * 135, SmsLength("UCS-2", 135, 3, 66, ("你",))),
        ("😀" * 35, SmsLength("UCS-2", 70, 1, 0, ("😀",))),
        # 67 is odd as well: half an emoji is none.
        ("😀" * 36, SmsLength("UCS-2", 72, 2, 61, ("😀",))),
        ("😀" * 67, SmsLength("UCS-2", 134, 3, 65, ("😀",))),
    ],
)
def test_text_is_counted_in_places_and_parts(text: str, expected: SmsLength) -> None:
    assert sms_length(text) == expected


def test_typographic_quote_in_a_long_sms_is_named_as_what_makes_it_dear() -> None:
    measured = measure_sms("It\u2019s here. " + "a" * 100)
    assert measured.words == "2 parts, 111 characters (UCS-2), 23 left"
    assert measured.warnings == (
        "\u2019 cannot be written in the alphabet of SMS, so that a part holds 67 characters "
        "instead of 153.",
    )


def test_sms_of_one_part_is_given_without_a_warning() -> None:
    assert measure_sms("Hello").words == "1 part, 5 characters (GSM-7), 155 left"
    assert measure_sms("Hello").warnings == ()


def test_sms_of_seven_parts_is_warned_of() -> None:
    assert "six parts" in measure_sms("a" * (153 * 6 + 1)).warnings[0]
    assert measure_sms("a" * (153 * 6)).warnings == ()


@pytest.mark.parametrize(
    ("subject", "words"),
    [
        ("SPRING SALE NOW ON", "all capitals"),
        ("ВЕСЕННЯЯ РАСПРОДАЖА", "all capitals"),
        ("RE: your order", "looks like an answer"),
        ("Fwd: your order", "looks like an answer"),
        ("AW: Ihre Bestellung", "looks like an answer"),
        ("Only today!!!", "Three exclamation"),
        ("x" * 71, "It will be cut: “" + "x" * 40 + "…”"),
    ],
)
def test_subject_that_people_distrust_is_warned_of(subject: str, words: str) -> None:
    (warning,) = measure_subject(subject).warnings
    assert words in warning


@pytest.mark.parametrize(
    "subject",
    [
        "You left a Linen shirt behind",
        "DHL: 2 days",
        "Regarding your order",
        "x" * 70,
        "OK",
        "春季特卖",
    ],
)
def test_sound_subject_is_not_warned_of(subject: str) -> None:
    assert measure_subject(subject).warnings == ()


def test_subject_is_measured_against_inboxes() -> None:
    assert measure_subject("Hello").words == (
        "5 characters; Gmail on a computer shows about 70, a phone about 40"
    )


def test_long_push_and_preview_text_say_what_is_left_of_them() -> None:
    assert measure_push_title("a" * 51).warnings == ("It will be cut: “" + "a" * 50 + "…”.",)
    assert measure_push_title("a" * 50).warnings == ()
    assert measure_push_body("a" * 151).warnings == ("It will be cut: “" + "a" * 150 + "…”.",)
    assert "2000 bytes" in measure_push_body("д" * 1001).warnings[0]
    assert measure_preheader("a" * 101).warnings == ("It will be cut: “" + "a" * 100 + "…”.",)
