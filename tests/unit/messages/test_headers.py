"""Headers that cannot be injected into, and marketing mails that cannot be incomplete."""

from __future__ import annotations

import email
import email.policy
from email.header import decode_header, make_header

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wagtail_triggers.messages.headers import (
    HeaderProblem,
    MarketingMailIncomplete,
    ascii_address,
    build_headers,
    checked_header,
    clean_name,
    encoded_address,
    encoded_words,
    message_id_for,
    require_marketing_headers,
    split_address,
    unstructured,
)

URL = "https://shop.example/u/abc?x=1&y=2"
ADDRESS = "Mug & Co\n1 Main Street"
HTML = (
    '<p>Mug &amp; Co<br>1 Main Street</p><a href="https://shop.example/u/abc?x=1&amp;y=2">Off</a>'
)
TEXT = f"Mug & Co\n1 Main Street\nUnsubscribe: {URL}"


def headers(**changed: object) -> tuple[tuple[str, str], ...]:
    given: dict[str, object] = {
        "marketing": True,
        "unsubscribe_url": URL,
        "postal_address": ADDRESS,
        "html": HTML,
        "text": TEXT,
        **changed,
    }
    return build_headers(**given)  # type: ignore[arg-type]  # each test changes one


def test_marketing_headers_are_the_one_click_pair() -> None:
    assert headers() == (
        ("List-Unsubscribe", f"<{URL}>"),
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
    )


def test_marketing_headers_with_a_mailbox_name_both_ways() -> None:
    assert headers(unsubscribe_mailto="off@shop.example")[0] == (
        "List-Unsubscribe",
        f"<{URL}>, <mailto:off@shop.example?subject=unsubscribe>",
    )


def test_transactional_headers_need_nothing() -> None:
    assert headers(marketing=False, html="", text="", postal_address="", unsubscribe_url="") == ()


def test_extra_headers_come_first() -> None:
    assert headers(extra=[("Feedback-ID", "a:b")])[0] == ("Feedback-ID", "a:b")


@pytest.mark.parametrize(
    ("changed", "lacks"),
    [
        ({"unsubscribe_url": ""}, "https://"),
        ({"unsubscribe_url": "http://shop.example/u/abc"}, "https://"),
        ({"unsubscribe_url": "mailto:a@b.example"}, "https://"),
        ({"unsubscribe_url": "https://shop.example/>\r\nBcc: x@evil.example"}, "https://"),
        ({"unsubscribe_url": "https://shop.example/a b"}, "https://"),
        ({"unsubscribe_url": "https:///u"}, "https://"),
        ({"unsubscribe_url": "javascript:alert(1)"}, "https://"),
        ({"postal_address": ""}, "postal address"),
        ({"postal_address": " \n "}, "postal address"),
        ({"html": "<p>Mug &amp; Co<br>1 Main Street</p>"}, "unsubscribe link in the HTML"),
        ({"html": ""}, "unsubscribe link in the HTML"),
        ({"text": "Mug & Co\n1 Main Street"}, "unsubscribe link in the plain text"),
        ({"text": ""}, "unsubscribe link in the plain text"),
        ({"html": HTML.replace("1 Main", "2 Main")}, "postal address in the HTML"),
        ({"text": TEXT.replace("1 Main", "2 Main")}, "postal address in the plain text"),
    ],
)
def test_marketing_mail_that_is_incomplete_cannot_be_built(
    changed: dict[str, object], lacks: str
) -> None:
    with pytest.raises(MarketingMailIncomplete, match=lacks):
        headers(**changed)


def test_refusal_names_everything_that_is_missing() -> None:
    with pytest.raises(MarketingMailIncomplete) as caught:
        headers(unsubscribe_url="", postal_address="", html="", text="")
    assert "WAGTAIL_TRIGGERS_BASE_URL" in str(caught.value)
    assert "WAGTAIL_TRIGGERS_POSTAL_ADDRESS" in str(caught.value)


def test_developers_own_machine_may_do_without_https() -> None:
    url = "http://127.0.0.1:8000/u/abc"
    built = headers(unsubscribe_url=url, html=f'{HTML}<a href="{url}">', text=f"{TEXT} {url}")
    assert built[0] == ("List-Unsubscribe", f"<{url}>")


@pytest.mark.parametrize(
    "present",
    [
        (),
        (("List-Unsubscribe", f"<{URL}>"),),
        (("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),),
        (("List-Unsubscribe", ""), ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")),
        (("List-Unsubscribe", f"<{URL}>"), ("List-Unsubscribe-Post", "x")),
    ],
)
def test_last_look_refuses_a_marketing_mail_without_the_pair(
    present: tuple[tuple[str, str], ...],
) -> None:
    with pytest.raises(MarketingMailIncomplete, match="List-Unsubscribe"):
        require_marketing_headers(present)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Bcc", "x@evil.example"),
        ("From", "x@evil.example"),
        ("Subject", "x"),
        ("Content-Type", "text/html"),
        ("X-Anything", "x"),
        ("List-Id\r\nBcc", "x"),
        ("List-Id", "a\r\nBcc: x@evil.example"),
        ("List-Id", "a\nb"),
        ("List-Id", "a\rb"),
        ("List-Id", "a\x00b"),
        ("List-Id", "a\x85b"),
        ("List-Id", "a\u2028b"),
        ("List-Id", "ü"),
        ("List-Id", "x" * 1000),
    ],
)
def test_header_that_is_not_safe_is_refused(name: str, value: str) -> None:
    with pytest.raises(HeaderProblem):
        checked_header(name, value)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "a",
        "@b.example",
        "a@",
        "a@b.example\r\nBcc: x@evil.example",
        "a@b.example, c@d.example",
        "a b@c.example",
        "<a@b.example>",
        "Ann <a@b.example>",
        '"a"@b.example',
        "ä@b.example",
        "a@b_c.example",
        "a@-b.example",
        "a@b.example>",
    ],
)
def test_address_that_is_not_one_plain_address_is_refused(address: str) -> None:
    with pytest.raises(HeaderProblem):
        ascii_address(address)


def test_domain_of_an_address_becomes_punycode() -> None:
    assert ascii_address("ann@münchen.example") == "ann@xn--mnchen-3ya.example"
    assert ascii_address("ann@例え.jp") == "ann@xn--r8jz45g.jp"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a@b.example", ("", "a@b.example")),
        ("Ann <a@b.example>", ("Ann", "a@b.example")),
        ('"Co, Ltd." <a@b.example>', ("Co, Ltd.", "a@b.example")),
        ("Jürgen <a@bücher.example>", ("Jürgen", "a@xn--bcher-kva.example")),
    ],
)
def test_sender_is_split_into_name_and_address(value: str, expected: tuple[str, str]) -> None:
    assert split_address(value) == expected


def test_sender_with_a_line_break_is_refused() -> None:
    with pytest.raises(HeaderProblem):
        split_address("Ann\r\nBcc: x@evil.example <a@b.example>")


def test_name_loses_its_control_characters() -> None:
    assert clean_name("Ann\r\nBcc: x\x00 \u2028 y") == "Ann Bcc: x y"
    assert clean_name("e\u0301" * 300) == "é" * 200


@pytest.mark.parametrize(
    "name",
    [
        "Ann",
        "Co, Ltd.",
        'The "Shop"',
        "Jürgen",
        "李小龙",
        "Ольга 👋",
        "=?utf-8?q?fake?=",
        "a@b, <c@d>",
    ],
)
def test_encoded_address_reads_back_as_the_same_name(name: str) -> None:
    value = encoded_address(name, "a@b.example")
    assert value.isascii()
    message = email.message_from_bytes(f"To: {value}\r\n\r\n".encode(), policy=email.policy.default)
    (address,) = message["To"].addresses
    assert (address.display_name, address.addr_spec) == (name, "a@b.example")


@pytest.mark.parametrize(
    "subject",
    [
        "Hello",
        "x" * 200,
        "a long subject of many words that has to be folded somewhere because it is too long " * 2,
        "Ваш заказ №77 уже в пути, спасибо, что выбрали наш магазин — ждём вас снова",
        "您的购物车里还有商品在等着您" * 8,
        "👩‍🚀" * 25,
        "=?utf-8?b?Zm9v?= is not what it says",
        "Mixed ähnlich ascii",
    ],
)
def test_subject_reads_back_and_its_lines_are_short(subject: str) -> None:
    value = unstructured(subject, used=9)
    assert value.isascii()
    raw = f"Subject: {value}\r\n\r\n"
    if " " in subject or not subject.isascii():
        assert max(map(len, raw.split("\r\n"))) <= 78
    message = email.message_from_bytes(raw.encode(), policy=email.policy.default)
    assert message["Subject"] == subject.strip()


@given(st.text(alphabet=st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=120))
def test_encoded_words_of_any_text_read_back(text: str) -> None:
    value = encoded_words(text, used=9)
    assert all(len(line) <= 76 for line in value.split("\r\n"))
    assert str(make_header(decode_header(value.replace("\r\n", "\n")))) == text


def test_message_id_is_the_same_each_time_and_safe() -> None:
    assert message_id_for("0198-ab", "Shop <a@bücher.example>") == "<0198-ab@xn--bcher-kva.example>"
    assert message_id_for("a b\r\n>@x", "a@b.example") == "<a-b----x@b.example>"
